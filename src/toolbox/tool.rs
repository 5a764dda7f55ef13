//! [`Tool`]: what a handler is.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{call::Call, subject::Subject};
use crate::{Error, answer::Answer, permission::Extent};

/// What the arguments of a call name, before anything was read: the gate turns it into a scope,
/// decides, and opens the clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No upstream.
    Nowhere,
    /// One cluster: the named one, or the default.
    Cluster {
        /// By `name` or `source/name`.
        cluster: Option<String>,
        /// The namespace named, or [`Extent::Anywhere`] where the tool looks through what is visible.
        namespace: Extent,
    },
    /// The named cluster, the default where none is named, every visible one for `*`.
    Clusters {
        /// By `name` or `source/name`, or `*`.
        cluster: Option<String>,
        /// As above.
        namespace: Extent,
    },
    /// Palette: the named environment, every visible one where none is named.
    Environments {
        /// By name; one that does not exist is an error, never another one.
        environment: Option<String>,
        /// A project, by name or uid: what it is comes out once projects were read, and is decided row by row.
        project: Option<String>,
    },
}

/// A handler: typed input, typed output, and what it reaches. Everything else about a tool is in its
/// contract file.
pub trait Tool: 'static {
    /// The arguments.
    type Input: DeserializeOwned + JsonSchema + Send + 'static;
    /// The structure of the answer.
    type Output: Serialize + JsonSchema + Send + 'static;

    /// What these arguments name.
    fn reach(input: &Self::Input) -> Reach;

    /// How long these arguments ask to be followed, for a tool that waits for something to happen: the
    /// call may take that much longer than any other.
    fn follows(_: &Self::Input) -> Option<Duration> {
        None
    }

    /// What these arguments show, for whoever wants to hear when that changes: read as the caller, who has to
    /// be one who may see it.
    fn subject(_: Call, _: Self::Input) -> impl Future<Output = Result<Subject, Error>> + Send {
        let nothing = Error::invalid_input("what this tool answers is not followed");
        async { Err(nothing) }
    }

    /// Does the work.
    fn run(
        call: Call,
        input: Self::Input,
    ) -> impl Future<Output = Result<Answer<Self::Output>, Error>> + Send;
}
