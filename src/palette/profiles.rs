//! Cluster profiles: one of a name and a place, in several versions, of which each has a uid of its own.

pub mod find;
pub mod listing;
pub mod usage;

use super::{
    api::profile::{PackCounts, ProfileSummary, TemplateSummary},
    place::Place,
    version::order,
};

/// A profile with all its versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Whether the vendor made it.
    pub is_system: bool,
    /// `cluster`, `infra`, `add-on`, `system`
    pub kind: String,
    /// `aws`, `vsphere`, `all`, …
    pub cloud_type: String,
    /// The uid of the private cloud gateway, where there is one.
    pub overlord: String,
    /// From the oldest to the newest.
    pub versions: Vec<Version>,
}

/// A version of a profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Version {
    /// What clusters refer to.
    pub uid: String,
    /// `1.2.0`
    pub version: String,
    /// What its own row told; nothing where another version's row only names it.
    pub told: Option<Told>,
}

/// What the row of a version tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Whether no cluster can get it yet.
    pub is_draft: bool,
    /// Uids of clusters on it.
    pub users: Vec<String>,
    /// What its registries say of its packs.
    pub packs: PackCounts,
}

impl Profile {
    /// The newest that clusters can get; where there is none, the newest.
    pub fn latest(&self) -> Option<&Version> {
        let is_draft = |version: &&Version| version.told.as_ref().is_some_and(|told| told.is_draft);
        let published = self.versions.iter().rev().find(|version| !is_draft(version));
        published.or(self.versions.last())
    }

    /// The version of exactly this name or uid.
    pub fn version(&self, written: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.version == written || version.uid == written)
    }

    /// The scope as people say it: `tenant`, `system`, or the project.
    pub fn scope(&self) -> &str {
        match self.place.shown() {
            Some(project) => project,
            None if self.is_system => "system",
            None => "tenant",
        }
    }
}

/// Rows of versions as profiles; `named` gives a place its project's name.
pub fn grouped(rows: Vec<ProfileSummary>, named: impl Fn(Place) -> Place) -> Vec<Profile> {
    let mut profiles = std::collections::BTreeMap::<(String, Place), Profile>::new();
    for row in rows {
        let place = named(row.metadata.place());
        let is_system = row.metadata.annotations.get("scope").is_some_and(|scope| scope == "system");
        let spec = row.spec_summary;
        let is_draft = spec.is_draft();
        let TemplateSummary { cloud_type, kind } = spec.published.or(spec.draft).unwrap_or_default();
        let overlord = row.metadata.annotations.get("overlordUid").cloned().unwrap_or_default();
        let name = row.metadata.name;
        let profile = profiles.entry((name.clone(), place.clone())).or_insert_with(|| Profile {
            name,
            place,
            is_system,
            kind,
            cloud_type,
            overlord,
            versions: Vec::new(),
        });
        let users = row.status.in_use_clusters.into_iter().map(|user| user.uid).collect();
        let told = Told { is_draft, users, packs: row.status.pack };
        let uid = row.metadata.uid;
        let version = match spec.versions.iter().find(|version| version.uid == uid) {
            Some(known) if spec.version.is_empty() => known.version.clone(),
            _ => spec.version,
        };
        add(&mut profile.versions, Version { uid, version, told: Some(told) });
        for version in spec.versions {
            add(&mut profile.versions, Version { uid: version.uid, version: version.version, told: None });
        }
    }
    let mut profiles: Vec<Profile> = profiles.into_values().collect();
    for profile in &mut profiles {
        profile
            .versions
            .sort_by(|one, other| order(&one.version, &other.version).then_with(|| one.uid.cmp(&other.uid)));
    }
    profiles
}

/// Adds a version, or what is told of one that is known.
fn add(versions: &mut Vec<Version>, version: Version) {
    if version.uid.is_empty() {
        return;
    }
    match versions.iter_mut().find(|known| known.uid == version.uid) {
        None => versions.push(version),
        Some(known) => {
            if known.version.is_empty() {
                known.version = version.version;
            }
            known.told = version.told.or(known.told.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(rows: serde_json::Value) -> Vec<Profile> {
        grouped(serde_json::from_value(rows).expect("rows"), |place| place)
    }

    #[test]
    fn rows_of_versions_are_one_profile_of_each_place() {
        let versions = json!([{"uid": "u1", "version": "1.9.0"}, {"uid": "u2", "version": "1.10.0"}]);
        let row = |uid: &str, version: &str, scope: &str, project: &str| {
            json!({"metadata": {"name": "base", "uid": uid, "annotations": {"scope": scope, "projectUid": project}},
                   "specSummary": {"version": version, "versions": versions, "published": {"type": "infra", "cloudType": "aws"}},
                   "status": {"inUseClusters": [{"uid": format!("c-{uid}")}]}})
        };
        let mut other = row("u9", "1.0.0", "project", "p1");
        other["specSummary"]["versions"] = json!(null);
        let found = rows(json!([row("u2", "1.10.0", "tenant", ""), other, row("u1", "1.9.0", "tenant", "")]));
        assert_eq!(found.len(), 2);
        let tenant = &found[0];
        assert_eq!(
            (tenant.scope(), tenant.kind.as_str(), tenant.cloud_type.as_str()),
            ("tenant", "infra", "aws")
        );
        let told: Vec<_> = tenant
            .versions
            .iter()
            .map(|version| (version.version.as_str(), version.told.is_some()))
            .collect();
        assert_eq!(told, [("1.9.0", true), ("1.10.0", true)]);
        assert_eq!(found[1].place.project_uid(), Some("p1"));
    }

    #[test]
    fn a_draft_is_not_the_latest_and_one_row_tells_of_all_versions() {
        let found = rows(json!([
            {"metadata": {"name": "base", "uid": "u2"},
             "specSummary": {"version": "2.0.0", "draft": {"type": "infra"}, "published": null,
                             "versions": [{"uid": "u1", "version": "1.0.0"}, {"uid": "u2", "version": "2.0.0"}]}}
        ]));
        assert_eq!(found[0].versions.len(), 2);
        assert_eq!(found[0].latest().map(|version| version.uid.as_str()), Some("u1"));
        assert_eq!(found[0].version("2.0.0"), found[0].version("u2"));
    }
}
