//! Pages for what went wrong, and the log line of each: once, where it is handled.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::json;
use wecom_login_element::Code;
use wecom_login_login::{Refusal, Settled, number};
use wecom_login_model::{Bilingual, Explanation};
use wecom_login_pages::{CONTENT_SECURITY_POLICY, Chrome, ProblemPage, Retry, title};

use crate::problems::{self, APP_REFUSED, explain};
use crate::request::Visit;
use crate::site::Site;

/// A failure that is shown as a page.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: Bilingual,
    explanation: &'static Explanation,
    details: Vec<(Bilingual, String)>,
    retry: Option<Retry>,
    cause: Option<String>,
}

impl Problem {
    /// One of our own numbers.
    pub(crate) fn of_number(status: StatusCode, number: i64) -> Self {
        let title = match number {
            number::DECLINED => title::DECLINED,
            number::COOKIES_BLOCKED => title::COOKIES_BLOCKED,
            number::STATE_EXPIRED => title::STATE_EXPIRED,
            number::STATE_UNKNOWN => title::STATE_UNKNOWN,
            problems::REDIRECT_NOT_OURS | problems::NO_INSTANCE => title::SET_UP_WRONG,
            problems::NOT_FOUND => Bilingual { zh: "没有这个页面", en: "No such page" },
            problems::RETURN_TO_REFUSED => {
                Bilingual { zh: "不能返回到这个地址", en: "That address cannot be returned to" }
            }
            problems::CROSS_SITE => Bilingual { zh: "请求被拒绝", en: "The request was refused" },
            problems::TOO_MANY_FAILURES | problems::OVERLOADED => {
                Bilingual { zh: "请稍等片刻", en: "Please wait a moment" }
            }
            problems::NOT_SIGNED_IN => Bilingual { zh: "请先登录", en: "Please sign in first" },
            problems::METHOD_NOT_ALLOWED => Bilingual { zh: "请求方法不对", en: "Wrong method" },
            _ => title::FAILED,
        };
        Self { status, title, explanation: explain(number), details: Vec::new(), retry: None, cause: None }
    }

    /// A sign-in that was refused; `again` begins a new one.
    pub(crate) fn of_refusal(refusal: &Refusal, again: String) -> Self {
        let mut details = Vec::new();
        if let Some(address) = refusal.caller_ip() {
            details.push((Bilingual { zh: "需要加入企业可信 IP 的地址", en: "IP address to add" }, address));
        }
        if let Refusal::WeCom(error) = refusal
            && let Some(hint) = error.hint_id()
        {
            details.push((Bilingual { zh: "企业微信的排查编号", en: "WeCom's hint id" }, hint.to_owned()));
        }
        Self {
            status: status(refusal),
            title: title_of(refusal),
            explanation: refusal.explanation(),
            details,
            retry: Some(Retry::again(again)),
            cause: Some(refusal.to_string()),
        }
    }

    /// A refusal of the app's own Type: its number and its words.
    pub(crate) fn of_app(code: &Code, again: String) -> Self {
        let label = Bilingual { zh: "应用给出的原因", en: "What the app says" };
        let number = Bilingual { zh: "应用的错误号", en: "The app's error number" };
        let own = code.code == APP_REFUSED;
        let details = if own {
            Vec::new()
        } else {
            vec![(label, code.reason.clone()), (number, code.code.to_string())]
        };
        Self {
            status: StatusCode::FORBIDDEN,
            title: title::FAILED,
            explanation: explain(APP_REFUSED),
            details,
            retry: Some(Retry::again(again)),
            cause: Some(code.to_string()),
        }
    }

    /// With a value that whoever acts will need.
    pub(crate) fn detail(mut self, label: Bilingual, value: impl Into<String>) -> Self {
        self.details.push((label, value.into()));
        self
    }

    /// With a link that begins again.
    pub(crate) fn retry(mut self, url: String) -> Self {
        self.retry = Some(Retry::again(url));
        self
    }

