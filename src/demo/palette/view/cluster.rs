//! A cluster: as a row of the lists, as the dashboard's summary, and in full.

use serde_json::{Value, json};

use super::{Meta, View, ZERO_TIME, pack_ref};
use crate::demo::palette::data::{Attached, Cluster, Condition, Usage};

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
                "addOnServices": [],
                "apiEndpoints": endpoints(cluster),
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
                "addOnServices": [],
                "apiEndpoints": endpoints(cluster),
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
        }))
    }

    fn health(&self, cluster: &Cluster) -> Option<Value> {
        let health = &cluster.health;
        let conditions: Vec<Value> = health
            .conditions
            .iter()
            .map(|condition| {
                let about = condition.about.as_ref();
                json!({
                    "type": condition.kind,
                    "message": condition.message,
                    "relatedObject": about.map(|(kind, name)| json!({"kind": kind, "name": name, "uid": ""})),
                })
            })
            .collect();
        (!health.state.is_empty()).then(|| {
            json!({
                "state": health.state,
                "agentVersion": health.agent_version,
                "lastHeartBeatTimestamp": health.heartbeat.map_or(ZERO_TIME.into(), |age| self.time(age)),
                "conditions": conditions,
            })
        })
    }

    fn metrics(&self, cluster: &Cluster) -> Option<Value> {
        let usage = |usage: &Usage, unit: &str| {
            json!({
                "limit": usage.limit, "request": usage.request, "total": usage.total, "usage": usage.usage,
                "unit": unit, "lastUpdatedTime": self.time(2),
            })
        };
        let metrics = cluster.metrics.as_ref()?;
        Some(json!({"cpu": usage(&metrics.cpu, "MilliCore"), "memory": usage(&metrics.memory, "KiB")}))
    }

    /// `ClusterCondition`s.
    pub(super) fn conditions(&self, conditions: &[Condition]) -> Vec<Value> {
        conditions.iter().map(|condition| self.condition(condition)).collect()
    }

    fn condition(&self, condition: &Condition) -> Value {
        json!({
            "type": condition.kind,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
            "lastProbeTime": self.time(1),
            "lastTransitionTime": self.time(condition.since),
        })
    }

    fn pack_statuses(&self, cluster: &Cluster) -> Vec<Value> {
        let installed = Condition { reason: "InstallSuccess".into(), ..Condition::met("Ready") };
        let versions = cluster.profiles.iter().filter_map(|attached| self.data.version(&attached.version));
        versions
            .flat_map(|(_, version)| version.packs.iter().map(move |pack| (version, pack)))
            .map(|(version, pack)| {
                let condition = cluster.pack_conditions.get(&pack.name).unwrap_or(&installed);
                let manifests: Vec<Value> = pack
                    .manifests
                    .iter()
                    .map(|of| json!({"name": of.name, "uid": of.uid, "condition": self.condition(&installed)}))
                    .collect();
                json!({
                    "name": pack.name,
                    "version": pack.tag,
                    "profileUid": version.uid,
                    "type": pack.kind,
                    "condition": self.condition(condition),
                    "startTime": self.time(condition.since + 4),
                    "endTime": if condition.status == "True" { self.time(condition.since) } else { ZERO_TIME.into() },
                    "manifests": manifests,
                    "services": [],
                })
            })
            .collect()
    }

    fn upgrades(&self, cluster: &Cluster) -> Vec<Value> {
        let upgrades = cluster.upgrades.iter();
        upgrades
            .map(|upgrade| json!({"reason": upgrade.reasons, "timestamp": self.time(upgrade.at)}))
            .collect()
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
