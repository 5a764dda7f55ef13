//! A person confirms what a tool planned: the official clients, each in the eras it speaks, over stdio and
//! HTTP, on a real kro. Every way of the conversation itself is in the unit tests of the door.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    clients::{Sdk, session},
    control_plane::ControlPlane,
    mcp::STATELESS,
    server::{Product, Server},
};

const RGD: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: stamp}
spec:
  schema: {apiVersion: v1alpha1, kind: Stamp, group: confirmation.test.kro.run, spec: {colour: 'string | default=red'}}
  resources:
    - id: ink
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-ink"}, data: {colour: "${schema.spec.colour}"}}
"#;

const ADMIN: &str = "local: {role: admin}\n";

fn over_http(kubeconfig: &Path) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(ADMIN).kubeconfig(kubeconfig).serve()
}

fn over_stdio(kubeconfig: &Path) -> Value {
    let home = kubeconfig.parent().expect("a folder");
    let config = home.join("confirmation.yaml");
    std::fs::write(&config, ADMIN).expect("a file");
    json!({
        "command": env!("CARGO_BIN_EXE_platform-mcp"),
        "arguments": ["serve", "--config", config, "--kubeconfig", kubeconfig],
        "environment": {"HOME": home},
    })
}

/// What a client saw of one call whose person says this.
fn confirmed(sdk: Sdk, transport: &Value, mode: &Value, manifest: &Value, says: &Value) -> (Value, Value) {
    let mut asked = transport.clone();
    asked["mode"] = mode.clone();
    asked["elicit"] = says.clone();
    let arguments = json!({"manifest": manifest.to_string()});
    asked["calls"] = json!([{"tool": "kro_apply_instance", "arguments": arguments}]);
    let mut seen = session(sdk, asked);
    (seen["elicited"].take(), seen["answers"][0].take())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_once_the_person_agrees_and_not_before() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("confirmation");
    plane.apply(RGD);
    plane.kubectl(&["wait", "rgd/stamp", "--for=condition=Ready", "--timeout=90s"]);
    let server = over_http(&plane.kubeconfig);
    let (http, stdio) = (json!({"http": server.url("/mcp")}), over_stdio(&plane.kubeconfig));
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    let no = json!({"action": "decline"});
    let (modern, legacy) = (json!({"pin": STATELESS}), json!("legacy"));
    for (index, (sdk, transport, mode, says)) in [
        (Sdk::TypeScript, &http, &modern, &yes),
        (Sdk::TypeScript, &http, &modern, &no),
        (Sdk::TypeScript, &stdio, &modern, &yes),
        (Sdk::TypeScript, &stdio, &legacy, &yes),
        (Sdk::TypeScript1, &stdio, &Value::Null, &yes),
        (Sdk::TypeScript1, &stdio, &Value::Null, &no),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("stamp-{index}");
        let manifest = json!({"apiVersion": "confirmation.test.kro.run/v1alpha1", "kind": "Stamp",
            "metadata": {"name": name, "namespace": &*ns}, "spec": {"colour": "blue"}});
        let (asked, answer) = confirmed(sdk, transport, mode, &manifest, says);
        let at = format!("{sdk:?} {mode} {says}: {asked:#} {answer:#}");
        assert_eq!(asked.as_array().map(Vec::len), Some(1), "{at}");
        assert!(asked[0]["message"].as_str().is_some_and(|text| text.contains(&name)), "{at}");
        let result = &answer["result"];
        // the model never sees a handle
        assert!(!result.to_string().contains("\"plan\""), "{at}");
        let made = plane.get(&ns, &format!("stamp/{name}"));
        if says == &yes {
            assert_eq!(result["structuredContent"]["change"], "made", "{at}");
            assert_eq!(made.expect(&at)["spec"]["colour"], "blue");
        } else {
            assert_eq!(result["content"][0]["text"], "the person did not agree; nothing was changed", "{at}");
            assert!(made.is_none(), "{at}");
        }
    }
    // over HTTP no request of ours finds its way to an older client: the model is given the plan
    let manifest = json!({"apiVersion": "confirmation.test.kro.run/v1alpha1", "kind": "Stamp",
        "metadata": {"name": "stamp-of-a-model", "namespace": &*ns}});
    let (asked, answer) = confirmed(Sdk::TypeScript1, &http, &Value::Null, &manifest, &yes);
    assert_eq!((&asked, &answer["result"]["structuredContent"]["change"]), (&json!([]), &json!("planned")));
    plane.kubectl(&["delete", "stamp", "--all", "-n", &ns, "--wait=false"]);
}
