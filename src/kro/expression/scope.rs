//! [`Scope`]: the values that names stand for, and evaluation within it.

use super::survey::{Path, Survey};
use super::{ENVIRONMENT, Segment, Unresolved, Work, bounds, deep, parse, segments};
use crate::kubernetes::Object;
use cel::{Context, ExecutionError};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What kro's function names begin with (`random.seededString`): no node may be called so.
const NAMESPACES: [&str; 11] =
    ["base64", "cel", "cidr", "hash", "ip", "json", "lists", "maps", "optional", "random", "url"];

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Variable<'a> {
    /// One object.
    One(&'a Object),
    /// The members of a collection.
    Many(Vec<&'a Object>),
    /// Plain data: `schema`, an iterator of `forEach`.
    Data(Arc<Value>),
}

impl Variable<'_> {
    /// Plain data.
    pub fn data(value: Value) -> Self {
        Self::Data(Arc::new(value))
    }

    fn follow(&self, members: &[String]) -> Option<&Value> {
        let (start, rest) = match self {
            Self::One(object) => {
                let (first, rest) = members.split_first()?;
                (object.member(first)?, rest)
            }
            Self::Data(value) => (value.as_ref(), members),
            Self::Many(_) => return None,
        };
        rest.iter().try_fold(start, |value, member| value.get(member))
    }

    fn is_secret(&self) -> bool {
        let secret = |object: &Object| object.group().is_empty() && object.kind() == "Secret";
        match self {
            Self::One(object) => secret(object),
            Self::Many(objects) => objects.iter().any(|object| secret(object)),
            Self::Data(_) => false,
        }
    }
}

/// Names and their values.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    variables: BTreeMap<String, Variable<'a>>,
    work: Work,
}

impl<'a> Scope<'a> {
    /// An empty one, in which evaluation draws on `work`.
    pub fn within(work: &Work) -> Self {
        Self { work: work.clone(), ..Self::default() }
    }

    /// What evaluation draws on.
    pub fn work(&self) -> &Work {
        &self.work
    }

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

    /// The value at a path, as far as it leads through plain members of one object.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        self.variables.get(path.root())?.follow(path.members())
    }

    /// Whether the value that `name` stands for is a Secret, whose content is never shown.
    pub fn is_secret(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(Variable::is_secret)
    }

    /// Visits every value that `name` stands for; a list of objects says how long it is.
    pub(super) fn each(&self, name: &str, mut visit: impl FnMut(&Value)) -> usize {
        match self.variables.get(name) {
            Some(Variable::One(object)) => object.members().values().for_each(visit),
            Some(Variable::Many(objects)) => {
                objects.iter().flat_map(|object| object.members().values()).for_each(visit);
                return objects.len();
            }
            Some(Variable::Data(value)) => visit(value),
            None => {}
        }
        0
    }

    /// The value of one expression, without `${` and `}`.
    pub fn evaluate(&self, source: &str) -> Result<Value, Unresolved> {
        if let Some(path) = plain_path(source) {
            self.work.glance()?;
            return self.select(&path);
        }
        bounds::source(source)?;
        self.work.expression()?;
        deep(|| self.run(source))?
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
        let variable =
            self.variables.get(path.root()).ok_or_else(|| Unresolved::Absent(path.root().to_owned()))?;
        if variable.is_secret() && reaches_content(path) {
            // Values of Secrets may have been taken out on the way here.
            return Err(content());
        }
        match variable {
            Variable::Many(_) if !path.members().is_empty() => {
                Err(Unresolved::Unsupported(format!("{} is a list", path.root())))
            }
            Variable::Many(objects) => Ok(objects.iter().map(|object| whole(object)).collect()),
            Variable::One(object) if path.members().is_empty() => Ok(whole(object)),
            one => one.follow(path.members()).cloned().ok_or_else(|| Unresolved::Pending(path.to_string())),
        }
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
            Err(error) => Err(self.unresolved(&error, &survey, source)),
        }
    }

    fn unresolved(&self, error: &ExecutionError, survey: &Survey, source: &str) -> Unresolved {
        match error {
            ExecutionError::NoSuchKey(key) => Unresolved::Pending(self.lacking(key, survey, source)),
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

    /// The whole path that ends where `key` is lacking, or the key. A key that was computed is a
    /// value, and those are not told.
    fn lacking(&self, key: &str, survey: &Survey, source: &str) -> String {
        let shown = || if source.contains(key) { key.to_owned() } else { "a computed key".to_owned() };
        let named = |path: &&Path| {
            self.has(path.root())
                && self.at(path).is_none()
                && path.members().iter().any(|member| member == key)
        };
        survey.paths.iter().find(named).map_or_else(shown, Path::to_string)
    }
}

/// `source` as a path when it is nothing but one. CEL's words are not names.
pub fn plain_path(source: &str) -> Option<Path> {
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

fn whole(object: &Object) -> Value {
    Value::Object(object.members().clone())
}

fn to_cel(variable: &Variable<'_>) -> cel::Value {
    match variable {
        Variable::One(object) => members_to_cel(object.members()),
        Variable::Many(objects) => cel::Value::List(Arc::new(
            objects.iter().map(|object| members_to_cel(object.members())).collect(),
        )),
        Variable::Data(value) => json_to_cel(value),
    }
}

fn members_to_cel(members: &Map<String, Value>) -> cel::Value {
    let members: HashMap<String, cel::Value> =
        members.iter().map(|(key, value)| (key.clone(), json_to_cel(value))).collect();
    members.into()
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
        Value::Object(members) => members_to_cel(members),
    }
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
