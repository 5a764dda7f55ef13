//! Projects, cloud accounts, cluster groups, credit.

use serde_json::{Value, json};

use crate::demo::palette::{
    asked::{Asked, Reply},
    body::{self, Projects, Search},
    data::{CloudAccount, Cluster, ClusterGroup, Project},
    refusal::Refusal,
};

impl Asked<'_> {
    pub(super) fn about_tenancy(&self, template: &str) -> Result<Option<Reply>, Refusal> {
        let view = self.view();
        Ok(Some(match template {
            "/v1/users/info" => Reply::Json(json!({
                "orgName": self.data.name, "tenantUid": self.data.uid, "userUid": super::super::uid("user"),
            })),
            "/v1/dashboard/projects" => {
                let Projects { filter, .. } = body::read(self.body)?;
                let wanted = |project: &Project| filter.name.matches(&project.name);
                self.page(&self.projects(wanted), |project| view.project_summary(project))?
            }
            "/v1/dashboard/projects/metadata" => {
                let name = self.query("name");
                let projects = self.projects(|project| name.is_empty() || project.name == name);
                let row = |of: &&Project| json!({"metadata": {"name": of.name, "uid": of.uid}});
                Reply::Json(json!({"items": projects.iter().map(row).collect::<Vec<Value>>()}))
            }
            "/v1/clustergroups/hostCluster" => {
                let listed = self.data.groups.iter().filter(|of| self.lists(of.project.as_deref(), true));
                let rows: Vec<Value> = listed.map(|group| view.group_summary(group)).collect();
                Reply::Json(json!({"summaries": rows}))
            }
            "/v1/clustergroups/{uid}" => Reply::Json(view.group(self.group()?)),
            "/v1/clustergroups/developerCredit/usage/{scope}" => Reply::Json(view.credit()),
            "/v1/dashboard/clustergroups/{uid}/hostClusters" => {
                let group = self.group()?;
                self.members(|cluster| group.hosts.contains(&cluster.uid))?
            }
            "/v1/dashboard/clustergroups/{uid}/virtualClusters" => {
                let group = self.group()?;
                let member = Some(group.uid.as_str());
                self.members(|of| {
                    of.virtual_cluster.as_ref().is_some_and(|of| of.group.as_deref() == member)
                })?
            }
            "/v1/dashboard/cloudaccounts/metadata" => {
                let accounts = self.accounts(self.query("environment"));
                let rows: Vec<Value> =
                    accounts.into_iter().map(|account| view.account_row(account)).collect();
                Reply::Json(json!({"items": rows}))
            }
            "/v1/cloudaccounts/summary" => self.page(&self.accounts(""), |of| view.account_summary(of))?,
            _ => match template.strip_prefix("/v1/cloudaccounts/") {
                Some(rest) => self.typed_accounts(rest)?,
                None => return Ok(None),
            },
        }))
    }

    fn projects(&self, wanted: impl Fn(&Project) -> bool) -> Vec<&Project> {
        let projects = self.data.projects.iter();
        projects.filter(|project| self.lists_project(&project.uid) && wanted(project)).collect()
    }

    fn accounts(&self, kind: &str) -> Vec<&CloudAccount> {
        let of_kind = self.data.accounts.iter().filter(|account| kind.is_empty() || account.kind == kind);
        of_kind.filter(|account| self.lists(account.project.as_deref(), true)).collect()
    }

    /// `rest` of the path is the kind of account, or one of that kind.
    fn typed_accounts(&self, rest: &str) -> Result<Reply, Refusal> {
        let view = self.view();
        let Some(kind) = rest.strip_suffix("/{uid}") else {
            return self.page(&self.accounts(rest), |account| view.account(account));
        };
        let uid = self.captured(0);
        let account = self.data.accounts.iter().find(|account| account.kind == kind && account.uid == uid);
        let account = account.ok_or_else(|| Refusal::not_found("Cloud account", uid))?;
        self.reach(account.project.as_deref(), true)?;
        Ok(Reply::Json(view.account(account)))
    }

    fn group(&self) -> Result<&ClusterGroup, Refusal> {
        let uid = self.captured(0);
        let group = self.data.groups.iter().find(|group| group.uid == uid);
        let group = group.ok_or_else(|| Refusal::not_found("Cluster group", uid))?;
        self.reach(group.project.as_deref(), true)?;
        Ok(group)
    }

    fn members(&self, member: impl Fn(&Cluster) -> bool) -> Result<Reply, Refusal> {
        let members = self.data.clusters.iter();
        let members = members.filter(|of| self.lists(of.project.as_deref(), false) && member(of)).collect();
        let found = body::read::<Search>(self.body)?.find(members)?;
        self.page(&found, |cluster| self.view().cluster_summary(cluster))
    }
}
