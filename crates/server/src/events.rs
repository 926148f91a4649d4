//! GET and POST /wecom/callback/{name}: WeCom's events of an instance, the app's own and those of contact sync, each
//! signed with a pair of its own.
//!
//! There is no limit of failures here: WeCom's own machines would be locked out by one wrong Token, and to refuse a
//! signature costs less than to count it. There is no window of time either: what comes again is known as such, and
//! what it asks for is read from WeCom.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use wecom::Budget;
use wecom::callback::{CallbackError, Envelope, Message, Signature};
use wecom_login_directory::Viewer;
use wecom_login_directory::events::{Apps, Received, Taken};
use wecom_login_login::{EventSource, Instance, Instances, Registry};
use wecom_login_model::CorpId;

use crate::body::{self, NoBody};
use crate::request::Visit;
use crate::site::Site;

const LARGEST_BODY: usize = 64 * 1024;

/// The apps of the instances that work now.
#[derive(Debug)]
pub(crate) struct ConfiguredApps {
    pub(crate) instances: Arc<Registry>,
    pub(crate) sync_every: Option<Duration>,
}

impl Apps for ConfiguredApps {
    fn of(&self, corp_id: &CorpId, budget: &Budget) -> Vec<Viewer> {
        let mut viewers = self.instances.now().viewers_within(budget);
        viewers.retain(|viewer| viewer.corp_id == *corp_id);
        viewers
    }

    fn sync_every(&self) -> Option<Duration> {
        self.sync_every
    }
}

pub(crate) async fn callback(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    method: Method,
    visit: Visit,
    request: Request,
) -> Response {
    let instances = site.served().instances.clone();
    let (called, with_keys): (usize, Vec<_>) = {
        let called: Vec<_> = instances.called(&name).collect();
        (called.len(), called.into_iter().filter(|instance| !instance.callback_keys().is_empty()).collect())
    };
    if with_keys.is_empty() {
        if called > 0 {
            tracing::warn!(
                instance = name,
                "a callback came, but the instance has no callbackToken and no contactCallbackToken"
            );
        }
        return answer(StatusCode::NOT_FOUND, "no callback is configured under this name\n");
    }
    if method == Method::GET {
        return check_of_address(&site, &visit, &with_keys).await;
    }
    match body::read(request.into_body(), LARGEST_BODY).await {
        Ok(body) => event(&site, &visit, &instances, &with_keys, &body).await,
        Err(NoBody::TooLarge) => answer(StatusCode::PAYLOAD_TOO_LARGE, "the message is larger than 64 KiB\n"),
        Err(NoBody::TooSlow) => answer(StatusCode::REQUEST_TIMEOUT, "the message takes too long\n"),
        Err(NoBody::Broken) => answer(StatusCode::BAD_REQUEST, "the message breaks off\n"),
    }
}

/// WeCom checks an address when it is saved in the console: within a second it wants the decrypted text, exactly
/// (WeCom 90930).
async fn check_of_address(site: &Site, visit: &Visit, called: &[&Arc<Instance>]) -> Response {
    let echo = visit.parameter("echostr").unwrap_or_default();
    let (instance, source, text) = match open(visit, called, &echo) {
        Ok(opened) => opened,
        // Whoever is typing the settings into the console is told by the log which one is wrong.
        Err(error) => return refused(called, error, StatusCode::BAD_REQUEST),
    };
    if Message::parse(&text).is_ok() {
        // An event that somebody captured would be decrypted for them.
        tracing::warn!(
            instance = instance.full_name(),
            "the check of a callback's address holds an event; it is refused"
        );
        return answer(StatusCode::BAD_REQUEST, "this is an event, not a check\n");
    }
    if source == EventSource::Contacts
        && let Err(error) = site.events.heard_from_contacts(instance.corp_id()).await
    {
        tracing::warn!(%error, "it could not be noted that contact sync's callback works");
    }
    tracing::info!(instance = instance.full_name(), ?source, "WeCom has checked the callback's address");
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (headers, text).into_response()
}

async fn event(
    site: &Site,
    visit: &Visit,
    instances: &Instances,
    called: &[&Arc<Instance>],
    body: &[u8],
) -> Response {
    let Ok(envelope) = Envelope::parse(body) else {
        return refused(called, CallbackError::Envelope, StatusCode::BAD_REQUEST);
    };
    let (instance, source, text) = match open(visit, called, &envelope.encrypt) {
        Ok(opened) => opened,
        // For another company or suite: WeCom's word, and not ours. Sent again it would be the same.
        Err(CallbackError::Receiver) => return refused(called, CallbackError::Receiver, StatusCode::OK),
        Err(error) => return refused(called, error, StatusCode::BAD_REQUEST),
    };
    let received = Received {
        corp_id: instance.corp_id(),
        agent_id: instance.agent_id(),
        instances: instances.of_the_app_of(instance),
        is_of_contacts: source == EventSource::Contacts,
        text: &text,
    };
    match site.events.accept(&received).await {
        Ok(taken) => {
            if taken == Taken::NotOurs {
                tracing::debug!(instance = instance.full_name(), "a callback that asks for nothing");
            }
            StatusCode::OK.into_response()
        }
        Err(error) => {
            tracing::error!(request_id = %visit.request_id, instance = instance.full_name(), %error, "an event could not be taken");
            // Silence is sent again by both of WeCom's documents, a status by one of them only (WeCom 90238, 90930).
            tokio::time::sleep(site.silence).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The message, by the first instance whose keys fit. The address may be that of several: their Tokens differ.
fn open<'a>(
    visit: &Visit,
    called: &[&'a Arc<Instance>],
    encrypt: &str,
) -> Result<(&'a Arc<Instance>, EventSource, Vec<u8>), CallbackError> {
    let parameter = |name| visit.parameter(name).unwrap_or_default();
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
fn refused(called: &[&Arc<Instance>], error: CallbackError, otherwise: StatusCode) -> Response {
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
        (CallbackError::Signature, _) => answer(StatusCode::FORBIDDEN, "the signature is wrong\n"),
        (_, StatusCode::OK) => StatusCode::OK.into_response(),
        (_, status) => answer(status, "the message cannot be read\n"),
    }
}

fn answer(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
