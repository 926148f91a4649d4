use wecom_login_element::{Look, Watch};

use crate::world::{BASE, EXAMPLE, INSTANCE, World};

const E_JSON: &str = "app/auths/loginTypes/Example/e.json";

fn watched(files: &[(&str, &str)]) -> (World, Watch) {
    let world = World::new(&[files, &[(E_JSON, INSTANCE)]].concat());
    let watch = Watch::open(&world.folder(), world.environment()).unwrap();
    (world, watch)
}

fn title(watch: &Watch) -> String {
    watch.app().element(EXAMPLE).unwrap().title().to_owned()
}

#[test]
fn nothing_changed_is_nothing_done() {
    let (world, mut watch) = watched(&[]);
    assert!(matches!(watch.look(), Look::Unchanged));
    world.write("app/data/wecom-login.db", "not an element's file");
    assert!(matches!(watch.look(), Look::Unchanged));
}

#[test]
fn a_change_is_seen_once() {
    let (world, mut watch) = watched(&[]);
    world.write(E_JSON, &INSTANCE.replace("企业微信登录", "A longer title than it was"));
    assert!(matches!(watch.look(), Look::Reloaded(_)));
    assert_eq!(title(&watch), "A longer title than it was");
    assert!(matches!(watch.look(), Look::Unchanged));
    world.write("app/auths/loginTypes/Example/Example.json", "{}");
    assert!(matches!(watch.look(), Look::Reloaded(_)), "a configuration counts, too");
}

#[test]
fn elements_come_and_go() {
    let (world, mut watch) = watched(&[]);
    world.write("app/a/Second/e.json", INSTANCE);
    assert!(matches!(watch.look(), Look::Reloaded(app) if app.of_type(BASE).count() == 2));
    world.remove("app/auths/loginTypes/Example");
    assert!(matches!(watch.look(), Look::Reloaded(app) if app.of_type(BASE).count() == 1));
}

#[test]
fn an_app_that_can_no_longer_be_read_stays_as_it_was() {
    let (world, mut watch) = watched(&[]);
    world.write("app/app.json", r#"{"extends": [{"appId": "acme.late", "version": "1.0.0"}]}"#);
    let Look::Unreadable(error) = watch.look() else { panic!() };
    assert!(error.to_string().contains("acme.late"), "{error}");
    assert!(watch.app().element(EXAMPLE).is_some());
    assert!(matches!(watch.look(), Look::Unchanged), "it is told once");
    world.write("parents/acme/late/1_0_0/a/Late/e.json", INSTANCE);
    assert!(matches!(watch.look(), Look::Reloaded(app) if app.element("a.Late").is_some()));
    world.write("parents/acme/late/1_0_0/a/Later/e.json", INSTANCE);
    assert!(matches!(watch.look(), Look::Reloaded(_)), "a parent's files count");
}

#[test]
fn an_element_that_worked_and_is_broken_keeps_the_last_good_state() {
    let (world, mut watch) = watched(&[("app/a/Second/e.json", INSTANCE)]);
    world.write("app/a/Third/e.json", INSTANCE);
    world.write(E_JSON, "{ half an edit");
    let Look::Broken(faults) = watch.look() else { panic!() };
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].file, "auths/loginTypes/Example/e.json");
    assert!(watch.app().element("a.Third").is_none() && watch.app().element(EXAMPLE).is_some());
    world.write(E_JSON, &INSTANCE.replace("企业微信登录", "mended, and longer than before"));
    assert!(matches!(watch.look(), Look::Reloaded(app) if app.element("a.Third").is_some()));
    assert_eq!(title(&watch), "mended, and longer than before");
}

#[test]
fn a_new_element_that_is_broken_keeps_nobody_back() {
    let (world, mut watch) = watched(&[("app/a/Broken/e.json", "{")]);
    world.write("app/a/AlsoBroken/e.json", "{");
    world.write("app/a/Second/e.json", INSTANCE);
    let Look::Reloaded(app) = watch.look() else { panic!() };
    assert_eq!(app.faults().len(), 2);
    assert!(app.element("a.Second").is_some());
}
