//! Writing to people: results to standard output, everything else to standard error.

use std::io::{self, Write as _};

/// Writes `text` and ends the line if it is not ended.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Writes JSON that people can read.
pub(super) fn json(value: &impl serde::Serialize) -> io::Result<()> {
    text(&serde_json::to_string_pretty(value)?)
}

/// A table for people: columns under each other.
pub(super) fn columns<const N: usize>(head: &[&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let widths: Vec<usize> = (0..N)
        .map(|at| all().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in all() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Writes a line to standard error. There is nowhere to say that it could not be written.
pub(super) fn error_line(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
