//! The links that start a sign-in. Their parameters are in the order of WeCom's documentation.

use crate::{AgentId, CorpId, Endpoints, Language};

/// The parameters of both links.
#[derive(Debug, Clone, Copy)]
pub struct SignInLink<'a> {
    /// The company.
    pub corp_id: &'a CorpId,
    /// The app.
    pub agent_id: &'a AgentId,
    /// The URL that gets `code` and `state`. Its host and port must be registered for the app (WeCom 98171, 91022). Not
    /// encoded: the link encodes it.
    pub redirect_uri: &'a str,
    /// WeCom returns it unchanged. Letters and digits only, at most 128 bytes: the OAuth page rejects anything else
    /// (WeCom 91022).
    pub state: &'a str,
}

/// The data that the sign-in inside the app asks for (WeCom 91022).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scope {
    /// `snsapi_base`: the member's identifier, without a consent page.
    #[default]
    Base,
    /// `snsapi_privateinfo`: shows a consent page and gives a ticket for mobile, e-mail, avatar and the like.
    PrivateInfo,
}

impl Scope {
    /// The scope's name at WeCom.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::PrivateInfo => "snsapi_privateinfo",
        }
    }
}

impl Endpoints {
    /// The page with the QR code, for a browser outside WeCom (WeCom 98171). Without `language`, the page uses the
    /// browser's.
    ///
    /// ```
    /// use wecom::{AgentId, CorpId, Endpoints, Language, SignInLink};
    /// let (corp_id, agent_id) = (CorpId::parse("ww1")?, AgentId::parse("1000002")?);
    /// let link = SignInLink {
    ///     corp_id: &corp_id, agent_id: &agent_id, redirect_uri: "https://app.example.com/in", state: "s1",
    /// };
    /// assert_eq!(
    ///     Endpoints::default().web_login_link(link, Some(Language::En)),
    ///     "https://login.work.weixin.qq.com/wwlogin/sso/login?login_type=CorpApp&appid=ww1&agentid=1000002\
    ///      &redirect_uri=https%3A%2F%2Fapp.example.com%2Fin&state=s1&lang=en",
    /// );
    /// # Ok::<(), wecom::InvalidId>(())
    /// ```
    pub fn web_login_link(&self, link: SignInLink<'_>, language: Option<Language>) -> String {
        let language = match language {
            Some(Language::Zh) => "&lang=zh",
            Some(Language::En) => "&lang=en",
            None => "",
        };
        format!(
            "{}/wwlogin/sso/login?login_type=CorpApp&appid={}&agentid={}&redirect_uri={}&state={}{language}",
            self.login(),
            link.corp_id,
            link.agent_id,
            encoded(link.redirect_uri),
            encoded(link.state),
        )
    }

    /// The page for the browser inside the WeCom app (WeCom 91022): redirects at once or after consent. In other
    /// browsers it only asks the person to open it in WeCom.
    pub fn oauth_link(&self, link: SignInLink<'_>, scope: Scope) -> String {
        format!(
            "{}/connect/oauth2/authorize?appid={}&redirect_uri={}&response_type=code&scope={}&state={}&agentid={}\
             #wechat_redirect",
            self.oauth(),
            link.corp_id,
            encoded(link.redirect_uri),
            scope.as_str(),
            encoded(link.state),
            link.agent_id,
        )
    }
}

/// Like JavaScript's encodeURIComponent (ECMA-262, 19.2.6.4), which WeCom's pages decode.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len() * 3), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oauth_link_ends_in_the_fragment_and_keeps_a_query_of_the_redirect() {
        let (corp_id, agent_id) =
            (CorpId::parse("ww1436e0e65a779aee").unwrap(), AgentId::parse("1000002").unwrap());
        let link = SignInLink {
            corp_id: &corp_id,
            agent_id: &agent_id,
            redirect_uri: "http://127.0.0.1:8000/in?a=b&c=登 录",
            state: "aZ09",
        };
        assert_eq!(
            Endpoints::default().oauth_link(link, Scope::PrivateInfo),
            "https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww1436e0e65a779aee&redirect_uri=\
             http%3A%2F%2F127.0.0.1%3A8000%2Fin%3Fa%3Db%26c%3D%E7%99%BB%20%E5%BD%95&response_type=code\
             &scope=snsapi_privateinfo&state=aZ09&agentid=1000002#wechat_redirect",
        );
        let web = Endpoints::default().with_login("http://localhost:1").unwrap().web_login_link(link, None);
        assert!(web.starts_with(
            "http://localhost:1/wwlogin/sso/login?login_type=CorpApp&appid=ww1436e0e65a779aee&"
        ));
        assert!(web.ends_with("&state=aZ09"));
    }
}
