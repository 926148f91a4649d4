//! Reads WeCom's fields in all their formats: absent, null, empty, numbers as text and text as numbers. A withheld
//! field (WeCom 96255) and an empty one are both read as absent.

use std::fmt;
use std::marker::PhantomData;

use crate::client::error::redacted;
use crate::{DepartmentId, UserId};
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text that is not empty.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, or a text that is one; true is 1.
pub(crate) fn as_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(yes) => Some(i64::from(*yes)),
        _ => None,
    }
}

/// A valid identifier of a member.
pub(crate) fn as_user_id(value: &Value) -> Option<UserId> {
    as_text(value).and_then(|text| UserId::parse(text).ok())
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(|value| as_text(&value))
}

pub(crate) fn number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    Value::deserialize(input).map(|value| as_number(&value))
}

pub(crate) fn yes<'de, D: Deserializer<'de>>(input: D) -> Result<bool, D::Error> {
    Value::deserialize(input).map(|value| as_number(&value).is_some_and(|number| number != 0))
}

pub(crate) fn department<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DepartmentId>, D::Error> {
    // The parent of the root is 0.
    Ok(number(input)?.filter(|id| *id > 0).map(DepartmentId))
}

pub(crate) fn required_department<'de, D: Deserializer<'de>>(input: D) -> Result<DepartmentId, D::Error> {
    department(input)?.ok_or_else(|| serde::de::Error::custom("a department without id"))
}

/// Numbers. Any other value becomes 0, so that parallel lists keep their positions.
pub(crate) fn numbers<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<i64>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(items(&value).iter().map(|item| as_number(item).unwrap_or(0)).collect())
}

pub(crate) fn flags<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<bool>, D::Error> {
    Ok(numbers(input)?.into_iter().map(|number| number != 0).collect())
}

pub(crate) fn departments<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<DepartmentId>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(items(&value).iter().filter_map(as_number).map(DepartmentId).collect())
}

pub(crate) fn user_ids<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<UserId>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(items(&value).iter().filter_map(as_user_id).collect())
}

/// Rows of a list, read one by one: a row that cannot be read is counted and skipped. Only one unparsed row is in
/// memory at a time.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) read: Vec<T>,
    pub(crate) skipped: usize,
    /// The names of the first skipped rows.
    pub(crate) lost: Vec<String>,
}

/// So many skipped rows are named.
const MOST_NAMED: usize = 10;

/// The keys by which a row identifies its member or department.
const IDENTIFIERS: [&str; 5] = ["userid", "UserId", "UserID", "open_userid", "id"];

/// How a row that cannot be read is named: by the identifier that WeCom wrote, or by its place in the list, from 1.
fn name_of(row: &Value, place: usize) -> String {
    let identifier = IDENTIFIERS.iter().find_map(|key| as_text(row.get(key)?));
    identifier.map_or_else(|| format!("row {place}"), |text| redacted(&text, &[]))
}

impl<T> Rows<T> {
    /// The same rows in another form.
    pub(crate) fn map<U>(self, form: impl FnMut(T) -> U) -> Rows<U> {
        Rows { read: self.read.into_iter().map(form).collect(), skipped: self.skipped, lost: self.lost }
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { read: Vec::new(), skipped: 0, lost: Vec::new() }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct RowVisitor<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for RowVisitor<T> {
            type Value = Rows<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Rows<T>, A::Error> {
                let mut rows = Rows::default();
                while let Some(value) = sequence.next_element::<Value>()? {
                    match T::deserialize(&value) {
                        Ok(row) => rows.read.push(row),
                        Err(_) => {
                            rows.skipped += 1;
                            if rows.lost.len() < MOST_NAMED {
                                rows.lost.push(name_of(&value, rows.read.len() + rows.skipped));
                            }
                        }
                    }
                }
                Ok(rows)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Rows<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Rows { skipped: 1, ..Rows::default() })
            }
            fn visit_unit<E>(self) -> Result<Rows<T>, E> {
                Ok(Rows::default())
            }
        }
        input.deserialize_any(RowVisitor(PhantomData))
    }
}
