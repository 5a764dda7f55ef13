//! Cluster groups, and the virtual clusters in them.

use serde_json::{Value, json};

use super::{Meta, View};
use crate::demo::palette::data::{Attached, Cluster, ClusterGroup, Credit, Virtual};

impl View<'_> {
    fn group_metadata(&self, group: &ClusterGroup) -> Value {
        self.metadata(&Meta {
            uid: &group.uid,
            name: &group.name,
            project: group.project.as_deref(),
            labels: Some(&group.labels),
            annotations: None,
            created: group.created,
            modified: group.created / 2,
        })
    }

    /// The virtual clusters of which that is true.
    pub(in super::super) fn guests(&self, of: impl Fn(&Virtual) -> bool) -> impl Iterator<Item = &Cluster> {
        self.data.clusters.iter().filter(move |cluster| cluster.virtual_cluster.as_ref().is_some_and(&of))
    }

    /// `ClusterGroupSummary`
    pub(in super::super) fn group_summary(&self, group: &ClusterGroup) -> Value {
        let hosts: Vec<Value> = group
            .hosts
            .iter()
            .filter_map(|uid| self.data.cluster(uid))
            .map(|host| self.reference(host))
            .collect();
        let templates: Vec<Value> = group.profiles.iter().filter_map(|uid| self.template_meta(uid)).collect();
        let guests = self.guests(|of| of.group.as_deref() == Some(&group.uid)).count();
        json!({
            "metadata": self.group_metadata(group),
            "spec": {
                "scope": if group.project.is_some() { "project" } else { "tenant" },
                "endpointType": group.endpoint_type,
                "kubernetesDistroType": group.distribution,
                "cpu": {"allocated": group.cpu.0, "used": group.cpu.1},
                "memory": {"allocated": group.memory.0, "used": group.memory.1},
                "hostClustersCount": hosts.len(),
                "hostClusters": hosts,
                "virtualClustersCount": guests,
                "clusterProfileTemplates": templates,
            },
        })
    }

    /// `ClusterGroup`
    pub(in super::super) fn group(&self, group: &ClusterGroup) -> Value {
        let refs: Vec<Value> = group
            .hosts
            .iter()
            .filter_map(|uid| self.data.cluster(uid))
            .map(|host| json!({"clusterName": host.name, "clusterUid": host.uid}))
            .collect();
        let hosts: Vec<Value> = group
            .hosts
            .iter()
            .map(|uid| {
                let ingress = json!({"host": format!("*.{}.example.com", group.name), "port": 443});
                json!({"clusterUid": uid, "endpointConfig": {"ingressConfig": ingress}})
            })
            .collect();
        let templates: Vec<Value> =
            group.profiles.iter().filter_map(|uid| self.template(&Attached::new(uid))).collect();
        json!({
            "metadata": self.group_metadata(group),
            "spec": {
                "type": "hostCluster",
                "clusterRefs": refs,
                "clusterProfileTemplates": templates,
                "clustersConfig": {
                    "endpointType": group.endpoint_type,
                    "kubernetesDistroType": group.distribution,
                    "limitConfig": group.limits,
                    "hostClustersConfig": hosts,
                    "values": group.values,
                },
            },
            "status": {"isActive": group.active},
        })
    }

    /// `VirtualCloudConfig`
    pub(in super::super) fn virtual_config(&self, cluster: &Cluster, of: &Virtual) -> Value {
        let (cpu, memory, storage) = of.size;
        let endpoint = cluster.endpoints.first().map(|(host, port)| json!({"host": host, "port": port}));
        let uid = self.config_uid(cluster);
        json!({
            "apiVersion": "cluster.spectrocloud.com/v1",
            "kind": "VirtualCloudConfig",
            "metadata": self.metadata(&Meta {
                uid: &uid,
                name: &cluster.name,
                project: cluster.project.as_deref(),
                labels: None,
                annotations: None,
                created: cluster.created,
                modified: cluster.modified,
            }),
            "spec": {
                "hostClusterUid": of.host,
                "clusterConfig": {
                    "controlPlaneEndpoint": endpoint,
                    "kubernetesVersion": cluster.kubernetes_version,
                    "helmRelease": {
                        "chart": {"name": "vcluster", "repo": "https://charts.loft.sh", "version": "0.22.0"},
                        "values": of.values,
                    },
                },
                "machinePoolConfig": [{
                    "name": "virtual",
                    "isControlPlane": true,
                    "size": 1,
                    "instanceType": {
                        "minCPU": 1, "maxCPU": cpu,
                        "minMemInMiB": 1024, "maxMemInMiB": memory,
                        "minStorageGiB": 1, "maxStorageGiB": storage,
                    },
                }],
            },
            "status": {"conditions": self.conditions(&cluster.conditions), "isAddonLayer": false},
        })
    }

    /// The uid of a cluster's cloud configuration.
    pub(in super::super) fn config_uid(&self, cluster: &Cluster) -> String {
        crate::demo::palette::data::uid(&format!("config/{}", cluster.uid))
    }

    /// `ClusterGroupsDeveloperCreditUsage`
    pub(in super::super) fn credit(&self) -> Value {
        let credit = |credit: &Credit| {
            json!({
                "cpu": credit.cpu,
                "memoryGiB": credit.memory_gib,
                "storageGiB": credit.storage_gib,
                "virtualClustersLimit": credit.virtual_clusters,
            })
        };
        json!({
            "allocatedCredit": credit(&self.data.credit),
            "usedCredit": credit(&self.data.used_credit),
        })
    }
}
