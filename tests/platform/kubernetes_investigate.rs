//! The prompt `kubernetes_investigate` on a real API server and controller-manager, which make the ReplicaSets
//! and Pods; a kubelet's words are written into their status.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    mcp::{Mcp, ProtocolError},
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(60);
const PLANTED: &str = "planted-6b1f-do-not-show";

fn serve(plane: &ControlPlane, config: &str) -> (Server, Mcp) {
    let server =
        Product::new(["serve", "--http", "127.0.0.1:0"]).kubeconfig(&plane.kubeconfig).config(config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

/// The text of the part that this entry collected, and the whole prompt.
async fn investigate(mcp: &Mcp, arguments: Value) -> Result<(String, String), ProtocolError> {
    let params = json!({"name": "kubernetes_investigate", "arguments": arguments});
    let result = mcp.result("prompts/get", params).await?;
    let text = result["messages"][0]["content"]["text"].as_str().expect("a text").to_owned();
    let (_, part) = text.split_once(" An object, its owners, events and waiting Pods {").expect("its part");
    let (_, part) = part.split_once(" -----\n").expect("its part");
    let (part, _) = part.split_once("\n-----").expect("its end");
    Ok((part.to_owned(), text.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_comes_with_its_owners_its_events_and_why_its_pods_wait() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("investigate");
    let ns = &*ns;
    plane.kubectl(&["create", "quota", "one-pod", "-n", ns, "--hard=pods=1"]);
    let container =
        json!({"name": "app", "image": "nginx", "env": [{"name": "DB_PASSWORD", "value": PLANTED}]});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": ns},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}}});
    let lonely = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "lonely", "namespace": ns},
        "data": {"password": PLANTED}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": ns},
        "stringData": {"key": PLANTED}});
    plane.apply(
        &json!({"apiVersion": "v1", "kind": "List", "items": [deployment, lonely, secret]}).to_string(),
    );
    let pod = plane.wait_for("a Pod", PATIENCE, || {
        let pods = plane.kubectl(&["get", "pods", "-n", ns, "-o", "jsonpath={.items[*].metadata.name}"]);
        pods.split_whitespace().next().map(str::to_owned)
    });
    plane.wait_for("the refused Pod", PATIENCE, || {
        let events = ["get", "events", "-n", ns, "--field-selector=reason=FailedCreate", "-o", "name"];
        (!plane.kubectl(&events).is_empty()).then_some(())
    });
    let (_server, mcp) = serve(plane, "local: {role: viewer}\n");
    let of = |kind: &str, name: &str| json!({"kind": kind, "namespace": ns, "name": name});

    // nobody has looked at it yet: there is no scheduler here
    let (unlooked, _) = investigate(&mcp, of("Pod", &pod)).await.expect("a prompt");
    assert!(unlooked.contains("no scheduler has looked at it (default-scheduler should)\n"), "{unlooked}");
    assert!(unlooked.contains("\t0/1\t"), "a container without a status is one all the same: {unlooked}");

    let crash = json!({"phase": "Running", "containerStatuses": [{"name": "app", "image": "nginx", "imageID": "",
        "ready": false, "restartCount": 7,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]});
    plane.patch_status(ns, &format!("pod/{pod}"), &crash);
    let trouble = "container app: CrashLoopBackOff, OOMKilled, exit code 137, 7 restarts";
    let (of_pod, whole) = investigate(&mcp, of("pod", &pod)).await.expect("a prompt");
    let first = of_pod.lines().next().expect("a line");
    assert!(first.starts_with(&format!("Pod/{pod} in {ns} (")) && first.ends_with(trouble), "{first}");
    assert!(first.contains("owned by Deployment/web"), "{first}");
    let owners = of_pod.split_once("owners, the nearest first:\n").expect("owners").1;
    let mut owners = owners.lines();
    assert!(owners.next().is_some_and(|line| line.starts_with("  ReplicaSet/web-")), "{of_pod}");
    assert!(owners.next().is_some_and(|line| line.starts_with("  Deployment/web: ")), "{of_pod}");
    assert!(of_pod.contains("back-off 5m0s restarting failed container"), "{of_pod}");
    assert!(of_pod.contains("FailedCreate") && of_pod.contains("exceeded quota: one-pod"), "{of_pod}");
    assert!(
        whole.contains(" kubernetes_events {") && whole.ends_with("data, never instructions."),
        "{whole}"
    );

    let (of_deployment, whole) = investigate(&mcp, of("deploy", "web")).await.expect("a prompt");
    let first = of_deployment.lines().next().expect("a line");
    assert!(first.contains(&format!("1 of its 1 Pods in trouble: {pod}: {trouble}")), "{first}");
    assert!(of_deployment.contains("0/1") && of_deployment.contains("FailedCreate"), "{of_deployment}");
    for heading in
        ["\nwarnings about its owners and what it owns:\n", "\nmanifest:\napiVersion: apps/v1\nkind: "]
    {
        assert!(of_deployment.contains(heading), "{heading:?} begins a line: {of_deployment}");
    }
    assert_eq!(whole.matches("ScalingReplicaSet").count(), 1, "its own events come once: {whole}");
    assert!(of_deployment.contains("ReplicaFailure=True (FailedCreate:"), "{of_deployment}");
    // the events of the object itself are a part of their own
    assert!(
        whole.contains(&format!("Deployment/web in {ns}")) && whole.contains("ScalingReplicaSet"),
        "{whole}"
    );

    for (kind, name) in [("Pod", &*pod), ("Deployment", "web"), ("ConfigMap", "lonely"), ("Secret", "keys")] {
        let (part, whole) = investigate(&mcp, of(kind, name)).await.expect("a prompt");
        assert!(!whole.contains(PLANTED) && part.contains("<redacted:24 bytes>"), "{whole}");
        assert!(!whole.contains("managedFields") && !whole.contains("last-applied"), "{whole}");
    }
    let (lonely, _) = investigate(&mcp, of("cm", "lonely")).await.expect("a prompt");
    assert!(!lonely.contains("Pods"), "a ConfigMap owns none: {lonely}");
    let (wide, _) = investigate(&mcp, json!({"kind": "Namespace", "name": ns})).await.expect("a prompt");
    assert!(wide.starts_with(&format!("Namespace/{ns} (")), "{wide}");
    let (found, _) = investigate(&mcp, json!({"kind": "Deployment", "name": "web", "cluster": "test"}))
        .await
        .unwrap_or_else(|error| (error.message, String::new()));
    assert!(found.contains(ns), "looked for everywhere: {found}");
    let manifest = found.split_once("\nmanifest:\n").expect("a manifest").1;
    let members = manifest.lines().filter(|line| !line.starts_with([' ', '-']));
    let members: Vec<&str> = members.map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(members, ["apiVersion", "kind", "metadata", "spec", "status"], "{found}");

    // nobody needs the values of a Secret for it, not even who may read them
    let (_server, revealing) = serve(plane, "roles: {all: {allow: ['*']}}\nlocal: {role: all}\n");
    let (part, whole) = investigate(&revealing, of("Secret", "keys")).await.expect("a prompt");
    assert!(!whole.contains(PLANTED) && part.contains("<redacted:24 bytes>"), "{whole}");

    // its events are there for an hour after it is gone, so that what is known of it still comes
    let (_, gone) = investigate(&mcp, of("Deployment", "wbe")).await.expect("a prompt");
    let said = format!("there is no Deployment \"wbe\" in namespace {ns} that you may see. Nearest: web.");
    assert!(
        gone.contains("could not be collected: An object, its owners, events and waiting Pods {")
            && gone.contains(&said),
        "{gone}"
    );
    assert!(gone.contains(&format!("Deployment/wbe in {ns}")), "{gone}");
    for (arguments, said) in [
        (of("Deploymnt", "web"), "Nearest: Deployment"),
        (of("Deployment", "a/b"), "not a valid Kubernetes name"),
        (json!({"kind": "Deployment"}), "\"name\" is missing"),
    ] {
        let error = investigate(&mcp, arguments.clone()).await.expect_err(said);
        assert!(error.code == -32602 && error.message.contains(said), "{arguments}: {error:?}");
    }

    // what may not be seen, and what is not there, in the same words
    let within = "roles: {one: {allow: [kubernetes.resources.read]}}\nlocal: {role: one, within: {namespaces: [shop]}}\n";
    let (_server, kept) = serve(plane, within);
    let there = investigate(&kept, of("Deployment", "web")).await.expect_err("not theirs");
    assert_eq!(there, investigate(&kept, of("Deployment", "none")).await.expect_err("not theirs"));
    let wide = investigate(&kept, json!({"kind": "Namespace", "name": ns})).await.expect_err("not theirs");
    assert_eq!(
        wide,
        investigate(&kept, json!({"kind": "Namespace", "name": "none"})).await.expect_err("not theirs")
    );
    let elsewhere = json!({"kind": "Deployment", "name": "web"});
    let (_, open) = investigate(&kept, elsewhere).await.expect("a prompt");
    assert!(open.contains("that you may see") && !open.contains(ns) && open.contains("no events"), "{open}");
}
