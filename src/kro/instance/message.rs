//! The `ResourcesReady` message taken apart.
//!
//! Per-node states live only in the controller's memory; outside there is this text, several errors
//! joined by newlines (kro v0.9.4 `pkg/controller/instance/{controller,resources}.go`,
//! `pkg/runtime/node_readiness.go`).

use crate::answer::sanitise;

/// One thing that kro complains of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The node it is about, where kro says so.
    pub node: Option<String>,
    /// What it is.
    pub trouble: Trouble,
    /// kro's words on one line, without the wrapping.
    pub text: String,
    /// Of a refused change what it would change: the lines of the diff, removed ones with `-`.
    pub diff: Vec<String>,
}

/// The kinds of complaints there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A `readyWhen` is false: the expression.
    ReadyWhenFalse(String),
    /// A `readyWhen` could not be evaluated, a field is absent: the expression.
    ReadyWhenPending(String),
    /// An external reference is not there.
    ExternalMissing,
    /// The node waits for another: its id, where kro says so.
    DataPending(Option<String>),
    /// The object belongs to another ApplySet.
    Conflict,
    /// The API server refused kro: the resource, as `plural` or `plural.group`, and the object.
    Forbidden {
        /// `deployments.apps`
        resource: String,
        /// The object's name.
        name: String,
    },
    /// The object is being deleted, kro waits for that.
    Deleting,
    /// kro changed something in this pass and looks again.
    Mutated,
    /// An error of another kind.
    Other,
}

impl Complaint {
    /// Whether waiting does not help.
    pub fn is_error(&self) -> bool {
        matches!(self.trouble, Trouble::Conflict | Trouble::Forbidden { .. } | Trouble::Other)
    }
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let node = self.node.as_deref().unwrap_or("a node");
        match &self.trouble {
            Trouble::ReadyWhenFalse(expression) => {
                write!(out, "{node} is not ready: {expression} is false")
            }
            Trouble::ReadyWhenPending(expression) => {
                write!(out, "{node} is not ready: {expression} has no value yet")
            }
            Trouble::ExternalMissing => write!(out, "the external reference {node} does not exist"),
            Trouble::DataPending(Some(other)) => write!(out, "{node} waits for {other}"),
            Trouble::Mutated => out.write_str(
                "kro changed something in its last pass (cluster mutated); if this stays, another \
                 controller writes a field that a template sets",
            ),
            Trouble::Conflict => match conflicting(&self.text) {
                Some((kind, object)) => write!(out, "{kind} {object} belongs to a different ApplySet"),
                None => out.write_str("the object belongs to a different ApplySet"),
            },
            _ => out.write_str(&self.text),
        }
    }
}

/// Kind and place of the object in `…ApplySet: shop/conf (/v1, Kind=ConfigMap) belongs to ApplySet "applyset-…`;
/// the ids of ApplySets are hashes, which tell nobody anything.
fn conflicting(text: &str) -> Option<(&str, &str)> {
    let (object, rest) = text.split_once("different ApplySet: ")?.1.split_once(" (")?;
    let (_, kind) = rest.split_once(')')?.0.split_once("Kind=")?;
    Some((kind, object.trim_start_matches('/')))
}

/// What kro wraps around the sentence that matters; each can come several times.
const WRAPPING: [&str; 6] = [
    "awaiting resource readiness: ",
    "resource reconciliation failed: ",
    "resource error: ",
    "apply results contain errors: ",
    "waiting for unresolved resource: ",
    "apply failed: ",
];

/// How a complaint begins, besides kro's wrapping and the API server's `Kind.group "name" is …`.
const BEGINNINGS: [&str; 21] = [
    "gvr \"",
    "node \"",
    "waiting for ",
    "dependent node \"",
    "includeWhen dependency \"",
    "collection ",
    "cluster mutated",
    "resource belongs to ",
    "resource \"",
    "resourceID: ",
    "failed to ",
    "failed calling ",
    "unable to ",
    "admission webhook \"",
    "Internal error occurred",
    "Operation cannot be fulfilled",
    "no matches for kind",
    "the server ",
    "context deadline exceeded",
    "Patch \"",
    "Get \"",
];

/// More are not told: a collection of a thousand can fail a thousand times.
const MOST: usize = 50;
/// Lines that are looked at: a diff of a large object has hundreds.
const MOST_LINES: usize = 2_000;
/// Characters of a complaint that has several lines.
const LONGEST: usize = 1_000;
/// Lines of a diff that are kept, and their characters.
const MOST_DIFF: usize = 6;
const LONGEST_DIFF: usize = 160;

/// Takes a message apart.
pub fn complaints(message: &str) -> Vec<Complaint> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in message.lines().take(MOST_LINES) {
        let another = blocks.is_empty() || begins(line);
        if another && blocks.len() >= MOST {
            break;
        }
        match blocks.last_mut().filter(|_| !another) {
            Some(block) => block.push(line),
            None => blocks.push(vec![line]),
        }
    }
    let mut found: Vec<Complaint> = Vec::new();
    for block in blocks {
        let text = joined(&block);
        let text = unwrap(text.trim());
        if text.is_empty() || text == "<nil>" || text == "%!v(<nil>)" {
            continue;
        }
        let complaint = Complaint { diff: diff(&block), ..complaint(text) };
        if !found.contains(&complaint) {
            found.push(complaint);
        }
    }
    found
}

