//! Filters: which rows of `QywxInnerAuthModel` are wanted.
//!
//! Any grammar can build a [`Filter`]: `text.parse::<Filter>()` reads the two text forms of the platform (see
//! [`FilterError`]), other front ends call [`Condition::new`], [`Filter::all`] and [`Filter::any`]. Every `Filter` is valid: fields are an
//! enum, each value fits its field, and the size is limited. So the code that turns it into SQL cannot fail.
//!
//! # Semantics
//!
//! - Every condition is true or false, never unknown. `!=` and `nin` are the exact opposites of `=` and `in`.
//! - Texts are never null. A withheld text is `""`; `isnull` and `= None` match it. `status` and `expiresAt` are null if
//!   unknown. Null is not less than, greater than or equal to any number. For `isLeader`, null is false. `department` is
//!   null if the list is empty; `=` and `in` test whether the member belongs to the department.
//! - Texts are compared by their bytes, `userId` in lower case. `like` and `startswith` ignore the case of ASCII letters
//!   (see [`Pattern`]).
//! - `Q.AND` binds tighter than `Q.OR`, like AND in SQL and in Python; the platform does not document it. Parentheses,
//!   `Q(...)`, bind tighter than both.

mod condition;
mod parse;
mod pattern;
mod reader;
#[cfg(test)]
mod tests;
mod text;

pub use condition::{Condition, Operator, Relation, Scalar, Test, Value};
pub use parse::{FilterError, MAX_FILTER_TEXT};
pub use pattern::Pattern;

use crate::Field;

/// The maximum number of conditions in a filter.
pub const MAX_CONDITIONS: usize = 256;
/// The maximum number of values in all conditions together; databases limit their parameters.
pub const MAX_VALUES: usize = 2000;
/// The maximum nesting of All and Any.
pub const MAX_DEPTH: usize = 16;
/// The longest text of a condition, in bytes.
pub const MAX_TEXT: usize = 4096;
/// The maximum number of `%` in a pattern.
pub const MAX_WILDCARDS: usize = 8;

/// An invalid filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// The value does not fit the field.
    #[error("{expected} for {field} {}", operator.symbol())]
    Value {
        /// The field.
        field: Field,
        /// The operator.
        operator: Operator,
        /// The accepted values.
        expected: &'static str,
    },
    /// The operator does not fit the field.
    #[error("another operator: {field} has no {}", operator.symbol())]
    Operator {
        /// The field.
        field: Field,
        /// The operator.
        operator: Operator,
    },
    /// More than [`MAX_CONDITIONS`].
    #[error("at most {MAX_CONDITIONS} conditions")]
    TooManyConditions,
    /// More than [`MAX_VALUES`].
    #[error("at most {MAX_VALUES} values in all lists")]
    TooManyValues,
    /// More than [`MAX_DEPTH`].
    #[error("at most {MAX_DEPTH} levels")]
    TooDeep,
    /// Longer than [`MAX_TEXT`].
    #[error("a text of at most {MAX_TEXT} bytes")]
    TextTooLong,
    /// More than [`MAX_WILDCARDS`].
    #[error("at most {MAX_WILDCARDS} wildcards")]
    TooManyWildcards,
    /// A text with U+0000.
    #[error("a text without U+0000")]
    Nul,
    /// An Any without parts.
    #[error("at least one alternative")]
    NoAlternative,
}

/// A valid filter of limited size. `Display` writes it in the platform's list grammar, and that text parses to the same
/// filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    shape: Shape,
    conditions: usize,
    values: usize,
    depth: usize,
}

/// The structure of a filter. An All contains no All, an Any contains no Any, and neither has exactly one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Every part is true; matches every row without parts.
    All(Vec<Filter>),
    /// At least one part is true.
    Any(Vec<Filter>),
    /// The condition is true.
    Is(Condition),
}

impl Filter {
    /// Every row.
    pub const fn everything() -> Self {
        Self { shape: Shape::All(Vec::new()), conditions: 0, values: 0, depth: 0 }
    }

    /// The rows that match all parts; every row without parts.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Result<Self, InvalidFilter> {
        let mut flat = Vec::new();
        for part in parts {
            match part.shape {
                Shape::All(inner) => flat.extend(inner),
                _ => flat.push(part),
            }
        }
        Self::joined(flat, Shape::All)
    }

    /// The rows that match at least one part.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Result<Self, InvalidFilter> {
        let mut flat = Vec::new();
        for part in parts {
            match part.shape {
                Shape::Any(inner) => flat.extend(inner),
                Shape::All(ref inner) if inner.is_empty() => return Ok(Self::everything()),
                _ => flat.push(part),
            }
        }
        if flat.is_empty() { Err(InvalidFilter::NoAlternative) } else { Self::joined(flat, Shape::Any) }
    }

    fn joined(mut parts: Vec<Self>, shape: fn(Vec<Self>) -> Shape) -> Result<Self, InvalidFilter> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        let conditions = parts.iter().map(|part| part.conditions).sum();
        let values = parts.iter().map(|part| part.values).sum();
        let depth = parts.iter().map(|part| part.depth + 1).max().unwrap_or(0);
        match () {
            () if conditions > MAX_CONDITIONS => Err(InvalidFilter::TooManyConditions),
            () if values > MAX_VALUES => Err(InvalidFilter::TooManyValues),
            () if depth > MAX_DEPTH => Err(InvalidFilter::TooDeep),
            () => Ok(Self { shape: shape(parts), conditions, values, depth }),
        }
    }

    /// The structure of the filter.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// True if any condition uses a field of [`Field::is_token`].
    pub fn asks_for_tokens(&self) -> bool {
        match &self.shape {
            Shape::All(parts) | Shape::Any(parts) => parts.iter().any(Self::asks_for_tokens),
            Shape::Is(condition) => condition.field().is_token(),
        }
    }
}

impl From<Condition> for Filter {
    fn from(condition: Condition) -> Self {
        let values = condition.values();
        Self { shape: Shape::Is(condition), conditions: 1, values, depth: 0 }
    }
}
