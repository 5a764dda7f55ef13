//! Going through an expression: what it refers to, what its type is, and what is wrong with it.
//!
//! Macros are read as they are written (`list.map(x, …)`), not as what the parser makes of them, so
//! that their variables and their types are known.

mod calls;
mod condition;
mod macros;
mod overloads;

pub(super) use condition::{BUILT_IN, Conditions};

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

use self::overloads::Called;
use super::problem::Rule;
use super::typed::{Miss, Type, agree, join};
use crate::kro::expression::{Syntax, Work, syntax};

/// The names that an expression may use.
pub(super) type Names<'s> = BTreeMap<String, Type<'s>>;

/// Something wrong in an expression.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) rule: Rule,
    pub(super) message: String,
    pub(super) certain: bool,
}

/// What an expression is.
#[derive(Debug)]
pub(super) struct Inferred<'s> {
    /// Its type.
    pub(super) kind: Type<'s>,
    /// The names among those given that it refers to.
    pub(super) names: BTreeSet<String>,
    /// What is wrong with it.
    pub(super) complaints: Vec<Complaint>,
    /// Its syntax, where it has one.
    pub(super) syntax: Option<IdedExpr>,
}

/// Goes through `source`.
pub(super) fn infer<'s>(source: &str, names: &Names<'s>, work: &Work) -> Inferred<'s> {
    let mut inference =
        Inference { names, locals: Vec::new(), used: BTreeSet::new(), complaints: Vec::new() };
    let (kind, tree) = match syntax(source, work) {
        Syntax::Tree(tree) => (inference.of(&tree), Some(tree)),
        Syntax::Invalid(why) => {
            inference.complain(Rule::Expression, format!("it is not CEL: {why}"));
            (Type::Unknown, None)
        }
        Syntax::Unread => (Type::Unknown, None),
    };
    let Inference { used, complaints, .. } = inference;
    Inferred { kind, names: used, complaints, syntax: tree }
}

/// What `one + other` is; `None` where there is no such sum.
pub(super) fn added<'s>(one: &Type<'s>, other: &Type<'s>) -> Option<Type<'s>> {
    match overloads::call("_+_", None, &[one.clone(), other.clone()]) {
        Called::Result(kind) => Some(kind),
        Called::Unfit => None,
        Called::Unknown => Some(Type::Unknown),
    }
}

struct Inference<'s, 'n> {
    names: &'n Names<'s>,
    /// Variables of macros, the innermost last.
    locals: Vec<(String, Type<'s>)>,
    used: BTreeSet<String>,
    complaints: Vec<Complaint>,
}

impl<'s> Inference<'s, '_> {
    fn complain(&mut self, rule: Rule, message: String) {
        self.complaints.push(Complaint { rule, message, certain: true });
    }

    fn doubt(&mut self, rule: Rule, message: String) {
        self.complaints.push(Complaint { rule, message, certain: false });
    }

    fn of(&mut self, part: &IdedExpr) -> Type<'s> {
        match &part.expr {
            Expr::Unspecified => Type::Unknown,
            Expr::Literal(literal) => of_literal(literal),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => {
                let operand = self.of(&select.operand);
                self.field(&operand, &select.field)
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                let items: Vec<Type<'s>> = list
                    .elements
                    .iter()
                    .enumerate()
                    .map(|(at, item)| {
                        let item = self.of(item);
                        if list.optional_indices.contains(&at) { of_optional(item) } else { item }
                    })
                    .collect();
                Type::list(together(&items))
            }
            Expr::Map(map) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        keys.push(self.of(&entry.key));
                        let value = self.of(&entry.value);
                        values.push(if entry.optional { of_optional(value) } else { value });
                    }
                }
                Type::Map(Box::new(together(&keys)), Box::new(together(&values)))
            }
            // no type is declared to be made so; a parser that expands macros makes the other
            Expr::Struct(_) | Expr::Comprehension(_) => Type::Unknown,
        }
    }

    fn name(&mut self, name: &str) -> Type<'s> {
        if let Some((_, kind)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return kind.clone();
        }
        if let Some(kind) = self.names.get(name) {
            self.used.insert(name.to_owned());
            return kind.clone();
        }
        let hint = nearest(name, self.names.keys().map(String::as_str));
        self.complain(Rule::UnknownReference, format!("there is no {name:?} to refer to here{hint}"));
        Type::Unknown
    }

    fn field(&mut self, operand: &Type<'s>, name: &str) -> Type<'s> {
        match operand.field(name) {
            Ok(kind) => kind,
            Err(Miss::NoField(known)) => {
                let hint = nearest(name, known.iter().map(String::as_str));
                self.complain(Rule::UnknownField, format!("there is no field {name:?}{hint}"));
                Type::Unknown
            }
            Err(Miss::NoFields) => {
                let hint = if matches!(operand, Type::List(_)) {
                    ": name one of its items, or go through them with map or exists"
                } else {
                    ""
                };
                self.complain(
                    Rule::UnknownField,
                    format!("there is no field {name:?} in a value of type {operand}{hint}"),
                );
                Type::Unknown
            }
        }
    }
}

fn of_literal<'s>(literal: &LiteralValue) -> Type<'s> {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => Type::Bytes,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::String,
        LiteralValue::UInt(_) => Type::Uint,
    }
}

fn of_optional(kind: Type<'_>) -> Type<'_> {
    match kind {
        Type::Optional(of) => *of,
        other => other,
    }
}

/// The type of what is written side by side: `dyn` where it differs.
fn together<'s>(kinds: &[Type<'s>]) -> Type<'s> {
    let Some((first, rest)) = kinds.split_first() else { return Type::Unknown };
    rest.iter().fold(
        first.clone(),
        |so_far, kind| {
            if agree(&so_far, kind) { join(&so_far, kind) } else { Type::Dyn }
        },
    )
}

/// `: did you mean …?`, or what there is where that is little.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let mut known: Vec<&str> = known.collect();
    let near = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
    known.sort_by(|one, other| near(other).total_cmp(&near(one)).then_with(|| one.cmp(other)));
    match known.as_slice() {
        [] => String::new(),
        [best, ..] if near(best) > 0.85 => format!(": did you mean {best:?}?"),
        few if few.len() <= 12 => format!(": there are {}", few.join(", ")),
        _ => String::new(),
    }
}
