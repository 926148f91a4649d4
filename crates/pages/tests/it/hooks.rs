use wecom_login_model::Language;
use wecom_login_pages::{BindingPage, BoundMember, HomePage, LoginPage, ProblemPage, SignedOutPage, assets};

use crate::markup::{elements, hook, hooks};
use crate::views;

#[test]
fn the_panel_tells_its_script_all_it_needs() {
    let html = views::login("报销", Some(views::panel("a&\"b", true))).html(&views::chrome(Language::Zh));
    let panel = hook(&html, "sign-in-panel");
    for name in ["element", "corp-id", "agent-id", "redirect-uri", "state", "renew"] {
        assert_eq!(panel.attribute(&format!("data-{name}")), Some("a&\"b"), "{name}");
    }
    assert_eq!(panel.attribute("data-login-url"), Some("https://login.example/sso?a=1&b=2"));
    for id in ["sign-in-link", "sign-in-button"] {
        assert_eq!(hook(&html, id).attribute("href"), Some("https://login.example/sso?a=1&b=2"));
    }
    assert_eq!(hook(&html, "sign-in-notice").text, "登录重新开始了。");
}

#[test]
fn without_script_another_hosts_page_is_framed_and_may_take_the_window() {
    let html = views::login("报销", Some(views::panel("v", false))).html(&views::chrome(Language::Zh));
    let frame = elements(&html).into_iter().find(|element| element.name == "iframe").unwrap();
    assert_eq!(frame.attribute("src"), Some("https://login.example/sso?a=1&b=2"));
    let grants: Vec<&str> = frame.attribute("sandbox").unwrap().split(' ').collect();
    assert!(grants.contains(&"allow-top-navigation") && grants.contains(&"allow-scripts"));
}

#[test]
fn troubles_are_there_unseen_until_they_happen() {
    let html = views::login("Expenses", Some(views::panel("v", true))).html(&views::chrome(Language::En));
    let troubles = hooks(&html, "trouble");
    let kinds: Vec<_> = troubles.iter().map(|trouble| trouble.attribute("data-trouble").unwrap()).collect();
    assert_eq!(kinds, ["blocked", "domain"]);
    assert!(troubles.iter().all(|trouble| trouble.attribute("hidden").is_some()));
    assert_eq!(hooks(&html, "trouble-meaning")[0].text, "The address is not trusted.");
    assert_eq!(
        hooks(&html, "trouble-retry").len(),
        1,
        "beside the link that stands in the panel's place there is none"
    );
}

#[test]
fn the_link_stands_alone_without_a_panel() {
    let html = views::login("Expenses", None).html(&views::chrome(Language::En));
    assert!(hooks(&html, "sign-in-panel").is_empty() && hooks(&html, "trouble").is_empty());
    assert_eq!(hook(&html, "sign-in-link").attribute("href"), Some("https://login.example/sso?a=1&b=2"));
    assert_eq!(hook(&html, "sign-in-title").text, "Sign in to Expenses");
}

#[test]
fn each_choice_names_its_element() {
    let html = views::choose("auths.loginTypes.A").html(&views::chrome(Language::En));
    let choices = hooks(&html, "choice");
    assert_eq!(choices.len(), 2);
    for choice in choices {
        assert_eq!(choice.attribute("data-element"), Some("auths.loginTypes.A"));
        assert_eq!(choice.attribute("href"), Some("/login?element=auths.loginTypes.A"));
    }
}

#[test]
fn signing_out_is_a_post() {
    let html = views::home("张三", &[]).html(&views::chrome(Language::Zh));
    let form = elements(&html).into_iter().find(|element| element.name == "form").unwrap();
    assert_eq!((form.attribute("method"), form.attribute("action")), (Some("post"), Some("/logout")));
    assert_eq!(hook(&html, "sign-out").attribute("type"), Some("submit"));
}

#[test]
fn moments_are_shown_in_the_zone_and_told_in_utc() {
    let html = views::home("张三", &[]).html(&views::chrome(Language::Zh));
    let (begin, end) = (hook(&html, "signed-in-at"), hook(&html, "session-end"));
    assert_eq!(begin.attribute("datetime"), Some("2026-11-22T07:25:05Z"));
    assert_eq!(begin.text, "2026-11-22 15:25 (UTC+8)");
    assert_eq!(end.attribute("datetime"), Some("2026-11-22T19:25:05Z"));
    assert_eq!(end.text, "2026-11-23 03:25 (UTC+8)");
}

#[test]
fn a_problem_says_what_who_how_and_its_number() {
    let html = views::problem("203.0.113.7").html(&views::chrome(Language::En));
    assert_eq!(hook(&html, "problem-title").text, "WeCom does not accept this server's IP address");
    assert_eq!(hook(&html, "problem-meaning").text, "The address is not trusted.");
    assert_eq!(hook(&html, "problem-how").text, "Add the address below.");
    assert_eq!(hook(&html, "problem-code").text, "60020");
    assert!(hook(&html, "problem-details").text.contains("203.0.113.7"));
    assert_eq!(hook(&html, "problem-retry").text, "Try again");
}

