//! What WeCom itself asks of a company's server: a domain's ownership file, callbacks. Nothing ever leaves this
//! machine: an address that is not loopback is refused before a connection is made, names are not looked up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::redirect::Policy;
use url::{Host, Url};

/// The most that is read of an answer, in bytes.
const LARGEST: usize = 64 << 10;

/// The way out.
pub(crate) struct Outbound(reqwest::Client);

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Outbound {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // Fails when the process has a provider already, which then serves as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .user_agent("Mozilla/4.0")
            .resolve_to_addrs("localhost", &loopback.map(|ip| SocketAddr::new(ip, 0)))
            // No authority signs for loopback.
            .tls_danger_accept_invalid_certs(true)
            .build()?;
        Ok(Self(client))
    }

    /// The address, if it is one on this machine.
    pub(crate) fn on_this_machine(url: &str) -> Result<Url, String> {
        let url = Url::parse(url).map_err(|error| format!("{url:?} is no URL: {error}"))?;
        let here = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if here && matches!(url.scheme(), "http" | "https") {
            Ok(url)
        } else {
            Err(format!(
                "{url} is not http or https on localhost, 127.0.0.1 or [::1], and the simulator asks nobody else"
            ))
        }
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Reply, String> {
        Self::reply(self.0.get(url.clone())).await
    }

    pub(crate) async fn post(&self, url: &Url, xml: String) -> Result<Reply, String> {
        Self::reply(self.0.post(url.clone()).header("content-type", "text/xml").body(xml)).await
    }

    async fn reply(request: reqwest::RequestBuilder) -> Result<Reply, String> {
        let mut response = request.send().await.map_err(cause)?;
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(cause)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(format!("the answer is larger than {LARGEST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, body })
    }
}

/// The innermost cause; the outer ones repeat the address with its query.
#[expect(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn cause(error: reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        for here in ["http://127.0.0.1:8000/cb", "https://localhost/", "http://[::1]:1/", "http://127.9.9.9/"]
        {
            assert!(Outbound::on_this_machine(here).is_ok(), "{here}");
        }
        for elsewhere in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
            "http://[::ffff:10.0.0.1]/",
            "http://0.0.0.0/",
            "http://user@192.0.2.1/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "/cb",
        ] {
            assert!(Outbound::on_this_machine(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
