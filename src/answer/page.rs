//! [`Page`]: the rows of a list that fit the budget, and how to get the rest.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    budget::Budget,
    table::{self, Table},
};

/// A row of a list.
pub trait Row: Serialize {
    /// Column names of the text.
    const COLUMNS: &'static [&'static str];

    /// The cells of the text, one a column.
    fn cells(&self) -> Vec<String>;

    /// Where the row stands in the order of the list: unique, and the same in the next call, since
    /// a cursor is the key of the last row shown. Abnormal rows get a key that sorts first.
    fn key(&self) -> String;
}

/// The rows of a list as the structure carries them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Rows<R> {
    /// Rows that match, before paging.
    pub total: usize,
    /// The rows of this page.
    pub rows: Vec<R>,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page<R> {
    /// The rows shown, and the total.
    pub rows: Rows<R>,
    /// The same as a table; nothing where there are none.
    pub table: String,
    /// The key of the last row, where more follow.
    pub(crate) last: Option<String>,
    /// Rows before this page.
    pub(crate) before: usize,
}

impl<R: Row> Page<R> {
    /// The rows after the key `after` that keep `budget`, in the order of their keys; at least one.
    pub(crate) fn cut(mut rows: Vec<R>, after: Option<&str>, budget: Budget) -> Self {
        rows.sort_by_cached_key(R::key);
        let total = rows.len();
        if let Some(after) = after {
            rows.retain(|row| row.key().as_str() > after);
        }
        let before = total - rows.len();
        // room for the summary, the gaps and the cursor
        let room = budget.bytes.saturating_sub(1_500).max(500);
        let (mut text, mut json, mut fit) = (0, 0, 0);
        for row in rows.iter().take(budget.rows) {
            text += table::line(row.cells(), R::COLUMNS.len()).len() + 1;
            json += serde_json::to_string(row).map_or(0, |row| row.len()) + 1;
            if fit > 0 && (text > room || json > room) {
                break;
            }
            fit += 1;
        }
        let more = fit < rows.len();
        rows.truncate(fit);
        let mut table = Table::new(R::COLUMNS);
        rows.iter().for_each(|row| table.row(row.cells()));
        let last = more.then(|| rows.last().map(R::key)).flatten();
        let table = if rows.is_empty() { String::new() } else { table.into_text() };
        Self { rows: Rows { total, rows }, table, last, before }
    }
}
