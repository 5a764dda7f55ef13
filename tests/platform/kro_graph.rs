//! `kro_graph` on a real kro: an instance made for each state, and what the graph says of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(90);

fn serve(kubeconfig: &std::path::Path) -> (Server, Mcp) {
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).kubeconfig(kubeconfig).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

async fn graph(mcp: &Mcp, kind: &str, namespace: &str, name: &str) -> ToolAnswer {
    mcp.call("kro_graph", json!({"kind": kind, "namespace": namespace, "name": name})).await
}

/// Asks until the graph is as wanted; kro takes its time.
async fn until(
    mcp: &Mcp,
    [kind, namespace, name]: [&str; 3],
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> ToolAnswer {
    let began = std::time::Instant::now();
    loop {
        let answer = graph(mcp, kind, namespace, name).await;
        if !answer.is_error && wanted(&answer.structure) {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{kind} {name}: never {what}:\n{}", answer.text);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn node<'g>(graph: &'g Value, id: &str) -> &'g Value {
    let nodes = graph["nodes"].as_array().unwrap_or_else(|| panic!("no nodes: {graph}"));
    nodes.iter().find(|node| node["id"] == id).unwrap_or_else(|| panic!("no node {id}: {graph}"))
}

fn state<'g>(graph: &'g Value, id: &str) -> &'g str {
    node(graph, id)["state"].as_str().unwrap_or_default()
}

fn reason<'g>(graph: &'g Value, id: &str) -> &'g str {
    node(graph, id)["reason"].as_str().unwrap_or_default()
}

fn ids(graph: &Value) -> Vec<&str> {
    graph["nodes"].as_array().into_iter().flatten().filter_map(|node| node["id"].as_str()).collect()
}

fn edges(graph: &Value) -> Vec<(&str, &str)> {
    let edges = graph["edges"].as_array().into_iter().flatten();
    edges.filter_map(|edge| Some((edge["from"].as_str()?, edge["to"].as_str()?))).collect()
}

fn define(plane: &ControlPlane, kind: &str, resources: &str) {
    let name = kind.to_lowercase();
    let spec = "{zones: '[]string', config: 'string | default=absent', extra: 'boolean | default=false', elsewhere: 'string | default=default'}";
    plane.apply(&format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: {name}}}\nspec:\n  schema: \
         {{apiVersion: v1alpha1, kind: {kind}, group: graph.test.kro.run, spec: {spec}}}\n  resources:\n{resources}"
    ));
    plane.kubectl(&["wait", &format!("rgd/{name}"), "--for=condition=Ready", "--timeout=90s"]);
}

