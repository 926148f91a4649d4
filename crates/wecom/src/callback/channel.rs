use std::fmt;

use crate::{Entropy, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

use super::{CallbackError, EncodingAesKey, cipher};

/// One callback setting of the admin console: token, key and receiver.
#[derive(Clone)]
pub struct Channel {
    token: Secret,
    key: EncodingAesKey,
    receiver: String,
}

/// The query of a callback, percent-decoded.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// `msg_signature`, 40 lower-case hexadecimal digits.
    pub msg_signature: &'a str,
    /// `timestamp`, unchanged.
    pub timestamp: &'a str,
    /// `nonce`, unchanged.
    pub nonce: &'a str,
}

/// An encrypted and signed message. [`Sealed::to_text`] writes it as an answer or a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(super) encrypt: String,
    pub(super) msg_signature: String,
    pub(super) timestamp: String,
    pub(super) nonce: String,
}

impl Channel {
    /// `receiver` is the corpid for apps of a company, the suite's id for a third-party suite, or empty (WeCom 90968).
    pub fn new(token: Secret, key: EncodingAesKey, receiver: impl Into<String>) -> Self {
        Self { token, key, receiver: receiver.into() }
    }

    /// Checks, in constant time, that `encrypt` is signed with this channel's token.
    pub fn verify(&self, signature: Signature<'_>, encrypt: &str) -> Result<(), CallbackError> {
        let expected = self.sign(signature.timestamp, signature.nonce, encrypt);
        if expected.as_bytes().ct_eq(signature.msg_signature.as_bytes()).into() {
            Ok(())
        } else {
            Err(CallbackError::Signature)
        }
    }

    /// The message in `encrypt`: the XML or JSON of an event, or the plain text with which an `echostr` must be answered
    /// within a second (WeCom 90930). A space in `encrypt` is read as `+`, because form decoders turn `+` into a space. The
    /// receiver is compared without case, as WeCom compares corpids (WeCom 96516).
    pub fn open(&self, signature: Signature<'_>, encrypt: &str) -> Result<Vec<u8>, CallbackError> {
        let encrypt = encrypt.replace(' ', "+");
        self.verify(signature, &encrypt)?;
        let bytes = STANDARD.decode(encrypt).map_err(|_| CallbackError::Undecryptable)?;
        let (message, receiver) = cipher::decrypt(&self.key, bytes)?;
        if receiver.eq_ignore_ascii_case(self.receiver.as_bytes()) {
            Ok(message)
        } else {
            Err(CallbackError::Receiver)
        }
    }

    /// Encrypts and signs a message.
    pub fn seal(&self, message: &[u8], timestamp: &str, nonce: &str, entropy: &dyn Entropy) -> Sealed {
        let encrypt = STANDARD.encode(cipher::encrypt(&self.key, message, &self.receiver, entropy));
        Sealed {
            msg_signature: self.sign(timestamp, nonce, &encrypt),
            encrypt,
            timestamp: timestamp.to_owned(),
            nonce: nonce.to_owned(),
        }
    }

    fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut parts = [self.token.expose(), timestamp, nonce, encrypt];
        parts.sort_unstable();
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().iter().fold(String::with_capacity(40), |mut hex, byte| {
            use fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl Sealed {
    /// The encrypted message, base64.
    pub fn encrypt(&self) -> &str {
        &self.encrypt
    }

    /// Its signature, for the query or the answer.
    pub fn msg_signature(&self) -> &str {
        &self.msg_signature
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}
