//! [`Serving`]: what doors serve now. Replaced as a whole when the configuration changes; a call that
//! runs keeps what it began with.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use rmcp::model::Tool;
use tokio::sync::watch;

use super::{Terms, mcp};
use crate::{
    caller::{Caller, Callers},
    toolbox::{Entry, Toolbox},
};

/// One configuration's worth of serving.
#[derive(Debug)]
pub struct Served {
    /// The tools.
    pub toolbox: Arc<Toolbox>,
    /// Who may call them.
    pub callers: Callers,
    /// On which terms over HTTP.
    pub terms: Terms,
    /// The tools as MCP lists them, in the toolbox's order.
    tools: Vec<(Arc<Entry>, Tool)>,
}

impl Served {
    /// Serves these tools to these callers on these terms.
    pub fn new(toolbox: Arc<Toolbox>, callers: Callers, terms: Terms) -> Self {
        let tools =
            toolbox.entries().iter().map(|entry| (Arc::clone(entry), mcp::described(entry))).collect();
        Self { toolbox, callers, terms, tools }
    }

    /// The tools that exist for this caller, as MCP lists them, in a fixed order.
    pub(super) fn list(&self, caller: &Caller) -> Vec<Tool> {
        let permissions = caller.permissions();
        self.tools
            .iter()
            .filter(|(entry, _)| permissions.shows(&entry.contract.front.permission))
            .map(|(_, tool)| tool.clone())
            .collect()
    }
}

/// What is served now. Shared by all doors of the process.
#[derive(Debug)]
pub struct Serving {
    current: ArcSwap<Served>,
    replaced: watch::Sender<u64>,
}

impl Serving {
    /// Serves this until it is replaced.
    pub fn new(served: Served) -> Arc<Self> {
        Arc::new(Self { current: ArcSwap::from_pointee(served), replaced: watch::Sender::new(0) })
    }

    /// What is served now.
    pub fn now(&self) -> Guard<Arc<Served>> {
        self.current.load()
    }

    /// Serves something else from now on.
    pub fn replace(&self, served: Served) {
        self.current.store(Arc::new(served));
        self.replaced.send_modify(|count| *count += 1);
    }

    /// Changes with each replacement.
    pub fn replacements(&self) -> watch::Receiver<u64> {
        self.replaced.subscribe()
    }
}
