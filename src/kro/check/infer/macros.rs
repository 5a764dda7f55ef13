//! Macros: calls that bind names (kro v0.9.4 `pkg/cel/environment.go`: the standard ones, those over two
//! variables, `sortBy`, `cel.bind`, `optMap` and `optFlatMap`).

use cel::common::ast::{Expr, IdedExpr};

use super::Inference;
use crate::kro::check::problem::Rule;
use crate::kro::check::typed::Type;

impl<'s> Inference<'s, '_> {
    /// A call on `receiver`, if it is a macro's.
    pub(super) fn macro_call(
        &mut self,
        receiver: &Type<'s>,
        name: &str,
        arguments: &[IdedExpr],
    ) -> Option<Type<'s>> {
        Some(match (name, arguments) {
            ("all" | "exists" | "exists_one", [one, test]) => {
                let each = self.range(receiver).0;
                self.with(&[(one, each)], |it| it.test(test));
                Type::Bool
            }
            ("all" | "exists" | "exists_one" | "existsOne", [one, two, test]) => {
                let (_, (first, second)) = self.range(receiver);
                self.with(&[(one, first), (two, second)], |it| it.test(test));
                Type::Bool
            }
            ("map", [one, body]) => {
                let each = self.range(receiver).0;
                Type::list(self.with(&[(one, each)], |it| it.of(body)))
            }
            ("map", [one, test, body]) => {
                let each = self.range(receiver).0;
                Type::list(self.with(&[(one, each)], |it| {
                    it.test(test);
                    it.of(body)
                }))
            }
            ("filter", [one, test]) => {
                let each = self.range(receiver).0;
                self.with(&[(one, each.clone())], |it| it.test(test));
                Type::list(each)
            }
            ("sortBy", [one, key]) => {
                let each = self.range(receiver).0;
                self.with(&[(one, each.clone())], |it| it.of(key));
                Type::list(each)
            }
            ("transformList" | "transformMap" | "transformMapEntry", [one, two, rest @ .., body])
                if rest.len() < 2 =>
            {
                let (_, (first, second)) = self.range(receiver);
                let made = self.with(&[(one, first.clone()), (two, second)], |it| {
                    rest.iter().for_each(|test| it.test(test));
                    it.of(body)
                });
                match name {
                    "transformList" => Type::list(made),
                    "transformMap" => Type::Map(Box::new(first), Box::new(made)),
                    _ => Type::Unknown,
                }
            }
            ("optMap" | "optFlatMap", [one, body]) => {
                let held = match receiver {
                    Type::Optional(of) => of.as_ref().clone(),
                    _ => Type::Unknown,
                };
                let made = self.with(&[(one, held)], |it| it.of(body));
                if name == "optMap" { made.optional() } else { made }
            }
            _ => return None,
        })
    }

    pub(super) fn has(&mut self, arguments: &[IdedExpr]) -> Type<'s> {
        match arguments {
            [IdedExpr { expr: Expr::Select(select), .. }] => {
                let operand = self.of(&select.operand);
                self.field(&operand, &select.field);
            }
            _ => self.complain(Rule::Expression, "has() takes one field: has(a.b)".to_owned()),
        }
        Type::Bool
    }

    pub(super) fn bind(&mut self, arguments: &[IdedExpr]) -> Type<'s> {
        let [name, value, body] = arguments else { return Type::Unknown };
        let value = self.of(value);
        self.with(&[(name, value)], |it| it.of(body))
    }

    fn range(&mut self, over: &Type<'s>) -> (Type<'s>, (Type<'s>, Type<'s>)) {
        over.range().unwrap_or_else(|| {
            let hint =
                if matches!(over, Type::Optional(_)) { ": end it with .orValue([]) first" } else { "" };
            self.complain(Rule::Type, format!("{over} is no list or map to go through{hint}"));
            (Type::Unknown, (Type::Unknown, Type::Unknown))
        })
    }

    /// Something that must be true or false.
    fn test(&mut self, test: &IdedExpr) {
        let kind = self.of(test);
        if !(kind.is_open() || matches!(kind, Type::Bool)) {
            self.complain(Rule::Type, format!("a test of a macro is {kind}, and must be bool"));
        }
    }

    fn with<T>(&mut self, variables: &[(&IdedExpr, Type<'s>)], inside: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.locals.len();
        for (variable, kind) in variables {
            match &variable.expr {
                Expr::Ident(name) => self.locals.push((name.clone(), kind.clone())),
                _ => self.complain(Rule::Expression, "a macro's variable must be a plain name".to_owned()),
            }
        }
        let made = inside(self);
        self.locals.truncate(before);
        made
    }
}
