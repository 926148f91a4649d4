use super::{Field, Invalid, Kind, MAX_TEXT, MAX_VALUES, Pattern};

/// An operator of the platform's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`; with null the same as `isnull`.
    Equal,
    /// `!=`: exactly where `=` does not hold, null included.
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
    /// `nin`: exactly where `in` does not hold.
    NotIn,
    /// `like`: see [`Pattern`].
    Like,
    /// `startswith`, without regard to the case of ASCII letters.
    StartsWith,
    /// `isnull`: true or 1 for nothing there, false or 0 for something.
    IsNull,
}

impl Operator {
    /// The operators as the list grammar spells them, each with the word that the keyword grammar has for it.
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

    /// The operator of that symbol or word; the list grammar takes both.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(symbol, word, _)| *symbol == name || *word == name).map(|found| found.2)
    }

    /// The operator of that word, as a keyword's ending.
    pub fn parse_word(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, word, _)| *word == name).map(|found| found.2)
    }

    /// The symbol of the list grammar.
    pub fn symbol(self) -> &'static str {
        Self::NAMES.iter().find(|(_, _, operator)| *operator == self).map_or("", |found| found.0)
    }
}

/// A value as a grammar reads it, before it is held against a field.
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
    /// A whole number, a department or a moment.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// Nothing there; for numbers and departments only.
    Null,
}

/// How a value lies to a bound. Null lies nowhere.
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

/// What a condition asks of its field: the eleven operators come down to these three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `=`, `!=`, `in`, `nin`, `isnull`: is it one of these? Never both true or both false with its negation.
    OneOf {
        /// What it may be.
        values: Vec<Scalar>,
        /// Asks for the opposite.
        negated: bool,
    },
    /// `<`, `<=`, `>`, `>=`; texts by their bytes in UTF-8, userId in lower case.
    Ordered {
        /// Where it must lie.
        relation: Relation,
        /// Text or number.
        bound: Scalar,
    },
    /// `like`, `startswith`.
    Like(Pattern),
}

/// One field, asked one thing that fits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    field: Field,
    test: Test,
}

impl Condition {
    /// Holds the operator and the value against the field.
    ///
    /// The result is in one form however it was said: `isnull` becomes a comparison with null, null of a text
    /// becomes `""` and of a check box false.
    pub fn new(field: Field, operator: Operator, value: Value) -> Result<Self, Invalid> {
        let one = |value, negated| {
            Ok::<_, Invalid>(Test::OneOf { values: vec![scalar(field, operator, value)?], negated })
        };
        let ordered = |value, relation| {
            Ok::<_, Invalid>(Test::Ordered { relation, bound: bound(field, operator, value)? })
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

    /// The field that is asked.
    pub const fn field(&self) -> Field {
        self.field
    }

    /// What it is asked.
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

fn scalar(field: Field, operator: Operator, value: Value) -> Result<Scalar, Invalid> {
    match (field.kind(), value) {
        (Kind::Text, Value::Null) => Ok(Scalar::Text(String::new())),
        (Kind::Text, Value::Text(text)) => checked(text).map(Scalar::Text),
        (Kind::Integer | Kind::Departments, Value::Null) => Ok(Scalar::Null),
        (Kind::Integer | Kind::Departments, Value::Integer(number)) => Ok(Scalar::Integer(number)),
        (Kind::Boolean, Value::Null) => Ok(Scalar::Boolean(false)),
        (Kind::Boolean, Value::Boolean(truth)) => Ok(Scalar::Boolean(truth)),
        (Kind::Boolean, Value::Integer(number @ (0 | 1))) => Ok(Scalar::Boolean(number == 1)),
        (kind, _) => Err(Invalid::Value { field, operator, expected: expected(kind) }),
    }
}

const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text in quotes or None",
        Kind::Integer => "a whole number or None",
        Kind::Boolean => "True, False, 1, 0 or None",
        Kind::Departments => "the number of a department or None",
    }
}

fn bound(field: Field, operator: Operator, value: Value) -> Result<Scalar, Invalid> {
    match (field.kind(), value) {
        (Kind::Boolean | Kind::Departments, _) => Err(Invalid::Operator { field, operator }),
        (Kind::Text, Value::Null) => {
            Err(Invalid::Value { field, operator, expected: "a text in quotes, not None" })
        }
        (Kind::Integer, Value::Null) => {
            Err(Invalid::Value { field, operator, expected: "a whole number, not None" })
        }
        (_, value) => scalar(field, operator, value),
    }
}

fn list(field: Field, operator: Operator, value: Value) -> Result<Vec<Scalar>, Invalid> {
    match value {
        Value::List(values) if values.len() > MAX_VALUES => Err(Invalid::TooManyValues),
        Value::List(values) => values.into_iter().map(|value| scalar(field, operator, value)).collect(),
        _ => Err(Invalid::Value { field, operator, expected: "a list such as [1, 2]" }),
    }
}

fn text(field: Field, operator: Operator, value: Value) -> Result<String, Invalid> {
    match (field.kind(), value) {
        (Kind::Text, Value::Text(text)) => checked(text),
        (Kind::Text, _) => Err(Invalid::Value { field, operator, expected: "a text in quotes" }),
        _ => Err(Invalid::Operator { field, operator }),
    }
}

fn flag(field: Field, value: &Value) -> Result<bool, Invalid> {
    match value {
        Value::Boolean(truth) => Ok(*truth),
        Value::Integer(number @ (0 | 1)) => Ok(*number == 1),
        _ => Err(Invalid::Value { field, operator: Operator::IsNull, expected: "True, False, 1 or 0" }),
    }
}

// PostgreSQL has no NUL in texts, and SQLite's functions stop at it.
fn checked(text: String) -> Result<String, Invalid> {
    if text.len() > MAX_TEXT {
        Err(Invalid::TextTooLong)
    } else if text.contains('\0') {
        Err(Invalid::Nul)
    } else {
        Ok(text)
    }
}
