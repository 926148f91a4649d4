//! The official vectors of WeCom's sample code, and arbitrary input.

use base64::Engine as _;
use proptest::prelude::*;
use wecom::callback::{CallbackError, Channel, EncodingAesKey, Envelope, Format, Message, Signature};
use wecom::{Secret, SeededEntropy};

fn channel_a() -> Channel {
    let key = EncodingAesKey::parse("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C").unwrap();
    Channel::new(Secret::new("QDG6eK"), key, "wx5823bf96d3bd56c7")
}

fn channel_b() -> Channel {
    let key = EncodingAesKey::parse("6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt").unwrap();
    Channel::new(Secret::new("hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo"), key, "ww1436e0e65a779aee")
}

fn signature<'a>(msg_signature: &'a str, timestamp: &'a str, nonce: &'a str) -> Signature<'a> {
    Signature { msg_signature, timestamp, nonce }
}

const A1: &str = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==";
const A2: &str = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";
const B1: &str = "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA==";
const B2: &str = "Kl7kjoSf6DMD1zh7rtrHjFaDapSCkaOnwu3bqLc5tAybhhMl9pFeK8NslNPVdMwmBQTNoW4mY7AIjeLvEl3NyeTkAgGzBhzTtRLNshw2AEew+kkYcD+Fq72Kt00fT0WnN87hGrW8SqGc+NcT3mu87Ha3dz1pSDi6GaUA6A0sqfde0VJPQbZ9U+3JWcoD4Z5jaU0y9GSh010wsHF8KZD24YhmZH4ch4Ka7ilEbjbfvhKkNL65HHL0J6EYJIZUC2pFrdkJ7MhmEbU2qARR4iQHE7wy24qy0cRX3Mfp6iELcDNfSsPGjUQVDGxQDCWjayJOpcwocugux082f49HKYg84EpHSGXAyh+/oxwaWbvL6aSDPOYuPDGOCI8jmnKiypE+";
const J: &str = "cjhLUX7UU4yCSelv1vz7T0zT8huF51bAMVWriNvO1FMegHrQZNrtvRxbwf0fUPsFvwqR0U0fgiJNEA5Y30F2MoI2S7vv3EjVQ68C0cjw9frBoUE2Hj0BvFp9h3u6Vbsg4lc1C8AtHdaN8orKuNKkLRLuYEL52R1J3v8olJGZRLnRdVKIivixmX/eQpzgeExtp20jI1HxRP1AAZ6xZoILdqDPO549LO4WeG+685JRUTdiwcY5fjZlqeMxuT4PpMn1X9OWsS7NRj06Wa5E3Tvg4twjWp39KPfOdRte6P1T4JU=";

#[test]
fn vector_a_answers_the_url_check() {
    let signature = signature("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780");
    assert_eq!(channel_a().open(signature, A1).unwrap(), b"1616140317555161061");
    // A form decoder turns + into a space.
    assert_eq!(channel_a().open(signature, &A1.replace('+', " ")).unwrap(), b"1616140317555161061");
}

#[test]
fn vector_a_is_padded_by_30_bytes() {
    let body = format!(
        "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName><Encrypt><![CDATA[{A2}]]></Encrypt>\
         <AgentID><![CDATA[218]]></AgentID></xml>"
    );
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    assert_eq!((envelope.format, envelope.agent_id.as_deref()), (Format::Xml, Some("218")));
    let signature = signature("477715d11cdb4164915debcba66cb864d751f3e6", "1409659813", "1372623149");
    let bytes = channel_a().open(signature, &envelope.encrypt).unwrap();
    assert_eq!(bytes.len(), 284);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.get("Content"), message.get("MsgId")), (Some("hello"), Some("4561255354251345929")));
    assert_eq!((message.get("FromUserName"), message.get("AgentID")), (Some("mycreate"), Some("218")));
}

#[test]
fn vector_b_has_text_that_is_not_ascii() {
    let check = signature("012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb", "1476416373", "47744683");
    assert_eq!(channel_b().open(check, B1).unwrap(), b"1288432023552776189");
    let push = signature("0c3914025cb4b4d68103f6bfc8db550f79dcf48e", "1476422779", "1597212914");
    let bytes = channel_b().open(push, B2).unwrap();
    assert_eq!(bytes.len(), 228);
    assert_eq!(Message::parse(&bytes).unwrap().get("Content"), Some("你好"));
}

