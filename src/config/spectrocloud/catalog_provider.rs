//! `catalogProvider`: what of an environment is exported as catalog entities, with the keys of the plugins' ingestor.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::problem::Wrong;
use crate::catalog::{Class, entity::is_reference, settings::Provider};

/// The owner of what has no other, as the ingestor has it.
const OWNER: &str = "spectrocloud-auto-ingested";
/// The kind of that owner.
const OWNER_KIND: &str = "group";

/// What of an environment is exported.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct CatalogProvider {
    /// Whether anything is; otherwise true.
    pub enabled: Option<bool>,
    /// Of the plugins; has no effect here: a catalog asks when it will.
    pub refresh_interval_seconds: Option<f64>,
    /// Who owns what is exported, by name; otherwise `spectrocloud-auto-ingested`.
    pub default_owner: Option<String>,
    /// The kind of the owner: `group` (otherwise) or `user`.
    pub owner_namespace: Option<String>,
    /// Only these projects, by name; otherwise all. What is the tenant's own is not in any.
    pub include_projects: Vec<String>,
    /// Not these projects, whatever `includeProjects` says.
    pub exclude_projects: Vec<String>,
    /// Whether what is the tenant's own is left out.
    pub exclude_tenant_scoped_resources: bool,
    /// What is exported; otherwise everything.
    pub resources: Resources,
}

/// What of an environment is exported; what is not said is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Resources {
    /// Projects, as systems.
    pub projects: Option<bool>,
    /// Cluster profiles.
    pub cluster_profiles: Option<bool>,
    /// Clusters.
    pub clusters: Option<bool>,
    /// Cluster groups.
    pub cluster_groups: Option<bool>,
    /// Virtual clusters.
    pub virtual_clusters: Option<bool>,
}

impl CatalogProvider {
    /// Whether it is exported at all.
    pub(super) fn is_on(&self) -> bool {
        self.enabled != Some(false)
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        match is_reference(&self.owner()) {
            true => Ok(()),
            false => {
                Err(Wrong::new("must be the name of a group or a user of the catalog").below("defaultOwner"))
            }
        }
    }

    /// For the environment of this URL. `instance` is the name that is written for it.
    pub(super) fn provider(&self, instance: Option<&str>, url: &str) -> Provider {
        let on = |resource: Option<bool>| resource != Some(false);
        let resources = &self.resources;
        let classes = [
            (Class::Project, resources.projects),
            (Class::ClusterProfile, resources.cluster_profiles),
            (Class::Cluster, resources.clusters),
            (Class::ClusterGroup, resources.cluster_groups),
            (Class::VirtualCluster, resources.virtual_clusters),
        ];
        Provider {
            instance: instance.map(str::to_owned),
            url: url.to_owned(),
            owner: self.owner(),
            include: self.include_projects.clone(),
            exclude: self.exclude_projects.clone(),
            without_tenant: self.exclude_tenant_scoped_resources,
            classes: classes.into_iter().filter(|(_, wanted)| on(*wanted)).map(|(class, _)| class).collect(),
        }
    }

    fn owner(&self) -> String {
        let kind = self.owner_namespace.as_deref().unwrap_or(OWNER_KIND);
        format!("{kind}:default/{}", self.default_owner.as_deref().unwrap_or(OWNER))
    }
}
