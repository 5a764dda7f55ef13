//! `kro_watch` on a real kro: what becomes of an instance while one waits, told as it happens.

use std::{process::Command, sync::OnceLock, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    kubectl::Namespace,
    listen::Listen,
    mcp::{LEGACY, Mcp, STATELESS, stateless},
    parts::{node, support},
    server::{Product, Server},
};

/// Ready when a ConfigMap, which is not kro's, says so: `switch` → `first` → `second`.
const LATCH: &str = r#"
  - id: switch
    externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.spec.switch}"}}
  - id: first
    readyWhen: ["${first.data.lit == 'yes'}"]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-first"}, data: {lit: "${switch.data.lit}"}}
  - id: second
    template: {apiVersion: v1, kind: Service, metadata: {name: "${first.metadata.name}-second"}, spec: {ports: [{port: 80}]}}
"#;

pub(crate) fn latch() -> &'static ControlPlane {
    static DEFINED: OnceLock<()> = OnceLock::new();
    let plane = ControlPlane::shared();
    DEFINED.get_or_init(|| {
        plane.apply(&format!(
            "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: latch}}\nspec:\n  schema: \
             {{apiVersion: v1alpha1, kind: Latch, group: watch.test.kro.run, spec: {{switch: 'string | default=switch'}}}}\n  \
             resources:\n{LATCH}"
        ));
        plane.kubectl(&["wait", "rgd/latch", "--for=condition=Ready", "--timeout=90s"]);
    });
    plane
}

/// An instance that waits for its switch.
pub(crate) fn instance(plane: &ControlPlane, namespace: &Namespace, name: &str) {
    switch(plane, namespace, name, "no");
    plane.apply(&format!(
        "apiVersion: watch.test.kro.run/v1alpha1\nkind: Latch\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{switch: {name}}}\n"
    ));
}

pub(crate) fn switch(plane: &ControlPlane, namespace: &Namespace, name: &str, on: &str) {
    plane.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata: {{lit: '{on}'}}\n"
    ));
}

fn serve(kubeconfig: &std::path::Path) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"])
        .config("audit: {to: audit.log}\n")
        .kubeconfig(kubeconfig)
        .serve()
}

fn arguments(namespace: &Namespace, name: &str, more: &Value) -> Value {
    let mut arguments = json!({"kind": "Latch", "namespace": &**namespace, "name": name});
    let all = arguments.as_object_mut().expect("an object");
    all.extend(more.as_object().expect("an object").clone());
    arguments
}

