//! The least HTTP client there can be: it shows what is on the wire, which a real one hides.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wecom_login_simulator::{Options, Simulator, sample};

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The header's value; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn errcode(&self) -> i64 {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["errcode"].as_i64().unwrap()
    }
}

/// No wait is longer; what is waited for takes a fraction of it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Sends one request on a connection of its own.
pub(crate) async fn send(
    sim: &Simulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", sim.port())).await?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    let own_host = format!("localhost:{}", sim.port());
    let has_host = headers.iter().any(|(name, _)| *name == "host");
    for (name, value) in (!has_host).then_some(("host", own_host.as_str())).iter().chain(headers) {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() {
        write!(request, "content-type: application/json\r\ncontent-length: {}\r\n", body.len()).unwrap();
    }
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).await?;
    let mut bytes = Vec::new();
    let answer = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    answer.unwrap_or_else(|_| panic!("{method} {path} is not answered within {PATIENCE:?}"))?;
    // A damaged answer need not be UTF-8.
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

pub(crate) async fn get(sim: &Simulator, path: &str) -> Answer {
    send(sim, "GET", path, &[], "").await.unwrap()
}

pub(crate) async fn post(sim: &Simulator, path: &str, body: &str) -> Answer {
    send(sim, "POST", path, &[], body).await.unwrap()
}

pub(crate) async fn start() -> Simulator {
    Simulator::start(Options::default()).await.unwrap()
}

/// A token of the sample company's new app.
pub(crate) async fn token(sim: &Simulator) -> String {
    token_of(sim, sample::CORP_ID, sample::SECRET).await
}

/// A token of the sample company's old app.
pub(crate) async fn old_token(sim: &Simulator) -> String {
    token_of(sim, sample::CORP_ID, sample::OLD_SECRET).await
}

pub(crate) async fn token_of(sim: &Simulator, corpid: &str, secret: &str) -> String {
    let answer = get(sim, &format!("/cgi-bin/gettoken?corpid={corpid}&corpsecret={secret}")).await;
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// The parameters of a redirect, and the address before them.
pub(crate) fn redirect(answer: &Answer) -> (String, Vec<(String, String)>) {
    assert_eq!(answer.status, 302, "{answer:?}");
    let url = url::Url::parse(answer.header("location")).unwrap();
    let pairs = url.query_pairs().into_owned().collect();
    let mut base = url;
    base.set_query(None);
    (base.into(), pairs)
}

/// The value of one parameter of a redirect.
pub(crate) fn parameter(answer: &Answer, name: &str) -> Option<String> {
    redirect(answer).1.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// What a code says about its person, redeemed with the new app's token.
pub(crate) async fn redeem(sim: &Simulator, code: &str) -> Value {
    let token = token(sim).await;
    get(sim, &format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={code}")).await.json()
}
