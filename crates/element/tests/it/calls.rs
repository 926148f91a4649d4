use std::net::Ipv4Addr;

use rstest::rstest;
use serde_json::json;
use wecom_login_element::{
    Arguments, BoxFuture, Browser, Call, CallContext, Caller, Code, Config, Element, Fault, Next, Outcome,
    Type, number,
};
use wecom_login_model::{CorpId, Language, UserId};

use crate::world::{BASE, EXAMPLE, INSTANCE, Proof, World, path};

pub(crate) fn browser(signed_in: bool, administrator: bool) -> Caller {
    let member = signed_in.then(|| (CorpId::parse("wwA").unwrap(), UserId::parse("zhangsan").unwrap()));
    Caller::Browser(Browser {
        context: CallContext::default(),
        address: Some(Ipv4Addr::LOCALHOST.into()),
        member,
        administrator,
        language: Language::En,
    })
}

fn example() -> World {
    World::new(&[("app/auths/loginTypes/Example/e.json", INSTANCE)])
}

#[rstest]
#[case::greet("greet", [None, None, None, None])]
#[case::profile("profile", [Some(number::NOT_SIGNED_IN), None, None, None])]
#[case::sync("sync", [Some(number::NOT_SIGNED_IN), Some(number::ADMINISTRATORS_ONLY), None, None])]
#[case::token("token", [Some(number::NO_SUCH_FUNCTION), Some(number::NO_SUCH_FUNCTION), Some(number::NO_SUCH_FUNCTION), None])]
#[case::unlisted("secretly", [Some(number::NO_SUCH_FUNCTION), Some(number::NO_SUCH_FUNCTION), Some(number::NO_SUCH_FUNCTION), None])]
#[tokio::test]
async fn who_may_call_what(#[case] function: &str, #[case] refused: [Option<i64>; 4]) {
    let app = example().open();
    let element = app.element(EXAMPLE).unwrap();
    let callers = [browser(false, false), browser(true, false), browser(false, true), Caller::Library];
    for (caller, refused) in callers.into_iter().zip(refused) {
        let result = element.call(function, Arguments::new(), &caller).await;
        assert_eq!(result.err().map(|error| error.code), refused, "{function} by {caller:?}");
    }
}

#[tokio::test]
async fn what_is_not_declared_takes_named_arguments_only() {
    let app = example().open();
    let element = app.element(EXAMPLE).unwrap();
    let call = |arguments| element.call("secretly", arguments, &Caller::Library);
    assert!(call(Arguments::new().named("a", 1)).await.is_ok());
    assert_eq!(call(Arguments::new().with(1)).await.unwrap_err().code, number::BAD_ARGUMENTS);
    assert_eq!(
        call(Arguments::new().named("a", 1).named("a", 1)).await.unwrap_err().code,
        number::BAD_ARGUMENTS
    );
}

#[tokio::test]
async fn a_type_is_no_instance_and_cannot_be_called() {
    let app = example().open();
    let error =
        app.element(BASE).unwrap().call("greet", Arguments::new(), &Caller::Library).await.unwrap_err();
    assert_eq!(error.code, number::NO_SUCH_FUNCTION);
}

#[tokio::test]
async fn codes_come_through_as_they_are() {
    let app = example().open();
    let error =
        app.element(EXAMPLE).unwrap().call("fail", Arguments::new(), &Caller::Library).await.unwrap_err();
    assert_eq!(error, Code::new(40029, "invalid code"));
    assert_eq!(error.to_string(), "40029: invalid code");
}

/// Changes the value, keeps the effect; panics when it is told to; calls another function of the same instance.
struct Own;

impl Type for Own {
    fn call<'a>(&'a self, mut call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        assert_ne!(call.function, "panic_at_once", "on purpose");
        Box::pin(async move {
            match call.function {
                "panic_later" => panic!("on purpose"),
                "token" => {
                    let of = call.element.call("profile", Arguments::new(), &Caller::Library).await?;
                    Ok(Outcome::value(json!({"profile": of.value})))
                }
                "greet" => {
                    call.arguments.set("name", "changed");
                    let mut outcome = next.call(call).await?;
                    outcome.value = json!({"userId": "administrator"});
                    Ok(outcome)
                }
                _ => next.call(call).await,
            }
        })
    }
}

fn with_own() -> World {
    let world = example().with(|environment| environment.with_type("local.app", BASE, Own));
    world.write("app/auths/loginTypes/QywxInnerType/e.json", r#"{"title": "Own"}"#);
    world
}

#[tokio::test]
async fn an_own_type_may_change_the_value_but_not_the_effect() {
    let app = with_own().open();
    let outcome =
        app.element(EXAMPLE).unwrap().call("greet", Arguments::new(), &Caller::Library).await.unwrap();
    assert_eq!(outcome.value, json!({"userId": "administrator"}));
    let effect = outcome.effect.unwrap();
    assert!(!format!("{effect:?}").contains("changed"), "an effect does not print");
    let effect = effect.take::<String>().unwrap_err();
    assert_eq!(effect.take::<Proof>().unwrap().of(), "changed");
}

#[tokio::test]
async fn a_type_may_call_its_own_instance() {
    let app = with_own().open();
    let outcome =
        app.element(EXAMPLE).unwrap().call("token", Arguments::new(), &Caller::Library).await.unwrap();
    assert_eq!(outcome.value, json!({"profile": {"path": ["base"]}}));
}

#[tokio::test]
async fn a_panic_is_50000_and_the_next_call_works() {
    let app = with_own().open();
    let element = app.element(EXAMPLE).unwrap();
    for function in ["panic_at_once", "panic_later"] {
        let error = element.call(function, Arguments::new(), &Caller::Library).await.unwrap_err();
        assert_eq!(error.code, Code::UNFORESEEN, "{function}");
        assert!(!error.reason.contains("on purpose"));
    }
    assert!(element.call("profile", Arguments::new(), &Caller::Library).await.is_ok());
}

/// Wants a key in the configuration.
struct Wants(&'static str);

impl Type for Wants {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        next.call(call)
    }
    fn check(&self, element: &Element) -> Result<(), Fault> {
        let config: Config = element.config()?;
        config.required_text(self.0).map(drop)
    }
}

#[tokio::test]
async fn instances_that_their_type_refuses_are_told_together_and_left_out() {
    let own = format!(r#"{{"title": "Own", "type": "{BASE}"}}"#);
    let instance = r#"{"title": "x", "type": "own.Type"}"#;
    let world = World::new(&[
        ("app/own/Type/e.json", &own),
        ("app/a/Good/e.json", instance),
        ("app/a/Good/Good.json", r#"{"tenant": "t"}"#),
        ("app/a/Bad/e.json", instance),
        ("app/a/Bad/Bad.json", r#"{"authConfig": {"tenant": 3}}"#),
        ("app/a/Bare/e.json", instance),
        ("app/auths/loginTypes/Example/e.json", INSTANCE),
    ])
    .with(|environment| environment.with_type("local.app", "own.Type", Wants("tenant")));
    let app = world.open();
    let told: Vec<String> = app.faults().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "element a.Bad, a/Bad/Bad.json, key authConfig.tenant: must be a string, not a number",
            "element a.Bare, a/Bare/Bare.json: the file is missing",
        ]
    );
    assert!(app.element("a.Bad").is_none() && app.element("a.Bare").is_none());
    assert_eq!(path(&app, "a.Good").await, ["base"]);
    assert_eq!(path(&app, EXAMPLE).await, ["base"]);
}
