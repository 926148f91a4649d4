//! App folders, good and broken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

use tempfile::TempDir;
use wecom_login_element::{App, Fault};

const INSTANCE: &str = r#"{"title": "企业微信登录", "type": "auths.loginTypes.QywxInnerType"}"#;

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn app(files: &[(&str, &str)]) -> (App, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        write(folder.path(), file, text);
    }
    (App::open(folder.path()).unwrap(), folder)
}

#[test]
fn an_instance_is_two_files_and_no_registration() {
    let (app, _folder) = app(&[
        ("app.json", r#"{"orgId": "acme", "name": "portal", "title": "Portal"}"#),
        ("auths/loginTypes/Example/e.json", INSTANCE),
        (
            "auths/loginTypes/Example/Example.json",
            r#"{"corpId": "wwA", "authConfig": {"corpId": "no", "agentId": 7}}"#,
        ),
        (".hidden/e.json", INSTANCE),
    ]);
    assert_eq!((app.org_id.as_str(), app.name.as_str()), ("acme", "portal"));
    assert_eq!(app.faults, []);
    let [element] = app.of_type("auths.loginTypes.QywxInnerType").collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((element.full_name.as_str(), element.name()), ("auths.loginTypes.Example", "Example"));
    let config = element.config().unwrap();
    assert_eq!(config.required_text("corpId").unwrap(), "wwA", "flat keys win");
    assert_eq!(config.required_text_or_number("agentId").unwrap(), "7", "authConfig is read too");
}

#[test]
fn without_app_json_the_folder_gives_the_name() {
    let (app, folder) = app(&[]);
    assert_eq!(app.org_id, "local");
    assert_eq!(app.name, folder.path().file_name().unwrap().to_string_lossy());
}

#[test]
fn broken_elements_are_reported_together_and_the_others_work() {
    let (app, _folder) = app(&[
        ("auths/loginTypes/Good/e.json", &format!("\u{feff}{INSTANCE}")),
        ("auths/loginTypes/NoType/e.json", r#"{"title": "x"}"#),
        ("auths/loginTypes/WrongKind/e.json", r#"{"title": 7, "type": "t"}"#),
        ("auths/loginTypes/Cut/e.json", r#"{"title": "#),
    ]);
    assert_eq!(app.elements.len(), 1);
    let faults: Vec<String> = app.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(
        faults[0].starts_with("element auths.loginTypes.Cut, auths/loginTypes/Cut/e.json"),
        "{}",
        faults[0]
    );
    assert!(faults[1].contains("NoType/e.json: missing field `type`"), "{}", faults[1]);
    assert!(faults[2].contains("WrongKind/e.json, key title: invalid type: integer `7`"), "{}", faults[2]);
}

#[test]
fn a_config_names_the_key_that_is_wrong() {
    let fault = |json: &str, read: fn(&wecom_login_element::Config) -> Result<(), Fault>| {
        let (app, _folder) = app(&[("a/Example/e.json", INSTANCE), ("a/Example/Example.json", json)]);
        app.elements[0].config().and_then(|config| read(&config)).unwrap_err().to_string()
    };
    let corp_id = |config: &wecom_login_element::Config| config.required_text("corpId").map(drop);
    let agent_id = |config: &wecom_login_element::Config| config.required_text_or_number("agentId").map(drop);
    let place = "element a.Example, a/Example/Example.json";
    assert_eq!(fault("{}", corp_id), format!("{place}, key corpId: is missing or empty"));
    assert_eq!(fault(r#"{"corpId": " "}"#, corp_id), format!("{place}, key corpId: is missing or empty"));
    assert_eq!(
        fault(r#"{"corpId": []}"#, corp_id),
        format!("{place}, key corpId: must be a string, not a list")
    );
    assert_eq!(
        fault(r#"{"agentId": -1.5}"#, agent_id),
        format!("{place}, key agentId: must be a whole number, not -1.5")
    );
    assert!(fault("[]", corp_id).starts_with(&format!("{place}: invalid type: sequence")));
}

#[test]
fn a_missing_config_file_is_named() {
    let (app, _folder) = app(&[("a/Example/e.json", INSTANCE)]);
    let fault = app.elements[0].config().unwrap_err();
    assert_eq!(fault.to_string(), "element a.Example, a/Example/Example.json: the file is missing");
}

#[test]
fn a_config_does_not_print_its_values() {
    let (app, _folder) =
        app(&[("a/Example/e.json", INSTANCE), ("a/Example/Example.json", r#"{"corpSecret": "s3cr3t"}"#)]);
    let printed = format!("{:?}", app.elements[0].config().unwrap());
    assert!(printed.contains("corpSecret") && !printed.contains("s3cr3t"), "{printed}");
}

#[test]
fn app_json_must_be_right() {
    for text in [r#"{"orgId": 7}"#, r#"{"name": "a/b"}"#, r#"{"name": ""}"#, "[]"] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "app.json", text);
        assert!(App::open(folder.path()).unwrap_err().to_string().contains("app.json"), "{text}");
    }
    assert!(App::open(Path::new("/no/such/app")).is_err());
}
