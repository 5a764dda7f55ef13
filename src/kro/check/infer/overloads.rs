//! The functions that kro declares, and which of their overloads takes a call.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use crate::kro::check::typed::{Type, agree, join};

/// A type as an overload declares it.
#[derive(Clone, Debug)]
enum Declared {
    Parameter(char),
    Dyn,
    Plain(Type<'static>),
    List(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Optional(Box<Self>),
    /// `type(T)`
    Type,
}

/// One form of a function.
#[derive(Debug)]
struct Overload {
    receiver: Option<Declared>,
    arguments: Vec<Declared>,
    result: Declared,
}

static FUNCTIONS: LazyLock<HashMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let mut functions: HashMap<&str, Vec<Overload>> = HashMap::new();
    for line in include_str!("../functions.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('|');
        // `_||_` holds the separator
        let (receiver, name, arguments, result) = match line {
            "|_||_|bool;bool|bool" => ("", "_||_", "bool;bool", "bool"),
            _ => {
                let mut part = || parts.next().unwrap_or_default();
                (part(), part(), part(), part())
            }
        };
        let overload = Overload {
            receiver: (!receiver.is_empty()).then(|| declared(receiver)),
            arguments: arguments.split(';').filter(|kind| !kind.is_empty()).map(declared).collect(),
            result: declared(result),
        };
        functions.entry(name).or_default().push(overload);
    }
    functions
});

/// What came of looking for an overload.
pub(super) enum Called<'s> {
    /// One fits: the type of its result.
    Result(Type<'s>),
    /// None fits.
    Unfit,
    /// There is no such function.
    Unknown,
}

/// Whether there is a function of that name that is called on nothing: `random.seededString`.
pub(super) fn is_global(name: &str) -> bool {
    FUNCTIONS.get(name).is_some_and(|forms| forms.iter().any(|form| form.receiver.is_none()))
}

/// Names of functions begin with these: `random.`
pub(super) fn is_namespace(name: &str) -> bool {
    FUNCTIONS.keys().any(|function| function.split_once('.').is_some_and(|(space, _)| space == name))
}

/// The names of functions, those called on something or the others.
pub(super) fn names(on_something: bool) -> impl Iterator<Item = &'static str> {
    FUNCTIONS
        .iter()
        .filter(move |(_, forms)| forms.iter().any(|form| form.receiver.is_some() == on_something))
        .map(|(name, _)| *name)
}

/// The result of a call with arguments of these types.
pub(super) fn call<'s>(name: &str, receiver: Option<&Type<'s>>, arguments: &[Type<'s>]) -> Called<'s> {
    let Some(forms) = FUNCTIONS.get(name) else { return Called::Unknown };
    let mut style = forms.iter().filter(|form| form.receiver.is_some() == receiver.is_some()).peekable();
    if style.peek().is_none() {
        return Called::Unknown;
    }
    let results: Vec<Type<'s>> = style.filter_map(|form| result(form, receiver, arguments)).collect();
    let Some((first, rest)) = results.split_first() else { return Called::Unfit };
    // which one it is shows only at run time
    let same = rest.iter().all(|other| first.to_string() == other.to_string());
    Called::Result(if same { first.clone() } else { Type::Unknown })
}

fn result<'s>(form: &Overload, receiver: Option<&Type<'s>>, arguments: &[Type<'s>]) -> Option<Type<'s>> {
    if form.arguments.len() != arguments.len() {
        return None;
    }
    let mut bound = BTreeMap::new();
    let given = receiver.into_iter().chain(arguments);
    let wanted = form.receiver.iter().chain(&form.arguments);
    wanted
        .zip(given)
        .all(|(wanted, given)| takes(wanted, given, &mut bound))
        .then(|| made(&form.result, &bound))
}

fn takes<'s>(wanted: &Declared, given: &Type<'s>, bound: &mut BTreeMap<char, Type<'s>>) -> bool {
    match (wanted, given) {
        (Declared::Parameter(name), given) => match bound.get(name) {
            Some(before) if agree(before, given) => {
                let both = join(before, given);
                bound.insert(*name, both);
                true
            }
            Some(_) => false,
            None => {
                bound.insert(*name, given.clone());
                true
            }
        },
        (Declared::Dyn, _) => true,
        (_, given) if given.is_open() => true,
        (Declared::Plain(wanted), given) => agree(wanted, given),
        (Declared::List(wanted), Type::List(given)) | (Declared::Optional(wanted), Type::Optional(given)) => {
            takes(wanted, given, bound)
        }
        (Declared::Map(key, of), Type::Map(given_key, given)) => {
            takes(key, given_key, bound) && takes(of, given, bound)
        }
        _ => false,
    }
}

fn made<'s>(declared: &Declared, bound: &BTreeMap<char, Type<'s>>) -> Type<'s> {
    match declared {
        Declared::Parameter(name) => bound.get(name).cloned().unwrap_or(Type::Unknown),
        Declared::Dyn => Type::Dyn,
        Declared::Plain(kind) => kind.clone(),
        Declared::List(of) => Type::list(made(of, bound)),
        Declared::Map(key, of) => Type::Map(Box::new(made(key, bound)), Box::new(made(of, bound))),
        Declared::Optional(of) => made(of, bound).optional(),
        Declared::Type => Type::Unknown,
    }
}

fn declared(text: &'static str) -> Declared {
    let inner = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix(')');
    if let Some(of) = inner("list(") {
        return Declared::List(Box::new(declared(of)));
    }
    if let Some(of) = inner("optional(") {
        return Declared::Optional(Box::new(declared(of)));
    }
    if let Some((key, of)) = inner("map(").and_then(|both| both.split_once(',')) {
        return Declared::Map(Box::new(declared(key)), Box::new(declared(of)));
    }
    Declared::Plain(match text {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "dyn" => return Declared::Dyn,
        _ if text.starts_with("type(") => return Declared::Type,
        _ if text.len() == 1 => return Declared::Parameter(text.chars().next().unwrap_or('A')),
        name => Type::Named(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("../functions.txt").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(FUNCTIONS.values().map(Vec::len).sum::<usize>(), lines);
        assert!(FUNCTIONS.contains_key("_||_") && is_global("random.seededString") && is_namespace("lists"));
        for forms in FUNCTIONS.values().flatten() {
            assert!(!format!("{forms:?}").contains("Named(\"\")"), "{forms:?}");
        }
    }
}
