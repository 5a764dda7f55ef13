//! `rbac knative` on the real API server, and `examples/knative` as it stands there.

use serde_json::{Value, json};

use super::applied::{Applied, documents, printed};
use crate::control_plane::ControlPlane;

#[test]
fn the_example_is_what_the_command_prints() {
    let kinds = ["knative", "--kinds", "services,services.serving.knative.dev"];
    let (manifest, said) = printed("{}", &kinds);
    assert_eq!(
        (manifest.as_str(), said.as_str()),
        (include_str!("../../../examples/knative/service-account.yaml"), "")
    );
}

#[test]
fn the_example_for_backstage_has_what_the_plugin_reads_and_its_trap() {
    let config: Value = documents(include_str!("../../../examples/knative/app-config.yaml")).remove(0);
    let provider = &config["catalog"]["providers"]["knativeEventMesh"]["prod"];
    assert!(provider["baseUrl"].is_string() && provider["token"].is_string(), "{config}");
    assert!(
        provider["schedule"]["frequency"].is_object() && provider["schedule"]["timeout"].is_object(),
        "{config}"
    );
    assert_eq!(
        config["token"],
        json!({}),
        "getConfig(\"token\") of 1.21.0 takes an object, and throws without one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_gets_a_lasting_token_where_controllers_run() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("rbac");
    let name = format!("lasting-{}", &*ns);
    let to = ["knative", "--kinds", "services", "--namespace", &*ns, "--name", &name];
    let (manifest, _) = printed("{}", &to);
    let _applied = Applied::on(plane, manifest, &ns, &name);
    let secret = format!("secret/{name}-token");
    plane.wait_for("the token", std::time::Duration::from_secs(30), || {
        let secret = plane.get(&ns, &secret)?;
        secret["data"]["token"].as_str().filter(|token| !token.is_empty()).map(|_| ())
    });
}
