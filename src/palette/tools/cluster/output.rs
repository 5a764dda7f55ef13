//! The answer: state and health apart, what it runs, where it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    answer::{Answer, sanitise},
    kubernetes::events::ago,
    palette::{
        api::{
            moment,
            profile::ProfilesMetadata,
            summary::{ClusterSummary, Owned},
        },
        find::FoundCluster,
        health::{Counts, Judged, Severity, Verdict},
        said::{address, said},
    },
};

/// Rows of a list that are told.
const MOST: usize = 40;
/// Findings that the summary names.
const NAMED: usize = 4;
/// Characters of a service's name and of its address.
const LONGEST: usize = 200;

const UNKNOWN_REPAVES: &str = "repaves: see palette_cluster_health";

/// A cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    cluster: String,
    uid: String,
    /// How far it is; it says nothing of its health.
    state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    health: String,
    /// As palette_cluster_health comes to it; left out where only that one knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<String>,
    cloud: String,
    #[serde(rename = "virtual", skip_serializing_if = "std::ops::Not::not")]
    is_virtual: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    cloud_account: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kubernetes: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    /// API servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<String>,
    /// The cluster in kubernetes_clusters that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes_cluster: Option<String>,
    /// What palette_kubeconfig can make.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kubeconfigs: Vec<&'static str>,
    profiles: Vec<Attached>,
    packs: Counts,
    conditions: Counts,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    machines: Vec<Machines>,
    /// name: address
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    services: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// How far its import is, of one that Palette did not make.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<String>,
    /// Of a virtual cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_group: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    lifecycle: String,
    /// Virtual clusters in it that you may see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    virtual_clusters: Vec<String>,
    updates_pending: bool,
    /// What was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// A version of a profile that is attached.
#[derive(Debug, Serialize, JsonSchema)]
struct Attached {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Of the version.
    uid: String,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
}

/// Like machines.
#[derive(Debug, Serialize, JsonSchema)]
struct Machines {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    control_plane: bool,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthy: Option<u64>,
}

/// What was read and found out.
pub(super) struct Read<'r> {
    pub(super) found: &'r FoundCluster,
    pub(super) summary: &'r ClusterSummary,
    pub(super) versions: &'r ProfilesMetadata,
    pub(super) judged: Judged,
    /// Whether something told of its repaves.
    pub(super) repaves_known: bool,
    pub(super) kubernetes: Option<String>,
    pub(super) asked: Instant,
    pub(super) now: Timestamp,
}

/// The answer of all that.
pub(super) fn answer(read: &Read<'_>) -> Answer<Output> {
    let output = output(read);
    let body = serde_saphyr::to_string(&output).unwrap_or_default();
    Answer::new(line(read, &output), body, output)
}

fn output(read: &Read<'_>) -> Output {
    let Read { found, summary, versions, judged, kubernetes, .. } = read;
    let (spec, status) = (&summary.spec, &summary.status);
    let second = |moment: Timestamp| Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string();
    let lifted = &status.virtualised;
    let seen = |other: &&Owned| is_seen(found, other);
    let profiles = spec.cluster_profile_templates.iter().take(MOST).map(|template| Attached {
        name: template.name.clone(),
        version: versions.of(&template.uid),
        uid: template.uid.clone(),
        kind: template.kind.clone(),
        scope: template.scope.clone(),
    });
    let machines = spec.cloud_config.machine_pools.iter().take(MOST).map(|pool| Machines {
        control_plane: pool.is_control_plane,
        size: pool.size,
        healthy: pool.healthy,
    });
    let import = &status.cluster_import;
    let forms =
        [(status.kube_meta.has_kube_config_client, "oidc"), (status.kube_meta.has_kube_config, "user")];
    Output {
        environment: found.access.environment().name().to_owned(),
        project: found.place.shown().map(str::to_owned),
        cluster: found.name.clone(),
        uid: found.uid.clone(),
        state: if status.state.is_empty() { "unknown".to_owned() } else { status.state.clone() },
        health: status.health.state.clone(),
        // a repave that nobody told of would make it another
        verdict: Some(judged.verdict)
            .filter(|verdict| *verdict != Verdict::Healthy || read.repaves_known)
            .map(Verdict::name),
        heartbeat: judged.heartbeat.map(second),
        cloud: found.cloud_type.clone(),
        is_virtual: summary.is_virtual(),
        cloud_account: spec.cloud_account.name.clone(),
        kubernetes: status.kube_meta.kubernetes_version.clone(),
        agent: status.health.agent_version.clone(),
        created: moment(&summary.metadata.creation_timestamp).map(second),
        endpoints: status
            .api_endpoints
            .iter()
            .take(MOST)
            .map(|at| format!("{}:{}", at.host, at.port))
            .collect(),
        kubernetes_cluster: kubernetes.clone(),
        kubeconfigs: forms.iter().filter(|(there, _)| *there).map(|(_, form)| *form).collect(),
        profiles: profiles.collect(),
        packs: judged.packs,
        conditions: judged.conditions,
        machines: machines.collect(),
        services: services(summary),
        tags: summary.tags().into_iter().take(MOST).collect(),
        import: (!import.state.is_empty() || import.is_brownfield).then(|| match import.state.as_str() {
            "" => "imported".to_owned(),
            state => state.to_owned(),
        }),
        host_cluster: Some(&lifted.host_cluster).filter(seen).map(shown),
        cluster_group: Some(&lifted.cluster_group).filter(seen).map(shown),
        lifecycle: lifted.lifecycle_status.status.clone(),
        virtual_clusters: lifted.virtual_clusters.iter().filter(seen).take(MOST).map(shown).collect(),
        updates_pending: status.notifications.is_available
            || found.row.as_ref().is_some_and(|row| row.updates_pending),
        note: (!read.repaves_known).then_some(UNKNOWN_REPAVES),
    }
}

