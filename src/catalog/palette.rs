//! Palette as entities, as `SpectroCloudEntityProvider` of `@terasky/backstage-plugin-spectrocloud-ingestor` 0.9.0 makes
//! them (reference 3.2 and 3.3): names, annotations, tags and relations are what the plugins' pages look for. Unlike it,
//! relations are by uid alone, and a profile is one entity however many versions it has.

mod fetch;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

pub use self::fetch::{Holdings, Project, read};
use super::{
    entity::{Class, Draft, Id},
    name,
    settings::{Provider, Settings},
};
use crate::palette::{
    Place,
    fleet::{ClusterRow, Measure},
    groups::Group,
    profiles::Profile,
};

/// The layer of the pack that brings Kubernetes.
const KUBERNETES: &str = "k8s";

/// Makes the entities of one environment.
struct Maker<'m> {
    settings: &'m Settings,
    provider: &'m Provider,
    source: Arc<str>,
    holdings: &'m Holdings,
    /// Names without what may not leave.
    clean: &'m dyn Fn(&str) -> String,
}

/// What an environment holds, as drafts.
pub fn drafts(
    environment: &str,
    holdings: &Holdings,
    (settings, provider): (&Settings, &Provider),
    clean: &dyn Fn(&str) -> String,
) -> Vec<Draft> {
    let maker = Maker { settings, provider, source: environment.into(), holdings, clean };
    let projects = holdings.projects.iter().map(|project| maker.project(project));
    let profiles = holdings.profiles.iter().filter_map(|profile| maker.profile(profile));
    let clusters = holdings.clusters.iter().map(|cluster| maker.cluster(cluster));
    let groups = holdings.groups.iter().map(|group| maker.group(group));
    let drafts = projects.chain(profiles).chain(clusters).chain(groups);
    let mut drafts: Vec<Draft> = drafts.filter(|draft| provider.exports(draft.id.class)).collect();
    drafts.iter_mut().for_each(|draft| draft.clean(clean));
    drafts
}

