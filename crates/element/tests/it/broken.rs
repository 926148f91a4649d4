//! What can be wrong in an app's files; each error names element, file and key.

use rstest::rstest;
use wecom_login_element::{App, OpenError};

use crate::world::{EXAMPLE, INSTANCE, World};

const GOOD: (&str, &str) = ("app/auths/loginTypes/Example/e.json", INSTANCE);

/// element, file, key, problem of an app with one good element and these files.
fn faults(files: &[(&str, &str)]) -> Vec<(String, String, String, String)> {
    let app = World::new(&[files, &[GOOD]].concat()).open();
    assert!(app.element(EXAMPLE).is_some(), "the healthy one works: {:?}", app.faults());
    let row = |fault: &wecom_login_element::Fault| {
        let fault = fault.clone();
        (fault.element, fault.file, fault.key.unwrap_or_default(), fault.problem)
    };
    app.faults().iter().map(row).collect()
}

#[rstest]
#[case::empty("", "", "is not JSON")]
#[case::cut(r#"{"title": "#, "", "is not JSON")]
#[case::list("[]", "", "must be an object, not a list")]
#[case::no_title(r#"{"type": "auths.loginTypes.QywxInnerType"}"#, "title", "is missing")]
#[case::empty_title(
    r#"{"title": "", "type": "auths.loginTypes.QywxInnerType"}"#,
    "title",
    "is missing or empty"
)]
#[case::title_kind(r#"{"title": 7, "type": "x"}"#, "title", "must be a string, not a number")]
#[case::no_type(r#"{"title": "x"}"#, "type", "is missing")]
#[case::null_type(r#"{"title": "x", "type": null}"#, "type", "is missing")]
#[case::type_kind(r#"{"title": "x", "type": ["t"]}"#, "type", "must be a string, not a list")]
#[case::unknown_type(r#"{"title": "x", "type": "no.Such"}"#, "type", "there is no Type no.Such")]
#[case::its_own_type(r#"{"title": "x", "type": "a.Bad"}"#, "type", "in a circle: a.Bad -> a.Bad")]
#[case::type_is_an_instance(
    r#"{"title": "x", "type": "auths.loginTypes.Real"}"#,
    "type",
    "auths.loginTypes.Real is an instance, not a Type"
)]
#[case::modifier(
    r#"{"title": "x", "type": "auths.loginTypes.QywxInnerType", "accessModifier": "secret"}"#,
    "accessModifier",
    "private, protected or public"
)]
#[case::list_kind(
    r#"{"title": "x", "type": "t", "functionList": {}}"#,
    "functionList",
    "must be a list, not an object"
)]
#[case::item_kind(
    r#"{"title": "x", "type": "t", "functionList": ["f"]}"#,
    "functionList[0]",
    "must be an object"
)]
#[case::no_name(r#"{"title": "x", "type": "t", "functionList": [{}]}"#, "functionList[0].name", "is missing")]
#[case::bad_name(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "a/b"}]}"#,
    "functionList[0].name",
    "letters, digits and _"
)]
#[case::twice(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "f"}, {"name": "f"}]}"#,
    "functionList[1].name",
    "f is listed twice"
)]
#[case::login(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "f", "loginRequired": 2}]}"#,
    "functionList[0].loginRequired",
    "must be 0, 1, true or false"
)]
#[case::admin(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "f", "adminRequired": "no"}]}"#,
    "functionList[0].adminRequired",
    "must be 0, 1, true or false, not a string"
)]
#[case::argument_without_type(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "f", "args": [{"name": "a"}]}]}"#,
    "functionList[0].args[0].dataType",
    "is missing"
)]
#[case::argument_type(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "f", "args": [{"name": "a", "dataType": "Text"}]}]}"#,
    "functionList[0].args[0].dataType",
    "there is no data type Text"
)]
#[case::default_value(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "f", "args": [{"name": "a", "dataType": "Checkbox", "value": 3}]}]}"#,
    "functionList[0].args[0].value",
    "is no Checkbox"
)]
#[case::argument_twice(
    r#"{"title": "x", "type": "t", "functionList": [{"name": "f", "args":
        [{"name": "a", "dataType": "Stext"}, {"name": "a", "dataType": "Stext"}]}]}"#,
    "functionList[0].args[1].name",
    "a is declared twice"
)]
fn an_e_json_names_element_file_and_key(#[case] e_json: &str, #[case] key: &str, #[case] problem: &str) {
    let faults = faults(&[
        ("app/a/Bad/e.json", e_json),
        ("app/auths/loginTypes/Real/e.json", INSTANCE),
        ("app/auths/loginTypes/Real/Real.json", "{}"),
    ]);
    let [(element, file, at, told)] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!((element.as_str(), file.as_str(), at.as_str()), ("a.Bad", "a/Bad/e.json", key));
    assert!(told.contains(problem), "{told}");
}

