//! Calls: operators, functions, and the macros that look like them.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use super::overloads::{self, Called};
use super::{Inference, nearest};
use crate::kro::check::problem::Rule;
use crate::kro::check::typed::Type;

impl<'s> Inference<'s, '_> {
    pub(super) fn call(&mut self, call: &CallExpr) -> Type<'s> {
        let name = call.func_name.as_str();
        if name == "_?._" {
            return self.optional_field(&call.args);
        }
        match &call.target {
            None => {
                if name == "has" {
                    return self.has(&call.args);
                }
                self.function(name, &call.args)
            }
            Some(target) => {
                if let Some(full) = self.qualified(target, name) {
                    return match full.as_str() {
                        "cel.bind" => self.bind(&call.args),
                        full if overloads::is_global(full) => self.function(full, &call.args),
                        full => self.no_function(full, false),
                    };
                }
                if let Some(made) = self.condition(target, name, &call.args) {
                    return made;
                }
                let receiver = self.of(target);
                if let Some(made) = self.macro_call(&receiver, name, &call.args) {
                    return made;
                }
                self.method(&receiver, name, &call.args)
            }
        }
    }

    /// The name of a function in a namespace, such as `random.seededString`.
    fn qualified(&self, target: &IdedExpr, name: &str) -> Option<String> {
        let Expr::Ident(space) = &target.expr else { return None };
        let known = self.names.contains_key(space) || self.locals.iter().any(|(local, _)| local == space);
        let is_namespace = space == "cel" || overloads::is_namespace(space);
        (!known && is_namespace).then(|| format!("{space}.{name}"))
    }

    fn function(&mut self, name: &str, arguments: &[IdedExpr]) -> Type<'s> {
        if !overloads::is_global(name) {
            return self.no_function(name, false);
        }
        let arguments: Vec<Type<'s>> = arguments.iter().map(|argument| self.of(argument)).collect();
        match overloads::call(name, None, &arguments) {
            Called::Result(kind) => kind,
            Called::Unknown => Type::Unknown,
            Called::Unfit => self.unfit(name, None, &arguments),
        }
    }

    fn method(&mut self, receiver: &Type<'s>, name: &str, arguments: &[IdedExpr]) -> Type<'s> {
        if matches!(overloads::call(name, Some(receiver), &[]), Called::Unknown) {
            return self.no_function(name, true);
        }
        let arguments: Vec<Type<'s>> = arguments.iter().map(|argument| self.of(argument)).collect();
        match overloads::call(name, Some(receiver), &arguments) {
            Called::Result(kind) => kind,
            Called::Unknown => Type::Unknown,
            Called::Unfit => self.unfit(name, Some(receiver), &arguments),
        }
    }

    /// Its arguments are left alone: they may have variables that only it knows.
    fn no_function(&mut self, name: &str, on_something: bool) -> Type<'s> {
        let hint = nearest(name, overloads::names(on_something).filter(|known| known.len() > 3));
        let hint = if hint.contains("did you mean") { hint } else { String::new() };
        self.doubt(Rule::Expression, format!("kro v0.9.4 has no function {name:?}{hint}"));
        Type::Unknown
    }

    fn unfit(&mut self, name: &str, receiver: Option<&Type<'s>>, arguments: &[Type<'s>]) -> Type<'s> {
        let given: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let message = match (shown(name), given.as_slice(), receiver) {
            (Some("? :"), _, _) => {
                format!("`? :` takes a bool and two values of one type, not {}", given.join(", "))
            }
            (Some(operator), [one, other], None) => {
                format!("`{operator}` does not take {one} and {other}{}", advice(operator, arguments))
            }
            (Some(operator), [one], None) => format!("`{operator}` does not take {one}"),
            (_, given, Some(receiver)) => {
                format!("{receiver} has no {name}({}){}", given.join(", "), unwrap(receiver))
            }
            (_, given, None) => format!("{name} does not take ({})", given.join(", ")),
        };
        self.complain(Rule::Type, message);
        Type::Unknown
    }

    fn optional_field(&mut self, arguments: &[IdedExpr]) -> Type<'s> {
        let [operand, field] = arguments else { return Type::Unknown };
        let operand = self.of(operand);
        match &field.expr {
            Expr::Literal(LiteralValue::String(name)) => self.field(&operand, name.inner()).optional(),
            _ => Type::Unknown,
        }
    }
}

/// An operator as it is written.
fn shown(name: &str) -> Option<&'static str> {
    Some(match name {
        "_+_" => "+",
        "_-_" => "-",
        "_*_" => "*",
        "_/_" => "/",
        "_%_" => "%",
        "_==_" => "==",
        "_!=_" => "!=",
        "_<_" => "<",
        "_<=_" => "<=",
        "_>_" => ">",
        "_>=_" => ">=",
        "_&&_" => "&&",
        "_||_" => "||",
        "!_" => "!",
        "-_" => "-",
        "@in" => "in",
        "_?_:_" => "? :",
        "_[_]" => "[ ]",
        "_[?_]" => "[? ]",
        _ => return None,
    })
}

fn advice(operator: &str, arguments: &[Type<'_>]) -> &'static str {
    let has = |wanted: fn(&Type<'_>) -> bool| arguments.iter().any(wanted);
    match operator {
        "+" if has(|kind| matches!(kind, Type::String)) && has(|kind| matches!(kind, Type::Optional(_))) => {
            ": end the optional with .orValue(\"\")"
        }
        "+" if has(|kind| matches!(kind, Type::String)) => ": make a string with string(…)",
        "==" | "!=" if has(|kind| matches!(kind, Type::Null)) => ": use has(…) or .orValue(…)",
        "[ ]" if has(|kind| matches!(kind, Type::Object(_))) => ": select the field with a dot",
        _ => "",
    }
}

fn unwrap(receiver: &Type<'_>) -> &'static str {
    if matches!(receiver, Type::Optional(_)) { ": end the optional with .orValue(…) first" } else { "" }
}
