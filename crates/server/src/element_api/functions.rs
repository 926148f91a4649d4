//! POST /api/{org}/{app}/{element path}/{function}: the element functions that functionList makes public.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use serde_json::{Map, Value, json};
use wecom_login_element::{Access, App, Arguments, Code, Element, Kind};
use wecom_login_model::{Bilingual, Secret};
use wecom_login_sign_in::{AuthorizationResponse, SignInError, SignedIn, Visitor};

use crate::console::administrator::Administrator;
use crate::element_api::caller::caller;
use crate::http::body::arguments;
use crate::http::error_numbers::{
    ADMINISTRATORS_ONLY, BAD_ARGUMENTS, NO_PAIR_HERE, NO_SUCH_FUNCTION, NOT_SIGNED_IN,
};
use crate::http::fetch_metadata::FetchSite;
use crate::http::rejection::Rejection;
use crate::http::request::{BrowserNaming, Context, RequestContext};
use crate::http::visitor::session_of;
use crate::http::{cors, envelope};
use crate::session::pair_body;
use crate::sign_in::begin::browser;
use crate::sign_in::finish::{Finished, SignIn, set_cookies};
use crate::sign_in::log::{self, SignInEnd};
use crate::state::{AppState, LoadedApp};

const UNUSABLE_NAME: Bilingual = Bilingual {
    zh: "请求头 X-Wecom-Login-Browser 必须是 32 到 128 个 A-Z、a-z、0-9、- 和 _。",
    en: "The header X-Wecom-Login-Browser must hold 32 to 128 characters of A-Z, a-z, 0-9, - and _.",
};

pub(crate) async fn call(
    State(app): State<AppState>,
    Path(path): Path<String>,
    Extension(context): Context,
    request: Request,
) -> Result<Response, Rejection> {
    let loaded = app.apps.loaded();
    let found = find(&loaded.app, &path);
    let (element, function) = found.ok_or_else(|| Rejection::of(NO_SUCH_FUNCTION))?;
    match context.naming {
        BrowserNaming::Cookie => {}
        // Our own pages use the cookie, which scripts cannot read; a script on them must not get tokens instead.
        BrowserNaming::Header if matches!(context.fetch_site, FetchSite::Program | FetchSite::Configured) => {
        }
        BrowserNaming::Header => return Err(Rejection::of(NO_PAIR_HERE)),
        BrowserNaming::Unusable => {
            return Err(Code::new(BAD_ARGUMENTS, UNUSABLE_NAME.text(context.language)).into());
        }
    }
    let call = Call { app: &app, loaded: &loaded, context: &context, element, function };
    call.run(arguments(request).await?).await
}

/// The element and the function at a path below /api/, if the function is public.
fn find<'a, 'p>(app: &'a App, path: &'p str) -> Option<(&'a Element, &'p str)> {
    let rest = path.strip_prefix(&format!("{}/{}/", app.org_id(), app.name()))?;
    let (element, function) = rest.rsplit_once('/')?;
    // A dot in a segment would give the same element a second address.
    let full_name = (!element.contains('.')).then(|| element.replace('/', "."))?;
    let element = app.element(&full_name).filter(|element| element.kind() == Kind::Instance)?;
    let declared = element.functions().iter().find(|declared| declared.name == function)?;
    (declared.access != Access::Library).then_some((element, function))
}

/// One call of an element function.
struct Call<'a> {
    app: &'a AppState,
    loaded: &'a Arc<LoadedApp>,
    context: &'a Arc<RequestContext>,
    element: &'a Element,
    function: &'a str,
}

