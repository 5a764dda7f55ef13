//! `kro_events` on a real kro and controller-manager, and over the sample platform with faults.

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    faulty::{Fault, Faulty},
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(90);

const STAGE: &str = r#"
  - id: lights
    forEach: [{zone: "${schema.spec.zones}"}]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-${zone}"}, data: {a: b}}
  - id: web
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: "${schema.metadata.name}"}
      spec:
        replicas: 2
        selector: {matchLabels: {app: "${schema.metadata.name}"}}
        template:
          metadata: {labels: {app: "${schema.metadata.name}"}}
          spec: {containers: [{name: app, image: nginx}]}
  - id: hall
    template:
      apiVersion: events.test.kro.run/v1alpha1
      kind: Hall
      metadata: {name: "${schema.metadata.name}-${schema.metadata.namespace}"}
      spec: {place: "${schema.metadata.namespace}"}
"#;

const HALL: &str = r#"
  - id: rooms
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-rooms", namespace: "${schema.spec.place}"}, data: {a: b}}
  - id: role
    template: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: "${schema.metadata.name}"}, rules: []}
  - id: seats
    template:
      apiVersion: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      metadata: {name: seats.hall.events.test, labels: {place: "${schema.spec.place}"}}
      spec:
        group: hall.events.test
        scope: Namespaced
        names: {plural: seats, kind: Seat}
        versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"#;

fn define(plane: &ControlPlane, kind: &str, schema: &str, resources: &str) {
    let name = kind.to_lowercase();
    plane.apply(&format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: {name}}}\nspec:\n  schema: \
         {{apiVersion: v1alpha1, kind: {kind}, group: events.test.kro.run, {schema}}}\n  resources:\n{resources}"
    ));
    let ready = ["wait", &format!("rgd/{name}"), "--for=condition=Ready", "--timeout=60s"];
    if let Err(why) = plane.try_kubectl(&ready) {
        panic!("{why}: {}", plane.kubectl(&["get", &format!("rgd/{name}"), "-o", "jsonpath={.status}"]));
    }
}

fn serve(kubeconfig: &Path) -> (Server, Mcp) {
    serve_as(kubeconfig, "")
}

fn serve_as(kubeconfig: &Path, config: &str) -> (Server, Mcp) {
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]).kubeconfig(kubeconfig);
    let server = if config.is_empty() { product.serve() } else { product.config(config).serve() };
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

/// A role with these permissions alone, everywhere or within a namespace.
fn role(allow: &str, within: &str) -> String {
    format!("roles: {{one: {{allow: [{allow}]}}}}\nlocal: {{role: one{within}}}\n")
}

fn rows(answer: &ToolAnswer) -> Vec<Value> {
    assert!(!answer.is_error, "{}", answer.text);
    answer.structure["rows"].as_array().unwrap_or_else(|| panic!("no rows: {}", answer.text)).clone()
}

/// The row of that message.
fn row(answer: &ToolAnswer, message: &str) -> Value {
    let found: Vec<Value> = rows(answer).into_iter().filter(|row| row["message"] == message).collect();
    assert_eq!(found.len(), 1, "{message}: {}", answer.text);
    found[0].clone()
}

fn uid(plane: &ControlPlane, namespace: &str, object: &str) -> String {
    let found = plane.get(namespace, object).unwrap_or_else(|| panic!("no {object} in {namespace}"));
    found["metadata"]["uid"].as_str().expect("a uid").to_owned()
}

/// An event of the older API.
fn core(name: &str, namespace: &str, about: &Value, message: &str, more: &Value) -> Value {
    let mut event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
        "involvedObject": about, "type": "Warning", "reason": "Test", "message": message,
        "source": {"component": "a-test"}, "count": 1,
        "firstTimestamp": jiff::Timestamp::now().to_string(), "lastTimestamp": jiff::Timestamp::now().to_string()});
    event.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    event
}

