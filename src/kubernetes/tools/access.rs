//! `kubernetes_access`: what the caller may do, by our permissions and by the cluster's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    answer::Answer,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ShowAccess;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub cluster: Option<String>,
    pub namespace: Option<String>,
    /// get, list, create, …
    pub verb: Option<String>,
    /// As pods, deployments.apps, pods/log
    pub resource: Option<String>,
    pub name: Option<String>,
}

/// The structure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {}

impl Tool for ShowAccess {
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
