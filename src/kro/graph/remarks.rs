//! What is to be said of an instance besides its nodes.

use super::collected::{Collected, Rgd};
use crate::kro::definition;

/// The gaps and notes of a level itself.
pub(super) fn remarks(collected: &Collected) -> (Vec<String>, Vec<String>) {
    let (mut gaps, mut notes) = (collected.gaps.clone(), Vec::new());
    for (kind, unread) in &collected.unread {
        gaps.push(format!("{kind}: {unread}"));
    }
    for name in &collected.unexpanded {
        gaps.push(format!("{name} was not looked into (depth reached; raise depth to see below)"));
    }
    match &collected.rgd {
        Rgd::Read(definition) => {
            gaps.extend(definition.cut.iter().cloned());
            let run = match definition.source {
                definition::Source::Revision(number) => format!("; instances run on its revision {number}"),
                definition::Source::Derived => {
                    gaps.push(format!(
                        "RGD {}: its last update is not in effect and its GraphRevisions could not be read; nodes and edges are derived from its spec, which may not be what runs",
                        definition.rgd
                    ));
                    String::new()
                }
                definition::Source::Status => String::new(),
            };
            if let Some(trouble) = &definition.trouble {
                notes.push(format!("RGD {} is not in order: {trouble}{run}", definition.rgd));
            }
        }
        Rgd::Gone(name) => {
            gaps.push(format!("RGD {name} does not exist: nodes are known by their labels only, edges not"));
        }
        Rgd::Unread(name, why) => {
            gaps.push(format!("RGD {name}: {why}; nodes are known by their labels only, edges not"));
        }
        Rgd::Unknown => {
            gaps.push("no RGD generates this kind: nodes are known by their labels only, edges not".into());
        }
    }
    (gaps, notes)
}
