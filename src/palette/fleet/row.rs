//! [`ClusterRow`]: one cluster of the index, from whichever listing told of it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::health::{Health, Stage, state};
use crate::palette::{
    access::Access,
    api::{
        ObjectMeta,
        cluster::{ClusterMeta, ClusterMetaSummary, Named},
        search::{ClusterSummary, ComputeMetrics, PackMeta, TemplateMeta},
        summary::is_virtual,
    },
    place::Place,
};

/// Palette itself counts an agent as lost after that long (reference 6.7).
const LOST: SignedDuration = SignedDuration::from_mins(10);
/// The value of a label that is a tag.
const TAG: &str = "spectro__tag";

/// One cluster.
#[derive(Clone, Debug)]
pub struct ClusterRow {
    /// The environment's name.
    pub environment: Arc<str>,
    /// 24 hexadecimal characters.
    pub uid: String,
    /// What people call it; not unique.
    pub name: String,
    /// The project it is in.
    pub place: Place,
    /// Whether Palette said where it is, and never two places. Otherwise only who sees everything sees it.
    pub(in crate::palette) placed: bool,
    /// `aws`, `vsphere`, `nested` (a virtual cluster), …
    pub cloud_type: String,
    /// `Running`, `Pending`, `Error`, …: how far it is, not how well.
    pub state: String,
    /// How well it is.
    pub health: Health,
    /// Its agent has not been heard of for ten minutes.
    pub heartbeat_failed: bool,
    /// A change of an attached profile has not been applied yet.
    pub updates_pending: bool,
    /// `Pending`, `Approved`, `Reverted`; empty where none waits, nothing where the listing does not tell.
    pub repave: Option<String>,
    /// `tag` or `key:value`.
    pub tags: Vec<String>,
    /// RFC 3339.
    pub last_modified: String,
    /// The uid of the tenant, where it is told.
    pub tenant: String,
    /// The uid of the private cloud gateway, where there is one.
    pub overlord: String,
    /// What only the large listing tells.
    pub more: Option<Box<More>>,
}

/// What only the large listing tells of a cluster.
#[derive(Clone, Debug, Default)]
pub struct More {
    /// The versions of profiles attached to it.
    pub templates: Vec<Template>,
    /// In millicores.
    pub cpu: Measure,
    /// In KiB.
    pub memory: Measure,
    /// When its agent was last heard of.
    pub last_heartbeat: Option<Timestamp>,
    /// For `/v1/cloudconfigs`.
    pub cloud_config: String,
    /// What a virtual cluster runs on.
    pub virtual_info: VirtualInfo,
}

/// Use and limits, in a unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measure {
    /// At most.
    pub limit: Option<f64>,
    /// Asked for by what runs.
    pub request: Option<f64>,
    /// Used.
    pub usage: Option<f64>,
    /// `MilliCore`, `KiB`
    pub unit: String,
}

/// What a virtual cluster runs on.
#[derive(Clone, Debug, Default)]
pub struct VirtualInfo {
    /// The cluster it runs on: perhaps one of a project that the caller does not see.
    pub host: Option<Named>,
    /// The group it was made in.
    pub group: Option<Named>,
    /// `Pausing`, `Paused`, `Resuming`, `Running`, `Error`
    pub lifecycle: String,
    /// Why.
    pub message: String,
}

/// A version of a profile that is attached to a cluster.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Of the version.
    pub uid: String,
    /// The profile's.
    pub name: String,
    /// `system`, `tenant`, `project`
    pub scope: String,
    /// `infra`, `add-on`, `cluster`
    pub kind: String,
    /// `all` for add-ons.
    pub cloud_type: String,
    /// Its packs.
    pub packs: Vec<Pack>,
}

/// A pack of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pack {
    /// `kubernetes`, `cni-calico`, …
    pub name: String,
    /// `os`, `k8s`, `cni`, `csi`, `addon`, `kernel`
    pub layer: String,
    /// The version of what it installs: the pack's tag.
    pub version: String,
}

