use wecom_login_model::{Actor, Explanation, Language};
use wecom_login_pages::{CONTENT_SECURITY_POLICY, Chrome, ProblemPage, assets, title};

use crate::markup::{elements, hook, hooks};
use crate::views;

const LANGUAGES: [Language; 2] = [Language::Zh, Language::En];

fn is_chinese(letter: char) -> bool {
    ('\u{3000}'..='\u{9fff}').contains(&letter) || ('\u{ff00}'..='\u{ffef}').contains(&letter)
}

/// What a person can read or hear on the page, apart from the language switch.
fn words(html: &str) -> Vec<String> {
    let spoken = ["title", "aria-label", "alt", "data-scan", "data-quick", "data-going"];
    elements(html)
        .into_iter()
        .filter(|element| !matches!(element.attribute("data-testid"), Some("language-zh" | "language-en")))
        .flat_map(|element| {
            let leaf = matches!(
                element.name.as_str(),
                "title" | "h1" | "h2" | "span" | "a" | "p" | "dt" | "dd" | "summary" | "button"
            );
            let text = leaf.then(|| element.text.clone());
            let attributes = spoken.into_iter().filter_map(|name| element.attribute(name).map(str::to_owned));
            text.into_iter().chain(attributes).collect::<Vec<_>>()
        })
        .filter(|text| text.chars().any(char::is_alphabetic))
        .collect()
}

#[test]
fn english_pages_hold_no_chinese() {
    for (name, html) in views::all_in(&Chrome::new(Language::En, "/page"), "v") {
        for text in words(&html) {
            assert!(!text.contains(is_chinese), "{name}: {text}");
        }
    }
}

#[test]
fn chinese_pages_hold_no_english_but_names() {
    for (name, html) in views::all_in(&Chrome::new(Language::Zh, "/page"), "1") {
        for text in words(&html) {
            let mut latin = text.clone();
            for known in ["Cookie", "IP", "UTC"] {
                latin = latin.replace(known, "");
            }
            assert!(!latin.contains(|letter: char| letter.is_ascii_alphabetic()), "{name}: {text}");
        }
    }
}

#[test]
fn both_languages_have_the_same_shape() {
    let shape = |language| -> Vec<_> {
        views::all(language, "v")
            .into_iter()
            .map(|(name, html)| {
                let tags = elements(&html).into_iter().map(|element| {
                    (element.name.clone(), element.attribute("data-testid").map(str::to_owned))
                });
                (name, tags.collect::<Vec<_>>())
            })
            .collect()
    };
    assert_eq!(shape(Language::Zh), shape(Language::En));
}

#[test]
fn the_page_names_its_language_and_links_to_the_other() {
    for language in LANGUAGES {
        for (name, html) in views::all(language, "v") {
            assert_eq!(elements(&html)[0].attribute("lang"), Some(language.tag()), "{name}");
            for (id, tag, other) in [("language-zh", "zh-CN", "zh"), ("language-en", "en", "en")] {
                let link = hook(&html, id);
                assert_eq!(link.attribute("href"), Some(format!("/page?lang={other}").as_str()));
                assert_eq!(link.attribute("lang"), Some(tag));
                assert_eq!(link.attribute("aria-current").is_some(), tag == language.tag());
            }
        }
    }
}

#[test]
fn the_browser_runs_and_loads_nothing_from_elsewhere() {
    let own: Vec<&str> = assets().iter().map(|asset| asset.path.as_str()).collect();
    for (name, html) in views::all(Language::Zh, "https://frame.example/") {
        for element in elements(&html) {
            assert!(!["style", "object", "embed", "base"].contains(&element.name.as_str()), "{name}");
            for (key, value) in &element.attributes {
                assert!(key != "style" && !key.starts_with("on"), "{name}: {key}={value}");
            }
            match element.name.as_str() {
                "link" => assert!(own.contains(&element.attribute("href").unwrap()), "{name}"),
                "script" => {
                    assert_eq!(element.text, "", "{name}");
                    assert!(own.contains(&element.attribute("src").unwrap()), "{name}");
                }
                "iframe" => assert_eq!(element.attribute("src"), Some("https://frame.example/")),
                "img" => assert_eq!(element.attribute("src"), Some("/assets/logo-1.png"), "{name}"),
                _ => assert_eq!(element.attribute("src"), None, "{name}"),
            }
        }
    }
    let scripts: Vec<&str> =
        CONTENT_SECURITY_POLICY.split("; ").filter(|directive| directive.starts_with("script-src")).collect();
    assert_eq!(scripts, ["script-src 'self'"]);
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
}

#[test]
fn a_page_that_must_not_be_shown_again_as_it_was_says_so() {
    let script = assets().iter().find(|asset| asset.content_type.starts_with("text/javascript")).unwrap();
    for (name, html) in views::all(Language::En, "v") {
        let carries = elements(&html).iter().any(|element| {
            element.name == "script" && element.attribute("src") == Some(script.path.as_str())
        });
        // A person's data, or a state that works once.
        let must = [
            "home",
            "bare home",
            "home after a binding",
            "login in WeCom's panel",
            "login in a frame",
            "login by link",
            "binding in WeCom's panel",
            "binding by link",
            "binding inside WeCom",
        ]
        .contains(&name.as_str());
        assert_eq!(carries, must, "{name}");
    }
}

#[test]
fn screen_readers_find_one_heading_one_main_and_a_way_to_it() {
    for (name, html) in views::all(Language::En, "v") {
        let elements = elements(&html);
        let count = |tag: &str| elements.iter().filter(|element| element.name == tag).count();
        assert_eq!((count("h1"), count("main"), count("title")), (1, 1, 1), "{name}");
        let skip = elements.iter().find(|element| element.name == "a").unwrap();
        assert_eq!(skip.attribute("href"), Some("#main"));
        for element in &elements {
            match element.name.as_str() {
                "img" => assert!(element.attribute("alt").is_some()),
                "iframe" => assert!(!element.attribute("title").unwrap().is_empty()),
                "a" | "button" => assert!(!element.text.trim().is_empty(), "{name}: {element:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn the_request_is_named_only_when_it_is_known() {
    for (name, html) in views::all_in(&Chrome::new(Language::En, "/page"), "v") {
        assert!(hooks(&html, "request-id").is_empty(), "{name}");
        assert_eq!(hook(&html, "brand").text, "Company sign-in");
    }
    for (_, html) in views::all_in(&views::chrome(Language::Zh), "v") {
        assert_eq!(hook(&html, "request-id").text, "req-1");
        assert_eq!(hook(&html, "brand").text, "企业登录");
    }
}

#[test]
fn every_actor_is_named_in_both_languages() {
    for language in LANGUAGES {
        let mut names = std::collections::HashSet::new();
        for who in [Actor::Member, Actor::Administrator, Actor::Developer, Actor::Operator, Actor::WeCom] {
            let explanation = Explanation { who, ..views::EXPLANATION };
            let page =
                ProblemPage { title: title::FAILED, explanation: &explanation, details: vec![], retry: None };
            let shown = hook(&page.html(&views::chrome(language)), "problem-who");
            assert_eq!(shown.text, who.name().text(language));
            assert!(names.insert(shown.attribute("data-who").unwrap().to_owned()));
        }
        assert_eq!(names.len(), 5);
    }
}
