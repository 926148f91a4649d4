//! The addresses of WeCom. Private deployments (政务微信) and simulators serve the same paths on other hosts, so the
//! four base URLs are configurable.

use url::{Host, Url};

use crate::Error;

/// WeCom's four hosts: the API, the web login page, the OAuth page, the scripts.
///
/// ```
/// use wecom::Endpoints;
/// let own = Endpoints::default().with_api("https://wecom.example.gov/")?;
/// assert_eq!(own.api(), "https://wecom.example.gov");
/// assert_eq!(own.login(), "https://login.work.weixin.qq.com");
/// assert!(Endpoints::default().with_api("http://wecom.example.gov").is_err());
/// # Ok::<(), wecom::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoints {
    api: String,
    login: String,
    oauth: String,
    jssdk: String,
}

const OFFICIAL_LOGIN: &str = "https://login.work.weixin.qq.com";

impl Default for Endpoints {
    /// WeCom's official hosts.
    fn default() -> Self {
        Self {
            api: "https://qyapi.weixin.qq.com".to_owned(),
            login: OFFICIAL_LOGIN.to_owned(),
            oauth: "https://open.weixin.qq.com".to_owned(),
            jssdk: "https://wwcdn.weixin.qq.com".to_owned(),
        }
    }
}

impl Endpoints {
    /// With another base URL for the API; calls go to `{api}/cgi-bin/...`.
    pub fn with_api(mut self, base: &str) -> Result<Self, Error> {
        self.api = parse("api", base)?;
        Ok(self)
    }

    /// With another base URL for the web login page, `{login}/wwlogin/sso/login`.
    pub fn with_login(mut self, base: &str) -> Result<Self, Error> {
        self.login = parse("login", base)?;
        Ok(self)
    }

    /// With another base URL for the page inside the app, `{oauth}/connect/oauth2/authorize`.
    pub fn with_oauth(mut self, base: &str) -> Result<Self, Error> {
        self.oauth = parse("oauth", base)?;
        Ok(self)
    }

    /// With another base URL for WeCom's scripts.
    pub fn with_jssdk(mut self, base: &str) -> Result<Self, Error> {
        self.jssdk = parse("jssdk", base)?;
        Ok(self)
    }

    /// The base URL of the API, without a slash at its end.
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The base URL of the web login page, without a slash at its end.
    pub fn login(&self) -> &str {
        &self.login
    }

    /// The base URL of the OAuth page, without a slash at its end.
    pub fn oauth(&self) -> &str {
        &self.oauth
    }

    /// The base URL of the scripts, without a slash at its end.
    pub fn jssdk(&self) -> &str {
        &self.jssdk
    }

    /// True if the login page is on WeCom's official host, the only one that the official login panel (`@wecom/jssdk`)
    /// supports.
    pub fn is_official_login(&self) -> bool {
        self.login == OFFICIAL_LOGIN
    }
}

/// The base URL without a slash at its end. http would expose tokens to the network, so it is allowed on loopback
/// only.
fn parse(name: &str, base: &str) -> Result<String, Error> {
    let refuse = |why: &str| Error::misconfigured(format!("the {name} base {why}"));
    let url = Url::parse(base.trim()).map_err(|_| refuse("must be an absolute URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(refuse("must be https; http is allowed on loopback only")),
        _ => return Err(refuse("must be an https URL")),
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(refuse("must have no user name, query or fragment"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// True for a URL whose host is this machine: `localhost`, names below it, 127.0.0.0/8 and ::1 (RFC 6761, 6.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("http://127.0.0.1:8080/", "http://127.0.0.1:8080")]
    #[case("http://127.9.9.9", "http://127.9.9.9")]
    #[case("http://[::1]:1", "http://[::1]:1")]
    #[case("http://localhost:3000", "http://localhost:3000")]
    #[case("https://wecom.example.gov/wecom/", "https://wecom.example.gov/wecom")]
    fn accepted(#[case] base: &str, #[case] kept: &str) {
        assert_eq!(Endpoints::default().with_api(base).unwrap().api(), kept);
    }

    #[rstest::rstest]
    #[case("http://wecom.example.gov")]
    #[case("http://localhost.example.com")]
    #[case("http://10.0.0.1")]
    #[case("http://127.0.0.1.example.com")]
    #[case("ftp://127.0.0.1")]
    #[case("wecom.example.gov")]
    #[case("")]
    #[case("https://user:pw@wecom.example.gov")]
    #[case("https://wecom.example.gov/?a=b")]
    #[case("https://wecom.example.gov/#x")]
    fn refused(#[case] base: &str) {
        let error = Endpoints::default().with_login(base).unwrap_err();
        assert!(error.is_misconfigured());
        assert!(!error.to_string().contains("pw"));
    }

    #[test]
    fn the_panel_is_for_the_official_host() {
        assert!(Endpoints::default().is_official_login());
        let own = Endpoints::default().with_login("https://login.example.gov").unwrap();
        assert!(!own.is_official_login());
        let same = own.with_login("https://LOGIN.work.weixin.qq.com/").unwrap();
        assert!(same.is_official_login());
    }
}
