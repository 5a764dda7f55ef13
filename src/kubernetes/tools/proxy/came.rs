//! [`Came`]: a body of many, unexpanded, and [`Page`]: where it stands in its list.

use serde::Deserialize;

use super::{asked::Asked, place::Next};
use crate::{
    answer::Cut,
    kubernetes::{access::parse, raw},
    toolbox::Call,
};

/// A list (apimachinery `metav1.List`) or a table (`metav1.Table`).
#[derive(Deserialize)]
pub(super) struct Came<'c> {
    #[serde(default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    metadata: Option<Next>,
    #[serde(borrow, default)]
    items: Option<raw::Items<'c>>,
    #[serde(borrow, default)]
    rows: Option<raw::Items<'c>>,
    #[serde(rename = "columnDefinitions", default)]
    pub(super) columns: Option<Vec<Column>>,
}

/// A column of a table.
#[derive(Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    /// 0 for what is always shown.
    #[serde(default)]
    pub(super) priority: i64,
}

impl<'c> Came<'c> {
    /// `None` where it is something else.
    pub(super) fn of(body: &'c [u8]) -> Option<Self> {
        parse(body).ok()
    }

    pub(super) fn is_table(&self) -> bool {
        self.kind.as_deref() == Some("Table")
    }

    /// Of which kind the items are.
    pub(super) fn listed(&self) -> Option<&str> {
        self.kind.as_deref()?.strip_suffix("List")
    }

    /// The items, or rows, and where they stand.
    pub(super) fn page<'a>(&mut self, asked: &'a Asked) -> (raw::Items<'c>, Page<'a>) {
        let items = if self.is_table() { self.rows.take() } else { self.items.take() };
        let items = items.unwrap_or_else(raw::Items::none);
        let next = self.metadata.take().unwrap_or_default().told();
        let page = Page { asked, next, came: items.raw.len(), more: items.more };
        (items, page)
    }
}

/// A page of a list, of which a part is shown.
pub(super) struct Page<'p> {
    asked: &'p Asked,
    next: Next,
    /// Items that came.
    came: usize,
    /// Items beyond those that are looked at.
    more: usize,
}

impl Page<'_> {
    /// Items of the whole list, where the API server says.
    fn total(&self) -> Option<u64> {
        let here = u64::try_from(self.asked.place.before + self.came + self.more).ok()?;
        match (self.next.remaining, &self.next.token) {
            (Some(remaining), _) => here.checked_add(remaining),
            (None, None) => Some(here),
            (None, Some(_)) => None,
        }
    }

    /// Items after the `taken` ones.
    pub(super) fn remaining(&self, taken: usize) -> Option<u64> {
        let shown = u64::try_from(self.asked.place.shown() + taken).ok()?;
        self.total().map(|total| total.saturating_sub(shown)).filter(|remaining| *remaining > 0)
    }

    fn rows(&self, taken: usize) -> String {
        let (first, last) = (self.asked.place.shown() + 1, self.asked.place.shown() + taken);
        match (taken, self.total()) {
            (0, _) => "none on this page".to_owned(),
            (_, Some(total)) => format!("{first} to {last} of {total}"),
            (_, None) => format!("{first} to {last}, and more"),
        }
    }

    /// The first line of the answer.
    pub(super) fn summary(&self, taken: usize) -> String {
        let what = self.asked.what();
        match self.total() {
            Some(0) => format!("{what}: none"),
            Some(total) if total == taken as u64 => format!("{what}: {taken}"),
            _ => format!("{what}: {}", self.rows(taken)),
        }
    }

    /// What cannot be had at all.
    pub(super) fn gap(&self) -> Option<String> {
        (self.more > 0).then(|| {
            let (all, came) = (self.came + self.more, self.came);
            format!(
                "the cluster sent {all} items at once, of which the first {came} can be paged through: name a \
                 namespace or a labelSelector"
            )
        })
    }

    /// What is left, and how to have it.
    pub(super) fn cut(&self, call: &Call, taken: usize, narrow: &str) -> Option<Cut> {
        let next = self.asked.place.after(taken, self.came, self.asked.page(), &self.next)?;
        let narrow = format!("{narrow}; or pass next_cursor as cursor with the same arguments");
        Some(Cut { what: self.rows(taken), narrow, next_cursor: next.cursor(call) })
    }
}
