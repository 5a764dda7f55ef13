//! What it means that there are no events, and what to ask instead.

use crate::kro::class::Class;

/// kro's own silence is the rule (v0.9.4: only the instance controller reports, and only with the feature gate
/// `InstanceConditionEvents`, which is off; `pkg/features`). API servers keep events for an hour by default.
pub(super) fn explained(class: Class, subtree: bool, narrowed: bool) -> String {
    let kept = match narrowed {
        true => "since then",
        false => "now; the API server keeps them for an hour by default",
    };
    match (class, subtree) {
        (Class::Rgd | Class::Revision, _) => {
            "kro writes no events for RGDs and their revisions: kro_rgd shows the conditions, kro_diagnose says what \
             is wrong"
                .to_owned()
        }
        (Class::Instance, false) => {
            "kro itself writes no events for instances, unless its feature gate InstanceConditionEvents is on: call \
             again with subtree: true for those of its children and Pods; kro_graph and kro_diagnose say what it \
             waits for"
                .to_owned()
        }
        (Class::Instance, true) => {
            format!("neither it nor what it owns has any {kept}. kro_graph and kro_diagnose say what it waits for")
        }
        (Class::Child | Class::External, false) => {
            format!("it has none {kept}. subtree: true adds what it owns; kro_graph says how it is doing")
        }
        (Class::Child | Class::External, true) => {
            format!("neither it nor what it owns has any {kept}. kro_graph says how it is doing")
        }
    }
}
