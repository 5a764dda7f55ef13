//! `readyWhen` and `includeWhen`: evaluated, with the values they saw.

use super::evidence::{kind, told};
use super::level::Level;
use crate::kro::definition::Node;
use crate::kro::expression::{Path, Scope, Unresolved, Variable, expressions, survey};
use crate::kro::state::State;
use crate::kubernetes::Object;
use serde_json::Value;

/// What a list of conditions comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All are true.
    Holds,
    /// One is false: it, and the values it saw.
    False(String),
    /// One has no value yet: it, and what is not there.
    Pending(String),
    /// One cannot be judged here: it, and why.
    Unknown(String),
}

/// A node's `readyWhen` on one of its objects.
pub(super) fn ready(level: &Level<'_>, node: &Node, object: &Object) -> Verdict {
    let name = if node.is_collection() { "each" } else { node.id.as_str() };
    let mut scope = Scope::within(level.scope.work());
    scope.set(name, Variable::One(object));
    all("readyWhen", &node.ready_when, &scope)
}

fn all(word: &str, conditions: &[String], scope: &Scope<'_>) -> Verdict {
    let mut verdict = Verdict::Holds;
    for condition in conditions {
        let shown = source(condition);
        match scope.render(condition) {
            Ok(Value::Bool(true)) => {}
            // kro takes null for false
            Ok(Value::Bool(false) | Value::Null) => {
                return Verdict::False(format!("{word} {shown} is false{}", values(condition, scope)));
            }
            Ok(other) => {
                verdict = Verdict::Unknown(format!("{word} {shown} is {}, not a boolean", kind(&other)));
            }
            Err(Unresolved::Pending(what)) => {
                return Verdict::Pending(format!("{word} {shown}: {what} is not there yet"));
            }
            Err(why) => verdict = Verdict::Unknown(format!("{word} {shown} {why}")),
        }
    }
    verdict
}

/// Whether a node is to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Inclusion {
    /// It is.
    In,
    /// It is not: why, and the node that it is left out with.
    Out(String, Option<String>),
    /// It waits for something before that can be told.
    Waits(String),
    /// It cannot be told here: why.
    Unknown(String),
}

/// Exclusion is contagious: what depends on a node left out is left out.
pub(super) fn inclusion(level: &Level<'_>, node: &Node) -> Inclusion {
    let left_out =
        |id: &&String| level.judged.get(id.as_str()).is_some_and(|judged| judged.state == State::Skipped);
    if let Some(dependency) = node.dependencies.iter().find(left_out) {
        let why = format!("it depends on {dependency}, which is left out");
        return Inclusion::Out(why, Some(dependency.clone()));
    }
    match all("includeWhen", &node.include_when, &level.scope) {
        Verdict::Holds => Inclusion::In,
        Verdict::False(why) => Inclusion::Out(why, None),
        Verdict::Pending(why) => Inclusion::Waits(why),
        Verdict::Unknown(why) => match waits(level, node) {
            Some(id) => Inclusion::Waits(format!("includeWhen waits for {id}")),
            None => Inclusion::Unknown(why),
        },
    }
}

/// A node named in `includeWhen` that has not been observed.
fn waits<'n>(level: &Level<'_>, node: &'n Node) -> Option<&'n str> {
    let named = |id: &&String| {
        let text = |condition: &String| condition.contains(id.as_str());
        node.include_when.iter().any(text) && !level.scope.has(id)
    };
    node.dependencies.iter().find(named).map(String::as_str)
}

fn source(condition: &str) -> String {
    let joined = expressions(condition).collect::<Vec<_>>().join(" ");
    let text = if joined.is_empty() { condition } else { joined.trim() };
    shorten(text, 160)
}

const MOST_VALUES: usize = 4;

/// ` (status.phase: Pending, spec.replicas: 3)`
fn values(condition: &str, scope: &Scope<'_>) -> String {
    let mut seen = Vec::new();
    for survey in expressions(condition).filter_map(|source| survey(source, scope.work()).ok()) {
        for path in survey.paths.iter().chain(&survey.tested) {
            let shown = value(path, scope);
            seen.extend(shown.filter(|shown| !seen.contains(shown)));
        }
    }
    if seen.is_empty() {
        return String::new();
    }
    seen.truncate(MOST_VALUES);
    format!(" ({})", seen.join(", "))
}

/// Values of Secrets are not shown.
fn value(path: &Path, scope: &Scope<'_>) -> Option<String> {
    if path.members().is_empty() || !scope.has(path.root()) || scope.is_secret(path.root()) {
        return None;
    }
    let name = path.members().join(".");
    match scope.at(path) {
        None => Some(format!("{name}: absent")),
        Some(Value::Object(_)) => None,
        Some(value) => Some(format!("{name}: {}", told(path.members(), value))),
    }
}

pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}
