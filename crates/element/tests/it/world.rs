//! A disk of app folders, a framework with one sign-in Type, and Types that say that they were here.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use wecom_login_element::{
    App, Arguments, BoxFuture, Call, Caller, Code, Environment, Framework, Next, OpenError, Outcome, Type,
};

pub(crate) const FRAMEWORK: &str = "wecom.framework";
pub(crate) const META: &str = "auths.loginTypes.Meta";
pub(crate) const BASE: &str = "auths.loginTypes.QywxInnerType";
pub(crate) const INSTANCE: &str = r#"{"title": "企业微信登录", "type": "auths.loginTypes.QywxInnerType"}"#;
pub(crate) const EXAMPLE: &str = "auths.loginTypes.Example";

const BASE_E_JSON: &str = r#"{"title": "WeCom", "type": "auths.loginTypes.Meta", "icon": "wecom", "functionList": [
    {"name": "greet", "loginRequired": 0, "args": [{"name": "name", "dataType": "Stext", "required": 0}]},
    {"name": "profile"},
    {"name": "sync", "title": "Sync", "adminRequired": 1, "args": []},
    {"name": "token", "libraryOnly": 1}
]}"#;

pub(crate) struct World {
    disk: TempDir,
    environment: Environment,
}

impl World {
    /// A disk with these files; the app that is opened is the folder `app`, and parents lie below `parents`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let disk = tempfile::tempdir().unwrap();
        let framework = Framework::new(FRAMEWORK)
            .element(META, r#"{"title": "Sign-in types", "type": ""}"#)
            .element(BASE, BASE_E_JSON);
        let environment = Environment::new(framework)
            .with_type(FRAMEWORK, BASE, Base)
            .app_path(disk.path().join("nothing here"))
            .app_path(disk.path().join("parents"));
        let world = Self { disk, environment };
        std::fs::create_dir(world.folder()).unwrap();
        for (file, text) in files {
            world.write(file, text);
        }
        world
    }

    pub(crate) fn with(mut self, change: impl FnOnce(Environment) -> Environment) -> Self {
        self.environment = change(self.environment);
        self
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.disk.path().join("app")
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        write(&self.disk.path().join(file), text);
    }

    pub(crate) fn remove(&self, folder: &str) {
        std::fs::remove_dir_all(self.disk.path().join(folder)).unwrap();
    }

    pub(crate) fn open(&self) -> App {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<App, OpenError> {
        App::open(&self.folder(), &self.environment)
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The framework's Type: every function gives who answered and with what.
pub(crate) struct Base;

/// What only this file can make.
#[derive(Debug, PartialEq)]
pub(crate) struct Proof(String);

impl Proof {
    pub(crate) fn of(self) -> String {
        self.0
    }
}

impl Type for Base {
    fn call<'a>(&'a self, call: Call<'a>, _: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            match call.function {
                "greet" => {
                    let name = call.arguments.text("name").unwrap_or("nobody").to_owned();
                    Ok(Outcome::value(json!({"path": ["base"], "name": name})).with_effect(Proof(name)))
                }
                "fail" => Err(Code::new(40029, "invalid code")),
                _ => Ok(Outcome::value(json!({"path": ["base"]}))),
            }
        })
    }
}

/// Puts its name in front of what those behind it say.
pub(crate) struct Named(pub(crate) &'static str);

impl Type for Named {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            let mut outcome = next.call(call).await?;
            outcome.value["path"].as_array_mut().unwrap().insert(0, json!(self.0));
            Ok(outcome)
        })
    }
}

pub(crate) async fn greet(app: &App, full_name: &str) -> Result<Value, Code> {
    let element = app.element(full_name).unwrap_or_else(|| panic!("{full_name}: {:?}", app.faults()));
    Ok(element.call("greet", Arguments::new(), &Caller::Library).await?.value)
}

/// Who answered `greet`, the first class first.
pub(crate) async fn path(app: &App, full_name: &str) -> Vec<String> {
    serde_json::from_value(greet(app, full_name).await.unwrap()["path"].clone()).unwrap()
}
