//! A mesh as Mermaid or Graphviz source. Ids are numbered, labels escaped: every name in them was written by somebody
//! else. What does not fit is left out and counted.

use std::collections::BTreeMap;

use super::{
    mesh::{Edge, Mesh, Node, NodeId, Presence, Relation, Role},
    resource::Ready,
};
use crate::answer::{label, sanitise};

/// Characters of a label of a node, and of an edge.
const LONGEST: (usize, usize) = (120, 60);

/// In which language it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A flowchart.
    Mermaid,
    /// A Graphviz digraph.
    Dot,
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// The source.
    pub source: String,
    /// Nodes that are drawn.
    pub nodes: usize,
    /// Edges that are drawn.
    pub edges: usize,
}

const CLASSES: [(&str, &str, &str); 5] = [
    ("good", "stroke:#2e7d32", "#2e7d32"),
    ("bad", "stroke:#c62828,stroke-width:3px", "#c62828"),
    ("waits", "stroke:#f9a825", "#f9a825"),
    ("aside", "stroke:#9e9e9e,stroke-dasharray:4", "#9e9e9e"),
    ("plain", "stroke:#546e7a", "#546e7a"),
];

/// Draws the first of these edges, with their ends, and then of these nodes that fit into so many bytes.
pub fn draw(
    mesh: &Mesh,
    edges: impl Iterator<Item = usize>,
    nodes: impl Iterator<Item = usize>,
    language: Language,
    bytes: usize,
) -> Picture {
    let mut canvas = Canvas { mesh, language, numbers: BTreeMap::new(), room: bytes, lines: Vec::new() };
    let (head, foot) = canvas.frame();
    canvas.room = canvas.room.saturating_sub(head.len() + foot.len());
    let mut drawn = 0;
    for edge in edges.filter_map(|index| mesh.edges.get(index)) {
        if !canvas.edge(edge) {
            break;
        }
        drawn += 1;
    }
    for node in nodes {
        if !canvas.node(node) {
            break;
        }
    }
    let nodes = canvas.numbers.len();
    Picture { source: format!("{head}{}{foot}", canvas.lines.concat()), nodes, edges: drawn }
}

#[derive(Debug)]
struct Canvas<'m> {
    mesh: &'m Mesh,
    language: Language,
    numbers: BTreeMap<usize, usize>,
    room: usize,
    lines: Vec<String>,
}

impl Canvas<'_> {
    fn frame(&self) -> (String, String) {
        match self.language {
            Language::Mermaid => {
                let classes = CLASSES.iter().map(|(name, style, _)| format!("\n  classDef {name} {style}"));
                ("flowchart LR".to_owned(), classes.collect())
            }
            Language::Dot => ("digraph mesh {\n  rankdir=LR; node [shape=box];".to_owned(), "\n}".to_owned()),
        }
    }

    /// Whether it fitted; it is drawn once.
    fn node(&mut self, index: usize) -> bool {
        self.all(&[index], None)
    }

    fn edge(&mut self, edge: &Edge) -> bool {
        self.all(&[edge.from, edge.to], Some(edge))
    }

    /// All of it, or nothing where it does not fit.
    fn all(&mut self, ends: &[usize], edge: Option<&Edge>) -> bool {
        let mut new: BTreeMap<usize, usize> = BTreeMap::new();
        let mut lines = Vec::new();
        for end in ends {
            let Some(node) = self.mesh.nodes.get(*end) else { return true };
            if !self.numbers.contains_key(end) && !new.contains_key(end) {
                let number = self.numbers.len() + new.len();
                new.insert(*end, number);
                lines.push(self.node_line(node, number));
            }
        }
        if let Some(edge) = edge {
            let number = |end| self.numbers.get(&end).or_else(|| new.get(&end)).copied().unwrap_or_default();
            lines.push(self.edge_line(edge, number(edge.from), number(edge.to)));
        }
        // a line break and a quote are two bytes each where the source stands in JSON
        let cost: usize = lines.iter().map(|line| line.len() + 2 + line.matches('"').count()).sum();
        let Some(room) = self.room.checked_sub(cost) else { return false };
        self.room = room;
        self.numbers.extend(new);
        self.lines.extend(lines);
        true
    }

    fn node_line(&self, node: &Node, number: usize) -> String {
        let name = match &node.id {
            NodeId::Object(reference) => reference.to_string(),
            NodeId::Uri(uri) => uri.clone(),
        };
        let id = node.backstage_id.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
        let text = sanitise::short(&format!("{name}{id}"), LONGEST.0);
        let (class, _, color) = class(node);
        match self.language {
            Language::Mermaid => {
                let (open, close) = shape(node.role);
                format!("\n  n{number}{open}\"{}\"{close}:::{class}", label::mermaid(&text))
            }
            Language::Dot => format!("\n  n{number} [label=\"{}\", color=\"{color}\"];", label::dot(&text)),
        }
    }

    fn edge_line(&self, edge: &Edge, from: usize, to: usize) -> String {
        let mut parts: Vec<String> = edge.via.iter().map(|via| via.name.clone()).collect();
        match edge.relation {
            Relation::Reply => parts.push("reply".to_owned()),
            Relation::DeadLetter => parts.push("dead letter".to_owned()),
            _ => {}
        }
        if matches!(edge.ready, Ready::No(_)) {
            parts.push("not ready".to_owned());
        }
        let text = sanitise::short(&parts.join(", "), LONGEST.1);
        let aside = matches!(edge.relation, Relation::Reply | Relation::DeadLetter);
        match self.language {
            Language::Mermaid => {
                let arrow = if aside { "-.->" } else { "-->" };
                let text = if text.is_empty() { text } else { format!("|\"{}\"|", label::mermaid(&text)) };
                format!("\n  n{from} {arrow}{text} n{to}")
            }
            Language::Dot => {
                let mut with: Vec<String> = Vec::new();
                with.extend((!text.is_empty()).then(|| format!("label=\"{}\"", label::dot(&text))));
                with.extend(aside.then(|| "style=dashed".to_owned()));
                let with = if with.is_empty() { String::new() } else { format!(" [{}]", with.join(", ")) };
                format!("\n  n{from} -> n{to}{with};")
            }
        }
    }
}

