//! `kro_graph`: the resource graph of one instance.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cluster_name, open, reach};
use crate::{
    Error, ErrorKind,
    answer::Answer,
    kro::{
        applyset::{self, GroupKind},
        expression::Work,
        fetch::{Reader, Wanted, instance_kinds},
        graph::{Collected, Graph, Node, ROOT, Rgd},
        labels,
        state::State,
    },
    kubernetes::{Kind, Object, Selection, Selector},
    toolbox::{Call, Reach, Subject, Tool},
};

/// How deep nested instances are looked into where the call does not say.
const DEPTH: u32 = 3;

/// Kinds of children that a subscription watches.
const MOST_FOLLOWED: usize = 16;

/// The handler.
#[derive(Debug)]
pub struct ShowGraph;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Kind of the instance, or Kind.group.
    kind: String,
    /// Searched for where absent.
    namespace: Option<String>,
    name: String,
    /// Levels of nested instances.
    #[schemars(range(min = 0, max = 8))]
    depth: Option<u32>,
    format: Option<Format>,
}

// No comments on the variants: each would be a line in every tool list.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Format {
    #[default]
    Tree,
    Mermaid,
    Dot,
}

/// The graph. Nodes leave out `namespace` where it is the instance's.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rgd: Option<String>,
    /// The GraphRevision it runs on, where that is not the RGD's present spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    state: State,
    /// Absent where something could not be seen and nothing seen is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    healthy: Option<bool>,
    /// kro's own word, which looks at no child's health.
    #[serde(skip_serializing_if = "Option::is_none")]
    kro_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Nodes by state.
    counts: BTreeMap<State, usize>,
    nodes: Vec<GraphNode>,
    /// From what is needed to what needs it.
    edges: Vec<Edge>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// A node. The ids of a nested instance's nodes begin with its own: `app/deployment`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct GraphNode {
    id: String,
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    external: bool,
    /// Of a collection: members by state.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<BTreeMap<State, usize>>,
    /// Of a nested instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    rgd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kro_state: Option<String>,
}

/// A dependency.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Edge {
    from: String,
    to: String,
}

impl Tool for ShowGraph {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn subject(call: Call, input: Input) -> Result<Subject, Error> {
        let reader = open(&call).await?;
        let kind = reader.named_kind(&input.kind).await?;
        let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
        let instance = existing(&reader, &kind, wanted).await?;
        let selections = followed(&reader, &kind, &instance).await;
        Ok(Subject { access: reader.access().clone(), selections })
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = open(&call).await?;
        let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
        let mut collected = collect(&reader, &input.kind, wanted, input.depth).await?;
        let cluster = cluster_name(&call, &reader);
        let format = input.format.unwrap_or_default();
        let judged = reader.judge(move |work| {
            // Reasons and names are made of pieces of values, which nothing finds in them later.
            collected.each_object_mut(&mut |object| call.scrub(object));
            answer(&collected, cluster, format, work)
        });
        judged.await
    }
}

/// An instance, without anything that belongs to it.
///
/// # Errors
/// [`ErrorKind::NotFound`] where there is none; of another kind where no RGD generates its kind.
pub(super) async fn existing(reader: &Reader, kind: &Kind, wanted: Wanted<'_>) -> Result<Object, Error> {
    let generated = reader.is_generated(&GroupKind::new(&kind.group, &kind.kind)).await;
    if generated == Some(false) {
        return Err(not_generated(reader, kind).await);
    }
    let instance = reader.object(kind, wanted).await?;
    // whether an RGD generates the kind could not be read
    if generated.is_none() && !labels::is_instance(&instance) {
        return Err(not_generated(reader, kind).await);
    }
    Ok(instance)
}

