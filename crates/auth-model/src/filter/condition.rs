use super::{InvalidFilter, MAX_TEXT, MAX_VALUES, Pattern};
use crate::{Field, FieldKind};

/// An operator of the platform's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`; with null the same as `isnull`.
    Equal,
    /// `!=`: the exact opposite of `=`, also for null.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `in`: any of a list.
    In,
    /// `nin`: the exact opposite of `in`.
    NotIn,
    /// `like`: see [`Pattern`].
    Like,
    /// `startswith`; ignores the case of ASCII letters.
    StartsWith,
    /// `isnull`: true or 1 matches null, false or 0 matches any other value.
    IsNull,
}

impl Operator {
    /// The operators: the symbol of the list grammar and the word of the keyword grammar.
    pub const NAMES: [(&'static str, &'static str, Self); 11] = [
        ("=", "eq", Self::Equal),
        ("!=", "ne", Self::NotEqual),
        ("<", "lt", Self::Less),
        ("<=", "lte", Self::AtMost),
        (">", "gt", Self::Greater),
        (">=", "gte", Self::AtLeast),
        ("in", "in", Self::In),
        ("nin", "nin", Self::NotIn),
        ("like", "like", Self::Like),
        ("startswith", "startswith", Self::StartsWith),
        ("isnull", "isnull", Self::IsNull),
    ];

    /// The operator with this symbol or word; the list grammar accepts both.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(symbol, word, _)| *symbol == name || *word == name).map(|found| found.2)
    }

    /// The operator with this word, the suffix of a keyword.
    pub fn parse_word(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, word, _)| *word == name).map(|found| found.2)
    }

    /// The symbol of the list grammar.
    pub fn symbol(self) -> &'static str {
        Self::NAMES.iter().find(|(_, _, operator)| *operator == self).map_or("", |found| found.0)
    }
}

/// A value of a grammar, before it is checked against a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A list.
    List(Vec<Value>),
    /// None.
    Null,
}

/// A value that fits its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A text without NUL, at most [`MAX_TEXT`] bytes.
    Text(String),
    /// A whole number, a department or a time.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// Null; for numbers and departments only.
    Null,
}

/// The relation of a value to a bound. It does not hold for null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// The test of a condition: the eleven operators are reduced to these three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `=`, `!=`, `in`, `nin`, `isnull`: the value is one of these. Exactly one of the test and its negation is true.
    OneOf {
        /// The values.
        values: Vec<Scalar>,
        /// True for the opposite.
        negated: bool,
    },
    /// `<`, `<=`, `>`, `>=`; texts are compared by their bytes in UTF-8, userId in lower case.
    Ordered {
        /// The relation.
        relation: Relation,
        /// A text or a number.
        bound: Scalar,
    },
    /// `like`, `startswith`.
    Like(Pattern),
}

/// One field with a test that fits its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    field: Field,
    test: Test,
}

impl Condition {
    /// Checks the operator and the value against the field.
    ///
    /// Equal conditions get the same form: `isnull` becomes a comparison with null, null of a text becomes `""`, null of
    /// a boolean becomes false.
    pub fn new(field: Field, operator: Operator, value: Value) -> Result<Self, InvalidFilter> {
        let one = |value, negated| {
            Ok::<_, InvalidFilter>(Test::OneOf { values: vec![scalar(field, operator, value)?], negated })
        };
        let ordered = |value, relation| {
            Ok::<_, InvalidFilter>(Test::Ordered { relation, bound: bound(field, operator, value)? })
        };
        let test = match operator {
            Operator::Equal => one(value, false)?,
            Operator::NotEqual => one(value, true)?,
            Operator::IsNull => one(Value::Null, !flag(field, &value)?)?,
            Operator::In => Test::OneOf { values: list(field, operator, value)?, negated: false },
            Operator::NotIn => Test::OneOf { values: list(field, operator, value)?, negated: true },
            Operator::Less => ordered(value, Relation::Less)?,
            Operator::AtMost => ordered(value, Relation::AtMost)?,
            Operator::Greater => ordered(value, Relation::Greater)?,
            Operator::AtLeast => ordered(value, Relation::AtLeast)?,
            Operator::Like => Test::Like(Pattern::like(&text(field, operator, value)?)?),
            Operator::StartsWith => Test::Like(Pattern::starting_with(text(field, operator, value)?)),
        };
        Ok(Self { field, test })
    }

