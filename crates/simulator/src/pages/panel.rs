//! The login panel of WeCom's browser SDK (`ww.createWWLoginPanel`): it frames the sign-in page and hears from it by
//! messages. Read in `@wecom/jssdk` 2.4.4; `assets/page.js` is the frame's side of the protocol.

use std::fmt;

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};
use url::Url;

use super::sign_in::{Page, RedirectType, SignIn};
use crate::company::{App, host_of};
use crate::header_bytes::text;
use crate::query::Query;
use crate::world::World;

/// The desktop client beside the browser, which the sign-in page looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Desktop {
    /// No client is running.
    #[default]
    Absent,
    /// A client is running and nobody is signed in to it.
    SignedOut,
    /// This member is signed in to it and may sign in to apps with one click.
    SignedIn {
        /// The member's company.
        corpid: String,
        /// The member.
        userid: String,
    },
}

impl Desktop {
    /// The member who can sign in to this company's apps with one click.
    pub(super) fn member_of<'a>(&'a self, world: &World, corpid: &str) -> Option<&'a str> {
        let Self::SignedIn { corpid: company, userid } = self else { return None };
        (company == corpid && world.company(corpid)?.member(userid).is_some()).then_some(userid)
    }
}

/// Why a panel cannot sign anybody in. Both numbers are the domain's; which of them means which side is not
/// documented (WeCom 98152), so the split is this simulator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// The redirect URI is on a host that the app does not list.
    RedirectUri = -31020,
    /// The page that embeds the panel is.
    Embedder = -31039,
}

/// The origin of the page that frames this one. The SDK's frame always sends it (`referrerpolicy="origin"`).
pub(super) fn embedder(headers: &HeaderMap) -> Option<Url> {
    if text(headers, "sec-fetch-dest").as_deref() != Some("iframe") {
        return None;
    }
    Url::parse(&text(headers, header::REFERER)?).ok()
}

/// True when the page that embeds the panel may not be given codes: it must be on the app's domain itself.
pub(super) fn refuses(app: &App, redirect: RedirectType, embedder: Option<&Url>) -> bool {
    let host = embedder.and_then(host_of);
    redirect == RedirectType::Callback && host.is_some_and(|host| !app.trusts(&host))
}

/// What a page tells the panel that embeds it.
pub(super) struct Told {
    listener: String,
    channel: bool,
    name: &'static str,
    payload: Value,
}

impl Told {
    /// Whether the desktop client is signed in, and by the channel if the SDK's version is one that has it. Of a
    /// version that is none (`x.y.z`) nothing is assumed: it hears window messages alone.
    pub(super) fn desktop(signed_in: bool, listener: String, query: &Query) -> Self {
        let payload = json!({"isWeComLogin": signed_in});
        Self { listener, channel: known(query), name: "onCheckWeComLogin", payload }
    }

    pub(super) fn mismatch(why: Mismatch, text: &str, listener: String, query: &Query) -> Self {
        let payload = json!({"errCode": why as i32, "errMsg": text});
        Self { listener, channel: known(query), name: "onLoginFail", payload }
    }

    /// The code, without the state, which the page must know itself. The channel belonged to the page before.
    pub(super) fn code(code: &str, sign_in: &SignIn) -> Self {
        let listener = match &sign_in.page {
            Page::Login { listener, .. } => listener.clone(),
            _ => sign_in.redirect.origin().ascii_serialization(),
        };
        Self { listener, channel: false, name: "onLoginSuccess", payload: json!({"code": code}) }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listener, channel, name, payload } = self;
        json!({"listener": listener, "channel": channel, "name": name, "payload": payload}).fmt(f)
    }
}

fn known(query: &Query) -> bool {
    let mut parts = query.get("version").unwrap_or_default().split('.');
    let numbers = parts.by_ref().take(3).filter(|part| part.parse::<u32>().is_ok()).count();
    numbers == 3 && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers() {
        let known = |version: &str| known(&Query::parse(&format!("version={version}")));
        assert!(known("2.4.4") && known("1.3.2"));
        for unknown in ["", "2.4", "2.4.4.1", "next", "2.4.x", "2..4"] {
            assert!(!known(unknown), "{unknown}");
        }
    }
}