/// A user of the test's own who may get and list what `rules` name, as `group/resource`.
fn reader(plane: &ControlPlane, namespace: &str, name: &str, rules: &[&str]) -> std::path::PathBuf {
    plane.kubectl(&["create", "serviceaccount", name, "-n", namespace]);
    let rule = |rule: &&str| {
        let (group, resource) = rule.split_once('/').expect("group/resource");
        json!({"apiGroups": [group], "resources": [resource], "verbs": ["get", "list"]})
    };
    let rules: Vec<Value> = rules.iter().map(rule).collect();
    let (api, role) = ("rbac.authorization.k8s.io", format!("{namespace}-{name}"));
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": role}, "rules": rules},
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": role},
         "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": role},
         "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]}]}).to_string());
    plane.kubeconfig_for(plane.kubectl(&["create", "token", name, "-n", namespace]).trim())
}

/// One instance with a collection, a Deployment that a quota holds back, and a nested cluster-scoped instance
/// whose children are a CRD, a ClusterRole and a ConfigMap; what its parts are asked is asked of all of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_an_instance_and_all_that_it_owns() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("stage");
    let ns = &*ns;
    plane.kubectl(&["create", "quota", "one-pod", "-n", ns, "--hard=pods=1"]);
    define(plane, "Hall", "scope: Cluster, spec: {place: string}", HALL);
    define(plane, "Stage", "spec: {zones: '[]string'}", STAGE);
    plane.apply(&format!(
        "apiVersion: events.test.kro.run/v1alpha1\nkind: Stage\nmetadata: {{name: main, namespace: {ns}}}\nspec: {{zones: [a, b]}}\n"
    ));
    let hall = format!("main-{ns}");
    plane.wait_for("the last of the children", PATIENCE, || plane.get("", &format!("clusterrole/{hall}")));
    plane.wait_for("the refused Pod", PATIENCE, || {
        let events =
            plane.kubectl(&["get", "events", "-n", ns, "--field-selector=reason=FailedCreate", "-o", "name"]);
        (!events.is_empty()).then_some(())
    });
    let pods = plane.wait_for("a Pod", PATIENCE, || {
        let pods = plane.kubectl(&["get", "pods", "-n", ns, "-o", "jsonpath={.items[*].metadata.name}"]);
        (!pods.trim().is_empty()).then_some(pods)
    });
    let pod = pods.split_whitespace().next().expect("a Pod");
    let (_server, mcp) = serve(&plane.kubeconfig);
    let stage = json!({"kind": "Stage", "namespace": ns, "name": "main"});
    let ask = async |more: Value| {
        let mut asked = stage.clone();
        asked.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        mcp.call("kro_events", asked).await
    };

    // kro says nothing, and the answer says what that means
    let own = ask(json!({})).await;
    assert_eq!((&own.structure["class"], rows(&own).len()), (&json!("instance"), 0), "{}", own.text);
    assert!(
        own.text.contains("InstanceConditionEvents") && own.text.contains("subtree: true"),
        "{}",
        own.text
    );
    let rgd = mcp.call("kro_events", json!({"kind": "rgd", "name": "stage"})).await;
    assert_eq!((&rgd.structure["class"], rows(&rgd).len()), (&json!("rgd"), 0), "{}", rgd.text);
    assert!(
        rgd.text.contains("kro writes no events for RGDs") && rgd.text.contains("kro_rgd"),
        "{}",
        rgd.text
    );
    let refused = mcp.call("kro_events", json!({"kind": "rgd", "name": "stage", "subtree": true})).await;
    assert!(refused.is_error && refused.text.contains("\"subtree\""), "{}", refused.text);

    let about_pod = json!({"apiVersion": "v1", "kind": "Pod", "namespace": ns, "name": pod,
        "uid": uid(plane, ns, &format!("pod/{pod}"))});
    let light = |zone: &str, uid: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "namespace": ns, "name": format!("main-{zone}"), "uid": uid});
    let (a, hall_uid) = (uid(plane, ns, "cm/main-a"), uid(plane, "", &format!("hall/{hall}")));
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": hall,
        "uid": uid(plane, "", &format!("clusterrole/{hall}"))});
    let about_hall =
        json!({"apiVersion": "events.test.kro.run/v1alpha1", "kind": "Hall", "name": hall, "uid": hall_uid});
    let none = json!({});
    let old = json!({"firstTimestamp": "2020-01-01T00:00:00Z", "lastTimestamp": "2020-01-01T00:00:00Z"});
    let stranger = json!({"apiVersion": "v1", "kind": "ConfigMap", "namespace": ns, "name": "kube-root-ca.crt",
        "uid": uid(plane, ns, "cm/kube-root-ca.crt")});
    let namesake = light("a", "1b4e28ba-2fa1-11d2-883f-0016d3cca427");
    let back_off = |count: u8| json!({"reason": "BackOff", "count": count});
    let planted = [
        core("back-off-1", ns, &about_pod, "back-off", &back_off(3)),
        core("back-off-2", ns, &about_pod, "back-off", &back_off(4)),
        core("long-ago", ns, &light("a", &a), "long ago", &old),
        core("no-uid", ns, &light("b", ""), "without a uid", &none),
        core("no-uid-old", ns, &light("b", ""), "of a namesake without a uid", &old),
        core("namesake", ns, &namesake, "of a namesake", &none),
        core("stranger", ns, &stranger, "of a stranger", &none),
        core(&format!("role-{ns}"), "default", &role, "of the role", &json!({"type": "Normal"})),
        core(&format!("hall-{ns}"), "default", &about_hall, "of the hall", &none),
        json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "newer", "namespace": ns},
            "regarding": light("a", &a), "type": "Warning", "reason": "Dimmed", "note": "of the newer API",
            "action": "Dim", "reportingController": "test.kro.run/lights", "reportingInstance": "one",
            "eventTime": "2026-01-01T00:00:00.000000Z",
            "series": {"count": 5, "lastObservedTime": format!("{:.6}", jiff::Timestamp::now())}}),
    ];
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": planted}).to_string());

    let all = ask(json!({"subtree": true})).await;
    let types: Vec<bool> = rows(&all).iter().map(|row| row["type"] == "Warning").collect();
    assert!(types.is_sorted_by(|before, after| before >= after), "warnings first: {}", all.text);
    let warnings = types.iter().filter(|warning| **warning).count();
    assert_eq!(all.structure["warnings"], warnings, "{}", all.text);
    assert!(
        all.text.lines().next().expect("a line").contains(&format!("{warnings} warnings")),
        "{}",
        all.text
    );
    assert_eq!(all.structure["partial"], Value::Null, "{}", all.text);

    let back_off = row(&all, "back-off");
    assert_eq!(
        (&back_off["count"], &back_off["under"]),
        (&json!(7), &json!("Deployment/main")),
        "{}",
        all.text
    );
    assert_eq!(back_off["object"], format!("Pod/{pod}"));
    let refused: Vec<Value> = rows(&all).into_iter().filter(|row| row["reason"] == "FailedCreate").collect();
    assert!(
        refused.iter().all(|row| row["under"] == "Deployment/main"
            && row["object"].as_str().expect("an object").starts_with("ReplicaSet/")),
        "{}",
        all.text
    );
    assert_eq!(refused.len(), 1, "Pods of other made-up names are no difference: {}", all.text);
    assert!(
        refused[0]["message"].as_str().expect("a message").contains("exceeded quota: one-pod"),
        "{}",
        all.text
    );
    let newer = row(&all, "of the newer API");
    assert_eq!((&newer["count"], &newer["source"]), (&json!(5), &json!("test.kro.run/lights")));
    assert_eq!(
        (&newer["first"], &newer["object"]),
        (&json!("2026-01-01T00:00:00Z"), &json!("ConfigMap/main-a"))
    );
    assert_eq!(row(&all, "without a uid")["object"], "ConfigMap/main-b");
    assert_eq!(row(&all, "of the role")["object"], format!("ClusterRole/{hall}"));
    assert_eq!(row(&all, "of the hall")["object"], format!("Hall/{hall}"));
    assert_eq!(row(&all, "long ago")["last"], "2020-01-01T00:00:00Z");
    for others in ["namesake", "stranger"] {
        assert!(!all.text.contains(others), "{others}: {}", all.text);
    }

    let recent = ask(json!({"subtree": true, "since": "30m"})).await;
    assert!(!recent.text.contains("long ago") && recent.text.contains("without a uid"), "{}", recent.text);
    let newest = ask(json!({"subtree": true, "since": jiff::Timestamp::now().to_string()})).await;
    assert!(newest.text.contains(" since "), "{}", newest.text);
    let wrong = ask(json!({"since": "soon"})).await;
    assert!(
        wrong.is_error && wrong.text.contains("\"since\"") && wrong.text.contains("30m"),
        "{}",
        wrong.text
    );

    // the Pod by itself, the Deployment with what it owns, and a cluster-scoped instance
    let of_pod = mcp.call("kro_events", json!({"kind": "Pod", "namespace": ns, "name": pod})).await;
    assert_eq!((&of_pod.structure["class"], rows(&of_pod).len()), (&json!("child"), 1), "{}", of_pod.text);
    assert_eq!(row(&of_pod, "back-off").get("object"), None);
    let stranger = mcp
        .call("kro_events", json!({"kind": "ConfigMap", "namespace": ns, "name": "kube-root-ca.crt"}))
        .await;
    assert!(stranger.is_error && stranger.text.contains("belongs to no KRO instance"), "{}", stranger.text);
    let web = mcp
        .call("kro_events", json!({"kind": "Deployment", "namespace": ns, "name": "main", "subtree": true}))
        .await;
    assert_eq!(row(&web, "back-off")["object"], format!("Pod/{pod}"), "{}", web.text);
    assert!(!web.text.contains("newer API"), "{}", web.text);
    let wide = mcp.call("kro_events", json!({"kind": "Hall", "name": hall})).await;
    assert_eq!((rows(&wide).len(), &wide.structure["namespace"]), (1, &Value::Null), "{}", wide.text);
    let wide = mcp.call("kro_events", json!({"kind": "Hall", "name": hall, "subtree": true})).await;
    let said: BTreeSet<String> =
        rows(&wide).iter().map(|row| row["message"].as_str().expect("a message").to_owned()).collect();
    assert_eq!(said, ["of the hall", "of the role"].map(str::to_owned).into(), "{}", wide.text);

    // who may see one class only is told that the other is left out
    let within = format!(", within: {{namespaces: [{ns}]}}");
    let (_one, instances) = serve_as(&plane.kubeconfig, &self::role("kro.instances.show-events", ""));
    let answer = instances
        .call("kro_events", json!({"kind": "Stage", "namespace": ns, "name": "main", "subtree": true}))
        .await;
    assert_eq!(rows(&answer).len(), 1, "{}", answer.text);
    assert!(
        answer.text.contains("of the hall")
            && answer.text.contains("they need the permission kro.resources.show-events"),
        "{}",
        answer.text
    );
    let (_two, children) = serve_as(&plane.kubeconfig, &self::role("kro.resources.show-events", &within));
    let answer = children
        .call("kro_events", json!({"kind": "Stage", "namespace": ns, "name": "main", "subtree": true}))
        .await;
    assert!(!answer.text.contains("of the hall") && !answer.text.contains("of the role"), "{}", answer.text);
    assert!(answer.text.contains("they need the permission kro.instances.show-events"), "{}", answer.text);
    assert!(answer.text.contains("filtered to the namespaces"), "{}", answer.text);
    assert_eq!(row(&answer, "back-off")["count"], 7);
    // denied and missing alike, before anything is read
    let denied = async |name: &str| {
        children.call("kro_events", json!({"kind": "Stage", "namespace": ns, "name": name})).await
    };
    let (there, missing) = (denied("main").await, denied("none").await);
    assert!(there.is_error && there.text == missing.text, "{} / {}", there.text, missing.text);
    let nearby = children
        .call("kro_events", json!({"kind": "Stage", "namespace": ns, "name": "mian", "subtree": true}))
        .await;
    assert!(nearby.is_error && !nearby.text.contains("main"), "{}", nearby.text);

    // who may not list everything gets what they may, and is told of the rest
    let base = ["/configmaps", "events.test.kro.run/*", "kro.run/*", "apps/deployments"];
    let (_blind, blind) = serve(&reader(plane, ns, "blind", &base));
    let answer = blind
        .call("kro_events", json!({"kind": "Stage", "namespace": ns, "name": "main", "subtree": true}))
        .await;
    assert!(!answer.is_error && answer.text.contains("could not be read"), "{}", answer.text);
    assert!(answer.text.contains(&format!("partial: events in {ns}: forbidden")), "{}", answer.text);
    let (_short, short) =
        serve(&reader(plane, ns, "short", &[&base[..], &["events.k8s.io/events"]].concat()));
    let answer = short
        .call("kro_events", json!({"kind": "Stage", "namespace": ns, "name": "main", "subtree": true}))
        .await;
    assert!(
        answer.text.contains("ScalingReplicaSet") && !answer.text.contains("back-off"),
        "{}",
        answer.text
    );
    for kind in ["Pod", "ReplicaSet.apps", "ClusterRole.rbac.authorization.k8s.io"] {
        assert!(answer.text.contains(&format!("partial: {kind}")), "{kind}: {}", answer.text);
    }

    // as few requests as there can be
    let (_counted, counted) = serve(&reader(plane, ns, "counted", &["*/*"]));
    let count = async |asked: Value, expected: usize| {
        counted.call("kro_events", asked.clone()).await;
        let mark = plane.audit_mark();
        let answer = counted.call("kro_events", asked).await;
        assert!(!answer.is_error, "{}", answer.text);
        let asked = plane.audit_since(mark, "platform-mcp");
        let mine = asked.iter().filter(|line| line.user.ends_with(&format!("{ns}:counted")));
        let uris: Vec<&str> = mine.map(|line| line.uri.as_str()).collect();
        assert_eq!(uris.len(), expected, "{uris:#?}");
    };
    count(json!({"kind": "ConfigMap", "namespace": ns, "name": "main-a"}), 2).await;
    count(stage.clone(), 2).await;
    // the instance, 3 kinds of its and 3 of the nested one's, events of the namespace and of what is in none,
    // then Pods, ReplicaSets and the stranger's kind
    count(json!({"kind": "Stage", "namespace": ns, "name": "main", "subtree": true}), 1 + 3 + 3 + 2 + 3)
        .await;

    // pages
    let many: Vec<Value> = (0..130)
        .map(|n| {
            core(
                &format!("many-{n}"),
                ns,
                &light("a", &a),
                &format!("flicker {n}"),
                &json!({"type": "Normal"}),
            )
        })
        .collect();
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": many}).to_string());
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = mcp.call("kro_events", json!({"kind": "ConfigMap", "namespace": ns, "name": "main-a", "limit": 50, "cursor": cursor})).await;
        let rows = rows(&page);
        assert!(rows.len() <= 50 && page.structure["total"] == 132, "{}", page.text);
        seen.extend(rows.iter().map(|row| row["message"].as_str().expect("a message").to_owned()));
        cursor = page.structure["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (132, 132));
    assert_eq!(seen[0], "of the newer API", "warnings first, then the newest");

    // an instance of a kind whose RGD is gone has its events all the same
    plane.kubectl(&["delete", "rgd/stage"]);
    let orphaned = ask(json!({"subtree": true, "since": "30m", "limit": 5})).await;
    assert_eq!(orphaned.structure["class"], "instance", "{}", orphaned.text);
    assert_eq!(row(&orphaned, "back-off")["count"], 7, "{}", orphaned.text);
    plane.kubectl(&[
        "patch",
        "stage/main",
        "-n",
        ns,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
    plane.kubectl(&["delete", "stage/main", "-n", ns, "--wait=false"]);
    plane.kubectl(&["delete", &format!("hall/{hall}"), "--wait=false"]);
}

/// The server over the sample platform, which misbehaves on demand.
async fn faulty() -> (Faulty, Server, Mcp) {
    let upstream = Faulty::start().await;
    let config = format!(
        "clusters: {{static: [{{name: lab, url: \"{}\"}}]}}\nlimits: {{callSeconds: 3}}\n",
        upstream.url
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (upstream, server, mcp)
}

const FORBIDDEN: Fault = Fault::Answer(403, r#"{"kind":"Status","message":"not for you"}"#);

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_and_the_rest_is_told() {
    let (upstream, _server, mcp) = faulty().await;
    let uploads = json!({"kind": "WebService", "namespace": "media", "name": "uploads", "subtree": true});
    let whole = mcp.call("kro_events", uploads.clone()).await;
    assert_eq!(whole.structure["partial"], Value::Null, "{}", whole.text);
    assert!(whole.text.contains("FailedCreate"), "{}", whole.text);
    for (path, fault, said, lost) in [
        (
            "/replicasets",
            FORBIDDEN,
            "partial: ReplicaSet.apps in media: forbidden by the cluster: not for you",
            "FailedCreate",
        ),
        ("/replicasets", Fault::Answer(500, "{}"), "partial: ReplicaSet.apps in media: ", "FailedCreate"),
        // a kind that goes away in the middle takes its objects with it
        ("/replicasets", Fault::Answer(404, "{}"), "", "FailedCreate"),
        (
            "/deployments",
            Fault::Answer(404, "{}"),
            "partial: Deployment.apps: the cluster does not serve",
            "ScalingReplicaSet",
        ),
        ("/events", FORBIDDEN, "its events could not be read", "FailedCreate"),
    ] {
        upstream.reset();
        upstream.when(path, fault.clone());
        let answer = mcp.call("kro_events", uploads.clone()).await;
        assert!(!answer.is_error, "{path} {fault:?}: {}", answer.text);
        assert!(
            answer.text.contains(said) && !answer.text.contains(lost),
            "{path} {fault:?}: {}",
            answer.text
        );
        assert_eq!(
            answer.structure["partial"] == true,
            !said.is_empty(),
            "{path} {fault:?}: {}",
            answer.text
        );
        assert!(upstream.seen().len() <= 14, "{path}: {:?}", upstream.seen());
    }
    for (fault, said) in [
        (Fault::Answer(500, r#"{"kind":"Status","message":"etcd is unhappy"}"#), "Retryable"),
        (Fault::Answer(410, "{}"), "Retryable"),
        (Fault::Hang, "Retryable"),
        (Fault::Truncate, "Retryable"),
        (Fault::Answer(200, "<html>"), "HTML page"),
    ] {
        upstream.reset();
        upstream.when("/events", fault.clone());
        let answer = mcp.call("kro_events", uploads.clone()).await;
        assert!(answer.is_error && answer.text.contains(said), "{fault:?}: {}", answer.text);
    }
    // the other of the two APIs has the same events
    upstream.reset();
    upstream.when("/api/v1/namespaces/media/events", FORBIDDEN);
    let other = mcp.call("kro_events", uploads.clone()).await;
    assert_eq!(other.structure["rows"], whole.structure["rows"], "{}", other.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_wrong_is_named_with_what_would_do() {
    let (_upstream, _server, mcp) = faulty().await;
    for (asked, said) in [
        (json!({"kind": "WebServce", "name": "x"}), "WebService"),
        (json!({"kind": "WebService", "namespace": "media", "name": "uplods"}), "media/uploads"),
        (
            json!({"kind": "WebService", "namespace": "media/pods?x=", "name": "uploads"}),
            "not a valid Kubernetes name",
        ),
        (json!({"kind": "WebService", "name": "uploads", "cursor": "AAAA"}), "\"cursor\""),
        (json!({"kind": "WebService", "name": "uploads", "since": "-5m"}), "in the future"),
        (json!({"kind": "WebService", "name": "uploads", "subtre": true}), "subtree"),
        (json!({"kind": "Pod", "namespace": "media", "name": "none"}), "there is no Pod"),
    ] {
        let answer = mcp.call("kro_events", asked.clone()).await;
        assert!(answer.is_error && answer.text.contains(said), "{asked}: {}", answer.text);
    }
    let searched =
        mcp.call("kro_events", json!({"kind": "WebService", "name": "uploads", "subtree": true})).await;
    assert_eq!(searched.structure["namespace"], "media", "{}", searched.text);
}