    /// With a link to where one can start.
    pub(crate) fn home(mut self) -> Self {
        let label = Bilingual { zh: "回到首页", en: "Go to the first page" };
        self.retry = Some(Retry { label, url: "/".to_owned() });
        self
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Settled(Settled::BadCode | Settled::BrokenOff)
        | Refusal::StateMissing
        | Refusal::StateUnknown
        | Refusal::StateExpired
        | Refusal::StateUsed
        | Refusal::StateOfAnotherBrowser
        | Refusal::StateOfLibrary
        | Refusal::NoId(..) => StatusCode::BAD_REQUEST,
        Refusal::Settled(_) => StatusCode::FORBIDDEN,
        Refusal::StillUnderWay => StatusCode::CONFLICT,
        Refusal::WeCom(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
        Refusal::WeCom(_) => StatusCode::BAD_GATEWAY,
        Refusal::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Unforeseen(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title_of(refusal: &Refusal) -> Bilingual {
    match refusal {
        Refusal::Settled(Settled::NotAMember | Settled::MemberOfAnotherCompany) => title::NOT_A_MEMBER,
        Refusal::Settled(Settled::OutsideScope { .. }) => title::OUTSIDE_SCOPE,
        Refusal::Settled(Settled::NoAccount { .. }) => {
            Bilingual { zh: "你在这里还没有账号", en: "You have no account here yet" }
        }
        Refusal::Settled(Settled::BoundToAnother | Settled::SessionGone) => {
            Bilingual { zh: "没有绑定", en: "Nothing was bound" }
        }
        Refusal::Settled(Settled::Disabled | Settled::Left) => title::NOT_ACTIVE,
        Refusal::Settled(Settled::BadCode | Settled::BrokenOff) | Refusal::StateUsed => title::ALREADY_USED,
        Refusal::StateExpired => title::STATE_EXPIRED,
        Refusal::StateOfAnotherBrowser => title::OTHER_BROWSER,
        Refusal::StateMissing | Refusal::StateUnknown | Refusal::StateOfLibrary => title::STATE_UNKNOWN,
        Refusal::WeCom(error) if error.is_ip_not_allowed() => title::IP_NOT_ALLOWED,
        Refusal::WeCom(error) if error.is_rate_limited() => title::WECOM_LIMITED,
        Refusal::WeCom(error) if error.is_busy() || error.is_timeout() => title::WECOM_BUSY,
        Refusal::WeCom(error) if error.is_unavailable() => title::WECOM_UNREACHABLE,
        Refusal::WeCom(_) => title::SET_UP_WRONG,
        Refusal::Store(_) if refusal.is_of_storage() => title::UNAVAILABLE,
        Refusal::StillUnderWay | Refusal::NoId(..) | Refusal::Store(_) | Refusal::Unforeseen(_) => {
            title::FAILED
        }
    }
}

/// The page of a problem, which is also logged.
pub(crate) fn page(site: &Site, visit: &Visit, problem: &Problem) -> Response {
    log_of_page(visit, problem);
    let view = ProblemPage {
        title: problem.title,
        explanation: problem.explanation,
        details: problem.details.clone(),
        retry: problem.retry.clone(),
    };
    // The address of a redirect holds code and state; its page links to the sign-in page instead.
    let chrome = chrome_at(
        site,
        visit,
        if visit.parameter("code").is_some() { "/login" } else { visit.path_and_query() },
    );
    html(problem.status, view.html(&chrome))
}

/// The same for a page's script.
pub(crate) fn json(visit: &Visit, problem: &Problem) -> Response {
    log_of_page(visit, problem);
    let explanation = problem.explanation;
    let body = json!({
        "errcode": explanation.code,
        "errmsg": explanation.meaning.text(visit.language),
        "requestId": visit.request_id.as_str(),
    });
    (problem.status, Json(body)).into_response()
}

fn log_of_page(visit: &Visit, problem: &Problem) {
    let number = problem.explanation.code;
    let cause = problem.cause.as_deref().unwrap_or(problem.explanation.meaning.en);
    if problem.status.is_server_error() {
        tracing::error!(request_id = %visit.request_id, number, cause, "a page could not be given");
    } else {
        tracing::info!(request_id = %visit.request_id, number, cause, "a page was refused");
    }
}

/// Logs a refusal that is not shown as a page.
pub(crate) fn log(visit: &Visit, refusal: &Refusal) {
    let number = refusal.code();
    if matches!(refusal, Refusal::WeCom(_) | Refusal::Store(_) | Refusal::Unforeseen(_)) {
        tracing::error!(request_id = %visit.request_id, number, cause = %refusal, "a call failed");
    } else {
        tracing::info!(request_id = %visit.request_id, number, cause = %refusal, "a call was refused");
    }
}

/// The frame of the page at the visitor's address.
pub(crate) fn chrome<'a>(site: &'a Site, visit: &'a Visit) -> Chrome<'a> {
    chrome_at(site, visit, visit.path_and_query())
}

/// The frame of a page whose languages are found at another address.
pub(crate) fn chrome_at<'a>(site: &'a Site, visit: &'a Visit, path: &str) -> Chrome<'a> {
    Chrome::new(visit.language, path)
        .with_brand(site.settings.brand.shown())
        .with_request_id(visit.request_id.as_str())
}

/// A page under the pages' own policy.
pub(crate) fn html(status: StatusCode, page: String) -> Response {
    let mut response = (status, Html(page)).into_response();
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