impl Call<'_> {
    async fn run(&self, values: Map<String, Value>) -> Result<Response, Rejection> {
        let Self { app, context, function, .. } = *self;
        if function == "getLoginCode"
            && let Some(response) = self.authorization_response(&values)
        {
            return self.sign_in(response, values).await;
        }
        let session = session_of(&app.identity, context).await?;
        // A state is bound to a browser, so a client without a browser name gets one together with the state.
        let issues_state = function == "getLoginConfig";
        let (visitor, is_new) = match browser(app, context) {
            (browser, Some(cookie)) if issues_state => (Arc::new(Visitor::of(browser)), Some(cookie)),
            _ => (context.visitor.clone(), None),
        };
        let administers = Administrator::is_caller(app, context, session.as_ref()).await?;
        let caller = caller(context, visitor, session.as_ref(), administers);
        let outcome = self.element.call(function, Arguments::from(values), &caller).await?;
        let mut response = envelope::success(context, outcome.value);
        if let Some(cookie) = is_new {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        if let Some(hosts) = self.hosts().filter(|_| issues_state) {
            response.headers_mut().insert(cors::HOSTS, hosts);
        }
        Ok(response)
    }

    /// The code and the state that a getLoginCode brings. `None` for an element that is no instance of ours.
    fn authorization_response(&self, values: &Map<String, Value>) -> Option<AuthorizationResponse> {
        let text = |name: &str| Secret::new(values.get(name).and_then(Value::as_str).unwrap_or_default());
        Some(AuthorizationResponse {
            instance: self.loaded.instances.get(self.element.full_name())?.clone(),
            code: text("authCode"),
            state: text("state"),
            visitor: self.context.visitor.clone(),
        })
    }

    async fn sign_in(
        &self,
        response: AuthorizationResponse,
        values: Map<String, Value>,
    ) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let sign_in = SignIn {
            app: app.clone(),
            loaded: self.loaded.clone(),
            context: context.clone(),
            response,
            arguments: Arguments::from(values),
        };
        match sign_in.finish().await {
            Ok(Finished { value, signed_in: Some(signed_in) }) => {
                log::signed_in(app, &signed_in).await;
                self.welcome(value, &signed_in).await
            }
            Ok(Finished { value, signed_in: None }) => Ok(envelope::success(context, value)),
            Err(rejection) => {
                self.note(&rejection).await;
                Err(rejection)
            }
        }
    }

    /// Records a refused getLoginCode. Invalid calls were refused before they reached a Type.
    async fn note(&self, rejection: &Rejection) {
        let (app, instance) = (self.app, Some(self.element.full_name()));
        let of_the_call = [BAD_ARGUMENTS, NO_SUCH_FUNCTION, NOT_SIGNED_IN, ADMINISTRATORS_ONLY];
        if of_the_call.contains(&rejection.number()) {
            return;
        }
        match rejection.sign_in_error() {
            Some(error) => log::refused(app, instance, error).await,
            None => log::ended(app, instance, SignInEnd::ByTheApp(rejection.number())).await,
        }
    }

    /// Answers with the new session: as a cookie, or as a token pair if the client asked for one.
    async fn welcome(&self, value: Value, signed_in: &SignedIn) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        if let (BrowserNaming::Header, Some(token)) = (context.naming, &signed_in.token) {
            let pair = app.identity.sessions.begin_pair(token, &signed_in.session).await?;
            // None: a repeated delivery after the pair of the first one was used.
            let pair = pair.ok_or(SignInError::StateUsed)?;
            let shown = pair_body::shown(&pair, app.config.clock.now());
            return Ok(envelope::success_with_pair(context, value, shown));
        }
        let mut response = envelope::success(context, value);
        if context.naming == BrowserNaming::Cookie {
            set_cookies(app, context, signed_in, &mut response);
        }
        Ok(response)
    }

    /// The addresses of the instance's WeCom, from which a client builds the sign-in link. They are in a header because the
    /// platform defines the keys of the config.
    fn hosts(&self) -> Option<HeaderValue> {
        let instance = self.loaded.instances.get(self.element.full_name())?;
        let (login, oauth) = (instance.endpoints().login(), instance.endpoints().oauth());
        let hosts = json!({"login": login, "oauth": oauth, "scope": instance.scope().as_str()});
        HeaderValue::from_str(&hosts.to_string()).ok()
    }
}
