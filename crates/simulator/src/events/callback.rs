use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use wecom::callback::{Channel, EncodingAesKey};
use wecom::{Secret, SystemEntropy};

use super::Receiver;
use super::text::cdata;
use crate::outbound::{Outbound, Reply};
use crate::world::Shared;

/// How long the console waits for the answer to its check (WeCom 96238).
const PATIENCE: Duration = Duration::from_secs(1);

/// Which fields contact events have (WeCom 96302, 96303).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Settings saved since 2022-08-15: userid, departments, parents; nothing else is told.
    #[default]
    New,
    /// Settings of before, never saved again: every field on creation, the changed ones later.
    Old,
}

/// A callback setting of the console.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// Where events go: http or https on this machine.
    pub url: String,
    /// Token: 1 to 32 letters and digits.
    pub token: String,
    /// EncodingAESKey: 43 letters and digits.
    pub aes_key: String,
    /// For contact sync.
    pub rule: Rule,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("url", &self.url).field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// Why a callback setting was not saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackRefused {
    /// A setting that the console does not take.
    #[error("{0}")]
    Invalid(String),
    /// The address did not stand the check (40057).
    #[error("openapi回调地址请求不通过: {0}")]
    NotVerified(String),
}

impl Callback {
    pub(crate) fn channel(&self, corpid: &str) -> Result<(Url, Channel), CallbackRefused> {
        let invalid = CallbackRefused::Invalid;
        let url = Outbound::on_this_machine(&self.url).map_err(invalid)?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(1..=32).contains(&self.token.len()) || !plain(&self.token) {
            return Err(invalid("token must be 1 to 32 letters and digits".to_owned()));
        }
        let key = Some(&self.aes_key).filter(|key| plain(key)).map(|key| EncodingAesKey::parse(key));
        let Some(Ok(key)) = key else {
            return Err(invalid("aes_key must be 43 letters and digits".to_owned()));
        };
        Ok((url, Channel::new(Secret::new(self.token.as_str()), key, corpid)))
    }

    /// The check of the console: an encrypted text that must come back plain, to the byte, within a second
    /// (WeCom 90930).
    pub(crate) async fn verify(&self, shared: &Shared, corpid: &str) -> Result<(), CallbackRefused> {
        let (mut url, channel) = self.channel(corpid)?;
        let (timestamp, nonce, text) = {
            let mut world = shared.world();
            let chance = &mut world.chance;
            (shared.clock.now().secs().to_string(), chance.digits(10), chance.digits(19))
        };
        let sealed = channel.seal(text.as_bytes(), &timestamp, &nonce, &SystemEntropy);
        url.query_pairs_mut()
            .append_pair("msg_signature", sealed.msg_signature())
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", &nonce)
            .append_pair("echostr", sealed.encrypt());
        let reply = tokio::select! {
            reply = shared.outbound.get(&url) => reply,
            () = shared.clock.sleep(PATIENCE) => Err("no answer within 1 second".to_owned()),
        };
        reply.and_then(|reply| echoed(&reply, &text)).map_err(CallbackRefused::NotVerified)
    }
}

fn echoed(reply: &Reply, text: &str) -> Result<(), String> {
    if reply.status != 200 {
        return Err(format!("HTTP status {}, not 200", reply.status));
    }
    if reply.body == text.as_bytes() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&reply.body);
    Err(if body.starts_with('\u{feff}') {
        "the body begins with a byte order mark".to_owned()
    } else if body.trim() == text {
        "blanks or a line end stand around the text".to_owned()
    } else if body.trim_matches(['"', '\'']) == text {
        "the text stands in quotes".to_owned()
    } else {
        "the body is not the decrypted echostr".to_owned()
    })
}

/// A pushed event on the wire: address with its signature, and the envelope.
pub(super) fn sealed(
    callback: &Callback,
    (corpid, receiver): (&str, Receiver),
    event: &str,
    (timestamp, nonce): (&str, &str),
) -> Result<(Url, String), CallbackRefused> {
    let (mut url, channel) = callback.channel(corpid)?;
    let sealed = channel.seal(event.as_bytes(), timestamp, nonce, &SystemEntropy);
    url.query_pairs_mut()
        .append_pair("msg_signature", sealed.msg_signature())
        .append_pair("timestamp", timestamp)
        .append_pair("nonce", nonce);
    let agentid = match receiver {
        Receiver::App(agentid) => agentid.to_string(),
        Receiver::ContactSync => String::new(),
    };
    let body = format!(
        "<xml><ToUserName>{}</ToUserName><Encrypt>{}</Encrypt><AgentID>{}</AgentID></xml>",
        cdata(corpid),
        cdata(sealed.encrypt()),
        cdata(&agentid)
    );
    Ok((url, body))
}
