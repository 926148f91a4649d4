use proptest::prelude::*;
use rstest::rstest;
use wecom_login_element::{Config, Fault, Template, TemplateError};
use wecom_login_model::Secret;

use crate::world::{EXAMPLE, INSTANCE, World};

const FILE: &str = "app/auths/loginTypes/Example/Example.json";

fn world(json: &str) -> World {
    World::new(&[("app/auths/loginTypes/Example/e.json", INSTANCE), (FILE, json)])
        .with(|environment| environment.variables([("SECRET", "s3cr3t {{CORP}}"), ("CORP", "wwA")]))
}

fn config(json: &str) -> Result<Config, Fault> {
    world(json).open().element(EXAMPLE).unwrap().config()
}

#[test]
fn flat_keys_win_and_auth_config_is_read_too() {
    let config = config(r#"{"corpId": "wwA", "authConfig": {"corpId": "no", "agentId": 7}}"#).unwrap();
    assert_eq!(config.required_text("corpId").unwrap(), "wwA");
    assert_eq!(config.required_text_or_number("agentId").unwrap(), "7");
    assert_eq!(config.text("absent").unwrap(), None);
    assert_eq!(config.fault("agentId", "x").key.unwrap(), "authConfig.agentId");
    assert_eq!(config.fault("corpId", "x").key.unwrap(), "corpId");
}

#[test]
fn variables_stand_in_everywhere_and_are_read_once() {
    let config = config(
        r#"{"corpId": "{{CORP}}", "list": ["{{ CORP }}!"], "authConfig": {"corpSecret": "<{{SECRET}}>"}}"#,
    )
    .unwrap();
    assert_eq!(config.required_text("corpId").unwrap(), "wwA");
    assert_eq!(config.required_text("corpSecret").unwrap(), "<s3cr3t {{CORP}}>");
    assert_eq!(config.value("list").unwrap()[0], "wwA!");
}

#[rstest]
#[case::empty("", "", "is not JSON")]
#[case::list("[]", "", "must be an object, not a list")]
#[case::text(r#""s3cr3t""#, "", "must be an object, not a string")]
#[case::nested_kind(r#"{"authConfig": "s3cr3t"}"#, "authConfig", "must be an object, not a string")]
#[case::unknown(r#"{"corpSecret": "s3cr3t{{NOPE}}"}"#, "corpSecret", "the environment has no variable NOPE")]
#[case::unknown_nested(
    r#"{"authConfig": {"corpSecret": "{{NOPE}}"}}"#,
    "authConfig.corpSecret",
    "the environment has no variable NOPE"
)]
#[case::unknown_in_list(r#"{"hosts": ["a", "{{NOPE}}"]}"#, "hosts[1]", "has no variable NOPE")]
#[case::unclosed(r#"{"corpSecret": "s3cr3t{{CORP}"}"#, "corpSecret", "holds {{ without }}")]
#[case::no_name(r#"{"corpSecret": "{{s3cr3t+1}}"}"#, "corpSecret", "without a name")]
#[case::missing(r#"{"corpSecret": ""}"#, "corpSecret", "is missing or empty")]
#[case::blank(r#"{"corpSecret": " "}"#, "corpSecret", "is missing or empty")]
#[case::kind(r#"{"corpSecret": {"s3cr3t": 1}}"#, "corpSecret", "must be a string, not an object")]
#[case::number(r#"{"corpSecret": "x", "agentId": -1.5}"#, "agentId", "must be a whole number")]
fn a_config_names_the_key_and_shows_no_value(#[case] json: &str, #[case] key: &str, #[case] problem: &str) {
    let read = |config: Config| {
        config.required_text("corpSecret")?;
        config.required_text_or_number("agentId").map(drop)
    };
    let fault = config(json).and_then(read).unwrap_err();
    assert_eq!(
        (fault.element.as_str(), fault.file.as_str()),
        (EXAMPLE, "auths/loginTypes/Example/Example.json")
    );
    assert_eq!(fault.key.as_deref().unwrap_or_default(), key);
    assert!(fault.problem.contains(problem), "{fault}");
    assert!(!fault.to_string().contains("s3cr3t"), "{fault}");
}

#[test]
fn a_missing_config_file_is_named() {
    let app = World::new(&[("app/a/Example/e.json", INSTANCE)]).open();
    let fault = app.element("a.Example").unwrap().config().unwrap_err();
    assert_eq!(fault.to_string(), "element a.Example, a/Example/Example.json: the file is missing");
}

#[test]
fn nothing_prints_a_value() {
    let world = world(r#"{"corpSecret": "{{SECRET}}"}"#);
    let app = world.open();
    let config = app.element(EXAMPLE).unwrap().config().unwrap();
    let printed = format!("{config:?} {app:?} {:?}", world.environment());
    assert!(
        printed.contains("corpSecret") && printed.contains("SECRET") && !printed.contains("s3cr3t"),
        "{printed}"
    );
    let template = format!("{:?}", Template::parse("s3cr3t {{A}}").unwrap());
    assert!(template.contains('A') && !template.contains("s3cr3t"), "{template}");
}

/// A piece of a text: a literal without braces side by side, or a variable.
fn pieces() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
    prop::collection::vec(("[^{}]{0,6}", prop::option::of("[A-Za-z_][A-Za-z0-9_.-]{0,5}")), 0..6)
}

proptest! {
    #[test]
    fn a_template_reads_any_text_and_gives_it_back(text in r"(\{|\}|[A-Z_ ]|\PC){0,30}") {
        match Template::parse(&text) {
            Ok(template) => prop_assert_eq!(template.source(), text),
            Err(TemplateError::Unclosed | TemplateError::NoName) => prop_assert!(text.contains("{{")),
            Err(TemplateError::Unknown(_)) => prop_assert!(false, "nothing was filled in"),
        }
    }

    #[test]
    fn filling_in_is_putting_values_between_the_texts(pieces in pieces()) {
        let (mut text, mut expected, mut names) = (String::new(), String::new(), Vec::new());
        for (literal, name) in &pieces {
            text.push_str(literal);
            expected.push_str(literal);
            if let Some(name) = name {
                text += &["{{ ", name, " }}"].concat();
                expected += &["<", name, ">{{"].concat();
                names.push(name.as_str());
            }
        }
        let template = Template::parse(&text).unwrap();
        prop_assert_eq!(template.names().collect::<Vec<_>>(), names);
        let filled = template.fill(|name| Some(Secret::new(format!("<{name}>{{{{")))).unwrap();
        prop_assert_eq!(filled, expected);
    }

    #[test]
    fn any_config_file_is_read_or_refused_with_its_name(json in r#"(\{|\}|\[|\]|"|:|,|authConfig|\{\{A\}\}|1|\PC){0,20}"#) {
        match config(&json) {
            Ok(config) => drop(config.text("authConfig")),
            Err(fault) => prop_assert_eq!(fault.file, "auths/loginTypes/Example/Example.json"),
        }
    }

    #[test]
    fn texts_without_variables_come_back_as_they_are(values in prop::collection::btree_map("k[a-z]{1,5}", "[^{]{1,12}", 0..5)) {
        let config = config(&serde_json::to_string(&values).unwrap()).unwrap();
        for (key, value) in &values {
            prop_assert_eq!(config.value(key).and_then(|value| value.as_str()), Some(value.as_str()));
            prop_assert_eq!(config.text(key).unwrap(), Some(value.trim()).filter(|value| !value.is_empty()));
        }
    }
}