impl ClusterRow {
    /// Whether it is a virtual cluster.
    pub fn is_virtual(&self) -> bool {
        is_virtual(&self.cloud_type)
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        Stage::of(&self.state)
    }

    /// Whether machines wait to be replaced until somebody agrees.
    pub fn repave_pending(&self) -> bool {
        self.repave.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("pending"))
    }

    /// The project's name or uid, nothing for the tenant's own.
    pub fn project(&self) -> &str {
        self.place.shown().unwrap_or_default()
    }

    /// `environment/project/name`, with `-` for the tenant: what tells it from all others.
    pub fn qualified(&self) -> String {
        format!("{}/{}/{}", self.environment, self.place.shown().unwrap_or("-"), self.name)
    }

    /// Whether the caller may see it.
    pub fn is_seen(&self, access: &Access) -> bool {
        if self.placed { access.sees(&self.place) } else { access.view().sees_all() }
    }

    /// The templates, where they are known.
    pub fn templates(&self) -> &[Template] {
        self.more.as_deref().map_or(&[], |more| &more.templates)
    }

    fn of(
        environment: &Arc<str>,
        metadata: ObjectMeta,
        cloud: String,
        project: &Named,
        asked: &Place,
    ) -> Self {
        let (place, placed) = place(&metadata, project, asked);
        let tags = tags(&metadata.labels);
        let said = |key| metadata.annotations.get(key).cloned().unwrap_or_default();
        let (tenant, overlord) = (said("tenantUid"), said("overlordUid"));
        Self {
            environment: Arc::clone(environment),
            uid: metadata.uid,
            name: metadata.name,
            place,
            placed,
            cloud_type: cloud,
            state: String::new(),
            health: Health::Unknown,
            heartbeat_failed: false,
            updates_pending: false,
            repave: None,
            tags,
            last_modified: metadata.last_modified_timestamp,
            tenant,
            overlord,
            more: None,
        }
    }

    /// Of `/meta`.
    pub(in crate::palette) fn of_meta(environment: &Arc<str>, row: ClusterMeta, asked: &Place) -> Self {
        let mut made = Self::of(environment, row.metadata, row.spec.cloud_type, &Named::default(), asked);
        made.state = state(&row.status.state);
        made.add_tags(row.spec.tags);
        made
    }

    /// Of `metadata/search`.
    pub(super) fn of_metadata_search(environment: &Arc<str>, row: ClusterMetaSummary, asked: &Place) -> Self {
        let spec = row.spec_summary;
        let mut made = Self::of(environment, row.metadata, spec.cloud_type, &spec.project_meta, asked);
        made.state = state(&row.status.state);
        made.health = Health::of(&row.status.health.state);
        made.heartbeat_failed = row.status.health.is_heart_beat_failed;
        made.updates_pending = row.status.updates.is_updates_pending;
        made.add_tags(spec.tags);
        made
    }

    /// Of `search`.
    pub(super) fn of_search(
        environment: &Arc<str>,
        row: ClusterSummary,
        asked: &Place,
        now: Timestamp,
    ) -> Self {
        let (spec, status) = (row.spec_summary, row.status);
        let config = spec.cloud_config;
        let mut made = Self::of(environment, row.metadata, config.cloud_type, &spec.project_meta, asked);
        made.state = state(&status.state);
        made.health = Health::of(&status.health.state);
        made.updates_pending = status.notifications.is_available;
        made.repave = Some(status.repave.state);
        let last_heartbeat = heard(&status.health.last_heart_beat_timestamp);
        let lifecycle = status.virtual_.lifecycle_status;
        // a paused virtual cluster has no agent that could be heard
        let paused = lifecycle.status.eq_ignore_ascii_case("paused");
        made.heartbeat_failed = !paused && last_heartbeat.is_some_and(|last| now.duration_since(last) > LOST);
        let group = status.virtual_.cluster_group.filled();
        let group = group.or_else(|| spec.cluster_config.host_cluster_config.cluster_group.filled());
        let mut templates: Vec<Template> = Vec::new();
        for template in spec.cluster_profile_templates.into_iter().chain(spec.cluster_profile_template) {
            if !template.uid.is_empty() && templates.iter().all(|known| known.uid != template.uid) {
                templates.push(template.into());
            }
        }
        made.more = Some(Box::new(More {
            templates,
            cpu: status.metrics.cpu.into(),
            memory: status.metrics.memory.into(),
            last_heartbeat,
            cloud_config: config.uid,
            virtual_info: VirtualInfo {
                host: status.virtual_.host_cluster.filled(),
                group,
                lifecycle: lifecycle.status,
                message: lifecycle.msg,
            },
        }));
        made
    }

    /// The project's name, where only its uid was known.
    pub(super) fn name_place(&mut self, names: &BTreeMap<String, String>) {
        if let Place::Project { uid, name: name @ None } = &mut self.place {
            *name = names.get(uid).cloned();
        }
    }

    fn add_tags(&mut self, more: Vec<String>) {
        for tag in more {
            if !tag.is_empty() && !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
    }
}

