//! A caller with the RBAC of `examples/rbac/callers.yaml`, and nothing else, has the use of every kro tool.

use std::{fs, path::Path, time::Duration};

use serde_json::json;

use crate::{
    control_plane::ControlPlane,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::Product,
};

/// Rights that are taken back, since they reach beyond the test's own namespace.
struct Granted(String);

impl Granted {
    /// The example, for nina in this namespace. The people of `people.rs` keep the rights that other tests count on.
    fn to_nina(namespace: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rbac/callers.yaml");
        let rights = fs::read_to_string(path)
            .unwrap()
            .replace("kind: Group", "kind: User")
            .replace("oidc:team-a", "oidc:nina")
            .replace("namespace: team-a", &format!("namespace: {namespace}"));
        ControlPlane::shared().apply(&rights);
        Self("platform-mcp-rgds".to_owned())
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        let _ = ControlPlane::shared().try_kubectl(&["delete", "clusterrolebinding", &self.0]);
    }
}

fn first(answer: &ToolAnswer) -> &str {
    answer.text.lines().next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rbac_example_for_callers_is_enough_for_every_tool() {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let ns = plane.namespace("kiosks");
    plane.apply(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {name: kiosk}\nspec:\n  schema: \
         {apiVersion: v1alpha1, kind: Kiosk, spec: {colour: 'string | default=red'}}\n  resources:\n  \
         - id: sign\n    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: '${schema.metadata.name}-sign'}, \
         data: {colour: '${schema.spec.colour}'}}\n  \
         - id: prices\n    externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: prices}}\n",
    );
    plane.kubectl(&["wait", "rgd/kiosk", "--for=condition=Ready", "--timeout=90s"]);
    plane.kubectl(&["create", "configmap", "prices", "-n", &ns]);
    plane.apply(&format!(
        "apiVersion: kro.run/v1alpha1\nkind: Kiosk\nmetadata: {{name: corner, namespace: {}}}\nspec: {{}}\n",
        &*ns
    ));
    plane.wait_for("the sign of the kiosk", Duration::from_secs(60), || plane.get(&ns, "cm/corner-sign"));
    let _granted = Granted::to_nina(&ns);
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.admin}],
    });
    let issuer = provider.entry("[{roles: [admin]}]");
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config(&format!("clusters: {clusters}\nissuers: [{issuer}]\n"))
        .serve();
    let forge = provider.forge();
    let mut claims = forge.claims("dave"); // who is in no group
    claims["sub"] = json!("nina");
    let nina = Mcp::with_token(server.url("/mcp"), &forge.claiming(&claims));

    let here = nina.call("kro_instances", json!({"kind": "Kiosk", "namespace": &*ns})).await;
    assert_eq!(here.structure["rows"][0]["name"], "corner", "{}", here.text);
    let everywhere = nina.call("kro_instances", json!({"kind": "Kiosk"})).await;
    assert!(!everywhere.is_error, "{}", everywhere.text);
    let said = first(&everywhere);
    assert!(said.starts_with("could not look at 1 of 1 kind: forbidden; name a namespace"), "{said}");

    let named = |kind: &str, name: &str| json!({"kind": kind, "namespace": &*ns, "name": name});
    let graph = nina.call("kro_graph", named("Kiosk", "corner")).await;
    assert!(!graph.is_error && graph.structure["gaps"].is_null(), "{}", graph.text);
    assert_eq!(graph.structure["counts"], json!({"ready": 2}), "{}", graph.text);
    let diagnosis = nina.call("kro_diagnose", named("Kiosk", "corner")).await;
    assert!(!diagnosis.is_error && diagnosis.structure["gaps"].is_null(), "{}", diagnosis.text);
    assert_eq!(diagnosis.structure["healthy"], true, "{}", diagnosis.text);
    for (kind, name, class) in [
        ("Kiosk", "corner", "instance"),
        ("ConfigMap", "corner-sign", "child"),
        ("ConfigMap", "prices", "external"),
    ] {
        let yaml = nina.call("kro_yaml", named(kind, name)).await;
        assert_eq!(yaml.structure["class"], class, "{name}: {}", yaml.text);
    }
    let rgd = nina.call("kro_yaml", json!({"kind": "ResourceGraphDefinition", "name": "kiosk"})).await;
    assert_eq!(rgd.structure["class"], "rgd", "{}", rgd.text);
    // plans, which the API server tries as nina
    for (tool, arguments) in [
        (
            "kro_apply_instance",
            json!({"manifest": json!({"apiVersion": "kro.run/v1alpha1", "kind": "Kiosk",
            "metadata": {"name": "second", "namespace": &*ns}, "spec": {"colour": "blue"}}).to_string()}),
        ),
        ("kro_reconcile", json!({"kind": "Kiosk", "namespace": &*ns, "name": "corner", "action": "now"})),
        ("kro_delete_instance", named("Kiosk", "corner")),
    ] {
        let planned = nina.call(tool, arguments).await;
        assert_eq!(planned.structure["change"], "planned", "{tool}: {}", planned.text);
    }
    let elsewhere = nina.call("kro_instances", json!({"kind": "Kiosk", "namespace": "team-b"})).await;
    assert!(first(&elsewhere).starts_with("could not look at 1 of 1 kind: forbidden"), "{}", elsewhere.text);
}
