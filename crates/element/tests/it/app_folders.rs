use wecom_login_element::Kind;

use crate::world::{BASE, EXAMPLE, INSTANCE, META, World};

#[test]
fn an_instance_is_two_files_and_no_registration() {
    let world = World::new(&[
        ("app/app.json", r#"{"orgId": "acme", "name": "portal", "title": "Portal", "version": "2.1"}"#),
        ("app/auths/loginTypes/Example/e.json", &format!("\u{feff}{INSTANCE}")),
        ("app/.hidden/e.json", INSTANCE),
    ]);
    let app = world.open();
    assert_eq!((app.org_id(), app.name(), app.version().as_str()), ("acme", "portal", "2.1"));
    assert_eq!(app.faults(), []);
    let [element] = app.of_type(BASE).collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((element.full_name(), element.name()), (EXAMPLE, "Example"));
    assert_eq!((element.title(), element.type_name()), ("企业微信登录", BASE));
    let kinds: Vec<_> = app.elements().map(|element| (element.name(), element.kind())).collect();
    let expected = [("Example", Kind::Instance), ("Meta", Kind::Meta), ("QywxInnerType", Kind::Type)];
    assert_eq!(kinds, expected);
}

#[test]
fn without_app_json_the_folder_gives_the_name() {
    let app = World::new(&[]).open();
    assert_eq!((app.org_id(), app.name(), app.version().as_str()), ("local", "app", "1.0.0"));
}

#[test]
fn app_id_stands_for_both_its_parts() {
    let app = World::new(&[("app/app.json", r#"{"appId": "acme.my.portal"}"#)]).open();
    assert_eq!((app.org_id(), app.name()), ("acme", "my.portal"));
}

#[test]
fn backend_and_frontend_belong_to_the_element_above() {
    let world = World::new(&[
        ("app/auths/loginTypes/Example/backend/e.json", INSTANCE),
        ("app/auths/loginTypes/Example/frontend/e.json", r#"{"title": "Front", "icon": "x"}"#),
        ("app/auths/loginTypes/Example/frontend/Example.json", r#"{"corpId": "wwA"}"#),
    ]);
    let app = world.open();
    assert_eq!(app.faults(), []);
    let element = app.element(EXAMPLE).unwrap();
    assert_eq!(element.title(), "企业微信登录", "backend's keys win");
    assert_eq!(app.element_define(EXAMPLE).unwrap()["icon"], "x");
    assert_eq!(element.config().unwrap().required_text("corpId").unwrap(), "wwA");
}

#[test]
fn parents_count_in_order_and_a_common_ancestor_counts_last() {
    let extends = |parents: &[&str]| {
        let parents: Vec<String> =
            parents.iter().map(|name| format!(r#"{{"appId": "acme.{name}", "version": "1.0.0"}}"#)).collect();
        format!(r#"{{"extends": [{}]}}"#, parents.join(","))
    };
    let titled = |title: &str| format!(r#"{{"title": "{title}", "type": "{BASE}"}}"#);
    let world = World::new(&[
        ("app/app.json", &extends(&["left", "right"])),
        ("parents/acme/left/1_0_0/app.json", &extends(&["common"])),
        ("parents/acme/right/1_0_0/app.json", &extends(&["common"])),
        ("parents/acme/common/1_0_0/a/One/e.json", &titled("common")),
        ("parents/acme/common/1_0_0/a/Two/e.json", &titled("common")),
        ("parents/acme/common/1_0_0/a/Three/e.json", &titled("common")),
        ("parents/acme/right/1_0_0/a/One/e.json", &titled("right")),
        ("parents/acme/right/1_0_0/a/Two/e.json", &titled("right")),
        ("parents/acme/left/1_0_0/a/One/e.json", &titled("left")),
    ]);
    let app = world.open();
    assert_eq!(app.faults(), []);
    assert_eq!(app.extends(), ["acme.left", "acme.right", "acme.common"]);
    let title = |name: &str| app.element(name).unwrap().title().to_owned();
    assert_eq!(
        (title("a.One"), title("a.Two"), title("a.Three")),
        ("left".into(), "right".into(), "common".into())
    );
}

#[test]
fn selectors_find_instances_of_a_type_and_of_those_built_on_it() {
    let own = format!(r#"{{"title": "Own", "type": "{BASE}"}}"#);
    let world = World::new(&[
        ("app/auths/loginTypes/Example/e.json", INSTANCE),
        ("app/own/Type/e.json", &own),
        ("app/own/Example/e.json", r#"{"title": "x", "type": "own.Type"}"#),
    ]);
    let app = world.open();
    let find = |selector: &str| -> Vec<String> {
        app.find(selector).unwrap().iter().map(|element| element.full_name().to_owned()).collect()
    };
    assert_eq!(find(&format!(".{BASE}")), [EXAMPLE, "own.Example"]);
    assert_eq!(find(&format!(".{META}")), [EXAMPLE, "own.Example"]);
    assert_eq!(find(".own.Type"), ["own.Example"]);
    assert_eq!(find("own.Example, .own.Type,auths.loginTypes.Example"), ["own.Example", EXAMPLE]);
    assert!(find("no.Such").is_empty());
    for selector in ["", ".", "#title=x", "auths.*"] {
        assert!(app.find(selector).unwrap_err().reason.contains("selector"), "{selector}");
    }
}

#[test]
fn a_define_is_there_without_loading() {
    let world = World::new(&[("app/x/e.json", r#"{"title": "x", "type": "no.Such", "tag": [1]}"#)]);
    let app = world.open();
    assert!(app.element("x").is_none());
    let define = app.element_define("x").unwrap();
    assert_eq!(
        serde_json::to_value(define).unwrap(),
        serde_json::json!({
            "title": "x", "type": "no.Such", "tag": [1], "fullName": "x"
        })
    );
    assert!(app.element_define("y").is_none());
}
