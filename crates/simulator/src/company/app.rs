use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// Which side of 2022-06-20 20:00 an app was made on: since then WeCom withholds seven fields (WeCom 96255).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Age {
    /// The app reads every field.
    Before,
    /// Portrait, gender, mobile, both e-mail addresses, QR code and postal address are withheld.
    After,
}

/// A field that a member hands over on the consent page (`snsapi_privateinfo`, WeCom 96443).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensitiveField {
    /// Portrait.
    Avatar,
    /// Gender.
    Gender,
    /// Mobile number.
    Mobile,
    /// Personal e-mail address.
    Email,
    /// Company e-mail address.
    BizMail,
    /// Personal QR code.
    QrCode,
    /// Postal address.
    Address,
}

impl SensitiveField {
    /// All seven.
    pub const ALL: [Self; 7] =
        [Self::Avatar, Self::Gender, Self::Mobile, Self::Email, Self::BizMail, Self::QrCode, Self::Address];

    /// The wire's name of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Gender => "gender",
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::BizMail => "biz_mail",
            Self::QrCode => "qr_code",
            Self::Address => "address",
        }
    }
}

/// The visible scope (可见范围) of an app: departments with all below them, single members, tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// Departments; all below each belong to the scope too.
    pub departments: Vec<i64>,
    /// Userids.
    pub members: Vec<String>,
    /// Tags, with everybody in them.
    pub tags: Vec<i64>,
}

/// A self-built app (自建应用).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Identifier, unique in the company.
    pub agentid: u64,
    /// Name on the sign-in page.
    pub name: String,
    /// The `corpsecret` of the app.
    pub secret: String,
    /// Made before or after 2022-06-20 20:00.
    pub made: Age,
    /// A disabled app gets no token (40001), and its live tokens answer 50003.
    pub enabled: bool,
    /// 企业可信IP: the addresses that may call. `None` leaves the gate open.
    pub trusted_ips: Option<Vec<String>>,
    /// 可信域名: `host` or `host:port`, for the OAuth page.
    pub oauth_domains: Vec<String>,
    /// 授权回调域 of the web sign-in: `host` or `host:port`. The OAuth domains count there as well.
    pub login_domains: Vec<String>,
    /// Whom the app may see.
    pub scope: Scope,
    /// The fields that the administrator chose for the consent page.
    pub sensitive_fields: Vec<SensitiveField>,
}

impl App {
    /// An enabled app made after 2022-06-20 that sees the whole company, has no IP gate and takes redirects to
    /// loopback hosts on any port.
    pub fn new(agentid: u64, name: impl Into<String>, secret: impl Into<String>) -> Self {
        let loopback = || ["127.0.0.1:*", "localhost:*", "[::1]:*"].map(str::to_owned).to_vec();
        Self {
            agentid,
            name: name.into(),
            secret: secret.into(),
            made: Age::After,
            enabled: true,
            trusted_ips: None,
            oauth_domains: loopback(),
            login_domains: loopback(),
            scope: Scope { departments: vec![1], ..Scope::default() },
            sensitive_fields: SensitiveField::ALL.to_vec(),
        }
    }

    /// True when the OAuth page may redirect to `url`.
    pub(crate) fn takes_oauth_redirect(&self, url: &Url) -> bool {
        host_of(url).is_some_and(|host| listed(&self.oauth_domains, &host))
    }

    /// True when the sign-in page may redirect to `url`: OAuth domain or callback domain (WeCom 98171).
    pub(crate) fn takes_login_redirect(&self, url: &Url) -> bool {
        host_of(url).is_some_and(|host| self.trusts(&host))
    }

    /// True when `host` (with its port, unless that is the scheme's own) is among the app's domains.
    pub(crate) fn trusts(&self, host: &str) -> bool {
        listed(&self.login_domains, host) || listed(&self.oauth_domains, host)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("agentid", &self.agentid)
            .field("name", &self.name)
            .field("made", &self.made)
            .field("enabled", &self.enabled)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Host and port as they stand in the console: the port only where it is not the scheme's own (WeCom 91860).
pub(crate) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    matches!(url.scheme(), "http" | "https")
        .then(|| url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The whole host is compared, without wildcards (WeCom 91860). `host:*` is the simulator's own: any port.
fn listed(domains: &[String], host: &str) -> bool {
    let name = || match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    domains.iter().any(|domain| match domain.strip_suffix(":*") {
        Some(any_port) => any_port.eq_ignore_ascii_case(name()),
        None => domain.eq_ignore_ascii_case(host),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(domain: &str, url: &str) -> bool {
        let app = App {
            oauth_domains: Vec::new(),
            login_domains: vec![domain.to_owned()],
            ..App::new(1, "app", "secret")
        };
        app.takes_login_redirect(&Url::parse(url).unwrap())
    }

    #[test]
    fn the_full_host_is_compared_with_its_port_and_without_its_scheme() {
        assert!(takes("mail.qq.com:8080", "http://mail.qq.com:8080/x"));
        assert!(!takes("mail.qq.com", "http://mail.qq.com:8080/x"));
        assert!(takes("mail.qq.com", "http://mail.qq.com/x"));
        assert!(takes("mail.qq.com", "https://mail.qq.com/x?y"));
        assert!(!takes("qq.com", "https://mail.qq.com/"));
        assert!(!takes("mail.qq.com", "https://mail.qq.com.evil.example/"));
        assert!(!takes("mail.qq.com", "https://mail.qq.com@evil.example/"));
        assert!(!takes("*.qq.com", "https://mail.qq.com/"));
    }

    #[test]
    fn any_port_is_said_by_a_star() {
        assert!(takes("127.0.0.1:*", "http://127.0.0.1:4711/x"));
        assert!(takes("127.0.0.1:*", "http://127.0.0.1/x"));
        assert!(takes("[::1]:*", "http://[::1]:4711/x"));
        assert!(takes("[::1]:*", "http://[::1]/x"));
        assert!(!takes("127.0.0.1:*", "http://127.0.0.2:4711/x"));
        assert!(!takes("127.0.0.1:*", "ftp://127.0.0.1/x"));
    }

    #[test]
    fn debug_does_not_print_the_secret() {
        assert!(!format!("{:?}", App::new(1, "app", "s3cr3t")).contains("s3cr3t"));
    }
}
