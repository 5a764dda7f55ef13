//! `kro_rgd`: one RGD, with all that it takes to write an instance of its kind.

mod chosen;
mod condition;
mod node;
mod text;
mod usage;

pub(super) use usage::{Instances, instances};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cluster_name, open};
use crate::{
    Error,
    answer::{Answer, sanitise},
    kro::{
        definition::{Definition, instance_kind},
        expression::Work,
        fetch::NamedRgd,
        labels,
        revision::{Revision, Verdict},
        schema::{self, Described, Effect, Field, From},
    },
    kubernetes::{Fault, Listed, Object},
    permission::Extent,
    toolbox::{Call, Reach, Tool},
};

use chosen::Chosen;
use condition::{ConditionRow, conditions};
use node::{Nesting, NodeRow, StatusField, nodes, status_fields, used_in};
use usage::{Usage, usage};

/// Characters of a message.
const LONGEST: usize = 400;
/// RGDs that nest the kind and are named.
const MOST_NESTINGS: usize = 50;

/// The handler.
#[derive(Debug)]
pub struct ShowRgd;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Of the RGD, or the kind it generates.
    name: String,
    /// Only fields below this path.
    field: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    name: String,
    /// Of the kind that it generates.
    api_version: String,
    kind: String,
    namespaced: bool,
    /// kro's word: Active or Inactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    schema_from: From,
    /// Of an instance's spec.
    fields: Vec<Field>,
    /// The smallest instance that the API server takes and kro can work on, as YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<String>,
    /// What the author shows in an instance's status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    status: Vec<StatusField>,
    /// In the order in which kro processes them.
    nodes: Vec<NodeRow>,
    /// Where the graph was read, where that is not the RGD's own status.
    #[serde(skip_serializing_if = "Option::is_none")]
    graph_from: Option<String>,
    conditions: Vec<ConditionRow>,
    /// The newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revisions: Vec<RevisionRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Usage>,
    /// Other RGDs that make instances of this kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used_in: Vec<Nesting>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// A GraphRevision.
#[derive(Debug, Serialize, JsonSchema)]
struct RevisionRow {
    number: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    /// verified, failed or waiting
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Tool for ShowRgd {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        // an RGD is in no namespace
        Reach::Cluster { cluster: input.cluster.clone(), namespace: Extent::None }
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = open(&call).await?;
        let mut named = reader.named_rgd(&input.name).await?;
        call.scrub(&mut named.rgd);
        let (crd, revisions, used) = futures::join!(
            reader.generated_crd(&named.rgd),
            reader.graph_revisions(named.rgd.name()),
            instances(&call, &reader, &named.rgd),
        );
        let cluster = cluster_name(&call, &reader);
        let rows = call.budget().rows;
        let read = Read { cluster, named, crd, revisions, used };
        let judged = reader.judge(move |work| {
            let field = input.field.as_deref();
            read.answer(field, rows, work)
        });
        judged.await?
    }
}

/// What the requests gave.
struct Read {
    cluster: String,
    named: NamedRgd,
    crd: Result<Option<Object>, Fault>,
    revisions: Result<Option<Listed>, Fault>,
    used: Instances,
}

