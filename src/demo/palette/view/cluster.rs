//! A cluster: as a row of the lists, as the dashboard's summary, and in full.

use serde_json::{Value, json};

use super::{Meta, View, ZERO_TIME, pack_ref, pack_server_secret};
use crate::demo::palette::data::{Attached, Cluster};

impl View<'_> {
    fn cluster_metadata(&self, cluster: &Cluster) -> Value {
        self.metadata(&Meta {
            uid: &cluster.uid,
            name: &cluster.name,
            project: cluster.project.as_deref(),
            labels: Some(&cluster.labels),
            annotations: Some(&cluster.annotations),
            created: cluster.created,
            modified: cluster.modified,
        })
    }

    fn project_meta(&self, cluster: &Cluster) -> Option<Value> {
        let uid = cluster.project.as_deref()?;
        Some(json!({"name": self.data.project(uid)?.name, "uid": uid}))
    }

    /// `SpectroClusterMeta`
    pub(in super::super) fn cluster_meta(&self, cluster: &Cluster) -> Value {
        json!({
            "metadata": self.cluster_metadata(cluster),
            "spec": {
                "archType": ["amd64"],
                "cloudAccountUid": cluster.account,
                "cloudRegion": cluster.region,
                "cloudType": cluster.environment,
                "clusterType": "PureManage",
                "location": location(cluster),
                "tags": tags(cluster),
            },
            "status": {"state": cluster.state},
        })
    }

    /// `SpectroClusterMetaSummary`
    pub(in super::super) fn cluster_row(&self, cluster: &Cluster) -> Value {
        let health = (!cluster.health.state.is_empty())
            .then(|| json!({"state": cluster.health.state, "isHeartBeatFailed": heartbeat_failed(cluster)}));
        json!({
            "metadata": self.cluster_metadata(cluster),
            "specSummary": {
                "archType": ["amd64"],
                "cloudAccountUid": cluster.account,
                "cloudType": cluster.environment,
                "clusterType": "PureManage",
                "importMode": "",
                "location": location(cluster),
                "projectMeta": self.project_meta(cluster),
                "tags": tags(cluster),
            },
            "status": {
                "state": cluster.state,
                "health": health,
                "updates": {"isUpdatesPending": !cluster.updates.is_empty()},
                "cost": {"total": 0.0},
                "fips": {"mode": "none"},
            },
        })
    }

    /// `SpectroClusterSummary`
    pub(in super::super) fn cluster_summary(&self, cluster: &Cluster) -> Value {
        json!({
            "metadata": self.cluster_metadata(cluster),
            "specSummary": {
                "archTypes": ["amd64"],
                "cloudAccountMeta": self.account_meta(cluster),
                "cloudConfig": cloud_config(cluster),
                "clusterConfig": {"hostClusterConfig": {"clusterGroup": self.group_of(cluster)}, "timezone": "UTC"},
                "clusterProfileTemplates": self.templates(cluster),
                "projectMeta": self.project_meta(cluster),
            },
            "status": {
                "state": cluster.state,
                "health": self.health(cluster),
                "metrics": self.metrics(cluster),
                "notifications": notifications(cluster),
                "repave": cluster.repave.as_ref().map(|repave| json!({"state": repave.state})),
                "virtual": self.virtual_status(cluster),
                "location": location(cluster),
                "fips": {"mode": "none"},
            },
        })
    }

    /// `SpectroClusterUidSummary`
    pub(in super::super) fn cluster_overview(&self, cluster: &Cluster) -> Value {
        json!({
            "metadata": self.cluster_metadata(cluster),
            "spec": {
                "archTypes": ["amd64"],
                "cloudConfig": cloud_config(cluster),
                "cloudaccount": self.account_meta(cluster),
                "clusterProfileTemplates": self.templates(cluster),
            },
            "status": {
                "state": cluster.state,
                "abortTimestamp": ZERO_TIME,
                "addOnServices": services(cluster),
                "apiEndpoints": endpoints(cluster),
                "clusterImport": import(cluster),
                "conditions": self.conditions(&cluster.conditions),
                "health": self.health(cluster),
                "kubeMeta": {
                    "hasKubeConfig": cluster.connectable(),
                    "hasKubeConfigClient": cluster.connectable() && cluster.oidc.is_some(),
                    "hasManifest": false,
                    "kubernetesVersion": cluster.kubernetes_version,
                },
                "location": location(cluster),
                "metrics": self.metrics(cluster),
                "notifications": notifications(cluster),
                "packs": self.pack_statuses(cluster),
                "services": [],
                "upgrades": self.upgrades(cluster),
                "virtual": self.virtual_status(cluster),
                "workspaces": [],
                "fips": {"mode": "none"},
            },
        })
    }

    /// `SpectroCluster`: the values of the packs, but no health.
    pub(in super::super) fn cluster_full(&self, cluster: &Cluster) -> Value {
        let templates: Vec<Value> = cluster.profiles.iter().filter_map(|of| self.template(of)).collect();
        let (kind, config) = match &cluster.virtual_cluster {
            Some(_) => ("virtual", self.config_uid(cluster)),
            None => (cluster.environment.as_str(), self.config_uid(cluster)),
        };
        let host =
            cluster.virtual_cluster.as_ref().map(|of| json!({"kind": "spectrocluster", "uid": of.host}));
        json!({
            "apiVersion": "cluster.spectrocloud.com/v1",
            "kind": "SpectroCluster",
            "metadata": self.cluster_metadata(cluster),
            "spec": {
                "cloudConfigRef": {"kind": kind, "name": cluster.name, "uid": config},
                "cloudType": cluster.environment,
                "clusterType": "PureManage",
                "clusterConfig": {
                    "timezone": "UTC",
                    "hostClusterConfig": {
                        "clusterGroup": self.group_of(cluster),
                        "hostCluster": host,
                        "isHostCluster": self.data.groups.iter().any(|group| group.hosts.contains(&cluster.uid)),
                    },
                },
                "clusterProfileTemplates": templates,
            },
            "status": {
                "state": cluster.state,
                "abortTimestamp": ZERO_TIME,
                "addOnServices": services(cluster),
                "apiEndpoints": endpoints(cluster),
                "clusterImport": import(cluster),
                "conditions": self.conditions(&cluster.conditions),
                "fips": {"mode": "none"},
                "packs": self.pack_statuses(cluster),
                "profileStatus": {"hasUserMacros": false},
                "repave": cluster.repave.as_ref().map(|repave| json!({"state": repave.state})),
                "services": [],
                "upgrades": self.upgrades(cluster),
                "virtual": self.virtual_status(cluster),
            },
        })
    }

    /// `ClusterProfileTemplateMeta` of what is attached.
    pub(super) fn template_meta(&self, version: &str) -> Option<Value> {
        let (profile, version) = self.data.version(version)?;
        let packs: Vec<Value> = version.packs.iter().map(|pack| pack_ref(pack, None)).collect();
        Some(json!({
            "uid": version.uid,
            "name": profile.name,
            "scope": if profile.project.is_some() { "project" } else { "tenant" },
            "type": profile.kind,
            "cloudType": profile.cloud_type,
            "version": 1,
            "packs": packs,
        }))
    }

    fn templates(&self, cluster: &Cluster) -> Vec<Value> {
        cluster.profiles.iter().filter_map(|attached| self.template_meta(&attached.version)).collect()
    }

    /// `ClusterProfileTemplate` with the values as they are on the cluster.
    pub(in super::super) fn template(&self, attached: &Attached) -> Option<Value> {
        let (profile, version) = self.data.version(&attached.version)?;
        let packs: Vec<Value> = version
            .packs
            .iter()
            .map(|pack| pack_ref(pack, Some(attached.values.get(&pack.name).unwrap_or(&pack.values))))
            .collect();
        Some(json!({
            "uid": version.uid,
            "name": profile.name,
            "type": profile.kind,
            "cloudType": profile.cloud_type,
            "profileVersion": version.version,
            "version": 1,
            "packs": packs,
            "packServerRefs": [],
            "packServerSecret": pack_server_secret(profile),
        }))
    }

    fn virtual_status(&self, cluster: &Cluster) -> Option<Value> {
        let guests: Vec<Value> =
            self.guests(|of| of.host == cluster.uid).map(|of| self.reference(of)).collect();
        let Some(of) = &cluster.virtual_cluster else {
            return (!guests.is_empty()).then(|| json!({"virtualClusters": guests, "appDeployments": []}));
        };
        let lifecycle = if of.lifecycle.is_empty() { "Running" } else { &of.lifecycle };
        Some(json!({
            "clusterGroup": self.group_of(cluster),
            "hostCluster": self.data.cluster(&of.host).map(|host| self.reference(host)),
            "virtualClusters": [],
            "appDeployments": [],
            "lifecycleStatus": {"status": lifecycle, "msg": of.message},
            "state": cluster.state,
        }))
    }

    fn group_of(&self, cluster: &Cluster) -> Option<Value> {
        let uid = cluster.virtual_cluster.as_ref()?.group.as_deref()?;
        let group = self.data.groups.iter().find(|group| group.uid == uid)?;
        Some(json!({"kind": "clustergroup", "name": group.name, "uid": group.uid}))
    }

    fn account_meta(&self, cluster: &Cluster) -> Option<Value> {
        let uid = cluster.account.as_deref()?;
        let account = self.data.accounts.iter().find(|account| account.uid == uid)?;
        Some(json!({"name": account.name, "uid": account.uid}))
    }
}

