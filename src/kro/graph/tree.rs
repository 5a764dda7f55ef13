//! The graph as text that a person can read: a summary line, then a tree.

use super::causes::Causes;
use super::ready_when::shorten;
use super::{Graph, Node, ROOT};
use crate::answer::sanitise;
use crate::kro::state::State;
use std::collections::BTreeMap;

/// Abnormal nodes that the summary names.
const NAMED: usize = 3;
/// Characters of the reason of each.
const SAID: usize = 160;

impl Graph {
    /// One line: what it is, the verdict, counts, what is abnormal and why, kro's own word.
    pub fn summary(&self, cluster: &str) -> String {
        let Some(root) = self.root() else { return "nothing".to_owned() };
        let place = root.namespace.as_deref().map(|ns| format!(" in {ns}")).unwrap_or_default();
        let verdict = match self.healthy() {
            Some(true) => "healthy",
            Some(false) => "NOT healthy",
            None => "health not fully known",
        };
        let total: usize = self.counts().values().sum();
        let mut line = format!("{}{place} ({cluster}): {verdict}, {}", root.object(), root.state);
        if let Some(reason) = root.reason.as_deref() {
            line.push_str(&format!(", {reason}"));
        }
        line.push_str(&format!(". {total} nodes: {}", counts(&self.counts())));
        let told = root.reason.as_deref().is_some_and(|reason| reason.starts_with("kro says"));
        if let Some(word) = root.kro_state.as_deref().filter(|_| !told) {
            line.push_str(&format!(". kro says {word}"));
        }
        let causes = Causes::among(&self.nodes);
        let abnormal: Vec<&Node> = self.abnormal().into_iter().filter(|node| causes.has(node)).collect();
        // the same words are said once
        let mut said: Vec<String> = root.reason.iter().map(|reason| shorten(reason, SAID)).collect();
        let named: Vec<String> = abnormal
            .iter()
            .take(NAMED)
            .map(|node| {
                let head = format!("{} {} {}", node.state.mark(), node.id, node.state);
                let reason = shorten(node.reason.as_deref().unwrap_or_default(), SAID);
                if reason.is_empty() || said.contains(&reason) {
                    return head;
                }
                let told = format!("{head} ({reason})");
                said.push(reason);
                told
            })
            .collect();
        if !named.is_empty() {
            line.push_str(&format!(". {}", named.join("; ")));
            if abnormal.len() > NAMED {
                line.push_str(&format!(" and {} more", abnormal.len() - NAMED));
            }
        }
        if !self.gaps.is_empty() {
            line.push_str(". Partial: see the end");
        }
        sanitise::line(&line).into_owned()
    }

    /// The tree: one line a node, abnormal branches first.
    pub fn tree(&self) -> String {
        let mut children: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
        for node in &self.nodes {
            if let Some(parent) = node.parent.as_deref() {
                children.entry(parent).or_default().push(node);
            }
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|node| !node.state.is_abnormal());
        }
        let mut text = String::new();
        if let Some(root) = self.root() {
            text.push_str(&line(root, root));
            branch(&mut text, &children, root, root, "");
        }
        for note in &self.notes {
            text.push_str(&format!("\nnote: {}", sanitise::line(note)));
        }
        text
    }
}

fn branch(text: &mut String, children: &BTreeMap<&str, Vec<&Node>>, root: &Node, of: &Node, indent: &str) {
    let below = children.get(of.id.as_str()).map_or(&[][..], Vec::as_slice);
    let hidden = hidden(of, below);
    for (at, node) in below.iter().enumerate() {
        let last = at + 1 == below.len() && hidden.is_none();
        let (knot, rail) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        text.push_str(&format!("\n{indent}{knot}{}", line(node, root)));
        branch(text, children, root, node, &format!("{indent}{rail}"));
    }
    if let Some(hidden) = hidden {
        text.push_str(&format!("\n{indent}└─ {hidden}"));
    }
}

/// Members that have no line of their own.
fn hidden(of: &Node, below: &[&Node]) -> Option<String> {
    let members = of.members.as_ref()?;
    let total: usize = members.values().sum();
    let more = total.checked_sub(below.iter().filter(|node| node.is_member()).count())?;
    (more > 0).then(|| format!("and {more} more"))
}

fn line(node: &Node, root: &Node) -> String {
    let own = node.id.rsplit('/').next().unwrap_or_default();
    let id = match node.id.strip_prefix("orphan:") {
        Some(_) => String::new(),
        None if node.id == ROOT || node.is_member() => String::new(),
        None => format!("{own}: "),
    };
    let mut line = format!("{} {id}{}", node.state.mark(), node.object());
    if node.namespace != root.namespace
        && let Some(namespace) = node.namespace.as_deref()
    {
        line.push_str(&format!(" (ns {namespace})"));
    }
    if node.external {
        line.push_str(" external");
    }
    line.push_str(&format!(" {}", node.state));
    if let Some(reason) = node.reason.as_deref() {
        line.push_str(&format!(" — {reason}"));
    }
    if !node.needs.is_empty() {
        let needs: Vec<&str> =
            node.needs.iter().map(|id| id.rsplit('/').next().unwrap_or_default()).collect();
        line.push_str(&format!(" ← {}", needs.join(", ")));
    }
    sanitise::line(&line).into_owned()
}

fn counts(counts: &BTreeMap<State, usize>) -> String {
    let words: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
