//! [`Draft`] and [`Entity`]: an entity before and after it is known which others there are
//! (`@backstage/catalog-model`, `Entity`).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::name;
use crate::answer::sanitise;

/// Characters of a title and of a description.
const LONGEST_TITLE: usize = 200;
/// Characters of an annotation that is a text.
const LONGEST_TEXT: usize = 500;
/// Characters of a tag and of a name (`CommonValidatorFunctions.isValidTag`, `isValidDnsLabel`).
const LONGEST_TAG: usize = 63;

/// What an entity stands for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Class {
    /// A Palette project.
    Project,
    /// A cluster profile with all its versions.
    ClusterProfile,
    /// A cluster of Palette's.
    Cluster,
    /// A group of host clusters.
    ClusterGroup,
    /// A virtual cluster.
    VirtualCluster,
}

impl Class {
    /// The kind of its entities.
    pub fn kind(self) -> Kind {
        match self {
            Self::Project => Kind::System,
            _ => Kind::Resource,
        }
    }

    /// `spec.type` where none is configured: what the plugins look for.
    pub fn usual_type(self) -> &'static str {
        match self {
            Self::Project => "spectrocloud-project",
            Self::ClusterProfile => "spectrocloud-cluster-profile",
            Self::Cluster => "spectrocloud-cluster",
            Self::ClusterGroup => "spectrocloud-cluster-group",
            Self::VirtualCluster => "spectrocloud-virtual-cluster",
        }
    }
}

/// A kind of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Kind {
    /// What others are parts of.
    System,
    /// What is there to be used.
    Resource,
}

impl Kind {
    /// As references have it.
    fn reference(self, name: &str) -> String {
        let kind = match self {
            Self::System => "system",
            Self::Resource => "resource",
        };
        format!("{kind}:default/{name}")
    }
}

/// What tells an entity from all others, whatever it is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// Unique within source and class. First, so that the older come first: Palette's begin with a time.
    pub uid: String,
    /// The environment.
    pub source: Arc<str>,
    /// What it is.
    pub class: Class,
}

/// An entity, before it is known which others there are.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What tells it from others.
    pub id: Id,
    /// Other uids that mean it: the versions of a profile.
    pub also: Vec<String>,
    /// The name that it has where no other has it.
    pub wanted: String,
    /// What people call it.
    pub title: String,
    /// A sentence.
    pub description: String,
    /// By whole key.
    pub annotations: BTreeMap<String, String>,
    /// Words.
    pub tags: Vec<String>,
    /// `spec.type`
    pub kind_of: String,
    /// Who answers for it.
    pub owner: String,
    /// What it is a part of.
    pub system: Option<Id>,
    /// What it stands on.
    pub depends_on: Vec<Id>,
}

/// An entity as a catalog takes it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    api_version: &'static str,
    kind: Kind,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
