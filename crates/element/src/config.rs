use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::environment::Variables;
use crate::json::{self, Flaw, Object, kind};
use crate::{Fault, Template};

const NESTED: &str = "authConfig";

/// The values of an instance's configuration file, variables put in. Keys may stand flat or under `authConfig`; flat
/// ones win.
///
/// Its `Debug` tells keys only: values may be secrets.
#[derive(Clone)]
pub struct Config {
    element: String,
    file: String,
    values: Object,
    nested: BTreeSet<String>,
}

impl Config {
    pub(crate) fn read(element: &str, file: &str, path: &Path, variables: &Variables) -> Result<Self, Fault> {
        let fault = |Flaw { key, problem }| Fault {
            element: element.to_owned(),
            file: file.to_owned(),
            key,
            problem,
        };
        let mut values = json::read_object(path).map_err(fault)?;
        for (key, value) in &mut values {
            fill(value, key, variables).map_err(fault)?;
        }
        let mut nested = BTreeSet::new();
        match values.remove(NESTED) {
            None | Some(Value::Null) => {}
            Some(Value::Object(inner)) => {
                for (key, value) in inner {
                    if !values.contains_key(&key) {
                        nested.insert(key.clone());
                        values.insert(key, value);
                    }
                }
            }
            Some(other) => {
                let problem = format!("must be an object, not {}", kind(&other));
                return Err(fault(Flaw::at(NESTED, problem)));
            }
        }
        Ok(Self { element: element.to_owned(), file: file.to_owned(), values, nested })
    }

    /// An error about one of the keys.
    pub fn fault(&self, key: &str, problem: impl Into<String>) -> Fault {
        let key = if self.nested.contains(key) { format!("{NESTED}.{key}") } else { key.to_owned() };
        Fault {
            element: self.element.clone(),
            file: self.file.clone(),
            key: Some(key),
            problem: problem.into(),
        }
    }

    /// The value of a key, whatever it is.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
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
            Some(Value::Number(_)) => Err(self.fault(key, "must be a whole number, not below zero")),
            _ => self.required_text(key).map(str::to_owned),
        }
    }
}

/// Puts the variables into every text of a value.
fn fill(value: &mut Value, at: &str, variables: &Variables) -> Result<(), Flaw> {
    match value {
        Value::String(text) => {
            let filled =
                Template::parse(text).and_then(|text| text.fill(|name| variables.get(name).cloned()));
            *text = filled.map_err(|error| Flaw::at(at, error.to_string()))?;
            Ok(())
        }
        Value::Array(list) => list
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, value)| fill(value, &format!("{at}[{index}]"), variables)),
        Value::Object(object) => {
            object.iter_mut().try_for_each(|(key, value)| fill(value, &format!("{at}.{key}"), variables))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
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
