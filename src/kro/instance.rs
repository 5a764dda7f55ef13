//! [`Standing`]: what kro says of an instance, read across its versions.
//!
//! kro ≥ 0.6 writes `InstanceManaged`, `GraphResolved`, `ResourcesReady` and `Ready`, ≤ 0.5 wrote
//! `InstanceSynced`; an RGD that declares conditions of its own (≥ 0.9.3) has kro write those
//! instead, and then there may be no `Ready` at all. `status.state` is always kro's.

mod message;

pub use message::{Complaint, Trouble, complaints};

use crate::kro::labels;
use crate::kro::state::State;
use crate::kubernetes::{Condition, Object};

/// What kro says of an instance, before anyone looks at the children.
#[derive(Clone, Debug)]
pub struct Standing {
    /// kro's own word, `status.state`.
    pub word: Option<String>,
    /// Our reading of all of it.
    pub state: State,
    /// Why, in a few words; none when ready.
    pub reason: Option<String>,
    /// The spec that kro has not looked at: the generation it is and the one kro last observed.
    pub frozen: Option<Frozen>,
    /// What keeps it, taken apart.
    pub complaints: Vec<Complaint>,
}

/// A spec ahead of what kro observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// `metadata.generation`
    pub generation: i64,
    /// The newest `observedGeneration` of its conditions.
    pub observed: i64,
}

impl std::fmt::Display for Frozen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "frozen: its spec is at generation {}, kro last looked at {}",
            self.generation, self.observed
        )
    }
}

impl Standing {
    /// Reads an instance.
    pub fn read(instance: &Object) -> Self {
        let word = instance.text(&["status", "state"]).filter(|word| !word.is_empty());
        let frozen = frozen(instance);
        let message = message_of(instance);
        let complaints = complaints(message.unwrap_or_default());
        let (state, reason) = verdict(instance, word, frozen, message, &complaints);
        Self { word: word.map(str::to_owned), state, reason, frozen, complaints }
    }
}

/// Whether kro was told to leave the instance's children alone: `suspended` (≥ 0.9.1) or `disabled`
/// (≥ 0.9.0), in any case.
pub fn is_suspended(instance: &Object) -> bool {
    labels::reconcile(instance).is_some_and(|value| {
        value.eq_ignore_ascii_case("suspended") || value.eq_ignore_ascii_case("disabled")
    })
}

/// Whether kro has written a status at all.
pub fn is_observed(instance: &Object) -> bool {
    instance.text(&["status", "state"]).is_some() || !instance.conditions().is_empty()
}

fn verdict(
    instance: &Object,
    word: Option<&str>,
    frozen: Option<Frozen>,
    message: Option<&str>,
    complaints: &[Complaint],
) -> (State, Option<String>) {
    let said = || complaints.first().map(ToString::to_string).or_else(|| message.map(str::to_owned));
    if instance.deletion().is_some() {
        return (State::Deleting, Some(deletion(instance, message)));
    }
    if is_suspended(instance) {
        let annotation = labels::reconcile(instance).unwrap_or_default();
        return (State::Suspended, Some(format!("kro.run/reconcile: {annotation}")));
    }
    if let Some(frozen) = frozen {
        return (State::Progressing, Some(frozen.to_string()));
    }
    match word {
        Some("ERROR" | "FAILED") => (State::Failing, said()),
        Some("DELETING") => (State::Deleting, said()),
        Some("ACTIVE") => match not_ready(instance) {
            None => (State::Ready, None),
            Some(condition) => {
                let why = said().unwrap_or_else(|| describe(condition));
                (State::Progressing, Some(why))
            }
        },
        Some(_) => (State::Progressing, said()),
        None if is_observed(instance) => without_word(instance, said()),
        None => (State::Progressing, Some("kro has not looked at it yet".into())),
    }
}

/// kro ≤ 0.5 and odd cases: conditions without a state.
fn without_word(instance: &Object, said: Option<String>) -> (State, Option<String>) {
    match not_ready(instance) {
        Some(_) => (State::Progressing, said),
        None => (State::Ready, None),
    }
}

/// The condition that says it is not ready. Author-defined ones other than `Ready` have a meaning
/// that only the author knows.
fn not_ready(instance: &Object) -> Option<Condition<'_>> {
    ["Ready", "InstanceSynced"]
        .iter()
        .find_map(|kind| instance.condition(kind))
        .filter(|condition| !condition.is_true())
}

fn describe(condition: Condition<'_>) -> String {
    let why = if condition.message.is_empty() { condition.reason } else { condition.message };
    format!("{} is {}: {why}", condition.kind, condition.status)
}

/// The message of the condition that explains the most.
fn message_of(instance: &Object) -> Option<&str> {
    let conditions = instance.conditions();
    ["InstanceManaged", "GraphResolved", "ResourcesReady", "InstanceSynced", "Ready"]
        .iter()
        .find_map(|kind| conditions.iter().find(|condition| condition.kind == *kind && !condition.is_true()))
        .map(|condition| condition.message)
        .filter(|message| !message.is_empty())
}

fn frozen(instance: &Object) -> Option<Frozen> {
    let generation = instance.generation()?;
    let conditions = instance.conditions();
    // Author-defined and older conditions may come without the field: nothing is known then.
    let observed = conditions.iter().filter_map(|condition| condition.observed_generation).max()?;
    (observed < generation).then_some(Frozen { generation, observed })
}

fn deletion(instance: &Object, message: Option<&str>) -> String {
    let mut reason = format!("since {}", instance.deletion().unwrap_or_default());
    let finalizers = instance.finalizers();
    if !finalizers.is_empty() {
        reason.push_str(&format!(", held by {}", finalizers.join(", ")));
    }
    match message {
        // While it is being deleted kro leaves older messages in place, and its own says nothing.
        Some(message) if message.starts_with("deletion blocked") => {
            reason.push_str(&format!(", {message}"));
        }
        _ => {}
    }
    reason
}

#[cfg(test)]
#[path = "instance/tests.rs"]
mod tests;
