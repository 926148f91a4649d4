//! GET and POST /wecom/callback/{name}: WeCom's callbacks of an instance. Events of the app and of contact sync are each signed
//! with a pair of keys of their own.
//!
//! Failures are not rate limited: one wrong Token would lock out WeCom's own machines, and refusing a signature costs less than
//! counting it. Timestamps are not checked: repeated events are recognised, and their data is read from WeCom.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use wecom::callback::{CallbackError, Envelope, Signature};
use wecom_login_directory::events::{NotUnderstood, Received, Taken};
use wecom_login_sign_in::{EventSource, Instance, Instances};

use crate::http::body::{self, BodyError};
use crate::http::error_numbers::{
    BODY_TOO_LARGE, BODY_TOO_SLOW, CALLBACK_NOT_SIGNED, CALLBACK_UNREADABLE, NO_CALLBACK_HERE,
};
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::state::{Apps, Organisation};

const LARGEST_BODY: usize = 64 * 1024;

/// The instances at a callback address.
struct CallbackInstances {
    all: Arc<Instances>,
    name: String,
}

impl CallbackInstances {
    fn new(apps: &Apps, name: String) -> Self {
        Self { all: apps.loaded().instances.clone(), name }
    }

    /// The instances with callback keys, or a rejection if there are none.
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

/// GET: the check that WeCom makes when an address is saved in the admin console. It expects exactly the decrypted text within
/// a second (WeCom 90930).
pub(crate) async fn check_address(
    State(apps): State<Arc<Apps>>,
    State(organisation): State<Arc<Organisation>>,
    Path(name): Path<String>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    let called = CallbackInstances::new(&apps, name);
    let called = called.with_keys()?;
    let echo = context.parameter("echostr").unwrap_or_default();
    // The log names the wrong setting, for the person who is entering the settings in the admin console.
    let opened = open(&context, &called, &echo);
    let (instance, source, text) = opened.map_err(|error| refusal(&called, error))?;
    // An event is XML or JSON; the text of a check is neither. Otherwise the check would decrypt a captured event for an
    // attacker.
    if text.iter().any(|byte| matches!(byte, b'<' | b'{')) {
        let name = instance.full_name();
        let rejection = Rejection::of(CALLBACK_UNREADABLE);
        return Err(rejection.alert(format!("the address check of the callback of {name} contains an event")));
    }
    if source == EventSource::Contacts
        && let Err(error) = organisation.events.heard_from_contacts(instance.corp_id()).await
    {
        tracing::warn!(%error, "the successful check of contact sync's callback could not be recorded");
    }
    tracing::info!(instance = instance.full_name(), ?source, "WeCom has verified the callback address");
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
    let named = CallbackInstances::new(&apps, name);
    let called = named.with_keys()?;
    let body = body::read(request.into_body(), LARGEST_BODY).await.map_err(|problem| match problem {
        BodyError::TooLarge => Rejection::of(BODY_TOO_LARGE),
        BodyError::TooSlow => Rejection::of(BODY_TOO_SLOW),
        BodyError::Broken => Rejection::of(CALLBACK_UNREADABLE),
    })?;
    let envelope = Envelope::parse(&body).map_err(|_| refusal(&called, CallbackError::Envelope))?;
    let (instance, source, text) = match open(&context, &called, &envelope.encrypt) {
        Ok(opened) => opened,
        // A genuine message for another company or suite. It is acknowledged, because a repetition would not change it.
        Err(error @ CallbackError::Receiver) => {
            let cause = refusal(&called, error).cause();
            tracing::warn!(request_id = %context.request_id, cause, "an event was ignored");
            return Ok(StatusCode::OK.into_response());
        }
        Err(error) => return Err(refusal(&called, error)),
    };
    let received = Received {
        corp_id: instance.corp_id(),
        agent_id: instance.agent_id(),
        is_of_contacts: source == EventSource::Contacts,
        text: &text,
    };
    match organisation.events.accept(&received).await {
        Ok(taken) => {
            let instance = instance.full_name();
            match taken {
                Taken::New | Taken::Repeated => {}
                Taken::NotOurs => {
                    tracing::debug!(instance, "a callback without a contact event was ignored");
                }
                Taken::NotUnderstood(NotUnderstood { kind, problem }) => tracing::warn!(
                    request_id = %context.request_id,
                    instance,
                    kind,
                    problem,
                    "an authentic callback cannot be understood; the company is synchronised"
                ),
            }
            Ok(StatusCode::OK.into_response())
        }
        Err(error) => {
            tracing::error!(request_id = %context.request_id, instance = instance.full_name(), %error, "an event could not be stored");
            // Both of WeCom's documents promise another delivery without an answer, only one of them after an error status
            // (WeCom 90238, 90930).
            tokio::time::sleep(organisation.silence).await;
            Ok(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
    }
}

/// Decrypts the message with the first instance whose keys match. Several instances may share the address: their Tokens differ.
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

/// The rejection of a message. Its log entry names the wrong setting; the answer contains only the error number.
fn refusal(called: &[&Arc<Instance>], error: CallbackError) -> Rejection {
    let (number, what) = match error {
        CallbackError::Signature => (CALLBACK_NOT_SIGNED, "it is signed with a different Token"),
        CallbackError::Undecryptable => {
            (CALLBACK_UNREADABLE, "its signature is correct, but the EncodingAESKey is different")
        }
        CallbackError::Receiver => (
            CALLBACK_UNREADABLE,
            "its Token and EncodingAESKey are correct, but it is for another company: check corpId",
        ),
        _ => (CALLBACK_UNREADABLE, "it is not a WeCom callback"),
    };
    let instance = called.first().map(|instance| instance.full_name()).unwrap_or_default();
    Rejection::of(number).alert(format!("a callback of {instance} was refused: {what}"))
}
