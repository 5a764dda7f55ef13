//! The annotations that suspend and resume, as a patch and as they are told.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Action;
use crate::kubernetes::Object;

/// What suspends, in the two prefixes that kro may use.
const ANNOTATIONS: [&str; 2] = ["kro.run/reconcile", "internal.kro.run/reconcile"];
/// On an instance: what was last done to it here, and when. A plan is over once it has been followed, and
/// after "now" nothing else would tell.
const DONE: &str = "platform-mcp/reconcile";
/// What becomes of the annotations, a line each.
pub(super) fn changes(action: Action, live: &Object, word: &str) -> Vec<String> {
    let [name, _] = ANNOTATIONS;
    let mut changes = match action {
        Action::Suspend => vec![format!("+ metadata.annotations[{name:?}]: {word}")],
        Action::Resume => ANNOTATIONS
            .iter()
            .filter_map(|name| Some((name, live.annotation(name)?)))
            .map(|(name, value)| format!("- metadata.annotations[{name:?}]: {value}"))
            .collect(),
        Action::Now => vec![
            format!("+ metadata.annotations[{name:?}]: {word}"),
            format!("- metadata.annotations[{name:?}]: {word}, right after"),
        ],
    };
    changes.push(format!("+ metadata.annotations[{DONE:?}]: {} and the time", action.name()));
    changes
}

pub(super) fn suspending(live: &Object, word: &str) -> Map<String, Value> {
    // the newer prefix where somebody uses it, so that the two do not contradict each other
    let newer = ANNOTATIONS.iter().skip(1).filter(|name| live.annotation(name).is_some());
    let names = ANNOTATIONS.iter().take(1).chain(newer);
    names.map(|name| ((*name).to_owned(), json!(word))).collect()
}

pub(super) fn resumed(live: &Object) -> Map<String, Value> {
    let present = ANNOTATIONS.iter().filter(|name| live.annotation(name).is_some());
    present.map(|name| ((*name).to_owned(), Value::Null)).collect()
}

pub(super) fn resumed_all() -> Map<String, Value> {
    ANNOTATIONS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect()
}

pub(super) fn stamped(mut annotations: Map<String, Value>, action: Action) -> Map<String, Value> {
    let done = format!("{} {:.3}", action.name(), Timestamp::now());
    annotations.insert(DONE.to_owned(), done.into());
    annotations
}
