//! Where the server listens, how browsers reach it, and which other sites it trusts.

use std::net::SocketAddr;

use ipnet::IpNet;
use url::Url;
use wecom::is_loopback;
use wecom_login_model::Bilingual;

use super::raw::RawSettings;
use super::section::section;

section! {
    /// Where the server listens, how browsers reach it, and which other sites it trusts.
    pub struct Network in "", "网络" / "Network";

    /// Address and port to listen on.
    listen: SocketAddr { zh: "监听的地址和端口", default: "127.0.0.1:8000", }

    /// Scheme, host and port under which browsers reach the server. Links are made from it, never from a Host header.
    /// Required when the server listens beyond loopback.
    public_url: Option<Url> {
        zh: "浏览器访问本服务用的协议、主机和端口。所有链接都由它生成，不看 Host 头。监听地址不限于本机时必填",
        without: Bilingual { zh: "本机：`http://` 加 `listen`", en: "on loopback: `http://` and `listen`" },
    }

    /// Allows a `public_url` of plain http beyond loopback. Anyone on the network path can then take over sessions.
    allow_http: bool {
        zh: "允许本机以外的 `public_url` 使用明文 http。网络上的任何人都可能窃取会话",
        default: "false",
    }

    /// Addresses or networks of reverse proxies. Only their `X-Forwarded-For` is believed.
    trusted_proxies: Vec<IpNet> { zh: "反向代理的地址或网段。只采信来自它们的 `X-Forwarded-For`", }

    /// Origins besides `public_url` to which a sign-in may return.
    return_origins: Vec<url::Origin> { zh: "除 `public_url` 外，登录后允许返回的来源", }

    /// Origins whose front ends may sign people in and out through the JavaScript client. Trust them as much as this
    /// server.
    origins: Vec<url::Origin> {
        zh: "允许哪些来源的前端通过 JavaScript 客户端登录和退出。请只填与本服务同样可信的来源",
    }

    /// Connections that are open at a time. At the limit, a new connection takes the place of the longest idle one of the
    /// address with the most connections. Each connection may need two open files; the program raises its limit on open
    /// files, and accepts fewer connections, with a warning, if the system's hard limit is too small.
    max_connections: u32 {
        zh: "同时打开的连接数上限。达到上限后，新连接会取代连接数最多的来源地址中空闲最久的那个连接。每个连接最多需要两个文件描述符；\
             程序会自动提高自己的文件描述符上限，系统的硬上限不够时减少连接数并记录警告",
        default: "4096",
        least: "1",
    }
}

impl Network {
    /// The address under which browsers reach the server: `public_url`, or `listen` on loopback.
    pub(super) fn address_for_browsers(&self, raw: &mut RawSettings) -> Option<Url> {
        let Some(public_url) = &self.public_url else {
            if self.listen.ip().is_loopback() {
                return Url::parse(&format!("http://{}", self.listen)).ok();
            }
            if raw.is_known("listen") && raw.is_known("public_url") {
                let sentence = format!(
                    "{} is not on loopback, so public_url must be set too, such as https://login.example.com",
                    self.listen
                );
                raw.fault("listen", &sentence);
            }
            return None;
        };
        let is_refused = public_url.scheme() == "http" && !is_loopback(public_url) && !self.allow_http;
        if is_refused && raw.is_known("public_url") && raw.is_known("allow_http") {
            raw.fault(
                "public_url",
                "must be https: over plain http anyone on the network path can take over sessions. On a network that \
                 you trust, set allow_http = true",
            );
        }
        Some(public_url.clone())
    }
}