#[test]
fn a_problem_without_a_way_on_or_values_shows_none() {
    let page = ProblemPage { details: vec![], retry: None, ..views::problem("v") };
    let html = page.html(&views::chrome(Language::En));
    assert!(hooks(&html, "problem-retry").is_empty() && hooks(&html, "problem-details").is_empty());
}

#[test]
fn one_can_sign_in_again() {
    let html = SignedOutPage { sign_in_url: "/login?element=a" }.html(&views::chrome(Language::En));
    assert_eq!(hook(&html, "sign-in-again").attribute("href"), Some("/login?element=a"));
    assert_eq!(hook(&html, "signed-out-title").text, "You are signed out");
}

#[test]
fn every_hook_is_documented() {
    let documentation = include_str!("../../src/lib.rs");
    for (_, html) in views::all(Language::En, "v") {
        for element in elements(&html) {
            if let Some(id) = element.attribute("data-testid") {
                assert!(documentation.contains(&format!("`{id}`")), "{id}");
            }
        }
    }
}

#[test]
fn assets_are_named_by_what_is_in_them() {
    let paths: Vec<&str> = assets().iter().map(|asset| asset.path.as_str()).collect();
    assert_eq!(paths.len(), 6);
    for asset in assets() {
        let name = asset.path.strip_prefix("/assets/").unwrap();
        let hash = wecom_login_model::Fingerprint::of(&asset.bytes).to_hex();
        // The vendored file is named by its version; a test compares it with its checksum.
        assert!(name == "wecom-jssdk-2.4.4.js" || name.contains(&hash[..16]), "{name}");
    }
}

#[test]
fn f21_the_page_for_binding_is_not_the_sign_in_page() {
    let page = |language, by_tap: bool| {
        let panel = (!by_tap).then(|| views::panel("v", true));
        let binding = BindingPage { name: "张三", ..views::binding("zhangsan", by_tap) };
        let page = LoginPage { binding: Some(binding), ..views::login("报销", panel) };
        page.html(&views::chrome(language))
    };
    for (language, title, warning, leave) in [
        (Language::Zh, "绑定企业微信身份", "今后可以登录账号 zhangsan（张三）。", "不绑定，返回首页"),
        (
            Language::En,
            "Bind a WeCom identity",
            "can sign in to the account zhangsan (张三).",
            "Do nothing and go back",
        ),
    ] {
        for by_tap in [false, true] {
            let html = page(language, by_tap);
            assert_eq!(hook(&html, "sign-in-title").text, title);
            let shown = hook(&html, "binding-warning").text.replace('\n', " ");
            assert!(shown.contains(warning), "{shown}");
            assert_eq!(hook(&html, "binding-account").name, "bdi");
            let away = hook(&html, "binding-leave");
            assert_eq!((away.text.as_str(), away.attribute("href")), (leave, Some("/")));
            assert_eq!(
                hook(&html, "sign-in-link").attribute("href"),
                Some("https://login.example/sso?a=1&b=2")
            );
            let sign_in = views::login("报销", None).html(&views::chrome(language));
            assert_ne!(hook(&sign_in, "sign-in-title").text, title);
            assert!(
                hooks(&sign_in, "binding-warning").is_empty() && hooks(&sign_in, "binding-leave").is_empty()
            );
        }
        // No word about a code that nobody can see, and none about the workbench.
        let html = page(language, true);
        assert!(!["扫", "scan", "工作台", "workbench"].iter().any(|word| html.contains(word)), "{html}");
        let lead = hook(&page(language, false), "sign-in-lead");
        for name in ["data-scan", "data-quick", "data-going"] {
            let text = lead.attribute(name).unwrap().to_lowercase();
            assert!(text.contains("绑定") || text.contains("bind"), "{name}: {text}");
        }
    }
}

#[test]
fn a_binding_without_a_members_name_shows_the_account_alone() {
    for name in ["", " ", "zhangsan"] {
        let binding = BindingPage { name, ..views::binding("zhangsan", false) };
        let page = LoginPage { binding: Some(binding), ..views::login("报销", None) };
        assert!(hooks(&page.html(&views::chrome(Language::Zh)), "binding-name").is_empty(), "{name:?}");
    }
}

#[test]
fn the_home_page_says_whom_a_binding_has_bound() {
    let html = |name| {
        let bound = Some(BoundMember { name, user_id: "lisi" });
        HomePage { bound, ..views::home("张三", &[]) }.html(&views::chrome(Language::En))
    };
    let told = |html: &str| hook(html, "bound-notice").text;
    assert!(told(&html("李四")).starts_with("Bound: 李四 (lisi) can now sign in to your account."));
    assert!(told(&html("")).starts_with("Bound: lisi can now sign in to your account."));
    assert!(hooks(&views::home("张三", &[]).html(&views::chrome(Language::En)), "bound-notice").is_empty());
}
