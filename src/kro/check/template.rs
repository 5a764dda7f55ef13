//! A template against the schema of its kind: fields that there are not, values of another type, and the
//! expressions with the type that their field has (kro v0.9.4 `pkg/graph/parser/parser.go`).

use serde_json::{Map, Value};

use super::findings::{Findings, Place};
use super::infer::nearest;
use super::problem::Rule;
use super::text::{Text, is_unterminated};
use super::typed::Type;
use crate::kro::expression::Segment;
use crate::kubernetes::openapi::Shape;

/// How deep a template is followed; JSON from the API server is not deeper.
const DEEPEST: usize = 64;

/// A field whose value is evaluated.
#[derive(Debug)]
pub(super) struct Slot<'r, 's> {
    /// From the object's root: `spec.replicas`.
    pub(super) path: String,
    /// The text with its expressions.
    pub(super) parts: Vec<Segment<'r>>,
    /// The type of the field.
    pub(super) wanted: Type<'s>,
}

/// Walks a template.
pub(super) struct Walk<'f, 'r, 's> {
    pub(super) node: &'f str,
    /// What paths are told under: `template`.
    pub(super) part: &'f str,
    pub(super) findings: &'f mut Findings,
    pub(super) slots: Vec<Slot<'r, 's>>,
}

impl<'r, 's> Walk<'_, 'r, 's> {
    /// An object and what its schema is, where that is known.
    pub(super) fn object(&mut self, members: &'r Map<String, Value>, shape: Option<Shape<'s>>) {
        self.members(members, shape.filter(|shape| !shape.preserves_unknown()), "", 0);
    }

    /// A value and what its schema is, where that is known.
    pub(super) fn value(&mut self, value: &'r Value, shape: Option<Shape<'s>>, path: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let shape = shape.filter(|shape| !shape.preserves_unknown());
        match value {
            Value::Null => {}
            Value::String(text) => self.text(text, shape, path),
            Value::Object(members) => {
                if let Some(shape) = shape
                    && self.is_unfit(shape, "object", "a map", path)
                {
                    return;
                }
                self.members(members, shape, path, depth);
            }
            Value::Array(items) => {
                if let Some(shape) = shape
                    && self.is_unfit(shape, "array", "a list", path)
                {
                    return;
                }
                let of = shape.and_then(Shape::items);
                for (index, item) in items.iter().enumerate() {
                    self.value(item, of, &format!("{path}[{index}]"), depth + 1);
                }
            }
            Value::Bool(_) => {
                if let Some(shape) = shape {
                    self.is_unfit(shape, "boolean", "a boolean", path);
                }
            }
            Value::Number(number) => {
                let whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
                if let Some(shape) = shape {
                    let (kind, what) = if whole { ("integer", "a number") } else { ("number", "a fraction") };
                    self.is_unfit(shape, kind, what, path);
                }
            }
        }
    }

    fn members(
        &mut self,
        members: &'r Map<String, Value>,
        shape: Option<Shape<'s>>,
        path: &str,
        depth: usize,
    ) {
        for (name, value) in members {
            let path = member(path, name);
            match shape.map_or(Member::Open, |shape| field(shape, name)) {
                Member::Shape(shape) => self.value(value, Some(shape), &path, depth + 1),
                Member::Open => self.value(value, None, &path, depth + 1),
                Member::None => {
                    let known = shape.into_iter().flat_map(Shape::fields);
                    let hint = nearest(name, known);
                    self.problem(Rule::TemplateField, &path, &format!("there is no such field{hint}"));
                }
            }
        }
    }

    fn text(&mut self, text: &'r str, shape: Option<Shape<'s>>, path: &str) {
        let wanted = shape.map_or(Type::Unknown, Type::of);
        let parts = match Text::of(text) {
            Text::One(source) => vec![Segment::Expression(source)],
            Text::Mixed(parts) => parts,
            Text::Plain => Vec::new(),
            Text::Nested => {
                self.problem(Rule::Expression, path, "an expression stands within another");
                return;
            }
        };
        if is_unterminated(text) {
            let message = "`${` is begun and not ended: it is taken for text";
            let path = self.path(path);
            self.findings.doubt(Rule::Expression, Place::node(self.node, &path), message);
        }
        if !matches!(parts.as_slice(), [Segment::Expression(_)])
            && let Some(shape) = shape
            && self.is_unfit(shape, "string", "text", path)
        {
            return;
        }
        if !parts.is_empty() {
            self.slots.push(Slot { path: path.to_owned(), parts, wanted });
        }
    }

    /// Complains where the schema takes no value of that kind.
    fn is_unfit(&mut self, shape: Shape<'s>, kind: &str, what: &str, path: &str) -> bool {
        let expected = expected(shape);
        let takes = expected.is_empty()
            || expected
                .iter()
                .any(|expected| *expected == kind || (*expected == "number" && kind == "integer"));
        if takes {
            return false;
        }
        self.problem(Rule::Type, path, &format!("it is {what}, and must be {}", expected.join(" or ")));
        true
    }

    fn problem(&mut self, rule: Rule, path: &str, message: &str) {
        let path = self.path(path);
        self.findings.add(rule, Place::node(self.node, &path), message);
    }

    fn path(&self, path: &str) -> String {
        format!("{}.{path}", self.part)
    }
}

enum Member<'s> {
    Shape(Shape<'s>),
    /// It may be there, and nothing is known of it.
    Open,
    None,
}

fn field<'s>(shape: Shape<'s>, name: &str) -> Member<'s> {
    if let Some(shape) = shape.field(name) {
        return Member::Shape(shape);
    }
    match shape.additional() {
        Some(Some(of)) => Member::Shape(of),
        Some(None) => Member::Open,
        // a schema that says nothing says nothing against it
        None if expected(shape).is_empty() || shape.has("x-kubernetes-embedded-resource") => Member::Open,
        None => Member::None,
    }
}

/// The types that a schema takes; empty where it takes any, or does not say.
fn expected<'s>(shape: Shape<'s>) -> Vec<&'s str> {
    if shape.has("x-kubernetes-int-or-string") {
        return vec!["string", "integer"];
    }
    for keyword in ["oneOf", "anyOf"] {
        let mut kinds = Vec::new();
        for shape in shape.alternatives(keyword) {
            if shape.keyword("required").is_some() || shape.keyword("not").is_some() {
                kinds.push("object");
            }
            kinds.push(shape.kind());
        }
        kinds.retain(|kind| !kind.is_empty());
        kinds.dedup();
        if !kinds.is_empty() {
            return kinds;
        }
    }
    Some(shape.kind()).filter(|kind| !kind.is_empty()).into_iter().collect()
}

/// `metadata.labels["a/b"]`
pub(super) fn member(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && !name.contains('.');
    match (path.is_empty(), plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{name:?}]"),
    }
}
