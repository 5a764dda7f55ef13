//! What changes a cluster that is there.

use serde_json::Value;

use crate::demo::palette::{
    asked::{Asked, Reply},
    body,
    data::{Attached, Cluster, Condition, Data, Making, Repave, RepaveReason, Upgrade, uid},
    refusal::Refusal,
    tenant::Tenant,
    view::View,
};

impl Asked<'_> {
    /// Changes what the tenant holds. Nothing is changed where it is refused.
    pub(in super::super) fn change(&self, data: &mut Data) -> Result<Reply, Refusal> {
        match self.endpoint.template.rsplit("{uid}").next().unwrap_or_default() {
            "/profiles" => self.change_profiles(data),
            "/repave/approve" => self.approve(data),
            "/ack" => self.notified(data, false),
            "/done" => self.notified(data, true),
            cloud => self.create(data, cloud.rsplit('/').next().unwrap_or_default()),
        }
    }

    /// Somebody looked at what may be on its way.
    pub(in super::super) fn passed(&self, tenant: &Tenant) {
        if self.endpoint.template == "/v1/dashboard/spectroclusters/{uid}" {
            let uid = self.captured(0);
            if self.data.cluster(uid).is_some_and(|cluster| cluster.making.is_some()) {
                tenant.change(|data| data.looked(uid));
            }
        }
    }

    fn change_profiles(&self, data: &mut Data) -> Result<Reply, Refusal> {
        let asked = body::kept("profiles", self.body)?;
        let uid = self.changed(data)?;
        let mut changes = Vec::new();
        for of in asked.get("profiles").and_then(Value::as_array).into_iter().flatten() {
            changes.push(change(data, &uid, of)?);
        }
        let targets: Vec<String> = changes.iter().map(|(_, attached)| attached.version.clone()).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let (looks, view) = (data.pace.looks, View { data, made: self.made() });
        let Some(cluster) = data.cluster(&uid) else { return Err(Refusal::not_found("Cluster", &uid)) };
        let mut reasons = view.repave_reasons(cluster, &targets);
        if cluster.update_repaves && reasons.is_empty() {
            reasons.push(RepaveReason {
                code: "ClusterPackValuesChange".into(),
                message: "values of a pack change that its machines were made with".into(),
                ..RepaveReason::default()
            });
        }
        let versions = targets.iter().filter_map(|uid| data.version(uid));
        let packs = versions.flat_map(|(_, version)| &version.packs).map(|pack| pack.name.clone());
        let packs: Vec<String> = packs.collect();
        let resolves = self.query("resolveNotification") == "true";
        let found = data.clusters.iter_mut().find(|cluster| cluster.uid == uid);
        if let Some(cluster) = found {
            cluster.attach(changes);
            cluster.repave = match (cluster.repave.take(), reasons.is_empty()) {
                (_, false) => {
                    Some(Repave { state: "Pending".into(), since: 0, reasons, ..Repave::default() })
                }
                (Some(repave), true) if repave.state == "Pending" => {
                    Some(Repave { state: "Reverted".into(), ..repave })
                }
                (repave, true) => repave,
            };
            let waits = cluster.repave.as_ref().is_some_and(|repave| repave.state == "Pending");
            if !waits {
                let installing = || Condition::failed("Ready", "Installing", "it is being installed");
                cluster.pack_conditions = packs.into_iter().map(|pack| (pack, installing())).collect();
                cluster.making = Some(Making { left: looks, fails: false });
            }
            if resolves {
                cluster.notifications.iter_mut().for_each(|of| of.done = true);
            }
        }
        Ok(Reply::Done)
    }

    fn approve(&self, data: &mut Data) -> Result<Reply, Refusal> {
        let (uid, looks) = (self.changed(data)?, data.pace.looks);
        let found = data.clusters.iter_mut().find(|cluster| cluster.uid == uid);
        let waiting = found.and_then(|cluster| {
            let repave = cluster.repave.as_mut().filter(|repave| repave.state == "Pending")?;
            repave.state = "Approved".into();
            cluster.making = Some(Making { left: looks, fails: false });
            Some(())
        });
        let none = || Refusal::coded(404, "ClusterRepaveNotFound", "no repave of the cluster is pending");
        waiting.ok_or_else(none).map(|()| Reply::Done)
    }

    fn notified(&self, data: &mut Data, done: bool) -> Result<Reply, Refusal> {
        let wanted = self.captured(0);
        for cluster in &mut data.clusters {
            for notification in &mut cluster.notifications {
                if uid(&View::notification_title(&cluster.name, notification)) == wanted {
                    self.reach(cluster.project.as_deref(), false)?;
                    notification.ack = true;
                    notification.done |= done;
                    return Ok(Reply::Done);
                }
            }
        }
        Err(Refusal::not_found("Notification", wanted))
    }
}

/// What a profile of the body puts in the place of which version.
fn change(data: &Data, cluster: &str, of: &Value) -> Result<(String, Attached), Refusal> {
    let text = |name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (target, replaced) = (text("uid"), text("replaceWithProfile"));
    let replaced = if replaced.is_empty() { target.clone() } else { replaced };
    let (_, version) = data.version(&target).ok_or_else(|| Refusal::not_found("Cluster profile", &target))?;
    if version.draft {
        return Err(Refusal::coded(422, "ClusterProfileNotPublished", "a draft cannot be attached"));
    }
    let attached = data.cluster(cluster).into_iter().flat_map(|cluster| &cluster.profiles);
    let Some(before) = attached.into_iter().find(|attached| attached.version == replaced) else {
        return Err(Refusal::not_found("Cluster profile of the cluster", &replaced));
    };
    let mut after = Attached { version: target, ..before.clone() };
    after.variables.extend(super::creation::variables(of));
    if let Some(variable) = version.variables.iter().find(|variable| {
        variable.required
            && variable.default_value.is_empty()
            && !after.variables.contains_key(&variable.name)
    }) {
        let message = format!("the variable '{}' has no value", variable.name);
        return Err(Refusal::coded(422, "ClusterProfileVariableMissing", message));
    }
    Ok((replaced, after))
}

impl Cluster {
    fn attach(&mut self, changes: Vec<(String, Attached)>) {
        for (replaced, after) in changes {
            self.updates.retain(|uid| *uid != after.version);
            if replaced != after.version {
                self.upgrades
                    .push(Upgrade { reasons: vec![format!("{replaced} -> {}", after.version)], at: 0 });
            }
            if let Some(before) = self.profiles.iter_mut().find(|of| of.version == replaced) {
                *before = after;
            }
        }
    }
}