struct Metadata {
    name: String,
    title: String,
    description: String,
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Spec {
    r#type: String,
    lifecycle: &'static str,
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
}

impl Draft {
    /// Takes out of its texts what may not leave, and bounds them.
    pub fn clean(&mut self, clean: &dyn Fn(&str) -> String) {
        let cut = |text: &str, most| sanitise::short(&clean(text), most);
        self.title = cut(&self.title, LONGEST_TITLE);
        self.description = cut(&self.description, LONGEST_TITLE);
        for value in self.annotations.values_mut() {
            // a list as JSON is whole, or it is none
            let most = if value.starts_with('[') { usize::MAX } else { LONGEST_TEXT };
            *value = cut(value, most);
        }
        let mut seen = HashSet::new();
        self.tags =
            self.tags.iter().filter_map(|word| tag(word)).filter(|tag| seen.insert(tag.clone())).collect();
    }
}

/// The entities of these drafts, in a fixed order. What one refers to and is not among them is left out of it: a catalog
/// would show a relation that leads nowhere.
pub fn named(mut drafts: Vec<Draft>) -> Vec<Entity> {
    let mut known = HashSet::new();
    drafts.retain(|draft| known.insert(draft.id.clone()));
    let names = name::assigned(&drafts);
    let mut references: HashMap<Id, String> = HashMap::new();
    for (draft, name) in drafts.iter().zip(&names) {
        let reference = draft.id.class.kind().reference(name);
        for uid in &draft.also {
            let id = Id { uid: uid.clone(), ..draft.id.clone() };
            references.entry(id).or_insert_with(|| reference.clone());
        }
    }
    // its own uid means itself, whatever others say of theirs
    for (draft, name) in drafts.iter().zip(&names) {
        references.insert(draft.id.clone(), draft.id.class.kind().reference(name));
    }
    let mut entities: Vec<Entity> =
        drafts.into_iter().zip(names).map(|(draft, name)| entity(draft, name, &references)).collect();
    entities.sort_by(|one, other| (one.kind, &one.metadata.name).cmp(&(other.kind, &other.metadata.name)));
    entities
}

fn entity(draft: Draft, name: String, references: &HashMap<Id, String>) -> Entity {
    let mut seen = HashSet::new();
    let depends_on = draft.depends_on.iter().filter_map(|id| references.get(id));
    Entity {
        api_version: "backstage.io/v1alpha1",
        kind: draft.id.class.kind(),
        metadata: Metadata {
            name,
            title: draft.title,
            description: draft.description,
            annotations: draft.annotations,
            tags: draft.tags,
        },
        spec: Spec {
            r#type: draft.kind_of,
            lifecycle: "production",
            owner: draft.owner,
            system: draft.system.and_then(|id| references.get(&id).cloned()),
            depends_on: depends_on.filter(|reference| seen.insert((*reference).clone())).cloned().collect(),
        },
    }
}

/// Whether it is a reference to an entity, as `group:default/platform`, `group:platform` or `platform`: what
/// `spec.owner` takes (`parseEntityRef`).
pub fn is_reference(text: &str) -> bool {
    let is_name = |part: &str| {
        let may_be = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let whole = part.chars().all(may_be) && ends(part.chars().next()) && ends(part.chars().last());
        whole && part.len() <= LONGEST_TAG
    };
    let (kind, rest) = text.split_once(':').map_or((None, text), |(kind, rest)| (Some(kind), rest));
    let (namespace, name) = rest.split_once('/').map_or((None, rest), |(space, name)| (Some(space), name));
    kind.is_none_or(is_name) && namespace.is_none_or(is_name) && is_name(name)
}

/// A word as a tag may be (`CommonValidatorFunctions.isValidTag`): `[a-z0-9:+#]`, with single `-` between.
fn tag(word: &str) -> Option<String> {
    let may_be = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '+' | '#');
    let lower = word.to_lowercase();
    let parts: Vec<&str> = lower.split(|c| !may_be(c)).filter(|part| !part.is_empty()).collect();
    let joined = parts.join("-");
    let cut = joined.get(..LONGEST_TAG.min(joined.len())).unwrap_or_default().trim_end_matches('-');
    (!cut.is_empty()).then(|| cut.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(class: Class, uid: &str, wanted: &str) -> Draft {
        Draft {
            id: Id { uid: uid.to_owned(), source: "a".into(), class },
            also: Vec::new(),
            wanted: wanted.to_owned(),
            title: wanted.to_owned(),
            description: String::new(),
            annotations: BTreeMap::new(),
            tags: Vec::new(),
            kind_of: class.usual_type().to_owned(),
            owner: "group:default/a".to_owned(),
            system: None,
            depends_on: Vec::new(),
        }
    }

    fn shown(entities: &[Entity]) -> serde_json::Value {
        serde_json::to_value(entities).expect("JSON")
    }

    #[test]
    fn a_relation_is_by_uid_and_leads_somewhere_or_is_not_there() {
        let id = |class, uid: &str| Id { uid: uid.to_owned(), source: "a".into(), class };
        let project = draft(Class::Project, "1", "shop");
        let profile =
            Draft { also: vec!["20".into(), "21".into()], ..draft(Class::ClusterProfile, "20", "x") };
        let cluster = Draft {
            system: Some(id(Class::Project, "1")),
            depends_on: vec![
                id(Class::ClusterProfile, "21"),
                id(Class::ClusterProfile, "20"),
                id(Class::ClusterProfile, "gone"),
                id(Class::Cluster, "1"),
            ],
            ..draft(Class::Cluster, "3", "y")
        };
        let lost = Draft { system: Some(id(Class::Project, "2")), ..draft(Class::ClusterGroup, "4", "z") };
        let shown = shown(&named(vec![lost, cluster, profile, project]));
        let by_name = |name: &str| {
            let all = shown.as_array().expect("a list").iter();
            all.clone().find(|entity| entity["metadata"]["name"] == name).expect("it is there").clone()
        };
        assert_eq!(by_name("y")["spec"]["dependsOn"], serde_json::json!(["resource:default/x"]), "once");
        assert_eq!(by_name("y")["spec"]["system"], "system:default/shop");
        assert!(
            by_name("z")["spec"].get("system").is_none() && by_name("z")["spec"].get("dependsOn").is_none()
        );
        let kinds: Vec<_> = shown.as_array().expect("a list").iter().map(|entity| &entity["kind"]).collect();
        assert_eq!(kinds, ["System", "Resource", "Resource", "Resource"]);
    }

    #[test]
    fn tags_are_such_as_backstage_takes() {
        for (word, wanted) in [
            ("EKS", Some("eks")),
            ("apache-cloudstack", Some("apache-cloudstack")),
            ("edge  native/x", Some("edge-native-x")),
            ("--a--", Some("a")),
            ("日本", None),
            ("", None),
        ] {
            assert_eq!(tag(word).as_deref(), wanted, "{word:?}");
        }
        assert_eq!(
            tag(&format!("{}-b", "a".repeat(62))).map(|tag| tag.len()),
            Some(62),
            "no dash at its end"
        );
    }

    #[test]
    fn an_owner_is_a_reference() {
        for owner in
            ["group:default/platform", "user:default/a.b", "group:platform", "platform", "ns/platform"]
        {
            assert!(is_reference(owner), "{owner}");
        }
        for odd in
            ["", "group:", "group:default/", "group:default/a b", "a:b:c", "a/b/c", "-a", "group:default/ä"]
        {
            assert!(!is_reference(odd), "{odd:?}");
        }
    }

    #[test]
    fn what_comes_twice_is_one_entity_and_another_source_is_another() {
        let twice = vec![draft(Class::Cluster, "1", "x"), draft(Class::Cluster, "1", "x")];
        assert_eq!(named(twice).len(), 1);
        let mut other = draft(Class::Cluster, "1", "x");
        other.id.source = "b".into();
        let both = named(vec![other, draft(Class::Cluster, "1", "x")]);
        assert_eq!(both.len(), 2);
        assert_ne!(both[0].metadata.name, both[1].metadata.name);
    }
}
