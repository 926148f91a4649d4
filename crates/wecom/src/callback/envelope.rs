use serde_json::json;

use super::{CallbackError, Message, Sealed};

/// The format of an envelope; WeCom's default is XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// `<xml><Encrypt>…</Encrypt></xml>`
    #[default]
    Xml,
    /// `{"encrypt":"…"}`
    Json,
}

/// The encrypted body of a callback. Its unencrypted fields are not signed: trust only the decrypted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The format of the body, and of the answer.
    pub format: Format,
    /// The encrypted message, base64.
    pub encrypt: String,
    /// The receiver (not signed).
    pub to_user_name: Option<String>,
    /// The app (not signed).
    pub agent_id: Option<String>,
}

impl Envelope {
    /// Reads an XML or JSON body of at most 1 MiB.
    pub fn parse(body: &[u8]) -> Result<Self, CallbackError> {
        let message = Message::parse(body)?;
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let (format, encrypt, to_user_name, agent_id) = match first {
            Some(b'{') => (Format::Json, "encrypt", "tousername", "agentid"),
            _ => (Format::Xml, "Encrypt", "ToUserName", "AgentID"),
        };
        let field = |name| message.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self {
            format,
            encrypt: field(encrypt).map(|text| without_white_space(&text)).ok_or(CallbackError::Envelope)?,
            to_user_name: field(to_user_name),
            agent_id: field(agent_id),
        })
    }

    /// The body of a push in WeCom's format; for simulators and tests.
    pub fn to_text(&self) -> String {
        let to_user_name = self.to_user_name.as_deref().unwrap_or_default();
        let agent_id = self.agent_id.as_deref().unwrap_or_default();
        match self.format {
            Format::Xml => format!(
                "<xml><ToUserName>{}</ToUserName><AgentID>{}</AgentID><Encrypt>{}</Encrypt></xml>",
                cdata(to_user_name),
                cdata(agent_id),
                cdata(&self.encrypt),
            ),
            Format::Json => {
                let agent_id =
                    agent_id.parse::<i64>().map_or_else(|_| json!(agent_id), |number| json!(number));
                json!({ "tousername": to_user_name, "encrypt": self.encrypt, "agentid": agent_id })
                    .to_string()
            }
        }
    }
}

impl Sealed {
    /// The encrypted answer to a callback (WeCom 90968). Events need none: HTTP 200 with an empty body is enough.
    pub fn to_text(&self, format: Format) -> String {
        match format {
            Format::Xml => format!(
                "<xml><Encrypt>{}</Encrypt><MsgSignature>{}</MsgSignature><TimeStamp>{}</TimeStamp>\
                 <Nonce>{}</Nonce></xml>",
                cdata(&self.encrypt),
                cdata(&self.msg_signature),
                cdata(&self.timestamp),
                cdata(&self.nonce),
            ),
            Format::Json => json!({
                "encrypt": self.encrypt,
                "msgsignature": self.msg_signature,
                "timestamp": self.timestamp,
                "nonce": self.nonce,
            })
            .to_string(),
        }
    }

    /// This message as a push to a receiver; for simulators and tests.
    pub fn to_envelope(&self, format: Format, to_user_name: &str, agent_id: Option<&str>) -> Envelope {
        Envelope {
            format,
            encrypt: self.encrypt.clone(),
            to_user_name: Some(to_user_name.to_owned()),
            agent_id: agent_id.map(str::to_owned),
        }
    }
}

/// What WeCom encrypts and signs has no white space; a gateway that prints XML anew breaks it into lines.
fn without_white_space(text: &str) -> String {
    text.split_ascii_whitespace().collect()
}

/// CDATA cannot contain its own end marker, so it is split there.
fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(Format::Xml)]
    #[case(Format::Json)]
    fn an_envelope_is_read_as_it_was_written(#[case] format: Format) {
        let envelope = Envelope {
            format,
            encrypt: "a+b/c==".to_owned(),
            to_user_name: Some("ww1]]>&".to_owned()),
            agent_id: Some("1000002".to_owned()),
        };
        assert_eq!(Envelope::parse(envelope.to_text().as_bytes()).unwrap(), envelope);
    }

    /// F10: such a message was refused with 403, and the Token was blamed.
    #[test]
    fn white_space_in_the_encrypted_part_is_not_part_of_it() {
        let body =
            b"<xml>\n <Encrypt>\n<![CDATA[a+b/\r\n  c\td==]]>\n</Encrypt>\n <AgentID> 218 </AgentID></xml>";
        let envelope = Envelope::parse(body).unwrap();
        assert_eq!((envelope.encrypt.as_str(), envelope.agent_id.as_deref()), ("a+b/cd==", Some("218")));
    }

    #[test]
    fn without_the_encrypted_part_there_is_no_envelope() {
        for body in [
            "<xml><ToUserName>x</ToUserName></xml>",
            "<xml><Encrypt/></xml>",
            "<xml><Encrypt> \n</Encrypt></xml>",
            "{}",
            "",
            "x",
        ] {
            assert_eq!(Envelope::parse(body.as_bytes()), Err(CallbackError::Envelope), "{body}");
        }
    }
}
