//! `runtime.newCondition({type: …})` and `runtime.condition(object, type)` (kro v0.9.4
//! `pkg/cel/library/runtime.go`, `pkg/graph/conditions.go`).

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

use super::Inference;
use crate::kro::check::problem::Rule;
use crate::kro::check::typed::Type;

/// The keys of a new condition.
const KEYS: [&str; 4] = ["type", "status", "reason", "message"];
/// The conditions that kro itself sets on an instance.
pub(in crate::kro::check) const BUILT_IN: [&str; 4] =
    ["InstanceManaged", "GraphResolved", "ResourcesReady", "Ready"];

impl<'s> Inference<'s, '_> {
    pub(super) fn condition(
        &mut self,
        target: &IdedExpr,
        name: &str,
        arguments: &[IdedExpr],
    ) -> Option<Type<'s>> {
        if !is_runtime(target) || !self.names.contains_key("runtime") {
            return None;
        }
        match (name, arguments) {
            ("newCondition", [IdedExpr { expr: Expr::Map(map), .. }]) => {
                let mut seen = BTreeSet::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    match &entry.key.expr {
                        Expr::Ident(key) if !KEYS.contains(&key.as_str()) => {
                            let known = KEYS.join(", ");
                            self.complain(
                                Rule::Status,
                                format!("a condition has no {key:?}: there are {known}"),
                            );
                        }
                        Expr::Ident(key) if !seen.insert(key.clone()) => {
                            self.complain(Rule::Status, format!("a condition has {key:?} twice"));
                        }
                        Expr::Ident(key) => self.condition_value(key, &entry.value),
                        _ => self.complain(
                            Rule::Status,
                            "keys of runtime.newCondition are plain names: {type: …, status: …}".to_owned(),
                        ),
                    }
                    self.of(&entry.value);
                }
                for needed in ["type", "status"] {
                    if !seen.contains(needed) {
                        self.complain(Rule::Status, format!("a new condition needs {needed:?}"));
                    }
                }
            }
            ("newCondition", _) => {
                let wanted = "runtime.newCondition takes one map: {type: …, status: …}";
                self.complain(Rule::Status, wanted.to_owned());
            }
            ("condition", [of, kind]) => {
                self.of(of);
                self.of(kind);
            }
            _ => return None,
        }
        Some(Type::Named("Condition"))
    }

    fn condition_value(&mut self, key: &str, value: &IdedExpr) {
        let Some(text) = text(value) else { return };
        if key == "status" && !["True", "False", "Unknown"].contains(&text) {
            let message = format!("the status of a condition is True, False or Unknown, not {text:?}");
            self.complain(Rule::Status, message);
        }
        if key == "type" && text.is_empty() {
            self.complain(Rule::Status, "the type of a condition is empty".to_owned());
        }
    }
}

/// What conditions an expression makes and which of the instance's it asks for, where that is written out.
#[derive(Debug, Default)]
pub(in crate::kro::check) struct Conditions {
    pub(in crate::kro::check) made: BTreeSet<String>,
    pub(in crate::kro::check) asked: BTreeSet<String>,
}

impl Conditions {
    pub(in crate::kro::check) fn of(syntax: &IdedExpr) -> Self {
        let mut found = Self::default();
        let mut open = vec![syntax];
        while let Some(part) = open.pop() {
            match &part.expr {
                Expr::Select(select) => open.push(&select.operand),
                Expr::Call(call) => {
                    found.call(call.target.as_deref(), &call.func_name, &call.args);
                    open.extend(call.target.as_deref());
                    open.extend(&call.args);
                }
                Expr::List(list) => open.extend(&list.elements),
                Expr::Map(map) => open.extend(map.entries.iter().filter_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => Some(&entry.value),
                    EntryExpr::StructField(_) => None,
                })),
                _ => {}
            }
        }
        found
    }

    fn call(&mut self, target: Option<&IdedExpr>, name: &str, arguments: &[IdedExpr]) {
        if !target.is_some_and(is_runtime) {
            return;
        }
        match (name, arguments) {
            ("newCondition", [IdedExpr { expr: Expr::Map(map), .. }]) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr
                        && matches!(&entry.key.expr, Expr::Ident(key) if key == "type")
                    {
                        self.made.extend(text(&entry.value).map(str::to_owned));
                    }
                }
            }
            ("condition", [IdedExpr { expr: Expr::Ident(of), .. }, kind]) if of == "schema" => {
                self.asked.extend(text(kind).map(str::to_owned));
            }
            _ => {}
        }
    }
}

fn is_runtime(target: &IdedExpr) -> bool {
    matches!(&target.expr, Expr::Ident(name) if name == "runtime")
}

fn text(part: &IdedExpr) -> Option<&str> {
    match &part.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
