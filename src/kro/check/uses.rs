//! The expressions of a node: what each may refer to, and what type it must have.

use std::collections::BTreeSet;

use super::cycle::Edges;
use super::findings::{Findings, Place, quoted};
use super::infer::{Inferred, Names, added, infer};
use super::nodes::Node;
use super::problem::Rule;
use super::template::Slot;
use super::typed::{Type, fits};
use crate::kro::expression::{Segment, Work};

/// One node, while its expressions are checked.
pub(super) struct Uses<'a, 's> {
    pub(super) node: &'a Node<'a>,
    /// `schema` and all nodes.
    pub(super) names: &'a Names<'s>,
    pub(super) work: &'a Work,
    pub(super) findings: &'a mut Findings,
    pub(super) edges: &'a mut Edges,
}

impl<'s> Uses<'_, 's> {
    /// Checks all of them. `one` is the type of the node's object, or of each of its objects.
    pub(super) fn check(&mut self, one: Type<'s>, namespaced: bool, slots: Vec<Slot<'_, 's>>) {
        let mut inside = self.names.clone();
        inside.extend(self.iterators());
        let mut identity = BTreeSet::new();
        for slot in slots {
            let used = self.slot(&slot, &inside);
            let names_it = slot.path == "metadata.name" || (namespaced && slot.path == "metadata.namespace");
            if names_it {
                identity.extend(used.iter().cloned());
            }
            self.depends(&used);
        }
        let unused = self.node.iterators.iter().filter(|(name, _)| !identity.contains(*name));
        for (name, _) in unused.filter(|_| !self.node.external) {
            let message = format!(
                "the iterator {name:?} is not used in metadata.name{}, so its objects would be one and the same",
                if namespaced { " or metadata.namespace" } else { "" }
            );
            self.findings.add(Rule::ForEach, place(self.node, "forEach"), &message);
        }
        for (index, source) in self.node.include_when.iter().enumerate() {
            let field = format!("includeWhen[{index}]");
            let used = self.condition(source, &field, Rule::IncludeWhen, self.names);
            self.depends(&used);
        }
        self.ready_when(one);
    }

    fn iterators(&mut self) -> Names<'s> {
        let mut found = Names::new();
        for (index, (name, source)) in self.node.iterators.iter().enumerate() {
            let field = format!("forEach[{index}]");
            let mut of = Type::Unknown;
            if !source.is_empty() {
                let inferred = self.infer(source, &field, self.names);
                of = match inferred.kind {
                    Type::List(of) => *of,
                    Type::Unknown => Type::Unknown,
                    kind => {
                        let hint = match kind {
                            Type::Dyn => ": it is known only at run time; make it one with .map(x, x)",
                            Type::Optional(_) => ": end the optional with .orValue([])",
                            _ => "",
                        };
                        let message = format!("{} is {kind}, and must be a list{hint}", quoted(source));
                        self.findings.add(Rule::ForEach, place(self.node, &field), &message);
                        Type::Unknown
                    }
                };
                self.depends(&inferred.names);
            }
            found.insert((*name).to_owned(), of);
        }
        found
    }

    /// Answers with the names that it uses.
    fn slot(&mut self, slot: &Slot<'_, 's>, names: &Names<'s>) -> BTreeSet<String> {
        let field = format!("{}.{}", self.node.part(), slot.path);
        let mut used = BTreeSet::new();
        let mut so_far: Option<Type<'s>> = None;
        let mut shown = String::new();
        for part in &slot.parts {
            let kind = match part {
                Segment::Text(_) => Type::String,
                Segment::Expression(source) => {
                    let inferred = self.infer(source, &field, names);
                    used.extend(inferred.names);
                    shown = quoted(source);
                    inferred.kind
                }
            };
            so_far = Some(match so_far {
                None => kind,
                Some(before) => added(&before, &kind).unwrap_or_else(|| {
                    let wrong = if matches!(kind, Type::String) { &before } else { &kind };
                    let message = format!(
                        "text is put together of strings, and {shown} is {wrong}: make it one with string(…){}",
                        if matches!(wrong, Type::Optional(_)) { " and .orValue(…)" } else { "" }
                    );
                    self.findings.add(Rule::Type, place(self.node, &field), &message);
                    Type::Unknown
                }),
            });
        }
        let kind = so_far.unwrap_or(Type::Unknown);
        if !fits(&kind, &slot.wanted) {
            let message =
                format!("{shown} is {kind}, and the field is {}{}", slot.wanted, advice(&kind, &slot.wanted));
            self.findings.add(Rule::Type, place(self.node, &field), &message);
        }
        used
    }

    fn ready_when(&mut self, one: Type<'s>) {
        let collection = !self.node.iterators.is_empty();
        let itself = if collection { "each".to_owned() } else { self.node.id.clone() };
        let kind = if self.node.selected { Type::list(one) } else { one };
        let names = Names::from([(itself, kind)]);
        for (index, source) in self.node.ready_when.iter().enumerate() {
            self.condition(source, &format!("readyWhen[{index}]"), Rule::ReadyWhen, &names);
        }
    }

    fn condition(&mut self, source: &str, field: &str, rule: Rule, names: &Names<'s>) -> BTreeSet<String> {
        let inferred = self.infer(source, field, names);
        let value = match &inferred.kind {
            Type::Optional(of) => of.as_ref(),
            kind => kind,
        };
        if !matches!(value, Type::Bool | Type::Unknown) {
            let hint = if matches!(value, Type::Dyn) {
                ", known only at run time: compare it with true"
            } else {
                ""
            };
            let message = format!("{} is {}{hint}, and must be bool", quoted(source), inferred.kind);
            self.findings.add(rule, place(self.node, field), &message);
        }
        inferred.names
    }

    fn infer(&mut self, source: &str, field: &str, names: &Names<'s>) -> Inferred<'s> {
        let mut inferred = infer(source, names, self.work);
        let complaints = std::mem::take(&mut inferred.complaints);
        self.findings.complaints(place(self.node, field), source, complaints);
        inferred
    }

    fn depends(&mut self, used: &BTreeSet<String>) {
        let iterator = |name: &str| self.node.iterators.iter().any(|(iterator, _)| *iterator == name);
        let nodes = used.iter().filter(|name| self.names.contains_key(*name));
        let nodes = nodes.filter(|name| *name != "schema" && !iterator(name));
        self.edges.add(&self.node.id, nodes);
    }
}

fn place<'p>(node: &'p Node<'_>, field: &'p str) -> Place<'p> {
    Place::node(&node.id, field)
}

fn advice(kind: &Type<'_>, wanted: &Type<'_>) -> &'static str {
    match (kind, wanted) {
        (Type::Int | Type::Uint | Type::Double | Type::Bool | Type::Timestamp, Type::String) => {
            ": make it one with string(…)"
        }
        (Type::String, Type::Int) => ": make it one with int(…)",
        (Type::String, Type::Bytes) => ": make it one with bytes(…), or use stringData",
        _ => "",
    }
}
