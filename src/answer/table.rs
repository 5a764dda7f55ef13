//! [`Table`]: rows for a reader that pays by the token. Tab separated, no padding.

use super::sanitise;

/// A table with a header line.
#[derive(Clone, Debug)]
pub struct Table {
    text: String,
    columns: usize,
}

impl Table {
    /// A table with these column names.
    pub fn new(columns: &[&str]) -> Self {
        Self { text: columns.join("\t"), columns: columns.len() }
    }

    /// Adds a row; tabs and newlines in cells become spaces, an empty cell a dash.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.text.push('\n');
        self.text.push_str(&line(cells, self.columns));
    }

    /// The text, without a final newline.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// One row as it will stand in the text.
pub(super) fn line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>, columns: usize) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().take(columns).enumerate() {
        if index > 0 {
            line.push('\t');
        }
        let cell = sanitise::line(cell.as_ref());
        line.push_str(if cell.is_empty() { "-" } else { &cell });
    }
    line
}
