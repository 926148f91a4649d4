use askama::Template;
use wecom_login_model::{Bilingual, Explanation};

use crate::binding::BindingPage;
use crate::explained::Explained;
use crate::{Chrome, html};

/// The page on which a person at a computer signs in, or binds another WeCom identity to their account.
#[derive(Debug, Clone)]
pub struct LoginPage<'a> {
    /// What one signs in to: the app's name.
    pub title: &'a str,
    /// Set if the proved member is bound to an account instead of being signed in.
    pub binding: Option<BindingPage<'a>>,
    /// WeCom's panel in the page; `None` where it would not work, so that the link is all there is.
    pub panel: Option<Panel<'a>>,
    /// WeCom's sign-in as a page of its own: the way in without a panel, the way out below it.
    pub link_url: &'a str,
    /// Why the person sees this page again, such as a sign-in that was restarted.
    pub notice: Option<Bilingual>,
    /// What may go wrong in the panel, told when it does.
    pub troubles: Vec<Trouble>,
}

/// What the page's script needs to show WeCom's panel and to renew it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panel<'a> {
    /// Full name of the instance.
    pub element: &'a str,
    /// The company's `corpid`.
    pub corp_id: &'a str,
    /// The app's number.
    pub agent_id: &'a str,
    /// Where WeCom sends the browser back to.
    pub redirect_uri: &'a str,
    /// The state of this sign-in.
    pub state: &'a str,
    /// Where a POST gives the next state of the same sign-in.
    pub renew_url: &'a str,
    /// The sign-in page is WeCom's own. Any other may be framed without script as well; `frame-src` must allow its
    /// origin.
    pub is_official: bool,
}

/// Something that may go wrong in the panel.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Which one; the script (`clients/js/src/login_page.ts`) knows them by it.
    pub kind: TroubleKind,
    /// What happened, in a few words.
    pub title: Bilingual,
    /// What it means, who must act and how, and its number.
    pub explanation: &'static Explanation,
    /// Values that the one who acts will need, each with its label.
    pub details: Vec<(Bilingual, String)>,
}

/// The troubles that the script tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// WeCom's page did not come.
    Blocked,
    /// The person said no.
    Declined,
    /// The redirect address is on a host that the console does not have.
    Domain,
    /// WeCom's panel reported anything else.
    Failed,
    /// No new state could be had.
    Lost,
}

impl TroubleKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Declined => "declined",
            Self::Domain => "domain",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    /// Where the link is the way on, it stands in the panel's place already.
    fn has_retry(self) -> bool {
        self != Self::Blocked
    }
}

impl Trouble {
    fn explained(&self) -> Explained<'_> {
        Explained { hook: "trouble", explanation: self.explanation, details: &self.details }
    }
}

/// The instructions of the page, by its purpose.
#[derive(Debug)]
struct Words {
    scan: Bilingual,
    /// The desktop client on this computer is signed in.
    quick: Bilingual,
    /// A code is being exchanged.
    going: Bilingual,
    /// Above the link to WeCom's page, where there is no panel.
    by_link: Bilingual,
    button: Bilingual,
    /// The link below the panel.
    page: Bilingual,
    /// For a browser on a phone, which cannot scan its own screen.
    on_phone: Bilingual,
}

const SIGN_IN: Words = Words {
    scan: Bilingual {
        zh: "用手机上的企业微信扫描二维码，再在手机上确认登录。",
        en: "Scan the code with WeCom on your phone, then confirm there.",
    },
    quick: Bilingual {
        zh: "这台电脑上的企业微信已经登录，点一下就能进入；也可以扫码。",
        en: "WeCom is signed in on this computer: one click is enough. Scanning works too.",
    },
    going: Bilingual { zh: "正在登录……", en: "Signing you in…" },
    by_link: Bilingual {
        zh: "在企业微信的登录页上，用手机扫描二维码并确认。",
        en: "On WeCom's own page, scan the code with your phone and confirm there.",
    },
    button: Bilingual { zh: "用企业微信登录", en: "Sign in with WeCom" },
    page: Bilingual { zh: "打开登录页", en: "Open the sign-in page" },
    on_phone: Bilingual {
        zh: "正在用手机？在企业微信的工作台里打开这个应用，无需扫码。",
        en: "On your phone? Open this app from the workbench in WeCom: no scan needed.",
    },
};

const BINDING: Words = Words {
    scan: Bilingual {
        zh: "用要绑定的企业微信扫描二维码，再在手机上确认。",
        en: "Scan the code with the WeCom that you want to bind, then confirm on the phone.",
    },
    quick: Bilingual {
        zh: "点一下，就绑定这台电脑上企业微信里登录的成员；也可以扫码绑定其他成员。",
        en: "One click binds the member who is signed in to WeCom on this computer. Scan the code to bind \
            another one.",
    },
    going: Bilingual { zh: "正在绑定……", en: "Binding…" },
    by_link: Bilingual {
        zh: "在企业微信的登录页上，用要绑定的企业微信扫描二维码并确认。",
        en: "On WeCom's own page, scan the code with the WeCom that you want to bind and confirm there.",
    },
    button: Bilingual { zh: "用企业微信绑定", en: "Bind with WeCom" },
    page: Bilingual { zh: "打开企业微信的页面", en: "Open WeCom's page" },
    on_phone: Bilingual {
        zh: "正在用手机？请在电脑上打开这一页，再用手机扫码。",
        en: "On your phone? Open this page on a computer and scan its code with the phone.",
    },
};

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a LoginPage<'a>,
    words: &'static Words,
}

impl LoginPage<'_> {
    fn is_by_tap(&self) -> bool {
        self.binding.is_some_and(|binding| binding.by_tap)
    }

    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        let words = if self.binding.is_some() { &BINDING } else { &SIGN_IN };
        html(&Login { chrome, page: self, words })
    }
}
