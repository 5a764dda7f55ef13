//! `kro_revision_diff`: what differs between two states of an RGD, and whom that would break.

mod sides;
mod text;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{open, rgd::instances};
use crate::{
    Error,
    answer::Answer,
    kro::{
        expression::Work,
        revision::{EdgeChange, NodeChange, compare},
        schema::{Broken, Change, Effect, impact},
    },
    kubernetes::{Object, difference::Difference, written},
    permission::Extent,
    toolbox::{Call, Reach, Tool},
};

use sides::{Asked, Sides};

/// On an RGD: kro changes the CRD whatever it breaks.
const ALLOWS: &str = "kro.run/allow-breaking-changes";
/// Nodes, edges, changes of the schema, and other fields that are told, each.
const MOST: usize = 300;

/// The handler.
#[derive(Debug)]
pub struct CompareRevisions;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Of the RGD, or the kind it generates.
    name: String,
    /// Revision before; by default the newest but one, or the RGD as it is.
    #[schemars(range(min = 1))]
    from: Option<i64>,
    /// Revision after.
    #[schemars(range(min = 1))]
    to: Option<i64>,
    /// Compare with this RGD, YAML or JSON.
    #[schemars(length(max = 262_144))]
    manifest: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    rgd: String,
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<NodeChange>,
    /// From what is needed to what needs it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edges: Vec<EdgeChange>,
    /// Of the generated kind, what breaks first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schema: Vec<Change>,
    /// Other fields of the RGD's spec.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other: Vec<Difference>,
    /// The instances there are, judged by the schema after.
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Judged>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// What a change of the schema does to the instances there are.
#[derive(Debug, Serialize, JsonSchema)]
struct Judged {
    looked_at: usize,
    broken: usize,
    /// The first of those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    first: Vec<Broken>,
}

impl Tool for CompareRevisions {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        // an RGD is in no namespace
        Reach::Cluster { cluster: input.cluster.clone(), namespace: Extent::None }
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let manifest =
            input.manifest.as_deref().map(|text| written::manifest("manifest", text)).transpose()?;
        let asked = Asked::of(input.from, input.to, manifest)?;
        let reader = open(&call).await?;
        let named = reader.named_rgd(&input.name).await?;
        let mut sides = sides::read(&reader, &named.rgd, asked).await?;
        call.scrub(&mut sides.before.rgd);
        call.scrub(&mut sides.after.rgd);
        // without a change of the schema there is nothing that an instance could break on
        let schema = |rgd: &Object| rgd.at(&["spec", "schema"]).cloned();
        let found = match schema(&sides.before.rgd) == schema(&sides.after.rgd) {
            true => super::rgd::Instances::default(),
            false => instances(&call, &reader, &named.rgd).await,
        };
        let name = named.rgd.name().to_owned();
        let judged =
            reader.judge(move |work| answer(name, &sides, found.items.as_deref(), found.gaps, work)).await?;
        Ok(judged)
    }
}

fn answer(
    rgd: String,
    sides: &Sides,
    instances: Option<&[Object]>,
    gaps: Vec<String>,
    work: &Work,
) -> Answer<Output> {
    let (before, after) = (&sides.before.rgd, &sides.after.rgd);
    let mut found = compare(before, after, work);
    let mut notes = sides.notes.clone();
    let changed = !found.schema.is_empty();
    let impact =
        instances.filter(|_| changed).map(|instances| impact(&found.specs.0, &found.specs.1, instances));
    if found.count(Effect::Breaking) > 0 {
        notes.push(if after.annotation(ALLOWS) == Some("true") {
            format!("kro makes the breaking changes: the RGD is annotated with {ALLOWS}: \"true\"")
        } else {
            format!(
                "kro refuses to change the CRD so (KindReady False), unless the RGD is annotated with {ALLOWS}: \"true\"; the revision is issued all the same, and instances run it against the old CRD"
            )
        });
    }
    if !found.immutable.is_empty() {
        notes.push(format!(
            "the API server refuses a change of spec.schema.{}",
            found.immutable.join(", spec.schema.")
        ));
    }
    notes.extend(
        found
            .problems
            .iter()
            .take(10)
            .map(|problem| format!("kro would not take the schema after: {problem}")),
    );
    if let Some(impact) = impact.as_ref().filter(|impact| impact.looked_at > 0 && impact.unjudged > 0) {
        let count = impact.unjudged;
        notes.push(format!(
            "{count} rules of the schema after are expressions, by which the instances were not judged"
        ));
    }
    let mut cut = Vec::new();
    shorten(&mut found.nodes, "nodes", &mut cut);
    shorten(&mut found.edges, "edges", &mut cut);
    shorten(&mut found.schema, "changes of the schema", &mut cut);
    shorten(&mut found.other, "other fields", &mut cut);
    notes.extend(cut);
    let summary = text::summary(&rgd, sides, &found, impact.as_ref());
    let body = text::body(&found, impact.as_ref(), &notes);
    let gaps: Vec<String> = gaps.into_iter().chain(found.cut).collect();
    let output = Output {
        rgd,
        from: sides.before.label.clone(),
        to: sides.after.label.clone(),
        nodes: found.nodes,
        edges: found.edges,
        schema: found.schema,
        other: found.other,
        instances: impact.map(|impact| Judged {
            looked_at: impact.looked_at,
            broken: impact.broken,
            first: impact.first,
        }),
        notes,
    };
    Answer::new(summary, body, output).gaps(gaps)
}

fn shorten<T>(list: &mut Vec<T>, what: &str, cut: &mut Vec<String>) {
    let more = list.len().saturating_sub(MOST);
    if more > 0 {
        list.truncate(MOST);
        cut.push(format!("{more} more {what} differ than are told"));
    }
}
