//! What only a kro of one's own can show: the shared one is not taken rights from, nor stopped.

use serde_json::json;

use super::{Doctor, GROUP, cause, define, first, instance};
use crate::control_plane::ControlPlane;

/// kro may do anything but read Secrets.
fn take_secrets_from_kro(plane: &ControlPlane) {
    let api = "rbac.authorization.k8s.io";
    let all = json!(["*"]);
    let groups = json!(["kro.run", "internal.kro.run", "apiextensions.k8s.io", "apps", GROUP]);
    let core = json!(["configmaps", "namespaces", "events", "services", "pods"]);
    plane.apply(
        &json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": "kro-without-secrets"}, "rules": [
                {"apiGroups": groups, "resources": all, "verbs": all},
                {"apiGroups": [""], "resources": core, "verbs": all},
                {"nonResourceURLs": all, "verbs": all}]},
            {"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "kro-without-secrets"},
             "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "kro-without-secrets"},
             "subjects": [{"apiGroup": api, "kind": "User", "name": "kro-controller"}]}]})
        .to_string(),
    );
    plane.kubectl(&["delete", "clusterrolebinding", "kro-controller"]);
}

/// Stops kro where it is, without ending it.
fn halt_kro(plane: &ControlPlane) {
    let pids = std::fs::read_to_string(plane.dir().join("pids")).expect("the processes of the control plane");
    let kro = pids.lines().find_map(|line| line.strip_prefix("kro ")).expect("kro is among them");
    let halted = std::process::Command::new("kill").args(["-STOP", kro]).status().expect("kill runs");
    assert!(halted.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kro_that_fights_lacks_rights_or_does_not_run() {
    // its kro is taken rights from, and holds up whoever shares it
    let plane = ControlPlane::start(&[]);
    let ns = plane.namespace("vault");
    define(&plane, "Vault", "{}", "
  - id: gold
    template: {apiVersion: v1, kind: Secret, metadata: {name: \"${schema.metadata.name}\"}, stringData: {a: b}}
");
    define(
        &plane,
        "Duel",
        "{}",
        "
  - id: web
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: \"${schema.metadata.name}\", annotations: {deployment.kubernetes.io/revision: '7'}}
      spec:
        selector: {matchLabels: {app: duel}}
        template:
          metadata: {labels: {app: duel}}
          spec: {containers: [{name: app, image: nginx}]}
",
    );
    let doctor = Doctor::on(&plane);
    instance(&plane, "Duel", &ns, "one", "{}");
    let duel = doctor.first(["Duel", &ns, "one"], "field-fight").await;
    assert!(
        cause(&duel).contains(" change Deployment/one in turn: the template of node web sets "),
        "{duel}"
    );
    plane.kubectl(&["delete", "duel/one", "-n", &ns]);

    take_secrets_from_kro(&plane);
    instance(&plane, "Vault", &ns, "one", "{}");
    let lacks = doctor.first(["Vault", &ns, "one"], "controller-rbac").await;
    assert!(cause(&lacks).starts_with("the kro controller (kro-controller) may not "), "{lacks}");
    assert!(cause(&lacks).contains(" secrets"), "{lacks}");

    halt_kro(&plane);
    instance(&plane, "Vault", &ns, "two", "{}");
    let held = doctor.first(["Vault", &ns, "two"], "controller-held-up").await;
    assert!(cause(&held).contains(&format!("which Vault/one in {} has", &*ns)), "{held}");
    plane.apply(&format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: kro, namespace: {}, labels: {{app.kubernetes.io/name: kro}}}}\n\
         spec:\n  selector: {{matchLabels: {{app: kro}}}}\n  template:\n    metadata: {{labels: {{app: kro}}}}\n    spec: \
         {{containers: [{{name: kro, image: kro}}]}}\n",
        &*ns
    ));
    let down = doctor.see("Vault", &ns, "two").await;
    assert_eq!(first(&down), "controller-down", "{}", down.text);
    assert!(doctor.requests().iter().all(|count| *count <= 2 + 1 + 2), "{:?}", doctor.requests());
}
