//! `palette_cluster`, `palette_cluster_health` and `palette_cluster_events` over the simulator of Palette, and how
//! its clusters and those of the registry are joined.

use std::collections::BTreeMap;

use platform_mcp::demo::palette::{
    Attached, Cluster, Condition, Data, Event, HealthCondition, Notification, Pack, Pool, Profile, Project,
    Repave, RepaveReason, Upgrade, Virtual,
};
use serde_json::{Value, json};

use crate::{
    mcp::{Mcp, ToolAnswer},
    palette::{Palette, Tenant},
    server::{Product, Server},
};

const SUMMARY: &str = "GET /v1/dashboard/spectroclusters/{uid}";
const EVENTS: &str = "GET /v1/events/components/{objectKind}/{objectUid}";
const REPAVE: &str = "GET /v1/spectroclusters/{uid}/repave/status";

/// A server over a tenant.
struct Rig {
    tenant: Tenant,
    _server: Server,
    mcp: Mcp,
}

fn serve(data: Data, more: &str, kubeconfig: Option<&str>) -> Rig {
    let tenant = Palette::shared().tenant(data);
    let mut product = Product::new(["serve", "--http", "127.0.0.1:0"]);
    if let Some(text) = kubeconfig {
        let file = product.write("kubeconfig", text);
        product = product.kubeconfig(file);
    }
    let server = product.config(&format!("{}{more}", Palette::shared().config(&tenant))).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    Rig { tenant, _server: server, mcp }
}

impl Rig {
    async fn call(&self, tool: &str, arguments: Value) -> ToolAnswer {
        let answer = self.mcp.call(tool, arguments).await;
        assert!(!answer.is_error, "{tool}: {}", answer.text);
        answer
    }

    async fn health(&self, cluster: &str) -> ToolAnswer {
        self.call("palette_cluster_health", json!({"cluster": cluster})).await
    }

    /// The requests that `of` causes.
    async fn requests(&self, of: impl Future<Output = ToolAnswer>) -> BTreeMap<String, u64> {
        let before = self.tenant.requests();
        of.await;
        let mut after = self.tenant.requests();
        after.iter_mut().for_each(|(name, count)| *count -= before.get(name).copied().unwrap_or_default());
        after.retain(|_, count| *count > 0);
        after
    }
}

/// Clusters with one trouble each, in the project shop.
fn data() -> Data {
    let shop = Project::new("shop");
    let uid = shop.uid.clone();
    let packs =
        vec![Pack::new("addon", "vault", "0.27.0", "a: 1\n"), Pack::new("addon", "nginx", "1.2.3", "a: 1\n")];
    let profile = Profile::new("base", Some(&uid)).with("1.4.0", packs);
    let version = profile.versions[0].uid.clone();
    let cluster = |name: &str, change: &dyn Fn(&mut Cluster)| {
        let mut cluster = Cluster::new(name, Some(&uid));
        cluster.profiles = vec![Attached::new(&version)];
        change(&mut cluster);
        cluster
    };
    let failed = |reason: &str, message: &str| Condition::failed("Ready", reason, message);
    let clusters = vec![
        cluster("fine", &|_| ()),
        cluster("unhealthy", &|of| {
            of.health.state = "UnHealthy".into();
            of.health.conditions = vec![HealthCondition {
                kind: "NodeNotReady".into(),
                message: "kubelet stopped posting node status".into(),
                about: Some(("machine".into(), "w-1".into())),
            }];
        }),
        cluster("silent", &|of| of.health.heartbeat = Some(45)),
        cluster("packless", &|of| {
            of.pack_conditions = [("vault".to_owned(), failed("Failed", "helm upgrade: no such CRD"))].into();
        }),
        cluster("broken", &|of| {
            of.conditions.push(Condition::failed(
                "CloudInfrastructureReady",
                "QuotaExceeded",
                "no more cores: error",
            ));
        }),
        cluster("short", &|of| of.pools = vec![Pool { control_plane: true, size: 3, healthy: 2 }]),
        cluster("young", &|of| {
            of.state = "Provisioning".into();
            of.health.state = String::new();
            of.created = 10;
        }),
        cluster("unknown", &|of| of.health.state = String::new()),
        cluster("asleep", &|of| {
            of.environment = "nested".into();
            of.health.heartbeat = Some(600);
            of.virtual_cluster = Some(Virtual { lifecycle: "Paused".into(), ..Virtual::default() });
        }),
        cluster("repaving", &|of| {
            of.repave = Some(Repave {
                state: "Pending".into(),
                reasons: vec![RepaveReason {
                    code: "PackUpdate".into(),
                    message: "the kubelet's arguments change".into(),
                    pack: "kubernetes".into(),
                    layer: "k8s".into(),
                    from: "1.30.1".into(),
                    to: "1.31.4".into(),
                    keys: vec!["kubeadmconfig".into()],
                }],
                ..Repave::default()
            });
            of.updates = vec![version.clone()];
            of.notifications =
                vec![Notification { message: "base 1.4.0 can be applied".into(), ..Notification::default() }];
            of.upgrades = vec![Upgrade { reasons: vec!["nginx 1.2.2 -> 1.2.3".into()], at: 90 }];
            of.events = (0..120)
                .map(|n| Event {
                    severity: if n % 40 == 7 { "Error" } else { "Normal" }.into(),
                    reason: if n == 7 { "RepavePending" } else { "Reconciled" }.into(),
                    message: format!("event {n}"),
                    component: "palette".into(),
                    created: n,
                })
                .collect();
        }),
        cluster("waiting", &|of| {
            of.repave = Some(Repave { state: "Pending".into(), ..Repave::default() });
        }),
    ];
    Data { projects: vec![shop], profiles: vec![profile], clusters, ..Data::default() }
}

