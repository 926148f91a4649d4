//! Which rows of `QywxInnerAuthModel` are meant, in which order and how many.
//!
//! A [`Filter`] is built by any grammar: the platform's two text forms are read by `text.parse::<Filter>()` (see
//! [`FilterError`]), other front ends call [`Condition::new`], [`Filter::all`] and [`Filter::any`]. Whatever built
//! it, it is well-formed when it exists: fields are an enum, every value fits its field, and its size is bounded,
//! so that whoever turns it into SQL has nothing left to refuse.
//!
//! # What the operators mean
//!
//! - Every condition is true or false, never unknown; `!=` and `nin` hold exactly where `=` and `in` do not.
//! - Texts are never null. What WeCom withholds is `""`, and `isnull` and `= None` find it. `status` and `expiresAt`
//!   are null when not known; null is not less, not more and not equal to any number. `isLeader` takes null for
//!   false. `department` is null when the list is empty, and `=` and `in` ask whether the member belongs there.
//! - Texts compare by their bytes; `userId` in lower case; `like` and `startswith` without regard to the case of
//!   ASCII letters (see [`Pattern`]).
//! - `Q.AND` binds tighter than `Q.OR`, as AND does in SQL and in Python; the platform's pages do not say.
//!   Parentheses, `Q(...)`, go before both.

mod condition;
mod field;
mod parse;
mod pattern;
mod query;
mod reader;
#[cfg(test)]
mod tests;
mod text;

pub use condition::{Condition, Operator, Relation, Scalar, Test, Value};
pub use field::{Field, Kind};
pub use parse::{FilterError, MAX_FILTER_TEXT};
pub use pattern::Pattern;
pub use query::{InvalidQuery, MAX_SIZE, Order, Page, Query};

/// How many conditions a filter holds at most.
pub const MAX_CONDITIONS: usize = 256;
/// How many values all its conditions hold together at most; databases bound their parameters.
pub const MAX_VALUES: usize = 2000;
/// How many levels of All and Any lie in each other at most.
pub const MAX_DEPTH: usize = 16;
/// The longest text a condition takes, in bytes.
pub const MAX_TEXT: usize = 4096;
/// How many `%` a pattern holds at most.
pub const MAX_WILDCARDS: usize = 8;

/// Why something is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The value does not fit the field.
    #[error("{expected} for {field} {}", operator.symbol())]
    Value {
        /// The field that was asked.
        field: Field,
        /// What it was asked.
        operator: Operator,
        /// What it takes.
        expected: &'static str,
    },
    /// The operator does not fit the field.
    #[error("another operator: {field} has no {}", operator.symbol())]
    Operator {
        /// The field that was asked.
        field: Field,
        /// What it does not know.
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
    /// Any of nothing.
    #[error("at least one alternative")]
    NoAlternative,
}

/// A well-formed filter of bounded size. `Display` writes it in the platform's list grammar, and parsing that text
/// gives the same filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    shape: Shape,
    conditions: usize,
    values: usize,
    depth: usize,
}

/// What a filter is made of. An All holds no All, an Any holds no Any and neither holds just one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Every part holds; without parts every row is meant.
    All(Vec<Filter>),
    /// At least one part holds.
    Any(Vec<Filter>),
    /// The condition holds.
    Is(Condition),
}

impl Filter {
    /// Every row.
    pub const fn everything() -> Self {
        Self { shape: Shape::All(Vec::new()), conditions: 0, values: 0, depth: 0 }
    }

    /// The rows that all parts mean; every row without parts.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Result<Self, Invalid> {
        let mut flat = Vec::new();
        for part in parts {
            match part.shape {
                Shape::All(inner) => flat.extend(inner),
                _ => flat.push(part),
            }
        }
        Self::joined(flat, Shape::All)
    }

    /// The rows that at least one part means.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Result<Self, Invalid> {
        let mut flat = Vec::new();
        for part in parts {
            match part.shape {
                Shape::Any(inner) => flat.extend(inner),
                Shape::All(ref inner) if inner.is_empty() => return Ok(Self::everything()),
                _ => flat.push(part),
            }
        }
        if flat.is_empty() { Err(Invalid::NoAlternative) } else { Self::joined(flat, Shape::Any) }
    }

    fn joined(mut parts: Vec<Self>, shape: fn(Vec<Self>) -> Shape) -> Result<Self, Invalid> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        let conditions = parts.iter().map(|part| part.conditions).sum();
        let values = parts.iter().map(|part| part.values).sum();
        let depth = parts.iter().map(|part| part.depth + 1).max().unwrap_or(0);
        match () {
            () if conditions > MAX_CONDITIONS => Err(Invalid::TooManyConditions),
            () if values > MAX_VALUES => Err(Invalid::TooManyValues),
            () if depth > MAX_DEPTH => Err(Invalid::TooDeep),
            () => Ok(Self { shape: shape(parts), conditions, values, depth }),
        }
    }

    /// What the filter is made of.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// True if any condition asks a field of [`Field::is_token`].
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
