//! [`Scope`]: the values that names stand for, and evaluation within it.

use super::survey::{Path, Survey};
use super::{ENVIRONMENT, Segment, Unresolved, bounds, parse, segments, stack};
use cel::{Context, ExecutionError};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What kro's function names begin with (`random.seededString`): no node may be called so.
const NAMESPACES: [&str; 11] =
    ["base64", "cel", "cidr", "hash", "ip", "json", "lists", "maps", "optional", "random", "url"];

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Variable<'a> {
    /// One object (or any value of an iterator).
    One(Cow<'a, Value>),
    /// The members of a collection.
    Many(Vec<&'a Value>),
}

/// Names and their values.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    variables: BTreeMap<String, Variable<'a>>,
}

impl<'a> Scope<'a> {
    /// Gives `name` a value.
    pub fn set(&mut self, name: &str, variable: Variable<'a>) {
        self.variables.insert(name.to_owned(), variable);
    }

    /// This scope with one name more.
    #[must_use]
    pub fn with(&self, name: &str, variable: Variable<'a>) -> Self {
        let mut inner = self.clone();
        inner.set(name, variable);
        inner
    }

    /// Whether `name` has a value.
    pub fn has(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// The value at a path, as far as it leads through plain members.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        match self.variables.get(path.root())? {
            Variable::One(value) => {
                path.members().iter().try_fold(value.as_ref(), |value, member| value.get(member))
            }
            Variable::Many(_) => None,
        }
    }

    /// Whether the value that `name` stands for is a Secret, whose content is never shown.
    pub fn is_secret(&self, name: &str) -> bool {
        let mut secret = false;
        self.each(name, |value| secret |= is_secret(value));
        secret
    }

    pub(super) fn each(&self, name: &str, mut visit: impl FnMut(&Value)) {
        match self.variables.get(name) {
            Some(Variable::One(value)) => visit(value),
            Some(Variable::Many(values)) => values.iter().for_each(|value| visit(value)),
            None => {}
        }
    }

    /// The value of one expression, without `${` and `}`.
    pub fn evaluate(&self, source: &str) -> Result<Value, Unresolved> {
        if let Some(path) = plain_path(source) {
            return self.select(&path);
        }
        bounds::source(source)?;
        stack::deep(|| self.run(source))?
    }

    /// The value of a template string: that of its only expression, or the text put together.
    pub fn render(&self, text: &str) -> Result<Value, Unresolved> {
        let parts = segments(text);
        match parts.as_slice() {
            [] => Ok(Value::String(String::new())),
            [Segment::Expression(source)] => self.evaluate(source),
            parts => self.concatenate(parts),
        }
    }

    fn concatenate(&self, parts: &[Segment<'_>]) -> Result<Value, Unresolved> {
        let mut whole = String::new();
        for part in parts {
            match part {
                Segment::Text(text) => whole.push_str(text),
                Segment::Expression(source) => match self.evaluate(source)? {
                    Value::String(text) => whole.push_str(&text),
                    Value::Array(_) | Value::Object(_) | Value::Null => {
                        return Err(Unresolved::Unsupported(format!("{source} is not a string")));
                    }
                    scalar => whole.push_str(&scalar.to_string()),
                },
            }
        }
        Ok(Value::String(whole))
    }

    /// Most names in RGDs are plain selections: no parser needed.
    fn select(&self, path: &Path) -> Result<Value, Unresolved> {
        let root = match self.variables.get(path.root()) {
            Some(Variable::One(value)) => value.as_ref(),
            Some(Variable::Many(values)) if path.members().is_empty() => {
                return Ok(values.iter().map(|value| (*value).clone()).collect());
            }
            Some(Variable::Many(_)) => {
                return Err(Unresolved::Unsupported(format!("{} is a list", path.root())));
            }
            None => return Err(Unresolved::Absent(path.root().to_owned())),
        };
        if is_secret(root) && reaches_content(path) {
            return Err(content());
        }
        let mut value = root;
        for member in path.members() {
            value = value.get(member).ok_or_else(|| Unresolved::Pending(path.to_string()))?;
        }
        Ok(value.clone())
    }

    fn run(&self, source: &str) -> Result<Value, Unresolved> {
        let (syntax, survey) = parse(source)?;
        bounds::work(&survey, self)?;
        if survey.paths.iter().any(|path| self.is_secret(path.root()) && reaches_content(path)) {
            return Err(content());
        }
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for path in survey.paths.iter().chain(&survey.tested) {
            if let Some(variable) = self.variables.get(path.root()) {
                context.add_variable_from_value(path.root(), to_cel(variable));
            }
        }
        let no_data = || Unresolved::Unsupported("the result is not plain data".into());
        match cel::Value::resolve(&syntax, &context) {
            Ok(cel::Value::Opaque(_) | cel::Value::Function(..)) => Err(no_data()),
            Ok(value) => value.json().map_err(|_| no_data()),
            Err(error) => Err(self.unresolved(&error, &survey)),
        }
    }

    fn unresolved(&self, error: &ExecutionError, survey: &Survey) -> Unresolved {
        match error {
            ExecutionError::NoSuchKey(key) => Unresolved::Pending(self.lacking(key, survey)),
            ExecutionError::IndexOutOfBounds(_) => Unresolved::Pending("an index".into()),
            ExecutionError::UndeclaredReference(name)
                if survey.refers_to(name) && !NAMESPACES.contains(&name.as_str()) =>
            {
                Unresolved::Absent(name.to_string())
            }
            ExecutionError::UndeclaredReference(name) => {
                Unresolved::Unsupported(format!("function {name} is not known here"))
            }
            // Other messages print the operands, which may be anything, Secrets included.
            ExecutionError::NoSuchOverload(overload) => {
                Unresolved::Unsupported(format!("{} does not fit the types", overload.function()))
            }
            _ => Unresolved::Unsupported("the evaluation failed".into()),
        }
    }

    /// The whole path that ends where `key` is lacking, or the key.
    fn lacking(&self, key: &str, survey: &Survey) -> String {
        let named = |path: &&Path| {
            self.has(path.root())
                && self.at(path).is_none()
                && path.members().iter().any(|member| member == key)
        };
        survey.paths.iter().find(named).map_or_else(|| key.to_owned(), Path::to_string)
    }
}

