//! `kubernetes_proxy`: any path of an API server, read as the caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    answer::Answer,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct Proxy;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub cluster: Option<String>,
    /// As /api/v1/namespaces/default/pods
    pub path: String,
    /// As {"labelSelector": "a=b"}
    pub query: Option<std::collections::BTreeMap<String, String>>,
    pub r#as: Option<Form>,
    pub fields: Option<Vec<String>>,
    pub method: Option<Method>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// The structure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    #[default]
    Json,
    Table,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
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

    async fn run(_: Call, _: Input) -> Result<Answer<Output>, Error> {
        Err(Error::new(ErrorKind::Internal, "not built yet"))
    }
}
