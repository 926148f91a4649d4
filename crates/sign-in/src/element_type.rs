//! `auths.loginTypes.QywxInnerType` as a class of elements: the six functions by name.

use std::sync::Arc;

use serde_json::{Value, json};
use wecom_login_element::{BoxFuture, Call, Caller, Code, Element, Fault, Next, Outcome, Type};
use wecom_login_model::{Language, Secret};

use crate::{
    AuthorizationResponse, ClientContext, Delivery, Instance, Login, Registry, SignInError, StateOwner,
    Visitor,
};

/// The class behind every instance of our Type, and behind the Types that build on it.
///
/// A sign-in over HTTP gives a [`Delivery`] as its effect: the session is that of the member whom WeCom's answer proved,
/// whatever value an own Type makes of it, and begins after the whole chain of Types has accepted.
#[derive(Debug)]
pub struct QywxInnerType {
    login: Login,
    instances: Arc<Registry>,
    context: ClientContext,
}

impl QywxInnerType {
    /// The class over a sign-in and the instances that it serves.
    pub fn new(login: Login, instances: Arc<Registry>, context: ClientContext) -> Self {
        Self { login, instances, context }
    }

    async fn run(&self, instance: &Arc<Instance>, call: &Call<'_>) -> Result<Option<Outcome>, SignInError> {
        let arguments = &call.arguments;
        let text = |name: &str| -> String { arguments.text(name).unwrap_or_default().to_owned() };
        Ok(Some(match call.function {
            "getLoginConfig" => {
                let visitor = visitor(call.caller);
                let owner = match (call.caller, visitor.browser.as_ref()) {
                    (Caller::Library, _) => StateOwner::Library,
                    (Caller::Browser(_), Some(browser)) => StateOwner::Browser(browser),
                    (Caller::Browser(_), None) => {
                        return Err(SignInError::Unforeseen("the caller's browser has no name".to_owned()));
                    }
                };
                Outcome::value(json!(self.login.login_config(instance, owner)?))
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
                let instances = self.instances.now();
                self.login.sync_user_info(instance, &instances, &user_id, force).await?;
                Outcome::value(Value::Null)
            }
            "syncDepartmentInfo" => {
                self.login.sync_department_info(instance, arguments.text("deptId")).await?;
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
    ) -> Result<Outcome, SignInError> {
        if matches!(caller, Caller::Library) {
            return Ok(Outcome::value(json!(self.login.identify(instance, code, Some(state)).await?)));
        }
        if state.is_empty() {
            return Err(SignInError::StateMissing);
        }
        let response = AuthorizationResponse {
            instance: instance.clone(),
            code: Secret::new(code),
            state: Secret::new(state),
            // A browser without its name cannot be the one that the state was issued to.
            visitor: visitor(caller),
        };
        let delivery = self.login.deliver(&response).await?;
        let user = match &delivery {
            Delivery::Proved(proved) => proved.user(),
            Delivery::Replayed(signed_in) => &signed_in.user,
        };
        Ok(Outcome::value(json!(user)).with_effect(delivery))
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
        Instance::read(element, &self.context).map(drop)
    }
}

/// What the server knows of the browser that calls.
fn visitor(caller: &Caller) -> Arc<Visitor> {
    match caller {
        Caller::Library => Arc::default(),
        Caller::Browser(browser) => browser.context.get().unwrap_or_default(),
    }
}

/// The element was taken away between its look-up and its call.
fn vanished(element: &Element, language: Language) -> Code {
    SignInError::Unforeseen(format!("the instance {} is not there any more", element.full_name()))
        .to_code(language)
}