/// Whether something that the cluster names may be shown: what is in the same project, what is the tenant's, and all
/// of it to who sees all.
fn is_seen(found: &FoundCluster, other: &Owned) -> bool {
    let same = found.place.project_uid().unwrap_or_default() == other.project_uid;
    !other.uid.is_empty() && (same || found.access.view().sees_all())
}

fn shown(other: &Owned) -> String {
    if other.name.is_empty() { other.uid.clone() } else { other.name.clone() }
}

fn services(summary: &ClusterSummary) -> BTreeMap<String, String> {
    let status = &summary.status;
    let add_on =
        status.add_on_services.iter().map(|service| (service.name.clone(), service.endpoint.clone()));
    let balanced = status.services.iter().map(|service| {
        let ports: Vec<String> = service.ports.iter().map(|port| port.port.to_string()).collect();
        (service.name.clone(), format!("{}:{}", service.host, ports.join(",")))
    });
    let named = add_on.chain(balanced).filter(|(name, _)| !name.is_empty());
    named.map(|(name, at)| (said(&name, LONGEST), address(&at, LONGEST))).take(MOST).collect()
}

/// `prod/team-a/payments: Running, unhealthy; vsphere, Kubernetes 1.29.1; 2 critical: pack a; heartbeat`
fn line(read: &Read<'_>, output: &Output) -> String {
    let mut line =
        format!("{}: state {}, health ", read.found.qualified(), sanitise::short(&output.state, 40));
    line.push_str(if output.health.is_empty() { "unknown" } else { &output.health });
    if let Some(verdict) = output.verdict {
        line.push_str(&format!(": {verdict}"));
    }
    let grave: Vec<&str> = read
        .judged
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Info)
        .map(|finding| finding.about.as_str())
        .collect();
    if !grave.is_empty() {
        let named = grave.iter().take(NAMED).copied().collect::<Vec<_>>().join("; ");
        line.push_str(&format!(" (palette_cluster_health tells {}: {named})", grave.len()));
    }
    if output.updates_pending {
        line.push_str("; updates pending");
    }
    if let Some(note) = output.note {
        line.push_str(&format!("; {note}"));
    }
    let kind = if output.is_virtual { "virtual cluster".to_owned() } else { output.cloud.clone() };
    line.push_str(&format!("; {kind}"));
    if !output.kubernetes.is_empty() {
        line.push_str(&format!(", Kubernetes {}", output.kubernetes));
    }
    if read.judged.heartbeat.is_some() {
        line.push_str(&format!(", agent heard {} ago", ago(read.judged.heartbeat, read.now)));
    }
    match read.asked.elapsed().as_secs() {
        0 => {}
        seconds => line.push_str(&format!(" (as of {seconds} s ago)")),
    }
    line
}
