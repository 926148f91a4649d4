use rstest::rstest;
use serde_json::{Value, json};
use wecom_login_element::{Arguments, Caller, Function, number};
use wecom_login_model::Language;

use crate::world::World;

const E_JSON: &str = r#"{"title": "x", "type": "auths.loginTypes.QywxInnerType", "functionList": [
    {"name": "f", "args": [
        {"name": "text", "dataType": "Stext"},
        {"name": "flag", "dataType": "Checkbox", "value": 0},
        {"name": "count", "dataType": "Numeric", "required": false},
        {"name": "dict", "dataType": "JitDict", "required": 0},
        {"name": "list", "dataType": "JitList", "required": 0}
    ]},
    {"name": "must", "args": [{"name": "flag", "dataType": "Checkbox"}]}
]}"#;

fn function(name: &str) -> Function {
    let world = World::new(&[
        ("app/own/Type/e.json", E_JSON),
        ("app/own/One/e.json", r#"{"title": "x", "type": "own.Type"}"#),
    ]);
    let app = world.open();
    app.element("own.One").unwrap().functions().iter().find(|function| function.name == name).unwrap().clone()
}

/// `[positional.., {named}]`
fn given(values: Value) -> Arguments {
    let Value::Array(mut values) = values else { panic!() };
    let Some(Value::Object(named)) = values.pop() else { panic!() };
    let positional = values.into_iter().fold(Arguments::new(), Arguments::with);
    named.into_iter().fold(positional, |arguments, (name, value)| arguments.named(name, value))
}

#[rstest]
#[case::positional(json!(["a", {}]), json!({"text": "a", "flag": false}))]
#[case::named(json!([{"text": "a"}]), json!({"text": "a", "flag": false}))]
#[case::both(json!(["a", {"flag": true}]), json!({"text": "a", "flag": true}))]
#[case::all(json!(["a", true, 1.5, {"k": 1}, [1], {}]), json!({"text": "a", "flag": true, "count": 1.5, "dict": {"k": 1}, "list": [1]}))]
#[case::one(json!(["a", 1, {}]), json!({"text": "a", "flag": true}))]
#[case::zero(json!(["a", 0, {}]), json!({"text": "a", "flag": false}))]
#[case::null_is_the_default(json!(["a", null, {}]), json!({"text": "a", "flag": false}))]
#[case::null_is_absent(json!(["a", true, null, {"dict": null}]), json!({"text": "a", "flag": true}))]
#[case::empty_text(json!(["", {}]), json!({"text": "", "flag": false}))]
fn arguments_that_fit(#[case] values: Value, #[case] expected: Value) {
    let bound = given(values).bind(&function("f").parameters).unwrap();
    let got: serde_json::Map<String, Value> =
        bound.names().map(|name| (name.to_owned(), bound.get(name).unwrap().clone())).collect();
    assert_eq!(Value::Object(got), expected);
}

#[rstest]
#[case::missing(json!([{}]), "The argument text is missing.", "缺少参数 text。")]
#[case::null(json!([null, {}]), "The argument text is missing.", "缺少参数 text。")]
#[case::unknown(json!([{"text": "a", "code": "b"}]), "There is no argument code.", "没有名为 code 的参数。")]
#[case::doubled(json!(["a", {"text": "b"}]), "The argument text is given twice.", "参数 text 给了两次。")]
#[case::too_many(json!(["a", 1, 1, {}, [], 6, {}]), "There may be at most 5 positional arguments.", "位置参数最多 5 个。")]
#[case::text(json!([7, {}]), "The argument text must be a string.", "参数 text 必须是字符串。")]
#[case::two(json!(["a", 2, {}]), "The argument flag must be true, false, 1 or 0.", "参数 flag 必须是布尔值（true、false、1 或 0）。")]
#[case::flag(json!(["a", "true", {}]), "The argument flag must be true, false, 1 or 0.", "参数 flag 必须是布尔值（true、false、1 或 0）。")]
#[case::number(json!(["a", {"count": "1"}]), "The argument count must be a number.", "参数 count 必须是数字。")]
#[case::object(json!(["a", {"dict": []}]), "The argument dict must be an object.", "参数 dict 必须是对象。")]
#[case::list(json!(["a", {"list": {}}]), "The argument list must be a list.", "参数 list 必须是列表。")]
fn arguments_that_do_not_fit_are_named(#[case] values: Value, #[case] en: &str, #[case] zh: &str) {
    let error = given(values).bind(&function("f").parameters).unwrap_err();
    assert_eq!(error.to_code(Language::En).reason, en);
    assert_eq!(error.to_code(Language::Zh).reason, zh);
    assert_eq!(error.to_code(Language::En).code, number::BAD_ARGUMENTS);
}

#[test]
fn a_checkbox_that_must_be_given_takes_null_for_false() {
    let parameters = function("must").parameters;
    assert!(!given(json!([null, {}])).bind(&parameters).unwrap().is_on("flag"));
    assert!(given(json!([{}])).bind(&parameters).is_err());
}

#[tokio::test]
async fn a_long_name_is_not_repeated_in_full() {
    let world = World::new(&[
        ("app/own/Type/e.json", E_JSON),
        ("app/own/One/e.json", r#"{"title": "x", "type": "own.Type"}"#),
    ]);
    let app = world.open();
    let arguments = Arguments::new().named("x".repeat(5000), "v4lue");
    assert!(!format!("{arguments:?}").contains("v4lue"));
    let error = app.element("own.One").unwrap().call("f", arguments, &Caller::Library).await.unwrap_err();
    assert!(error.reason.chars().count() < 100, "{}", error.reason);
}
