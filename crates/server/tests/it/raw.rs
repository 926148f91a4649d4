//! Requests of any bytes. HTTP clients refuse to send most of them.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wecom_login_testkit::wait::within;

/// A request without a body.
#[derive(Debug, Clone)]
pub(crate) struct RawRequest {
    start: String,
    headers: Vec<(&'static str, Vec<u8>)>,
}

/// The answer to a raw request.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    /// The bytes after the status line.
    pub(crate) text: String,
}

impl RawRequest {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { start: format!("{method} {path} HTTP/1.1\r\n"), headers: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends the request on a connection of its own.
    pub(crate) async fn send(&self, address: SocketAddr) -> RawAnswer {
        let mut bytes = self.start.clone().into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"host: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let exchange = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = within("the answer to a raw request", exchange).await;
        let (start, text) = answer.split_once("\r\n").unwrap_or_else(|| panic!("{answer:?}: {self}"));
        let status = start.split(' ').nth(1).unwrap().parse().unwrap();
        RawAnswer { status, text: text.to_owned() }
    }
}

/// The request as one can repeat it.
impl std::fmt::Display for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.start)?;
        self.headers.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {}", value.escape_ascii()))
    }
}
