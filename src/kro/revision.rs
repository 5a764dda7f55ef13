//! GraphRevisions: what an RGD was, each time kro took it up (kro ≥ 0.9).
//!
//! kro keeps the newest five. The API is its own, internal one, and most users may not read it.

mod compare;

pub use compare::{Comparison, EdgeChange, How, NodeChange, compare};

use serde_json::{Map, Value, json};

use crate::kubernetes::Object;

/// What kro made of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Compiled: instances can run on it.
    Verified,
    /// Why it cannot be compiled. Instances of an RGD whose newest revision failed are held up.
    Failed(String),
    /// kro has not got to it.
    Waiting,
}

/// A GraphRevision.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its number, counted per RGD from 1.
    pub number: i64,
    /// When it was issued, RFC 3339.
    pub created: Option<String>,
    /// What kro made of it.
    pub verdict: Verdict,
    object: Object,
}

impl Revision {
    /// Reads GraphRevisions, the newest first.
    pub fn read(objects: Vec<Object>) -> Vec<Self> {
        let mut revisions: Vec<Self> = objects.into_iter().filter_map(Self::of).collect();
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
        revisions
    }

    fn of(object: Object) -> Option<Self> {
        let verdict = match object.condition("GraphVerified") {
            Some(condition) if condition.is_true() => Verdict::Verified,
            Some(condition) if condition.is_false() => Verdict::Failed(condition.message.to_owned()),
            _ => Verdict::Waiting,
        };
        Some(Self {
            number: object.integer(&["spec", "revision"])?,
            created: object.created().map(str::to_owned),
            verdict,
            object,
        })
    }

    /// The object as it was read.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The RGD as it was: its `spec`, and of its `status` what the revision tells of the graph.
    pub fn as_rgd(&self) -> Object {
        let mut rgd = Map::new();
        let name = self.object.text(&["spec", "snapshot", "name"]).unwrap_or_default();
        rgd.insert("metadata".to_owned(), json!({"name": name}));
        let spec = self.object.at(&["spec", "snapshot", "spec"]);
        rgd.insert("spec".to_owned(), spec.cloned().unwrap_or(Value::Null));
        rgd.extend(self.object.member("status").map(|status| ("status".to_owned(), status.clone())));
        Object::from_value(Value::Object(rgd)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_come_newest_first_with_what_kro_made_of_them() {
        let revision = |number: i64, conditions: Value| {
            Object::from_value(json!({"metadata": {"name": format!("a-r{number}"), "creationTimestamp": "2026-01-01T00:00:00Z"},
                "spec": {"revision": number, "snapshot": {"name": "a", "spec": {"resources": [{"id": "x"}]}}},
                "status": {"topologicalOrder": ["x"], "conditions": conditions}}))
            .expect("an object")
        };
        let read = Revision::read(vec![
            revision(1, json!([{"type": "GraphVerified", "status": "True"}])),
            revision(3, json!([])),
            revision(2, json!([{"type": "GraphVerified", "status": "False", "message": "no such field"}])),
            Object::default(),
        ]);
        let told: Vec<(i64, &Verdict)> =
            read.iter().map(|revision| (revision.number, &revision.verdict)).collect();
        let failed = Verdict::Failed("no such field".to_owned());
        assert_eq!(told, [(3, &Verdict::Waiting), (2, &failed), (1, &Verdict::Verified)]);
        let rgd = read[2].as_rgd();
        assert_eq!((rgd.name(), rgd.items(&["spec", "resources"]).len()), ("a", 1));
        assert_eq!(rgd.strings(&["status", "topologicalOrder"]), ["x"]);
    }
}
