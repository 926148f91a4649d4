//! The cookie of a browser that has signed in here before. It opens nothing: when the address of its network has used up the
//! allowance for failures, the browser takes from the allowance of its account.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use wecom_login_model::{AccountId, Secret, Timestamp};
use wecom_login_store::Sealer;

use crate::http::cookies::Cookies;

/// The place of the sealed value: no other sealed value opens there.
const PLACE: &str = "cookie/known";
/// The lifetime of the cookie, in days since its sign-in.
const DAYS: u32 = 90;
/// The largest number of cookies that are opened for one request: another page of our host can plant some.
const MOST: usize = 4;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// The account that has signed in with this browser within the last 90 days.
pub(crate) fn known_account(
    cookies: Cookies,
    headers: &HeaderMap,
    sealer: &Sealer,
    now: Timestamp,
) -> Option<AccountId> {
    let account = |value: &str| {
        let opened = sealer.open(PLACE, value).ok()?;
        let (account, signed_in) = opened.expose().split_once('.')?;
        let age = day(now) - signed_in.parse::<i64>().ok()?;
        // A replica whose clock is ahead may have set it.
        (-1..i64::from(DAYS)).contains(&age).then_some(AccountId(account.parse().ok()?))
    };
    cookies.known(headers).take(MOST).find_map(account)
}

/// The cookie of a browser in which this account has just signed in. `None` if it cannot be sealed; the sign-in goes on.
pub(crate) fn remember(
    cookies: Cookies,
    sealer: &Sealer,
    account: AccountId,
    now: Timestamp,
) -> Option<HeaderValue> {
    let value = Secret::new(format!("{account}.{}", day(now)));
    match sealer.seal(PLACE, &value) {
        Ok(sealed) => Some(cookies.set_known(&sealed, Duration::from_hours(24) * DAYS)),
        Err(error) => {
            tracing::warn!(%error, "a browser's cookie could not be sealed");
            None
        }
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_secs().div_euclid(SECONDS_OF_A_DAY)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::header;
    use wecom_login_model::{Entropy, SeededEntropy};
    use wecom_login_store::SealKey;

    use super::*;

    fn sealer(seed: u64) -> Sealer {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        Sealer::new(&SealKey::generate(&entropy), entropy).unwrap()
    }

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("wecom_login_known={value}").parse().unwrap());
        headers
    }

    #[test]
    fn it_names_the_account_for_ninety_days() {
        let (cookies, sealer, account) = (Cookies::new(false), sealer(1), AccountId(17));
        let signed_in = Timestamp::from_millis(1_795_741_560_000);
        let cookie = remember(cookies, &sealer, account, signed_in).unwrap();
        let cookie = std::str::from_utf8(cookie.as_bytes()).unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(attributes, "HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000");
        let value = pair.strip_prefix("wecom_login_known=").unwrap();
        let read = |now| known_account(cookies, &headers(value), &sealer, now);
        assert_eq!(read(signed_in), Some(account));
        let days = |days: u32| signed_in + Duration::from_hours(24) * days;
        assert_eq!((read(days(89)), read(days(90))), (Some(account), None));
        assert_eq!(read(signed_in - Duration::from_hours(49)), None, "from the future");
        assert!(!value.contains("17"), "opaque");
    }

    #[test]
    fn an_invented_changed_or_otherwise_sealed_value_names_nobody() {
        let (cookies, ours, now) = (Cookies::new(false), sealer(1), Timestamp::from_millis(0));
        let sealed = ours.seal(PLACE, &Secret::new("17.0")).unwrap();
        let read = |value: &str| known_account(cookies, &headers(value), &ours, now);
        assert_eq!(read(&sealed), Some(AccountId(17)));
        assert_eq!(read(&format!("planted; wecom_login_known={sealed}")), Some(AccountId(17)));
        let elsewhere = ours.seal("outcome/1", &Secret::new("17.0")).unwrap();
        let of_another_key = sealer(2).seal(PLACE, &Secret::new("17.0")).unwrap();
        for value in ["", "17.0", &elsewhere, &of_another_key, &sealed[1..], &format!("{sealed}A")] {
            assert_eq!(read(value), None, "{value}");
        }
        for text in ["", "17", "17.", ".0", "x.0", "17.x"] {
            assert_eq!(read(&ours.seal(PLACE, &Secret::new(text)).unwrap()), None, "{text}");
        }
    }
}
