use wecom_login_element::{Access, App};

use crate::world::{BASE, EXAMPLE, World};

fn access(app: &App, element: &str) -> Vec<(String, Access)> {
    let element = app.element(element).unwrap();
    element.functions().iter().map(|function| (function.name.clone(), function.access)).collect()
}

fn expect(app: &App, element: &str, expected: &[(&str, Access)]) {
    let expected: Vec<_> = expected.iter().map(|(name, access)| ((*name).to_owned(), *access)).collect();
    assert_eq!(access(app, element), expected);
}

fn told(app: &App) -> Vec<String> {
    app.faults()
        .iter()
        .map(|fault| format!("{} {} {}", fault.element, fault.file, fault.key.as_deref().unwrap()))
        .collect()
}

fn instance(list: &str) -> App {
    let e_json = format!(r#"{{"title": "x", "type": "{BASE}", "functionList": {list}}}"#);
    World::new(&[("app/auths/loginTypes/Example/e.json", &e_json)]).open()
}

#[test]
fn without_a_list_or_with_an_empty_one_the_types_list_counts() {
    let all = [
        ("greet", Access::Anyone),
        ("profile", Access::SignedIn),
        ("sync", Access::Administrators),
        ("token", Access::Library),
    ];
    for list in ["null", "[]"] {
        let app = instance(list);
        assert_eq!(app.faults(), []);
        expect(&app, EXAMPLE, &all);
    }
}

#[test]
fn an_instance_narrows() {
    let app =
        instance(r#"[{"name": "greet", "loginRequired": 1}, {"name": "profile", "adminRequired": true}]"#);
    assert_eq!(app.faults(), []);
    expect(
        &app,
        EXAMPLE,
        &[
            ("greet", Access::SignedIn),
            ("profile", Access::Administrators),
            ("sync", Access::Library),
            ("token", Access::Library),
        ],
    );
}

#[test]
fn what_an_instance_would_widen_is_void_and_told_and_it_works_on() {
    let app = instance(
        r#"[{"name": "profile", "loginRequired": 0}, {"name": "sync", "adminRequired": 0}, {"name": "greet"},
            {"name": "token", "loginRequired": 0, "libraryOnly": 0}, {"name": "unheard"}]"#,
    );
    expect(
        &app,
        EXAMPLE,
        &[
            ("greet", Access::Anyone),
            ("profile", Access::SignedIn),
            ("sync", Access::Administrators),
            ("token", Access::Library),
        ],
    );
    let file = format!("{EXAMPLE} auths/loginTypes/Example/e.json");
    let keys = ["[0].loginRequired", "[1].adminRequired", "[3].loginRequired", "[4].name"];
    assert_eq!(told(&app), keys.map(|key| format!("{file} functionList{key}")));
}

#[test]
fn a_type_adds_and_changes_by_name_and_key_but_never_opens_what_is_the_librarys() {
    let own = format!(
        r#"{{"title": "Own", "type": "{BASE}", "functionList": [
            {{"name": "sync", "title": "Sync now"}},
            {{"name": "token", "loginRequired": 0, "libraryOnly": false}},
            {{"name": "profile", "loginRequired": 0}},
            {{"name": "extra", "loginRequired": false}}]}}"#
    );
    let world = World::new(&[
        ("app/own/Type/e.json", &own),
        ("app/own/One/e.json", r#"{"title": "x", "type": "own.Type"}"#),
    ]);
    let app = world.open();
    expect(
        &app,
        "own.One",
        &[
            ("greet", Access::Anyone),
            ("profile", Access::Anyone),
            ("sync", Access::Administrators),
            ("token", Access::Library),
            ("extra", Access::Anyone),
        ],
    );
    assert_eq!(told(&app), ["own.Type own/Type/e.json functionList[1].libraryOnly"]);
    let sync =
        app.element("own.One").unwrap().functions().iter().find(|function| function.name == "sync").unwrap();
    assert_eq!(sync.title, "Sync now");
}

#[test]
fn an_overrides_list_joins_the_overridden_one() {
    let world = World::new(&[
        (
            "app/auths/loginTypes/QywxInnerType/e.json",
            r#"{"functionList": [{"name": "greet", "loginRequired": 1}]}"#,
        ),
        ("app/auths/loginTypes/Example/e.json", crate::world::INSTANCE),
    ]);
    let app = world.open();
    assert_eq!(app.faults(), []);
    let expected = [Access::SignedIn, Access::SignedIn, Access::Administrators, Access::Library];
    assert_eq!(access(&app, EXAMPLE).into_iter().map(|(_, access)| access).collect::<Vec<_>>(), expected);
    let define = app.element_define(BASE).unwrap();
    assert_eq!(define["icon"], "wecom", "keys that the override leaves out are inherited");
    let list = define["functionList"].as_array().unwrap();
    assert_eq!((list.len(), &list[0]["loginRequired"]), (4, &serde_json::json!(1)));
    assert!(list[0]["args"].is_array(), "and so are those of a function");
}
