//! `palette_pack_manifest`: the manifests and values of a pack, on a cluster or in a profile.

mod read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::packs::{Written, written},
    pack_row::in_the_background,
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, counted},
    toolbox::{Call, Reach, Tool},
};

use read::Part;

/// The handler.
#[derive(Debug)]
pub struct ShowPackManifest;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    cluster: Option<String>,
    /// Instead of cluster.
    profile: Option<String>,
    /// Values and manifests.
    pack: Option<String>,
    /// Name or uid: only this one.
    manifest: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The cluster or the profile.
    of: String,
    environment: String,
    total: usize,
    rows: Vec<DocumentRow>,
}

/// One document of a manifest, or the values.
#[derive(Debug, Serialize, JsonSchema)]
struct DocumentRow {
    #[serde(skip_serializing_if = "String::is_empty")]
    pack: String,
    /// `values`, or the name of the manifest.
    part: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    uid: String,
    /// Kind/name, where it is an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// YAML without comments, secrets redacted.
    content: String,
    /// How it was read, where that is not as YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    #[serde(skip)]
    at: usize,
}

impl DocumentRow {
    fn text(&self) -> String {
        let object = self.object.as_ref().map(|object| format!(", {object}")).unwrap_or_default();
        let note = self.note.map(|note| format!(" ({note})")).unwrap_or_default();
        let of = if self.pack.is_empty() { String::new() } else { format!("{}: ", self.pack) };
        format!("# {of}{}{object}{note}\n{}", self.part, self.content.trim_end())
    }
}

impl Row for DocumentRow {
    const COLUMNS: &'static [&'static str] = &["content"];

    fn cells(&self) -> Vec<String> {
        vec![self.text()]
    }

    fn key(&self) -> String {
        format!("{:06}", self.at)
    }
}

impl Tool for ShowPackManifest {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let found = read::parts(&call, &input).await?;
        let learned = std::sync::Arc::clone(&found.access.spent().learned);
        let parts = found.parts;
        let (count, bytes) = (parts.len(), parts.iter().map(|part| part.text.0.len()).sum::<usize>());
        let rows = in_the_background(move || {
            let mut rows = Vec::new();
            for part in parts {
                let written = Written::read(&part.text.0);
                written.learn(&learned);
                documents(&part, &written, &mut rows);
            }
            rows
        })
        .await?;
        let (texts, documents) = (counted(count, "text"), counted(rows.len(), "document"));
        let summary = format!("{}: {texts} of {bytes} bytes, in {documents}", found.of);
        let (page, cut) = call.page(rows, input.cursor.as_deref(), "name one with manifest")?;
        let body = page.rows.rows.iter().map(DocumentRow::text).collect::<Vec<_>>().join("\n---\n");
        let environment = found.access.environment().name().to_owned();
        let output = Output { of: found.of, environment, total: page.rows.total, rows: page.rows.rows };
        Ok(Answer::new(summary, body, output).gaps(found.gaps).cut(cut))
    }
}

/// A row a document, so that a large manifest can be paged through.
fn documents(part: &Part, written: &Written, rows: &mut Vec<DocumentRow>) {
    let mut push = |object: Option<String>, content: String| {
        rows.push(DocumentRow {
            pack: part.pack.clone(),
            part: part.name.clone(),
            uid: part.uid.clone(),
            object,
            content,
            note: written.note().filter(|_| !part.text.0.is_empty()),
            at: rows.len(),
        });
    };
    match written.documents() {
        Some(documents) if !documents.is_empty() => {
            for document in documents {
                push(written::object_name(&document), written::yaml(&document));
            }
        }
        _ => push(None, written.text()),
    }
}
