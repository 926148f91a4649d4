use std::str::FromStr;

use super::reader::Reader;
use super::{Condition, Filter, InvalidFilter, Operator, Value};
use crate::Field;

/// The longest text of a filter, in bytes.
pub const MAX_FILTER_TEXT: usize = 64 * 1024;
/// The maximum nesting of `Q(`. It is greater than the maximum depth of a filter, because parentheses may be redundant.
const MAX_NESTING: usize = 32;

/// A syntax error: its position, and what was expected there. It contains no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("filter, character {position}: expected {expected}")]
pub struct FilterError {
    position: usize,
    expected: String,
}

impl FilterError {
    pub(super) const fn new(position: usize, expected: String) -> Self {
        Self { position, expected }
    }

    /// The position of the error in characters, from 1.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// What was expected there.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    /// Parses both grammars of the platform, also mixed:
    ///
    /// - `Q(userId='x', id__gte=2)`: keywords, each with the operator's word after two underscores, joined by AND;
    /// - `Q('id', '>=', 2)` for one condition and `Q(Q(...), Q.AND, Q(...), Q.OR, Q(...))` to join them;
    /// - `Q()` for every row.
    ///
    /// Values are texts in single or double quotes with Python's escapes, whole numbers, `True`, `False`, `None` and
    /// lists of those in brackets.
    ///
    /// ```
    /// use wecom_login_auth_model::filter::Filter;
    ///
    /// let keywords: Filter = "Q(userId='zhangsan', id__gte=2)".parse()?;
    /// let list: Filter = "Q(Q('userId', '=', 'zhangsan'), Q.AND, Q('id', '>=', 2))".parse()?;
    /// assert_eq!(keywords, list);
    ///
    /// let error = "Q(userid='zhangsan')".parse::<Filter>().unwrap_err();
    /// assert_eq!(error.position(), 3);
    /// # Ok::<(), wecom_login_auth_model::filter::FilterError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_FILTER_TEXT {
            return Err(FilterError::new(1, format!("at most {MAX_FILTER_TEXT} bytes")));
        }
        let mut reader = Reader::new(text);
        let filter = filter(&mut reader, MAX_NESTING)?;
        if reader.at_end() { Ok(filter) } else { Err(reader.error("the end of the filter")) }
    }
}

fn filter(reader: &mut Reader<'_>, levels: usize) -> Result<Filter, FilterError> {
    let start = reader.mark();
    if reader.word() != "Q" {
        return Err(reader.error_at(start, "Q(...)"));
    }
    let Some(levels) = levels.checked_sub(1) else {
        return Err(reader.error_at(start, format!("at most {MAX_NESTING} levels of Q(...)")));
    };
    reader.expect('(', "( after Q")?;
    let filter = match reader.peek() {
        Some(')') => Filter::everything(),
        Some('\'' | '"') => triple(reader)?.into(),
        Some('Q') => joined(reader, start, levels)?,
        _ => keywords(reader, start)?,
    };
    reader.expect(')', ") or a comma")?;
    Ok(filter)
}

/// `Q(...), Q.AND, Q(...), Q.OR, Q(...)`: groups of AND, joined by OR.
fn joined(reader: &mut Reader<'_>, start: usize, levels: usize) -> Result<Filter, FilterError> {
    let mut groups = Vec::new();
    let mut group = vec![filter(reader, levels)?];
    let invalid = |reader: &Reader<'_>, invalid: InvalidFilter| reader.error_at(start, invalid.to_string());
    while reader.take(',') && reader.peek() != Some(')') {
        let mark = reader.mark();
        let is_q = reader.word() == "Q" && reader.take('.');
        match if is_q { reader.word() } else { "" } {
            "AND" => {}
            "OR" => {
                let all = Filter::all(std::mem::take(&mut group)).map_err(|error| invalid(reader, error))?;
                groups.push(all);
            }
            _ => return Err(reader.error_at(mark, "Q.AND or Q.OR")),
        }
        reader.expect(',', "a comma")?;
        group.push(filter(reader, levels)?);
    }
    groups.push(Filter::all(group).map_err(|error| invalid(reader, error))?);
    Filter::any(groups).map_err(|error| invalid(reader, error))
}