impl Maker<'_> {
    fn id(&self, class: Class, uid: &str) -> Id {
        Id { uid: uid.to_owned(), source: Arc::clone(&self.source), class }
    }

    /// What all entities have.
    fn draft(&self, class: Class, uid: &str, name: &str, what: &str, place: Option<&Place>) -> Draft {
        let name = (self.clean)(name);
        // `tenant` is the plugins' word for what is in no project
        let within = place.map(|place| place.shown().map_or_else(|| "tenant".to_owned(), self.clean));
        let title = if name.trim().is_empty() { uid.to_owned() } else { name.clone() };
        let location = format!("spectrocloud:{}", self.provider.url);
        let mut annotations = BTreeMap::from([
            // a catalog that reads a location writes its own over these
            ("backstage.io/managed-by-location".to_owned(), location.clone()),
            ("backstage.io/managed-by-origin-location".to_owned(), location),
        ]);
        let instance = self.provider.instance.as_deref();
        annotations.extend(instance.map(|name| (self.settings.key("instance"), name.to_owned())));
        Draft {
            id: self.id(class, uid),
            also: Vec::new(),
            wanted: name::wanted(instance, within.as_deref(), &name, uid),
            description: format!("SpectroCloud {what}: {title}"),
            title,
            annotations,
            tags: vec!["spectrocloud".to_owned()],
            kind_of: self.settings.kind_of(class),
            owner: self.settings.owner_in(self.provider),
            system: place.and_then(Place::project_uid).map(|uid| self.id(Class::Project, uid)),
            depends_on: Vec::new(),
        }
    }

    fn annotate<'v>(&self, draft: &mut Draft, with: impl IntoIterator<Item = (&'static str, &'v str)>) {
        draft
            .annotations
            .extend(with.into_iter().map(|(name, value)| (self.settings.key(name), value.to_owned())));
    }

    fn project(&self, project: &Project) -> Draft {
        let mut draft = self.draft(Class::Project, &project.uid, &project.name, "Project", None);
        let scope = if project.scope.is_empty() { "project" } else { &project.scope };
        self.annotate(
            &mut draft,
            [("project-id", project.uid.as_str()), ("scope", scope), ("tenant-id", &project.tenant)],
        );
        draft.tags.push("project".to_owned());
        draft
    }

    /// One that has no version has no uid, and is nothing.
    fn profile(&self, profile: &Profile) -> Option<Draft> {
        let latest = profile.latest()?;
        let uids = profile.versions.iter().map(|version| version.uid.clone());
        let (place, class) = (&profile.place, Class::ClusterProfile);
        let mut draft = self.draft(class, &latest.uid, &profile.name, "Cluster Profile", Some(place));
        draft.also = uids.clone().collect();
        // of its versions the oldest: the newest is another one after each version
        draft.id.uid = uids.min()?;
        let is_draft = latest.told.as_ref().map(|told| told.is_draft);
        let status = is_draft.map(|is_draft| if is_draft { "draft" } else { "published" });
        let versions = profile.versions.iter();
        let versions = versions.map(|one| json!({"uid": one.uid, "version": one.version})).collect();
        let versions = Value::Array(versions).to_string();
        let scope = if profile.is_system { "system" } else { scope(place) };
        self.annotate(
            &mut draft,
            [
                ("profile-id", latest.uid.as_str()),
                ("scope", scope),
                ("project-id", place.project_uid().unwrap_or_default()),
                ("overlord-id", &profile.overlord),
                ("profile-versions", &versions),
            ],
        );
        self.annotate(&mut draft, status.map(|status| ("profile-status", status)));
        self.annotate_known(
            &mut draft,
            [
                ("profile-type", profile.kind.as_str()),
                ("cloud-type", &profile.cloud_type),
                ("version", &latest.version),
                ("latest-version", &latest.version),
            ],
        );
        draft.tags.push("cluster-profile".to_owned());
        Some(draft)
    }

    fn annotate_known<'v>(&self, draft: &mut Draft, with: impl IntoIterator<Item = (&'static str, &'v str)>) {
        self.annotate(draft, with.into_iter().filter(|(_, value)| !value.is_empty()));
    }

    fn cluster(&self, row: &ClusterRow) -> Draft {
        let (class, what) = match row.is_virtual() {
            true => (Class::VirtualCluster, "Virtual Cluster"),
            false => (Class::Cluster, "Cluster"),
        };
        let mut draft = self.draft(class, &row.uid, &row.name, what, Some(&row.place));
        let cloud = match row.cloud_type.as_str() {
            "" if row.is_virtual() => "nested",
            "" => "unknown",
            cloud => cloud,
        };
        let project = row.place.shown().unwrap_or("tenant");
        self.annotate(
            &mut draft,
            [
                ("cluster-id", row.uid.as_str()),
                ("scope", scope(&row.place)),
                ("project-id", row.place.project_uid().unwrap_or_default()),
                ("project-name", project),
                ("tenant-id", &row.tenant),
                ("cloud-type", cloud),
                ("state", &row.state),
            ],
        );
        let kubernetes = row.templates().iter().flat_map(|template| &template.packs);
        let version = kubernetes.filter(|pack| pack.layer.eq_ignore_ascii_case(KUBERNETES));
        let version = version.map(|pack| pack.version.as_str()).find(|version| !version.is_empty());
        match class {
            Class::VirtualCluster => {
                self.annotate_known(&mut draft, version.map(|version| ("kubernetes-version", version)));
                self.guest(&mut draft, row);
                draft.tags.extend(["virtual-cluster".to_owned(), "nested".to_owned()]);
            }
            _ => {
                let version = version.unwrap_or("N/A");
                self.annotate(&mut draft, [("kubernetes-version", version), ("overlord-id", &row.overlord)]);
                draft.tags.extend(["cluster".to_owned(), cloud.to_owned()]);
            }
        }
        let templates = row.templates().iter();
        self.stands_on(
            &mut draft,
            &row.place,
            templates
                .map(|template| (template.uid.as_str(), template.name.as_str(), template.scope.as_str())),
        );
        draft
    }

    /// What a virtual cluster may take, and what it runs on.
    fn guest(&self, draft: &mut Draft, row: &ClusterRow) {
        let Some(more) = row.more.as_deref() else { return };
        let limit = |measure: &Measure, usual: &str| {
            let unit = if measure.unit.is_empty() { usual } else { &measure.unit };
            measure.limit.map(|limit| (limit.to_string(), unit.to_owned()))
        };
        for (name, unit_name, limit) in [
            ("cpu-limit", "cpu-limit-unit", limit(&more.cpu, "MilliCore")),
            ("memory-limit", "memory-limit-unit", limit(&more.memory, "KiB")),
        ] {
            if let Some((limit, unit)) = limit {
                self.annotate(draft, [(name, limit.as_str()), (unit_name, unit.as_str())]);
            }
        }
        for (name, class, on) in [
            ("host-cluster-id", Class::Cluster, &more.virtual_info.host),
            ("cluster-group-id", Class::ClusterGroup, &more.virtual_info.group),
        ] {
            let Some(on) = on.as_ref().filter(|on| !on.uid.is_empty()) else { continue };
            // what runs where the caller does not see is told to nobody
            if self.holdings.tells(class, &on.uid) {
                self.annotate(draft, [(name, on.uid.as_str())]);
                draft.depends_on.push(self.id(class, &on.uid));
            }
        }
    }

    fn group(&self, group: &Group) -> Draft {
        let (metadata, spec) = (&group.summary.metadata, &group.summary.spec);
        let class = Class::ClusterGroup;
        let mut draft = self.draft(class, &metadata.uid, &metadata.name, "Cluster Group", Some(&group.place));
        let project = group.place.project_uid().unwrap_or_default();
        self.annotate(
            &mut draft,
            [
                ("cluster-group-id", metadata.uid.as_str()),
                ("scope", scope(&group.place)),
                ("project-id", project),
            ],
        );
        self.annotate_known(&mut draft, [("endpoint-type", spec.endpoint_type.as_str())]);
        draft.tags.push("cluster-group".to_owned());
        let hosts = spec.host_clusters.iter().filter(|host| !host.uid.is_empty());
        draft.depends_on.extend(hosts.map(|host| self.id(Class::Cluster, &host.uid)));
        let templates = spec.cluster_profile_templates.iter();
        self.stands_on(
            &mut draft,
            &group.place,
            templates
                .map(|template| (template.uid.as_str(), template.name.as_str(), template.scope.as_str())),
        );
        draft
    }

    /// The profiles that something has: uid of the version, name and scope of each.
    fn stands_on<'t>(
        &self,
        draft: &mut Draft,
        place: &Place,
        templates: impl Iterator<Item = (&'t str, &'t str, &'t str)>,
    ) {
        let mut told = Vec::new();
        for (uid, name, scope) in templates {
            if uid.is_empty() {
                // a name says which one it is within its own scope, and nothing beyond it
                draft.depends_on.extend(self.called(name, scope, place));
                continue;
            }
            draft.depends_on.push(self.id(Class::ClusterProfile, uid));
            if !name.is_empty() {
                told.push(json!({"name": (self.clean)(name), "uid": uid}));
            }
        }
        if !told.is_empty() {
            let told = Value::Array(told).to_string();
            self.annotate(draft, [("cluster-profile-refs", told.as_str())]);
        }
    }

    /// The one profile of that name in the scope of what has it.
    fn called(&self, name: &str, scope: &str, place: &Place) -> Option<Id> {
        let place = match scope {
            "project" => place,
            "tenant" | "system" => &Place::Tenant,
            _ => return None,
        };
        let within = |profile: &&Profile| {
            profile.name == name && profile.place == *place && (scope == "system") == profile.is_system
        };
        let mut found = self.holdings.profiles.iter().filter(within);
        let (found, None) = (found.next()?, found.next()) else { return None };
        Some(self.id(Class::ClusterProfile, &found.versions.first()?.uid))
    }
}

/// The plugins' word for where something is.
fn scope(place: &Place) -> &'static str {
    match place {
        Place::Tenant => "tenant",
        Place::Project { .. } => "project",
    }
}