#[tokio::test]
async fn the_trouble_of_each_cluster_is_found_and_none_but_the_fine_one_is_called_healthy() {
    let rig = serve(data(), "", None);
    for (name, verdict, severity, about, next) in [
        ("fine", "healthy", "", "", ""),
        ("unhealthy", "unhealthy", "critical", "health NodeNotReady (machine w-1)", "palette_cluster_events"),
        ("silent", "unhealthy", "critical", "heartbeat", "agent"),
        ("packless", "unhealthy", "critical", "pack vault 0.27.0", "palette_pack_manifest"),
        ("broken", "unhealthy", "critical", "condition CloudInfrastructureReady", "quota"),
        ("short", "unhealthy", "critical", "machines of the control plane", "palette_cluster_events"),
        ("young", "in progress", "info", "state", "palette_cluster_events"),
        ("unknown", "needs attention", "warning", "health", "agent"),
        ("asleep", "paused", "info", "virtual cluster", "resume"),
        ("repaving", "needs attention", "warning", "repave", "approve"),
    ] {
        let answer = rig.health(name).await;
        let told = &answer.structure;
        assert_eq!(told["verdict"], verdict, "{name}: {}", answer.text);
        let first = &told["findings"][0];
        assert_eq!(first["severity"].as_str().unwrap_or_default(), severity, "{name}: {}", answer.text);
        assert_eq!(first["about"].as_str().unwrap_or_default(), about, "{name}: {}", answer.text);
        assert!(first["next"].as_str().unwrap_or_default().contains(next), "{name}: {first}");
        let line = answer.text.lines().next().unwrap_or_default();
        assert!(line.contains(verdict) && line.starts_with(&format!("demo/shop/{name}: ")), "{line}");
    }
    let packless = rig.health("packless").await;
    assert!(packless.text.contains("helm upgrade: no such CRD"), "{}", packless.text);
    let repaving = rig.health("repaving").await;
    for part in [
        "kubernetes 1.30.1 to 1.31.4",
        "the kubelet's arguments change",
        "base 1.4.0 can be applied",
        "nginx 1.2.2 -> 1.2.3",
    ] {
        assert!(repaving.text.contains(part), "{part} in {}", repaving.text);
    }
    assert_eq!(repaving.structure["repave"]["state"], "Pending");
    assert!(repaving.structure["events"].as_array().is_some_and(|events| events[0]["severity"] == "Error"));
}

