//! A pack as a row, of a profile or of a cluster, with its values where they are asked for.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::packs::{PackState, Written, allowance};
use crate::{
    Error, ErrorKind,
    answer::{Cut, Row, Table, sanitise},
    toolbox::Call,
};

/// One pack.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct PackRow {
    /// Left out where all rows are of one profile.
    #[serde(skip_serializing_if = "String::is_empty")]
    profile: String,
    name: String,
    layer: String,
    version: String,
    #[serde(rename = "type")]
    kind: String,
    /// Of the values.
    values_bytes: usize,
    /// name (uid)
    #[serde(skip_serializing_if = "Vec::is_empty")]
    manifests: Vec<String>,
    /// End of life.
    #[serde(skip_serializing_if = "String::is_empty")]
    eol: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    problem: String,
    /// YAML without comments, secrets redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<String>,
    /// How the values were read, where that is not as YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    #[serde(skip)]
    at: usize,
    #[serde(skip)]
    written: super::super::api::pack::Text,
}

impl PackRow {
    /// The pack at this place of its list.
    pub(super) fn new(at: usize, profile: &str, pack: PackState, eol: String, problem: String) -> Self {
        let manifest = |manifest: &super::super::api::pack::ManifestSummary| match manifest.uid.as_str() {
            "" => manifest.name.clone(),
            uid => format!("{} ({uid})", manifest.name),
        };
        Self {
            profile: profile.to_owned(),
            values_bytes: pack.values.0.len(),
            manifests: pack.manifests.iter().map(manifest).collect(),
            name: pack.name,
            layer: pack.layer,
            version: pack.version,
            kind: pack.kind,
            eol,
            problem,
            values: None,
            note: None,
            at,
            written: pack.values,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.values_bytes
    }

    fn heading(&self) -> String {
        let of = if self.profile.is_empty() { String::new() } else { format!(" of {}", self.profile) };
        let note = self.note.map(|note| format!(" ({note})")).unwrap_or_default();
        format!("# values of {}{of}{note}", sanitise::line(&self.name))
    }
}

impl Row for PackRow {
    const COLUMNS: &'static [&'static str] =
        &["profile", "layer", "pack", "version", "type", "values_bytes", "manifests", "eol", "problem"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.profile.clone(),
            self.layer.clone(),
            self.name.clone(),
            self.version.clone(),
            self.kind.clone(),
            self.values_bytes.to_string(),
            self.manifests.join(", "),
            self.eol.clone(),
            self.problem.clone(),
        ]
    }

    fn key(&self) -> String {
        format!("{:06}", self.at)
    }
}

/// A page of packs.
pub(super) struct PackPage {
    pub(super) rows: Vec<PackRow>,
    pub(super) total: usize,
    pub(super) text: String,
    pub(super) cut: Option<Cut>,
}

/// The packs that fit, with their values where those are wanted: only the values of what is shown are read.
pub(super) async fn page(
    call: &Call,
    rows: Vec<PackRow>,
    cursor: Option<&str>,
    with_values: bool,
) -> Result<PackPage, Error> {
    let after = cursor.map(|cursor| call.gone_on(cursor)).transpose()?;
    let room = call.budget().bytes;
    let read = move |mut rows: Vec<PackRow>| {
        let mut taken = 0;
        for row in &mut rows {
            if after.as_ref().is_some_and(|after| row.key() <= *after) || taken > room {
                continue;
            }
            let written = Written::read(&row.written.0);
            row.note = written.note().filter(|_| !row.written.0.is_empty());
            let text = written.text();
            taken += text.len();
            row.values = (!text.is_empty()).then_some(text);
        }
        rows
    };
    let rows = match with_values {
        true => in_the_background(move || read(rows)).await?,
        false => rows,
    };
    let narrow = if with_values { "name one with pack" } else { "name one with pack, or a limit" };
    let (page, cut) = call.page(rows, cursor, narrow)?;
    let several = page.rows.rows.iter().any(|row| !row.profile.is_empty());
    let mut text = if several { page.table } else { without_profile(&page.rows.rows) };
    for row in &page.rows.rows {
        if let Some(values) = &row.values {
            text.push_str(&format!("\n\n{}\n{}", row.heading(), values.trim_end()));
        }
    }
    Ok(PackPage { rows: page.rows.rows, total: page.rows.total, text, cut })
}

fn without_profile(rows: &[PackRow]) -> String {
    let mut table = Table::new(PackRow::COLUMNS.get(1..).unwrap_or_default());
    rows.iter().for_each(|row| table.row(row.cells().into_iter().skip(1)));
    table.into_text()
}

/// Work that keeps a processor busy, away from those who wait for others; texts beyond the allowance of a call
/// are told by their sizes.
pub(super) async fn in_the_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done =
        tokio::task::spawn_blocking(move || crate::stack::deep(|| allowance::within(allowance::MOST, work)))
            .await;
    done.ok()
        .and_then(Result::ok)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "the text could not be read"))
}
