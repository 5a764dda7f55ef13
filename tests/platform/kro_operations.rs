//! Changing instances and RGDs through the doors, on a real kro: each change planned, agreed to, and made as
//! the caller; or refused, and nothing made.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    kubectl::Namespace,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(90);
/// alice and frank may do everything, bob may look, erin may do everything by our rules.
const RULES: &str = "[{when: {groups: team-a}, roles: [admin]}, {when: {groups: team-b}, roles: [viewer]}]";
const KEY: &str = "a key that both replicas have";

/// The server over the real cluster, which sees the callers.
fn serve() -> Server {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.server}],
    });
    let issuer = provider.entry(RULES);
    let config =
        format!("clusters: {clusters}\nsealKey: {KEY}\naudit: {{to: audit.log}}\nissuers: [{issuer}]\n");
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

async fn client(server: &Server, person: &str) -> Mcp {
    Mcp::with_token(server.url("/mcp"), &Provider::shared().token(person).await)
}

/// The server as the local admin, with the rights of the cluster's admin.
fn serve_admin() -> (Server, Mcp) {
    let plane = ControlPlane::shared();
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config("local: {role: admin}\n")
        .kubeconfig(&plane.kubeconfig)
        .serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

/// A namespace in which these people may do what they like with instances of the group.
fn room(prefix: &str, people: &[&str]) -> Namespace {
    let plane = ControlPlane::shared();
    let ns = plane.namespace(prefix);
    let rbac = "rbac.authorization.k8s.io";
    let subjects: Vec<Value> = people
        .iter()
        .map(|person| json!({"apiGroup": rbac, "kind": "User", "name": format!("oidc:{person}")}))
        .collect();
    let items = json!([
        {"apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "desks", "namespace": &*ns},
         "rules": [
            {"apiGroups": ["desk.test.kro.run"], "resources": ["*"],
             "verbs": ["get", "list", "create", "patch", "delete"]},
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]},
        {"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": "desks", "namespace": &*ns},
         "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "desks"}, "subjects": subjects}]);
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    ns
}

const RESOURCES: &str = r#"
  - id: top
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-top"}, data: {colour: "${schema.spec.colour}", made: by-rgd}}
  - id: leg
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${top.metadata.name}-leg"}, data: {colour: "${top.data.colour}"}}
  - id: drawer
    includeWhen: ["${schema.spec.drawer}"]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-drawer"}, data: {a: b}}
"#;

fn rgd(kind: &str, fields: &str, resources: &str) -> String {
    format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: {}}}\nspec:\n  schema: \
         {{apiVersion: v1alpha1, kind: {kind}, group: desk.test.kro.run, spec: {fields}}}\n  resources:{resources}",
        kind.to_lowercase()
    )
}

const FIELDS: &str = "{colour: 'string | default=red', size: 'integer | default=1 minimum=1', drawer: 'boolean | default=true'}";

/// One RGD for all tests of instances.
fn desks() {
    static MADE: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let plane = ControlPlane::shared();
        plane.apply(&rgd("Desk", FIELDS, RESOURCES));
        plane.kubectl(&["wait", "rgd/desk", "--for=condition=Ready", "--timeout=90s"]);
    });
}

fn desk(ns: &str, name: &str, spec: &Value) -> String {
    let metadata = json!({"name": name, "namespace": ns});
    json!({"apiVersion": "desk.test.kro.run/v1alpha1", "kind": "Desk", "metadata": metadata, "spec": spec})
        .to_string()
}

fn plan(answer: &ToolAnswer) -> &str {
    assert!(!answer.is_error || answer.structure["change"] == "refused", "{}", answer.text);
    let plan = answer.structure["plan"].as_str().unwrap_or_else(|| panic!("no plan: {}", answer.text));
    assert!(answer.text.contains(plan), "both halves carry it: {}", answer.text);
    plan
}

async fn with_plan(mcp: &Mcp, tool: &str, arguments: &Value, plan: &str) -> ToolAnswer {
    let mut arguments = arguments.clone();
    arguments["plan"] = json!(plan);
    mcp.call(tool, arguments).await
}

