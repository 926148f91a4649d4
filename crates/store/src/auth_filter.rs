//! Filters of the member model as SQL.
//!
//! The SQL text consists of constants of this file and numbered placeholders; all input is bound. It is the same for
//! SQLite and PostgreSQL. PostgreSQL compares texts by their bytes if the database or the columns have the collation
//! "C".

use wecom_login_auth_model::filter::{Condition, Filter, Pattern, Scalar, Shape, Test};
use wecom_login_auth_model::{Field, FieldKind, Order};

use crate::database::{Statement, Value};

impl Statement {
    /// Writes the filter as one condition.
    pub(crate) fn filter(&mut self, filter: &Filter) {
        let (parts, between, none) = match filter.shape() {
            Shape::All(parts) => (parts, " AND ", "1 = 1"),
            Shape::Any(parts) => (parts, " OR ", "1 = 0"),
            Shape::Is(condition) => return self.condition(condition),
        };
        if parts.is_empty() {
            return self.push(none);
        }
        self.push("(");
        for (place, part) in parts.iter().enumerate() {
            self.push(if place > 0 { between } else { "" });
            self.filter(part);
        }
        self.push(")");
    }

    fn condition(&mut self, condition: &Condition) {
        let field = condition.field();
        match condition.test() {
            Test::OneOf { values, negated } => {
                self.push(if *negated { "NOT (" } else { "(" });
                match field.kind() {
                    FieldKind::Text | FieldKind::Integer => self.one_of(field, values),
                    FieldKind::Boolean | FieldKind::Departments => self.any_of(values),
                }
                self.push(")");
            }
            Test::Ordered { relation, bound } => {
                self.push(column(field));
                self.push(" ");
                self.push(relation.symbol());
                self.push(" ");
                self.scalar(field, bound);
            }
            Test::Like(pattern) => {
                self.push("lower(");
                self.push(column(field));
                // Folded here: PostgreSQL would fold the value by the language of the database.
                self.push(") LIKE ");
                self.push_bound(like(pattern).to_ascii_lowercase());
                self.push(" ESCAPE '!'");
            }
        }
    }

    /// One of these, and neither true nor false of null becomes unknown.
    fn one_of(&mut self, field: Field, values: &[Scalar]) {
        let mut known = values.iter().filter(|value| **value != Scalar::Null).peekable();
        if known.peek().is_none() {
            self.push("1 = 0");
        } else {
            self.push(column(field));
            self.push(" IS NOT NULL AND ");
            self.push(column(field));
            self.push(" IN (");
            for (place, value) in known.enumerate() {
                self.push(if place > 0 { ", " } else { "" });
                self.scalar(field, value);
            }
            self.push(")");
        }
        if values.contains(&Scalar::Null) {
            self.push(" OR ");
            self.push(column(field));
            self.push(" IS NULL");
        }
    }

    /// Halved, so that a long list makes a flat tree: SQLite allows a depth of 1000.
    fn any_of(&mut self, values: &[Scalar]) {
        match values {
            [Scalar::Boolean(true)] => self.push("m.leads <> '[]'"),
            [Scalar::Boolean(false)] => self.push("m.leads = '[]'"),
            [Scalar::Null] => self.push("m.departments = '[]'"),
            [Scalar::Integer(department)] => {
                // The list is written without white space: [1,22,3].
                self.push("replace(replace(m.departments, '[', ','), ']', ',') LIKE ");
                self.push_bound(format!("%,{department},%"));
            }
            [] | [Scalar::Text(_)] => self.push("1 = 0"),
            several => {
                let (left, right) = several.split_at(several.len() / 2);
                self.push("(");
                self.any_of(left);
                self.push(" OR ");
                self.any_of(right);
                self.push(")");
            }
        }
    }

    fn scalar(&mut self, field: Field, value: &Scalar) {
        self.push_bound(bound(field, value));
    }

    /// Writes the orders and, for what stays equal, the id. A field that stands twice orders once, and one that
    /// is the same in every row not at all.
    pub(crate) fn order(&mut self, orders: &[Order]) {
        self.push(" ORDER BY ");
        for (place, order) in orders.iter().enumerate() {
            let earlier = orders.iter().take(place).any(|earlier| earlier.field() == order.field());
            if !earlier && order.field() != Field::RefreshToken {
                self.push(match order.field() {
                    Field::IsLeader => "CASE WHEN m.leads = '[]' THEN 0 ELSE 1 END",
                    field => column(field),
                });
                self.push(if order.is_descending() { " DESC NULLS LAST, " } else { " ASC NULLS FIRST, " });
            }
        }
        self.push("m.id ASC");
    }
}

/// What the field is in SQL; `m` is the member, `s` their latest live session, if any.
const fn column(field: Field) -> &'static str {
    match field {
        Field::Id => "m.id",
        Field::UserId => "m.user_key",
        Field::Name => "m.name",
        Field::Mobile => "m.mobile",
        Field::Email => "m.email",
        Field::Avatar => "m.avatar",
        Field::Department => "m.departments",
        Field::Position => "m.position",
        Field::Gender => "m.gender",
        Field::Status => STATUS,
        Field::IsLeader => "m.leads",
        Field::AccessToken => "COALESCE(p.access_hash, s.token_hash, '')",
        Field::RefreshToken => "COALESCE(p.refresh_hash, '')",
        Field::ExpiresAt => "s.expires_at",
        Field::CreatedAt => "m.created_at",
        Field::UpdatedAt => "m.updated_at",
    }
}

/// WeCom's 5 (96255) for whoever was seen to have left, whatever WeCom told before.
pub(crate) const STATUS: &str = "(CASE WHEN m.left_at IS NULL OR m.status = 2 THEN m.status ELSE 5 END)";

fn bound(field: Field, value: &Scalar) -> Value {
    match value {
        Scalar::Text(text) if field == Field::UserId => text.to_ascii_lowercase().into(),
        Scalar::Text(text) => text.into(),
        Scalar::Integer(number) => (*number).into(),
        Scalar::Boolean(truth) => i64::from(*truth).into(),
        Scalar::Null => "".into(),
    }
}

fn like(pattern: &Pattern) -> String {
    let plain = |piece: &String| piece.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    pattern.pieces().iter().map(plain).collect::<Vec<_>>().join("%")
}
