//! `auths.loginTypes.QywxInnerType` as a class of elements: the six functions by name.

use std::sync::Arc;

use serde_json::{Value, json};
use wecom_login_element::{BoxFuture, Call, Caller, Code, Element, Fault, Next, Outcome, Type};
use wecom_login_model::{Language, Secret};

use crate::{BrowserId, Holder, Instance, Login, Redirect, Refusal, Registry, Wiring};

/// The class behind every instance of our Type, and behind the Types that build on it.
///
/// A sign-in over HTTP gives a [`SignedIn`](crate::SignedIn) as its effect: the session is that of the member whom
/// WeCom's answer proved, whatever value an own Type makes of it.
#[derive(Debug)]
pub struct QywxInnerType {
    login: Login,
    instances: Arc<Registry>,
    wiring: Wiring,
}

impl QywxInnerType {
    /// The class over a sign-in and the instances that it serves.
    pub fn new(login: Login, instances: Arc<Registry>, wiring: Wiring) -> Self {
        Self { login, instances, wiring }
    }

    async fn run(&self, instance: &Arc<Instance>, call: &Call<'_>) -> Result<Option<Outcome>, Refusal> {
        let arguments = &call.arguments;
        let text = |name: &str| -> String { arguments.text(name).unwrap_or_default().to_owned() };
        Ok(Some(match call.function {
            "getLoginConfig" => {
                let browser = browser(call.caller)?;
                let holder = match &browser {
                    Some(browser) => Holder::Browser(browser),
                    None => Holder::Library,
                };
                Outcome::value(json!(self.login.login_config(instance, holder).await?))
            }
            "getLoginCode" => {
                let (code, state) = (text("authCode"), text("state"));
                self.get_login_code(instance, call.caller, &code, &state).await?
            }
            "getUserInfo" => {
                Outcome::value(json!(self.login.get_user_info(instance, &text("userId")).await?))
            }
            "getAccessToken" => Outcome::value(self.login.get_access_token(instance).await?.expose()),
            "syncUserInfo" => {
                let (user_id, force) = (text("userId"), call.arguments.is_on("forceUpdate"));
                let instances = self.instances.now().of_the_app_of(instance);
                let synced = self.login.sync_user_info(instance, &instances, &user_id, force).await;
                self.login.note_sync(instance, call.function, Some(&user_id), &synced).await;
                synced?;
                Outcome::value(Value::Null)
            }
            "syncDepartmentInfo" => {
                let department = arguments.text("deptId");
                let synced = self.login.sync_department_info(instance, department).await;
                self.login.note_sync(instance, call.function, department, &synced).await;
                synced?;
                Outcome::value(Value::Null)
            }
            _ => return Ok(None),
        }))
    }

    async fn get_login_code(
        &self,
        instance: &Arc<Instance>,
        caller: &Caller,
        code: &str,
        state: &str,
    ) -> Result<Outcome, Refusal> {
        if matches!(caller, Caller::Library) {
            return Ok(Outcome::value(json!(self.login.identify(instance, code, Some(state)).await?)));
        }
        if state.is_empty() {
            return Err(Refusal::StateMissing);
        }
        // Without its cookie a browser cannot be the one that the state was issued to.
        let browser = browser(caller)?.ok_or(Refusal::StateOfAnotherBrowser)?;
        let redirect = Redirect {
            instance: instance.clone(),
            code: Secret::new(code),
            state: Secret::new(state),
            browser,
        };
        let signed_in = self.login.sign_in(redirect).await?;
        Ok(Outcome::value(json!(signed_in.user)).with_effect(signed_in))
    }
}

impl Type for QywxInnerType {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            let language = call.caller.language();
            let instances = self.instances.now();
            let Some(instance) = instances.get(call.element.full_name()) else {
                return Err(vanished(call.element, language));
            };
            match self.run(instance, &call).await {
                Ok(Some(outcome)) => Ok(outcome),
                Ok(None) => next.call(call).await,
                Err(refusal) => Err(refusal.to_code(language)),
            }
        })
    }

    fn check(&self, element: &Element) -> Result<(), Fault> {
        Instance::read(element, &self.wiring).map(drop)
    }
}

/// The browser that calls; `None` for the library, and for a client that keeps no cookie.
fn browser(caller: &Caller) -> Result<Option<BrowserId>, Refusal> {
    match caller {
        Caller::Library => Ok(None),
        Caller::Browser(browser) => match &browser.id {
            None => Ok(None),
            Some(id) => match BrowserId::parse(id.expose()) {
                Some(id) => Ok(Some(id)),
                None => Err(Refusal::Unforeseen("the caller's browser has no valid name".to_owned())),
            },
        },
    }
}

/// The element was taken away between its look-up and its call.
fn vanished(element: &Element, language: Language) -> Code {
    Refusal::Unforeseen(format!("the instance {} is not there any more", element.full_name()))
        .to_code(language)
}
