use std::ops::Deref;

use crate::client::wire::Rows;

/// The rows of a list, and the number of rows that could not be read.
///
/// An invalid row (no identifier, or one that breaks WeCom's own rule) is skipped. Check [`skipped`](Self::skipped)
/// before you rely on the list being complete, for example to find members who left.
///
/// It dereferences to a slice:
/// ```no_run
/// # async fn example(calls: wecom::Calls) -> Result<(), wecom::Error> {
/// let listing = calls.departments(None).await?;
/// println!("{} departments, the first {:?}", listing.len(), listing.first());
/// assert_eq!(listing.skipped(), 0);
/// for department in listing { println!("{:?}", department.name); }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    rows: Vec<T>,
    skipped: usize,
    lost: Vec<String>,
}

impl<T> Listing<T> {
    pub(super) fn new(call: &'static str, rows: Rows<T>) -> Self {
        if rows.skipped > 0 {
            let such_as = rows.lost.first().map(String::as_str);
            tracing::warn!(call, skipped = rows.skipped, such_as, "rows of WeCom's answer could not be read");
        }
        Self { rows: rows.read, skipped: rows.skipped, lost: rows.lost }
    }

    /// The number of rows that could not be read.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The first ten of the rows that could not be read, to show them: the identifier as WeCom wrote it, or the place in
    /// the list, such as `row 3`.
    pub fn lost(&self) -> &[String] {
        &self.lost
    }

    /// The rows that could be read.
    pub fn into_rows(self) -> Vec<T> {
        self.rows
    }
}

impl<T> Deref for Listing<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.rows
    }
}

impl<T> IntoIterator for Listing<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Listing<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}
