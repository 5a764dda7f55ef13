//! The permission sets of the matrix, and the rules of a configuration that make them.

use std::collections::BTreeSet;

use platform_mcp::permission::Permission;
use serde_json::{Value, json};

/// What one caller has.
#[derive(Clone, Debug)]
pub(super) struct Set {
    /// The value of the claim `permission_set`.
    pub(super) name: String,
    /// Their group in Backstage.
    pub(super) group: String,
    has: BTreeSet<&'static str>,
    /// Where it holds; otherwise everywhere.
    pub(super) namespaces: Option<Vec<&'static str>>,
    pub(super) clusters: Option<Vec<&'static str>>,
    pub(super) environments: Option<Vec<&'static str>>,
    pub(super) projects: Option<Vec<&'static str>>,
    /// How a rule says it.
    rule: Value,
}

impl Set {
    fn new(name: impl Into<String>, has: impl IntoIterator<Item = &'static str>, rule: Value) -> Self {
        let (name, has) = (name.into(), has.into_iter().collect());
        Self {
            group: format!("group:default/{}", name.replace(' ', "-")),
            name,
            has,
            namespaces: None,
            clusters: None,
            environments: None,
            projects: None,
            rule,
        }
    }

    /// Whether it holds in a part of Palette, and so in no cluster.
    pub(super) fn in_palette(&self) -> bool {
        self.environments.is_some() || self.projects.is_some()
    }

    /// Whether it is one that names alone can say.
    pub(super) fn is_everywhere(&self) -> bool {
        self.namespaces.is_none() && self.clusters.is_none() && !self.in_palette()
    }

    pub(super) fn has(&self, permission: &str) -> bool {
        self.has.contains(permission)
    }

    /// What it has, wherever it holds.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.has.iter().copied()
    }

    /// Of it, what these have as well: one that two must allow.
    pub(super) fn narrowed(mut self, to: impl Fn(&str) -> bool) -> Self {
        self.has.retain(|name| to(name));
        self
    }

    /// The rules for whoever has this set, where it is a claim.
    pub(super) fn rules(&self) -> Vec<Value> {
        self.rules_when(&json!({"permission_set": self.name}))
    }

    /// The rules for whoever is in its group.
    pub(super) fn group_rules(&self) -> Vec<Value> {
        self.rules_when(&json!({"groups": self.group}))
    }

    fn rules_when(&self, when: &Value) -> Vec<Value> {
        let mut rule = self.rule.clone();
        let Some(members) = rule.as_object_mut().filter(|members| !members.is_empty()) else {
            return Vec::new();
        };
        members.insert("name".to_owned(), json!(self.name));
        members.insert("when".to_owned(), when.clone());
        vec![rule]
    }
}

/// A project of the sample platform.
const PROJECT: &str = "shop-prod";

/// What may hold a credential, and so is no viewer's.
const CREDENTIALS: [&str; 4] = [
    "spectrocloud.cluster.view-pack-values",
    "spectrocloud.cluster.view-pack-manifests",
    "spectrocloud.cluster.download-kubeconfig",
    "kubernetes.secrets.read",
];

/// How the names of permissions end that only read.
const READS: [&str; 9] =
    ["list", "view-yaml", "show-events", "show", "view", "view-info", "view-clusters", "read", "proxy"];

fn all() -> impl Iterator<Item = &'static str> {
    Permission::ALL.iter().map(|permission| permission.name())
}

fn viewer() -> impl Iterator<Item = &'static str> {
    let reads = |name: &str| name.rsplit('.').next().is_some_and(|verb| READS.contains(&verb));
    all().filter(move |name| reads(name) && !CREDENTIALS.contains(name))
}

fn operator() -> impl Iterator<Item = &'static str> {
    viewer().chain([
        "kro.instances.apply",
        "kro.instances.reconcile",
        "kro.instances.delete",
        "spectrocloud.cluster.update",
    ])
}

/// Every set: each permission alone, each taken from a viewer, the roles, and the roles in a part.
pub(super) fn sets() -> Vec<Set> {
    let mut sets = vec![
        Set::new("none", [], json!({})),
        Set::new("viewer", viewer(), json!({"roles": ["viewer"]})),
        Set::new("operator", operator(), json!({"roles": ["operator"]})),
        Set::new("admin", all(), json!({"roles": ["admin"]})),
        Set {
            namespaces: Some(vec!["shop"]),
            ..Set::new(
                "viewer in shop",
                viewer(),
                json!({"roles": ["viewer"], "within": {"namespaces": ["shop"]}}),
            )
        },
        Set {
            clusters: Some(vec!["other"]),
            ..Set::new(
                "viewer in other",
                viewer(),
                json!({"roles": ["viewer"], "within": {"clusters": ["other"]}}),
            )
        },
        Set {
            clusters: Some(vec!["other"]),
            namespaces: Some(vec!["shop", "media"]),
            ..Set::new(
                "admin in shop of other",
                all(),
                json!({"allow": ["*"], "within": {"clusters": ["oth*"], "namespaces": ["shop", "med*"]}}),
            )
        },
        Set {
            environments: Some(vec!["other"]),
            ..Set::new(
                "viewer in the environment other",
                viewer(),
                json!({"roles": ["viewer"], "within": {"environments": ["other"]}}),
            )
        },
        Set {
            projects: Some(vec![PROJECT]),
            ..Set::new(
                "admin in a project",
                all(),
                json!({"roles": ["admin"], "within": {"environments": ["*"], "projects": [PROJECT]}}),
            )
        },
        Set::new("denied all", [], json!({"roles": ["admin"], "deny": ["*"]})),
    ];
    for one in all() {
        sets.push(Set::new(format!("only {one}"), [one], json!({"allow": [one]})));
    }
    for one in viewer() {
        let left = viewer().filter(move |name| *name != one);
        sets.push(Set::new(
            format!("viewer without {one}"),
            left,
            json!({"roles": ["viewer"], "deny": [one]}),
        ));
    }
    sets
}

/// Those that names alone cannot say, or that take away; and the roles.
pub(super) fn ruled() -> Vec<Set> {
    let only = |set: &Set| set.name.starts_with("only ") || set.name.starts_with("viewer without ");
    sets().into_iter().filter(|set| !only(set)).collect()
}
