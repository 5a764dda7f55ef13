//! A pack that differs, as a row: of two versions of a profile, or of a profile and a cluster.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::packs::{PackChange, change::Kind};
use crate::{answer::Row, kubernetes::difference::Difference};

/// Differences of one pack that are told where all packs are; the rest is counted.
const MOST: usize = 60;
/// The same where one pack is asked for.
const MOST_OF_ONE: usize = 400;

/// One pack.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChangeRow {
    /// Left out where it is one profile's.
    #[serde(skip_serializing_if = "String::is_empty")]
    profile: String,
    #[serde(flatten)]
    change: PackChange,
    /// Differences that are not told.
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
    #[serde(skip)]
    at: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl ChangeRow {
    /// The change at this place of its list; `alone`, where only this pack was asked for.
    pub(super) fn new(at: usize, profile: &str, mut change: PackChange, alone: bool) -> Self {
        let mut left = if alone { MOST_OF_ONE } else { MOST };
        let mut more = 0;
        let manifests = change.manifests.iter_mut().map(|manifest| &mut manifest.differences);
        for told in std::iter::once(&mut change.values).chain(manifests) {
            more += told.len().saturating_sub(left);
            told.truncate(left);
            left -= told.len();
        }
        Self { profile: profile.to_owned(), change, more, at }
    }

    /// As lines.
    pub(super) fn text(&self) -> String {
        let PackChange { pack, layer, change, version, layer_before, values, note, manifests } = &self.change;
        let of = if self.profile.is_empty() { String::new() } else { format!("{}/", self.profile) };
        let mut text = format!("{} {of}{pack} ({layer}) {version}", mark(*change));
        if let Some(before) = layer_before {
            let _ = write!(text, "; layer was {before}");
        }
        if let Some(note) = note {
            let _ = write!(text, "; values {note}");
        }
        push(&mut text, values);
        for manifest in manifests {
            let _ = write!(text, "\n  {} manifest {}", mark(manifest.change), manifest.manifest);
            push(&mut text, &manifest.differences);
        }
        if self.more > 0 {
            let _ = write!(text, "\n  … {} more differences: name this one with pack", self.more);
        }
        text
    }
}

fn push(text: &mut String, differences: &[Difference]) {
    for difference in differences {
        let _ = write!(text, "\n    {difference}");
    }
}

pub(super) fn mark(change: Kind) -> char {
    match change {
        Kind::Added => '+',
        Kind::Removed => '-',
        Kind::Changed => '~',
    }
}

impl Row for ChangeRow {
    const COLUMNS: &'static [&'static str] = &["change"];

    fn cells(&self) -> Vec<String> {
        vec![self.text()]
    }

    fn key(&self) -> String {
        format!("{:06}", self.at)
    }
}

/// The rows of a page as text.
pub(super) fn lines(rows: &[ChangeRow]) -> String {
    rows.iter().map(ChangeRow::text).collect::<Vec<_>>().join("\n")
}
