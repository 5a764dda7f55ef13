//! The entries of `spec.resources` as such: ids, what goes with what, iterators.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::findings::{Findings, Place};
use super::problem::Rule;
use super::text::Text;
use super::words;

/// Entries that are looked at.
const MOST: usize = 500;
/// Iterators of one collection (kro's default).
const MOST_ITERATORS: usize = 10;

/// One entry.
#[derive(Debug)]
pub(super) struct Node<'r> {
    /// Its id; for one without, its place in the list.
    pub(super) id: String,
    /// Whether it can be referred to.
    pub(super) named: bool,
    /// The template, or the external reference.
    pub(super) object: &'r Map<String, Value>,
    /// Whether kro only reads it.
    pub(super) external: bool,
    /// Whether it is an external reference by selector.
    pub(super) selected: bool,
    /// Iterators: name and expression.
    pub(super) iterators: Vec<(&'r str, &'r str)>,
    /// Expressions of `includeWhen` and `readyWhen`.
    pub(super) include_when: Vec<&'r str>,
    pub(super) ready_when: Vec<&'r str>,
}

impl Node<'_> {
    /// Whether it stands for any number of objects.
    pub(super) fn is_collection(&self) -> bool {
        self.selected || !self.iterators.is_empty()
    }

    /// `template` or `externalRef`.
    pub(super) fn part(&self) -> &'static str {
        if self.external { "externalRef" } else { "template" }
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.object.get(key).and_then(Value::as_str)
    }
}

/// Checks and reads the entries; one without an object to look at is left out.
pub(super) fn nodes<'r>(resources: &'r [Value], findings: &mut Findings) -> Vec<Node<'r>> {
    if resources.len() > MOST {
        let message =
            format!("it has {} resources, of which the first {MOST} were looked at", resources.len());
        findings.doubt(Rule::Resource, Place::rgd("resources"), &message);
    }
    let ids: BTreeSet<&str> = resources.iter().filter_map(|resource| resource.get("id")?.as_str()).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (index, resource) in resources.iter().take(MOST).enumerate() {
        let given = resource.get("id").and_then(Value::as_str).unwrap_or_default();
        let id = if given.is_empty() { format!("resources[{index}]") } else { given.to_owned() };
        if let Some((rule, message)) = wrong_id(given) {
            findings.add(rule, Place::node(&id, "id"), &message);
        } else if !seen.insert(given) {
            findings.add(Rule::Id, Place::node(&id, "id"), "another resource has the same id");
            continue;
        }
        let object = |key: &str| resource.get(key).filter(|value| !value.is_null());
        let (object, external) = match (object("template"), object("externalRef")) {
            (Some(template), None) => (template, false),
            (None, Some(reference)) => (reference, true),
            (Some(template), Some(_)) => {
                findings.add(
                    Rule::Resource,
                    Place::node(&id, "externalRef"),
                    "it has a template too: exactly one of the two",
                );
                (template, false)
            }
            (None, None) => {
                findings.add(
                    Rule::Resource,
                    Place::node(&id, "template"),
                    "it has neither a template nor an externalRef",
                );
                continue;
            }
        };
        let Some(object) = object.as_object() else {
            findings.add(Rule::Template, Place::node(&id, "template"), "it must be a map");
            continue;
        };
        let iterators = iterators(resource, &id, &ids, findings);
        if external && !iterators.is_empty() {
            findings.add(
                Rule::ForEach,
                Place::node(&id, "forEach"),
                "an externalRef cannot have forEach: use a selector",
            );
        }
        let selected =
            external && object.get("metadata").is_some_and(|metadata| metadata.get("selector").is_some());
        found.push(Node {
            named: !given.is_empty() && !words::is_reserved(given),
            include_when: conditions(resource, "includeWhen", Rule::IncludeWhen, &id, findings),
            ready_when: conditions(resource, "readyWhen", Rule::ReadyWhen, &id, findings),
            id,
            object,
            external,
            selected,
            iterators,
        });
    }
    found
}

fn wrong_id(id: &str) -> Option<(Rule, String)> {
    if id.is_empty() {
        return Some((Rule::Id, "it has no id".to_owned()));
    }
    if words::is_reserved(id) {
        return Some((Rule::ReservedWord, format!("{id:?} is a reserved word: choose another id")));
    }
    (!words::is_lower_camel(id))
        .then(|| (Rule::Id, format!("{id:?} is no lowerCamelCase name of letters and digits")))
}

fn iterators<'r>(
    resource: &'r Value,
    id: &str,
    ids: &BTreeSet<&str>,
    findings: &mut Findings,
) -> Vec<(&'r str, &'r str)> {
    let entries = resource.get("forEach").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if entries.len() > MOST_ITERATORS {
        let message = format!("it has {} iterators; kro takes {MOST_ITERATORS}", entries.len());
        findings.add(Rule::ForEach, Place::node(id, "forEach"), &message);
    }
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (index, entry) in entries.iter().take(MOST_ITERATORS).enumerate() {
        let field = format!("forEach[{index}]");
        let members = entry.as_object().filter(|members| members.len() == 1);
        let Some((name, list)) = members.and_then(|members| members.iter().next()) else {
            findings.add(
                Rule::ForEach,
                Place::node(id, &field),
                "it must be a map with exactly one name and its list",
            );
            continue;
        };
        if words::is_reserved(name) {
            findings.add(
                Rule::ReservedWord,
                Place::node(id, &field),
                &format!("the iterator's name {name:?} is a reserved word"),
            );
        } else if !words::is_lower_camel(name) {
            findings.add(
                Rule::ForEach,
                Place::node(id, &field),
                &format!("the iterator's name {name:?} is no lowerCamelCase name"),
            );
        }
        if ids.contains(name.as_str()) {
            findings.add(
                Rule::ForEach,
                Place::node(id, &field),
                &format!("the iterator's name {name:?} is the id of a resource"),
            );
        }
        if found.iter().any(|(other, _)| other == name) {
            findings.add(
                Rule::ForEach,
                Place::node(id, &field),
                &format!("two iterators have the name {name:?}"),
            );
            continue;
        }
        match list.as_str().map(|text| (text, Text::of(text))) {
            Some((_, Text::One(source))) => found.push((name, source)),
            Some((text, _)) => {
                let message = format!("{text:?} must be one expression in ${{…}}, which makes a list");
                findings.add(Rule::ForEach, Place::node(id, &field), &message);
                found.push((name, ""));
            }
            None => {
                let message = "its list must be an expression in ${…}";
                findings.add(Rule::ForEach, Place::node(id, &field), message);
            }
        }
    }
    found
}

fn conditions<'r>(
    resource: &'r Value,
    key: &str,
    rule: Rule,
    id: &str,
    findings: &mut Findings,
) -> Vec<&'r str> {
    let entries = resource.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut found = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match entry.as_str().map(Text::of) {
            Some(Text::One(source)) => found.push(source),
            _ => {
                let field = format!("{key}[{index}]");
                let message = "it must be one expression in ${…} and nothing around it";
                findings.add(rule, Place::node(id, &field), message);
            }
        }
    }
    found
}
