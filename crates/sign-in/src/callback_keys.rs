//! The keys of WeCom's callbacks: a Token and an EncodingAESKey for the app's own events, and another pair for those of
//! contact sync. Both may come to the same address; which pair a message is of, its signature tells.

use wecom::callback::{CallbackError, Channel, EncodingAesKey, Signature};
use wecom_login_element::{Config, Fault};
use wecom_login_model::{CorpId, Secret};

/// Which of WeCom's settings a message was sent by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventSource {
    /// 应用管理 → the app → 接收消息.
    App,
    /// 管理工具 → 通讯录同步 → 接收事件服务器.
    Contacts,
}

/// The callback keys of one instance.
#[derive(Debug, Clone, Default)]
pub struct CallbackKeys(Vec<(EventSource, Channel)>);

impl CallbackKeys {
    pub(crate) fn read(config: &Config, corp_id: &CorpId) -> Result<Self, Fault> {
        let pairs = [
            (EventSource::App, "callbackToken", "callbackAesKey"),
            (EventSource::Contacts, "contactCallbackToken", "contactCallbackAesKey"),
        ];
        let mut channels = Vec::new();
        for (source, token_key, aes_key) in pairs {
            let (token, key) = match (config.text(token_key)?, config.text(aes_key)?) {
                (Some(token), Some(key)) => (token, key),
                (None, None) => continue,
                (Some(_), None) => {
                    return Err(config.fault(aes_key, format!("is missing: {token_key} is there")));
                }
                (None, Some(_)) => {
                    return Err(config.fault(token_key, format!("is missing: {aes_key} is there")));
                }
            };
            if token.len() > 32 || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let rule = "must be the Token of WeCom's console: at most 32 letters and digits";
                return Err(config.fault(token_key, rule));
            }
            let key = EncodingAesKey::parse(key).map_err(|_| {
                config.fault(aes_key, "must be the EncodingAESKey of WeCom's console: 43 letters and digits")
            })?;
            channels.push((source, Channel::new(Secret::new(token), key, corp_id.as_str())));
        }
        Ok(Self(channels))
    }

    /// True when the instance takes no callbacks.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when the pair of that setting is there.
    pub fn has(&self, source: EventSource) -> bool {
        self.0.iter().any(|(known, _)| *known == source)
    }

    /// Whose message it is, and what it says. Of the pairs that do not fit, the one that came furthest names the error:
    /// two settings may have been given the same Token.
    pub fn open(
        &self,
        signature: Signature<'_>,
        encrypt: &str,
    ) -> Result<(EventSource, Vec<u8>), CallbackError> {
        let mut furthest = CallbackError::Signature;
        for (source, channel) in &self.0 {
            match channel.open(signature, encrypt) {
                Ok(message) => return Ok((*source, message)),
                Err(error) if furthest == CallbackError::Signature || error == CallbackError::Receiver => {
                    furthest = error;
                }
                Err(_) => {}
            }
        }
        Err(furthest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wecom_login_element::{App, Environment};

    use super::*;
    use crate::framework;

    const TOKEN: &str = "QDG6eK";
    const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

    fn read(config: &Value) -> Result<CallbackKeys, String> {
        let folder = tempfile::tempdir().unwrap();
        let element = folder.path().join("auths/loginTypes/Example");
        std::fs::create_dir_all(&element).unwrap();
        let about = json!({"title": "Example", "type": "auths.loginTypes.QywxInnerType"});
        std::fs::write(element.join("e.json"), about.to_string()).unwrap();
        std::fs::write(element.join("Example.json"), config.to_string()).unwrap();
        let app = App::open(folder.path(), &Environment::new(framework())).unwrap();
        let config = app.element("auths.loginTypes.Example").unwrap().config().unwrap();
        CallbackKeys::read(&config, &CorpId::parse("ww1").unwrap()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn pairs_are_read_each_by_itself() {
        assert!(read(&json!({})).unwrap().is_empty());
        let app = read(&json!({"callbackToken": TOKEN, "callbackAesKey": KEY})).unwrap();
        assert!(app.has(EventSource::App) && !app.has(EventSource::Contacts));
        let contacts =
            json!({"contactCallbackToken": TOKEN, "contactCallbackAesKey": KEY, "callbackToken": ""});
        let contacts = read(&contacts).unwrap();
        assert!(contacts.has(EventSource::Contacts) && !contacts.has(EventSource::App));
    }

    #[rstest::rstest]
    #[case(json!({"callbackToken": TOKEN}), "callbackAesKey: is missing: callbackToken is there")]
    #[case(json!({"callbackAesKey": KEY}), "callbackToken: is missing: callbackAesKey is there")]
    #[case(json!({"contactCallbackToken": TOKEN}), "contactCallbackAesKey: is missing")]
    #[case(
        json!({"callbackToken": "with blank", "callbackAesKey": KEY}),
        "callbackToken: must be the Token of WeCom's console"
    )]
    #[case(
        json!({"callbackToken": "t".repeat(33), "callbackAesKey": KEY}),
        "at most 32 letters and digits"
    )]
    #[case(
        json!({"callbackToken": TOKEN, "callbackAesKey": "42 characters"}),
        "callbackAesKey: must be the EncodingAESKey of WeCom's console: 43 letters and digits"
    )]
    #[case(json!({"callbackToken": 7, "callbackAesKey": KEY}), "callbackToken: must be a string, not a number")]
    fn what_is_wrong_is_named_and_its_value_is_not(#[case] config: Value, #[case] expected: &str) {
        let fault = read(&config).unwrap_err();
        assert!(fault.contains(expected), "{fault}\nshould say\n{expected}");
        assert!(!fault.contains(KEY) && !fault.contains("with blank"), "{fault}");
    }
}
