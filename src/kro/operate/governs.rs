//! Who governs the fields of a child: the template in its RGD, and through it the fields of the instance.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    answer::sanitise,
    kro::{
        definition::Node,
        expression::{Work, expressions, survey},
    },
    kubernetes::{
        Object,
        field_path::{FieldPath, Step, part, parts},
    },
};

/// Fields that are told.
const MOST: usize = 20;
/// Characters of an expression that are told.
const LONGEST: usize = 160;
/// How deep a manifest is looked into.
const DEEPEST: usize = 64;

/// A field of a child's manifest, and what governs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governed {
    /// Where it is.
    pub path: String,
    /// What decides its value.
    pub by: Governor,
}

/// What decides the value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Governor {
    /// CEL in the RGD's template.
    Expression {
        /// As written.
        source: String,
        /// Fields of the instance that it reads, such as `spec.colour`.
        fields: Vec<String>,
        /// Other nodes that it reads.
        nodes: Vec<String>,
    },
    /// The RGD says a value of its own.
    Fixed,
    /// The RGD does not say.
    Nothing,
}

impl Governed {
    /// In words. `source`: whether what the RGD says may be told.
    pub fn told(&self, rgd: &str, source: bool) -> String {
        let by = match &self.by {
            Governor::Expression { source: text, fields, nodes } => {
                let mut from: Vec<String> = fields.clone();
                from.extend(nodes.iter().map(|node| format!("node {node}")));
                let from = if from.is_empty() { "an expression".to_owned() } else { from.join(", ") };
                match source {
                    true => format!("{from} ({})", sanitise::short(text, LONGEST)),
                    false => from,
                }
            }
            Governor::Fixed => format!("fixed in {rgd}"),
            Governor::Nothing => format!("not set by {rgd}"),
        };
        format!("{} ← {by}", self.path)
    }
}

/// What governs the fields that a manifest of a child says. With the object there is, only of those that
/// differ.
pub fn of(manifest: &Object, live: Option<&Object>, node: &Node, work: &Work) -> Vec<Governed> {
    let mut found = Vec::new();
    let Some(template) = node.template() else { return found };
    let walk = Walk { node, work };
    for (name, value) in manifest.members() {
        if matches!(name.as_str(), "apiVersion" | "kind" | "status") {
            continue;
        }
        let path = FieldPath::default().then(Step::Member(name.clone()));
        let live = live.map(|live| live.member(name));
        walk.enter(value, live, template.get(name), &path, &mut found);
    }
    found
}

struct Walk<'a> {
    node: &'a Node,
    work: &'a Work,
}

impl Walk<'_> {
    fn enter(
        &self,
        value: &Value,
        live: Option<Option<&Value>>,
        template: Option<&Value>,
        path: &FieldPath,
        found: &mut Vec<Governed>,
    ) {
        if live == Some(Some(value)) || found.len() >= MOST || path.0.len() > DEEPEST || is_bookkeeping(path)
        {
            return;
        }
        let inner = parts(value);
        if let Some(Value::String(text)) = template {
            let sources: Vec<&str> = expressions(text).collect();
            let by = if sources.is_empty() { Governor::Fixed } else { self.expression(text, &sources) };
            found.push(Governed { path: path.to_string(), by });
        } else if inner.is_empty() {
            let by = if template.is_some() { Governor::Fixed } else { Governor::Nothing };
            found.push(Governed { path: path.to_string(), by });
        } else {
            for (step, value) in inner {
                let live = live.map(|live| part(live?, &step));
                let template = template.and_then(|template| part(template, &step));
                self.enter(value, live, template, &path.then(step), found);
            }
        }
    }

    fn expression(&self, text: &str, sources: &[&str]) -> Governor {
        let (mut fields, mut nodes) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<&str> = sources.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(source) = open.pop() {
            if !seen.insert(source) {
                continue;
            }
            let Ok(survey) = survey(source, self.work) else { continue };
            for path in survey.paths.iter().chain(&survey.tested) {
                let iterated = self.node.for_each.iter().find(|(variable, _)| variable == path.root());
                match (path.root(), iterated) {
                    ("schema", _) => drop(fields.insert(path.members().join("."))),
                    (_, Some((_, list))) => open.extend(expressions(list)),
                    (node, None) => drop(nodes.insert(node.to_owned())),
                }
            }
        }
        Governor::Expression {
            source: text.to_owned(),
            fields: fields.into_iter().filter(|field| !field.is_empty()).collect(),
            nodes: nodes.into_iter().collect(),
        }
    }
}

/// What only describes the object.
fn is_bookkeeping(path: &FieldPath) -> bool {
    matches!(path.0.as_slice(), [Step::Member(metadata), Step::Member(name), ..]
        if metadata == "metadata" && matches!(name.as_str(),
            "name" | "namespace" | "uid" | "resourceVersion" | "generation" | "creationTimestamp"
            | "managedFields" | "selfLink"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    fn node() -> Node {
        Node::parse(&json!({"id": "web", "forEach": [{"zone": "${schema.spec.zones}"}], "template": {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "${schema.metadata.name}", "labels": {"zone": "${zone}"}},
            "spec": {"replicas": "${schema.spec.size + int(config.data.more)}", "paused": false,
                "template": {"spec": {"containers": [
                    {"name": "web", "image": "${schema.spec.image}:${schema.spec.tag}"}]}}}}}))
        .expect("a node")
    }

    fn told(manifest: Value, live: Option<Value>, source: bool) -> Vec<String> {
        let live = live.map(object);
        of(&object(manifest), live.as_ref(), &node(), &Work::default())
            .iter()
            .map(|governed| governed.told("RGD app", source))
            .collect()
    }

    #[test]
    fn each_field_is_traced_to_the_instance() {
        let manifest = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "x", "labels": {"zone": "c"}}, "spec": {"replicas": 3, "paused": true,
            "minReadySeconds": 5, "template": {"spec": {"containers": [{"name": "web", "image": "evil"}]}}}});
        assert_eq!(
            told(manifest.clone(), None, false),
            [
                "metadata.labels.zone ← spec.zones",
                "spec.replicas ← spec.size, node config",
                "spec.paused ← fixed in RGD app",
                "spec.minReadySeconds ← not set by RGD app",
                "spec.template.spec.containers[web].name ← fixed in RGD app",
                "spec.template.spec.containers[web].image ← spec.image, spec.tag",
            ]
        );
        let mut live = manifest.clone();
        live["spec"]["replicas"] = json!(1);
        assert_eq!(
            told(manifest.clone(), Some(live), true),
            ["spec.replicas ← spec.size, node config (${schema.spec.size + int(config.data.more)})"]
        );
        assert!(told(manifest.clone(), Some(manifest), true).is_empty());
    }
}
