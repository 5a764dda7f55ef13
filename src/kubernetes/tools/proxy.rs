//! `kubernetes_proxy`: any path of an API server, read as the caller.

mod asked;
mod came;
mod document;
mod fields;
mod listing;
mod lost;
mod place;
mod refusal;
mod shown;
mod table;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error,
    answer::Answer,
    kubernetes::{access::Said, proxy::permit},
    toolbox::{Call, Reach, Tool},
};

use asked::Asked;
use came::Came;

/// The handler.
#[derive(Debug)]
pub struct Proxy;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    cluster: Option<String>,
    /// As /api/v1/namespaces/default/pods
    path: String,
    /// As {"labelSelector": "a=b"}
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    query: Option<BTreeMap<String, Value>>,
    r#as: Option<Form>,
    fields: Option<Vec<String>>,
    method: Option<Method>,
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// What was answered: one of an object, a list, a table and a text.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Output {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    /// Of an object, or of each item.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Vec<Value>>>,
    /// Items after this page, where the API server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    /// Of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// In which form objects are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    #[default]
    Json,
    Table,
}

/// What reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    #[default]
    Get,
    Head,
}

impl Tool for Proxy {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        super::pass::reach(input.cluster.as_ref(), "GET", &input.path)
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let asked = Asked::of(&call, &input)?;
        let access = call.cluster()?;
        access.note(&asked.method, asked.target.path());
        permit(&call, access, &asked.method, &asked.target)?;
        let said = access.read(&asked.method, &asked.uri(), asked.accept()).await?;
        match &said.fault {
            Some(fault) => Ok(refusal::answer(access, &asked, &said, fault).await),
            None => {
                let mut told = answer(&call, &asked, &said)?;
                let namespace = asked.namespace().filter(|_| is_empty(&asked, &told.structure));
                if let Some(gone) = namespace.filter(|_| !asked.place.goes_on())
                    && access.lacks_namespace(gone).await
                {
                    told.summary.push_str(&format!("; there is no namespace {gone}"));
                }
                Ok(told.gaps(asked.unknown()))
            }
        }
    }
}

fn answer(call: &Call, asked: &Asked, said: &Said) -> Result<Answer<Output>, Error> {
    let kind = content_type(said);
    if asked.method == http::Method::HEAD {
        let summary = format!("{} {}", said.status, kind.as_deref().unwrap_or("without a content type"));
        return Ok(Answer::new(summary, "", Output { content_type: kind, ..output(said) }));
    }
    if !is_document(asked, said, kind.as_deref()) {
        return text::answer(call, asked, said, kind.as_deref());
    }
    if asked.lists() || asked.form == Form::Table {
        match Came::of(&said.body) {
            Some(came) if came.is_table() => return table::answer(call, asked, said, came),
            Some(came) if asked.lists() && came.listed().is_some() => {
                return listing::answer(call, asked, said, came);
            }
            _ => {}
        }
    }
    document::answer(call, asked, said)
}

/// Whether it is a list of nothing.
fn is_empty(asked: &Asked, output: &Output) -> bool {
    let none =
        output.items.as_ref().is_some_and(Vec::is_empty) || output.rows.as_ref().is_some_and(Vec::is_empty);
    asked.lists() && none && output.remaining.is_none()
}

fn output(said: &Said) -> Output {
    Output { status: said.status.as_u16(), ..Output::default() }
}

fn content_type(said: &Said) -> Option<String> {
    let value = said.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.chars().take(200).collect())
}

/// Whether it is JSON: by its type, or, since some paths call theirs plain text (`/openapi/v3`), by what it is.
fn is_document(asked: &Asked, said: &Said, kind: Option<&str>) -> bool {
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if asked.logs() {
        return false;
    }
    match kind.as_deref() {
        Some(json) if json == "application/json" || json.ends_with("+json") => true,
        None | Some("text/plain") => {
            let braces = said.body.trim_ascii_start().first().is_some_and(|first| b"{[".contains(first));
            let whole = || serde_json::from_slice::<serde::de::IgnoredAny>(&said.body).is_ok();
            braces && (asked.objects() || whole())
        }
        Some(_) => false,
    }
}
