//! Callback encryption as a filter: reads lines of JSON, writes lines of JSON. It serves to compare other
//! implementations with this one.
//!
//! `{"op":"encrypt","token","aesKey","receiveId","message","timestamp","nonce"}` -> `{"encrypt","signature"}`;
//! `{"op":"decrypt","token","aesKey","receiveId","timestamp","nonce","encrypt","signature"}` -> `{"message"}`;
//! a failure -> `{"error"}`.

use std::io::{BufRead as _, Write as _};

use serde::Deserialize;
use serde_json::{Value, json};
use wecom::callback::{Channel, EncodingAesKey, Signature};
use wecom::{Secret, SystemEntropy};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    token: Secret,
    aes_key: Secret,
    receive_id: String,
    timestamp: String,
    nonce: String,
    #[serde(flatten)]
    op: Op,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "camelCase")]
enum Op {
    Encrypt { message: String },
    Decrypt { encrypt: String, signature: String },
}

fn answer(line: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let Question { token, aes_key, receive_id, timestamp, nonce, op } = serde_json::from_str(line)?;
    let channel = Channel::new(token, EncodingAesKey::from_secret(&aes_key)?, receive_id);
    Ok(match op {
        Op::Encrypt { message } => {
            let sealed = channel.seal(message.as_bytes(), &timestamp, &nonce, &SystemEntropy);
            json!({"encrypt": sealed.encrypt(), "signature": sealed.msg_signature()})
        }
        Op::Decrypt { encrypt, signature } => {
            let signature = Signature { msg_signature: &signature, timestamp: &timestamp, nonce: &nonce };
            json!({"message": String::from_utf8(channel.open(signature, &encrypt)?)?})
        }
    })
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|error| json!({"error": error.to_string()}));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