#[tokio::test]
async fn health_costs_one_request_and_one_for_events() {
    let rig = serve(data(), "", None);
    let uid = |name: &str| {
        rig.tenant.data().clusters.iter().find(|of| of.name == name).expect("it is there").uid.clone()
    };
    let shop = rig.tenant.data().projects[0].uid.clone();
    let one =
        |requests: &[&str]| requests.iter().map(|name| ((*name).to_owned(), 1)).collect::<BTreeMap<_, _>>();
    let arguments = json!({"cluster": uid("silent"), "project": shop, "events": false});
    let by_uid = rig.requests(rig.call("palette_cluster_health", arguments)).await;
    assert_eq!(by_uid, one(&[SUMMARY]), "by uid and project, without an index");
    rig.call("palette_clusters", json!({})).await;
    assert_eq!(rig.requests(rig.health("unhealthy")).await, one(&[SUMMARY, EVENTS]), "by name");
    let again = rig.requests(rig.health("unhealthy")).await;
    assert_eq!(again, BTreeMap::new(), "what was asked a moment ago is kept");
}

#[tokio::test]
async fn a_repave_that_nothing_mentions_is_found_or_the_answer_says_that_it_was_not_looked_for() {
    let rig = serve(data(), "", None);
    let data = rig.tenant.data();
    let uid = data.clusters.last().expect("a cluster").uid.clone();
    let by_uid = |events: bool| json!({"cluster": uid, "project": data.projects[0].uid, "events": events});
    let asked = |name: &str| rig.tenant.requests().get(name).copied().unwrap_or_default();
    let note = |answer: &ToolAnswer| {
        let note = answer.structure["note"].as_str().unwrap_or_default().to_owned();
        assert!(answer.text.contains(&note), "{}", answer.text);
        note
    };
    let blind = rig.call("palette_cluster_health", by_uid(false)).await;
    assert!(note(&blind).contains("repaves were not looked at"), "{}", blind.text);
    assert!(blind.structure["repave"].is_null() && asked(REPAVE) == 0, "{}", blind.text);
    let looked = rig.call("palette_cluster_health", by_uid(true)).await;
    assert_eq!((looked.structure["repave"]["state"].as_str(), asked(REPAVE)), (Some("Pending"), 1));
    assert_eq!((looked.structure["verdict"].as_str(), note(&looked).as_str()), (Some("needs attention"), ""));
    // an index of health does not tell repaves, and one of the whole fleet does
    rig.call("palette_clusters", json!({})).await;
    assert!(note(&rig.health("fine").await).contains("palette_fleet"));
    rig.call("palette_fleet", json!({})).await;
    assert_eq!(note(&rig.health("fine").await), "");
    let listed = rig.call("palette_cluster_health", json!({"cluster": "waiting", "events": false})).await;
    assert_eq!(listed.structure["repave"]["state"], "Pending", "{}", listed.text);
    assert!(note(&listed).contains("why the repave waits"), "{}", listed.text);
    assert_eq!(asked(REPAVE), 1);
}

#[tokio::test]
async fn a_uid_of_another_project_is_no_cluster() {
    let mut data = data();
    let other = Project::new("other");
    data.clusters.push(Cluster::new("theirs", Some(&other.uid)));
    let theirs = data.clusters.last().expect("a cluster").uid.clone();
    let shop = data.projects[0].uid.clone();
    data.projects.push(other);
    let role = "roles: {one: {allow: [spectrocloud.*]}}\nlocal: {role: one, within: {projects: [shop]}}\n";
    let rig = serve(data, role, None);
    for tool in ["palette_cluster", "palette_cluster_health", "palette_cluster_events", "palette_kubeconfig"]
    {
        let ask = async |uid: &str| {
            let answer = rig.mcp.call(tool, json!({"cluster": uid, "project": shop})).await;
            assert!(answer.is_error, "{tool}: {}", answer.text);
            answer.text.replace(uid, "UID")
        };
        assert_eq!(ask(&theirs).await, ask(&"0".repeat(24)).await, "{tool}");
    }
}

