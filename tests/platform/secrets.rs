//! A Secret's value, a token, and `last-applied-configuration`, planted on the real control plane: they
//! appear in no answer, error or log of any tool.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    mcp::Mcp,
    server::{Product, Server},
};

const PLANTED: &str = "planted-hunter2-value";
const PLANTED_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl";

const RGD: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: vault}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Vault
    group: secrets.test.kro.run
    spec:
      adminPassword: string
      note: string
  resources:
  - id: credentials
    template:
      apiVersion: v1
      kind: Secret
      metadata: {name: "${schema.metadata.name}-credentials"}
      stringData: {password: "${schema.spec.adminPassword}", plain: "${schema.spec.note}"}
  - id: settings
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: "${schema.metadata.name}-settings"
        annotations: {note: "${schema.spec.note}"}
      data: {config: "user=app\npassword=${schema.spec.adminPassword}\n"}
"#;

fn instance(namespace: &str) -> String {
    format!(
        "apiVersion: secrets.test.kro.run/v1alpha1\nkind: Vault\nmetadata: {{name: main, namespace: {namespace}}}\n\
         spec: {{adminPassword: {PLANTED}, note: \"{PLANTED_TOKEN}\"}}\n"
    )
}

/// The server, on the cluster as its administrator: nothing but us stands in between.
fn server(plane: &ControlPlane, roles: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"])
        .kubeconfig(&plane.kubeconfig)
        .config(&format!("local: {{roles: [{roles}]}}\n"))
        .serve()
}

/// The same value in the forms it can leave in.
fn forms(value: &str) -> [String; 2] {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    [value.to_owned(), STANDARD.encode(value)]
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_leave_by_no_way() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("secrets");
    plane.apply(RGD);
    plane.kubectl(&["wait", "rgd/vault", "--for=condition=Ready", "--timeout=60s"]);
    plane.apply(&instance(&namespace));
    let ns: &str = &namespace;
    plane
        .wait_for("the vault's Secret", Duration::from_secs(60), || plane.get(ns, "secret/main-credentials"));
    plane.wait_for("the vault's ConfigMap", Duration::from_secs(60), || plane.get(ns, "cm/main-settings"));

    let server = server(plane, "viewer");
    let mcp = Mcp::new(server.url("/mcp"));
    let object = |kind: &str, name: &str| json!({"kind": kind, "namespace": ns, "name": name});
    let calls: Vec<(&str, Value)> = vec![
        ("whoami", json!({})),
        ("kubernetes_clusters", json!({})),
        ("kubernetes_events", json!({"namespace": ns})),
        ("kubernetes_access", json!({"namespace": ns})),
        ("kubernetes_access", json!({"namespace": ns, "verb": "get", "resource": "secrets"})),
        ("kro_instances", json!({})),
        ("kro_graph", object("Vault", "main")),
        ("kro_graph", json!({"kind": "Vault", "namespace": ns, "name": "main", "format": "mermaid"})),
        ("kro_graph", json!({"kind": "Vault", "namespace": ns, "name": "main", "format": "dot"})),
        ("kro_yaml", object("Vault", "main")),
        ("kro_yaml", object("Secret", "main-credentials")),
        ("kro_yaml", object("ConfigMap", "main-settings")),
        ("kro_yaml", json!({"kind": "ResourceGraphDefinition", "name": "vault"})),
        ("kro_yaml", object("Secret", "no-such")),
        ("kro_overview", json!({})),
        ("kro_resources", object("Vault", "main")),
        ("kro_events", object("Vault", "main")),
        ("kro_events", json!({"kind": "Vault", "namespace": ns, "name": "main", "subtree": true})),
        ("kro_diagnose", object("Vault", "main")),
        ("kro_diagnose", json!({"kind": "ResourceGraphDefinition", "name": "vault"})),
        ("kro_rgds", json!({})),
        ("kro_rgd", json!({"name": "vault"})),
        ("kro_revision_diff", json!({"name": "vault", "manifest": RGD})),
        (
            "kro_watch",
            json!({"kind": "Vault", "namespace": ns, "name": "main", "subtree": true, "seconds": 1}),
        ),
        ("kro_graph", object("Vault", PLANTED)),
        ("knative_event_mesh", json!({})),
        ("knative_event_mesh", json!({"event_type": PLANTED, "direction": "path", "format": "dot"})),
        ("kubernetes_proxy", json!({"path": format!("/api/v1/namespaces/{ns}/secrets")})),
        ("kubernetes_proxy", json!({"path": format!("/api/v1/namespaces/{ns}/configmaps/main-settings")})),
        (
            "kubernetes_proxy",
            json!({"path": format!("/apis/secrets.test.kro.run/v1alpha1/namespaces/{ns}/vaults")}),
        ),
    ];
    let mut named: Vec<String> = Vec::new();
    for (tool, arguments) in calls {
        let answer = mcp.call(tool, arguments.clone()).await;
        named.push(tool.to_owned());
        // a caller who writes the value themselves gets it back in the error; nobody else's comes along
        let asked = arguments.to_string();
        let shown = format!("{}\n{}", answer.text, answer.structure);
        for planted in [PLANTED, PLANTED_TOKEN].iter().flat_map(|value| forms(value)) {
            assert!(
                asked.contains(&planted) || !shown.contains(&planted),
                "{tool} {asked} shows {planted}:\n{shown}"
            );
        }
        assert!(!shown.contains("last-applied-configuration"), "{tool} {asked}:\n{shown}");
        assert!(!shown.contains("managedFields"), "{tool} {asked}:\n{shown}");
    }
    let listed: Vec<String> =
        mcp.list_tools().await.iter().filter_map(|tool| Some(tool["name"].as_str()?.to_owned())).collect();
    assert!(listed.iter().all(|tool| named.contains(tool)), "every tool must be tried: {listed:?}");

    let yaml = mcp.call("kro_yaml", object("Secret", "main-credentials")).await;
    assert!(
        yaml.text.contains("password: <redacted:21 bytes>") || yaml.text.contains("<redacted:21 bytes>"),
        "keys stay: {}",
        yaml.text
    );
    let said = server.said();
    for planted in [PLANTED, PLANTED_TOKEN].iter().flat_map(|value| forms(value)) {
        assert!(!said.contains(&planted), "the log shows {planted}:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_the_permission_reads_a_secret() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("reveal");
    let ns: &str = &namespace;
    plane.apply(&RGD.replace("vault}", "strongbox}").replace("kind: Vault", "kind: Strongbox"));
    plane.kubectl(&["wait", "rgd/strongbox", "--for=condition=Ready", "--timeout=60s"]);
    plane.apply(&instance(ns).replace("kind: Vault", "kind: Strongbox"));
    plane.wait_for("the Secret", Duration::from_secs(60), || plane.get(ns, "secret/main-credentials"));
    let server = server(plane, "admin");
    let mcp = Mcp::new(server.url("/mcp"));
    let yaml =
        mcp.call("kro_yaml", json!({"kind": "Secret", "namespace": ns, "name": "main-credentials"})).await;
    assert!(!yaml.is_error && yaml.text.contains(&forms(PLANTED)[1]), "{}", yaml.text);
}
