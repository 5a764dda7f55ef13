//! [`PackChange`]: what differs between two states of the packs of a profile, or of a profile and a cluster.

use schemars::JsonSchema;
use serde::Serialize;

use super::written::Written;
use crate::{
    kubernetes::difference::Difference,
    palette::api::pack::{ManifestSummary, PackEntity, PackRef, Text},
};

/// A pack as it is in a profile's version, or on a cluster.
#[derive(Clone, Debug, Default)]
pub struct PackState {
    /// Which pack.
    pub name: String,
    /// `kernel`, `os`, `k8s`, `cni`, `csi`, `addon`
    pub layer: String,
    /// `spectro`, `helm`, `manifest`, `oci`
    pub kind: String,
    /// Its version.
    pub version: String,
    /// YAML, as it came.
    pub values: Text,
    /// With contents where they were read.
    pub manifests: Vec<ManifestSummary>,
}

impl From<PackEntity> for PackState {
    fn from(pack: PackEntity) -> Self {
        let PackEntity { metadata, spec } = pack;
        let name = if spec.name.is_empty() { metadata.name } else { spec.name };
        let (layer, kind, version) = (spec.layer, spec.kind, spec.version);
        Self { name, layer, kind, version, values: spec.values, manifests: spec.manifests }
    }
}

impl From<PackRef> for PackState {
    fn from(pack: PackRef) -> Self {
        let version = if pack.tag.is_empty() { pack.version } else { pack.tag };
        let (name, layer, kind) = (pack.name, pack.layer, pack.kind);
        Self { name, layer, kind, version, values: pack.values, manifests: pack.manifests }
    }
}

/// Which parts of packs the caller may see.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// Values (`spectrocloud.cluster.view-pack-values`).
    pub values: bool,
    /// Contents of manifests (`spectrocloud.cluster.view-pack-manifests`).
    pub manifests: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only after.
    Added,
    /// Only before.
    Removed,
    /// In both, otherwise.
    Changed,
}

/// A pack that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PackChange {
    /// Which pack.
    pub pack: String,
    /// Its layer, after.
    pub layer: String,
    /// What became of it.
    pub change: Kind,
    /// `before → after` where it differs, else its version.
    pub version: String,
    /// The layer before, where it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_before: Option<String>,
    /// By path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Difference>,
    /// How the values were read, where that is not as YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// Those that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<ManifestChange>,
}

/// A manifest that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ManifestChange {
    /// Which one.
    pub manifest: String,
    /// What became of it.
    pub change: Kind,
    /// By path; left out where you may not see contents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

impl PackChange {
    /// Whether values or manifests differ, not only the version.
    pub fn is_of_content(&self) -> bool {
        !self.values.is_empty() || !self.manifests.is_empty()
    }

    /// Whether the version differs.
    pub fn is_of_version(&self) -> bool {
        self.change == Kind::Changed && self.version.contains(" → ")
    }
}

/// What differs, in the order of `after`; what is gone comes last. The n-th pack of a name is held against the n-th.
pub fn compare(before: &[PackState], after: &[PackState], parts: Parts) -> Vec<PackChange> {
    let (old, new) = (keyed(before), keyed(after));
    let counterpart =
        |key: &(String, usize)| old.iter().find(|(known, _)| known == key).map(|(_, pack)| *pack);
    let mut found: Vec<PackChange> = new
        .iter()
        .filter_map(|(key, after)| match counterpart(key) {
            Some(before) => changed(before, after, parts),
            None => Some(whole(after, Kind::Added)),
        })
        .collect();
    let gone = old.iter().filter(|(key, _)| !new.iter().any(|(known, _)| known == key));
    found.extend(gone.map(|(_, before)| whole(before, Kind::Removed)));
    found
}

fn keyed(packs: &[PackState]) -> Vec<((String, usize), &PackState)> {
    let mut counts = std::collections::HashMap::<&str, usize>::new();
    packs
        .iter()
        .map(|pack| {
            let count = counts.entry(&pack.name).or_default();
            *count += 1;
            ((pack.name.clone(), *count), pack)
        })
        .collect()
}

fn whole(pack: &PackState, change: Kind) -> PackChange {
    PackChange {
        pack: pack.name.clone(),
        layer: pack.layer.clone(),
        change,
        version: pack.version.clone(),
        layer_before: None,
        values: Vec::new(),
        note: None,
        manifests: Vec::new(),
    }
}

