//! How a cluster is.

use serde_json::{Value, json};

use super::{View, ZERO_TIME};
use crate::demo::palette::data::{Cluster, Condition, Usage};

impl View<'_> {
    pub(super) fn health(&self, cluster: &Cluster) -> Option<Value> {
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

    pub(super) fn metrics(&self, cluster: &Cluster) -> Option<Value> {
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

    pub(super) fn pack_statuses(&self, cluster: &Cluster) -> Vec<Value> {
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

    pub(super) fn upgrades(&self, cluster: &Cluster) -> Vec<Value> {
        let upgrades = cluster.upgrades.iter();
        upgrades
            .map(|upgrade| json!({"reason": upgrade.reasons, "timestamp": self.time(upgrade.at)}))
            .collect()
    }
}