#[test]
fn vector_j_comes_in_a_json_envelope() {
    let body = format!(r#"{{"tousername":"wx5823bf96d3bd56c7","encrypt":"{J}","agentid":218}}"#);
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    assert_eq!((envelope.format, envelope.agent_id.as_deref()), (Format::Json, Some("218")));
    let signature = signature("e3647471e395139e2308c1fa963f2d648a00b90e", "1409659813", "1372623149");
    // The outer name differs from the receiver inside, and the inner text is no JSON; both are WeCom's doing.
    assert_eq!(channel_b().open(signature, &envelope.encrypt).unwrap().len(), 176);
}

#[test]
fn another_token_key_or_receiver_is_refused_by_name() {
    let entropy = SeededEntropy::new(1);
    let sealed = channel_a().seal(b"x", "1", "2", &entropy);
    let right = signature(sealed.msg_signature(), "1", "2");
    assert_eq!(channel_b().open(right, sealed.encrypt()), Err(CallbackError::Signature));
    let upper = sealed.msg_signature().to_uppercase();
    for wrong in
        [signature(&upper, "1", "2"), signature("", "1", "2"), signature(sealed.msg_signature(), "2", "2")]
    {
        assert_eq!(channel_a().open(wrong, sealed.encrypt()), Err(CallbackError::Signature));
    }
    let key = |text| EncodingAesKey::parse(text).unwrap();
    let own = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    // WeCom compares corpids without case (WeCom 96516).
    let same_company = Channel::new(Secret::new("QDG6eK"), key(own), "WX5823BF96d3bd56c7");
    assert_eq!(same_company.open(right, sealed.encrypt()).unwrap(), b"x");
    let other_receiver = Channel::new(Secret::new("QDG6eK"), key(own), "ww2");
    assert_eq!(other_receiver.open(right, sealed.encrypt()), Err(CallbackError::Receiver));
    let other_key = key("6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt");
    let other_key = Channel::new(Secret::new("QDG6eK"), other_key, "wx5823bf96d3bd56c7");
    assert_eq!(other_key.open(right, sealed.encrypt()), Err(CallbackError::Undecryptable));
}

#[test]
fn an_answer_in_both_forms_can_be_read_back() {
    let sealed = channel_a().seal("成功".as_bytes(), "1409659813", "1372623149", &SeededEntropy::new(2));
    let xml = Message::parse(sealed.to_text(Format::Xml).as_bytes()).unwrap();
    let json = Message::parse(sealed.to_text(Format::Json).as_bytes()).unwrap();
    assert_eq!(xml.get("Encrypt"), Some(sealed.encrypt()));
    assert_eq!(
        (xml.get("MsgSignature"), xml.get("TimeStamp")),
        (Some(sealed.msg_signature()), Some("1409659813"))
    );
    assert_eq!((json.get("encrypt"), json.get("nonce")), (Some(sealed.encrypt()), Some("1372623149")));
}

/// Signs anything with channel A's token, as an attacker who knows it could.
fn open_signed(encrypt: &str) -> Result<Vec<u8>, CallbackError> {
    use sha1::Digest as _;
    let mut parts = ["QDG6eK", "1", "2", encrypt];
    parts.sort_unstable();
    let hash = sha1::Sha1::digest(parts.concat());
    let hex = hash.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    channel_a().open(signature(&hex, "1", "2"), encrypt)
}

proptest! {
    #[test]
    fn what_is_sealed_opens(message in prop::collection::vec(any::<u8>(), 0..300), seed in any::<u64>()) {
        let sealed = channel_a().seal(&message, "1", "2", &SeededEntropy::new(seed));
        let opened = channel_a().open(signature(sealed.msg_signature(), "1", "2"), sealed.encrypt());
        prop_assert_eq!(opened.unwrap(), message);
    }

    #[test]
    fn a_changed_or_cut_text_does_not_pass_the_signature(at in 0_usize..88, bit in 0_u8..8) {
        let sealed = channel_a().seal(b"a message of some length, to have blocks", "1", "2", &SeededEntropy::new(5));
        let right = signature(sealed.msg_signature(), "1", "2");
        let mut bytes = sealed.encrypt().as_bytes().to_vec();
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert_eq!(channel_a().open(right, &text), Err(CallbackError::Signature));
        }
        let cut = &sealed.encrypt()[..at];
        prop_assert_eq!(channel_a().open(right, cut), Err(CallbackError::Signature));
    }

    #[test]
    fn even_when_signed_a_cut_text_is_refused(cut in 0_usize..128) {
        let sealed = channel_a().seal(&[7; 60], "1", "2", &SeededEntropy::new(6));
        let bytes = base64::engine::general_purpose::STANDARD.decode(sealed.encrypt()).unwrap();
        prop_assert_eq!(bytes.len(), 128);
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes[..cut]);
        prop_assert!(open_signed(&text).is_err());
    }

    #[test]
    fn nothing_signed_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,60}") {
        let _ = open_signed(&base64::engine::general_purpose::STANDARD.encode(&bytes));
        let _ = open_signed(&text);
        let _ = Envelope::parse(&bytes);
        let _ = Message::parse(text.as_bytes());
        let _ = Message::parse(format!("<xml>{text}</xml>").as_bytes());
        let _ = EncodingAesKey::parse(&text);
    }
}
