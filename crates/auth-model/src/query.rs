use crate::filter::Filter;
use crate::{Field, FieldKind};

/// The largest page, in rows.
pub const MAX_PAGE_SIZE: u32 = 1000;

/// An invalid field list, order or page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// No such field.
    #[error("expected a field such as userId, department or isLeader")]
    Field,
    /// A field that has no order.
    #[error("expected a field that gives an order; {0} is a list")]
    Unordered(Field),
    /// Neither 1 nor -1.
    #[error("expected 1 (ascending) or -1 (descending)")]
    Direction,
    /// An invalid page number.
    #[error("expected a page from 1 on")]
    Page,
    /// An invalid page size.
    #[error("expected a size between 1 and {MAX_PAGE_SIZE}")]
    Size,
}

/// One entry of an orderList.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    field: Field,
    descending: bool,
}

impl Order {
    /// Orders by this field, ascending or descending. Null and `""` are less than all other values.
    pub const fn by(field: Field, descending: bool) -> Result<Self, InvalidQuery> {
        match field.kind() {
            FieldKind::Departments => Err(InvalidQuery::Unordered(field)),
            _ => Ok(Self { field, descending }),
        }
    }

    /// The platform's `["name", 1]` or `["name", -1]`.
    pub fn parse(name: &str, direction: i64) -> Result<Self, InvalidQuery> {
        let field = Field::parse(name).ok_or(InvalidQuery::Field)?;
        match direction {
            1 => Self::by(field, false),
            -1 => Self::by(field, true),
            _ => Err(InvalidQuery::Direction),
        }
    }

    /// The field.
    pub const fn field(self) -> Field {
        self.field
    }

    /// True for descending order.
    pub const fn is_descending(self) -> bool {
        self.descending
    }
}

/// A page of rows. The platform documents `page` and `size` without a default; ours is the first 20 rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u32,
    size: u32,
}

impl Page {
    const FIRST: Self = Self { number: 1, size: 20 };
    /// The first row alone.
    pub const ONE: Self = Self { number: 1, size: 1 };

    /// Page `number`, from 1, of `size` rows, 1 to [`MAX_PAGE_SIZE`]. A larger size is an error: a smaller page would
    /// silently omit rows.
    pub fn new(number: i64, size: i64) -> Result<Self, InvalidQuery> {
        let number = u32::try_from(number).ok().filter(|number| *number >= 1).ok_or(InvalidQuery::Page)?;
        let size = u32::try_from(size).ok().filter(|size| (1..=MAX_PAGE_SIZE).contains(size));
        Ok(Self { number, size: size.ok_or(InvalidQuery::Size)? })
    }

    /// The maximum number of rows.
    pub const fn size(self) -> u32 {
        self.size
    }

    /// The number of rows before the page.
    pub fn offset(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.size)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::FIRST
    }
}

/// The arguments of `query`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The wanted rows.
    pub filter: Filter,
    /// The wanted fields; empty for all.
    pub fields: Vec<Field>,
    /// The order. Rows that are equal in it are ordered by id.
    pub order: Vec<Order>,
    /// The wanted page.
    pub page: Page,
}

impl Query {
    /// The first page of these rows, with all fields, ordered by id.
    pub const fn of(filter: Filter) -> Self {
        Self { filter, fields: Vec::new(), order: Vec::new(), page: Page::FIRST }
    }

    /// The platform's fieldList: names of fields. Duplicates are ignored.
    pub fn fields_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Field>, InvalidQuery> {
        let mut fields = Vec::new();
        for name in names {
            let field = Field::parse(name).ok_or(InvalidQuery::Field)?;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        Ok(fields)
    }

    /// True if the filter or the order uses a field of [`Field::is_token`].
    pub fn asks_for_tokens(&self) -> bool {
        self.filter.asks_for_tokens() || self.order.iter().any(|order| order.field().is_token())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_sizes_have_limits() {
        assert_eq!(Page::new(3, 1000).unwrap().offset(), 2000);
        assert_eq!(Page::new(1, 1).unwrap().offset(), 0);
        assert_eq!(Page::new(i64::from(u32::MAX), 1000).unwrap().offset(), 4_294_967_294_000);
        for number in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(Page::new(number, 20), Err(InvalidQuery::Page), "{number}");
        }
        for size in [0, -1, 1001, i64::MAX] {
            assert_eq!(Page::new(1, size), Err(InvalidQuery::Size), "{size}");
        }
    }

    #[test]
    fn orders_name_a_field_and_a_direction() {
        assert!(!Order::parse("name", 1).unwrap().is_descending());
        assert!(Order::parse("name", -1).unwrap().is_descending());
        assert_eq!(Order::parse("name", 0), Err(InvalidQuery::Direction));
        assert_eq!(Order::parse("name; DROP TABLE members", 1), Err(InvalidQuery::Field));
        assert_eq!(Order::parse("department", 1), Err(InvalidQuery::Unordered(Field::Department)));
    }

    #[test]
    fn field_lists_name_each_field_once() {
        assert_eq!(Query::fields_of(["name", "id", "name"]), Ok(vec![Field::Name, Field::Id]));
        assert_eq!(Query::fields_of(["name", "*"]), Err(InvalidQuery::Field));
    }

    #[test]
    fn tokens_are_asked_for_by_filter_and_order_alike() {
        let query = |text: &str| Query::of(text.parse().unwrap());
        assert!(query("Q(Q(id=1), Q.OR, Q(accessToken__startswith='a'))").asks_for_tokens());
        assert!(!query("Q(id=1)").asks_for_tokens());
        let ordered = Query { order: vec![Order::parse("expiresAt", 1).unwrap()], ..query("Q()") };
        assert!(ordered.asks_for_tokens());
    }
}
