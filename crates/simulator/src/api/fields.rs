use serde::Serialize;
use serde_json::{Map, Value, json};

/// The fields of a good answer, without `errcode` and `errmsg`: a few, and perhaps one long list, which is written as
/// it grows so that a large department does not stand in memory twice.
#[derive(Default)]
pub(crate) struct Fields {
    few: Map<String, Value>,
    list: Option<List>,
}

/// A list that is already text.
pub(crate) struct List {
    name: &'static str,
    text: Vec<u8>,
}

impl Fields {
    /// The fields of an object.
    pub(super) fn of(object: Value) -> Self {
        let few = if let Value::Object(few) = object { few } else { Map::new() };
        Self { few, list: None }
    }

    pub(super) fn one(name: &str, value: impl Into<Value>) -> Self {
        Self::default().with(name, value.into())
    }

    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.few.insert(name.to_owned(), value);
        self
    }

    /// The whole answer as JSON text.
    pub(super) fn into_answer(self) -> Vec<u8> {
        let few = self.with("errcode", json!(0)).with("errmsg", json!("ok"));
        let (few, list) = (Value::Object(few.few).to_string(), few.list);
        let Some(List { name, text }) = list else { return few.into_bytes() };
        let mut answer = few.into_bytes();
        answer.pop();
        answer.extend_from_slice(format!(",\"{name}\":[").as_bytes());
        answer.extend_from_slice(&text);
        answer.extend_from_slice(b"]}");
        answer
    }
}

impl From<List> for Fields {
    fn from(list: List) -> Self {
        Self { few: Map::new(), list: Some(list) }
    }
}

impl List {
    pub(super) fn of(name: &'static str) -> Self {
        Self { name, text: Vec::new() }
    }

    pub(super) fn push(&mut self, one: &impl Serialize) {
        if !self.text.is_empty() {
            self.text.push(b',');
        }
        // Writing to memory does not fail, and nothing here has keys that are no text.
        let _ = serde_json::to_writer(&mut self.text, one);
    }
}