/// `'id', '>=', 2`
fn triple(reader: &mut Reader<'_>) -> Result<Condition, FilterError> {
    let at_field = reader.mark();
    let name = reader.quoted()?;
    let field = Field::parse(&name).ok_or_else(|| reader.error_at(at_field, fields()))?;
    reader.expect(',', "a comma")?;
    let at_operator = reader.mark();
    let name = reader.quoted()?;
    let operator = Operator::parse(&name).ok_or_else(|| reader.error_at(at_operator, operators(false)))?;
    reader.expect(',', "a comma")?;
    let at_value = reader.mark();
    let value = value(reader)?;
    reader.take(',');
    condition(reader, field, (operator, at_operator), (value, at_value))
}

/// `userId='x', id__gte=2`
fn keywords(reader: &mut Reader<'_>, start: usize) -> Result<Filter, FilterError> {
    let mut parts = Vec::new();
    loop {
        let at_field = reader.mark();
        let word = reader.word();
        let (name, suffix) =
            word.split_once("__").map_or((word, None), |(name, suffix)| (name, Some(suffix)));
        let field = Field::parse(name).ok_or_else(|| reader.error_at(at_field, fields()))?;
        let at_operator = at_field + name.len() + 2;
        let operator = match suffix {
            None => Operator::Equal,
            Some(word) => {
                Operator::parse_word(word).ok_or_else(|| reader.error_at(at_operator, operators(true)))?
            }
        };
        reader.expect('=', "=")?;
        let at_value = reader.mark();
        let value = value(reader)?;
        parts.push(condition(reader, field, (operator, at_operator), (value, at_value))?.into());
        if !reader.take(',') || reader.peek() == Some(')') {
            break;
        }
    }
    Filter::all(parts).map_err(|invalid| reader.error_at(start, invalid.to_string()))
}

fn condition(
    reader: &Reader<'_>,
    field: Field,
    (operator, at_operator): (Operator, usize),
    (value, at_value): (Value, usize),
) -> Result<Condition, FilterError> {
    Condition::new(field, operator, value).map_err(|invalid| {
        let mark = if matches!(invalid, InvalidFilter::Operator { .. }) { at_operator } else { at_value };
        reader.error_at(mark, invalid.to_string())
    })
}

fn value(reader: &mut Reader<'_>) -> Result<Value, FilterError> {
    if !reader.take('[') {
        return scalar(reader);
    }
    let mut values = Vec::new();
    while !reader.take(']') {
        values.push(scalar(reader)?);
        if !reader.take(',') && reader.peek() != Some(']') {
            return Err(reader.error("] or a comma"));
        }
    }
    Ok(Value::List(values))
}

fn scalar(reader: &mut Reader<'_>) -> Result<Value, FilterError> {
    match reader.peek() {
        Some('\'' | '"') => reader.quoted().map(Value::Text),
        Some('-' | '0'..='9') => reader.number().map(Value::Integer),
        _ => {
            let mark = reader.mark();
            match reader.word() {
                "True" => Ok(Value::Boolean(true)),
                "False" => Ok(Value::Boolean(false)),
                "None" => Ok(Value::Null),
                _ => Err(reader.error_at(
                    mark,
                    "a value: a text in quotes, a whole number, True, False, None, or a list of those",
                )),
            }
        }
    }
}

fn fields() -> String {
    format!("a field: {}", Field::ALL.map(Field::name).join(", "))
}

fn operators(words: bool) -> String {
    let names = Operator::NAMES.map(|(symbol, word, _)| if words { word } else { symbol });
    format!("an operator: {}", names.join(", "))
}
