//! POST /api/{org}/{app}/{element path}/{function}: the element functions that functionList makes public.

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use serde_json::{Map, Value, json};
use wecom_login_element::{Access, App, Arguments, Code, Element, Kind, Outcome};
use wecom_login_model::{Bilingual, Secret};
use wecom_login_sign_in::{Refusal, SignedIn};

use crate::console::administrator::Administrator;
use crate::element_api::caller::caller;
use crate::http::body::arguments;
use crate::http::error_numbers::{
    ADMINISTRATORS_ONLY, BAD_ARGUMENTS, NO_PAIR_HERE, NO_SUCH_FUNCTION, NOT_SIGNED_IN, OVERLOADED,
    TOO_MANY_FAILURES,
};
use crate::http::fetch_metadata::FetchSite;
use crate::http::rejection::Rejection;
use crate::http::request::{BrowserNaming, Context, RequestContext};
use crate::http::visitor::session_of;
use crate::http::{cors, envelope};
use crate::session::pair_body;
use crate::sign_in::begin::browser;
use crate::sign_in::finish::{leave_former_session, withdraw};
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
    if app.identity.limits.is_locked_out(context.address, app.config.clock.now()).await? {
        return Err(Rejection::of(TOO_MANY_FAILURES));
    }
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
    loaded: &'a LoadedApp,
    context: &'a RequestContext,
    element: &'a Element,
    function: &'a str,
}

impl Call<'_> {
    async fn run(&self, values: Map<String, Value>) -> Result<Response, Rejection> {
        let Self { app, context, function, .. } = *self;
        let session = session_of(&app.identity, context).await?;
        // A state is bound to a browser, so a client without a browser name gets one together with the state.
        let issues_state = function == "getLoginConfig";
        let (named, is_new) = browser(app, context);
        let limits = &app.identity.limits;
        let _place = match issues_state.then(|| limits.place()) {
            Some(None) => return Err(Rejection::of(OVERLOADED)),
            place => place.flatten(),
        };
        if issues_state && !is_new && !limits.may_issue(&named, app.config.clock.now()).await? {
            return Err(Rejection::of(OVERLOADED));
        }
        let state = values.get("state").and_then(Value::as_str).map(Secret::new);
        let known = (issues_state || !is_new).then_some(&named);
        let administers = Administrator::is_caller(app, context, session.as_ref()).await?;
        let caller = caller(context, known, session.as_ref(), administers);
        match self.element.call(function, Arguments::from(values), &caller).await {
            Ok(Outcome { value, effect }) => {
                let signed_in = effect.and_then(|effect| effect.take::<SignedIn>().ok());
                let mut response = match &signed_in {
                    Some(signed_in) => {
                        log::signed_in(app, signed_in).await;
                        self.welcome(value, signed_in).await?
                    }
                    None => {
                        self.withdraw(state.as_ref()).await;
                        envelope::success(context, value)
                    }
                };
                if issues_state {
                    if is_new {
                        response.headers_mut().append(SET_COOKIE, app.config.cookies.set_browser(&named));
                    }
                    if let Some(hosts) = self.hosts() {
                        response.headers_mut().insert(cors::HOSTS, hosts);
                    }
                }
                Ok(response)
            }
            Err(code) => {
                let rejection = Rejection::from(code);
                self.note(&rejection, state.as_ref()).await;
                Err(rejection)
            }
        }
    }

    /// Counts and audits a refused getLoginCode. Invalid calls were refused before they reached a Type.
    async fn note(&self, rejection: &Rejection, state: Option<&Secret>) {
        let (app, instance) = (self.app, Some(self.element.full_name()));
        let of_the_call = [BAD_ARGUMENTS, NO_SUCH_FUNCTION, NOT_SIGNED_IN, ADMINISTRATORS_ONLY];
        if self.function != "getLoginCode" || of_the_call.contains(&rejection.number()) {
            return;
        }
        let refusal = rejection.sign_in_error();
        if refusal.is_none_or(|refusal| !refusal.may_be_tried_again()) {
            app.identity.limits.count_failure(self.context.address, app.config.clock.now()).await;
        }
        match refusal {
            Some(refusal) => log::refused(app, instance, refusal).await,
            None => {
                log::ended(app, instance, SignInEnd::ByTheApp(rejection.number())).await;
                self.withdraw(state).await;
            }
        }
    }

    /// Revokes the session of a getLoginCode that an app's own Type has refused.
    async fn withdraw(&self, state: Option<&Secret>) {
        if let ("getLoginCode", Some(state)) = (self.function, state) {
            withdraw(self.app, self.context, state).await;
        }
    }

    /// Answers with the new session: as a cookie, or as a token pair if the client asked for one.
    async fn welcome(&self, value: Value, signed_in: &SignedIn) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let Some(token) = &signed_in.token else { return Ok(envelope::success(context, value)) };
        let now = app.config.clock.now();
        if context.naming == BrowserNaming::Header {
            let pair = app.identity.sessions.begin_pair(token, &signed_in.session).await?;
            // None: a repeated delivery after the pair of the first one was used.
            let pair = pair.ok_or(Refusal::StateUsed)?;
            return Ok(envelope::success_with_pair(context, value, pair_body::shown(&pair, now)));
        }
        leave_former_session(app, context, token, &signed_in.session.id).await;
        let mut response = envelope::success(context, value);
        let lifetime = signed_in.session.expires_at.since(now);
        response.headers_mut().append(SET_COOKIE, app.config.cookies.set_session(token, lifetime));
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