/// What changes where the graph does: the instance, its RGD, and the kinds that its children have now.
async fn followed(reader: &Reader, kind: &Kind, instance: &Object) -> Vec<Selection> {
    let mut selections = vec![Selection::one(kind, instance.namespace(), instance.name())];
    if let (Some(name), Some(rgds)) = (labels::rgd_name(instance), reader.rgd_kind().await) {
        selections.push(Selection::one(&rgds, None, name));
    }
    let marked = Selector::all().label(labels::PART_OF, &applyset::id(instance));
    let kinds = applyset::group_kinds(instance).map(|kinds| kinds.entries).unwrap_or_default();
    for wanted in kinds.iter().take(MOST_FOLLOWED) {
        if let Some(kind) = reader.kind(wanted).await {
            selections.push(Selection { kind, namespace: None, selector: marked.clone() });
        }
    }
    selections
}

fn answer(collected: &Collected, cluster: String, format: Format, work: &Work) -> Answer<Output> {
    let graph = Graph::build(collected, work);
    let summary = graph.summary(&cluster);
    let body = match format {
        Format::Tree => graph.tree(),
        Format::Mermaid => graph.mermaid(),
        Format::Dot => graph.dot(),
    };
    let revision = collected.rgd.definition().and_then(|definition| definition.source.revision());
    Answer::new(summary, body, output(&graph, cluster, revision)).gaps(graph.gaps)
}

/// Everything that belongs to the instance that a person means.
pub(super) async fn collect(
    reader: &Reader,
    kind: &str,
    wanted: Wanted<'_>,
    depth: Option<u32>,
) -> Result<Collected, Error> {
    let kind = reader.named_kind(kind).await?;
    let instance = match reader.object(&kind, wanted).await {
        // the same words whether or not there is a Secret of that name
        Err(error) if error.kind == ErrorKind::NotFound && !reader.is_of_kro(&kind).await => {
            return Err(not_generated(reader, &kind).await);
        }
        found => found?,
    };
    let collected = reader.collect(instance, depth.unwrap_or(DEPTH)).await;
    match collected.rgd {
        Rgd::Unknown => Err(not_generated(reader, &kind).await),
        _ => Ok(collected),
    }
}

pub(super) async fn not_generated(reader: &Reader, kind: &Kind) -> Error {
    let what = format!("the argument \"kind\": no ResourceGraphDefinition generates {}", kind.group_kind());
    Error::invalid_input(what).candidates(instance_kinds(reader).await)
}

fn output(graph: &Graph, cluster: String, revision: Option<i64>) -> Output {
    let root = graph.root();
    let text = |field: fn(&Node) -> Option<&String>| root.and_then(field).cloned();
    let own = text(|root| root.namespace.as_ref());
    Output {
        cluster,
        kind: root.map(|root| root.kind.clone()).unwrap_or_default(),
        name: text(|root| root.name.as_ref()).unwrap_or_default(),
        rgd: text(|root| root.rgd.as_ref()),
        revision,
        state: root.map_or(State::Unknown, |root| root.state),
        healthy: graph.healthy(),
        kro_state: text(|root| root.kro_state.as_ref()),
        reason: text(|root| root.reason.as_ref()),
        counts: graph.counts(),
        nodes: abnormal_first(graph).into_iter().map(|node| shown(node, own.as_ref())).collect(),
        edges: graph.edges().map(|(from, to)| Edge { from: from.to_owned(), to: to.to_owned() }).collect(),
        notes: graph.notes.clone(),
        namespace: own,
    }
}

/// So that what is cut for size is what nobody has to look at.
fn abnormal_first(graph: &Graph) -> Vec<&Node> {
    let mut nodes: Vec<&Node> = graph.nodes.iter().filter(|node| node.id != ROOT).collect();
    nodes.sort_by_key(|node| !node.state.is_abnormal());
    nodes
}

fn shown(node: &Node, own: Option<&String>) -> GraphNode {
    GraphNode {
        id: node.id.clone(),
        kind: node.kind.clone(),
        group: node.group.clone(),
        name: node.name.clone(),
        namespace: node.namespace.clone().filter(|namespace| Some(namespace) != own),
        state: node.state,
        reason: node.reason.clone(),
        external: node.external,
        members: node.members.clone(),
        rgd: node.rgd.clone(),
        kro_state: node.kro_state.clone(),
    }
}
