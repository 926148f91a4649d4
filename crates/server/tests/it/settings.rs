//! docs/settings.md, docs/settings.zh-CN.md and docs/wecom-login.schema.json are written from the declarations, and fail
//! these tests when they are not up to date.

use std::path::Path;

use serde_json::Value;
use wecom_login_model::Language;
use wecom_login_server::Settings;

fn is_up_to_date(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/{name} is stale: UPDATE_DOCS=1 cargo test -p wecom-login-server settings");
}

#[test]
fn the_documented_settings_are_those_of_the_declarations() {
    is_up_to_date("settings.md", &Settings::document(Language::En));
    is_up_to_date("settings.zh-CN.md", &Settings::document(Language::Zh));
}

#[test]
fn the_schema_of_the_file_is_that_of_the_declarations() {
    let schema = Settings::schema();
    is_up_to_date("wecom-login.schema.json", &format!("{schema:#}\n"));

    let property = |name: &str| schema["properties"][name].clone();
    assert_eq!(property("listen")["default"], "127.0.0.1:8000");
    assert_eq!(property("allow_http")["default"], Value::Bool(false));
    assert_eq!(property("max_connections")["default"], 4096);
    assert_eq!(property("max_connections")["minimum"], 1);
    assert_eq!(property("database")["writeOnly"], true);
    assert_eq!(property("retention")["properties"]["audit"]["default"], "180d");
    assert_eq!(property("session_hours")["deprecated"], true);
    assert_eq!(schema["additionalProperties"], false);
}
