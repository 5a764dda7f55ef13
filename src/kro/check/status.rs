//! The status block: every field an expression over nodes or `schema`, and author-defined conditions (kro
//! v0.9.4 `pkg/graph/builder.go`, `inferStatusSchema`, `pkg/graph/conditions.go`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::findings::{Findings, Place};
use super::infer::{BUILT_IN, Conditions, Names, added, infer};
use super::problem::Rule;
use super::template::member;
use super::text::Text;
use super::typed::Type;
use crate::kro::expression::{Segment, Work};

/// How deep the block is followed.
const DEEPEST: usize = 32;

/// Checks the block.
pub(super) fn check(block: Option<&Value>, names: &Names<'_>, work: &Work, findings: &mut Findings) {
    let Some(block) = block.filter(|block| !block.is_null()) else { return };
    let Some(fields) = block.as_object() else {
        findings.add(Rule::Status, Place::rgd("schema.status"), "it must be a map");
        return;
    };
    let mut status = Status { names, work, findings };
    for (name, value) in fields.iter().filter(|(name, _)| *name != "conditions") {
        status.value(value, &member("schema.status", name), 0);
    }
    if let Some(conditions) = fields.get("conditions") {
        status.conditions(conditions);
    }
}

struct Status<'a, 's> {
    names: &'a Names<'s>,
    work: &'a Work,
    findings: &'a mut Findings,
}

impl Status<'_, '_> {
    fn value(&mut self, value: &Value, path: &str, depth: usize) {
        let at = Place::rgd(path);
        match value {
            _ if depth > DEEPEST => {}
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.value(value, &member(path, name), depth + 1);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{path}[{index}]"), depth + 1);
                }
            }
            Value::String(text) => match Text::of(text) {
                Text::One(source) => self.field(&[Segment::Expression(source)], path),
                Text::Mixed(parts) => self.field(&parts, path),
                Text::Nested => {
                    self.findings.add(Rule::Expression, at, "an expression stands within another");
                }
                Text::Plain => {
                    self.findings.add(Rule::Status, at, "it has no expression in ${…}: kro takes no other");
                }
            },
            _ => self.findings.add(Rule::Status, at, "it must be an expression in ${…}"),
        }
    }

    fn field(&mut self, parts: &[Segment<'_>], path: &str) {
        let at = Place::rgd(path);
        let mut used = BTreeSet::new();
        let mut so_far: Option<Type<'_>> = None;
        let mut read = true;
        for part in parts {
            let kind = match part {
                Segment::Text(_) => Type::String,
                Segment::Expression(source) => {
                    let inferred = infer(source, self.names, self.work);
                    // an unknown name was complained about
                    read &= inferred.syntax.is_some() && inferred.complaints.is_empty();
                    self.findings.complaints(at, source, inferred.complaints);
                    used.extend(inferred.names);
                    inferred.kind
                }
            };
            so_far = Some(match so_far {
                None => kind,
                Some(before) => added(&before, &kind).unwrap_or_else(|| {
                    let wrong = if matches!(kind, Type::String) { before } else { kind };
                    let message = format!("text is put together of strings, not of {wrong}: use string(…)");
                    self.findings.add(Rule::Type, at, &message);
                    Type::Unknown
                }),
            });
        }
        if read && used.is_empty() {
            self.findings.add(Rule::Status, at, "it must refer to a resource or to schema");
        }
    }

    fn conditions(&mut self, conditions: &Value) {
        let path = "schema.status.conditions";
        let Some(entries) = conditions.as_array() else {
            self.findings.add(Rule::Status, Place::rgd(path), "it must be a list of expressions");
            return;
        };
        let mut names = self.names.clone();
        names.insert("runtime".to_owned(), Type::Named("Runtime"));
        let mut read = Vec::new();
        let mut made = BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let at = Place::rgd(&path);
            let Some(Text::One(source)) = entry.as_str().map(Text::of) else {
                self.findings.add(
                    Rule::Status,
                    at,
                    "it must be one expression in ${…} and nothing around it",
                );
                continue;
            };
            let inferred = infer(source, &names, self.work);
            self.findings.complaints(at, source, inferred.complaints);
            let value = match &inferred.kind {
                Type::List(of) => of.as_ref(),
                kind => kind,
            };
            if !(value.is_open() || matches!(value, Type::Named("Condition"))) {
                let message =
                    format!("it is {}, and must be runtime.newCondition(…) or a list of them", inferred.kind);
                self.findings.add(Rule::Status, at, &message);
            }
            let Some(found) = inferred.syntax.as_ref().map(Conditions::of) else { continue };
            for kind in &found.made {
                if !made.insert(kind.clone()) {
                    let message = format!("the condition {kind:?} is made by another entry too");
                    self.findings.add(Rule::Status, at, &message);
                }
            }
            read.push((path, found.asked));
        }
        for (path, asked) in read {
            for kind in asked.iter().filter(|kind| !BUILT_IN.contains(&kind.as_str())) {
                let own = if made.contains(kind) { " own" } else { "" };
                let message = format!(
                    "of schema only kro's conditions can be asked for ({}), not this RGD's{own} {kind:?}",
                    BUILT_IN.join(", ")
                );
                self.findings.add(Rule::Status, Place::rgd(&path), &message);
            }
        }
    }
}
