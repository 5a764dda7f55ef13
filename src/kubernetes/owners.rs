//! [`Ownership`]: what belongs to what by owner references, whatever the kinds are: Pods of ReplicaSets of
//! Deployments, Pods of Jobs of CronJobs, what an operator makes for its own kinds.
//!
//! References point upwards only, and the API server has no index of them. So the walk begins at what may be
//! owned (Pods, the objects that events are about), asks for each kind once, and climbs to the roots.

mod climb;

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::{kinds::Kinds, object::Object};

/// Owner references of one object that are looked at.
const MOST_OWNERS: usize = 8;
/// Objects on the way from one object to its root.
const LONGEST_WAY: usize = 64;

/// An object as others refer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// API group, empty for the core group, and where the writer left it out.
    pub group: String,
    /// Kind, as in `kind:`.
    pub kind: String,
    /// Its namespace; `None` for what is cluster-scoped.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its uid, empty where the writer left it out.
    pub uid: String,
}

impl Reference {
    /// The reference to an object.
    pub fn of(object: &Object) -> Self {
        Self {
            group: object.group().to_owned(),
            kind: object.kind().to_owned(),
            namespace: object.namespace().map(str::to_owned),
            name: object.name().to_owned(),
            uid: object.uid().to_owned(),
        }
    }

    /// The owners of an object, the controller first; in its namespace, if their kind has any.
    pub fn owners_of(object: &Object) -> Vec<Self> {
        let namespace = object.namespace();
        let is_controller = |owner: &Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
        let mut owners: Vec<&Value> = object.items(&["metadata", "ownerReferences"]).iter().collect();
        owners.sort_by_key(|owner| !is_controller(owner));
        owners.into_iter().take(MOST_OWNERS).filter_map(|owner| owner_in(namespace, owner)).collect()
    }

