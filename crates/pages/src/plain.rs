use askama::Template;
use wecom_login_model::Bilingual;

use crate::{Chrome, Retry, html};

/// A bare page for an HTTP error that has nothing to do with WeCom.
#[derive(Debug, Clone)]
pub struct PlainPage {
    /// The HTTP status.
    pub status: u16,
    /// What happened, in a few words.
    pub title: Bilingual,
    /// What to do, in one sentence.
    pub sentence: Bilingual,
    /// A way to go on, where there is one.
    pub retry: Option<Retry>,
}

#[derive(Template)]
#[template(path = "plain.html")]
struct Plain<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a PlainPage,
}

impl PlainPage {
    /// The page of an HTTP status: 400, 401, 403 (a request from another site), 404, 405, 413, 415, 429, 503;
    /// any other is told as an error on our side.
    pub fn of_status(status: u16) -> Self {
        let (title, sentence) = match status {
            400 => (
                Bilingual { zh: "看不懂这个请求", en: "This request makes no sense here" },
                Bilingual {
                    zh: "链接可能不完整。请回到应用，重新打开登录页。",
                    en: "The link may be cut short. Go back to the app and open the sign-in page again.",
                },
            ),
            401 => (
                Bilingual { zh: "请先登录", en: "Please sign in first" },
                Bilingual {
                    zh: "登录后即可打开这一页。", en: "This page opens once you are signed in."
                },
            ),
            403 => (
                Bilingual { zh: "这个请求来自别的网站", en: "This request came from another site" },
                Bilingual {
                    zh: "为了保护你的账号，我们没有执行它。请直接打开登录页再操作。",
                    en: "To protect your account it was not carried out. Open the sign-in page itself and try there.",
                },
            ),
            404 => (
                Bilingual { zh: "没有这个页面", en: "There is no such page" },
                Bilingual {
                    zh: "请检查地址，或者回到应用重新打开链接。",
                    en: "Check the address, or go back to the app and open the link again.",
                },
            ),
            405 | 415 => (
                Bilingual { zh: "不支持这种请求", en: "This kind of request is not supported" },
                Bilingual {
                    zh: "请用浏览器直接打开登录页。",
                    en: "Open the sign-in page directly in your browser.",
                },
            ),
            413 => (
                Bilingual { zh: "发送的内容太大", en: "That was too much to send" },
                Bilingual { zh: "请减少内容后再试。", en: "Send less and try again." },
            ),
            429 => (
                Bilingual { zh: "尝试次数太多", en: "Too many attempts" },
                Bilingual { zh: "请等一分钟再试。", en: "Wait a minute, then try again." },
            ),
            503 => (
                Bilingual { zh: "服务暂时不可用", en: "The service is not available right now" },
                Bilingual { zh: "请过一会儿再试。", en: "Try again in a little while." },
            ),
            _ => (
                Bilingual { zh: "我们这边出了问题", en: "Something went wrong on our side" },
                Bilingual {
                    zh: "请稍后再试。如果一直这样，请把下面的请求编号告诉运维人员。",
                    en: "Try again later. If it goes on, give the request number below to the operator.",
                },
            ),
        };
        Self { status, title, sentence, retry: None }
    }

    /// The same with a way to go on.
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry: Some(retry), ..self }
    }

    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        html(&Plain { chrome, page: self })
    }
}