#[tokio::test]
async fn events_are_paged_with_a_request_for_each_page_and_filtered() {
    let rig = serve(data(), "", None);
    rig.health("fine").await;
    let mut arguments = json!({"cluster": "repaving", "limit": 50});
    let (mut messages, mut pages) = (Vec::new(), 0);
    loop {
        let before = rig.tenant.requests().get(EVENTS).copied().unwrap_or_default();
        let answer = rig.call("palette_cluster_events", arguments.clone()).await;
        pages += 1;
        assert!(rig.tenant.requests()[EVENTS] - before <= 1, "{}", answer.text);
        let rows = answer.structure["rows"].as_array().expect("rows").clone();
        messages.extend(rows.iter().map(|row| row["message"].as_str().unwrap_or_default().to_owned()));
        match answer.structure["next_cursor"].as_str() {
            Some(cursor) => arguments["cursor"] = cursor.into(),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    let all: Vec<String> = (0..120).map(|n| format!("event {n}")).collect();
    assert_eq!(messages, all, "the newest first, none twice, none lost");
    let errors =
        rig.call("palette_cluster_events", json!({"cluster": "repaving", "severity": "Error"})).await;
    assert_eq!(errors.structure["rows"].as_array().map(Vec::len), Some(3), "{}", errors.text);
    let late = rig.call("palette_cluster_events", json!({"cluster": "repaving", "since": "10m"})).await;
    assert!((9..=11).contains(&late.structure["rows"].as_array().map_or(0, Vec::len)), "{}", late.text);
}

#[tokio::test]
async fn one_cluster_is_told_with_what_it_runs() {
    let rig = serve(data(), "", None);
    let answer = rig.call("palette_cluster", json!({"cluster": "packless"})).await;
    let told = &answer.structure;
    assert_eq!((&told["state"], &told["health"]), (&json!("Running"), &json!("Healthy")));
    assert_eq!(told["verdict"], "unhealthy", "its packs are not fine");
    assert_eq!(told["profiles"][0]["name"], "base");
    assert_eq!(told["profiles"][0]["version"], "1.4.0");
    assert_eq!((&told["packs"]["total"], &told["packs"]["failing"]), (&json!(2), &json!(1)));
    assert!(answer.text.contains("pack vault"), "{}", answer.text);
    let asleep = rig.call("palette_cluster", json!({"cluster": "asleep"})).await;
    assert_eq!(
        (&asleep.structure["virtual"], &asleep.structure["lifecycle"]),
        (&json!(true), &json!("Paused"))
    );
    assert_eq!(asleep.structure["verdict"], "paused");
    let repaving = rig.call("palette_cluster", json!({"cluster": "repaving"})).await;
    assert_eq!(repaving.structure["verdict"], "needs attention", "{}", repaving.text);
    assert!(
        repaving.text.contains("repave") && repaving.text.contains("updates pending"),
        "{}",
        repaving.text
    );
    // nothing told of its repaves: then it is not called healthy
    let data = rig.tenant.data();
    let fresh = serve(Data { key: Data::default().key, ..(*data).clone() }, "", None);
    let by_uid = json!({"cluster": data.clusters[0].uid, "project": data.projects[0].uid});
    let unknown = fresh.call("palette_cluster", by_uid).await;
    assert!(unknown.structure["verdict"].is_null(), "{}", unknown.text);
    assert!(unknown.text.contains("repaves: see palette_cluster_health"), "{}", unknown.text);
}

fn kubeconfig(contexts: &[(&str, String)]) -> String {
    let clusters: Vec<Value> =
        contexts.iter().map(|(name, server)| json!({"name": name, "cluster": {"server": server}})).collect();
    let users = json!([{"name": "u", "user": {"token": "t"}}]);
    let contexts: Vec<Value> = contexts
        .iter()
        .map(|(name, _)| json!({"name": name, "context": {"cluster": name, "user": "u"}}))
        .collect();
    json!({"apiVersion": "v1", "kind": "Config", "clusters": clusters, "users": users, "contexts": contexts})
        .to_string()
}

#[tokio::test]
async fn a_cluster_that_both_know_is_told_by_both_and_never_by_its_name_alone() {
    let data = data();
    let server = |name: &str| {
        let (host, port) =
            data.clusters.iter().find(|of| of.name == name).expect("it is there").endpoints[0].clone();
        format!("https://{host}:{port}")
    };
    let contexts = [
        ("admin@unhealthy", server("unhealthy")),
        ("fine", "https://fine.elsewhere.example.com:6443".to_owned()),
        ("other-name", server("silent")),
    ];
    let kubeconfig = kubeconfig(&contexts);
    let rig = serve(data.clone(), "", Some(&kubeconfig));
    let twins = |answer: &ToolAnswer| -> BTreeMap<String, Value> {
        let rows = answer.structure["rows"].as_array().expect("rows").clone();
        rows.iter()
            .map(|row| (row["name"].as_str().unwrap_or_default().to_owned(), row["palette"].clone()))
            .collect()
    };
    let listed = rig.call("kubernetes_clusters", json!({})).await;
    let told = twins(&listed);
    assert_eq!(told["admin@unhealthy"], "demo/shop/unhealthy", "{}", listed.text);
    assert_eq!(told["fine"], Value::Null, "the name alone is nothing: {}", listed.text);
    assert_eq!(told["other-name"], "demo/shop/silent", "by the endpoint, whatever its name: {}", listed.text);
    assert!(
        listed.text.contains("demo/shop/unhealthy") && listed.text.contains("\tpalette"),
        "{}",
        listed.text
    );
    for tool in ["palette_cluster", "palette_cluster_health"] {
        let told = rig.call(tool, json!({"cluster": "unhealthy"})).await.structure;
        assert_eq!(told["kubernetes_cluster"], "admin@unhealthy", "{tool}");
        let told = rig.call(tool, json!({"cluster": "silent"})).await.structure;
        assert_eq!(told["kubernetes_cluster"], "other-name", "{tool}: by the endpoint, whatever its name");
        let told = rig.call(tool, json!({"cluster": "fine"})).await.structure;
        assert_eq!(told["kubernetes_cluster"], Value::Null, "{tool}");
    }
    let health = rig.health("unhealthy").await;
    assert!(health.text.contains("kubernetes_events cluster=admin@unhealthy"), "{}", health.text);
    let asked = rig.tenant.requests()[SUMMARY];
    rig.call("kubernetes_clusters", json!({})).await;
    assert_eq!(rig.tenant.requests()[SUMMARY], asked, "what was learned is remembered");
}

#[tokio::test]
async fn who_may_not_see_the_other_side_is_told_nothing_of_it_and_nothing_is_asked() {
    let data = data();
    let (host, port) = data.clusters[1].endpoints[0].clone();
    let kubeconfig = kubeconfig(&[("admin@unhealthy", format!("https://{host}:{port}"))]);
    let only = "roles: {one: {allow: [kubernetes.clusters.read]}}\nlocal: {role: one}\n";
    let rig = serve(data.clone(), only, Some(&kubeconfig));
    let listed = rig.call("kubernetes_clusters", json!({})).await;
    assert!(
        !listed.text.contains("palette") && listed.structure["rows"][0]["palette"].is_null(),
        "{}",
        listed.text
    );
    assert_eq!(rig.tenant.count(), 0);
    let only = "roles: {one: {allow: [spectrocloud.*]}}\nlocal: {role: one}\n";
    let rig = serve(data.clone(), only, Some(&kubeconfig));
    let told = rig.call("palette_cluster", json!({"cluster": "unhealthy"})).await;
    assert!(told.structure["kubernetes_cluster"].is_null() && !told.text.contains("admin@"), "{}", told.text);
    let elsewhere = "roles: {one: {allow: [\"spectrocloud.*\", kubernetes.clusters.read]}, two: {allow: [kubernetes.clusters.read]}}\n\
                     local: {role: two}\n";
    let rig = serve(data, elsewhere, Some(&kubeconfig));
    let listed = rig.call("kubernetes_clusters", json!({})).await;
    assert!(listed.structure["rows"][0]["palette"].is_null(), "{}", listed.text);
}