/// A call whose progress is heard: the notifications, then the answer.
async fn followed(mcp: &Mcp, arguments: &Value) -> (Vec<Value>, Value) {
    let mut params = json!({"name": "kro_watch", "arguments": arguments});
    let meta = stateless(&json!(1), "tools/call", &params)["params"]["_meta"].clone();
    params["_meta"] = meta;
    params["_meta"]["progressToken"] = json!("p");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let mut stream = Listen::of(mcp, &body).await;
    let mut heard = Vec::new();
    loop {
        let message = stream.next(Duration::from_secs(120)).await.expect("the stream ends with the answer");
        if message["id"] == 1 {
            return (heard, message);
        }
        assert_eq!(message["method"], "notifications/progress", "{message}");
        heard.push(message["params"].clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_followed_from_pending_to_ready_and_each_step_is_told() {
    let plane = latch();
    let namespace = plane.namespace("latch");
    instance(plane, &namespace, "one");
    let server = serve(&plane.kubeconfig);
    let mcp = Mcp::new(server.url("/mcp"));
    // what is so already ends at once
    let waits = arguments(&namespace, "one", &json!({"subtree": true, "until": "changed", "seconds": 60}));
    loop {
        let state = mcp.call("kro_graph", arguments(&namespace, "one", &json!({}))).await.structure;
        if state["counts"]["progressing"] == 1 && state["counts"]["pending"] == 1 {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    let (client, all) = (
        mcp.clone(),
        arguments(&namespace, "one", &json!({"subtree": true, "until": "ready", "seconds": 90})),
    );
    let following = tokio::spawn(async move { followed(&client, &all).await });
    let (client, own) =
        (mcp.clone(), arguments(&namespace, "one", &json!({"until": "ready", "seconds": 90})));
    let by_its_own_word = tokio::spawn(async move { client.call("kro_watch", own).await });
    let client = mcp.clone();
    let changing = tokio::spawn(async move { client.call("kro_watch", waits).await });
    sleep(Duration::from_secs(2)).await;
    switch(plane, &namespace, "one", "yes");

    let (heard, answer) = following.await.expect("no panic");
    let (structure, text) =
        (&answer["result"]["structuredContent"], answer["result"]["content"][0]["text"].to_string());
    assert_eq!((&structure["ended"], &structure["state"]), (&json!("reached"), &json!("ready")), "{text}");
    let states = |node: &str| -> Vec<&str> {
        let changes = structure["changes"].as_array().into_iter().flatten();
        changes
            .filter(|change| change["node"] == node)
            .filter_map(|change| change["state"].as_str())
            .collect()
    };
    assert_eq!(states("first").first(), Some(&"progressing"), "{text}");
    assert_eq!(states("first").last(), Some(&"ready"), "{text}");
    assert_eq!(
        (states("second").first(), states("second").last()),
        (Some(&"pending"), Some(&"ready")),
        "{text}"
    );
    let steps: Vec<f64> = heard.iter().filter_map(|said| said["progress"].as_f64()).collect();
    assert!(steps.len() >= 2 && steps.is_sorted_by(|a, b| a < b), "{heard:?}");
    assert!(
        heard.iter().all(|said| said["progressToken"] == "p" && said["message"].is_string()),
        "{heard:?}"
    );
    assert_eq!(heard.last().map(|said| &said["message"]), Some(&json!("the instance: ready")), "{heard:?}");

    let own = by_its_own_word.await.expect("no panic");
    assert_eq!(
        (&own.structure["ended"], &own.structure["state"]),
        (&json!("reached"), &json!("ready")),
        "{}",
        own.text
    );
    let changed = changing.await.expect("no panic");
    assert_eq!(changed.structure["ended"], "reached", "{}", changed.text);
    let already = mcp.call("kro_watch", arguments(&namespace, "one", &json!({"until": "ready"}))).await;
    assert_eq!((&already.structure["ended"], &already.structure["seconds"]), (&json!("reached"), &json!(0)));

    // deleted: whatever it was waited for
    let (client, gone) = (
        mcp.clone(),
        arguments(&namespace, "one", &json!({"subtree": true, "until": "failed", "seconds": 60})),
    );
    let deleting = tokio::spawn(async move { client.call("kro_watch", gone).await });
    sleep(Duration::from_secs(1)).await;
    plane.kubectl(&["delete", "latch", "one", "-n", &namespace, "--wait=false"]);
    let deleted = deleting.await.expect("no panic");
    assert_eq!(
        (&deleted.structure["ended"], &deleted.structure["state"]),
        (&json!("deleted"), &json!("gone")),
        "{}",
        deleted.text
    );
    let absent = mcp.call("kro_watch", arguments(&namespace, "one", &json!({"until": "deleted"}))).await;
    assert_eq!(absent.structure["ended"], "deleted", "{}", absent.text);
    let none = mcp.call("kro_watch", arguments(&namespace, "one", &json!({"until": "ready"}))).await;
    assert!(none.is_error && none.text.contains("there is no Latch"), "{}", none.text);
}

/// The watches of a call that have ended, by the API server's own log.
fn watches(lines: &[AuditLine]) -> usize {
    lines.iter().filter(|line| line.verb == "watch").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_its_watch_and_so_does_the_server() {
    let plane = latch();
    let namespace = plane.namespace("left");
    instance(plane, &namespace, "one");
    let mut server = serve(&plane.kubeconfig);
    let mcp = Mcp::new(server.url("/mcp"));
    let mark = plane.audit_mark();
    let all = arguments(&namespace, "one", &json!({"seconds": 300}));
    for _ in 0..2 {
        let (client, all) = (mcp.clone(), all.clone());
        let left = tokio::spawn(async move { client.call("kro_watch", all).await });
        sleep(Duration::from_secs(2)).await;
        left.abort();
    }
    let mine = |lines: &[AuditLine]| {
        let of = |line: &&AuditLine| line.uri.contains(&*namespace);
        watches(&lines.iter().filter(of).cloned().collect::<Vec<_>>())
    };
    plane.audit_until(mark, "platform-mcp/", |lines| mine(lines) >= 2);
    // a server that ends says what it has seen
    let client = mcp.clone();
    let following = tokio::spawn(async move { client.call("kro_watch", all).await });
    sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    server.terminate();
    let answer = following.await.expect("no panic");
    assert_eq!(answer.structure["ended"], "server", "{}", answer.text);
    assert!(server.ended(Duration::from_secs(8)).success());
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_watch_is_answered_by_looking() {
    let plane = latch();
    let namespace = plane.namespace("looked");
    instance(plane, &namespace, "one");
    plane.kubectl(&["create", "serviceaccount", "reader", "-n", &namespace]);
    let get = json!({"apiGroups": ["*"], "resources": ["latches", "configmaps", "services", "customresourcedefinitions", "resourcegraphdefinitions"], "verbs": ["get", "list"]});
    let api = "rbac.authorization.k8s.io";
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": &*namespace}, "rules": [get]},
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": &*namespace},
         "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": &*namespace},
         "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": &*namespace}]}]}).to_string());
    let token = plane.kubectl(&["create", "token", "reader", "-n", &namespace]);
    let server = serve(&plane.kubeconfig_for(token.trim()));
    let mcp = Mcp::new(server.url("/mcp"));
    for subtree in [false, true] {
        let name = if subtree { "two" } else { "one" };
        instance(plane, &namespace, name);
        let (client, all) = (
            mcp.clone(),
            arguments(&namespace, name, &json!({"until": "ready", "seconds": 90, "subtree": subtree})),
        );
        let following = tokio::spawn(async move { client.call("kro_watch", all).await });
        sleep(Duration::from_secs(1)).await;
        switch(plane, &namespace, name, "yes");
        let answer = following.await.expect("no panic");
        assert_eq!(answer.structure["ended"], "reached", "{}", answer.text);
        assert!(answer.text.contains("is not watched"), "the gap is said: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_calls_and_so_many_seconds() {
    let server = Server::demo();
    let mcp = Mcp::new(server.url("/mcp"));
    let outlet =
        |seconds: u32| json!({"kind": "Shop", "namespace": "shop", "name": "outlet", "seconds": seconds});
    let mut calls = Vec::new();
    for _ in 0..8 {
        let client = mcp.clone();
        calls.push(tokio::spawn(async move { client.call("kro_watch", outlet(4)).await }));
    }
    sleep(Duration::from_secs(2)).await;
    let refused = mcp.call("kro_watch", outlet(1)).await;
    assert!(refused.is_error && refused.text.contains("you follow 8 instances"), "{}", refused.text);
    for call in calls {
        let answer = call.await.expect("no panic");
        assert_eq!((&answer.structure["ended"], answer.is_error), (&json!("time"), false), "{}", answer.text);
    }
    for wrong in [json!(0), json!(301), json!("1m")] {
        let mut arguments = outlet(1);
        arguments["seconds"] = wrong;
        let answer = mcp.call("kro_watch", arguments).await;
        assert!(answer.is_error && answer.text.contains("seconds"), "{}", answer.text);
    }
    for (kind, said) in [("ConfigMap", "no ResourceGraphDefinition generates"), ("Shopp", "serves no kind")] {
        let answer =
            mcp.call("kro_watch", json!({"kind": kind, "namespace": "shop", "name": "outlet"})).await;
        assert!(answer.is_error && answer.text.contains(said), "{}", answer.text);
    }
}

/// The official client's own word for it, in each era.
#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_hears_the_progress() {
    let plane = latch();
    let namespace = plane.namespace("heard");
    let server = serve(&plane.kubeconfig);
    for (sdk, mode, version) in [
        ("@modelcontextprotocol/client", json!({"pin": STATELESS}), STATELESS),
        ("@modelcontextprotocol/client", json!("legacy"), LEGACY),
        ("@modelcontextprotocol/sdk", Value::Null, LEGACY),
    ] {
        let name = format!("t{}", mode.to_string().len());
        instance(plane, &namespace, &name);
        let watch = json!({"tool": "kro_watch", "progress": true,
            "arguments": arguments(&namespace, &name, &json!({"subtree": true, "until": "ready", "seconds": 60}))});
        let session = json!({"sdk": sdk, "mode": mode, "http": server.url("/mcp"), "calls": [watch]});
        let mut client = Command::new(node().join("bin/node"));
        client.arg(support("node/client.mjs")).arg(node()).arg(session.to_string());
        let client = tokio::task::spawn_blocking(move || client.output().expect("the client runs"));
        sleep(Duration::from_secs(3)).await;
        switch(plane, &namespace, &name, "yes");
        let output = client.await.expect("no panic");
        let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let answer = &seen["answers"][0];
        assert_eq!(
            (&seen["version"], &answer["result"]["structuredContent"]["ended"]),
            (&json!(version), &json!("reached")),
            "{seen:#}"
        );
        let heard = answer["progress"].as_array().expect("a list");
        let steps: Vec<f64> = heard.iter().filter_map(|said| said["progress"].as_f64()).collect();
        assert!(!steps.is_empty() && steps.is_sorted_by(|a, b| a < b), "{seen:#}");
        assert_eq!(
            heard.last().map(|said| &said["message"]),
            Some(&json!("the instance: ready")),
            "{seen:#}"
        );
        assert_eq!(seen["errors"], json!([]), "{seen:#}");
    }
}

#[test]
fn on_the_command_line_progress_goes_to_standard_error() {
    let call = ["call", "--demo", "kro_watch", "kind=Shop", "namespace=shop", "name=outlet", "seconds=1"];
    let output = Product::new(call).output();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", said(&output.stderr));
    assert!(said(&output.stderr).contains("the instance: ready"), "{}", said(&output.stderr));
    assert!(
        said(&output.stdout).starts_with("Shop/outlet in shop (sample): ready. Followed for 1 s"),
        "{}",
        said(&output.stdout)
    );
}