    /// The field.
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The test.
    pub const fn test(&self) -> &Test {
        &self.test
    }

    pub(super) fn values(&self) -> usize {
        match &self.test {
            Test::OneOf { values, .. } => values.len(),
            Test::Ordered { .. } | Test::Like(_) => 1,
        }
    }
}

fn scalar(field: Field, operator: Operator, value: Value) -> Result<Scalar, InvalidFilter> {
    match (field.kind(), value) {
        (FieldKind::Text, Value::Null) => Ok(Scalar::Text(String::new())),
        (FieldKind::Text, Value::Text(text)) => checked(text).map(Scalar::Text),
        (FieldKind::Integer | FieldKind::Departments, Value::Null) => Ok(Scalar::Null),
        (FieldKind::Integer | FieldKind::Departments, Value::Integer(number)) => Ok(Scalar::Integer(number)),
        (FieldKind::Boolean, Value::Null) => Ok(Scalar::Boolean(false)),
        (FieldKind::Boolean, Value::Boolean(truth)) => Ok(Scalar::Boolean(truth)),
        (FieldKind::Boolean, Value::Integer(number @ (0 | 1))) => Ok(Scalar::Boolean(number == 1)),
        (kind, _) => Err(InvalidFilter::Value { field, operator, expected: expected(kind) }),
    }
}

const fn expected(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "a text in quotes or None",
        FieldKind::Integer => "a whole number or None",
        FieldKind::Boolean => "True, False, 1, 0 or None",
        FieldKind::Departments => "the number of a department or None",
    }
}

fn bound(field: Field, operator: Operator, value: Value) -> Result<Scalar, InvalidFilter> {
    match (field.kind(), value) {
        (FieldKind::Boolean | FieldKind::Departments, _) => Err(InvalidFilter::Operator { field, operator }),
        (FieldKind::Text, Value::Null) => {
            Err(InvalidFilter::Value { field, operator, expected: "a text in quotes, not None" })
        }
        (FieldKind::Integer, Value::Null) => {
            Err(InvalidFilter::Value { field, operator, expected: "a whole number, not None" })
        }
        (_, value) => scalar(field, operator, value),
    }
}

fn list(field: Field, operator: Operator, value: Value) -> Result<Vec<Scalar>, InvalidFilter> {
    match value {
        Value::List(values) if values.len() > MAX_VALUES => Err(InvalidFilter::TooManyValues),
        Value::List(values) => values.into_iter().map(|value| scalar(field, operator, value)).collect(),
        _ => Err(InvalidFilter::Value { field, operator, expected: "a list such as [1, 2]" }),
    }
}

fn text(field: Field, operator: Operator, value: Value) -> Result<String, InvalidFilter> {
    match (field.kind(), value) {
        (FieldKind::Text, Value::Text(text)) => checked(text),
        (FieldKind::Text, _) => Err(InvalidFilter::Value { field, operator, expected: "a text in quotes" }),
        _ => Err(InvalidFilter::Operator { field, operator }),
    }
}

fn flag(field: Field, value: &Value) -> Result<bool, InvalidFilter> {
    match value {
        Value::Boolean(truth) => Ok(*truth),
        Value::Integer(number @ (0 | 1)) => Ok(*number == 1),
        _ => Err(InvalidFilter::Value { field, operator: Operator::IsNull, expected: "True, False, 1 or 0" }),
    }
}

// PostgreSQL does not store NUL in texts, and SQLite's functions stop at it.
fn checked(text: String) -> Result<String, InvalidFilter> {
    if text.len() > MAX_TEXT {
        Err(InvalidFilter::TextTooLong)
    } else if text.contains('\0') {
        Err(InvalidFilter::Nul)
    } else {
        Ok(text)
    }
}
