use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;
use wecom_login_element::{App, AppRef, Element, Loader, Look, Python, Type, Watch};

use crate::world::{BASE, EXAMPLE, INSTANCE, Named, World, path};

const PARENT: &str = r#"{"extends": [{"appId": "acme.base", "version": "1.2.0"}]}"#;
const OVERRIDE: &str = r#"{"title": "Ours", "type": "auths.loginTypes.Meta"}"#;

fn files(app: &App) -> Vec<(&str, &str)> {
    app.faults().iter().map(|fault| (fault.element.as_str(), fault.file.as_str())).collect()
}

#[tokio::test]
async fn an_override_takes_effect_for_existing_instances_and_goes_without_a_trace() {
    let world = World::new(&[("app/auths/loginTypes/Example/e.json", INSTANCE)])
        .with(|environment| environment.with_type("local.app", BASE, Named("override")));
    world.write("app/auths/loginTypes/QywxInnerType/e.json", OVERRIDE);
    let app = world.open();
    assert_eq!(app.faults(), []);
    assert_eq!(path(&app, EXAMPLE).await, ["override", "base"]);
    assert_eq!(app.element(BASE).unwrap().title(), "Ours");
    assert_eq!(app.of_type(BASE).count(), 1);

    world.remove("app/auths/loginTypes/QywxInnerType");
    let app = world.open();
    assert_eq!(path(&app, EXAMPLE).await, ["base"]);
    assert_eq!(app.element(BASE).unwrap().title(), "WeCom");
}

