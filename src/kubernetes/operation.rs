//! What the tools that change something have in common: whether to do it, and how it is told.

use super::observed::Observed;
use crate::{
    Error,
    answer::Change,
    toolbox::{Call, Step},
};

/// How often a change is tried where only what kro writes has changed meanwhile.
pub(crate) const ATTEMPTS: usize = 3;
/// What to do with what was observed.
pub(crate) enum Next {
    /// Answer with the plan: what begins the answer, and the change.
    Tell(String, Change),
    /// Do it.
    Do,
}

/// Whether the caller has agreed to what was observed.
pub(crate) fn next(call: &Call, plan: Option<&str>, observed: &Observed) -> Result<Next, Error> {
    Ok(match call.step(plan, &observed.text())? {
        Step::Do => Next::Do,
        Step::Offer(plan) => Next::Tell("plan: ".to_owned(), Change::Planned(plan)),
        Step::Changed { plan, agreed } => {
            let changed = observed.changed_since(&agreed).join(" and ");
            let changed = if changed.is_empty() { "what it depends on" } else { &changed };
            let told = format!("NOTHING WAS DONE: {changed} changed since that plan. As it is now: ");
            Next::Tell(told, Change::Refused(plan))
        }
    })
}

/// Lines of a section, under its head.
pub(crate) fn section<T: ToString>(head: &str, lines: &[T]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("  {}", line.to_string())).collect();
    format!("{head}\n{}\n", lines.join("\n"))
}

/// `1 field`, `2 fields`
pub(crate) fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}
