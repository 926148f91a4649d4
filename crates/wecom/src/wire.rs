//! Reading WeCom's fields as they come: keys absent, null, empty, numbers written as text and text as numbers.
//! A withheld field (WeCom 96255) and an empty one are the same to us: nothing.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use wecom_login_model::{DepartmentId, UserId};

/// A text, if there is one that is not empty.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, also when it is written as text; true is 1.
pub(crate) fn as_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(yes) => Some(i64::from(*yes)),
        _ => None,
    }
}

/// A member's identifier, if it is one.
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
    // 0 stands for "none": the root's parent is written so.
    Ok(number(input)?.filter(|id| *id > 0).map(DepartmentId))
}

pub(crate) fn required_department<'de, D: Deserializer<'de>>(input: D) -> Result<DepartmentId, D::Error> {
    department(input)?.ok_or_else(|| serde::de::Error::custom("a department without id"))
}

/// Numbers; what is none counts as 0, so that lists that run side by side stay side by side.
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

/// Rows of a list, read one by one: a row that cannot be read is counted and the others are kept. Memory holds
/// one unread row at a time.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) read: Vec<T>,
    pub(crate) skipped: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { read: Vec::new(), skipped: 0 }
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
                    match T::deserialize(value) {
                        Ok(row) => rows.read.push(row),
                        Err(_) => rows.skipped += 1,
                    }
                }
                Ok(rows)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Rows<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Rows { read: Vec::new(), skipped: 1 })
            }
            fn visit_unit<E>(self) -> Result<Rows<T>, E> {
                Ok(Rows::default())
            }
        }
        input.deserialize_any(RowVisitor(PhantomData))
    }
}
