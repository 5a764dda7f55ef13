//! [`Finding`]: one thing that is wrong, or good to know.

use super::code::{Code, Weight};
use crate::answer::sanitise;
use crate::kro::graph::Node;
use crate::kubernetes::Object;

/// Characters of a cause and of one piece of evidence.
const LONGEST: usize = 400;
/// Pieces of evidence of one finding.
const MOST_EVIDENCE: usize = 6;
/// Nodes that a merged finding names.
const NAMED: usize = 8;

/// One thing that is wrong, with what shows it and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How much it weighs here.
    pub weight: Weight,
    rank: u8,
    /// The id of the node it is about; none for the instance itself.
    pub node: Option<String>,
    /// `Kind/name` of the object it is about.
    pub object: Option<String>,
    /// The object's namespace.
    pub namespace: Option<String>,
    /// The cause in one sentence, without a full stop.
    pub cause: String,
    /// What shows it: expressions with the values they saw, messages, events, finalizers.
    pub evidence: Vec<String>,
    /// The tool call or change that helps; what is between ⟦ and ⟧ is for those who have the tool in it.
    pub next: String,
    /// Other nodes of which the same is true.
    also: Vec<String>,
}

impl Finding {
    /// A finding about the instance or RGD itself.
    pub fn new(code: Code, cause: impl AsRef<str>) -> Self {
        Self {
            code,
            weight: code.weight(),
            rank: code.rank(),
            node: None,
            object: None,
            namespace: None,
            cause: sanitise::short(cause.as_ref(), LONGEST),
            evidence: Vec::new(),
            next: String::new(),
            also: Vec::new(),
        }
    }

    /// About a node of the graph.
    #[must_use]
    pub(super) fn about(mut self, node: &Node) -> Self {
        self.node = Some(node.id.clone());
        self.object = Some(node.object());
        self.namespace.clone_from(&node.namespace);
        self
    }

    /// About an object.
    #[must_use]
    pub(super) fn on(mut self, object: &Object) -> Self {
        self.object = Some(format!("{}/{}", object.kind(), object.name()));
        self.namespace = object.namespace().map(str::to_owned);
        self
    }

    /// About the instance of a level: of a nested one, the node that it is.
    #[must_use]
    pub(super) fn within(mut self, nested: Option<&str>) -> Self {
        self.node = nested.map(str::to_owned);
        self
    }

    /// With something that shows it.
    #[must_use]
    pub(super) fn seen(mut self, evidence: impl AsRef<str>) -> Self {
        let line = sanitise::short(evidence.as_ref(), LONGEST);
        if !line.is_empty() && line != self.cause && self.evidence.len() < MOST_EVIDENCE {
            self.evidence.push(line);
        }
        self
    }

    /// With several things that show it.
    #[must_use]
    pub(super) fn seen_all(self, evidence: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        evidence.into_iter().fold(self, Self::seen)
    }

    /// With what to do.
    #[must_use]
    pub(super) fn next(mut self, next: impl AsRef<str>) -> Self {
        self.next = sanitise::short(next.as_ref(), LONGEST);
        self
    }

    /// Leaves of the next step what the caller can do: a tool that they do not have does not exist for them.
    pub fn offer(&mut self, has: impl Fn(&str) -> bool) {
        let mut offered = String::new();
        let mut rest = self.next.as_str();
        while let Some((before, after)) = rest.split_once('⟦') {
            let (inner, after) = after.split_once('⟧').unwrap_or((after, ""));
            let mut words = inner.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            offered.push_str(before);
            if words.find(|word| word.starts_with("kro_")).is_some_and(&has) {
                offered.push_str(inner);
            }
            rest = after;
        }
        offered.push_str(rest);
        self.next = offered;
    }

    /// True, and doing no harm to what was asked about.
    #[must_use]
    pub(super) fn harmless(mut self) -> Self {
        self.weight = self.weight.max(Weight::Warning);
        self.rank = self.rank.saturating_add(60);
        self
    }

    /// Of less moment here than findings of that code.
    pub(super) fn after(&mut self, code: Code) {
        self.rank = code.rank().saturating_add(1);
    }

    /// What the same is true of: findings with one key are one.
    fn key(&self) -> (&'static str, u8, String, String) {
        let base = |id: &String| id.split('[').next().unwrap_or_default().to_owned();
        let member = self.node.as_ref().is_some_and(|id| id.ends_with(']'));
        let node = self.node.as_ref().map(|id| if member { base(id) } else { id.clone() });
        // members of a collection fail alike in words that have their names in them
        let cause = if member { String::new() } else { self.cause.clone() };
        (self.code.word(), self.rank, node.unwrap_or_default(), cause)
    }
}

/// Causes first; what is true of several members of a collection is told once.
pub(super) fn ranked(mut findings: Vec<Finding>) -> Vec<Finding> {
    // stable: nodes stay in the order in which kro processes them
    findings.sort_by_key(|finding| finding.rank);
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        let key = finding.key();
        match merged.iter_mut().find(|known| known.key() == key) {
            Some(known) => known.also.extend(finding.object.or(finding.node)),
            None => merged.push(finding),
        }
    }
    for finding in &mut merged {
        finding.also.dedup();
        if finding.also.is_empty() {
            continue;
        }
        let more = finding.also.len().saturating_sub(NAMED);
        let named: Vec<&str> = finding.also.iter().take(NAMED).map(String::as_str).collect();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let line = sanitise::short(&format!("the same: {}{rest}", named.join(", ")), LONGEST);
        if finding.also.iter().any(|also| Some(also) != finding.object.as_ref()) {
            finding.evidence.push(line);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_fail_alike_are_one_finding() {
        let member = |name: &str| Finding {
            node: Some(format!("workers[{name}]")),
            object: Some(format!("ConfigMap/{name}")),
            ..Finding::new(Code::QUOTA_EXCEEDED, format!("{name} is over the quota"))
        };
        let waits = Finding::new(Code::WAITS, "x waits for y");
        let findings = ranked(vec![waits, member("a"), member("b"), member("c")]);
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0].evidence, ["the same: ConfigMap/b, ConfigMap/c"]);
        assert_eq!(findings[1].code, Code::WAITS);
    }

    #[test]
    fn a_tool_that_the_caller_does_not_have_is_not_named() {
        let offered = |tools: &[&str]| {
            let next = "resume it⟦ with kro_reconcile⟧, or⟦ kro_diagnose it⟧";
            let mut finding = Finding::new(Code::SUSPENDED, "x").next(next);
            finding.offer(|tool| tools.contains(&tool));
            finding.next
        };
        assert_eq!(offered(&["kro_reconcile"]), "resume it with kro_reconcile, or");
        assert_eq!(offered(&["kro_diagnose"]), "resume it, or kro_diagnose it");
    }

    #[test]
    fn evidence_is_bounded_and_clean() {
        let finding = Finding::new(Code::NOT_READY, "a\u{202e}\nb").seen_all((0..20).map(|n| format!("{n}")));
        assert_eq!((finding.cause.as_str(), finding.evidence.len()), ("a b", MOST_EVIDENCE));
    }
}
