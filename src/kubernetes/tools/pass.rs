//! `kubernetes_pass`: what a request of a program names, for the gate. It is no tool: its answer is no answer of
//! a tool, but whatever the cluster says, and [`crate::kubernetes::proxy::pass`] gives it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    answer::Answer,
    kubernetes::proxy::{Target, Touched},
    permission::Extent,
    toolbox::{Call, Reach, Tool},
};

/// What a contract file would say.
pub const CONTRACT: &str = "---\ntitle: Passed requests\npermission: kubernetes.proxy\neffect: read\n\
    idempotent: false\nopen_world: true\nbudget: { rows: 1, bytes: 1000 }\nsensitive: values\n---\n\
    Passes a request of a program on.\n";

/// How long a log that is followed may be silent at first: its head comes with its first line (kubelet
/// `getContainerLogs`).
const SILENT: Duration = Duration::from_secs(600);

/// The handler.
#[derive(Debug)]
pub struct PassRequest;

/// What a request names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    cluster: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    awaits: bool,
}

/// Nothing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Nothing {}

impl Tool for PassRequest {
    type Input = Input;
    type Output = Nothing;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), &input.method, &input.path)
    }

    fn follows(input: &Input) -> Option<Duration> {
        input.awaits.then_some(SILENT)
    }

    async fn run(_: Call, _: Input) -> Result<Answer<Nothing>, Error> {
        Err(Error::new(ErrorKind::Internal, "a request is passed on, and not called"))
    }
}

/// What a request names: a cluster, and the namespace in its path. What of it is more than one namespace is
/// decided on by [`crate::kubernetes::proxy::permit`].
pub(super) fn reach(cluster: Option<&String>, method: &str, path: &str) -> Reach {
    let method = http::Method::from_bytes(method.as_bytes()).unwrap_or(http::Method::POST);
    let target = Target::parse(path).ok();
    let namespace = match target.as_ref().map(|target| target.touches(&method)) {
        Some(Touched::Namespace(namespace)) => Extent::named(namespace),
        Some(Touched::ClusterScoped) => Extent::None,
        _ => Extent::Anywhere,
    };
    Reach::Cluster { cluster: cluster.cloned(), namespace }
}
