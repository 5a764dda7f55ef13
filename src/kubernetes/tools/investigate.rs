//! `kubernetes_investigate`: an object, its owners, its events, and why its Pods wait: for the prompt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    answer::Answer,
    toolbox::{Call, Reach, Tool},
};

/// What a contract file would say.
pub const CONTRACT: &str = "---\ntitle: An object, its owners, events and waiting Pods\n\
    permission: kubernetes.resources.read\neffect: read\nidempotent: true\nopen_world: true\n\
    budget: { rows: 200, bytes: 40000 }\nsensitive: values\n---\n\
    What a prompt collects of an object.\n";

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

/// The structure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {}

impl Tool for Investigate {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        Reach::Cluster {
            cluster: input.cluster.clone(),
            namespace: input
                .namespace
                .as_ref()
                .map_or(crate::permission::Extent::Anywhere, crate::permission::Extent::named),
        }
    }

    async fn run(_: Call, _: Input) -> Result<Answer<Output>, Error> {
        Err(Error::new(ErrorKind::Internal, "not built yet"))
    }
}
