//! `entities`: what is exported to a catalog, where the plugins' own block does not say it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{problem::Wrong, spectrocloud::Spectrocloud};
use crate::{
    caller::Reader,
    catalog::{Class, Settings, entity::is_reference},
    permission::Within,
};

/// Characters of a type.
const LONGEST_TYPE: usize = 63;

/// Catalog entities: `platform-mcp entities`, and `GET /entities`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Entities {
    /// Who owns everything that is exported, as `group:default/platform`; otherwise what `catalogProvider` of each
    /// environment says.
    pub owner: Option<String>,
    /// `spec.type` of each class, where it is not to be the one that the plugins look for.
    pub types: Types,
    /// A program that reads `GET /entities` with a token of its own, as Backstage does.
    pub reader: Option<ReaderToken>,
}

/// `spec.type` by class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Types {
    /// Otherwise `spectrocloud-project`.
    pub project: Option<String>,
    /// Otherwise `spectrocloud-cluster-profile`.
    pub cluster_profile: Option<String>,
    /// Otherwise `spectrocloud-cluster`.
    pub cluster: Option<String>,
    /// Otherwise `spectrocloud-cluster-group`.
    pub cluster_group: Option<String>,
    /// Otherwise `spectrocloud-virtual-cluster`.
    pub virtual_cluster: Option<String>,
}

/// A token that opens `GET /entities` and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReaderToken {
    /// The file that holds it, at least 32 characters, as `openssl rand -hex 32` makes them. Read at each use.
    pub token_file: PathBuf,
    /// What it opens of what is exported; otherwise all.
    #[serde(default)]
    pub within: Within,
}

impl Types {
    fn all(&self) -> [(&'static str, Class, Option<&String>); 5] {
        [
            ("project", Class::Project, self.project.as_ref()),
            ("clusterProfile", Class::ClusterProfile, self.cluster_profile.as_ref()),
            ("cluster", Class::Cluster, self.cluster.as_ref()),
            ("clusterGroup", Class::ClusterGroup, self.cluster_group.as_ref()),
            ("virtualCluster", Class::VirtualCluster, self.virtual_cluster.as_ref()),
        ]
    }
}

impl Entities {
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        if self.owner.as_ref().is_some_and(|owner| !is_reference(owner)) {
            let what = "must be an entity of the catalog, as group:default/platform";
            return Err(Wrong::new(what).below("owner"));
        }
        for (key, _, written) in self.types.all() {
            let readable = |text: &&String| {
                let plain = |c: char| c.is_ascii_graphic();
                !text.is_empty() && text.len() <= LONGEST_TYPE && text.chars().all(plain)
            };
            if written.is_some_and(|text| !readable(&text)) {
                let what = format!("must be a word of at most {LONGEST_TYPE} characters");
                return Err(Wrong::new(what).below(key).below("types"));
            }
        }
        Ok(())
    }

    /// What is exported, and as what.
    pub(super) fn settings(&self, spectrocloud: &Spectrocloud) -> Settings {
        let types = self.types.all().into_iter();
        Settings {
            prefix: spectrocloud.prefix().to_owned(),
            owner: self.owner.clone(),
            types: types
                .filter_map(|(_, class, word)| Some((class, word?.clone())))
                .collect::<BTreeMap<_, _>>(),
            environments: spectrocloud.exported(),
        }
    }

    /// Who reads it with a token of its own. `resolved` says what a path means.
    pub(super) fn reader(&self, resolved: impl Fn(&Path) -> PathBuf) -> Option<Reader> {
        let reader = self.reader.as_ref()?;
        Some(Reader::new(resolved(&reader.token_file), reader.within.clone(), "entities.reader"))
    }
}
