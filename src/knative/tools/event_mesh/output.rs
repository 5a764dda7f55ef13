//! The answer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    consumers::ConsumerRow,
    followed::{Found, HopRow},
    input::Way,
    part::Part,
    tables::{self, EventTypeRow, HubRow, Small, SourceRow, fitting},
    words,
};
use crate::{
    answer::counted,
    knative::{
        mesh::{Finding, Presence, Role},
        resource::Resources,
    },
};

/// The answer: an overview, or events followed.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Output {
    pub(super) cluster: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<Way>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counts: Option<Counts>,
    /// What is wrong, by code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) wrong: BTreeMap<&'static str, usize>,
    /// The first of it, the worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) findings: Vec<FindingRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sources: Vec<SourceRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) event_types: Vec<EventTypeRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) brokers_and_channels: Vec<HubRow>,
    /// How many of these are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) more: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) consumers: Vec<ConsumerRow>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) followed: Option<Found>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hops: Vec<HopRow>,
    /// Mermaid or Graphviz source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<String>,
}

/// How many there are of what is asked about.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Counts {
    brokers: usize,
    event_types: usize,
    channels: usize,
    /// Sequences and Parallels.
    flows: usize,
    sources: usize,
    /// Triggers, subscriptions and steps.
    consumers: usize,
}

/// Something wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FindingRow {
    code: &'static str,
    about: String,
    what: String,
}

impl Small for FindingRow {
    const COLUMNS: &'static [&'static str] = &["finding", "about", "what"];

    fn cells(&self) -> Vec<String> {
        vec![self.code.to_owned(), self.about.clone(), self.what.clone()]
    }
}

impl Counts {
    pub(super) fn of(part: &Part<'_>, consumers: usize) -> Self {
        let count = |role: Role| {
            let nodes = part.nodes.iter().filter_map(|index| part.mesh.nodes.get(*index));
            nodes.filter(|node| node.role == role && node.presence == Presence::Here).count()
        };
        Self {
            brokers: count(Role::Broker),
            event_types: part.event_types.len(),
            channels: count(Role::Channel),
            flows: count(Role::Flow),
            sources: count(Role::Source),
            consumers,
        }
    }

    pub(super) fn words(&self) -> String {
        let flows = match self.flows {
            0 => String::new(),
            flows => format!("{}, ", counted(flows, "sequence or parallel").replace("parallels", "parallel")),
        };
        format!(
            "{}, {}, {}, {flows}{}, {}",
            counted(self.brokers, "broker"),
            counted(self.event_types, "event type"),
            counted(self.channels, "channel"),
            counted(self.sources, "source"),
            counted(self.consumers, "consumer")
        )
    }
}

/// What is wrong with what is asked about.
pub(super) struct Wrong<'m> {
    findings: Vec<&'m Finding>,
    codes: BTreeMap<&'static str, usize>,
}

impl<'m> Wrong<'m> {
    pub(super) fn of(part: &Part<'m>) -> Self {
        let findings = part.findings();
        let mut codes = BTreeMap::new();
        findings.iter().for_each(|finding| *codes.entry(finding.code).or_default() += 1);
        Self { findings, codes }
    }

    pub(super) fn words(&self, resources: &Resources) -> String {
        if resources.whole.is_empty() && resources.whole_there.is_empty() && !resources.unread.is_empty() {
            return "nothing of it could be read".to_owned();
        }
        if self.codes.is_empty() {
            return "nothing wrong is seen".to_owned();
        }
        let mut codes: Vec<(&str, usize)> = self.codes.iter().map(|(code, count)| (*code, *count)).collect();
        codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let codes = codes.into_iter().map(|(code, count)| format!("{count} {code}")).collect();
        format!("{} wrong: {}", self.findings.len(), words::few(codes, 6).join(", "))
    }
}

/// The part of the budget that each small table may take.
const PARTS: usize = 9;

impl Output {
    /// Bytes as JSON.
    pub(super) fn size(&self) -> usize {
        serde_json::to_string(self).map_or(0, |json| json.len())
    }

    /// The findings that fit, as text.
    pub(super) fn findings(&mut self, wrong: &Wrong<'_>, budget: usize) -> String {
        let rows = wrong.findings.iter().map(|finding| FindingRow {
            code: finding.code,
            about: words::object(&finding.about, ""),
            what: words::short(&finding.what),
        });
        let (findings, text, more) = fitting(wrong.findings.len(), rows, budget / PARTS);
        self.wrong = wrong.codes.clone();
        self.findings = findings;
        self.said(text, more, "finding", "namespace, broker or consumer")
    }

    /// The tables that are not paged, as text.
    pub(super) fn small_tables(&mut self, part: &Part<'_>, wrong: &Wrong<'_>, budget: usize) -> String {
        let room = budget / PARTS;
        let mut text = self.findings(wrong, budget);
        let sources = tables::sources(part);
        let rows = sources.iter().map(|source| tables::source_row(part, source));
        let (kept, table, more) = fitting(sources.len(), rows, room);
        self.sources = kept;
        text.push_str(&self.said(table, more, "source", "namespace, event_type or broker"));
        let types = tables::event_types(part);
        let providers = tables::providers(part);
        let rows = types.iter().filter_map(|index| tables::event_type_row(part, &providers, *index));
        let (kept, table, more) = fitting(types.len(), rows, room);
        self.event_types = kept;
        text.push_str(&self.said(table, more, "event type", "event_type, broker or namespace"));
        let hubs = tables::hubs(part);
        let (kept, table, more) = fitting(hubs.len(), hubs.into_iter(), room);
        self.brokers_and_channels = kept;
        text.push_str(&self.said(table, more, "broker or channel", "namespace or broker"));
        text
    }

    /// A table, and what it leaves out.
    fn said(&mut self, table: String, more: usize, noun: &str, narrow: &str) -> String {
        if table.is_empty() {
            return table;
        }
        let mut text = format!("{table}\n");
        if more > 0 {
            let noun = if noun.contains(" or ") { noun.replace(" or ", "s or ") } else { noun.to_owned() };
            let line = format!("{} more: narrow with {narrow}", counted(more, &noun));
            text.push_str(&format!("and {line}\n"));
            self.more.push(line);
        }
        text
    }
}