/// `source` as a path when it is nothing but one. CEL's words are not names.
pub(super) fn plain_path(source: &str) -> Option<Path> {
    let source = source.trim();
    let name = |part: &str| {
        part.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !matches!(part, "true" | "false" | "null" | "in")
    };
    let parts: Vec<String> = source.split('.').map(str::to_owned).collect();
    (source.len() < 512 && parts.iter().all(|part| name(part))).then_some(Path(parts))
}

/// Values of Secrets may have been taken out on the way here, and must not show in a result.
/// `has(secret.data.key)` needs no value: [`Survey`](super::Survey) keeps such tests apart.
fn reaches_content(path: &Path) -> bool {
    path.members().first().is_none_or(|member| member == "data" || member == "stringData")
}

fn content() -> Unresolved {
    Unresolved::Unsupported("the content of a Secret".into())
}

fn is_secret(value: &Value) -> bool {
    value.get("kind").and_then(Value::as_str) == Some("Secret")
        && value.get("apiVersion").and_then(Value::as_str) == Some("v1")
}

fn to_cel(variable: &Variable<'_>) -> cel::Value {
    match variable {
        Variable::One(value) => json_to_cel(value),
        Variable::Many(values) => {
            cel::Value::List(Arc::new(values.iter().map(|value| json_to_cel(value)).collect()))
        }
    }
}

/// Whole numbers become `int`: the crate's own conversion makes them `uint`, for which CEL has
/// no arithmetic with `int`.
fn json_to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => cel::Value::Int(whole),
            (None, Some(real)) => cel::Value::Float(real),
            (None, None) => cel::Value::Null,
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(json_to_cel).collect())),
        Value::Object(members) => {
            let members: HashMap<String, cel::Value> =
                members.iter().map(|(key, value)| (key.clone(), json_to_cel(value))).collect();
            members.into()
        }
    }
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
