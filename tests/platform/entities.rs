//! What exists, as entities of a catalog: `GET /entities` and `platform-mcp entities`, over the simulated Palette and the
//! vendor's contract.

mod backstage;
mod faults;
mod names;
mod readers;

use std::collections::{BTreeMap, BTreeSet};

use platform_mcp::demo::palette::{
    Attached, Cluster, ClusterGroup, Data, Metrics, Pack, Profile, Project, Usage, Virtual, uid,
};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{
    palette::{Palette, Tenant},
    server::{Product, Server},
};

const PATH: &str = "/entities";

/// The tenant, and a server that exports it.
struct Rig {
    tenant: Tenant,
    server: Server,
}

impl Rig {
    fn of(data: Data) -> Self {
        Self::with(data, "", "")
    }

    /// With more of the environment, and more of the configuration.
    fn with(data: Data, environment: &str, more: &str) -> Self {
        let tenant = Palette::shared().tenant(data);
        let server = serve(&config(&tenant, environment, more));
        Self { tenant, server }
    }

    /// For what breaks the contract on purpose.
    fn lenient(data: Data) -> Self {
        let tenant = Palette::shared().tenant(data).lenient();
        let server = serve(&config(&tenant, "", ""));
        Self { tenant, server }
    }

    fn get(&self) -> RequestBuilder {
        reqwest::Client::new().get(self.server.url(PATH))
    }

    async fn entities(&self) -> Vec<Value> {
        listed(self.get().header("accept", "application/json").send().await.unwrap()).await
    }
}

/// `clusterGroups: false` and the like are lines of the environment.
fn config(tenant: &Tenant, environment: &str, more: &str) -> String {
    let palette = Palette::shared().environment("demo", tenant);
    let environment: String = environment.lines().map(|line| format!("      {line}\n")).collect();
    format!(
        "clusters: {{kubeconfig: {{enabled: false}}}}\naudit: {{to: audit.log}}\n\
         limits: {{requestsPerSecond: 100000, burst: 100000}}\n{more}\n\
         spectrocloud:\n  annotationPrefix: example.com\n  environments:\n{palette}{environment}"
    )
}

fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

async fn listed(answer: Response) -> Vec<Value> {
    assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.text().await);
    answer.json().await.expect("a list")
}

fn name(entity: &Value) -> String {
    entity["metadata"]["name"].as_str().expect("a name").to_owned()
}

fn names(entities: &[Value]) -> Vec<String> {
    entities.iter().map(name).collect()
}

fn of_type<'e>(entities: &'e [Value], kind: &str) -> Vec<&'e Value> {
    entities.iter().filter(|entity| entity["spec"]["type"] == kind).collect()
}

/// As references name it.
fn reference(entity: &Value) -> String {
    let kind = entity["kind"].as_str().expect("a kind").to_lowercase();
    format!("{kind}:default/{}", name(entity))
}

/// What every entity refers to.
fn referred(entities: &[Value]) -> BTreeSet<String> {
    let all = entities.iter().flat_map(|entity| {
        let on = entity["spec"]["dependsOn"].as_array().cloned().unwrap_or_default();
        on.into_iter().chain([entity["spec"]["system"].clone()])
    });
    all.filter_map(|reference| Some(reference.as_str()?.to_owned())).collect()
}

/// That no relation leads nowhere, and that no name is there twice.
#[track_caller]
fn assert_whole(entities: &[Value]) {
    let known: BTreeSet<String> = entities.iter().map(reference).collect();
    assert_eq!(known.len(), entities.len(), "a name twice: {:?}", names(entities));
    let dangling: Vec<String> = referred(entities).into_iter().filter(|one| !known.contains(one)).collect();
    assert!(dangling.is_empty(), "{dangling:?} of {known:?}");
}