fn instance(plane: &ControlPlane, kind: &str, namespace: &str, name: &str, spec: &str) {
    plane.apply(&format!(
        "apiVersion: graph.test.kro.run/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    ));
}

/// A user of the test's own who may get and list what `rules` name, as `group/resource`.
pub(crate) fn reader(plane: &ControlPlane, namespace: &str, rules: &[&str]) -> std::path::PathBuf {
    plane.kubectl(&["create", "serviceaccount", "reader", "-n", namespace]);
    let rule = |rule: &&str| {
        let (group, resource) = rule.split_once('/').expect("group/resource");
        json!({"apiGroups": [group], "resources": [resource], "verbs": ["get", "list"]})
    };
    let rules: Vec<Value> = rules.iter().map(rule).collect();
    let api = "rbac.authorization.k8s.io";
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": namespace}, "rules": rules},
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": namespace},
         "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": namespace},
         "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}]}]}).to_string());
    plane.kubeconfig_for(plane.kubectl(&["create", "token", "reader", "-n", namespace]).trim())
}

const FLEET: &str = r#"
  - id: config
    externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.spec.config}"}}
  - id: pools
    externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {selector: {matchLabels: {pool: "${schema.metadata.name}"}}}}
  - id: workers
    forEach: [{zone: "${schema.spec.zones}"}]
    readyWhen: ["${each.data.ready == 'yes'}"]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-${zone}"}, data: {ready: "${config.data.ready}"}}
  - id: web
    template:
      apiVersion: v1
      kind: Service
      metadata: {name: "${schema.metadata.name}"}
      spec: {selector: {app: "${schema.metadata.name}"}, ports: [{port: 80}]}
  - id: abroad
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-abroad", namespace: "${schema.spec.elsewhere}"}, data: {a: b}}
  - id: role
    includeWhen: ["${schema.spec.extra}"]
    template: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: "${schema.metadata.name}-${schema.metadata.namespace}"}, rules: []}
  - id: binding
    template:
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: {name: "${role.metadata.name}"}
      roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "${role.metadata.name}"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn collections_externals_scopes_and_what_is_left_out() {
    let plane = ControlPlane::shared();
    let (ns, other) = (plane.namespace("fleet"), plane.namespace("abroad"));
    define(plane, "Fleet", FLEET);
    plane.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: conf, namespace: {}, labels: {{pool: full}}}}\ndata: {{ready: 'yes'}}\n",
        &*ns
    ));
    instance(
        plane,
        "Fleet",
        &ns,
        "full",
        &format!("{{zones: [a, b, c], config: conf, extra: true, elsewhere: {}}}", &*other),
    );
    instance(
        plane,
        "Fleet",
        &ns,
        "lost",
        &format!("{{zones: [a], config: nowhere, elsewhere: {}}}", &*other),
    );
    let (_server, mcp) = serve(&plane.kubeconfig);

    let full = until(&mcp, ["Fleet", &ns, "full"], "ready", |graph| graph["state"] == "ready").await;
    let graph = &full.structure;
    assert_eq!(graph["healthy"], true, "{}", full.text);
    assert_eq!(node(graph, "workers")["members"], json!({"ready": 3}));
    assert_eq!(node(graph, "pools")["members"], json!({"ready": 1}));
    assert_eq!((state(graph, "config"), &node(graph, "config")["external"]), ("ready", &json!(true)));
    assert_eq!(node(graph, "abroad")["namespace"], *other);
    assert_eq!((state(graph, "role"), state(graph, "binding")), ("ready", "ready"));
    assert_eq!(edges(graph), [("config", "workers"), ("role", "binding")]);
    // Endpoints and EndpointSlices carry the Service's labels and are no children.
    assert!(!full.text.contains("Endpoint"), "{}", full.text);
    assert!(!ids(graph).iter().any(|id| id.starts_with("orphan")), "{}", full.text);

    let lost = until(&mcp, ["Fleet", &ns, "lost"], "made", |graph| state(graph, "abroad") == "ready").await;
    let graph = &lost.structure;
    assert_eq!(graph["healthy"], false);
    assert_eq!(state(graph, "config"), "external-missing");
    assert_eq!((state(graph, "workers"), reason(graph, "workers")), ("pending", "waits for config"));
    assert_eq!((state(graph, "role"), state(graph, "binding")), ("skipped", "skipped"));
    assert!(reason(graph, "role").contains("schema.spec.extra is false"), "{}", lost.text);
    let first = lost.text.lines().next().unwrap_or_default();
    assert!(first.contains("config external-missing"), "the summary says it: {first}");
}

