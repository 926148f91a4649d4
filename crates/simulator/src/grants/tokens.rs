use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Holder;
use crate::chance::Chance;
use crate::clock::Moment;

/// Expired tokens are told apart from unknown ones (42001, 40014) for this long.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Access tokens: which are out, and which one the next `gettoken` gives again.
#[derive(Default)]
pub(crate) struct Tokens {
    issued: HashMap<String, Issued>,
    current: HashMap<Holder, String>,
}

struct Issued {
    holder: Holder,
    expires: Moment,
}

/// What a token that came with a call is worth.
pub(crate) enum TokenState {
    Valid(Holder),
    Expired,
    Unknown,
}

impl Tokens {
    /// The token that is still valid, with the time it has left; none when `gettoken` must make a new one.
    pub(crate) fn current(&self, holder: &Holder, now: Moment) -> Option<(String, Duration)> {
        let token = self.current.get(holder)?;
        let left = self.issued.get(token)?.expires.0 - now.0;
        (left >= 1000).then(|| (token.clone(), Duration::from_millis(u64::try_from(left).unwrap_or(0))))
    }

    pub(crate) fn issue(
        &mut self,
        holder: &Holder,
        lifetime: Duration,
        now: Moment,
        chance: &mut Chance,
    ) -> String {
        self.issued.retain(|_, issued| issued.expires + REMEMBERED > now);
        let token = chance.text(86);
        self.issued.insert(token.clone(), Issued { holder: holder.clone(), expires: now + lifetime });
        self.current.insert(holder.clone(), token.clone());
        token
    }

    pub(crate) fn check(&self, token: &str, now: Moment) -> TokenState {
        match self.issued.get(token) {
            None => TokenState::Unknown,
            Some(issued) if issued.expires <= now => TokenState::Expired,
            Some(issued) => TokenState::Valid(issued.holder.clone()),
        }
    }

    /// The company that the token was issued to, expired or not.
    pub(crate) fn whose(&self, token: &str) -> Option<Arc<str>> {
        self.issued.get(token).map(|issued| Arc::clone(&issued.holder.corpid))
    }

    /// Live tokens answer 42001 from now on.
    pub(crate) fn expire(&mut self, now: Moment, chosen: impl Fn(&Holder) -> bool) {
        for issued in self.issued.values_mut().filter(|issued| chosen(&issued.holder)) {
            issued.expires = issued.expires.min(now);
        }
    }

    /// Live tokens answer 40014 from now on.
    pub(crate) fn revoke(&mut self, chosen: impl Fn(&Holder) -> bool) {
        self.issued.retain(|_, issued| !chosen(&issued.holder));
    }

    /// The next `gettoken` gives a new token; the old one stays valid.
    pub(crate) fn rotate(&mut self, chosen: impl Fn(&Holder) -> bool) {
        self.current.retain(|holder, _| !chosen(holder));
    }
}