#[tokio::test]
async fn a_type_on_top_counts_for_those_that_name_it() {
    let own = format!(r#"{{"title": "Own", "type": "{BASE}"}}"#);
    let world = World::new(&[
        ("app/own/Type/e.json", &own),
        ("app/own/Higher/e.json", r#"{"title": "Higher", "type": "own.Type"}"#),
        ("app/own/One/e.json", r#"{"title": "x", "type": "own.Type"}"#),
        ("app/own/Two/e.json", r#"{"title": "x", "type": "own.Higher"}"#),
        ("app/auths/loginTypes/Example/e.json", INSTANCE),
    ])
    .with(|environment| {
        environment.with_type("local.app", "own.Type", Named("own")).with_type(
            "local.app",
            "own.Higher",
            Named("higher"),
        )
    });
    let app = world.open();
    assert_eq!(app.faults(), []);
    assert_eq!(path(&app, EXAMPLE).await, ["base"]);
    assert_eq!(path(&app, "own.One").await, ["own", "base"]);
    assert_eq!(path(&app, "own.Two").await, ["higher", "own", "base"]);

    world.write("app/own/Two/e.json", INSTANCE);
    assert_eq!(path(&world.open(), "own.Two").await, ["base"], "the former behaviour is back");
}

#[tokio::test]
async fn dispatch_walks_each_types_overrides_before_the_type_below() {
    let own = format!(r#"{{"title": "Own", "type": "{BASE}"}}"#);
    let world = World::new(&[
        ("app/app.json", PARENT),
        ("app/own/Type/e.json", "{}"),
        ("app/auths/loginTypes/QywxInnerType/e.json", "{}"),
        ("parents/acme/base/1_2_0/own/Type/e.json", &own),
        ("parents/acme/base/1_2_0/auths/loginTypes/QywxInnerType/e.json", OVERRIDE),
        ("parents/acme/base/1_2_0/own/One/e.json", r#"{"title": "x", "type": "own.Type"}"#),
    ])
    .with(|environment| {
        environment
            .with_type("local.app", "own.Type", Named("own in app"))
            .with_type("acme.base", "own.Type", Named("own in parent"))
            .with_type("local.app", BASE, Named("base in app"))
            .with_type("acme.base", BASE, Named("base in parent"))
    });
    let app = world.open();
    assert_eq!(app.faults(), []);
    let expected = ["own in app", "own in parent", "base in app", "base in parent", "base"];
    assert_eq!(path(&app, "own.One").await, expected);
}

#[tokio::test]
async fn an_overridden_instance_takes_the_nearest_configuration() {
    let world = World::new(&[
        ("app/app.json", PARENT),
        ("app/auths/loginTypes/Example/e.json", r#"{"title": "Ours"}"#),
        ("parents/acme/base/1_2_0/auths/loginTypes/Example/e.json", INSTANCE),
        ("parents/acme/base/1_2_0/auths/loginTypes/Example/Example.json", r#"{"corpId": "wwParent"}"#),
    ]);
    let app = world.open();
    let element = app.element(EXAMPLE).unwrap();
    assert_eq!((element.title(), element.type_name()), ("Ours", BASE));
    let config = element.config().unwrap();
    assert_eq!(config.required_text("corpId").unwrap(), "wwParent");
    assert_eq!(config.fault("corpId", "x").file, "acme/base/1_2_0/auths/loginTypes/Example/Example.json");

    world.write("app/auths/loginTypes/Example/Example.json", r#"{"corpId": "wwOwn"}"#);
    assert_eq!(
        element.config().unwrap().required_text("corpId").unwrap(),
        "wwParent",
        "until the app is read again"
    );
    let config = world.open().element(EXAMPLE).unwrap().config().unwrap();
    assert_eq!(config.required_text("corpId").unwrap(), "wwOwn");
}

#[rstest]
#[case::public("public", Some("Ours"), None)]
#[case::protected("protected", Some("Theirs"), Some("app"))]
#[case::private("private", Some("Ours"), None)]
fn a_parents_modifier_rules_over_an_override(
    #[case] modifier: &str,
    #[case] title: Option<&str>,
    #[case] refused: Option<&str>,
) {
    let theirs = format!(r#"{{"title": "Theirs", "type": "{BASE}", "accessModifier": "{modifier}"}}"#);
    let ours = format!(r#"{{"title": "Ours", "type": "{BASE}"}}"#);
    let world = World::new(&[
        ("app/app.json", PARENT),
        ("app/a/One/e.json", &ours),
        ("parents/acme/base/1_2_0/a/One/e.json", &theirs),
    ]);
    let app = world.open();
    assert_eq!(app.element("a.One").map(Element::title), title);
    let expected: Vec<_> = refused.map(|_| ("a.One", "a/One/e.json")).into_iter().collect();
    assert_eq!(files(&app), expected);
    if refused.is_some() {
        assert!(app.faults()[0].problem.contains("acme.base, which is protected"), "{}", app.faults()[0]);
    }
}

#[test]
fn what_is_private_in_a_parent_is_not_inherited() {
    let own = format!(r#"{{"title": "Own", "type": "{BASE}", "accessModifier": "private"}}"#);
    let world = World::new(&[
        ("app/app.json", PARENT),
        ("app/a/One/e.json", r#"{"title": "x", "type": "a.Type"}"#),
        ("parents/acme/base/1_2_0/a/Type/e.json", &own),
    ]);
    let app = world.open();
    assert!(app.element("a.Type").is_none());
    let told = app.faults()[0].to_string();
    assert_eq!(
        told,
        "element a.One, a/One/e.json, key type: the Type a.Type is private to the app acme.base"
    );

    world.write("app/a/Type/e.json", &own);
    let app = world.open();
    assert_eq!(app.faults(), [], "an app's own private elements are there for itself");
    assert!(app.element("a.One").is_some());
}

#[test]
fn a_type_written_in_python_is_loaded_from_its_folder() {
    let files = [
        ("app/own/Type/e.json", "{\"title\": \"x\", \"type\": \"auths.loginTypes.QywxInnerType\"}"),
        ("app/own/Type/loader.py", ""),
    ];
    let broken = World::new(&files).with(|environment| environment.with_python(Snake(None)));
    let app = broken.open();
    let [fault] = app.faults() else { panic!() };
    assert_eq!(fault.to_string(), "element own.Type, own/Type/loader.py: line 1: ImportError");
    let world = World::new(&files).with(|environment| environment.with_python(Snake(Some("python"))));
    assert_eq!(world.open().faults(), []);
}

/// Stands for the Python package.
struct Snake(Option<&'static str>);

impl Python for Snake {
    fn begin(&self, apps: &[AppRef]) {
        assert!(apps.len() == 1 && apps[0].id == "local.app" && apps[0].folder.ends_with("app"));
    }

    fn load(&self, loader: Loader<'_>) -> Result<Arc<dyn Type>, String> {
        assert_eq!((loader.app_id, loader.full_name), ("local.app", "own.Type"));
        assert!(loader.folder.ends_with("own/Type") && loader.file == "own/Type/loader.py");
        Ok(Arc::new(Named(self.0.ok_or("line 1: ImportError")?)))
    }
}

/// What a naive reader makes of the copies of one instance in a line of apps, the opened one first.
fn naive(line: &[Option<&'static str>]) -> Option<usize> {
    let mut winner = None;
    for (app, modifier) in line.iter().enumerate().rev() {
        let Some(modifier) = modifier else { continue };
        let is_private = *modifier == "private" && app > 0;
        let is_protected = winner.is_some_and(|below: usize| line[below] == Some("protected"));
        if !is_private && !is_protected {
            winner = Some(app);
        }
    }
    winner
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A line of apps, each extending the next; every element is defined in some of them.
    #[test]
    fn a_line_of_apps_resolves_as_the_naive_reader_says(
        elements in prop::collection::vec(
            prop::collection::vec(
                prop::option::of(prop::sample::select(vec!["private", "protected", "public"])), 4..=4,
            ),
            1..4,
        )
    ) {
        let world = World::new(&[]);
        let folder = |app: usize| if app == 0 { "app".to_owned() } else { format!("parents/acme/a{app}/1_0") };
        for app in 0..3 {
            let parent = app + 1;
            let extends = format!(r#"{{"version": "{}", "extends": [{{"appId": "acme.a{parent}", "version": "1.0"}}]}}"#, "1.0");
            world.write(&format!("{}/app.json", folder(app)), &extends);
        }
        world.write(&format!("{}/app.json", folder(3)), "{}");
        for (number, line) in elements.iter().enumerate() {
            for (app, modifier) in line.iter().enumerate() {
                if let Some(modifier) = modifier {
                    let e_json = format!(r#"{{"title": "{app}", "type": "{BASE}", "accessModifier": "{modifier}"}}"#);
                    world.write(&format!("{}/a/E{number}/e.json", folder(app)), &e_json);
                }
            }
        }
        let app = world.open();
        for (number, line) in elements.iter().enumerate() {
            let found = app.element(&format!("a.E{number}")).map(|element| element.title().to_owned());
            prop_assert_eq!(found, naive(line).map(|app| app.to_string()), "{:?}", line);
        }
    }
}

#[test]
fn a_watch_follows_an_override() {
    let world = World::new(&[("app/auths/loginTypes/Example/e.json", INSTANCE)]);
    let mut watch = Watch::open(&world.folder(), world.environment()).unwrap();
    world.write("app/auths/loginTypes/QywxInnerType/e.json", OVERRIDE);
    assert!(matches!(watch.look(), Look::Reloaded(app) if app.element(BASE).unwrap().title() == "Ours"));
}
