//! A company's server for callbacks, whose every answer the test gives itself.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use url::form_urlencoded;
use wecom::Secret;
use wecom::callback::{Channel, EncodingAesKey, Envelope, Message, Signature};
use wecom_login_simulator::{Callback, Receiver, Rule, Simulator, sample};

use crate::browser::PATIENCE;

pub(crate) const TOKEN: &str = "QDG6eK";
pub(crate) const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

type Answers = mpsc::UnboundedSender<Request>;

/// The server.
pub(crate) struct Inbox {
    pub(crate) url: String,
    requests: mpsc::UnboundedReceiver<Request>,
}

/// A request that waits for its answer.
pub(crate) struct Request {
    query: String,
    body: String,
    answer: oneshot::Sender<(u16, String)>,
}

async fn receive(
    State(answers): State<Answers>,
    RawQuery(query): RawQuery,
    body: String,
) -> (StatusCode, String) {
    let (answer, answered) = oneshot::channel();
    let _ = answers.send(Request { query: query.unwrap_or_default(), body, answer });
    let (status, body) = answered.await.unwrap_or((500, String::new()));
    (StatusCode::from_u16(status).unwrap(), body)
}

fn channel() -> Channel {
    Channel::new(Secret::new(TOKEN), EncodingAesKey::parse(AES_KEY).unwrap(), sample::CORP_ID)
}

impl Inbox {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/cb", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        let app = Router::new().fallback(any(receive)).with_state(sender);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, requests }
    }

    pub(crate) fn setting(&self, rule: Rule) -> Callback {
        Callback { url: self.url.clone(), token: TOKEN.to_owned(), aes_key: AES_KEY.to_owned(), rule }
    }

    /// The setting, saved with a check that was answered well.
    pub(crate) async fn saved(sim: &Simulator, receiver: Receiver, rule: Rule) -> Self {
        let mut inbox = Self::open().await;
        let setting = inbox.setting(rule);
        let save = sim.save_callback(sample::CORP_ID, receiver, setting);
        let check = async {
            let check = inbox.next().await;
            let echo = check.echo();
            check.answer(200, &echo);
        };
        tokio::join!(save, check).0.unwrap();
        inbox
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        let next = tokio::time::timeout(PATIENCE, self.requests.recv()).await;
        next.unwrap_or_else(|_| panic!("no request came within {PATIENCE:?}")).unwrap()
    }

    /// The next event, taken with 200.
    pub(crate) async fn event(&mut self) -> Message {
        let request = self.next().await;
        let event = request.event();
        request.answer(200, "");
        event
    }

    /// Nothing else came.
    pub(crate) fn assert_empty(&mut self) {
        assert!(self.requests.try_recv().is_err(), "one more request");
    }
}

impl Request {
    pub(crate) fn parameter(&self, name: &str) -> String {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    fn opened(&self, encrypt: &str) -> String {
        let [msg_signature, timestamp, nonce] =
            ["msg_signature", "timestamp", "nonce"].map(|name| self.parameter(name));
        let signature = Signature { msg_signature: &msg_signature, timestamp: &timestamp, nonce: &nonce };
        String::from_utf8(channel().open(signature, encrypt).unwrap()).unwrap()
    }

    /// The plain text of a check.
    pub(crate) fn echo(&self) -> String {
        self.opened(&self.parameter("echostr"))
    }

    /// The plain text of an event.
    pub(crate) fn text(&self) -> String {
        self.opened(&Envelope::parse(self.body.as_bytes()).unwrap().encrypt)
    }

    pub(crate) fn event(&self) -> Message {
        Message::parse(self.text().as_bytes()).unwrap()
    }

    /// The AgentID outside the encryption.
    pub(crate) fn agentid(&self) -> String {
        Message::parse(self.body.as_bytes()).unwrap().get("AgentID").unwrap().to_owned()
    }

    pub(crate) fn answer(self, status: u16, body: &str) {
        let _ = self.answer.send((status, body.to_owned()));
    }
}
