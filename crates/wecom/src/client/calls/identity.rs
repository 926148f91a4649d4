//! The identity behind an authorization code (WeCom 91023, 98176, 95833).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Calls, Parameters};
use crate::client::api::{GETUSERDETAIL, GETUSERINFO};
use crate::client::error::Kind;
use crate::client::wire;
use crate::{CorpId, Error, Secret, UserId};

/// The authorization code of WeCom's redirect: valid once, for five minutes, at most 512 bytes (WeCom 91023). It is
/// never printed, because an unused code is enough to sign in.
///
/// ```
/// use wecom::AuthCode;
/// let code = AuthCode::parse("AAAAAAgG333qs9EdaPbCAP1VaOrjuNkiAZHTWgaWsZQ")?;
/// assert_eq!(format!("{code:?}"), "AuthCode([secret])");
/// assert!(AuthCode::parse("two words").is_err());
/// # Ok::<(), wecom::InvalidAuthCode>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthCode(Secret);

/// A text that cannot be a code. Treat it like a wrong code (40029).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an authorization code has 1 to 512 printable ASCII characters without spaces")]
pub struct InvalidAuthCode;

impl AuthCode {
    /// Parses 1 to 512 printable ASCII characters without spaces.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidAuthCode> {
        let text = Secret::new(text);
        let printable = text.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if printable && (1..=512).contains(&text.expose().len()) {
            Ok(Self(text))
        } else {
            Err(InvalidAuthCode)
        }
    }

    /// The code itself, to hash it. Do not keep it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The identity behind a code. A userid identifies a member only together with the company of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// A member of the company, inside or outside the app's visible scope.
    Member {
        /// The member.
        user_id: UserId,
        /// For [`Calls::user_detail`]; present only after consent inside the app (scope `snsapi_privateinfo`), never
        /// after a QR code. Valid for 1800 seconds.
        user_ticket: Option<Secret>,
    },
    /// A member of another company that shares its contacts with this one (`CorpId/userid`, WeCom 96442). Not a
    /// member of this company.
    LinkedMember {
        /// Their own company.
        corp_id: CorpId,
        /// The member of that company.
        user_id: UserId,
    },
    /// Not a member of the company.
    NonMember {
        /// The person's identifier for this company; at most 64 bytes.
        open_id: String,
        /// Present if the person is a customer of a visible member.
        external_user_id: Option<String>,
    },
}

/// The data that the member consented to share (WeCom 95833). Every field except the identifier may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UserDetail {
    /// The member.
    #[serde(rename = "userid", alias = "UserId")]
    pub user_id: UserId,
    /// "0" unknown or withheld, "1" male, "2" female.
    #[serde(default, deserialize_with = "wire::text")]
    pub gender: Option<String>,
    /// URL of the picture; a default picture without consent.
    #[serde(default, deserialize_with = "wire::text")]
    pub avatar: Option<String>,
    /// URL of the member's QR code.
    #[serde(default, deserialize_with = "wire::text")]
    pub qr_code: Option<String>,
    /// Mobile number.
    #[serde(default, deserialize_with = "wire::text")]
    pub mobile: Option<String>,
    /// E-mail address.
    #[serde(default, deserialize_with = "wire::text")]
    pub email: Option<String>,
    /// E-mail address at the company (企业邮箱).
    #[serde(default, deserialize_with = "wire::text")]
    pub biz_mail: Option<String>,
    /// Postal address.
    #[serde(default, deserialize_with = "wire::text")]
    pub address: Option<String>,
}

impl Calls {
    /// The identity behind `code` (`auth/getuserinfo`). The first request that WeCom processes consumes the code. So a
    /// request that may have arrived is not sent again, unless WeCom answered that it did not process it (-1, 40014,
    /// 42001).
    pub async fn identify(&self, code: &AuthCode) -> Result<Identity, Error> {
        let parameters =
            Parameters { query: &[("code", code.expose())], body: None, secrets: &[code.expose()] };
        let answer: Map<String, Value> = self.call(&GETUSERINFO, parameters).await?;
        let incomplete = |what| Error::of_call(GETUSERINFO.path, Kind::Incomplete(what));
        if let Some(user) = first_text(&answer, &["userid", "UserId", "UserID"]) {
            return match user.split_once('/') {
                None => Ok(Identity::Member {
                    user_id: UserId::parse(user)
                        .map_err(|_| incomplete("userid that follows WeCom's rule"))?,
                    user_ticket: first_text(&answer, &["user_ticket"]).map(Secret::new),
                }),
                Some((corp, user)) => Ok(Identity::LinkedMember {
                    corp_id: CorpId::parse(corp)
                        .map_err(|_| incomplete("corpid that follows WeCom's rule"))?,
                    user_id: UserId::parse(user)
                        .map_err(|_| incomplete("userid that follows WeCom's rule"))?,
                }),
            };
        }
        match first_text(&answer, &["openid", "OpenId", "OpenID"]) {
            Some(open_id) => {
                let external_user_id = first_text(&answer, &["external_userid"]);
                Ok(Identity::NonMember { open_id, external_user_id })
            }
            None => Err(incomplete("userid or openid")),
        }
    }

    /// The data that the member consented to share (`auth/getuserdetail`). `ticket` is from [`Identity::Member`].
    pub async fn user_detail(&self, ticket: &Secret) -> Result<UserDetail, Error> {
        let body = json!({ "user_ticket": ticket.expose() }).to_string();
        self.call(&GETUSERDETAIL, Parameters { query: &[], body: Some(body), secrets: &[ticket.expose()] })
            .await
    }
}

fn first_text(answer: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| answer.get(*key).and_then(wire::as_text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_printable_ascii_of_at_most_512_bytes() {
        for good in ["x", "A-_.~!", &"a".repeat(512)] {
            assert_eq!(AuthCode::parse(good).unwrap().expose(), good);
        }
        for bad in ["", " ", "a b", "a\n", "码", "a\u{7f}", &"a".repeat(513)] {
            assert!(AuthCode::parse(bad).is_err(), "{bad:?}");
        }
    }
}
