use std::borrow::Cow;
use std::net::IpAddr;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use serde_json::{Map, Value, json};

use super::{Endpoint, Fields};
use crate::chance::Chance;
use crate::clock::Moment;

pub(crate) type Outcome = Result<Fields, Refusal>;

/// The empty value of a field that failures keep.
#[derive(Clone, Copy)]
pub(crate) enum Empty {
    List,
}

/// An errcode with the text before the tail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    text: Cow<'static, str>,
}

impl Refusal {
    /// With the text that the live service was seen to give, or one in its manner where none is known.
    pub(crate) const fn of(code: i64) -> Self {
        Self { code, text: Cow::Borrowed(text_of(code)) }
    }

    pub(crate) fn with(code: i64, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }

    /// The same errcode with words put before its text.
    pub(crate) fn prefixed(self, words: &str) -> Self {
        Self { text: format!("{words}{}", self.text).into(), ..self }
    }
}

const fn text_of(code: i64) -> &'static str {
    match code {
        -1 => "system error",
        40001 => "invalid credential",
        40003 => "invalid userid",
        40013 => "invalid corpid",
        40014 => "invalid access_token",
        40029 => "invalid code",
        40056 => "invalid agentid",
        40058 => "invalid Request Parameter",
        40068 => "invalid tagid",
        41001 => "access_token missing",
        41002 => "corpid missing",
        41004 => "corpsecret missing",
        41008 => "code missing",
        41009 => "userid missing",
        41011 => "agentid missing",
        42001 => "access_token expired",
        45009 => "api freq out of limit",
        45033 => "api concurrent out of limit",
        46004 => "user not exist",
        48002 => "api forbidden",
        48009 => "api forbidden for contact assistant",
        50001 => "redirect_uri unauthorized",
        50003 => "app disabled",
        60003 => "department not found",
        60011 => "no privilege to access/modify contact/party/agent",
        60020 => "not allow to access from your ip",
        60021 => "userid not in visible scope",
        60111 => "userid not found",
        60123 => "invalid department id",
        84014 => "user ticket expired",
        84015 => "invalid user ticket",
        84090 => "missing user_ticket",
        301_002 => "no permission for this agent",
        _ => "error",
    }
}

/// What a refusal tells about itself and its caller.
pub(super) struct Trace<'a> {
    pub(super) ip: IpAddr,
    pub(super) now: Moment,
    pub(super) chance: &'a mut Chance,
}

/// The body of an answer and its two error headers.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    refused: Option<(i64, String)>,
}

impl Answer {
    pub(super) fn of(endpoint: &Endpoint, outcome: Outcome, mut trace: Trace<'_>) -> Self {
        match outcome {
            Ok(fields) => Self { body: fields.into_answer(), refused: None },
            Err(refusal) => {
                let message = message(endpoint, &refusal, &mut trace);
                let mut fields = Map::new();
                fields.insert("errcode".to_owned(), json!(refusal.code));
                fields.insert("errmsg".to_owned(), json!(message));
                for (name, Empty::List) in endpoint.empty {
                    fields.insert((*name).to_owned(), json!([]));
                }
                let body = Value::Object(fields).to_string().into_bytes();
                Self { body, refused: Some((refusal.code, message)) }
            }
        }
    }

    /// A good answer's headers around text that is no JSON.
    pub(super) fn text(text: &str) -> Self {
        Self { body: text.as_bytes().to_vec(), refused: None }
    }

    /// Status 200 whatever the errcode.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::SERVER, HeaderValue::from_static("nginx"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        if let Some((code, message)) = self.refused {
            headers.insert("error-code", HeaderValue::from(code));
            // A message with a control character in it (from a parameter) cannot be a header.
            if let Ok(message) = HeaderValue::from_bytes(message.as_bytes()) {
                headers.insert("error-msg", message);
            }
        }
        *response.body_mut() = self.body.into();
        response
    }
}

/// The text with its tail: 25 digits that begin with the second, the caller's address, a link.
fn message(endpoint: &Endpoint, refusal: &Refusal, trace: &mut Trace<'_>) -> String {
    let Refusal { code, text } = refusal;
    if *code == 40014 && endpoint.bare_40014 {
        return text.to_string();
    }
    let (second, digits) = (trace.now.secs(), trace.chance.digits(15));
    format!(
        "{text}, hint: [{second:010}{digits}], from ip: {}, more info at \
         https://open.work.weixin.qq.com/devtool/query?e={code}",
        trace.ip
    )
}
