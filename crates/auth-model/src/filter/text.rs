use std::fmt::{self, Write as _};

use super::{Condition, Filter, Relation, Scalar, Shape, Test};

impl fmt::Display for Filter {
    /// The list grammar: `Q(Q('userId', '=', 'x'), Q.AND, Q('id', '>=', 2))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape() {
            Shape::Is(_) => write!(f, "Q({})", Inner(self)),
            _ => Inner(self).fmt(f),
        }
    }
}

struct Inner<'a>(&'a Filter);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, sign) = match self.0.shape() {
            Shape::All(parts) => (parts, ", Q.AND, "),
            Shape::Any(parts) => (parts, ", Q.OR, "),
            Shape::Is(condition) => return condition.fmt(f),
        };
        f.write_str("Q(")?;
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                f.write_str(sign)?;
            }
            Self(part).fmt(f)?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Q('{}', ", self.field())?;
        match self.test() {
            Test::OneOf { values, negated } => match (values.as_slice(), negated) {
                ([value], false) => write!(f, "'=', {value}")?,
                ([value], true) => write!(f, "'!=', {value}")?,
                (values, negated) => {
                    f.write_str(if *negated { "'nin', [" } else { "'in', [" })?;
                    for (place, value) in values.iter().enumerate() {
                        f.write_str(if place > 0 { ", " } else { "" })?;
                        value.fmt(f)?;
                    }
                    f.write_str("]")?;
                }
            },
            Test::Ordered { relation, bound } => write!(f, "'{}', {bound}", relation.symbol())?,
            Test::Like(pattern) => match pattern.pieces() {
                [start, end] if end.is_empty() => {
                    f.write_str("'startswith', ")?;
                    quoted(f, start)?;
                }
                _ => {
                    f.write_str("'like', ")?;
                    quoted(f, &pattern.to_like())?;
                }
            },
        }
        f.write_str(")")
    }
}

impl Relation {
    /// The symbol of the relation, in filters and in SQL.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, text),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(true) => f.write_str("True"),
            Self::Boolean(false) => f.write_str("False"),
            Self::Null => f.write_str("None"),
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for sign in text.chars() {
        match sign {
            '\'' | '\\' => write!(f, "\\{sign}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            sign if sign.is_control() => write!(f, "\\u{:04x}", u32::from(sign))?,
            sign => f.write_char(sign)?,
        }
    }
    f.write_char('\'')
}