const SHOP: &str = r#"
  - id: pod
    template:
      apiVersion: v1
      kind: Pod
      metadata: {name: "${schema.metadata.name}"}
      spec: {containers: [{name: app, image: nginx}]}
  - id: settings
    readyWhen: ["${settings.data.phase == 'done'}"]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}"}, data: {phase: "${schema.spec.config}"}}
  - id: last
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${settings.metadata.name}-last"}, data: {a: b}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn progressing_failing_suspended_deleting() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("shop");
    define(plane, "Shop", SHOP);
    instance(plane, "Shop", &ns, "one", "{zones: [], config: working}");
    let (_server, mcp) = serve(&plane.kubeconfig);
    let shop = ["Shop", &*ns, "one"];

    let waiting = until(&mcp, shop, "made", |graph| {
        state(graph, "settings") == "progressing" && state(graph, "pod") == "progressing"
    })
    .await;
    let graph = &waiting.structure;
    assert_eq!(
        reason(graph, "settings"),
        "readyWhen settings.data.phase == 'done' is false (data.phase: a string of 7 characters)"
    );
    assert_eq!((state(graph, "last"), reason(graph, "last")), ("pending", "waits for settings"));
    assert_eq!(state(graph, "pod"), "progressing");

    let crash = json!({"phase": "Running", "containerStatuses": [{"name": "app", "ready": false, "restartCount": 9,
        "image": "nginx", "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
    plane.patch_status(&ns, "pod/one", &crash);
    plane.kubectl(&["patch", "shop/one", "-n", &ns, "--type=merge", "-p", r#"{"spec":{"config":"done"}}"#]);
    let active = until(&mcp, shop, "ACTIVE", |graph| {
        graph["kro_state"] == "ACTIVE" && state(graph, "last") == "ready"
    })
    .await;
    let graph = &active.structure;
    assert_eq!((&graph["state"], &graph["healthy"]), (&json!("failing"), &json!(false)), "{}", active.text);
    assert_eq!(reason(graph, "pod"), "container app: CrashLoopBackOff");

    plane.kubectl(&["annotate", "shop/one", "-n", &ns, "kro.run/reconcile=Suspended"]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    plane.kubectl(&["delete", "cm/one-last", "-n", &ns]);
    let suspended = self::graph(&mcp, "Shop", &ns, "one").await;
    assert_eq!(suspended.structure["state"], "suspended");
    assert_eq!(state(&suspended.structure, "last"), "missing", "{}", suspended.text);

    plane.kubectl(&[
        "patch",
        "cm/one",
        "-n",
        &ns,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":["test.kro.run/hold"]}}"#,
    ]);
    plane.kubectl(&["delete", "shop/one", "-n", &ns, "--wait=false"]);
    let deleting = until(&mcp, shop, "deleting", |graph| state(graph, "settings") == "deleting").await;
    assert_eq!(deleting.structure["state"], "deleting");
    assert!(
        reason(&deleting.structure, "settings").contains("held by test.kro.run/hold"),
        "{}",
        deleting.text
    );
    assert_eq!(state(&deleting.structure, "last"), "gone");
    plane.kubectl(&[
        "patch",
        "cm/one",
        "-n",
        &ns,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_instance_and_one_without_its_rgd() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("frozen");
    let one = "\n  - id: conf\n    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"${schema.metadata.name}\"}, data: {a: \"${schema.spec.config}\"}}\n";
    define(plane, "Iceberg", one);
    instance(plane, "Iceberg", &ns, "one", "{zones: []}");
    let (_server, mcp) = serve(&plane.kubeconfig);
    until(&mcp, ["Iceberg", &ns, "one"], "ready", |graph| graph["state"] == "ready").await;

    plane.kubectl(&["delete", "rgd/iceberg"]);
    plane.kubectl(&["patch", "iceberg/one", "-n", &ns, "--type=merge", "-p", r#"{"spec":{"config":"new"}}"#]);
    let gone = graph(&mcp, "Iceberg", &ns, "one").await;
    assert_eq!(gone.structure["state"], "failing", "{}", gone.text);
    assert!(
        gone.structure["reason"].as_str().unwrap_or_default().contains("RGD iceberg does not exist"),
        "{}",
        gone.text
    );
    assert_eq!(state(&gone.structure, "conf"), "ready");
    assert_eq!(gone.structure["partial"], true);

    // Who may not read RGDs sees that the spec was not looked at.
    let (_blind, blind) = serve(&reader(plane, &ns, &["/configmaps", "graph.test.kro.run/*"]));
    let frozen = graph(&blind, "Iceberg", &ns, "one").await;
    let why = frozen.structure["reason"].as_str().unwrap_or_default();
    assert!(why.starts_with("frozen: its spec is at generation 2, kro last looked at 1"), "{}", frozen.text);

    define(plane, "Iceberg", one);
    let thawed = until(&mcp, ["Iceberg", &ns, "one"], "ready again", |graph| graph["state"] == "ready").await;
    assert_eq!(thawed.structure["healthy"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rgd_whose_last_update_is_invalid() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("invalid");
    let good = "
  - id: first
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"${schema.metadata.name}\"}, data: {a: b}}
  - id: second
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"${first.metadata.name}-2\"}, data: {a: b}}
";
    define(plane, "Ledger", good);
    instance(plane, "Ledger", &ns, "one", "{zones: []}");
    let (_admin, mcp) = serve(&plane.kubeconfig);
    until(&mcp, ["Ledger", &ns, "one"], "ready", |graph| graph["state"] == "ready").await;
    let bad = json!({"spec": {"resources": [{"id": "first", "template": {"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "${schema.spec.nosuch}"}}}]}});
    plane.kubectl(&["patch", "rgd/ledger", "--type=merge", "-p", &bad.to_string()]);
    plane.kubectl(&["wait", "rgd/ledger", "--for=condition=GraphAccepted=False", "--timeout=60s"]);

    let admin = graph(&mcp, "Ledger", &ns, "one").await;
    assert_eq!(admin.structure["revision"], 1, "{}", admin.text);
    assert_eq!(edges(&admin.structure), [("first", "second")]);
    assert_eq!((state(&admin.structure, "first"), state(&admin.structure, "second")), ("ready", "ready"));
    assert!(admin.text.contains("not in order"), "{}", admin.text);

    // Most users may not read GraphRevisions.
    let (_viewer, mcp) = serve(&reader(plane, &ns, &["/configmaps", "graph.test.kro.run/*", "kro.run/*"]));
    let viewer = graph(&mcp, "Ledger", &ns, "one").await;
    assert_eq!(viewer.structure["partial"], true, "{}", viewer.text);
    assert!(viewer.text.contains("derived from its spec"), "{}", viewer.text);
    assert!(ids(&viewer.structure).contains(&"first"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_the_caller_may_not_read_and_one_that_is_gone() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("closed");
    plane.apply(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.closed.test}\nspec:\n  group: closed.test\n  scope: Namespaced\n  names: {plural: widgets, kind: Widget}\n  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}]\n",
    );
    plane.kubectl(&["wait", "crd/widgets.closed.test", "--for=condition=Established"]);
    define(plane, "Chest", "
  - id: lock
    template: {apiVersion: v1, kind: Secret, metadata: {name: \"${schema.metadata.name}\"}, stringData: {a: b}}
  - id: gem
    template: {apiVersion: closed.test/v1, kind: Widget, metadata: {name: \"${schema.metadata.name}\"}, spec: {a: b}}
  - id: map
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"${schema.metadata.name}\"}, data: {a: b}}
");
    instance(plane, "Chest", &ns, "one", "{zones: []}");
    let (_admin, admin) = serve(&plane.kubeconfig);
    until(&admin, ["Chest", &ns, "one"], "made", |graph| state(graph, "map") == "ready").await;

    let rights = ["/configmaps", "graph.test.kro.run/*", "kro.run/*", "closed.test/*"];
    let (_limited, limited) = serve(&reader(plane, &ns, &rights));
    let answer = graph(&limited, "Chest", &ns, "one").await;
    assert_eq!(state(&answer.structure, "lock"), "unknown", "{}", answer.text);
    assert!(reason(&answer.structure, "lock").contains("forbidden"), "{}", answer.text);
    assert_eq!(state(&answer.structure, "map"), "ready");
    let gaps = answer.structure["gaps"].as_array().expect("gaps");
    assert_eq!(gaps.len(), 1, "one line: {gaps:?}");
    assert!(gaps[0].as_str().unwrap_or_default().starts_with("Secret: forbidden"), "{gaps:?}");

    plane.kubectl(&["delete", "crd/widgets.closed.test"]);
    let gone =
        until(&admin, ["Chest", &ns, "one"], "without its kind", |graph| state(graph, "gem") == "missing")
            .await;
    assert_eq!(reason(&gone.structure, "gem"), "the cluster does not serve Widget.closed.test");
    assert_eq!(gone.structure["healthy"], false);
    plane.kubectl(&["delete", "chest/one", "-n", &ns, "--wait=false"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_kro() {
    let plane = ControlPlane::shared();
    let example = |path: &str| plane.apply_file(plane.kro.join("examples/kubernetes").join(path));
    for file in ["tenant-environment-rgd.yaml", "tenant-application-rgd.yaml", "tenant-rgd.yaml"] {
        example(&format!("saas-multi-tenant/{file}"));
    }
    example("webapp/rg.yaml");
    plane.kubectl(&[
        "wait",
        "rgd/tenant.kro.run",
        "rgd/webapp.kro.run",
        "--for=condition=Ready",
        "--timeout=90s",
    ]);
    example("saas-multi-tenant/tenant-instance.yaml");
    example("webapp/instance.yaml");
    let (_server, mcp) = serve(&plane.kubeconfig);

    let tenant = until(&mcp, ["Tenant", "default", "tenant001"], "made", |graph| ids(graph).len() >= 7).await;
    let mut found = ids(&tenant.structure);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "tenantApplication",
            "tenantApplication/deployment",
            "tenantApplication/service",
            "tenantEnvironment",
            "tenantEnvironment/tenantNamespace",
            "tenantEnvironment/tenantNetworkpolicy",
            "tenantEnvironment/tenantQuota",
        ]
    );
    // kro calls the tenant ACTIVE; its Deployment has no running Pod here.
    let active = until(&mcp, ["Tenant", "default", "tenant001"], "ACTIVE with a Deployment", |graph| {
        graph["kro_state"] == "ACTIVE" && state(graph, "tenantApplication/deployment") == "progressing"
    })
    .await;
    assert_eq!(active.structure["healthy"], false, "{}", active.text);
    assert!(
        active.text.lines().next().unwrap_or_default().contains("tenantApplication/deployment"),
        "{}",
        active.text
    );

    let webapp = until(&mcp, ["WebApp", "default", "test-app"], "made", |graph| {
        node(graph, "deployment")["state"] != "pending"
    })
    .await;
    assert_eq!(
        edges(&webapp.structure),
        [("deployment", "service"), ("deployment", "ingress"), ("service", "ingress")]
    );
    assert_eq!(reason(&webapp.structure, "ingress"), "waits for deployment, service");
    assert!(reason(&webapp.structure, "deployment").contains("availableReplicas"), "{}", webapp.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_children_of_three_kinds_are_five_requests() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("fifty");
    let collection = |id: &str, kind: &str, body: &str| {
        format!(
            "\n  - id: {id}\n    forEach: [{{zone: \"${{schema.spec.zones}}\"}}]\n    template: {{apiVersion: v1, kind: {kind}, metadata: {{name: \"${{schema.metadata.name}}-${{zone}}\"}}{body}}}"
        )
    };
    let resources = [
        collection("maps", "ConfigMap", ", data: {a: b}"),
        collection("secrets", "Secret", ", stringData: {a: b}"),
        collection("accounts", "ServiceAccount", ""),
        "\n  - id: one\n    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: b}}".to_owned(),
        "\n  - id: two\n    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: two}, data: {a: b}}\n".to_owned(),
    ];
    define(plane, "Swarm", &resources.concat());
    let zones: Vec<String> = (0..16).map(|zone| format!("z{zone}")).collect();
    instance(plane, "Swarm", &ns, "all", &format!("{{zones: [{}]}}", zones.join(", ")));
    // A user of our own, so that every request in the log that is theirs is this call's.
    let rights = ["/*", "graph.test.kro.run/*", "kro.run/*"];
    let (_server, mcp) = serve(&reader(plane, &ns, &rights));
    let warm = until(&mcp, ["Swarm", &ns, "all"], "ready", |graph| graph["state"] == "ready").await;
    assert_eq!(warm.structure["counts"], json!({"ready": 50}));

    let mark = plane.audit_mark();
    graph(&mcp, "Swarm", &ns, "all").await;
    let asked = plane.audit_since(mark, "platform-mcp");
    let uris: Vec<&str> = asked
        .iter()
        .filter(|line| line.user.ends_with(&format!("{}:reader", &*ns)))
        .map(|line| line.uri.as_str())
        .collect();
    assert_eq!(uris.len(), 5, "{uris:#?}");
    assert!(uris.iter().all(|uri| !matches!(*uri, "/api" | "/apis")), "discovery was warm: {uris:#?}");
}