/// One of each kind, and what they stand on.
fn sample() -> Data {
    let project = Project::new("Team A");
    let shop = Some(project.uid.as_str());
    let base = Profile { kind: "infra".into(), cloud_type: "eks".into(), ..Profile::new("Base EKS", None) }
        .with("1.0.0", vec![Pack::new("k8s", "kubernetes-eks", "1.30.1", "")])
        .with("1.10.0", vec![Pack::new("k8s", "kubernetes-eks", "1.31.4", "")]);
    let mut base = base;
    base.annotations.insert("overlordUid".into(), "65aa00000000000000000777".into());
    let add_on = Profile::new("web", shop).with("2.0.0", Vec::new());
    let attached = |profile: &Profile, version: usize| Attached::new(&profile.versions[version].uid);
    let host = Cluster {
        environment: "eks".into(),
        profiles: vec![attached(&base, 0), attached(&add_on, 0)],
        annotations: BTreeMap::from([("overlordUid".into(), "65aa00000000000000000888".into())]),
        ..Cluster::new("Prod.EU", shop)
    };
    let group = ClusterGroup {
        uid: uid("group/sandboxes"),
        name: "sandboxes".into(),
        hosts: vec![host.uid.clone(), uid("a host that is gone")],
        profiles: vec![base.versions[1].uid.clone()],
        ..ClusterGroup::default()
    };
    let usage = |limit: f64| Usage { limit, request: 1.0, total: limit, usage: 1.0 };
    let guest = Cluster {
        environment: "nested".into(),
        profiles: vec![attached(&add_on, 0)],
        metrics: Some(Metrics { cpu: usage(4_000.0), memory: usage(8_388_608.0) }),
        virtual_cluster: Some(Virtual {
            host: host.uid.clone(),
            group: Some(group.uid.clone()),
            size: (4, 8192, 20),
            ..Virtual::default()
        }),
        pools: Vec::new(),
        ..Cluster::new("guest", shop)
    };
    Data {
        projects: vec![project],
        profiles: vec![base, add_on],
        clusters: vec![host, guest],
        groups: vec![group],
        ..Data::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_the_names_annotations_tags_and_relations_of_the_plugins() {
    let rig = Rig::of(sample());
    let data = rig.tenant.data();
    let (project, tenant) = (&data.projects[0].uid, &data.uid);
    let [base, web] = [&data.profiles[0], &data.profiles[1]];
    let [host, guest] = [&data.clusters[0].uid, &data.clusters[1].uid];
    let url = Palette::shared().url();
    let entity = |kind: &str, name: &str, title: &str, what: &str, own: Value, tags: Value, spec: Value| {
        let mut annotations = json!({
            "backstage.io/managed-by-location": format!("spectrocloud:{url}"),
            "backstage.io/managed-by-origin-location": format!("spectrocloud:{url}"),
            "example.com/instance": "demo",
        });
        for (key, value) in own.as_object().unwrap() {
            annotations[format!("example.com/{key}")] = value.clone();
        }
        let mut whole = json!({
            "type": "", "lifecycle": "production", "owner": "group:default/spectrocloud-auto-ingested",
        });
        for (key, value) in spec.as_object().unwrap() {
            whole[key] = value.clone();
        }
        json!({
            "apiVersion": "backstage.io/v1alpha1", "kind": kind, "spec": whole,
            "metadata": {"name": name, "title": title, "description": format!("SpectroCloud {what}: {title}"),
                         "annotations": annotations, "tags": tags},
        })
    };
    let versions = |profile: &Profile| {
        let all: Vec<Value> =
            profile.versions.iter().map(|one| json!({"uid": one.uid, "version": one.version})).collect();
        Value::Array(all).to_string()
    };
    let (v1, v2) = (&base.versions[0].uid, &base.versions[1].uid);
    let web_uid = &web.versions[0].uid;
    let mut expected = vec![
        entity(
            "System",
            "demo-team-a",
            "Team A",
            "Project",
            json!({"project-id": project, "scope": "tenant", "tenant-id": tenant}),
            json!(["spectrocloud", "project"]),
            json!({"type": "spectrocloud-project"}),
        ),
        entity(
            "Resource",
            "demo-tenant-base-eks",
            "Base EKS",
            "Cluster Profile",
            json!({
                "profile-id": v2, "scope": "tenant", "project-id": "", "overlord-id": "65aa00000000000000000777",
                "profile-type": "infra", "cloud-type": "eks", "version": "1.10.0", "profile-status": "published",
                "profile-versions": versions(base), "latest-version": "1.10.0",
            }),
            json!(["spectrocloud", "cluster-profile"]),
            json!({"type": "spectrocloud-cluster-profile"}),
        ),
        entity(
            "Resource",
            "demo-team-a-web",
            "web",
            "Cluster Profile",
            json!({
                "profile-id": web_uid, "scope": "project", "project-id": project, "overlord-id": "",
                "profile-type": "add-on", "cloud-type": "all", "version": "2.0.0", "profile-status": "published",
                "profile-versions": versions(web), "latest-version": "2.0.0",
            }),
            json!(["spectrocloud", "cluster-profile"]),
            json!({"type": "spectrocloud-cluster-profile", "system": "system:default/demo-team-a"}),
        ),
        entity(
            "Resource",
            "demo-team-a-prod-eu",
            "Prod.EU",
            "Cluster",
            json!({
                "cluster-id": host, "scope": "project", "project-id": project, "project-name": "Team A",
                "overlord-id": "65aa00000000000000000888", "tenant-id": tenant, "cloud-type": "eks",
                "state": "Running", "kubernetes-version": "1.30.1",
                "cluster-profile-refs":
                    json!([{"name": "Base EKS", "uid": v1}, {"name": "web", "uid": web_uid}]).to_string(),
            }),
            json!(["spectrocloud", "cluster", "eks"]),
            json!({
                "type": "spectrocloud-cluster", "system": "system:default/demo-team-a",
                // by the uid of a version that is not the newest
                "dependsOn": ["resource:default/demo-tenant-base-eks", "resource:default/demo-team-a-web"],
            }),
        ),
        entity(
            "Resource",
            "demo-tenant-sandboxes",
            "sandboxes",
            "Cluster Group",
            json!({
                "cluster-group-id": data.groups[0].uid, "scope": "tenant", "project-id": "",
                "endpoint-type": "Ingress",
                "cluster-profile-refs": json!([{"name": "Base EKS", "uid": v2}]).to_string(),
            }),
            json!(["spectrocloud", "cluster-group"]),
            json!({
                "type": "spectrocloud-cluster-group",
                "dependsOn": ["resource:default/demo-team-a-prod-eu", "resource:default/demo-tenant-base-eks"],
            }),
        ),
        entity(
            "Resource",
            "demo-team-a-guest",
            "guest",
            "Virtual Cluster",
            json!({
                "cluster-id": guest, "scope": "project", "project-id": project, "project-name": "Team A",
                "tenant-id": tenant, "cloud-type": "nested", "state": "Running",
                "cpu-limit": "4000", "cpu-limit-unit": "MilliCore",
                "memory-limit": "8388608", "memory-limit-unit": "KiB",
                "host-cluster-id": host, "cluster-group-id": data.groups[0].uid,
                "cluster-profile-refs": json!([{"name": "web", "uid": web_uid}]).to_string(),
            }),
            json!(["spectrocloud", "virtual-cluster", "nested"]),
            json!({
                "type": "spectrocloud-virtual-cluster", "system": "system:default/demo-team-a",
                "dependsOn": [
                    "resource:default/demo-team-a-prod-eu",
                    "resource:default/demo-tenant-sandboxes",
                    "resource:default/demo-team-a-web",
                ],
            }),
        ),
    ];
    expected.sort_by_key(|entity| (entity["kind"] == "Resource", name(entity)));
    let before = rig.tenant.count();
    let found = rig.entities().await;
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{}", name(expected));
    }
    assert_eq!(names(&found), names(&expected));
    assert_eq!(rig.tenant.count() - before, 5, "{:?}", rig.tenant.requests());
    assert_whole(&found);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_block_of_the_plugins_says_what_is_exported() {
    let mut data = sample();
    let other = Project::new("Team B");
    data.clusters.push(Cluster { environment: "aws".into(), ..Cluster::new("b", Some(&other.uid)) });
    data.clusters.push(Cluster::new("own", None));
    data.projects.push(other);
    let all = ["project", "cluster-profile", "cluster", "cluster-group", "virtual-cluster"];
    let counts =
        |entities: &[Value]| all.map(|kind| of_type(entities, &format!("spectrocloud-{kind}")).len());
    for (provider, wanted) in [
        ("{}", [2, 2, 3, 1, 1]),
        ("{includeProjects: [Team B]}", [1, 1, 2, 1, 0]),
        ("{excludeProjects: [Team A]}", [1, 1, 2, 1, 0]),
        ("{includeProjects: [Team A, Team B], excludeProjects: [Team A]}", [1, 1, 2, 1, 0]),
        ("{excludeTenantScopedResources: true, includeProjects: [Team A]}", [0, 1, 1, 0, 1]),
        ("{resources: {projects: false, clusterProfiles: false}}", [0, 0, 3, 1, 1]),
        ("{resources: {clusters: false}}", [2, 2, 0, 1, 1]),
        ("{resources: {clusters: false, clusterGroups: false, virtualClusters: false}}", [2, 2, 0, 0, 0]),
        ("{resources: {virtualClusters: false}}", [2, 2, 3, 1, 0]),
    ] {
        let rig = Rig::with(data.clone(), &format!("catalogProvider: {provider}"), "");
        let found = rig.entities().await;
        assert_eq!(counts(&found), wanted, "{provider}: {:?}", names(&found));
        assert_whole(&found);
    }
    let provider = "catalogProvider: {defaultOwner: anna, ownerNamespace: user, refreshIntervalSeconds: 60}";
    let rig = Rig::with(data.clone(), provider, "");
    assert!(rig.entities().await.iter().all(|entity| entity["spec"]["owner"] == "user:default/anna"));
    let ours = "entities: {owner: 'group:default/platform', types: {cluster: kubernetes-cluster}}";
    let rig = Rig::with(data, provider, ours);
    let found = rig.entities().await;
    assert!(found.iter().all(|entity| entity["spec"]["owner"] == "group:default/platform"));
    assert_eq!(of_type(&found, "kubernetes-cluster").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn six_hundred_rows_are_a_bounded_answer_from_few_requests() {
    let rig = Rig::of(Data::fleet(500, 100, 20, 150));
    let before = rig.tenant.count();
    let answer = rig.get().send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/yaml");
    let text = answer.text().await.unwrap();
    // 12 pages of clusters, 9 of versions of profiles, projects twice, groups
    assert!(rig.tenant.count() - before <= 12 + 9 + 3, "{:?}", rig.tenant.requests());
    let kilobytes = text.len() / 1_000;
    assert!((600..1_500).contains(&kilobytes), "{kilobytes} kB");
    assert_eq!(text.matches("\n---\n").count() + 1, 20 + 150 + 500 + 100 + 1);
    let found = rig.entities().await;
    assert_eq!(found.len(), 771);
    assert_whole(&found);
    assert!(rig.tenant.count() - before <= 24, "the second is of the same sweep");
}
