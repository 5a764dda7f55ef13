//! `kubernetes_investigate`: an object, its owners, what was reported, and why its Pods wait: for the prompt.

mod below;
mod owners;
mod text;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error,
    answer::{Answer, redact, sanitise},
    kubernetes::{Access, Kind, Object, Selector, Taking, object::in_order},
    nearest,
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

use below::PodRow;

/// What a contract file would say.
pub const CONTRACT: &str = "---\ntitle: An object, its owners, events and waiting Pods\n\
    permission: kubernetes.resources.read\neffect: read\nidempotent: true\nopen_world: true\n\
    budget: { rows: 200, bytes: 40000 }\nsensitive: values\n---\n\
    What a prompt collects of an object.\n";

/// Names that an error suggests.
const CANDIDATES: usize = 8;

/// The handler.
#[derive(Debug)]
pub struct Investigate;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    cluster: Option<String>,
    namespace: Option<String>,
    /// Kind or Kind.group
    kind: String,
    name: String,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    kind: String,
    name: String,
    /// What owns it, the nearest first, each with its conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owners: Vec<String>,
    /// Its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<String>,
    /// Those in trouble first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pods: Vec<PodRow>,
    /// Warnings about its owners and what it owns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Secret values are redacted.
    manifest: Value,
}

impl Tool for Investigate {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        super::reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let now = Timestamp::now();
        let access = call.cluster()?;
        let kind = access.kind_named(&input.kind).await.map_err(|none| none.of("kind"))?;
        if !kind.namespaced {
            call.require(Permission::KubernetesResourcesRead, access, None)?;
        }
        let found = access.found(&kind, input.namespace.as_deref(), &input.name).await?;
        let Some(mut object) = found else { return Err(missing(access, &kind, &input).await) };
        let is_secret = (object.kind(), object.api_version()) == ("Secret", "v1");
        if is_secret && access.reveals(object.namespace()) {
            // who may read its values needs none of them here
            access.take_secret(&mut object);
        }
        call.scrub(&mut object);
        let (above, mut below) =
            futures::join!(owners::above(&call, access, &object), below::read(access, &kind, &object));
        let warnings = below.warnings(&call, &object, &above.objects, now);
        let cluster = call.toolbox().clusters().shown_name(access.cluster());
        let summary = text::summary(&object, &cluster, &above, &below);
        let gaps: Vec<String> = above.gaps.into_iter().chain(std::mem::take(&mut below.gaps)).collect();
        let output = Output {
            cluster,
            namespace: object.namespace().map(str::to_owned),
            kind: kind.group_kind(),
            name: object.name().to_owned(),
            owners: above.objects.iter().map(text::owner).collect(),
            conditions: text::conditions(&object),
            pods: below.rows,
            warnings,
            manifest: in_order(redact::manifest(object)),
        };
        Ok(Answer::new(summary, text::body(&output, below.left_out), output).gaps(gaps))
    }
}

/// There is none of that name, or none that the caller may see: with those that come near.
async fn missing(access: &Access, kind: &Kind, input: &Input) -> Error {
    let namespace = input.namespace.as_deref().filter(|_| kind.namespaced);
    let place = namespace.map(|namespace| format!(" in namespace {}", sanitise::short(namespace, 80)));
    let name = sanitise::short(&input.name, 80);
    let place = place.unwrap_or_default();
    let error = Error::not_found(format!("there is no {} {name:?}{place} that you may see", kind.kind));
    let listed = access.list_taking(kind, namespace, &Selector::all(), Taking::METADATA).await;
    let Ok(listed) = listed else { return error };
    let names: Vec<&str> = listed.items.iter().map(Object::name).collect();
    error.candidates(nearest::names(&input.name, names, CANDIDATES))
}
