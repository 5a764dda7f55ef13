//! What following events came to, in a line.

use super::words;
use crate::answer::counted;

/// Names of each sort.
pub(super) const NAMED: usize = 5;
/// Before who may get it.
pub(super) const MAYBE: &str = "maybe ";

/// Who it is in names, all of them.
pub(super) struct All {
    pub(super) producers: Option<Vec<String>>,
    pub(super) consumers: Option<Vec<String>>,
    pub(super) undelivered: Vec<String>,
    pub(super) dead_ends: Vec<String>,
    pub(super) loops: Vec<String>,
}

impl All {
    /// `gets to 2 consumers, maybe 1 more: …`
    pub(super) fn told(&self, is_nothing: bool) -> String {
        if is_nothing && self.consumers.as_ref().is_none_or(Vec::is_empty) && self.dead_ends.is_empty() {
            return "passes nothing".to_owned();
        }
        let list = |names: &Vec<String>| words::few(names.clone(), NAMED).join(", ");
        let mut parts = Vec::new();
        if let Some(producers) = &self.producers {
            parts.push(match producers.len() {
                0 => "comes from no source that is known: whoever posts to where it begins".to_owned(),
                count => format!("comes from {}: {}", counted(count, "source"), list(producers)),
            });
        }
        if let Some(consumers) = &self.consumers {
            let maybe = consumers.iter().filter(|name| name.starts_with(MAYBE)).count();
            let more = if maybe > 0 { format!(", {MAYBE}{maybe} more") } else { String::new() };
            parts.push(match consumers.len() - maybe {
                0 if maybe == 0 => "gets to nobody".to_owned(),
                0 => format!("gets {MAYBE}to {}: {}", counted(maybe, "consumer"), list(consumers)),
                sure => format!("gets to {}{more}: {}", counted(sure, "consumer"), list(consumers)),
            });
        }
        if !self.undelivered.is_empty() {
            parts.push(format!("what cannot be delivered goes to {}", list(&self.undelivered)));
        }
        if !self.dead_ends.is_empty() {
            parts.push(format!("ends at {}", list(&self.dead_ends)));
        }
        if !self.loops.is_empty() {
            parts.push(format!("{}: {}", counted(self.loops.len(), "loop"), list(&self.loops)));
        }
        parts.join("; ")
    }
}
