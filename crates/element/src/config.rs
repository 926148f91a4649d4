use serde_json::{Map, Value};

use crate::Fault;

/// The values of an instance's configuration file. Keys may stand flat or under `authConfig`; flat ones win.
///
/// Its `Debug` tells keys only: values may be secrets.
#[derive(Clone)]
pub struct Config {
    element: String,
    file: String,
    values: Map<String, Value>,
}

impl Config {
    pub(crate) fn new(element: String, file: String, mut values: Map<String, Value>) -> Self {
        if let Some(Value::Object(nested)) = values.remove("authConfig") {
            for (key, value) in nested {
                values.entry(key).or_insert(value);
            }
        }
        Self { element, file, values }
    }

    /// An error about one of the keys.
    pub fn fault(&self, key: &str, problem: impl Into<String>) -> Fault {
        Fault {
            element: self.element.clone(),
            file: self.file.clone(),
            key: Some(key.to_owned()),
            problem: problem.into(),
        }
    }

    /// The text of a key; empty and `null` are as good as absent.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Fault> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(other) => Err(self.fault(key, format!("must be a string, not {}", kind(other)))),
        }
    }

    /// The flag of a key; `null` is as good as absent.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Fault> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.fault(key, format!("must be true or false, not {}", kind(other)))),
        }
    }

    /// The text of a key that must be there.
    pub fn required_text(&self, key: &str) -> Result<&str, Fault> {
        self.text(key)?.ok_or_else(|| self.fault(key, "is missing or empty"))
    }

    /// The text of a key that must be there and may be written as a whole number.
    pub fn required_text_or_number(&self, key: &str) -> Result<String, Fault> {
        match self.values.get(key) {
            Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
            Some(other @ Value::Number(_)) => {
                Err(self.fault(key, format!("must be a whole number, not {other}")))
            }
            _ => self.required_text(key).map(str::to_owned),
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("element", &self.element)
            .field("keys", &self.values.keys())
            .finish_non_exhaustive()
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
