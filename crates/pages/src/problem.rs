use askama::Template;
use wecom_login_model::{Bilingual, Explanation};

use crate::explained::Explained;
use crate::{Chrome, html};

/// The page on which a sign-in ends that did not succeed: what happened, who can fix it, and how.
#[derive(Debug, Clone)]
pub struct ProblemPage<'a> {
    /// What happened, in a few words; see [`title`].
    pub title: Bilingual,
    /// What it means, who must act and how, and its number.
    pub explanation: &'a Explanation,
    /// Values that the one who acts will need, each with its label, such as the IP address to add.
    pub details: Vec<(Bilingual, String)>,
    /// A way to go on, where there is one.
    pub retry: Option<Retry>,
}

/// A link that goes on from a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// What it says.
    pub label: Bilingual,
    /// Where it leads.
    pub url: String,
}

impl Retry {
    /// "Try again", leading to `url`.
    pub fn again(url: impl Into<String>) -> Self {
        Self { label: Bilingual { zh: "再试一次", en: "Try again" }, url: url.into() }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a ProblemPage<'a>,
}

impl Problem<'_> {
    fn explained(&self) -> Explained<'_> {
        Explained { hook: "problem", explanation: self.page.explanation, details: &self.page.details }
    }
}

impl ProblemPage<'_> {
    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        html(&Problem { chrome, page: self })
    }
}

/// Titles of the cases in which a sign-in ends without success.
pub mod title {
    use wecom_login_model::Bilingual;

    macro_rules! titles {
        ($($(#[$doc:meta])* $name:ident = $zh:literal, $en:literal;)*) => {
            $($(#[$doc])* pub const $name: Bilingual = Bilingual { zh: $zh, en: $en };)*
            /// All of them, for tests and galleries.
            pub const ALL: &[Bilingual] = &[$($name),*];
        };
    }

    titles! {
        /// The person said no on the phone or in WeCom's page.
        DECLINED = "你取消了登录", "You cancelled the sign-in";
        /// The person has WeCom or WeChat, but is no member of this company (an `openid` came back).
        NOT_A_MEMBER = "你不是这家企业的成员", "You are not a member of this company";
        /// A member, but outside the app's visible scope.
        OUTSIDE_SCOPE = "你还不能使用这个应用", "You cannot use this app yet";
        /// Disabled (status 2) or left (status 5).
        NOT_ACTIVE = "你的企业微信账号已被禁用", "Your WeCom account is not active";
        /// The state is too old.
        STATE_EXPIRED = "这次登录已超时", "This sign-in took too long";
        /// The code or the state was used before.
        ALREADY_USED = "这次登录已经用过了", "This sign-in was already used";
        /// The state belongs to another browser.
        OTHER_BROWSER = "请在同一个浏览器里完成登录", "Please finish in the browser where you began";
        /// The state is none of ours.
        STATE_UNKNOWN = "无法识别这次登录", "This sign-in is unknown here";
        /// No cookie came back after two restarts.
        COOKIES_BLOCKED = "浏览器没有保存 Cookie", "Your browser keeps no cookies";
        /// No answer from WeCom.
        WECOM_UNREACHABLE = "暂时联系不上企业微信", "WeCom cannot be reached right now";
        /// WeCom answers, but too late or with "busy".
        WECOM_BUSY = "企业微信正忙", "WeCom is busy";
        /// WeCom's call limits are used up.
        WECOM_LIMITED = "企业微信限制了调用次数", "WeCom's call limit is used up";
        /// 60020: our address is not among the app's trusted ones.
        IP_NOT_ALLOWED = "企业微信不接受本服务器的 IP 地址", "WeCom does not accept this server's IP address";
        /// Secret, company, agent or redirect host are not set up as they should be.
        SET_UP_WRONG = "登录设置有误", "The sign-in is not set up right";
        /// Too many failures from this address.
        LIMIT_REACHED = "请稍等片刻", "Please wait a moment";
        /// The service's own storage is out of reach, busy or full.
        UNAVAILABLE = "服务暂时不可用", "Not available right now";
        /// Anything else.
        FAILED = "登录没有成功", "The sign-in did not succeed";
    }
}