/// Plans, and does it.
async fn do_it(mcp: &Mcp, tool: &str, arguments: Value) -> (ToolAnswer, ToolAnswer) {
    let planned = mcp.call(tool, arguments.clone()).await;
    assert_eq!(planned.structure["change"], "planned", "{}", planned.text);
    let made = with_plan(mcp, tool, &arguments, plan(&planned)).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
    (planned, made)
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !done().await {
        assert!(began.elapsed() < PATIENCE, "never {what}");
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
}

fn generation(ns: &str, desk: &str) -> i64 {
    let desk = ControlPlane::shared().get(ns, &format!("desk/{desk}")).expect("the desk");
    desk["metadata"]["generation"].as_i64().expect("a generation")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_applied_edited_suspended_resumed_and_deleted_as_the_caller() {
    desks();
    let plane = ControlPlane::shared();
    let ns = room("desks", &["alice"]);
    let (server, replica) = (serve(), serve());
    let (alice, elsewhere) = (client(&server, "alice").await, client(&replica, "alice").await);
    let mark = plane.audit_mark();
    let one = json!({"kind": "Desk", "namespace": &*ns, "name": "one"});
    let ready = async || alice.call("kro_graph", one.clone()).await.structure["state"] == "ready";

    // plans are agreed to on any replica, and are no one else's
    let blue = json!({"manifest": desk(&ns, "one", &json!({"colour": "blue"}))});
    let planned = alice.call("kro_apply_instance", blue.clone()).await;
    let first = planned.text.lines().next().unwrap_or_default().to_owned();
    assert_eq!(first, format!("plan: Desk {ns}/one would be created"));
    assert_eq!(planned.structure["new"], true);
    for said in ["+ spec.colour: blue", "+ spec.size: 1", "top (ConfigMap) is made", "Nothing was changed"] {
        assert!(planned.text.contains(said), "{said}: {}", planned.text);
    }
    assert!(plane.get(&ns, "desk/one").is_none(), "a plan makes nothing");
    let id = plan(&planned).to_owned();
    let frank = client(&server, "frank").await;
    let altered: String = id.chars().rev().collect();
    let green = json!({"manifest": desk(&ns, "one", &json!({"colour": "green"}))});
    for (mcp, arguments, id, why) in [
        (&frank, &blue, &id, "RBAC"), // whose own rights end it before the plan does
        (&alice, &blue, &altered, "is not one that you got"),
        (&alice, &green, &id, "is not one that you got"),
    ] {
        let refused = with_plan(mcp, "kro_apply_instance", arguments, id).await;
        assert!(refused.is_error && refused.text.contains(why), "{why}: {}", refused.text);
    }
    assert!(plane.get(&ns, "desk/one").is_none());
    let made = with_plan(&elsewhere, "kro_apply_instance", &blue, &id).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
    let again = with_plan(&alice, "kro_apply_instance", &blue, &id).await;
    assert_eq!(again.structure["change"], "unneeded", "used twice: {}", again.text);
    until("ready", ready).await;

    let edit = json!({"manifest": desk(&ns, "one", &json!({"colour": "green", "drawer": false}))});
    let (planned, edited) = do_it(&alice, "kro_apply_instance", edit).await;
    for said in [
        "would change in 2 fields",
        "~ spec.colour: blue → green",
        "drawer (ConfigMap) is deleted",
        "top (ConfigMap) changes",
        "leg (ConfigMap) may change with top",
    ] {
        assert!(planned.text.contains(said), "{said}: {}", planned.text);
    }
    assert!(edited.text.contains("generation 2"), "{}", edited.text);
    let edited = async || {
        let colour = plane.get(&ns, "cm/one-top-leg").map(|leg| leg["data"]["colour"].clone());
        colour == Some(json!("green")) && plane.get(&ns, "cm/one-drawer").is_none()
    };
    until("green", edited).await;

    let mut act = one.clone();
    for (action, said) in
        [("suspend", "is suspended"), ("resume", "is resumed"), ("now", "kro is asked to look at it")]
    {
        act["action"] = json!(action);
        let (planned, made) = do_it(&alice, "kro_reconcile", act.clone()).await;
        assert!(made.text.contains(said), "{}", made.text);
        assert!(planned.text.contains("platform-mcp/reconcile"), "all that is written: {}", planned.text);
        let annotation =
            plane.get(&ns, "desk/one").expect("it")["metadata"]["annotations"]["kro.run/reconcile"].clone();
        let expected = if action == "suspend" { json!("suspended") } else { Value::Null };
        assert_eq!(annotation, expected, "{action}");
        let again = with_plan(&alice, "kro_reconcile", &act, plan(&planned)).await;
        let wanted = if action == "now" { "refused" } else { "unneeded" };
        assert_eq!(again.structure["change"], wanted, "used twice: {}", again.text);
        if action == "suspend" {
            act["action"] = json!("now");
            let now = alice.call("kro_reconcile", act.clone()).await;
            assert!(now.is_error && now.text.contains("action resume"), "{}", now.text);
            let later = json!({"manifest": desk(&ns, "one", &json!({"colour": "grey", "drawer": false}))});
            let later = alice.call("kro_apply_instance", later).await;
            assert!(later.text.contains("it is suspended"), "{}", later.text);
        }
    }

    // who may look only has no such tool, and changes nothing
    let bob = client(&server, "bob").await;
    for (tool, arguments) in [
        ("kro_delete_instance", one.clone()),
        ("kro_apply_instance", blue.clone()),
        ("kro_reconcile", act.clone()),
        ("kro_apply_rgd", json!({"name": "desk", "rollback_to": 1})),
    ] {
        let unknown = bob.try_call(tool, arguments).await.expect_err("no such tool");
        assert_eq!(unknown.code, -32602, "{unknown:?}");
    }
    // our rules allow erin, the cluster's do not
    let erin = client(&server, "erin").await;
    for (tool, arguments) in [("kro_delete_instance", one.clone()), ("kro_apply_instance", blue)] {
        let refused = erin.call(tool, arguments).await;
        assert!(refused.is_error && refused.text.contains("User \"oidc:erin\" cannot"), "{}", refused.text);
        assert!(refused.text.contains("RBAC"), "{}", refused.text);
    }
    assert_eq!(generation(&ns, "one"), 2);

    let (planned, _) = do_it(&alice, "kro_delete_instance", one.clone()).await;
    let nodes: Vec<_> = planned.structure["goes"].as_array().expect("what goes").iter().collect();
    let order: Vec<_> = nodes.iter().map(|row| (row["wave"].as_i64(), row["node"].as_str())).collect();
    assert_eq!(order, [(Some(1), Some("leg")), (Some(2), Some("top"))], "{}", planned.text);
    let id = plan(&planned).to_owned();
    until("gone", async || plane.get(&ns, "desk/one").is_none()).await;
    let again = with_plan(&alice, "kro_delete_instance", &one, &id).await;
    assert!(again.is_error && again.text.contains("there is no Desk \"one\""), "{}", again.text);

    let writes = |lines: &[AuditLine]| -> Vec<(String, Option<String>)> {
        let done = |line: &&AuditLine| {
            line.uri.contains(&format!("/{ns}/desks/"))
                && !line.uri.contains("dryRun")
                && matches!(line.verb.as_str(), "patch" | "delete")
                && line.code < 300
        };
        lines.iter().filter(done).map(|line| (line.verb.clone(), line.impersonated_user.clone())).collect()
    };
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| writes(lines).len() >= 7);
    let writes = writes(&lines);
    let patches = writes.iter().filter(|(verb, _)| verb == "patch").count();
    assert_eq!((patches, writes.len() - patches), (6, 1), "{writes:?}");
    assert!(writes.iter().all(|(_, user)| user.as_deref() == Some("oidc:alice")), "{writes:?}");
    let audited = server.read("audit.log");
    for change in ["planned", "made", "unneeded", "refused"] {
        assert!(audited.contains(&format!("\"change\":\"{change}\"")), "{change}: {audited}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_meanwhile_is_not_overwritten_and_nothing_is_forced() {
    desks();
    let plane = ControlPlane::shared();
    let ns = room("shared", &["alice", "frank"]);
    let server = serve();
    let (alice, frank) = (client(&server, "alice").await, client(&server, "frank").await);
    let apply = |spec: Value| json!({"manifest": desk(&ns, "one", &spec)});
    do_it(&alice, "kro_apply_instance", apply(json!({"colour": "blue"}))).await;

    // two at once: the second hears of the first
    let (of_alice, of_frank) = (apply(json!({"colour": "green"})), apply(json!({"colour": "black"})));
    let planned = alice.call("kro_apply_instance", of_alice.clone()).await;
    let his = frank.call("kro_apply_instance", of_frank.clone()).await;
    let stolen = with_plan(&frank, "kro_apply_instance", &of_alice, plan(&planned)).await;
    assert!(stolen.is_error && stolen.text.contains("is not one that you got"), "{}", stolen.text);
    let made = with_plan(&alice, "kro_apply_instance", &of_alice, plan(&planned)).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
    let late = with_plan(&frank, "kro_apply_instance", &of_frank, plan(&his)).await;
    assert_eq!(late.structure["change"], "refused", "{}", late.text);
    assert!(late.text.starts_with("NOTHING WAS DONE: the object"), "{}", late.text);
    assert!(late.text.contains("~ spec.colour: green → black"), "the fresh plan: {}", late.text);
    assert_eq!(plane.get(&ns, "desk/one").expect("it")["spec"]["colour"], "green");
    let agreed = with_plan(&frank, "kro_apply_instance", &of_frank, plan(&late)).await;
    assert_eq!(agreed.structure["change"], "made", "{}", agreed.text);

    // another manager: said with its name and its fields
    plane.kubectl(&[
        "patch",
        "desk/one",
        "-n",
        &ns,
        "--type=merge",
        "--field-manager=gitops",
        "-p",
        r#"{"spec":{"colour":"pink","size":5}}"#,
    ]);
    let conflict = alice.call("kro_apply_instance", apply(json!({"colour": "blue", "size": 7}))).await;
    assert!(conflict.is_error, "{}", conflict.text);
    for said in
        ["spec.colour is managed by \"gitops\"", "spec.size is managed by \"gitops\"", "nothing is forced"]
    {
        assert!(conflict.text.contains(said), "{said}: {}", conflict.text);
    }
    // its own namesake, made anew
    let one = json!({"kind": "Desk", "namespace": &*ns, "name": "one"});
    let planned = alice.call("kro_delete_instance", one.clone()).await;
    plane.kubectl(&["delete", "desk/one", "-n", &ns, "--timeout=60s"]);
    plane.apply(&desk(&ns, "one", &json!({"colour": "pink", "size": 5})));
    let namesake = with_plan(&alice, "kro_delete_instance", &one, plan(&planned)).await;
    assert_eq!(namesake.structure["change"], "refused", "{}", namesake.text);
    assert!(namesake.text.starts_with("NOTHING WAS DONE: the object"), "{}", namesake.text);
    assert!(plane.get(&ns, "desk/one").is_some());

    // kro's own status is nobody's change
    let planned = alice
        .call("kro_reconcile", json!({"kind": "Desk", "namespace": &*ns, "name": "one", "action": "suspend"}))
        .await;
    plane.patch_status(&ns, "desk/one", &json!({"state": "ACTIVE", "noted": "x"}));
    let mut act = one.clone();
    act["action"] = json!("suspend");
    let made = with_plan(&alice, "kro_reconcile", &act, plan(&planned)).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_that_may_not_be_sent_are_refused_with_the_reason() {
    desks();
    let plane = ControlPlane::shared();
    let ns = room("odd", &["alice"]);
    let server = serve();
    let alice = client(&server, "alice").await;
    do_it(&alice, "kro_apply_instance", json!({"manifest": desk(&ns, "one", &json!({"colour": "blue"}))}))
        .await;
    until("its leg", async || plane.get(&ns, "cm/one-top-leg").is_some()).await;
    let plain: Value = serde_json::from_str(&desk(&ns, "one", &json!({"colour": "red"}))).expect("JSON");
    let with = |pointer: &str, name: &str, value: Value| {
        let mut manifest = plain.clone();
        let at = manifest.pointer_mut(pointer).expect("a place").as_object_mut().expect("an object");
        at.insert(name.to_owned(), value);
        manifest.to_string()
    };
    let mut homeless = plain.clone();
    homeless["metadata"] = json!({"name": "one"});
    let mark = plane.audit_mark();
    for (manifest, said) in [
        ("a: [1".to_owned(), "is not valid YAML"),
        (format!("{plain}\n---\n{plain}\n"), "holds 2 documents"),
        ("x".repeat(900 << 10), "at most 262144 bytes"),
        (format!("x: &a [{}]\ny: [*a, *a]", "1,".repeat(60_000)), "is not valid YAML"),
        (homeless.to_string(), "no metadata.namespace"),
        (with("", "status", json!({})), "status (kro writes it)"),
        (with("/metadata", "managedFields", json!([])), "metadata.managedFields"),
        (with("/metadata", "generateName", json!("x-")), "metadata.generateName"),
        (with("/metadata", "annotations", json!({"kro.run/reconcile": "suspended"})), "kro_reconcile"),
        (with("/metadata", "uid", json!("f9a8")), "it may come from another cluster"),
        (with("/metadata", "resourceVersion", json!("1")), "the object has changed since it was read"),
        (with("/spec", "colour", json!("<redacted:5 bytes>")), "spec.colour (it holds <redacted>"),
        (with("/spec", "colur", json!("x")), "spec.colur: field not declared in schema"),
        (with("/spec", "size", json!(0)), "spec.size: Invalid value: 0"),
        (with("/spec", "size", json!("x")), "spec.size: expected numeric"),
        (
            with("", "apiVersion", json!("desk.test.kro.run/v9")),
            "the cluster serves desk.test.kro.run/v1alpha1",
        ),
        (with("", "kind", json!("Desc")), "the cluster serves no Desc.desk.test.kro.run"),
        (rgd("Desk", FIELDS, RESOURCES), "kro_apply_rgd"),
        (
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "free", "namespace": &*ns}})
                .to_string(),
            "no ResourceGraphDefinition generates ConfigMap",
        ),
    ] {
        let refused = alice.call("kro_apply_instance", json!({"manifest": manifest})).await;
        let shown: String = refused.text.chars().take(600).collect();
        assert!(refused.is_error && refused.text.contains(said), "{said}: {shown}");
    }
    let two_megabytes = json!({"manifest": "x".repeat(2 << 20)});
    let large =
        alice.try_call("kro_apply_instance", two_megabytes).await.expect_err("too large for the door");
    assert_eq!(large.status, 413, "{large:?}");
    // a child, by its instance and the fields that govern it
    let child = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one-top", "namespace": &*ns},
        "data": {"colour": "pink", "made": "by-hand", "more": "x"}});
    let refused = alice.call("kro_apply_instance", json!({"manifest": child.to_string()})).await;
    assert!(refused.is_error, "{}", refused.text);
    for said in [
        &format!("ConfigMap {ns}/one-top is a child, node top of Desk {ns}/one"),
        "data.colour ← spec.colour (${schema.spec.colour})",
        "data.made ← fixed in RGD desk",
        "data.more ← not set by RGD desk",
        "kro_apply_instance",
    ] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    for (tool, more) in [("kro_delete_instance", json!({})), ("kro_reconcile", json!({"action": "suspend"}))]
    {
        let mut arguments = json!({"kind": "ConfigMap", "namespace": &*ns, "name": "one-top"});
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let refused = alice.call(tool, arguments).await;
        assert!(refused.is_error && refused.text.contains("generates ConfigMap"), "{}", refused.text);
    }
    let lines = plane.audit_since(mark, "platform-mcp/");
    let here = |line: &&AuditLine| {
        line.uri.contains(&*ns) && line.verb == "patch" && !line.uri.contains("dryRun=All")
    };
    assert_eq!(lines.iter().filter(here).count(), 0, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rgd_is_applied_judged_and_rolled_back() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("shelves");
    let (_server, admin) = serve_admin();
    let shelf = "\n  - id: board\n    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"${schema.metadata.name}\"}, data: {width: \"${string(schema.spec.width)}\"}}\n";
    let more = format!(
        "{shelf}  - id: hook\n    template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: \"${{schema.metadata.name}}-hook\"}}, data: {{a: b}}}}\n"
    );
    let first = json!({"manifest": rgd("Shelf", "{width: 'integer | default=1'}", shelf)});
    let (planned, made) = do_it(&admin, "kro_apply_rgd", first.clone()).await;
    assert!(planned.text.starts_with("plan: RGD shelf would be created"), "{}", planned.text);
    assert!(planned.text.contains("+ board (ConfigMap) comes"), "{}", planned.text);
    assert!(made.text.starts_with("RGD shelf was applied and kro accepted it: revision 1"), "{}", made.text);
    assert_eq!(made.structure["verdict"], json!({"kro": "accepted", "revision": 1}));
    let same = admin.call("kro_apply_rgd", first).await;
    assert_eq!(same.structure["change"], "unneeded", "{}", same.text);
    assert_eq!(same.structure["verdict"]["kro"], "accepted", "{}", same.text);

    plane.apply(&format!(
        "apiVersion: desk.test.kro.run/v1alpha1\nkind: Shelf\nmetadata: {{name: one, namespace: {}}}\nspec: {{width: 9}}\n",
        &*ns
    ));
    let second = json!({"manifest": rgd("Shelf", "{width: 'integer | default=1', depth: 'integer | default=2'}", &more)});
    let (planned, made) = do_it(&admin, "kro_apply_rgd", second).await;
    assert!(planned.text.contains("kro would reconcile 1 instance"), "{}", planned.text);
    assert_eq!(planned.structure["instances"][&*ns], 1, "{}", planned.text);
    assert!(planned.text.contains("+ hook (ConfigMap) comes"), "{}", planned.text);
    assert!(made.text.contains("accepted it: revision 2"), "{}", made.text);

    // what breaks instances is said, and kro's refusal is told as it is
    let third = json!({"manifest": rgd("Shelf", "{width: 'integer | default=1 maximum=3'}", shelf)});
    let (planned, made) = do_it(&admin, "kro_apply_rgd", third).await;
    for said in ["kro will refuse this schema", "spec.width: must be at most 3", "- hook (ConfigMap) goes"] {
        assert!(planned.text.contains(said), "{said}: {}", planned.text);
    }
    assert!(made.text.contains("kro REFUSED it (rollback_to 2 takes it back)"), "{}", made.text);
    assert_eq!(made.structure["verdict"]["kro"], "refused", "{}", made.text);
    assert!(made.is_error, "what kro refused is no success: {}", made.text);

    let back = json!({"name": "shelf", "rollback_to": 2});
    let (planned, made) = do_it(&admin, "kro_apply_rgd", back).await;
    assert!(
        planned.text.starts_with("plan: RGD shelf would be rolled back to revision 2"),
        "{}",
        planned.text
    );
    assert_eq!(made.structure["verdict"]["kro"], "accepted", "{}", made.text);
    let nowhere = admin.call("kro_apply_rgd", json!({"name": "shelf", "rollback_to": 77})).await;
    assert!(nowhere.is_error && nowhere.text.contains("Nearest: 1, 2"), "{}", nowhere.text);

    // before anything is sent
    let mark = plane.audit_mark();
    for (arguments, said) in [
        (
            json!({"manifest": rgd("Shelf", "{}", shelf).replace("desk.test", "other.test")}),
            "spec.schema.group cannot be changed",
        ),
        (
            json!({"manifest": rgd("Shelf", "{}", shelf).replace("name: shelf}", "name: shelf2}")}),
            "RGD shelf generates Shelf.desk.test.kro.run already",
        ),
        (json!({"manifest": desk(&ns, "one", &json!({}))}), "kro_apply_instance applies instances"),
        (json!({"name": "shelf"}), "name and rollback_to"),
        (json!({"manifest": "{}", "name": "shelf", "rollback_to": 1}), "leave name and rollback_to out"),
    ] {
        let refused = admin.call("kro_apply_rgd", arguments).await;
        assert!(refused.is_error && refused.text.contains(said), "{said}: {}", refused.text);
    }
    let sent = plane.audit_since(mark, "platform-mcp/");
    assert!(sent.iter().all(|line| line.verb != "patch" || !line.uri.contains("shel")), "{sent:#?}");

    // made by kubectl, it is kubectl's to roll back
    plane.apply(&rgd("Rack", "{width: 'integer | default=1'}", shelf));
    plane.kubectl(&["wait", "rgd/rack", "--for=condition=Ready", "--timeout=90s"]);
    plane.apply(&rgd("Rack", "{width: 'integer | default=1'}", &more));
    until("revision 2", async || {
        plane.get("default", "rgd/rack").is_some_and(|rgd| rgd["status"]["lastIssuedRevision"] == 2)
    })
    .await;
    let conflict = admin.call("kro_apply_rgd", json!({"name": "rack", "rollback_to": 1})).await;
    assert!(conflict.is_error, "{}", conflict.text);
    for said in [
        "spec.resources is managed by \"kubectl-client-side-apply\"",
        "nothing is forced",
        "have that manager apply revision 1",
    ] {
        assert!(conflict.text.contains(said), "{said}: {}", conflict.text);
    }

    // nobody is left to take the finalizer off
    until("hooked", async || plane.get(&ns, "cm/one-hook").is_some()).await;
    plane.kubectl(&["delete", "rgd/shelf"]);
    let orphan = json!({"kind": "Shelf", "namespace": &*ns, "name": "one"});
    let stuck = admin.call("kro_delete_instance", orphan).await;
    assert!(
        stuck.text.contains("RGD shelf does not exist: nobody takes kro.run/finalizer off"),
        "{}",
        stuck.text
    );
    assert!(stuck.text.contains("; 1 thing would keep it"), "{}", stuck.text);
    plane.kubectl(&[
        "patch",
        "shelf/one",
        "-n",
        &ns,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_change_and_not_look_hears_of_no_value_and_no_child() {
    desks();
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let ns = plane.namespace("blind");
    let (_admin, admin) = serve_admin();
    let made = json!({"manifest": desk(&ns, "one", &json!({"colour": "turquoise"}))});
    do_it(&admin, "kro_apply_instance", made).await;
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.admin,
            "identity": "own"}],
    });
    let rules = "[{when: {groups: callers}, allow: [kro.instances.apply, kro.instances.delete]}]";
    let config = format!("clusters: {clusters}\nissuers: [{}]\n", provider.entry(rules));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = client(&server, "caller-1").await;
    plane.wait_for("its leg", PATIENCE, || plane.get(&ns, "cm/one-top-leg"));
    let secrets = ["turquoise", "one-top", "leg", "drawer", "RGD desk", "schema.spec"];
    let hides = |answer: &ToolAnswer| {
        let all = format!("{} {}", answer.text, answer.structure);
        assert!(!secrets.iter().any(|secret| all.contains(secret)), "{all}");
    };

    // what is there already is said before kro takes it over, and a plan that did not know of it is over
    let two = json!({"manifest": desk(&ns, "two", &json!({}))});
    let unaware = admin.call("kro_apply_instance", two.clone()).await;
    assert!(!unaware.text.contains("RISK"), "{}", unaware.text);
    for (name, labels) in
        [("two-top", json!({})), ("two-drawer", json!({"applyset.kubernetes.io/part-of": "applyset-x-v1"}))]
    {
        let metadata = json!({"name": name, "namespace": &*ns, "labels": labels});
        plane.apply(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}).to_string());
    }
    let aware = with_plan(&admin, "kro_apply_instance", &two, plan(&unaware)).await;
    for said in [
        "NOTHING WAS DONE: what is there already changed",
        "; RISK: 1 object exists already and kro would overwrite it",
        "; RISK: 1 object belongs to another instance and kro will refuse it",
        &format!("ConfigMap {}/two-top exists already and is not kro's: node top would take it over", &*ns),
        &format!("ConfigMap {}/two-drawer exists already and belongs to another ApplySet", &*ns),
        "top (ConfigMap) is made, where an object is already",
    ] {
        assert!(aware.text.contains(said), "{said}: {}", aware.text);
    }
    assert!(plane.get(&ns, "desk/two").is_none());
    let unseen = mcp.call("kro_apply_instance", two).await;
    assert!(unseen.text.contains("could not look whether what it makes exists"), "{}", unseen.text);
    assert!(!["two-", "ConfigMap", "RISK"].iter().any(|told| unseen.text.contains(told)), "{}", unseen.text);

    let edit = json!({"manifest": desk(&ns, "one", &json!({"colour": "red", "size": 1}))});
    let planned = mcp.call("kro_apply_instance", edit).await;
    for said in [
        "would change in 1 field",
        "~ spec.colour: … → …",
        "needs kro.instances.view-yaml",
        "needs kro.resource-graph.show",
    ] {
        assert!(planned.text.contains(said), "{said}: {}", planned.text);
    }
    hides(&planned);
    let wrong = json!({"manifest": desk(&ns, "one", &json!({"size": 0}))});
    let wrong = mcp.call("kro_apply_instance", wrong).await;
    assert!(wrong.is_error && wrong.text.contains("spec.size: "), "{}", wrong.text);
    hides(&wrong);
    let planned =
        mcp.call("kro_delete_instance", json!({"kind": "Desk", "namespace": &*ns, "name": "one"})).await;
    assert!(planned.text.starts_with(&format!("plan: Desk {ns}/one would be deleted\n")), "{}", planned.text);
    assert!(
        planned.text.contains("children in places that you may not see are not told"),
        "{}",
        planned.text
    );
    hides(&planned);
    // a child that is there, and one that is not, in the same words
    let mut refusals = Vec::new();
    for name in ["one-top", "none-to"] {
        let child = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": &*ns}, "data": {}});
        let refused = mcp.call("kro_apply_instance", json!({"manifest": child.to_string()})).await;
        assert!(refused.is_error && !refused.text.contains(name), "{}", refused.text);
        refusals.push(refused.text);
    }
    assert_eq!(refusals[0], refusals[1]);
}