/// Where something is, by its annotations and by its project; whether that was said, and once.
fn place(metadata: &ObjectMeta, project: &Named, asked: &Place) -> (Place, bool) {
    let said = |key| metadata.annotations.get(key).map(String::as_str).filter(|value| !value.is_empty());
    let name = |uid: &str| {
        let named = (project.uid == uid && !project.name.is_empty()).then(|| project.name.clone());
        // what was asked for in a project is named as that project is
        let asked = match asked {
            Place::Project { uid: asked, name } if asked == uid => name.clone(),
            _ => None,
        };
        named.or(asked)
    };
    match (said("scope"), said("projectUid"), Some(project.uid.as_str()).filter(|uid| !uid.is_empty())) {
        (_, Some(uid), Some(other)) if uid != other => {
            (Place::Project { uid: uid.to_owned(), name: None }, false)
        }
        (Some("tenant" | "system"), None, None) => (Place::Tenant, true),
        (Some("tenant" | "system"), _, _) => (Place::Tenant, false),
        (_, Some(uid), _) | (_, None, Some(uid)) => {
            (Place::Project { uid: uid.to_owned(), name: name(uid) }, true)
        }
        (_, None, None) => (asked.clone(), *asked != Place::Tenant),
    }
}

/// RFC 3339, where the year 1 stands for never.
fn heard(time: &str) -> Option<Timestamp> {
    time.parse::<Timestamp>().ok().filter(|time| time.as_second() > 0)
}

/// The labels that are tags.
fn tags(labels: &BTreeMap<String, String>) -> Vec<String> {
    let tag = |(key, value): (&String, &String)| match value.as_str() {
        TAG => key.clone(),
        value => format!("{key}:{value}"),
    };
    labels.iter().map(tag).collect()
}

impl From<ComputeMetrics> for Measure {
    fn from(metrics: ComputeMetrics) -> Self {
        let sound = |number: Option<f64>| number.filter(|number| number.is_finite() && *number >= 0.0);
        Self {
            // no limit is written as 0
            limit: sound(metrics.limit).filter(|limit| *limit > 0.0),
            request: sound(metrics.request),
            usage: sound(metrics.usage),
            unit: metrics.unit,
        }
    }
}

impl From<TemplateMeta> for Template {
    fn from(template: TemplateMeta) -> Self {
        Self {
            uid: template.uid,
            name: template.name,
            scope: template.scope,
            kind: template.kind,
            cloud_type: template.cloud_type,
            packs: template.packs.into_iter().map(Pack::from).collect(),
        }
    }
}

impl From<PackMeta> for Pack {
    fn from(pack: PackMeta) -> Self {
        // `version` is the number of the pack itself where both are there
        let version = if pack.tag.is_empty() { pack.version } else { pack.tag };
        Self { name: pack.name, layer: pack.layer, version }
    }
}