fn cloud_config(cluster: &Cluster) -> Value {
    let pools: Vec<Value> = cluster
        .pools
        .iter()
        .map(|pool| {
            json!({
                "cloudType": cluster.environment,
                "isControlPlane": pool.control_plane,
                "size": pool.size,
                "healthy": pool.healthy,
                "maintenanceMode": 0,
                "labels": [if pool.control_plane { "control-plane" } else { "worker" }],
            })
        })
        .collect();
    let uid = crate::demo::palette::data::uid(&format!("config/{}", cluster.uid));
    json!({"cloudType": cluster.environment, "uid": uid, "machinePools": pools})
}

fn notifications(cluster: &Cluster) -> Value {
    json!({"isAvailable": !cluster.updates.is_empty(), "isTemplateVariableResolutionPending": false})
}

fn endpoints(cluster: &Cluster) -> Vec<Value> {
    cluster.endpoints.iter().map(|(host, port)| json!({"host": host, "port": port})).collect()
}

fn services(cluster: &Cluster) -> Vec<Value> {
    cluster.services.iter().map(|(name, endpoint)| json!({"name": name, "endpoint": endpoint})).collect()
}

fn import(cluster: &Cluster) -> Option<Value> {
    let link = Some(&cluster.import_link).filter(|link| !link.is_empty())?;
    Some(json!({"importLink": link, "isBrownfield": true, "state": "Imported"}))
}

fn location(cluster: &Cluster) -> Value {
    json!({"regionName": cluster.region, "regionCode": cluster.region, "countryCode": "", "countryName": ""})
}

fn tags(cluster: &Cluster) -> Vec<String> {
    let tags = cluster.labels.iter();
    tags.map(|(key, value)| if value == "spectro__tag" { key.clone() } else { format!("{key}:{value}") })
        .collect()
}

/// The plane gives up on an agent after ten minutes.
fn heartbeat_failed(cluster: &Cluster) -> bool {
    cluster.connectable() && cluster.health.heartbeat.is_none_or(|age| age > 10)
}
