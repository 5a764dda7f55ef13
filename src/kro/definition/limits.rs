//! How much of a definition is read: whoever may write an RGD can make it as large as etcd takes.

use super::Definition;

/// Nodes of one definition.
pub(super) const NODES: usize = 2000;
/// Dependencies of one node.
const DEPENDENCIES: usize = 64;

impl Definition {
    /// Cuts what is too much, and keeps what was cut for the gaps of the answer.
    pub(super) fn limit(&mut self, written: usize) {
        if written > NODES {
            self.cut.push(format!(
                "RGD {}: it has {written} resources, of which the first {NODES} were read",
                self.rgd
            ));
        }
        let mut cut = 0;
        for node in self.nodes.iter_mut().filter(|node| node.dependencies.len() > DEPENDENCIES) {
            node.dependencies.truncate(DEPENDENCIES);
            cut += 1;
        }
        if cut > 0 {
            let rgd = &self.rgd;
            self.cut.push(format!(
                "RGD {rgd}: {cut} nodes depend on more than {DEPENDENCIES} others, of which the first were read"
            ));
        }
    }
}
