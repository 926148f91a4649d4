use wecom_login_model::Language;
use wecom_login_pages::{Panel, ProblemPage, SignedOutPage, assets};

use crate::markup::{elements, hook, hooks};
use crate::views;

#[test]
fn the_frame_may_take_the_window_to_the_redirect_address() {
    let page = views::login("报销", Panel::Frame { url: "https://login.example/frame?a=1&b=2" });
    let html = page.html(&views::chrome(Language::Zh));
    let frame = hook(&html, "sign-in-frame");
    assert_eq!(frame.attribute("src"), Some("https://login.example/frame?a=1&b=2"));
    let grants: Vec<&str> = frame.attribute("sandbox").unwrap().split(' ').collect();
    assert!(grants.contains(&"allow-top-navigation") && grants.contains(&"allow-scripts"));
    assert_eq!(frame.attribute("allow"), Some("local-network-access"));
    assert_eq!(hook(&html, "sign-in-link").attribute("href"), Some("https://login.example/sso?a=1&b=2"));
    assert_eq!(hook(&html, "sign-in-notice").text, "登录重新开始了。");
}

#[test]
fn the_link_stands_alone_without_a_frame() {
    let html = views::login("Expenses", Panel::Link).html(&views::chrome(Language::En));
    assert!(hooks(&html, "sign-in-frame").is_empty());
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
    assert_eq!(paths.len(), 4);
    for asset in assets() {
        let name = asset.path.strip_prefix("/assets/").unwrap();
        let hash = wecom_login_model::Fingerprint::of(&asset.bytes).to_hex();
        // The vendored file is named by its version; a test compares it with its checksum.
        assert!(name == "wecom-jssdk-2.4.4.js" || name.contains(&hash[..16]), "{name}");
    }
}