/// A Mermaid shape: what sends is round, what passes on has six corners.
fn shape(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Source => ("([", "])"),
        Role::Broker | Role::Channel | Role::Flow => ("{{", "}}"),
        Role::Receiver => ("[", "]"),
    }
}

fn class(node: &Node) -> (&'static str, &'static str, &'static str) {
    let [good, bad, waits, aside, plain] = CLASSES;
    match (node.presence, &node.ready) {
        (Presence::Missing | Presence::NoKind | Presence::NotAddressable, _) | (_, Ready::No(_)) => bad,
        (Presence::Unread, _) => aside,
        (Presence::Here, Ready::Unknown(_)) => waits,
        (Presence::Here, Ready::Yes) => good,
        // of a kind that has no conditions, as a Service
        (Presence::Here, Ready::Untold) => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knative::resource::Reference;

    fn node(name: &str, role: Role) -> Node {
        let id = NodeId::Object(Reference {
            group: String::new(),
            kind: "Service".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
        });
        Node { id, role, ready: Ready::Yes, presence: Presence::Here, backstage_id: None }
    }

    #[test]
    fn a_name_cannot_draw() {
        let mut mesh = Mesh::default();
        mesh.nodes.push(node("a\"] --> n9; click", Role::Broker));
        mesh.nodes.push(Node { presence: Presence::Missing, ..node("b", Role::Receiver) });
        mesh.edges.push(Edge::plain(0, 1, Relation::DeadLetter));
        let drawn = |language| draw(&mesh, 0..1, 0..2, language, 5_000);
        let mermaid = drawn(Language::Mermaid);
        assert!(
            mermaid.source.starts_with(
                "flowchart LR\n  n0{{\"Service shop/a#34;] --#62; n9#59; click\"}}:::good\n  \
                 n1[\"Service shop/b\"]:::bad\n  n0 -.->|\"dead letter\"| n1\n  classDef"
            ),
            "{}",
            mermaid.source
        );
        assert_eq!((mermaid.nodes, mermaid.edges), (2, 1));
        let dot = drawn(Language::Dot).source;
        assert!(
            dot.contains("n0 [label=\"Service shop/a\\\"] --> n9; click\", color=\"#2e7d32\"];"),
            "{dot}"
        );
        assert!(dot.contains("n0 -> n1 [label=\"dead letter\", style=dashed];"), "{dot}");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut mesh = Mesh::default();
        mesh.nodes.push(node("hub", Role::Broker));
        for index in 1..500 {
            mesh.nodes.push(node(&format!("service-{index}"), Role::Receiver));
            mesh.edges.push(Edge::plain(0, index, Relation::Trigger));
        }
        let picture = draw(&mesh, 0..499, 0..500, Language::Mermaid, 4_000);
        assert!(picture.source.len() <= 4_000 && picture.edges > 20, "{} bytes", picture.source.len());
        assert_eq!(picture.nodes, picture.edges + 1, "no edge without its ends");
        assert_eq!(picture.source.matches(" --> ").count(), picture.edges);
        assert!(serde_json::to_string(&picture.source).expect("JSON").len() <= 4_000);
    }
}
