//! The mesh in the form of the Backstage plugin's backend (`GET /v1/getEventMesh`, "EventMesh API" 1.0.0). It is read
//! as whoever asks and whole, or not at all: the plugin takes what is not in it out of the catalog.

mod refusal;
mod shape;
mod shown;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use shape::Published;

use super::{
    fetch::{self, Asked, Targets},
    filter::Verdict,
    mesh::{Mesh, Relation},
    resource::{Reference, Resources},
};
use crate::{
    Error, ErrorKind, RefusedBy,
    answer::Answer,
    kubernetes::Access,
    permission::Extent,
    toolbox::{Call, Reach, Tool},
};

/// What a contract file would say.
pub const CONTRACT: &str = "---\ntitle: Published event mesh\npermission: knative.event-mesh.view\neffect: read\n\
    idempotent: true\nopen_world: true\nbudget: { rows: 1, bytes: 1000 }\nsensitive: none\n---\n\
    The event mesh of a cluster, whole, for a catalog.\n";

/// What a request names, for the gate. It is no tool: its answer is no answer of a tool, and [`read`] gives it.
#[derive(Debug)]
pub struct PublishMesh;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    cluster: String,
}

/// Nothing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Nothing {}

impl Tool for PublishMesh {
    type Input = Input;
    type Output = Nothing;

    fn reach(input: &Input) -> Reach {
        Reach::Cluster { cluster: Some(input.cluster.clone()), namespace: Extent::Anywhere }
    }

    async fn run(_: Call, _: Input) -> Result<Answer<Nothing>, Error> {
        Err(Error::new(ErrorKind::Internal, "a mesh is published, and not called"))
    }
}

/// Reads the mesh of a cluster.
///
/// # Errors
/// The cluster cannot be asked, does not take the caller's token, or does not let them list a kind. That it serves
/// none of them is no error, nor that a single subscriber cannot be read: it is nobody's consumer then.
pub async fn read(access: &Access) -> Result<Published, Error> {
    let asked = Asked { namespace: None, targets: Targets::Each };
    let resources = fetch::read(access, asked).await.map_err(in_our_words)?;
    if let Some(refusal) = refusal::of(&resources.unread) {
        return Err(refusal);
    }
    // no work for a thread that serves others
    let joined = tokio::task::spawn_blocking(move || {
        let mesh = Mesh::joined(&resources);
        let all = 0..resources.event_types.len();
        let consumers = all.map(|event_type| consumer_ids(&mesh, &resources, event_type)).collect();
        Published::of(&resources, &mesh, consumers)
    });
    joined.await.map_err(|_| Error::new(ErrorKind::Internal, "the mesh could not be joined"))
}

/// What a cluster says in its refusal is for those whom it knows.
fn in_our_words(error: Error) -> Error {
    match error.kind {
        ErrorKind::NotAllowed => {
            let message = "the cluster does not let this token ask which kinds it serves";
            Error::new(ErrorKind::NotAllowed, message).refused_by(RefusedBy::Cluster)
        }
        _ => error,
    }
}

/// By what Backstage knows those who get events of this type, or may. Who gets what could not be delivered consumes
/// nothing.
fn consumer_ids(mesh: &Mesh, resources: &Resources, event_type: usize) -> Vec<String> {
    let reached = mesh.consumers(resources, event_type).into_iter();
    let mut ids: Vec<String> = reached
        .filter(|reached| reached.verdict != Verdict::No && !reached.undelivered)
        .filter_map(|reached| mesh.nodes.get(reached.node)?.backstage_id.clone())
        .filter(|id| !id.is_empty())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The object that each source sends to, by the index of the source.
fn sinks(mesh: &Mesh, resources: &Resources) -> Vec<Option<Reference>> {
    use super::mesh::NodeId;
    let mut found = std::collections::HashMap::new();
    for edge in mesh.edges.iter().filter(|edge| edge.relation == Relation::Sink) {
        let (Some(from), Some(to)) = (mesh.nodes.get(edge.from), mesh.nodes.get(edge.to)) else { continue };
        if let (NodeId::Object(source), NodeId::Object(sink)) = (&from.id, &to.id) {
            found.insert(source, sink);
        }
    }
    let sink = |source: &super::resource::Source| {
        let named = || source.sink.as_ref().and_then(|sink| sink.reference.as_ref());
        found.get(&source.resource.reference).copied().or_else(named).cloned()
    };
    resources.sources.iter().map(sink).collect()
}
