//! The tour: a few questions an agent would ask, and what it gets.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::super::{Failure, out, setup};
use crate::{config::Built, toolbox::Request};

/// Between a question and its answer, where someone watches.
const BREATH: Duration = Duration::from_millis(1200);
/// To read an answer.
const READING: Duration = Duration::from_secs(6);

/// The instance whose own status hides what is broken two levels below (`demo/README.md`).
const BROKEN: [(&str, &str); 3] = [("kind", "Shop"), ("namespace", "shop"), ("name", "storefront")];

/// The Palette cluster that says Running and is not well (`demo/palette/`).
pub(super) const UNWELL: &str = "checkout";

/// Shows the tour on standard output; without pauses where that is no terminal.
pub(super) async fn show(built: &Built) -> Result<(), Failure> {
    let tour = Tour { built, watched: io::stdout().is_terminal() };
    out::text(
        "A sample platform: a few KRO resource graphs, recorded from a real cluster, and the Palette tenant that\n\
         the cluster is part of. This is what an agent gets from them, through the same gate as over MCP.",
    )?;
    tour.ask("Who am I here, and what may I do?", "whoami", Map::new()).await?;
    tour.ask("What runs on the platform, and what is broken?", "kro_instances", Map::new()).await?;
    let broken = BROKEN.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect();
    let why = "The shop \"storefront\" says ACTIVE, and yet it is broken. Why? Its graph, to the bottom.";
    tour.ask(why, "kro_graph", broken).await?;
    let fleet = "And the clusters that Palette runs: what needs somebody?";
    tour.ask(fleet, "palette_fleet", Map::new()).await?;
    let unwell = Map::from_iter([("cluster".to_owned(), UNWELL.into())]);
    let why = format!("\"{UNWELL}\" is Running, and still not well. Why?");
    tour.ask(&why, "palette_cluster_health", unwell).await?;
    Ok(())
}

struct Tour<'b> {
    built: &'b Built,
    watched: bool,
}

impl Tour<'_> {
    /// Asks and shows; nothing where the role in use does not have the tool.
    async fn ask(&self, why: &str, tool: &str, arguments: Map<String, Value>) -> Result<(), Failure> {
        let Built { toolbox, callers, .. } = self.built;
        let caller = setup::local(callers)?;
        if !toolbox.list(&caller).any(|entry| entry.contract.name == tool) {
            return Ok(());
        }
        self.pause(BREATH).await;
        let asked = Value::Object(arguments.clone());
        out::text(&format!("\n── {why}\n→ tools/call {tool} {asked}\n\n"))?;
        self.pause(BREATH).await;
        let answer = toolbox
            .call(Request {
                progress: crate::toolbox::Progress::default(),
                patience: None,
                handing: crate::answer::Handing::Withheld,
                presented: Default::default(),
                door: "demo",
                caller,
                tool: tool.to_owned(),
                arguments,
                cancel: CancellationToken::new(),
                client: None,
                trace: None,
            })
            .await
            .map_err(|error| Failure::failed(error.text()))?;
        out::text(&answer.text)?;
        self.pause(READING).await;
        Ok(())
    }

    async fn pause(&self, time: Duration) {
        if self.watched {
            tokio::time::sleep(time).await;
        }
    }
}
