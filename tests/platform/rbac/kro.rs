//! `rbac kro` on the real API server.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::applied::{Applied, Right, asked, printed};
use crate::{control_plane::ControlPlane, mcp::Mcp, server::Product};

/// Instances of a kind of the test's own, with a workload, an external reference and a Secret.
const STALL: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: stall}
spec:
  schema: {apiVersion: v1alpha1, kind: Stall, group: rbac.test.kro.run, spec: {colour: 'string | default=red'}}
  resources:
    - id: prices
      externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: prices}}
    - id: till
      template: {apiVersion: v1, kind: Service, metadata: {name: "${schema.metadata.name}-till"}, spec: {ports: [{port: 80}]}}
    - id: keys
      template: {apiVersion: v1, kind: Secret, metadata: {name: "${schema.metadata.name}-keys"}, stringData: {colour: "${schema.spec.colour}"}}
    - id: staff
      template:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: "${schema.metadata.name}-staff"}
        spec:
          replicas: 1
          selector: {matchLabels: {app: staff}}
          template:
            metadata: {labels: {app: staff}}
            spec: {containers: [{name: staff, image: staff}]}
"#;

fn config(token: &str, more: &str) -> String {
    let plane = ControlPlane::shared();
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": token}],
    });
    format!(
        "clusters: {clusters}\nlocal: {{role: admin}}\nlimits: {{requestsPerSecond: 100000, burst: 100000}}\n{more}"
    )
}

/// Kinds of this test and of Kubernetes: other tests make kinds all the time.
fn is_ours((_, group, resource): &Right) -> bool {
    let of_kubernetes =
        ["", "apps", "apiextensions.k8s.io"].contains(&group.as_str()) && resource != "secrets";
    let of_kro = ["kro.run", "internal.kro.run"].contains(&group.as_str())
        && ["resourcegraphdefinitions", "graphrevisions"].contains(&resource.as_str());
    of_kubernetes || of_kro || group == "rbac.test.kro.run"
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_account_with_it_has_the_use_of_every_kro_tool() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("stalls");
    plane.apply(STALL);
    plane.kubectl(&["wait", "rgd/stall", "--for=condition=Ready", "--timeout=90s"]);
    plane.kubectl(&["create", "configmap", "prices", "-n", &ns]);
    plane.apply(&format!(
        "apiVersion: rbac.test.kro.run/v1alpha1\nkind: Stall\nmetadata: {{name: corner, namespace: {}}}\nspec: {{}}\n",
        &*ns
    ));
    plane.wait_for("the Pods of the stall", Duration::from_secs(60), || {
        plane.get(&ns, "deploy/corner-staff")?;
        let pods = plane.get(&ns, "pods")?;
        (!pods["items"].as_array()?.is_empty()).then_some(())
    });
    let name = format!("reader-{}", &*ns);
    let to = ["kro", "--cluster", "plane", "--namespace", &*ns, "--name", &name];
    let (manifest, _) = printed(&config(&plane.tokens.admin, ""), &to);
    assert!(manifest.contains("# Left out: secrets, which RGDs make or refer to"), "{manifest}");
    let applied = Applied::on(plane, manifest, &ns, &name);
    let server =
        Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(&applied.token(), "")).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let mark = plane.audit_mark();
    let named = |kind: &str, name: &str| json!({"kind": kind, "namespace": &*ns, "name": name});
    let whole = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    let rgd = "ResourceGraphDefinition";
    let instance = json!({"apiVersion": "rbac.test.kro.run/v1alpha1", "kind": "Stall",
        "metadata": {"name": "second", "namespace": &*ns}, "spec": {"colour": "blue"}});
    let mut changed: Value = serde_saphyr::from_str(STALL).unwrap();
    changed["spec"]["schema"]["spec"]["size"] = json!("integer | default=1");
    for (tool, arguments) in [
        ("kro_overview", json!({})),
        ("kro_instances", json!({"kind": "Stall"})),
        ("kro_rgds", json!({})),
        ("kro_rgd", json!({"name": "stall"})),
        ("kro_revision_diff", json!({"name": "stall", "manifest": changed.to_string()})),
        ("kro_graph", named("Stall", "corner")),
        ("kro_diagnose", named("Stall", "corner")),
        ("kro_diagnose", whole(rgd, "stall")),
        ("kro_events", named("Stall", "corner")),
        ("kro_events", named("Deployment", "corner-staff")),
        ("kro_resources", named("Stall", "corner")),
        ("kro_yaml", named("Stall", "corner")),
        ("kro_yaml", named("Service", "corner-till")),
        ("kro_yaml", named("Deployment", "corner-staff")),
        ("kro_yaml", named("ConfigMap", "prices")),
        ("kro_yaml", whole(rgd, "stall")),
        (
            "kro_watch",
            json!({"kind": "Stall", "namespace": &*ns, "name": "corner", "subtree": true, "seconds": 1}),
        ),
        ("kro_apply_instance", json!({"manifest": instance.to_string()})),
        ("kro_apply_rgd", json!({"manifest": changed.to_string()})),
        ("kro_reconcile", json!({"kind": "Stall", "namespace": &*ns, "name": "corner", "action": "now"})),
        ("kro_delete_instance", named("Stall", "corner")),
    ] {
        let answer = mcp.call(tool, arguments.clone()).await;
        assert!(!answer.is_error, "{tool} {arguments}: {}", answer.text);
    }
    drop(server);
    let wants_delete = |line: &crate::audit::AuditLine| line.user == applied.user() && line.verb == "delete";
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| lines.iter().any(wants_delete));
    let theirs = applied.theirs(&lines);
    let refused: Vec<_> =
        theirs.iter().filter(|line| line.code == 403).filter_map(|line| asked(line)).collect();
    assert!(!refused.iter().any(is_ours), "{refused:?}");
    let exercised: BTreeSet<Right> = theirs.iter().filter_map(|line| asked(line)).collect();
    let granted: BTreeSet<Right> = applied.granted();
    let own = |right: &&Right| right.1 == "rbac.test.kro.run" && right.0 != "create";
    let unused: Vec<&Right> =
        granted.iter().filter(own).filter(|right| !exercised.contains(*right)).collect();
    assert!(unused.is_empty(), "granted and not used: {unused:?}");
    assert!(granted.iter().filter(own).count() == 5, "{granted:?}");
    plane.kubectl(&["delete", "stall", "corner", "-n", &ns, "--wait=false"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_changes_nothing_needs_no_right_to() {
    let plane = ControlPlane::shared();
    crate::impersonation::lamps();
    let (manifest, _) = printed(&config(&plane.tokens.admin, "tools: {readOnly: true}\n"), &["kro"]);
    let words: Vec<&str> = ["create", "patch", "delete"]
        .into_iter()
        .filter(|verb| manifest.contains(&format!("\"{verb}\"")))
        .collect();
    assert!(words.is_empty() && manifest.contains("\"lamps\""), "{words:?} {manifest}");
    let output = Product::new(["rbac", "kro"])
        .config(&config(&plane.tokens.admin, "tools: {without: [kro]}\n"))
        .output();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    // whoever may not list RGDs is told so, and nothing is printed that would look whole
    let output = Product::new(["rbac", "kro"]).config(&config(&plane.tokens.server, "")).output();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty() && err.contains("resourcegraphdefinitions"), "{err}");
}
