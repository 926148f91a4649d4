use proptest::prelude::*;
use wecom_login_model::Language;
use wecom_login_pages::{HomePage, LoginPage};

use crate::markup::{elements, hook};
use crate::views;

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)' autofocus='",
    "</title></textarea></main><h1>",
    "\u{202e}gnp.exe\u{202d}",
    "&lt;b&gt; &amp; {{ 7 * 7 }} {% raw %}",
    "<!-- -->]]><![CDATA[",
    "欧阳\u{0}\u{1f}\u{feff}锋",
];

/// The page without its values: elements, attributes and hooks. `wbr` follows the dots of a name.
fn skeleton(html: &str) -> Vec<(String, Vec<String>)> {
    elements(html)
        .into_iter()
        .filter(|element| element.name != "wbr")
        .map(|element| (element.name, element.attributes.into_iter().map(|(key, _)| key).collect()))
        .collect()
}

fn keeps_its_shape(value: &str) {
    let (hostile, plain) = (views::all(Language::En, value), views::all(Language::En, "v"));
    for ((name, hostile), (_, plain)) in hostile.iter().zip(&plain) {
        assert_eq!(skeleton(hostile), skeleton(plain), "{name} with {value:?}");
    }
}

#[test]
fn hostile_values_stay_text() {
    for value in HOSTILE {
        keeps_its_shape(value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_value_stays_text(value in "[^\\s][\\PC<>\"'&=/]{0,40}") {
        keeps_its_shape(&value);
    }
}

#[test]
fn values_arrive_as_they_are() {
    let chrome = views::chrome(Language::Zh);
    for value in HOSTILE {
        let departments = [value.to_owned()];
        let home = views::home(value, &departments).html(&chrome);
        for id in ["signed-in-name", "signed-in-userid", "position", "company", "element"] {
            assert_eq!(hook(&home, id).text, value, "{id}");
        }
        assert_eq!(hook(&home, "departments").text.trim(), value.trim());
        let problem = views::problem(value).html(&chrome);
        assert!(hook(&problem, "problem-details").text.contains(value));
        assert_eq!(hook(&problem, "problem-retry").attribute("href"), Some(value));
        let login = views::login(value, Some(views::panel(value, true))).html(&chrome);
        assert_eq!(hook(&login, "sign-in-panel").attribute("data-state"), Some(value));
        assert!(hook(&login, "sign-in-title").text.ends_with(value));
    }
}

#[test]
fn names_are_isolated_from_the_direction_around_them() {
    let departments = [String::from("\u{202e}abc")];
    let home = views::home("\u{202e}abc", &departments).html(&views::chrome(Language::En));
    for id in ["signed-in-name", "signed-in-userid", "position", "brand"] {
        assert_eq!(hook(&home, id).name, "bdi", "{id}");
    }
    let login = views::login("\u{202e}abc", None).html(&views::chrome(Language::En));
    let choose = views::choose("\u{202e}abc").html(&views::chrome(Language::En));
    let isolated = |html: &str| {
        elements(html)
            .into_iter()
            .filter(|element| element.name == "bdi" && element.text == "\u{202e}abc")
            .count()
    };
    // Home: name, user id, position and department; choose: two titles.
    assert_eq!((isolated(&home), isolated(&login), isolated(&choose)), (4, 1, 2));
}

#[test]
fn many_departments_fold_and_all_are_there() {
    let departments: Vec<String> = (1..=100).map(|number| format!("部门{number}")).collect();
    let html = views::home("张三", &departments).html(&views::chrome(Language::Zh));
    let shown: Vec<String> = elements(&html)
        .into_iter()
        .filter(|element| element.name == "li")
        .map(|element| element.text)
        .collect();
    assert_eq!(shown, departments);
    let fold = |departments| {
        let html = views::home("张三", departments).html(&views::chrome(Language::Zh));
        elements(&html).into_iter().find(|element| element.name == "summary").map(|element| element.text)
    };
    assert_eq!(fold(&departments).as_deref(), Some("另外 88 个部门"));
    assert_eq!(fold(&departments[..12]), None);
}

#[test]
fn a_member_without_a_name_goes_by_the_user_id() {
    let page = HomePage { user_id: "zhangsan", ..views::home("", &[]) };
    let html = page.html(&views::chrome(Language::En));
    assert_eq!(hook(&html, "signed-in-name").text, "zhangsan");
    assert!(!html.contains("data-testid=\"position\"") && !html.contains("data-testid=\"departments\""));
}

#[test]
fn a_sign_in_without_a_notice_shows_none() {
    let page = LoginPage { notice: None, ..views::login("报销", None) };
    assert!(!page.html(&views::chrome(Language::Zh)).contains("sign-in-notice"));
}
