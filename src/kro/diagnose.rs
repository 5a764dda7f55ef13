//! What is wrong with an instance or an RGD: findings, causes before what they cause.
//!
//! Everything here is pure. The [`Case`] is what was read: the instance with all that belongs to it, the
//! [`Graph`](super::graph::Graph) built from that, and what was looked at besides, which [`looks`] chose. Each
//! family of findings has a file; what kro's own words mean is in kro.md sections 4 and 8.

mod awaited;
mod case;
mod code;
mod controller;
mod deletion;
mod events;
mod fields;
mod finding;
mod looks;
mod nodes;
pub mod owner;
mod pods;
mod refusal;
mod rgd;
mod standing;
mod text;

pub use case::{Case, Looked, Owner};
pub use code::{Code, Weight};
pub use finding::Finding;
pub use looks::{Look, allowance, worth};
pub use rgd::{RgdCase, of_rgd};
pub use text::Report;

/// The findings of an instance, the cause first.
pub fn of_instance(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for level in case.levels() {
        let mut found = standing::findings(case, &level);
        found.extend(deletion::findings(case, &level));
        found.extend(nodes::findings(case, &level));
        found.extend(pods::findings(case, &level));
        awaited::first(&level, &mut found);
        findings.extend(found);
    }
    finding::ranked(findings)
}

#[cfg(test)]
#[path = "diagnose/tests.rs"]
mod tests;
