//! The toolbox: contract files joined to typed handlers, and the gate in front of them.

pub mod call;
pub mod contract;
pub mod entry;
mod exported;
pub mod gate;
mod input;
pub mod list;
mod named;
pub mod pass;
pub mod plan;
pub mod process;
pub mod progress;
pub mod prompts;
mod published;
mod reach;
mod record;
pub mod resources;
pub mod schema;
mod seen;
mod spent;
pub mod subject;
#[cfg(test)]
mod tests;
pub mod tool;

use std::{sync::Arc, time::Duration};

pub use call::Call;
pub use contract::{Contract, ContractProblem, Effect, Sensitive};
pub use entry::Entry;
pub use gate::Request;
pub use named::Named;
pub use pass::{Passed, Passing};
pub use plan::Step;
pub use process::Process;
pub use progress::Progress;
use prompts::Prompt;
pub use subject::{Following, Subject};
pub use tool::{Reach, Tool};

use crate::{
    answer::seal::Seal,
    audit::Audit,
    caller::Caller,
    catalog,
    kubernetes::{Clusters, Registry},
    palette::Environments,
    telemetry::Measure,
};

/// How much one call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall time of a call.
    pub call_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { call_time: Duration::from_secs(20) }
    }
}

/// Which tools an operator offers at all, before any caller's permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Toolsets that are switched off.
    pub without: Vec<String>,
    /// Whether every tool that changes something is left out.
    pub read_only: bool,
}

/// Everything that calls share.
#[derive(Debug)]
pub struct Toolbox {
    entries: Vec<Arc<Entry>>,
    unlisted: Vec<Arc<Entry>>,
    prompts: Vec<Prompt>,
    registry: Arc<Registry>,
    environments: Arc<Environments>,
    catalog: Arc<catalog::Settings>,
    process: Arc<Process>,
    limits: Limits,
}

/// What a toolbox is made of.
#[derive(Debug)]
pub struct Parts {
    /// The clusters that are known.
    pub registry: Arc<Registry>,
    /// The Palette environments.
    pub environments: Arc<Environments>,
    /// What is exported to catalogs.
    pub catalog: Arc<catalog::Settings>,
    /// What outlives this toolbox.
    pub process: Arc<Process>,
    /// What a call may take.
    pub limits: Limits,
    /// Which tools there are.
    pub offer: Offer,
}

impl Toolbox {
    /// Joins the tools to what they work on.
    ///
    /// # Errors
    /// A contract file that is not valid.
    pub fn new(parts: Parts) -> Result<Arc<Self>, ContractProblem> {
        let tools = list::all()?;
        let prompts = prompts::all()?;
        let unlisted = list::unlisted()?;
        let known = [tools.clone(), unlisted.clone()].concat();
        prompts.iter().try_for_each(|prompt| prompt.check(&known))?;
        Ok(Arc::new(Self::of(parts, tools, unlisted, prompts)))
    }

    /// Of exactly these tools.
    #[cfg(test)]
    pub(crate) fn with_entries(parts: Parts, entries: Vec<Arc<Entry>>) -> Arc<Self> {
        Arc::new(Self::of(parts, entries, Vec::new(), Vec::new()))
    }

    fn of(
        parts: Parts,
        mut entries: Vec<Arc<Entry>>,
        mut unlisted: Vec<Arc<Entry>>,
        mut prompts: Vec<Prompt>,
    ) -> Self {
        let offered = |entry: &Arc<Entry>| {
            let contract = &entry.contract;
            let offered = !parts.offer.without.contains(&contract.toolset);
            offered && (contract.front.effect == Effect::Read || !parts.offer.read_only)
        };
        entries.retain(offered);
        unlisted.retain(offered);
        entries.sort_by(|a, b| a.contract.name.cmp(&b.contract.name));
        prompts.retain(|prompt| {
            let mut tools = prompt.tools();
            tools.all(|tool| entries.iter().chain(&unlisted).any(|entry| entry.contract.name == tool))
        });
        let Parts { registry, environments, catalog, process, limits, .. } = parts;
        Self { entries, unlisted, prompts, registry, environments, catalog, process, limits }
    }

    /// The tools that exist for this caller, in a fixed order.
    pub fn list<'t>(&'t self, caller: &'t Caller) -> impl Iterator<Item = &'t Arc<Entry>> {
        self.entries.iter().filter(|entry| caller.permissions().shows(&entry.contract.front.permission))
    }

    /// Every tool, whoever asks.
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// The clusters that are known now.
    pub fn clusters(&self) -> Arc<Clusters> {
        self.registry.now()
    }

    /// Where the clusters come from.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The Palette environments that are configured.
    pub fn environments(&self) -> &Arc<Environments> {
        &self.environments
    }

    /// What is exported to catalogs.
    pub fn catalog(&self) -> &Arc<catalog::Settings> {
        &self.catalog
    }

    /// What outlives this toolbox.
    pub fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// Where measurements go.
    pub fn measure(&self) -> &Measure {
        self.process.measure()
    }

    fn find(&self, caller: &Caller, name: &str) -> Option<Arc<Entry>> {
        let entry = self.hidden(name)?;
        caller.permissions().shows(&entry.contract.front.permission).then(|| Arc::clone(entry))
    }

    /// What only doors ask.
    fn askable(&self, caller: &Caller, name: &str) -> Option<Arc<Entry>> {
        let entry = self.unlisted(name)?;
        caller.permissions().shows(&entry.contract.front.permission).then(|| Arc::clone(entry))
    }

    fn unlisted(&self, name: &str) -> Option<&Arc<Entry>> {
        self.unlisted.iter().find(|entry| entry.contract.name == name)
    }

    /// A tool, though it may not exist for the caller.
    fn hidden(&self, name: &str) -> Option<&Arc<Entry>> {
        let at = self.entries.binary_search_by(|entry| entry.contract.name.as_str().cmp(name)).ok()?;
        self.entries.get(at)
    }

    fn next_call_id(&self) -> String {
        self.process.next_call_id()
    }

    fn seal(&self) -> &Seal {
        self.process.seal()
    }

    fn audit(&self) -> &Audit {
        self.process.audit()
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}
