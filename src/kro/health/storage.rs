//! Kinds whose health is a phase or an address.

use super::Health;
use crate::kubernetes::Object;

pub(super) fn claim(object: &Object) -> Health {
    match object.text(&["status", "phase"]) {
        Some("Bound") => Health::ready(),
        Some("Lost") => Health::failing("Lost: its volume is gone"),
        Some(phase) => Health::progressing(phase),
        None => Health::progressing("no status yet"),
    }
}

pub(super) fn volume(object: &Object) -> Health {
    match object.text(&["status", "phase"]) {
        Some("Bound" | "Available") => Health::ready(),
        Some("Failed") => Health::failing(object.text(&["status", "message"]).unwrap_or("Failed").to_owned()),
        Some(phase) => Health::progressing(phase),
        None => Health::progressing("no status yet"),
    }
}

pub(super) fn namespace(object: &Object) -> Health {
    match object.text(&["status", "phase"]) {
        Some("Active") => Health::ready(),
        Some(phase) => Health::progressing(phase),
        None => Health::progressing("no status yet"),
    }
}

/// Only a load balancer has to be waited for.
pub(super) fn service(object: &Object) -> Health {
    let balanced = object.text(&["spec", "type"]) == Some("LoadBalancer");
    if balanced && object.items(&["status", "loadBalancer", "ingress"]).is_empty() {
        return Health::progressing("no load balancer address yet");
    }
    Health::ready()
}
