//! `kubernetes_events`: the events of a namespace or an object.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    answer::Answer,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListEvents;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub cluster: Option<String>,
    pub namespace: Option<String>,
    /// Kind or Kind.group
    pub kind: Option<String>,
    pub name: Option<String>,
    pub uid: Option<String>,
    /// Warning or Normal
    pub r#type: Option<String>,
    pub reason: Option<String>,
    /// 30m, 2h, or a time
    pub since: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// The structure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {}

impl Tool for ListEvents {
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
