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
use axum::response::{IntoResponse, Response};
use wecom::callback::{CallbackError, Envelope, Message, Signature};
use wecom_login_directory::events::{Received, Taken};
use wecom_login_sign_in::{EventSource, Instance, Instances};

use crate::http::body::{self, NoBody};
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
    fn with_keys(&self) -> Result<Vec<&Arc<Instance>>, Answer> {
        let called: Vec<_> = self.all.called(&self.name).collect();
        let with_keys: Vec<_> =
            called.iter().copied().filter(|instance| !instance.callback_keys().is_empty()).collect();
        if !with_keys.is_empty() {
            return Ok(with_keys);
        }
        if !called.is_empty() {
            tracing::warn!(
                instance = self.name,
                "a callback came, but the instance has no callbackToken and no contactCallbackToken"
            );
        }
        Err(Answer(StatusCode::NOT_FOUND, "no callback is configured under this name\n"))
    }
}

/// GET: WeCom checks an address when it is saved in the console: within a second it wants the decrypted text, exactly
/// (WeCom 90930).
pub(crate) async fn check_address(
    State(apps): State<Arc<Apps>>,
    State(organisation): State<Arc<Organisation>>,
    Path(name): Path<String>,
    Extension(context): Context,
) -> Result<Response, Answer> {
    let called = Called::new(&apps, name);
    let called = called.with_keys()?;
    let echo = context.parameter("echostr").unwrap_or_default();
    // The log says which setting is wrong, for the person who is typing them into the console.
    let opened = open(&context, &called, &echo);
    let (instance, source, text) =
        opened.map_err(|error| refused(&called, error, StatusCode::BAD_REQUEST))?;
    if Message::parse(&text).is_ok() {
        // A captured event would be decrypted for its thief.
        tracing::warn!(
            instance = instance.full_name(),
            "the check of a callback's address holds an event; it is refused"
        );
        return Err(Answer(StatusCode::BAD_REQUEST, "this is an event, not a check\n"));
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
) -> Result<Response, Answer> {
    let named = Called::new(&apps, name);
    let called = named.with_keys()?;
    let body = body::read(request.into_body(), LARGEST_BODY).await.map_err(|problem| match problem {
        NoBody::TooLarge => Answer(StatusCode::PAYLOAD_TOO_LARGE, "the message is larger than 64 KiB\n"),
        NoBody::TooSlow => Answer(StatusCode::REQUEST_TIMEOUT, "the message takes too long\n"),
        NoBody::Broken => Answer(StatusCode::BAD_REQUEST, "the message breaks off\n"),
    })?;
    let envelope = Envelope::parse(&body);
    let envelope =
        envelope.map_err(|_| refused(&called, CallbackError::Envelope, StatusCode::BAD_REQUEST))?;
    let (instance, source, text) =
        open(&context, &called, &envelope.encrypt).map_err(|error| match error {
            // For another company or suite: WeCom's word, and not ours. Sent again it would be the same.
            CallbackError::Receiver => refused(&called, error, StatusCode::OK),
            _ => refused(&called, error, StatusCode::BAD_REQUEST),
        })?;
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

/// `otherwise` is the answer to what was signed with our Token and cannot be read.
fn refused(called: &[&Arc<Instance>], error: CallbackError, otherwise: StatusCode) -> Answer {
    let instance = called.first().map(|instance| instance.full_name());
    let what = match error {
        CallbackError::Signature => "its signature is of another Token",
        CallbackError::Undecryptable => "its signature is right, but the EncodingAESKey is another",
        CallbackError::Receiver => {
            "its Token and EncodingAESKey are right, but it is for another company: look at corpId"
        }
        _ => "it is no callback of WeCom",
    };
    tracing::warn!(instance, "a callback was refused: {what}");
    match (error, otherwise) {
        (CallbackError::Signature, _) => Answer(StatusCode::FORBIDDEN, "the signature is wrong\n"),
        (_, StatusCode::OK) => Answer(StatusCode::OK, ""),
        (_, status) => Answer(status, "the message cannot be read\n"),
    }
}

/// A refusal: a status and a line of text. WeCom reads neither; a person with curl does.
#[derive(Debug)]
pub(crate) struct Answer(StatusCode, &'static str);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self(status, text) = self;
        if text.is_empty() {
            return status.into_response();
        }
        (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
    }
}
