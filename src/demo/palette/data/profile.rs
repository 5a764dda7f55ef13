//! A cluster profile: versions of packs, with their values, manifests and variables.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::uid;

/// A profile: each of its versions is a resource of its own, with that version's uid.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Profile {
    /// As Palette names it.
    pub name: String,
    /// The uid of its project; none for the tenant's.
    pub project: Option<String>,
    /// `cluster`, `infra`, `add-on` or `system`.
    pub kind: String,
    /// `all` for add-ons.
    pub cloud_type: String,
    /// Tags have the value `spectro__tag`.
    pub labels: BTreeMap<String, String>,
    /// Beside those of the scope.
    pub annotations: BTreeMap<String, String>,
    /// `packServerSecret` of its templates.
    pub pack_server_secret: String,
    /// In the order they were made.
    pub versions: Vec<Version>,
    /// Its age.
    pub created: i64,
}

/// A version of a profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Version {
    /// 24 hexadecimal digits.
    pub uid: String,
    /// As in `1.2.0`.
    pub version: String,
    /// Not published.
    pub draft: bool,
    /// From the bottom layer up.
    pub packs: Vec<Pack>,
    /// What clusters set.
    pub variables: Vec<Variable>,
}

/// A pack of a version.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Pack {
    /// As Palette names it.
    pub name: String,
    /// `kernel`, `os`, `k8s`, `cni`, `csi` or `addon`.
    pub layer: String,
    /// `spectro`, `helm`, `manifest` or `oci`.
    pub kind: String,
    /// Its version; what Palette calls `version` is the pack's own number, which nobody looks at.
    pub tag: String,
    /// YAML.
    pub values: String,
    /// Its own manifests.
    pub manifests: Vec<Manifest>,
    /// The day support ends.
    pub eol: String,
    /// Counted in the profile's `status.pack`.
    pub deprecated: bool,
    /// Beside those of the scope.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest of a pack.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Manifest {
    /// 24 hexadecimal digits.
    pub uid: String,
    /// As Palette names it.
    pub name: String,
    /// YAML.
    pub content: String,
}

/// `Variable`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Variable {
    /// As Palette names it.
    pub name: String,
    /// What people are told of it.
    pub description: String,
    /// Where a cluster sets none.
    pub default_value: String,
    /// Empty is `string`.
    pub format: String,
    /// What a value has to look like.
    pub regex: String,
    /// The values to choose from.
    pub options: Vec<String>,
    /// Must be set.
    pub required: bool,
    /// Cannot be changed once set.
    pub immutable: bool,
    /// Not shown to people.
    pub hidden: bool,
    /// Not to be shown to anybody.
    pub sensitive: bool,
}

impl Default for Pack {
    fn default() -> Self {
        Self {
            name: String::new(),
            layer: "addon".into(),
            kind: "spectro".into(),
            tag: String::new(),
            values: String::new(),
            manifests: Vec::new(),
            eol: String::new(),
            deprecated: false,
            annotations: BTreeMap::new(),
        }
    }
}

impl Pack {
    /// One of the public registry.
    pub fn new(layer: &str, name: &str, tag: &str, values: &str) -> Self {
        Self {
            layer: layer.into(),
            name: name.into(),
            tag: tag.into(),
            values: values.into(),
            ..Self::default()
        }
    }

    /// The uid of this version of it.
    pub fn uid(&self) -> String {
        uid(&format!("pack/{}/{}", self.name, self.tag))
    }
}

impl Manifest {
    /// With a uid made of the name and the content.
    pub fn new(name: &str, content: &str) -> Self {
        Self { uid: uid(&format!("manifest/{name}/{content}")), name: name.into(), content: content.into() }
    }
}

impl Profile {
    /// An add-on profile in the project of that uid (or the tenant's), without a version.
    pub fn new(name: &str, project: Option<&str>) -> Self {
        Self {
            name: name.into(),
            project: project.map(Into::into),
            kind: "add-on".into(),
            cloud_type: "all".into(),
            created: 200 * 24 * 60,
            ..Self::default()
        }
    }

    /// With another version, whose uid is made of the profile and the version.
    #[must_use]
    pub fn with(mut self, version: &str, packs: Vec<Pack>) -> Self {
        let scope = self.project.as_deref().unwrap_or("tenant");
        let uid = uid(&format!("profile/{scope}/{}/{version}", self.name));
        self.versions.push(Version { uid, version: version.into(), packs, ..Version::default() });
        self
    }
}
