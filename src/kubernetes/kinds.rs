//! [`Kinds`]: what a cluster serves, indexed for the names that people and controllers use.

use std::collections::HashMap;

use kube::core::discovery::v2::{APIGroupDiscoveryList, APIResourceDiscovery};

use super::kind::Kind;

/// The resource types of one cluster, from its discovery documents.
#[derive(Debug, Default)]
pub struct Kinds {
    kinds: Vec<Kind>,
    by_group_kind: HashMap<(String, String), usize>,
}

/// What a name written by a person can stand for.
#[derive(Debug, PartialEq)]
pub enum Named<'a> {
    /// Exactly one kind.
    One(&'a Kind),
    /// Several groups have it; the caller must say `kind.group`.
    Several(Vec<&'a Kind>),
    /// No kind; the nearest spellings, as `kind.group`.
    None(Vec<String>),
}

impl Kinds {
    /// Joins aggregated discovery documents (`/api` and `/apis`).
    ///
    /// Of each group and kind the first version listed is kept: they come in order of preference.
    pub fn from_aggregated(documents: impl IntoIterator<Item = APIGroupDiscoveryList>) -> Self {
        let mut kinds = Self::default();
        for group in documents.into_iter().flat_map(|document| document.items) {
            let name = group.metadata.and_then(|metadata| metadata.name).unwrap_or_default();
            for version in group.versions {
                let served = version.version.unwrap_or_default();
                for resource in version.resources {
                    kinds.extend(described(&name, &served, resource));
                }
            }
        }
        kinds
    }

    fn extend(&mut self, kind: Option<Kind>) {
        let Some(kind) = kind else { return };
        let key = (kind.group.clone(), kind.kind.clone());
        if let std::collections::hash_map::Entry::Vacant(entry) = self.by_group_kind.entry(key) {
            entry.insert(self.kinds.len());
            self.kinds.push(kind);
        }
    }

    /// Joins kinds that another form of discovery found.
    pub fn from_kinds(found: impl IntoIterator<Item = Kind>) -> Self {
        let mut kinds = Self::default();
        for kind in found {
            kinds.extend(Some(kind));
        }
        kinds
    }

    /// All kinds, in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }

    /// The kind of that exact group (empty for core) and name.
    pub fn find(&self, group: &str, kind: &str) -> Option<&Kind> {
        let index = self.by_group_kind.get(&(group.to_owned(), kind.to_owned()))?;
        self.kinds.get(*index)
    }

    /// The kind that `contains-group-kinds` writes as `Kind` or `Kind.group`.
    pub fn find_group_kind(&self, group_kind: &str) -> Option<&Kind> {
        let (kind, group) = group_kind.split_once('.').unwrap_or((group_kind, ""));
        self.find(group, kind)
    }

    /// What a person means: a kind, plural, singular or short name, in any case, optionally `.group`. Of several
    /// it is the one of the core group, as for kubectl: its name cannot be said in any other way.
    pub fn named(&self, name: &str) -> Named<'_> {
        let wanted = name.trim().to_lowercase();
        let (short, group) = wanted.split_once('.').map_or((wanted.as_str(), None), |(s, g)| (s, Some(g)));
        let matching: Vec<&Kind> = self
            .kinds
            .iter()
            .filter(|kind| group.is_none_or(|group| kind.group == group))
            .filter(|kind| answers_to(kind, short))
            .collect();
        match matching.as_slice() {
            [one] => Named::One(one),
            [] => Named::None(self.nearest(short)),
            several => match several.iter().find(|kind| kind.group.is_empty()) {
                Some(core) => Named::One(core),
                None => Named::Several(several.to_vec()),
            },
        }
    }

    fn nearest(&self, short: &str) -> Vec<String> {
        let mut scored: Vec<(f64, String)> = self
            .kinds
            .iter()
            .map(|kind| (strsim::jaro_winkler(&kind.kind.to_lowercase(), short), kind.group_kind()))
            .filter(|(score, _)| *score > 0.8)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        scored.into_iter().take(5).map(|(_, name)| name).collect()
    }
}

fn answers_to(kind: &Kind, name: &str) -> bool {
    kind.kind.eq_ignore_ascii_case(name)
        || kind.plural == name
        || kind.singular == name
        || kind.short_names.iter().any(|short| short == name)
}

fn described(group: &str, version: &str, resource: APIResourceDiscovery) -> Option<Kind> {
    // responseKind may name another group: `deployments/scale` answers autoscaling/Scale
    Some(Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: resource.response_kind?.kind?,
        plural: resource.resource?,
        singular: resource.singular_resource.unwrap_or_default(),
        short_names: resource.short_names,
        namespaced: resource.scope.as_deref() == Some("Namespaced"),
        listable: resource.verbs.iter().any(|verb| verb == "list"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds() -> Kinds {
        let resource = |plural: &str, kind: &str, shorts: &[&str]| {
            json!({"resource": plural, "responseKind": {"kind": kind, "group": "", "version": "v1"},
                   "scope": "Namespaced", "singularResource": kind.to_lowercase(),
                   "shortNames": shorts, "verbs": ["get", "list"]})
        };
        let document = json!({"items": [
            {"metadata": {"name": "apps"}, "versions": [
                {"version": "v1", "resources": [resource("deployments", "Deployment", &["deploy"])]},
                {"version": "v1beta1", "resources": [resource("deployments", "Deployment", &[])]}]},
            {"metadata": {"name": ""}, "versions": [
                {"version": "v1", "resources": [resource("services", "Service", &["svc"])]}]},
            {"metadata": {"name": "serving.example"}, "versions": [
                {"version": "v1", "resources": [resource("services", "Service", &["ksvc"])]}]},
            {"metadata": {"name": "a.example"}, "versions": [
                {"version": "v1", "resources": [resource("gateways", "Gateway", &[])]}]},
            {"metadata": {"name": "b.example"}, "versions": [
                {"version": "v1", "resources": [resource("gateways", "Gateway", &[])]}]},
        ]});
        Kinds::from_aggregated([serde_json::from_value(document).expect("a discovery document")])
    }

    #[test]
    fn a_person_may_write_any_of_the_names() {
        let kinds = kinds();
        for name in ["Deployment", "deployments", "deployment", "DEPLOY", "deployments.apps"] {
            assert!(matches!(kinds.named(name), Named::One(kind) if kind.version == "v1"), "{name}");
        }
        assert!(matches!(kinds.named("gateway"), Named::Several(found) if found.len() == 2));
        assert!(matches!(kinds.named("gateway.b.example"), Named::One(_)));
        assert!(matches!(kinds.named("services"), Named::One(kind) if kind.group.is_empty()));
        assert!(matches!(kinds.named("Service.serving.example"), Named::One(kind) if !kind.group.is_empty()));
        assert_eq!(kinds.named("deploymnt"), Named::None(vec!["Deployment.apps".to_owned()]));
        assert_eq!(
            kinds.find_group_kind("Gateway.a.example").map(|kind| kind.plural.as_str()),
            Some("gateways")
        );
    }
}