    /// `Kind/name`
    pub fn shown(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// Owners are cluster-scoped or in the namespace of what they own (Kubernetes, "Owners and Dependents").
fn owner_in(namespace: Option<&str>, owner: &Value) -> Option<Reference> {
    let text = |key: &str| owner.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let api_version = text("apiVersion")?;
    Some(Reference {
        group: api_version.split_once('/').map_or("", |(group, _)| group).to_owned(),
        kind: text("kind")?.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: text("name")?.to_owned(),
        uid: text("uid")?.to_owned(),
    })
}

/// What is known of owners: the roots that are looked for, and who owns what below them.
#[derive(Debug, Default)]
pub struct Ownership {
    /// The namespace of each root, by uid.
    roots: HashMap<String, Option<String>>,
    links: HashMap<String, Link>,
    asked: HashSet<climb::Question>,
    /// Lists that were read to their end.
    whole: HashSet<climb::Question>,
    gaps: BTreeSet<String>,
}

#[derive(Debug)]
struct Link {
    of: Reference,
    created: Option<String>,
    owners: Vec<Reference>,
}

impl Ownership {
    /// Of what these objects own.
    pub fn of<'o>(roots: impl IntoIterator<Item = &'o Object>) -> Self {
        let place = |root: &Object| (root.uid().to_owned(), root.namespace().map(str::to_owned));
        let roots = roots.into_iter().filter(|root| !root.uid().is_empty()).map(place).collect();
        Self { roots, ..Self::default() }
    }

    /// Takes in an object that was read anyway, so that it need not be asked for.
    pub fn learn(&mut self, object: &Object) {
        let of = Reference::of(object);
        let link = Link {
            created: object.created().map(str::to_owned),
            owners: Reference::owners_of(object),
            of: of.clone(),
        };
        self.links.insert(of.uid, link);
    }

    /// The uid of the root that owns the object of this uid, however far down, or is it.
    pub fn root_of(&self, uid: &str) -> Option<&str> {
        let mut seen = HashSet::new();
        let mut ahead = vec![uid];
        while let Some(uid) = ahead.pop() {
            if let Some((root, _)) = self.roots.get_key_value(uid) {
                return Some(root);
            }
            if seen.len() < LONGEST_WAY && seen.insert(uid) {
                ahead.extend(self.above(uid).rev().map(|owner| owner.uid.as_str()));
            }
        }
        None
    }

    /// The object of that uid, where it was read on the way.
    pub fn object(&self, uid: &str) -> Option<&Reference> {
        self.links.get(uid).map(|link| &link.of)
    }

    /// The objects that were read on the way, each with its `creationTimestamp`: roots only where they were
    /// learned.
    pub fn objects(&self) -> impl Iterator<Item = (&Reference, Option<&str>)> {
        self.links.values().map(|link| (&link.of, link.created.as_deref()))
    }

    /// Whether an object was looked for among all of its kind, and is not there any more.
    pub fn is_gone(&self, kinds: &Kinds, object: &Reference) -> bool {
        let questions = climb::Question::finding(kinds, object).into_iter().flatten();
        let answered = questions.into_iter().any(|question| self.whole.contains(&question));
        answered && !self.links.contains_key(&object.uid)
    }

    /// What could not be read.
    pub fn gaps(&self) -> impl Iterator<Item = &str> {
        self.gaps.iter().map(String::as_str)
    }

    /// The owners of an object that can be: who writes an object writes its references, and could name
    /// anything of another namespace.
    fn above(&self, uid: &str) -> impl DoubleEndedIterator<Item = &Reference> {
        let link = self.links.get(uid);
        let namespace = link.and_then(|link| link.of.namespace.as_deref());
        link.into_iter().flat_map(|link| &link.owners).filter(move |owner| {
            let known = self.roots.get(&owner.uid).map(Option::as_deref);
            let known = known.or_else(|| Some(self.links.get(&owner.uid)?.of.namespace.as_deref()));
            known.flatten().is_none_or(|there| Some(there) == namespace)
        })
    }

    /// The objects above these of which it is not known who owns them.
    fn unknown_above<'r>(&'r self, start: impl IntoIterator<Item = &'r str>) -> Vec<Reference> {
        let mut unknown = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut ahead: Vec<&str> = start.into_iter().collect();
        while let Some(uid) = ahead.pop() {
            if self.root_of(uid).is_some() || !seen.insert(uid) {
                continue;
            }
            for owner in self.above(uid) {
                if self.links.contains_key(&owner.uid) {
                    ahead.push(&owner.uid);
                } else {
                    unknown.insert(owner.clone());
                }
            }
        }
        unknown.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(namespace: Option<&str>, uid: &str, owners: &[&str]) -> Object {
        let owner = |uid: &&str| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": uid, "uid": uid, "controller": *uid == "main"});
        let owners: Vec<Value> = owners.iter().map(owner).collect();
        let metadata = json!({"name": uid, "namespace": namespace, "uid": uid, "ownerReferences": owners});
        Object::from_value(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}))
            .expect("an object")
    }

    fn ownership(roots: &[(Option<&str>, &str)], links: &[(Option<&str>, &str, &[&str])]) -> Ownership {
        let roots: Vec<Object> = roots.iter().map(|(namespace, uid)| object(*namespace, uid, &[])).collect();
        let mut ownership = Ownership::of(&roots);
        links.iter().for_each(|(namespace, uid, owners)| ownership.learn(&object(*namespace, uid, owners)));
        ownership
    }

    const A: Option<&str> = Some("a");

    #[test]
    fn roots_are_found_through_whatever_is_between() {
        let chain = ownership(
            &[(A, "root"), (None, "wide")],
            &[(A, "pod", &["set"]), (A, "set", &["other", "root"]), (A, "x", &["wide"]), (A, "y", &["gone"])],
        );
        let roots = ["pod", "set", "root", "x", "y", "never seen"].map(|uid| chain.root_of(uid));
        assert_eq!(roots, [Some("root"), Some("root"), Some("root"), Some("wide"), None, None]);
    }

    #[test]
    fn a_cycle_has_no_root() {
        let cycle = ownership(&[(A, "root")], &[(A, "a", &["b"]), (A, "b", &["a"])]);
        assert_eq!(cycle.root_of("a"), None);
        assert!(cycle.unknown_above(["a"]).is_empty());
    }

    #[test]
    fn nobody_is_owned_from_another_namespace() {
        let forged = ownership(
            &[(Some("b"), "root")],
            &[(A, "pod", &["root"]), (A, "deep", &["set"]), (Some("b"), "set", &["root"])],
        );
        assert_eq!(["pod", "deep", "set"].map(|uid| forged.root_of(uid)), [None, None, Some("root")]);
    }

    #[test]
    fn only_what_is_not_known_is_asked_for() {
        let climbing = ownership(
            &[(A, "root")],
            &[(A, "pod", &["set", "new"]), (A, "set", &["higher"]), (A, "done", &["root", "never asked"])],
        );
        let unknown = climbing.unknown_above(["pod", "done"]);
        let unknown: Vec<&str> = unknown.iter().map(|owner| owner.uid.as_str()).collect();
        assert_eq!(unknown, ["higher", "new"]);
    }

    #[test]
    fn the_controller_comes_first_and_odd_references_not_at_all() {
        let owners = Reference::owners_of(&object(A, "pod", &["first", "main"]));
        assert_eq!(owners.iter().map(|owner| owner.uid.as_str()).collect::<Vec<_>>(), ["main", "first"]);
        let odd = json!({"metadata": {"ownerReferences": [1, {}, {"kind": "A", "name": "b", "uid": 7}]}});
        assert!(Reference::owners_of(&Object::from_value(odd).expect("an object")).is_empty());
    }
}
