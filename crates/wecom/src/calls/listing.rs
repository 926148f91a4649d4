use std::ops::Deref;

use crate::wire::Rows;

/// The rows of a list, and how many could not be read.
///
/// One odd row (no identifier, or one outside WeCom's own rule) does not lose the others. But whoever takes a
/// list for complete, to find who has left, must look at [`skipped`](Self::skipped) first.
///
/// It reads as a slice:
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
}

impl<T> Listing<T> {
    pub(super) fn new(call: &'static str, rows: Rows<T>) -> Self {
        if rows.skipped > 0 {
            tracing::warn!(call, skipped = rows.skipped, "rows of WeCom's answer could not be read");
        }
        Self { rows: rows.read, skipped: rows.skipped }
    }

    /// How many rows could not be read.
    pub fn skipped(&self) -> usize {
        self.skipped
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