impl Read {
    fn answer(self, below: Option<&str>, rows: usize, work: &Work) -> Result<Answer<Output>, Error> {
        let Self { cluster, named: NamedRgd { rgd, others, gap }, crd, revisions, used } = self;
        let mut gaps: Vec<String> = gap.into_iter().collect();
        let mut notes = Vec::new();
        let revisions = match revisions {
            Ok(Some(listed)) => {
                gaps.extend(listed.cut.map(|why| format!("GraphRevisions: {why}")));
                listed.items
            }
            Ok(None) => {
                notes.push("this kro keeps no revisions of an RGD (kro 0.9 does)".to_owned());
                Vec::new()
            }
            Err(fault) => {
                gaps.push(format!("GraphRevisions: {fault}"));
                Vec::new()
            }
        };
        let definition = Definition::read_within(&rgd, &revisions, work);
        gaps.extend(definition.cut.iter().cloned());
        let described = described(&rgd, crd, &mut gaps, &mut notes);
        let needed = schema::needed(&described.spec, &schema::read_by_nodes(&definition.nodes, work));
        let mut all = schema::fields("spec", &described.spec);
        all.rows.iter_mut().for_each(|field| field.needed = needed.contains(&field.path));
        let Chosen { fields, hidden } = Chosen::of(all, below, rows)?;
        let cut = chosen::cut(fields.len(), hidden);
        let nodes = nodes(&definition, &others);
        let example = schema::example(&described, &needed);
        if example.is_none() {
            notes.push(
                "no example could be made: a required field asks for what cannot be made up".to_owned(),
            );
        } else if described.has_rules() {
            notes.push(
                "the example may break rules that are written as expressions: see the rules of the fields"
                    .to_owned(),
            );
        }
        let own_conditions = rgd.at(&["spec", "schema", "status", "conditions"]).is_some();
        if own_conditions {
            notes.push(
                "the RGD defines conditions of its own: kro's four are not written to instances, and there may be no Ready; status.state is kro's"
                    .to_owned(),
            );
        }
        let mut nestings = used_in(&rgd, &others);
        if nestings.len() > MOST_NESTINGS {
            notes.push(format!(
                "{} more nodes of other RGDs are of this kind",
                nestings.len() - MOST_NESTINGS
            ));
            nestings.truncate(MOST_NESTINGS);
        }
        gaps.extend(used.gaps);
        let output = Output {
            cluster,
            name: rgd.name().to_owned(),
            api_version: described.api_version(),
            kind: described.kind.clone(),
            namespaced: described.namespaced,
            state: rgd.text(&["status", "state"]).map(|state| sanitise::short(state, 40)),
            problem: definition.trouble.as_ref().map(|trouble| sanitise::short(trouble, LONGEST)),
            schema_from: described.from,
            fields,
            example: example.and_then(|example| serde_saphyr::to_string(&example).ok()),
            status: status_fields(&rgd, schema::fields("status", &described.status).rows, &nodes),
            nodes,
            graph_from: graph_from(&definition),
            conditions: conditions(&rgd),
            revisions: Revision::read(revisions).iter().map(row).collect(),
            instances: used.items.as_deref().map(usage),
            used_in: nestings,
            notes,
        };
        let answer = Answer::new(text::summary(&output, hidden), text::body(&output), output);
        Ok(answer.gaps(gaps).cut(cut))
    }
}

/// The kind by its CRD where that can be read and is this RGD's, else by the RGD.
fn described(
    rgd: &Object,
    crd: Result<Option<Object>, Fault>,
    gaps: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Described {
    let of_rgd = Described::of_rgd(rgd);
    let problems = of_rgd.problems.iter().take(5).map(|(path, why)| format!("{path}: {why}"));
    notes.extend(problems.map(|problem| format!("the schema in the RGD: {problem}")));
    let crd = match crd {
        Ok(Some(crd)) => crd,
        Ok(None) => {
            let of = instance_kind(rgd);
            notes.push(format!("there is no CRD of {of}: no instance can be made"));
            return of_rgd;
        }
        Err(fault) => {
            gaps.push(format!("the CRD: {fault}; the fields are read from the RGD"));
            return of_rgd;
        }
    };
    match labels::rgd_name(&crd) {
        Some(owner) if owner != rgd.name() => {
            notes.push(format!("the CRD of this kind belongs to RGD {owner}: instances are its"));
            return of_rgd;
        }
        _ => {}
    }
    let Some(described) = Described::of_crd(&crd) else {
        gaps.push("the CRD has no schema; the fields are read from the RGD".to_owned());
        return of_rgd;
    };
    let behind = |kind: &str| rgd.condition(kind).is_some_and(|condition| condition.is_false());
    if of_rgd.problems.is_empty()
        && ["GraphAccepted", "ResourceGraphAccepted", "KindReady"].into_iter().any(behind)
    {
        let changes = schema::changes("spec", &described.spec, &of_rgd.spec);
        let breaking = changes.iter().filter(|change| change.effect == Effect::Breaking).count();
        if !changes.is_empty() {
            notes.push(format!(
                "the RGD asks for {} changes of the schema ({breaking} breaking) that the CRD does not have; the fields here are the CRD's, which the API server judges by",
                changes.len()
            ));
        }
    }
    described
}

fn graph_from(definition: &Definition) -> Option<String> {
    use crate::kro::definition::Source;
    match definition.source {
        Source::Status => None,
        Source::Revision(number) => Some(format!(
            "read from revision {number}, the last that was accepted: instances run on it, not on the RGD's present spec"
        )),
        Source::Derived => Some(
            "found in the expressions of the spec: kro has not accepted it, or not looked yet".to_owned(),
        ),
    }
}

fn row(revision: &Revision) -> RevisionRow {
    let (state, error) = match &revision.verdict {
        Verdict::Verified => ("verified", None),
        Verdict::Failed(why) => ("failed", Some(sanitise::short(why, LONGEST))),
        Verdict::Waiting => ("waiting", None),
    };
    RevisionRow { number: revision.number, created: revision.created.clone(), state, error }
}
