//! The tour: three questions an agent would ask, and what it gets.

use std::{
    io::{self, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{Failure, out};
use crate::{answer::Finished, config::Built, toolbox::Request};

/// Between a question and its answer, where someone watches.
const BREATH: Duration = Duration::from_millis(1200);
/// To read an answer.
const READING: Duration = Duration::from_secs(8);

/// Shows the tour on standard output; without pauses where that is no terminal.
pub(super) async fn show(built: &Built) -> Result<(), Failure> {
    let tour = Tour { built, watched: io::stdout().is_terminal() };
    out::text(
        "A sample platform: a few KRO resource graphs, recorded from a real cluster. This is what an agent\n\
         gets from it, through the same gate as over MCP.",
    )?;
    tour.ask("Who am I here, and what may I do?", "whoami", Map::new()).await?;
    let instances =
        tour.ask("What runs on the platform, and what is broken?", "kro_instances", Map::new()).await?;
    if let Some(broken) = instances.as_ref().and_then(broken) {
        tour.ask(
            "Why is this one broken? Its graph, down through the nested instances.",
            "kro_graph",
            broken,
        )
        .await?;
    }
    Ok(())
}

struct Tour<'b> {
    built: &'b Built,
    watched: bool,
}

impl Tour<'_> {
    /// Asks and shows; `None` where the role in use does not have the tool.
    async fn ask(
        &self,
        why: &str,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> Result<Option<Finished>, Failure> {
        let Built { toolbox, caller, .. } = self.built;
        if !toolbox.list(caller).any(|entry| entry.contract.name == tool) {
            return Ok(None);
        }
        self.pause(BREATH).await;
        let asked = Value::Object(arguments.clone());
        out::text(&format!("\n── {why}\n→ tools/call {tool} {asked}\n"))?;
        self.pause(BREATH).await;
        let answer = toolbox
            .call(Request {
                door: "demo",
                caller: Arc::clone(caller),
                tool: tool.to_owned(),
                arguments,
                cancel: CancellationToken::new(),
            })
            .await
            .map_err(|error| Failure::failed(error.text()))?;
        out::text(&answer.text)?;
        self.pause(READING).await;
        Ok(Some(answer))
    }

    async fn pause(&self, time: Duration) {
        if self.watched {
            tokio::time::sleep(time).await;
        }
    }
}

/// What to ask about the first instance that is not well.
fn broken(instances: &Finished) -> Option<Map<String, Value>> {
    let rows = instances.structure.get("rows")?.as_array()?;
    let row = rows.iter().find(|row| row.get("state").and_then(Value::as_str) == Some("failing"))?;
    let mut arguments = Map::new();
    for key in ["kind", "name", "namespace"] {
        if let Some(value) = row.get(key) {
            arguments.insert(key.to_owned(), json!(value));
        }
    }
    Some(arguments)
}
