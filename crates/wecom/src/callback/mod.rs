//! Callbacks: messages that WeCom pushes to a server, signed and encrypted (WeCom 90930, 90968).
//!
//! A [`Channel`] is one callback setting of the admin console: a token that signs, a key that encrypts, and the receiver
//! that every message contains (the company, for its own apps). The order of checks is fixed: signature, decryption,
//! padding, receiver. No message is decrypted before its signature is verified.
//!
//! ```
//! use wecom::callback::{Channel, EncodingAesKey, Envelope, Format, Signature};
//! use wecom::{Secret, SystemEntropy};
//!
//! let key = EncodingAesKey::parse("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")?;
//! let channel = Channel::new(Secret::new("QDG6eK"), key, "wx5823bf96d3bd56c7");
//!
//! let sealed = channel.seal(b"<xml><Event>ping</Event></xml>", "1409659813", "1372623149", &SystemEntropy);
//! let envelope = Envelope::parse(sealed.to_text(Format::Xml).as_bytes())?;
//! let signature = Signature {
//!     msg_signature: sealed.msg_signature(), timestamp: "1409659813", nonce: "1372623149",
//! };
//! assert_eq!(channel.open(signature, &envelope.encrypt)?, b"<xml><Event>ping</Event></xml>");
//! # Ok::<(), wecom::callback::CallbackError>(())
//! ```

mod channel;
mod cipher;
mod envelope;
mod key;
mod message;
mod xml;

pub use channel::{Channel, Sealed, Signature};
pub use envelope::{Envelope, Format};
pub use key::EncodingAesKey;
pub use message::Message;

/// The reason why a callback is rejected. It never contains the token, the key or the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The EncodingAESKey of the settings is not 43 characters of base64.
    #[error("an EncodingAESKey has 43 letters and digits")]
    Key,
    /// The message is not signed with this channel's token; answer 403.
    #[error("the signature is not this channel's")]
    Signature,
    /// The body is neither XML nor JSON of the expected form, or is too large or too deeply nested.
    #[error("the body is no callback envelope")]
    Envelope,
    /// The signature is right, but this channel's key does not decrypt the message.
    #[error("the message cannot be decrypted with this channel's key")]
    Undecryptable,
    /// The message is for another company or suite.
    #[error("the message is for another receiver")]
    Receiver,
}
