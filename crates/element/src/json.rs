//! Reading JSON files so that what is wrong names its key and never shows a value: a configuration holds secrets.

use std::path::Path;

use serde_json::{Map, Value};

/// What is wrong in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) key: Option<String>,
    pub(crate) problem: String,
}

impl Flaw {
    pub(crate) fn at(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: Some(key.into()), problem: problem.into() }
    }

    pub(crate) fn whole(problem: impl Into<String>) -> Self {
        Self { key: None, problem: problem.into() }
    }
}

pub(crate) type Object = Map<String, Value>;

/// The JSON object in a file.
pub(crate) fn read_object(path: &Path) -> Result<Object, Flaw> {
    let bytes = std::fs::read(path).map_err(|error| {
        Flaw::whole(match error.kind() {
            std::io::ErrorKind::NotFound => "the file is missing".to_owned(),
            _ => format!("the file cannot be read: {error}"),
        })
    })?;
    let text = String::from_utf8(bytes).map_err(|_| Flaw::whole("the file is not UTF-8"))?;
    parse_object(&text)
}

/// The JSON object in a text.
pub(crate) fn parse_object(text: &str) -> Result<Object, Flaw> {
    // Editors on Windows put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Flaw::whole(format!("must be an object, not {}", kind(&other)))),
        Err(error) => Err(Flaw::whole(format!("is not JSON: {error}"))),
    }
}

/// The text of a key; absent and null are one.
pub(crate) fn text<'a>(object: &'a Object, key: &str, at: &str) -> Result<Option<&'a str>, Flaw> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Flaw::at(at, format!("must be a string, not {}", kind(other)))),
    }
}

/// A switch: 0, 1, true or false; absent and null are one.
pub(crate) fn switch(object: &Object, key: &str, at: &str) -> Result<Option<bool>, Flaw> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(Some(false)),
        Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(Some(true)),
        Some(Value::Number(_)) => Err(Flaw::at(at, "must be 0, 1, true or false, not another number")),
        Some(other) => Err(Flaw::at(at, format!("must be 0, 1, true or false, not {}", kind(other)))),
    }
}

/// The objects of a list; absent and null are one.
pub(crate) fn objects<'a>(object: &'a Object, key: &str, at: &str) -> Result<Option<Vec<&'a Object>>, Flaw> {
    let list = match object.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(Flaw::at(at, format!("must be a list, not {}", kind(other)))),
    };
    let objects = list.iter().enumerate().map(|(index, item)| {
        let wrong = || Flaw::at(format!("{at}[{index}]"), format!("must be an object, not {}", kind(item)));
        item.as_object().ok_or_else(wrong)
    });
    objects.collect::<Result<_, _>>().map(Some)
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
