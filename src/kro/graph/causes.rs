//! Which nodes are the cause of what is wrong, not only above it.

use super::Node;
use std::collections::HashMap;

/// The worst that is directly below each node.
#[derive(Debug)]
pub(super) struct Causes<'n>(HashMap<&'n str, u8>);

impl<'n> Causes<'n> {
    pub(super) fn among(nodes: &'n [Node]) -> Self {
        let mut worst: HashMap<&str, u8> = HashMap::new();
        for node in nodes {
            if let (Some(parent), Some(severity)) = (node.parent.as_deref(), node.state.severity()) {
                worst.entry(parent).and_modify(|known| *known = severity.min(*known)).or_insert(severity);
            }
        }
        Self(worst)
    }

    /// Whether nothing below a node is as bad: `app` is failing because `app/deployment` is missing,
    /// and then the latter is told.
    pub(super) fn has(&self, node: &Node) -> bool {
        let below = self.0.get(node.id.as_str()).copied();
        below.is_none_or(|below| node.state.severity().is_none_or(|own| below > own))
    }
}
