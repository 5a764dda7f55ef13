//! Projects and cloud accounts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Meta, View, ZERO_TIME};
use crate::demo::palette::data::{CloudAccount, Cluster, Project};

impl View<'_> {
    /// `ProjectSummary`
    pub(in super::super) fn project_summary(&self, project: &Project) -> Value {
        let clusters: Vec<&Cluster> = self
            .data
            .clusters
            .iter()
            .filter(|cluster| cluster.project.as_ref() == Some(&project.uid))
            .collect();
        let count = |wanted: &dyn Fn(&Cluster) -> bool| clusters.iter().filter(|of| wanted(of)).count();
        let usage: Vec<Value> = clusters
            .iter()
            .map(|cluster| json!({"name": cluster.name, "uid": cluster.uid, "cpuCores": 8, "isAlloy": false}))
            .collect();
        json!({
            "metadata": self.project_metadata(project),
            "specSummary": {"logoUrl": "", "teams": [], "users": []},
            "status": {
                // The buckets overlap: an unhealthy cluster is a running one too.
                "clustersHealth": {
                    "errored": count(&|cluster| cluster.state == "Error"),
                    "healthy": count(&|cluster| cluster.health.state == "Healthy"),
                    "running": count(&|cluster| cluster.state == "Running"),
                    "unhealthy": count(&|cluster| cluster.health.state.eq_ignore_ascii_case("unhealthy")),
                },
                "status": {"isDisabled": false},
                "usage": {"alloyCpuCores": 0, "pureCpuCores": 8 * clusters.len(), "clusters": usage},
            },
        })
    }

    fn project_metadata(&self, project: &Project) -> Value {
        let annotations = BTreeMap::from([("description".to_owned(), project.description.clone())]);
        self.metadata(&Meta {
            uid: &project.uid,
            name: &project.name,
            project: None,
            labels: Some(&project.labels),
            annotations: Some(&annotations),
            created: project.created,
            modified: project.created / 2,
        })
    }

    fn account_metadata(&self, account: &CloudAccount) -> Value {
        self.metadata(&Meta {
            uid: &account.uid,
            name: &account.name,
            project: account.project.as_deref(),
            labels: None,
            annotations: Some(&account.annotations),
            created: account.created,
            modified: account.created / 2,
        })
    }

    /// `CloudAccountMetadata`
    pub(in super::super) fn account_row(&self, account: &CloudAccount) -> Value {
        json!({"kind": account.kind, "metadata": self.account_metadata(account)})
    }

    /// `CloudAccountSummary`
    pub(in super::super) fn account_summary(&self, account: &CloudAccount) -> Value {
        json!({
            "kind": account.kind,
            "metadata": self.account_metadata(account),
            "specSummary": {"accountId": account.account_id},
            "status": account_status(account),
        })
    }

    /// The typed account: with its credentials, as the API answers it.
    pub(in super::super) fn account(&self, account: &CloudAccount) -> Value {
        json!({
            "apiVersion": "cluster.spectrocloud.com/v1",
            "kind": account.kind,
            "metadata": self.account_metadata(account),
            "spec": account.spec,
            "status": account_status(account),
        })
    }
}

fn account_status(account: &CloudAccount) -> Value {
    let state = if account.state.is_empty() { "Running" } else { &account.state };
    json!({"state": state, "tokenExpiry": ZERO_TIME, "tokenGenerationTime": ZERO_TIME})
}
