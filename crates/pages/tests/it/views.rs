//! One of each page, with values that a test can choose.

use wecom_login_model::{Actor, Bilingual, Explanation, Language, Timestamp};
use wecom_login_pages::{
    BindingPage, BoundMember, Brand, CallbackPage, Choice, ChoosePage, Chrome, HomePage, LoginPage, Panel,
    ProblemPage, Retry, SignedOutPage, Trouble, TroubleKind, title,
};

pub(crate) const EXPLANATION: Explanation = Explanation {
    code: 60020,
    meaning: Bilingual { zh: "地址不在可信之列。", en: "The address is not trusted." },
    who: Actor::Administrator,
    remedy: Bilingual { zh: "添加下面的地址。", en: "Add the address below." },
};

/// The chrome of a page at `/page`.
pub(crate) fn chrome(language: Language) -> Chrome<'static> {
    Chrome::new(language, "/page").with_request_id("req-1")
}

pub(crate) fn login<'a>(title: &'a str, panel: Option<Panel<'a>>) -> LoginPage<'a> {
    let notice = Some(Bilingual { zh: "登录重新开始了。", en: "The sign-in began again." });
    let trouble = |kind| Trouble {
        kind,
        title: title::SET_UP_WRONG,
        explanation: &EXPLANATION,
        details: vec![(Bilingual { zh: "域名", en: "Host" }, title.to_owned())],
    };
    let troubles = [TroubleKind::Blocked, TroubleKind::Domain].map(trouble).into();
    LoginPage { title, binding: None, panel, link_url: "https://login.example/sso?a=1&b=2", notice, troubles }
}

/// A panel whose every text is `value`.
pub(crate) fn panel(value: &str, is_official: bool) -> Panel<'_> {
    Panel {
        element: value,
        corp_id: value,
        agent_id: value,
        redirect_uri: value,
        state: value,
        renew_url: value,
        is_official,
    }
}

pub(crate) fn choose(value: &str) -> ChoosePage<'_> {
    let choice = || Choice { title: value, full_name: value, url: format!("/login?element={value}") };
    ChoosePage { binding: None, choices: vec![choice(), choice()] }
}

/// A binding to an account whose every text is `value`.
pub(crate) fn binding(value: &str, by_tap: bool) -> BindingPage<'_> {
    BindingPage { username: value, name: "0123456789", by_tap, leave_url: "/" }
}

/// A home page whose every text is `value`.
pub(crate) fn home<'a>(value: &'a str, departments: &'a [String]) -> HomePage<'a> {
    HomePage {
        name: value,
        user_id: value,
        position: value,
        departments,
        corp_id: value,
        element: value,
        signed_in_at: Timestamp::from_millis(1_795_332_305_000),
        session_end: Timestamp::from_millis(1_795_375_505_000),
        bound: None,
    }
}

pub(crate) fn problem(value: &str) -> ProblemPage<'static> {
    ProblemPage {
        title: title::IP_NOT_ALLOWED,
        explanation: &EXPLANATION,
        details: vec![(Bilingual { zh: "地址", en: "Address" }, value.to_owned())],
        retry: Some(Retry::again(value)),
    }
}

/// Every page, with `value` wherever a value goes, each with a name.
pub(crate) fn all(language: Language, value: &str) -> Vec<(String, String)> {
    let chrome = Chrome::new(language, "/page")
        .with_request_id(value)
        .with_brand(Brand { name: Some(value), ..Brand::default() });
    all_in(&chrome, value)
}

/// Every page in this frame.
pub(crate) fn all_in(chrome: &Chrome<'_>, value: &str) -> Vec<(String, String)> {
    let departments = vec![value.to_owned(); 20];
    let bound = |panel, by_tap| LoginPage {
        binding: Some(binding(value, by_tap)),
        link_url: value,
        ..login(value, panel)
    };
    let mut pages = vec![
        ("login in WeCom's panel", login(value, Some(panel(value, true))).html(chrome)),
        (
            "login in a frame",
            LoginPage { link_url: value, ..login(value, Some(panel(value, false))) }.html(chrome),
        ),
        ("login by link", LoginPage { link_url: value, ..login(value, None) }.html(chrome)),
        (
            "callback",
            CallbackPage { title: value, binds: false, element: value, next_url: value, again_url: value }
                .html(chrome),
        ),
        (
            "callback of a binding",
            CallbackPage { title: value, binds: true, element: value, next_url: value, again_url: value }
                .html(chrome),
        ),
        ("binding in WeCom's panel", bound(Some(panel(value, true)), false).html(chrome)),
        ("binding by link", bound(None, false).html(chrome)),
        ("binding inside WeCom", bound(None, true).html(chrome)),
        (
            "choose for a binding",
            ChoosePage { binding: Some(binding(value, false)), ..choose(value) }.html(chrome),
        ),
        (
            "home after a binding",
            HomePage {
                bound: Some(BoundMember { name: value, user_id: value }),
                ..home(value, &departments)
            }
            .html(chrome),
        ),
        ("choose", choose(value).html(chrome)),
        ("choose among none", ChoosePage { binding: None, choices: vec![] }.html(chrome)),
        ("home", home(value, &departments).html(chrome)),
        ("bare home", HomePage { position: "", ..home(value, &[]) }.html(chrome)),
        ("signed out", SignedOutPage { sign_in_url: value }.html(chrome)),
        ("problem", problem(value).html(chrome)),
    ]
    .into_iter()
    .map(|(name, html)| (name.to_owned(), html))
    .collect::<Vec<_>>();
    for title in title::ALL {
        let page = ProblemPage { title: *title, details: vec![], retry: None, ..problem(value) };
        pages.push((format!("problem {}", title.en), page.html(chrome)));
    }
    pages
}
