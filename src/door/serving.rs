//! [`Serving`]: what doors serve now. Replaced as a whole when the configuration changes; a call that
//! runs keeps what it began with.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use ::http::HeaderMap;
use arc_swap::{ArcSwap, Guard};
use rmcp::model::Tool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Terms, http, mcp, verdicts::Verdicts};
use crate::{
    caller::{Caller, Callers, places::Places},
    presented::Presented,
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
    tools: Vec<Listed>,
}

#[derive(Debug)]
struct Listed {
    entry: Arc<Entry>,
    tool: Tool,
    /// Of all that a list says of it.
    fingerprint: u64,
    /// As Backstage lists it, in JSON, where one does.
    action: Option<String>,
}

impl Served {
    /// Serves these tools to these callers on these terms.
    pub fn new(toolbox: Arc<Toolbox>, callers: Callers, terms: Terms) -> Self {
        let plugin = callers.backstage().map(|backstage| backstage.plugin().id());
        let tools = toolbox.entries().iter().map(|entry| Listed::new(Arc::clone(entry), plugin)).collect();
        Self { toolbox, callers, terms, tools }
    }

    /// The tokens for others that came with a request: never one for this server.
    pub(super) fn presented(&self, headers: &HeaderMap) -> Arc<Presented> {
        Presented::from_headers(headers, self.callers.audiences())
    }

    /// The tools that exist for this caller, as MCP lists them, in a fixed order.
    pub(super) fn list(&self, caller: &Caller) -> Vec<Tool> {
        self.listed(caller).map(|listed| listed.tool.clone()).collect()
    }

    /// The same as Backstage lists them, as JSON. Only joined: it is asked for before each call.
    pub(super) fn actions(&self, caller: &Caller) -> String {
        let shown: Vec<&str> = self.listed(caller).filter_map(|listed| listed.action.as_deref()).collect();
        format!("{{\"actions\":[{}]}}", shown.join(","))
    }

    /// Two lists are the same where this is.
    pub(super) fn fingerprint(&self, caller: &Caller) -> Vec<u64> {
        self.listed(caller).map(|listed| listed.fingerprint).collect()
    }

    fn listed<'s>(&'s self, caller: &'s Caller) -> impl Iterator<Item = &'s Listed> {
        self.tools.iter().filter(|listed| caller.permissions().shows(&listed.entry.contract.front.permission))
    }
}

impl Listed {
    fn new(entry: Arc<Entry>, plugin: Option<&str>) -> Self {
        let action = plugin.map(|plugin| http::action_item(plugin, &entry).to_string());
        let tool = mcp::described(&entry);
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(&tool).unwrap_or_default().hash(&mut hasher);
        Self { entry, tool, fingerprint: hasher.finish(), action }
    }
}

/// What is served now. Shared by all doors of the process.
#[derive(Debug)]
pub struct Serving {
    current: ArcSwap<Served>,
    replaced: watch::Sender<u64>,
    subscriptions: Arc<Places>,
    verdicts: Verdicts,
    ending: CancellationToken,
}

impl Serving {
    /// Serves this until it is replaced. Subscriptions end at the latest when `ending` fires.
    pub fn new(served: Served, ending: &CancellationToken) -> Arc<Self> {
        // may end earlier than the process: a door can end it
        let ending = ending.child_token();
        served.toolbox.process().ends_with(&ending);
        Arc::new(Self {
            current: ArcSwap::from_pointee(served),
            replaced: watch::Sender::new(0),
            subscriptions: Arc::default(),
            verdicts: Verdicts::default(),
            ending,
        })
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

    /// The subscriptions there are, whatever the configuration was when they began.
    pub(super) fn subscriptions(&self) -> &Arc<Places> {
        &self.subscriptions
    }

    /// Whether subscribers may still read what they follow.
    pub(super) fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Fires when nobody is told anything any more.
    pub(super) fn ending(&self) -> &CancellationToken {
        &self.ending
    }
}