#[test]
fn a_type_that_is_broken_is_told_and_so_are_those_that_need_it() {
    let faults = faults(&[
        ("app/a/Type/e.json", r#"{"title": "x", "type": "no.Such"}"#),
        ("app/a/Other/e.json", r#"{"title": "x", "type": "a.Type"}"#),
        ("app/b/Cut/e.json", "{"),
        ("app/b/Other/e.json", r#"{"title": "x", "type": "b.Cut"}"#),
        ("app/c/One/e.json", r#"{"title": "x", "type": "c.Two"}"#),
        ("app/c/Two/e.json", r#"{"title": "x", "type": "c.One"}"#),
    ]);
    let told: Vec<String> =
        faults.iter().map(|(name, _, key, problem)| format!("{name} {key}: {problem}")).collect();
    assert_eq!(told[0], "a.Other type: the Type a.Type does not work; its own error tells why");
    assert_eq!(told[1], "a.Type type: there is no Type no.Such");
    assert!(told[2].starts_with("b.Cut : is not JSON"));
    assert_eq!(told[3], "b.Other type: the Type b.Cut does not work; its own error tells why");
    assert!(told[4].contains("c.One -> c.Two -> c.One"), "{}", told[4]);
    assert!(told[5].contains("c.Two -> c.One -> c.Two"), "{}", told[5]);
    assert_eq!(told.len(), 6);
}

#[test]
fn an_instance_must_name_a_type_and_no_meta() {
    let faults = faults(&[
        ("app/a/None/e.json", r#"{"title": "x", "type": ""}"#),
        ("app/a/None/None.json", "{}"),
        ("app/a/OfMeta/e.json", r#"{"title": "x", "type": "auths.loginTypes.Meta"}"#),
        ("app/a/OfMeta/OfMeta.json", "{}"),
    ]);
    let told: Vec<String> =
        faults.iter().map(|(_, file, key, problem)| format!("{file} {key} {problem}")).collect();
    assert_eq!(
        told,
        [
            "a/None/e.json type is empty, but an instance must name its Type",
            "a/OfMeta/e.json type auths.loginTypes.Meta is a Meta, but an instance must name a Type",
        ]
    );
}

#[test]
fn a_type_in_python_needs_the_python_package() {
    let faults = faults(&[
        ("app/a/Type/e.json", r#"{"title": "x", "type": "auths.loginTypes.QywxInnerType"}"#),
        ("app/a/Type/loader.py", "class Loader: ..."),
    ]);
    let [(element, file, _, problem)] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!((element.as_str(), file.as_str()), ("a.Type", "a/Type/loader.py"));
    assert!(problem.contains("python -m wecom_login serve"), "{problem}");
}

#[test]
fn a_dot_in_a_folder_would_make_two_elements_one() {
    let faults = faults(&[("app/a.b/c/e.json", INSTANCE)]);
    let [(element, file, _, problem)] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!((element.as_str(), file.as_str()), ("a.b.c", "a.b/c/e.json"));
    assert!(problem.contains("without dots"), "{problem}");
}

#[test]
fn a_broken_override_breaks_the_element_and_does_not_vanish() {
    let world = World::new(&[GOOD, ("app/auths/loginTypes/QywxInnerType/e.json", "{")]);
    let app = world.open();
    assert!(app.element(EXAMPLE).is_none());
    let elements: Vec<&str> = app.faults().iter().map(|fault| fault.element.as_str()).collect();
    assert_eq!(elements, [EXAMPLE, "auths.loginTypes.QywxInnerType"]);
}

#[test]
fn code_that_is_registered_for_nothing_is_told() {
    use crate::world::Named;
    let world = World::new(&[GOOD]).with(|environment| {
        environment.with_type("local.app", "auths.loginTypes.Exmaple", Named("x")).with_type(
            "another.app",
            "auths.loginTypes.Other",
            Named("y"),
        )
    });
    let app = world.open();
    let [fault] = app.faults() else { panic!("{:?}", app.faults()) };
    assert_eq!(fault.file, "auths/loginTypes/Exmaple/e.json");
    assert!(app.element(EXAMPLE).is_some());
}

#[rstest]
#[case::not_an_object("[]", None, "must be an object")]
#[case::org_kind(r#"{"orgId": 7}"#, Some("orgId"), "must be a string, not a number")]
#[case::org_with_dot(r#"{"orgId": "a.b"}"#, Some("orgId"), "one segment")]
#[case::name_with_slash(r#"{"name": "a/b"}"#, Some("name"), "one segment")]
#[case::empty_name(r#"{"name": ""}"#, Some("name"), "one segment")]
#[case::up(r#"{"name": ".."}"#, Some("name"), "one segment")]
#[case::app_id(r#"{"appId": "portal"}"#, Some("appId"), "a dot between")]
#[case::app_id_differs(r#"{"appId": "acme.portal", "orgId": "other"}"#, Some("appId"), "orgId and name")]
#[case::version(r#"{"version": "1/0"}"#, Some("version"), "a version such as 1.0.0")]
#[case::extends_kind(r#"{"extends": "acme.base"}"#, Some("extends"), "must be a list")]
#[case::extends_item(r#"{"extends": ["acme.base"]}"#, Some("extends[0]"), "must be an object")]
#[case::extends_no_version(
    r#"{"extends": [{"appId": "acme.base"}]}"#,
    Some("extends[0].version"),
    "is missing"
)]
#[case::extends_out_of_the_path(
    r#"{"extends": [{"appId": "acme.../../x", "version": "1"}]}"#,
    Some("extends[0].appId"),
    "an organisation and a name"
)]
#[case::missing_parent(
    r#"{"extends": [{"appId": "acme.base", "version": "1.2.0"}]}"#,
    Some("extends[0]"),
    "acme.base 1.2.0 is missing: no folder acme/base/1_2_0"
)]
#[case::itself(
    r#"{"appId": "acme.circle", "extends": [{"appId": "acme.one", "version": "1.0.0"}]}"#,
    Some("extends[0]"),
    "in a circle: acme.circle -> acme.one -> acme.circle"
)]
#[case::two_versions(
    r#"{"extends": [{"appId": "acme.base", "version": "1.0.0"}, {"appId": "acme.base", "version": "2.0.0"}]}"#,
    Some("extends[0]"),
    "acme.base is extended in two versions, 2.0.0 and 1.0.0"
)]
#[case::parent_is_another(
    r#"{"extends": [{"appId": "acme.liar", "version": "1.0.0"}]}"#,
    Some("appId"),
    "is acme.honest in the folder of acme.liar"
)]
fn an_app_json_names_file_and_key(#[case] app_json: &str, #[case] key: Option<&str>, #[case] problem: &str) {
    let back = r#"{"extends": [{"appId": "acme.circle", "version": "1.0.0"}]}"#;
    let world = World::new(&[
        ("app/app.json", app_json),
        ("parents/acme/one/1_0_0/app.json", back),
        ("parents/acme/base/1_0_0/app.json", "{}"),
        ("parents/acme/base/2_0_0/app.json", "{}"),
        ("parents/acme/liar/1_0_0/app.json", r#"{"appId": "acme.honest"}"#),
    ]);
    let error = world.try_open().map(drop).unwrap_err();
    let OpenError::AppJson { path, key: at, problem: told } = &error else { panic!("{error}") };
    assert!(path.ends_with("app.json"));
    assert_eq!(at.as_deref(), key);
    assert!(told.contains(problem), "{told}");
    assert!(error.to_string().contains("app.json"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let world = World::new(&[]);
    let error = App::open(&world.folder().join("no/such"), world.environment()).unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");
}
