//! `kubernetes_proxy_write`: any change of a cluster, as the caller, planned first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    answer::Answer,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ProxyWrite;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub cluster: Option<String>,
    pub method: Method,
    pub path: String,
    pub query: Option<std::collections::BTreeMap<String, String>>,
    /// Say which patch
    pub content_type: Option<String>,
    /// JSON or YAML text
    pub body: Option<String>,
    /// Of the call before
    pub plan: Option<String>,
}

/// The structure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Tool for ProxyWrite {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        super::pass::reach(input.cluster.as_ref(), "POST", &input.path)
    }

    async fn run(_: Call, _: Input) -> Result<Answer<Output>, Error> {
        Err(Error::new(ErrorKind::Internal, "not built yet"))
    }
}
