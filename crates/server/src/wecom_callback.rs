//! GET and POST /wecom/callback/{name}: WeCom's events of an instance, the app's own and those of contact sync, each
//! signed with a pair of its own.
//!
//! There is no limit of failures here: WeCom's own machines would be locked out by one wrong Token, and to refuse a
//! signature costs less than to count it. There is no window of time either: what comes again is known as such, and
//! what it asks for is read from WeCom.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use wecom::callback::{CallbackError, Envelope, Message, Signature};
use wecom_login_directory::events::{Received, Taken};
use wecom_login_sign_in::{EventSource, Instance, Instances};

use crate::http::body::{self, NoBody};
use crate::http::error_numbers::{
    BODY_TOO_LARGE, BODY_TOO_SLOW, CALLBACK_NOT_SIGNED, CALLBACK_UNREADABLE, NO_CALLBACK_HERE,
};
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::state::{Apps, Organisation};

const LARGEST_BODY: usize = 64 * 1024;

/// The instances that a callback's address names.
struct Called {
    all: Arc<Instances>,
    name: String,
}

impl Called {
    fn new(apps: &Apps, name: String) -> Self {
        Self { all: apps.loaded().instances.clone(), name }
    }

    /// Those with keys for a callback, or the answer that there are none.
    fn with_keys(&self) -> Result<Vec<&Arc<Instance>>, Rejection> {
        let called: Vec<_> = self.all.called(&self.name).collect();
        let with_keys: Vec<_> =
            called.iter().copied().filter(|instance| !instance.callback_keys().is_empty()).collect();
        if !with_keys.is_empty() {
            return Ok(with_keys);
        }
        let rejection = Rejection::of(NO_CALLBACK_HERE);
        if called.is_empty() {
            return Err(rejection);
        }
        let name = &self.name;
        Err(rejection.alert(format!("instance {name} has no callbackToken and no contactCallbackToken")))
    }
}

/// GET: WeCom checks an address when it is saved in the console: within a second it wants the decrypted text, exactly
/// (WeCom 90930).
pub(crate) async fn check_address(
    State(apps): State<Arc<Apps>>,
    State(organisation): State<Arc<Organisation>>,
    Path(name): Path<String>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    let called = Called::new(&apps, name);
    let called = called.with_keys()?;
    let echo = context.parameter("echostr").unwrap_or_default();
    // The log says which setting is wrong, for the person who is typing them into the console.
    let opened = open(&context, &called, &echo);
    let (instance, source, text) = opened.map_err(|error| refusal(&called, error))?;
    if Message::parse(&text).is_ok() {
        // A captured event would be decrypted for its thief.
        let name = instance.full_name();
        let rejection = Rejection::of(CALLBACK_UNREADABLE);
        return Err(rejection.alert(format!("the check of the callback's address of {name} holds an event")));
    }
    if source == EventSource::Contacts
        && let Err(error) = organisation.events.heard_from_contacts(instance.corp_id()).await
    {
        tracing::warn!(%error, "it could not be noted that contact sync's callback works");
    }
    tracing::info!(instance = instance.full_name(), ?source, "WeCom has checked the callback's address");
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((headers, text).into_response())
}

/// POST: an event.
pub(crate) async fn event(
    State(apps): State<Arc<Apps>>,
    State(organisation): State<Arc<Organisation>>,
    Path(name): Path<String>,
    Extension(context): Context,
    request: Request,
) -> Result<Response, Rejection> {
    let named = Called::new(&apps, name);
    let called = named.with_keys()?;
    let body = body::read(request.into_body(), LARGEST_BODY).await.map_err(|problem| match problem {
        NoBody::TooLarge => Rejection::of(BODY_TOO_LARGE),
        NoBody::TooSlow => Rejection::of(BODY_TOO_SLOW),
        NoBody::Broken => Rejection::of(CALLBACK_UNREADABLE),
    })?;
    let envelope = Envelope::parse(&body).map_err(|_| refusal(&called, CallbackError::Envelope))?;
    let (instance, source, text) = match open(&context, &called, &envelope.encrypt) {
        Ok(opened) => opened,
        // For another company or suite: WeCom's word, and not ours. Sent again it would be the same.
        Err(error @ CallbackError::Receiver) => {
            let cause = refusal(&called, error).cause();
            tracing::warn!(request_id = %context.request_id, cause, "an event is left out");
            return Ok(StatusCode::OK.into_response());
        }
        Err(error) => return Err(refusal(&called, error)),
    };
    let received = Received {
        corp_id: instance.corp_id(),
        agent_id: instance.agent_id(),
        instances: named.all.of_the_app_of(instance),
        is_of_contacts: source == EventSource::Contacts,
        text: &text,
    };
    match organisation.events.accept(&received).await {
        Ok(taken) => {
            if taken == Taken::NotOurs {
                tracing::debug!(instance = instance.full_name(), "a callback that asks for nothing");
            }
            Ok(StatusCode::OK.into_response())
        }
        Err(error) => {
            tracing::error!(request_id = %context.request_id, instance = instance.full_name(), %error, "an event could not be taken");
            // Silence is sent again by both of WeCom's documents, a status by one of them only (WeCom 90238, 90930).
            tokio::time::sleep(organisation.silence).await;
            Ok(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
    }
}

/// The message, by the first instance whose keys fit. The address may be that of several: their Tokens differ.
fn open<'a>(
    context: &RequestContext,
    called: &[&'a Arc<Instance>],
    encrypt: &str,
) -> Result<(&'a Arc<Instance>, EventSource, Vec<u8>), CallbackError> {
    let parameter = |name| context.parameter(name).unwrap_or_default();
    let (msg_signature, timestamp, nonce) =
        (parameter("msg_signature"), parameter("timestamp"), parameter("nonce"));
    let signature = Signature { msg_signature: &msg_signature, timestamp: &timestamp, nonce: &nonce };
    let mut furthest = CallbackError::Signature;
    for instance in called {
        match instance.callback_keys().open(signature, encrypt) {
            Ok((source, text)) => return Ok((instance, source, text)),
            Err(error) if furthest == CallbackError::Signature => furthest = error,
            Err(_) => {}
        }
    }
    Err(furthest)
}

/// The refusal of a message, which says to the operator which setting is wrong. The sender learns only what it sent.
fn refusal(called: &[&Arc<Instance>], error: CallbackError) -> Rejection {
    let (number, what) = match error {
        CallbackError::Signature => (CALLBACK_NOT_SIGNED, "its signature is of another Token"),
        CallbackError::Undecryptable => {
            (CALLBACK_UNREADABLE, "its signature is right, but the EncodingAESKey is another")
        }
        CallbackError::Receiver => (
            CALLBACK_UNREADABLE,
            "its Token and EncodingAESKey are right, but it is for another company: look at corpId",
        ),
        _ => (CALLBACK_UNREADABLE, "it is no callback of WeCom"),
    };
    let instance = called.first().map(|instance| instance.full_name()).unwrap_or_default();
    Rejection::of(number).alert(format!("a callback of {instance} was refused: {what}"))
}
