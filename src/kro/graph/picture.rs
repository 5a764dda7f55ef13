//! The graph as Mermaid or Graphviz source. Ids are numbered, labels escaped: every name in them
//! was written by somebody else.

use super::{Graph, Node};
use crate::answer::label as written;
use crate::kro::state::State;
use std::collections::HashMap;
use std::fmt::Write as _;

impl Graph {
    /// A Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let numbers = self.numbers();
        let mut text = String::from("flowchart LR");
        for (node, number) in self.nodes.iter().zip(0..) {
            let label = written::mermaid(&label(node));
            let _ = write!(text, "\n  n{number}[\"{label}\"]:::{}", class(node.state));
        }
        for (from, to, contains) in self.lines() {
            let arrow = if contains { "-.-" } else { "-->" };
            if let (Some(from), Some(to)) = (numbers.get(from), numbers.get(to)) {
                let _ = write!(text, "\n  n{from} {arrow} n{to}");
            }
        }
        for (class, style) in CLASSES {
            let _ = write!(text, "\n  classDef {class} {style}");
        }
        text
    }

    /// A Graphviz digraph.
    pub fn dot(&self) -> String {
        let numbers = self.numbers();
        let mut text = String::from("digraph kro {\n  rankdir=LR; node [shape=box];");
        for (node, number) in self.nodes.iter().zip(0..) {
            let label = written::dot(&label(node));
            let _ = write!(text, "\n  n{number} [label=\"{label}\", color=\"{}\"];", color(node.state));
        }
        for (from, to, contains) in self.lines() {
            let style = if contains { " [style=dotted, arrowhead=none]" } else { "" };
            if let (Some(from), Some(to)) = (numbers.get(from), numbers.get(to)) {
                let _ = write!(text, "\n  n{from} -> n{to}{style};");
            }
        }
        text.push_str("\n}");
        text
    }

    fn numbers(&self) -> HashMap<&str, usize> {
        self.nodes.iter().zip(0..).map(|(node, number)| (node.id.as_str(), number)).collect()
    }

    /// Dependencies, and containment where no dependency leads to a node already.
    fn lines(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let contained = self
            .nodes
            .iter()
            .filter(|node| node.needs.is_empty())
            .filter_map(|node| Some((node.parent.as_deref()?, node.id.as_str(), true)));
        self.edges().map(|(from, to)| (from, to, false)).chain(contained)
    }
}

fn label(node: &Node) -> String {
    format!("{} {} {}", node.state.mark(), node.id, node.object())
}

const CLASSES: [(&str, &str); 4] = [
    ("good", "stroke:#2e7d32"),
    ("bad", "stroke:#c62828,stroke-width:3px"),
    ("waits", "stroke:#f9a825"),
    ("aside", "stroke:#9e9e9e,stroke-dasharray:4"),
];

fn class(state: State) -> &'static str {
    match state {
        State::Ready => "good",
        State::Failing | State::Missing | State::ExternalMissing => "bad",
        State::Progressing | State::Pending | State::Deleting | State::Suspended | State::Orphaned => "waits",
        State::Skipped | State::Gone | State::Unknown | State::Withheld => "aside",
    }
}

fn color(state: State) -> &'static str {
    match class(state) {
        "good" => "#2e7d32",
        "bad" => "#c62828",
        "waits" => "#f9a825",
        _ => "#9e9e9e",
    }
}
