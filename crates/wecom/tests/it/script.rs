//! A WeCom that does what a test tells it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use wecom::{Budget, Client, ClientBuilder, Endpoints, InProcessTokens, Transport};
use wecom::{CorpId, ManualClock, Secret, SeededEntropy, Timestamp};

/// A request as the script sees it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The path below `/cgi-bin/`.
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) body: String,
    pub(crate) head: String,
    /// 1 for the first request to this path.
    pub(crate) nth: usize,
}

impl Seen {
    pub(crate) fn get(&self, key: &str) -> &str {
        self.query.get(key).map_or("", String::as_str)
    }
}

/// What the script answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Json(String),
    Status(u16),
    /// Any body, with HTTP status 200.
    Body(Vec<u8>),
    /// Promises more than it sends, then hangs up.
    Cut,
    /// Hangs up without a word.
    Drop,
    /// Holds the answer until the gate opens.
    After(Gate, Box<Reply>),
}

/// Holds whatever waits at it until it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(crate) fn open(&self) {
        self.0.add_permits(Semaphore::MAX_PERMITS >> 1);
    }

    pub(crate) fn then(&self, reply: Reply) -> Reply {
        Reply::After(self.clone(), Box::new(reply))
    }
}

pub(crate) fn json(text: impl Into<String>) -> Reply {
    Reply::Json(text.into())
}

pub(crate) fn refuse(errcode: i64) -> Reply {
    json(format!(r#"{{"errcode":{errcode},"errmsg":"refused"}}"#))
}

pub(crate) fn token(text: &str) -> Reply {
    json(format!(r#"{{"errcode":0,"errmsg":"ok","access_token":"{text}","expires_in":7200}}"#))
}

pub(crate) fn member() -> Reply {
    json(r#"{"errcode":0,"errmsg":"ok","userid":"zhangsan"}"#)
}

/// No wait is longer; what is waited for takes a fraction of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The outcome of the work, or a failure that names what did not come in time.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, work).await;
    outcome.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Looks until it is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    within(what, looking).await;
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

#[derive(Clone)]
pub(crate) struct WeCom {
    address: SocketAddr,
    counts: Arc<watch::Sender<HashMap<String, usize>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

impl WeCom {
    /// Answers by `script`.
    pub(crate) async fn with(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wecom = Self {
            address: listener.local_addr().unwrap(),
            counts: Arc::new(watch::Sender::new(HashMap::new())),
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (script, shared): (Arc<Script>, _) = (Arc::new(script), wecom.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (script, shared) = (script.clone(), shared.clone());
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move { while shared.answer(&mut stream, &script).await.is_some() {} });
            }
        });
        wecom
    }

    /// Gives out token T1, T2, … and answers everything else by `script`.
    pub(crate) async fn with_tokens(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(move |seen| match seen.path.as_str() {
            "gettoken" => token(&format!("T{}", seen.nth)),
            _ => script(seen),
        })
        .await
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.counts.borrow().get(path).copied().unwrap_or(0)
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns when `path` has been asked for `times` times.
    pub(crate) async fn asked(&self, path: &str, times: usize) {
        let mut counts = self.counts.subscribe();
        let asked = counts.wait_for(|counts| counts.get(path).copied().unwrap_or(0) >= times);
        within(&format!("{path} is called {times} times"), asked).await.unwrap();
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// A client of company ww1 with secret SECRET.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(CorpId::parse("ww1").unwrap(), Secret::new("SECRET"))
            .endpoints(Endpoints::default().with_api(&self.base()).unwrap())
            .entropy(Arc::new(SeededEntropy::new(1)))
    }

    async fn answer(&self, stream: &mut TcpStream, script: &Arc<Script>) -> Option<()> {
        let seen = self.read(stream).await?;
        let mut reply = script(&seen);
        self.seen.lock().unwrap().push(seen.clone());
        self.counts.send_modify(|counts| *counts.entry(seen.path.clone()).or_default() += 1);
        while let Reply::After(gate, next) = reply {
            let _ = gate.0.acquire().await.unwrap();
            reply = *next;
        }
        let (status, body) = match reply {
            Reply::Json(text) => (200, text.into_bytes()),
            Reply::Body(body) => (200, body),
            Reply::Status(status) => (status, Vec::new()),
            Reply::Cut => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"errcode\":0")
                    .await
                    .ok()?;
                return None;
            }
            Reply::Drop | Reply::After(..) => return None,
        };
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nlocation: /moved\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(&body).await.ok()
    }

    async fn read(&self, stream: &mut TcpStream) -> Option<Seen> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap_or(0);
        while bytes.len() < length {
            stream.read_buf(&mut bytes).await.ok()?;
        }
        let target = head.split(' ').nth(1).unwrap();
        // A proxy is asked with a whole URL, a server with a path.
        let url = url::Url::parse("http://x").unwrap().join(target).unwrap();
        let path = url.path().trim_start_matches("/cgi-bin/").to_owned();
        let nth = self.count(&path) + 1;
        Some(Seen {
            nth,
            path,
            query: url.query_pairs().into_owned().collect(),
            body: String::from_utf8(bytes).unwrap(),
            head,
        })
    }
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_millis(1_700_000_000_000))
}

/// A transport that gives up soon, for servers that never answer.
pub(crate) fn impatient() -> Transport {
    Transport::builder().call_time_out(Duration::from_millis(50)).build().unwrap()
}

/// An impatient client that has its token already, so that only the call itself can time out.
pub(crate) async fn impatient_client(wecom: &WeCom) -> Client {
    let store = Arc::new(InProcessTokens::new());
    let patient = wecom.builder().token_store(store.clone()).build().unwrap();
    patient.within(Budget::background()).access_token().await.unwrap();
    let client = wecom.builder().token_store(store).transport(impatient()).build().unwrap();
    client.within(Budget::background()).access_token().await.unwrap();
    client
}