/// Whether a line is the first of an error. An error of the API server can have many: the diff of an immutable
/// spec, the fields that a typed patch does not know, the rules of a policy.
fn begins(line: &str) -> bool {
    let known = |beginnings: &[&str]| beginnings.iter().any(|beginning| line.starts_with(beginning));
    known(&WRAPPING) || known(&BEGINNINGS) || names_object(line)
}

/// `Deployment.apps "web" is invalid: …`
fn names_object(line: &str) -> bool {
    let Some((kind, rest)) = line.split_once(" \"") else { return false };
    let is_kind = kind.starts_with(|c: char| c.is_ascii_alphabetic())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-/".contains(&byte));
    let said = rest.split_once("\" ").map(|(_, said)| said).unwrap_or_default();
    is_kind && ["is ", "not found", "already exists"].iter().any(|words| said.starts_with(words))
}

/// The head of an error, with the lines below it unless they are a diff.
fn joined(block: &[&str]) -> String {
    let (head, below) = block.split_first().map_or(("", &[][..]), |(head, below)| (*head, below));
    let mut text = head.trim().to_owned();
    if changed(block).next().is_none() {
        for line in below.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
            if text.len() >= LONGEST {
                break;
            }
            text.push(' ');
            text.push_str(&sanitise::cut(line, LONGEST));
        }
    }
    text
}

/// The lines of a Go diff that were taken away or added.
fn changed<'l>(block: &'l [&str]) -> impl Iterator<Item = &'l str> {
    let is_mark = |line: &&str| {
        let rest = line.strip_prefix(['-', '+']);
        rest.is_some_and(|rest| rest.starts_with(char::is_whitespace))
    };
    block.iter().skip(1).copied().map(str::trim_end).filter(is_mark)
}

fn diff(block: &[&str]) -> Vec<String> {
    let kept = changed(block).take(MOST_DIFF).map(|line| sanitise::short(line, LONGEST_DIFF));
    kept.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn unwrap(line: &str) -> &str {
    let mut text = line;
    while let Some(rest) = WRAPPING.iter().find_map(|wrapping| text.strip_prefix(wrapping)) {
        text = rest;
    }
    // gvr "apps/v1, Resource=deployments": node "b": …
    match text.strip_prefix("gvr \"").and_then(|rest| rest.split_once("\": ")) {
        Some((_, rest)) => rest,
        None => text,
    }
}

fn complaint(text: &str) -> Complaint {
    let (node, trouble) = classify(text);
    Complaint { node: node.map(str::to_owned), trouble, text: text.to_owned(), diff: Vec::new() }
}

fn classify(text: &str) -> (Option<&str>, Trouble) {
    let external = quoted(text, "waiting for external reference ")
        .or_else(|| quoted(text, "waiting for external collection "));
    let node = external
        .or_else(|| quoted(text, "for node "))
        .or_else(|| quoted(text, "node "))
        .or_else(|| text.strip_prefix("collection item ").and(None));
    let waits_for = quoted(text, "dependent node ").or_else(|| quoted(text, "includeWhen dependency "));
    let trouble = if text.contains("data pending") || waits_for.is_some() {
        Trouble::DataPending(waits_for.map(str::to_owned))
    } else if let Some(expression) = quoted(text, "readyWhen condition evaluated to false: ") {
        Trouble::ReadyWhenFalse(unescape(expression))
    } else if let Some(expression) = quoted(text, "failed to evaluate readyWhen expression: ")
        .or_else(|| quoted(text, "failed to evaluate readyWhen "))
        .filter(|_| text.contains("waiting for readiness"))
    {
        Trouble::ReadyWhenPending(unescape(expression))
    } else if external.is_some() && text.ends_with(": not found") {
        Trouble::ExternalMissing
    } else if text.contains("belongs to a different ApplySet") {
        Trouble::Conflict
    } else if text.contains("is currently being deleted") {
        Trouble::Deleting
    } else if text == "cluster mutated" {
        Trouble::Mutated
    } else if let Some((resource, name)) = forbidden(text) {
        Trouble::Forbidden { resource: resource.to_owned(), name: name.to_owned() }
    } else if text.contains("waiting for readiness") {
        Trouble::DataPending(None)
    } else {
        Trouble::Other
    };
    (node, trouble)
}

/// The text between quotes right after `before`; Go quotes with `%q`, so `\"` does not end it.
fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.match_indices(before).find_map(|(at, _)| {
        let rest = text.get(at + before.len()..)?.strip_prefix('"')?;
        let mut escaped = false;
        let end = rest.char_indices().find_map(|(at, c)| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends.then_some(at)
        })?;
        rest.get(..end)
    })
}

fn unescape(text: &str) -> String {
    text.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// `deployments.apps "web" is forbidden: …`
fn forbidden(text: &str) -> Option<(&str, &str)> {
    let (before, _) = text.split_once("\" is forbidden")?;
    let (before, name) = before.rsplit_once('"')?;
    let resource = before.trim_end().rsplit([' ', ':']).next()?;
    Some((resource, name))
}

#[cfg(test)]
mod tests;