fn changed(before: &PackState, after: &PackState, parts: Parts) -> Option<PackChange> {
    let mut change = whole(after, Kind::Changed);
    let mut differs = false;
    if before.version != after.version {
        change.version = format!("{} → {}", before.version, after.version);
        differs = true;
    }
    if before.layer != after.layer {
        change.layer_before = Some(before.layer.clone());
        differs = true;
    }
    if parts.values && before.values != after.values {
        let (old, new) = (Written::read(&before.values.0), Written::read(&after.values.0));
        change.values = old.differences(&new);
        change.note = old.note().or(new.note()).filter(|_| !change.values.is_empty());
    }
    change.manifests = manifests(&before.manifests, &after.manifests, parts);
    (differs || change.is_of_content()).then_some(change)
}

fn manifests(before: &[ManifestSummary], after: &[ManifestSummary], parts: Parts) -> Vec<ManifestChange> {
    let find = |list: &'_ [ManifestSummary], name: &str| list.iter().find(|one| one.name == name).cloned();
    let told =
        |name: &str, change, differences| ManifestChange { manifest: name.to_owned(), change, differences };
    let mut found = Vec::new();
    for after in after {
        let Some(before) = find(before, &after.name) else {
            found.push(told(&after.name, Kind::Added, Vec::new()));
            continue;
        };
        match (&before.content, &after.content) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => {
                let differences = Written::read(&old.0).differences(&Written::read(&new.0));
                if !differences.is_empty() {
                    let shown = if parts.manifests { differences } else { Vec::new() };
                    found.push(told(&after.name, Kind::Changed, shown));
                }
            }
            _ if before.digest != after.digest => {
                found.push(told(&after.name, Kind::Changed, Vec::new()));
            }
            _ => {}
        }
    }
    let gone = before.iter().filter(|before| find(after, &before.name).is_none());
    found.extend(gone.map(|before| told(&before.name, Kind::Removed, Vec::new())));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(name: &str, version: &str, values: &str) -> PackState {
        PackState {
            name: name.to_owned(),
            layer: "addon".to_owned(),
            version: version.to_owned(),
            values: Text(values.to_owned()),
            ..PackState::default()
        }
    }

    fn with(mut pack: PackState, name: &str, content: &str) -> PackState {
        let manifest = ManifestSummary {
            name: name.to_owned(),
            content: Some(Text(content.to_owned())),
            ..ManifestSummary::default()
        };
        pack.manifests.push(manifest);
        pack
    }

    const BOTH: Parts = Parts { values: true, manifests: true };

    #[test]
    fn packs_are_added_removed_and_changed() {
        let before = [pack("k8s", "1.29", "a: 1"), pack("gone", "1", ""), pack("same", "1", "x: 1 # y")];
        let after = [pack("k8s", "1.30", "a: 2"), pack("new", "1", ""), pack("same", "1", "x: 1")];
        let found = compare(&before, &after, BOTH);
        let told: Vec<_> =
            found.iter().map(|one| (one.pack.as_str(), one.change, one.version.as_str())).collect();
        assert_eq!(
            told,
            [("k8s", Kind::Changed, "1.29 → 1.30"), ("new", Kind::Added, "1"), ("gone", Kind::Removed, "1")]
        );
        assert_eq!(found[0].values[0].to_string(), "~ a: 1 → 2");
    }

    #[test]
    fn each_part_is_told_to_whoever_may_see_it() {
        let before = [with(pack("a", "1", "v: 1"), "m", "kind: X\nn: 1")];
        let after = [with(pack("a", "1", "v: 2"), "m", "kind: X\nn: 2")];
        let all = compare(&before, &after, BOTH);
        assert_eq!((all[0].values.len(), all[0].manifests[0].differences.len()), (1, 1));
        let values = compare(&before, &after, Parts { values: true, manifests: false });
        assert_eq!((values[0].values.len(), values[0].manifests[0].differences.len()), (1, 0));
        let none = compare(&before, &after, Parts { values: false, manifests: false });
        assert!(none[0].values.is_empty() && none[0].manifests[0].differences.is_empty());
    }

    #[test]
    fn two_packs_of_one_name_are_held_against_each_other_in_turn() {
        let before = [pack("a", "1", ""), pack("a", "2", "")];
        let after = [pack("a", "1", ""), pack("a", "3", "")];
        let found = compare(&before, &after, BOTH);
        assert_eq!((found.len(), found[0].version.as_str()), (1, "2 → 3"));
    }
}
