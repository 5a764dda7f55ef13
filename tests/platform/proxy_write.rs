//! `kubernetes_proxy_write` through the doors, on a real API server: each change planned, agreed to, and made as
//! the caller; or refused, and nothing made.

use serde_json::{Value, json};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    kubectl::Namespace,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::{Product, Server},
};

const TOOL: &str = "kubernetes_proxy_write";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// alice and frank may do everything but read Secrets, carol everything, bob may read, caller-1 may write and
/// not read, caller-2 everything in one namespace.
fn rules(namespace: &str) -> String {
    json!([
        {"when": {"sub": ["alice", "frank"]}, "allow": ["kubernetes.proxy", "kubernetes.proxy.write", "kubernetes.clusters.read"]},
        {"when": {"sub": ["carol"]}, "roles": ["admin"]},
        {"when": {"sub": ["bob"]}, "allow": ["kubernetes.proxy"]},
        {"when": {"sub": ["caller-1"]}, "allow": ["kubernetes.proxy.write"]},
        {"when": {"sub": ["caller-2"]}, "allow": ["kubernetes.proxy", "kubernetes.proxy.write"],
         "within": {"namespaces": [namespace]}},
    ])
    .to_string()
}

/// The server over the real cluster, which sees the callers.
fn serve(namespace: &str, more: &str) -> Server {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.server}],
    });
    let issuer = provider.entry(&rules(namespace));
    let config = format!("clusters: {clusters}\naudit: {{to: audit.log}}\nissuers: [{issuer}]\n{more}");
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

async fn client(server: &Server, person: &str) -> Mcp {
    Mcp::with_token(server.url("/mcp"), &Provider::shared().token(person).await)
}

/// A namespace in which these people may do what the built-in role `edit` says, and change RBAC not.
fn room(prefix: &str, people: &[&str]) -> Namespace {
    let plane = ControlPlane::shared();
    let ns = plane.namespace(prefix);
    let rbac = "rbac.authorization.k8s.io";
    let subjects: Vec<Value> = people
        .iter()
        .map(|person| json!({"apiGroup": rbac, "kind": "User", "name": format!("oidc:{person}")}))
        .collect();
    let role = json!({"apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "writers", "namespace": &*ns},
        "rules": [{"apiGroups": ["", "apps", "policy", "desk.test.kro.run"], "resources": ["*"], "verbs": ["*"]}]});
    let binding = json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
        "metadata": {"name": "writers", "namespace": &*ns},
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "writers"}, "subjects": subjects});
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [role, binding]}).to_string());
    ns
}

struct Rig {
    ns: Namespace,
    server: Server,
    alice: Mcp,
}

async fn rig(prefix: &str) -> Rig {
    let ns = room(prefix, &["alice", "frank", "carol", "caller-2"]);
    let server = serve(&ns, "");
    let alice = client(&server, "alice").await;
    Rig { ns, server, alice }
}

impl Rig {
    /// `/api/v1/namespaces/NS/` and this.
    fn core(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}/{rest}", &*self.ns)
    }

    fn apps(&self, rest: &str) -> String {
        format!("/apis/apps/v1/namespaces/{}/{rest}", &*self.ns)
    }

    fn get(&self, object: &str) -> Option<Value> {
        ControlPlane::shared().get(&self.ns, object)
    }

    fn made(&self, object: &str) -> Value {
        self.get(object).unwrap_or_else(|| panic!("{object} is not there"))
    }

    fn apply(&self, mut manifest: Value) {
        manifest["metadata"]["namespace"] = json!(&*self.ns);
        ControlPlane::shared().apply(&manifest.to_string());
    }
}

fn config_map(name: &str, data: impl Into<Value>) -> Value {
    let data: Value = data.into();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn asked(method: &str, path: impl Into<String>, body: &Value) -> Value {
    let path: String = path.into();
    json!({"method": method, "path": path, "body": body.to_string()})
}

fn patched(content_type: &str, path: impl Into<String>, body: &Value) -> Value {
    let path: String = path.into();
    json!({"method": "PATCH", "path": path, "content_type": content_type, "body": body.to_string()})
}

fn plan(answer: &ToolAnswer) -> &str {
    assert!(!answer.is_error || answer.structure["change"] == "refused", "{}", answer.text);
    let plan = answer.structure["plan"].as_str().unwrap_or_else(|| panic!("no plan: {}", answer.text));
    assert!(answer.text.contains(plan), "both halves carry it: {}", answer.text);
    plan
}

async fn with_plan(mcp: &Mcp, arguments: &Value, plan: &str) -> ToolAnswer {
    let mut arguments = arguments.clone();
    arguments["plan"] = json!(plan);
    mcp.call(TOOL, arguments).await
}

async fn planned(mcp: &Mcp, arguments: &Value) -> ToolAnswer {
    let planned = mcp.call(TOOL, arguments.clone()).await;
    assert_eq!(planned.structure["change"], "planned", "{}", planned.text);
    assert!(planned.text.starts_with("plan: "), "{}", planned.text);
    planned
}

/// Plans, and does it.
async fn do_it(mcp: &Mcp, arguments: Value) -> (ToolAnswer, ToolAnswer) {
    let planned = planned(mcp, &arguments).await;
    let made = with_plan(mcp, &arguments, plan(&planned)).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
    (planned, made)
}

fn refused(answer: &ToolAnswer, said: &[&str]) {
    assert!(answer.is_error, "{}", answer.text);
    for said in said {
        assert!(answer.text.contains(said), "{said:?}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_created_replaced_and_patched_in_every_way_there_is() {
    let rig = rig("write-ways").await;
    let all = rig.core("configmaps");
    let one = rig.core("configmaps/one");

    let arguments = asked("POST", all.clone(), &config_map("one", json!({"colour": "red"})));
    let (planned, made) = do_it(&rig.alice, arguments).await;
    assert!(planned.text.contains("+ data.colour: red"), "{}", planned.text);
    assert_eq!(planned.structure["new"], true);
    assert_eq!(made.structure["object"]["data"]["colour"], "red", "{}", made.text);
    assert!(made.structure["object"]["metadata"].get("managedFields").is_none());
    let raw = ControlPlane::shared().kubectl(&["get", "--raw", &one]);
    assert!(raw.contains(r#""manager":"platform-mcp""#), "{raw}");

    let nameless = json!({"metadata": {"generateName": "many-"}, "data": {"a": "b"}});
    let (planned, made) = do_it(&rig.alice, asked("POST", all.clone(), &nameless)).await;
    assert!(planned.text.contains("made up anew when it is done: metadata.name"), "{}", planned.text);
    let name = made.structure["object"]["metadata"]["name"].as_str().expect("its name").to_owned();
    assert!(name.starts_with("many-") && rig.get(&format!("cm/{name}")).is_some(), "{name}");

    let arguments = asked("PUT", one.clone(), &config_map("one", json!({"size": "2"})));
    let (planned, _) = do_it(&rig.alice, arguments).await;
    for said in ["would change in 2 fields", "- data.colour: red", "+ data.size: 2"] {
        assert!(planned.text.contains(said), "{said}: {}", planned.text);
    }
    let again = asked("PUT", one.clone(), &config_map("one", json!({"size": "2"})));
    let again = rig.alice.call(TOOL, again).await;
    assert_eq!(again.structure["change"], "unneeded", "{}", again.text);

    let operations = json!([{"op": "test", "path": "/data/size", "value": "2"}, {"op": "add", "path": "/data/json", "value": "3"}]);
    for (content, body, said) in [
        (MERGE, json!({"data": {"merge": "1"}}), "+ data.merge: 1"),
        (STRATEGIC, json!({"data": {"strategic": "2"}}), "+ data.strategic: 2"),
        (JSON_PATCH, operations, "+ data.json: 3"),
        (APPLY, config_map("one", json!({"apply": "4"})), "+ data.apply: 4"),
    ] {
        let (planned, _) = do_it(&rig.alice, patched(content, one.clone(), &body)).await;
        assert!(
            planned.text.contains(said) && planned.text.contains("1 field"),
            "{content}: {}",
            planned.text
        );
    }
    let data = json!({"size": "2", "merge": "1", "strategic": "2", "json": "3", "apply": "4"});
    assert_eq!(rig.made("cm/one")["data"], data);

    // what the caller does not name is made up by the API server, and may be so each time
    let pod = json!({"metadata": {"name": "pod-1"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let (planned, _) = do_it(&rig.alice, asked("POST", rig.core("pods"), &pod)).await;
    assert!(planned.text.contains("+ spec.restartPolicy: Always"), "{}", planned.text);
    let new = config_map("applied", json!({"a": "b"}));
    let (planned, _) = do_it(&rig.alice, patched(APPLY, rig.core("configmaps/applied"), &new)).await;
    assert!(planned.text.contains("applied would be created"), "{}", planned.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_say_what_goes_and_what_stays() {
    let rig = rig("write-gone").await;
    for name in ["held", "plain", "simple"] {
        rig.apply(config_map(name, json!({})));
    }
    ControlPlane::shared().kubectl(&[
        "patch",
        "cm",
        "held",
        "-n",
        &rig.ns,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":["test.example/hold"]}}"#,
    ]);
    let held = json!({"method": "DELETE", "path": rig.core("configmaps/held")});
    let (planned, made) = do_it(&rig.alice, held.clone()).await;
    for said in ["would be deleted", "until its finalizers are done: test.example/hold", "in the background"]
    {
        assert!(planned.text.contains(said), "{said}: {}", planned.text);
    }
    assert!(made.text.contains("its deletion has begun"), "{}", made.text);
    let again = rig.alice.call(TOOL, held).await;
    assert_eq!(again.structure["change"], "unneeded", "{}", again.text);
    assert!(
        again.text.contains("being deleted already") && again.text.contains("test.example/hold"),
        "{}",
        again.text
    );
    ControlPlane::shared().kubectl(&[
        "patch",
        "cm",
        "held",
        "-n",
        &rig.ns,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);

    let orphan = json!({"method": "DELETE", "path": rig.core("configmaps/plain"), "query": {"propagationPolicy": "Orphan"}});
    let (planned, made) = do_it(&rig.alice, orphan.clone()).await;
    assert!(planned.text.contains("stay, without it"), "{}", planned.text);
    assert!(made.text.contains("its deletion has begun"), "orphans are made first: {}", made.text);
    do_it(&rig.alice, json!({"method": "DELETE", "path": rig.core("configmaps/simple")})).await;
    assert!(rig.get("cm/simple").is_none());
    let gone = rig.alice.call(TOOL, json!({"method": "DELETE", "path": rig.core("configmaps/simple")})).await;
    refused(&gone, &["404", "not found"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_deleted_as_far_as_the_plan_names_it() {
    let rig = rig("write-many").await;
    for name in ["a", "b"] {
        let mut map = config_map(name, json!({}));
        map["metadata"]["labels"] = json!({"group": "x"});
        rig.apply(map);
    }
    let some =
        json!({"method": "DELETE", "path": rig.core("configmaps"), "query": {"labelSelector": "group=x"}});
    let planned = planned(&rig.alice, &some).await;
    assert!(planned.text.contains("2 objects would be deleted"), "{}", planned.text);
    assert_eq!(planned.structure["goes"], json!(["a", "b"]));
    assert!(planned.structure.get("risks").is_none(), "{}", planned.text);
    // somebody makes one more: it was in no plan
    let mut later = config_map("c", json!({}));
    later["metadata"]["labels"] = json!({"group": "x"});
    rig.apply(later);
    let changed = with_plan(&rig.alice, &some, plan(&planned)).await;
    refused(&changed, &["NOTHING WAS DONE: what goes with it changed", "3 objects would be deleted"]);
    assert!(rig.get("cm/a").is_some());
    let made = with_plan(&rig.alice, &some, plan(&changed)).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
    assert!(["a", "b", "c"].iter().all(|name| rig.get(&format!("cm/{name}")).is_none()), "{}", made.text);
    let none = rig.alice.call(TOOL, some).await;
    assert_eq!(none.structure["change"], "unneeded", "{}", none.text);
    let all = json!({"method": "DELETE", "path": rig.core("secrets")});
    let all = rig.alice.call(TOOL, all).await;
    assert_eq!(all.structure["change"], "unneeded", "{}", all.text);
    let misspelled =
        json!({"method": "DELETE", "path": rig.core("configmaps"), "query": {"labelSelectr": "group=x"}});
    let misspelled = rig.alice.call(TOOL, misspelled).await;
    assert!(
        misspelled.is_error && misspelled.text.contains("did you mean \"labelSelector\"?"),
        "{}",
        misspelled.text
    );
    let all = rig.alice.call(TOOL, json!({"method": "DELETE", "path": rig.core("configmaps")})).await;
    assert!(all.text.contains("no selector narrows it"), "{}", all.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn subresources_are_written_as_far_as_a_call_can() {
    let rig = rig("write-subs").await;
    let deployment = json!({"metadata": {"name": "web"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    do_it(&rig.alice, asked("POST", rig.apps("deployments"), &deployment)).await;
    for (content, body, replicas) in [
        (MERGE, json!({"spec": {"replicas": 2}}), 2),
        (JSON_PATCH, json!([{"op": "replace", "path": "/spec/replicas", "value": 3}]), 3),
    ] {
        let (planned, _) =
            do_it(&rig.alice, patched(content, rig.apps("deployments/web/scale"), &body)).await;
        assert!(planned.text.contains("~ spec.replicas"), "{content}: {}", planned.text);
        assert_eq!(rig.made("deployment/web")["spec"]["replicas"], replicas, "{content}");
    }
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web", "namespace": &*rig.ns}, "spec": {"replicas": 1}});
    do_it(&rig.alice, asked("PUT", rig.apps("deployments/web/scale"), &scale)).await;
    assert_eq!(rig.made("deployment/web")["spec"]["replicas"], 1);

    let pod = json!({"metadata": {"name": "pod-1"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    do_it(&rig.alice, asked("POST", rig.core("pods"), &pod)).await;
    let status = json!({"status": {"message": "made by hand"}});
    let (planned, _) = do_it(&rig.alice, patched(MERGE, rig.core("pods/pod-1/status"), &status)).await;
    assert!(planned.text.contains("+ status.message: made by hand"), "{}", planned.text);
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "pod-1"}});
    let (planned, made) = do_it(&rig.alice, asked("POST", rig.core("pods/pod-1/eviction"), &eviction)).await;
    assert!(
        planned.text.contains("the Pod is deleted, where its PodDisruptionBudgets let it"),
        "{}",
        planned.text
    );
    assert!(made.text.contains("pods/eviction"), "{}", made.text);
    let gone = rig.get("pod/pod-1").is_none_or(|pod| pod["metadata"].get("deletionTimestamp").is_some());
    assert!(gone, "it was evicted");

    for channel in ["exec", "attach", "portforward", "proxy"] {
        let answer = rig
            .alice
            .call(TOOL, json!({"method": "POST", "path": rig.core(&format!("pods/x/{channel}"))}))
            .await;
        refused(&answer, &["\"path\"", channel, "HTTP endpoint"]);
    }
    let token = json!({"method": "POST", "path": rig.core("serviceaccounts/default/token"), "body": "{}"});
    refused(&rig.alice.call(TOOL, token.clone()).await, &["kubernetes.secrets.read"]);
    let carol = client(&rig.server, "carol").await;
    refused(&carol.call(TOOL, token).await, &["never show one", "HTTP endpoint"]);
    refused(
        &rig.alice.call(TOOL, json!({"method": "POST", "path": "/api/v1", "body": "{}"})).await,
        &["\"path\""],
    );
    let review = json!({"spec": {"resourceAttributes": {"verb": "delete", "resource": "pods", "namespace": &*rig.ns}}});
    let review = asked("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned(), &review);
    let answer = rig.alice.call(TOOL, review).await;
    assert!(!answer.is_error, "{}", answer.text);
    assert_eq!(answer.structure["object"]["status"]["allowed"], true, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_agreed_to_is_not_done() {
    let rig = rig("write-agreed").await;
    let plane = ControlPlane::shared();
    rig.apply(config_map("one", json!({"a": "1"})));
    let arguments = patched(MERGE, rig.core("configmaps/one"), &json!({"data": {"b": "2"}}));
    let first = planned(&rig.alice, &arguments).await;

    // of another caller, for other arguments, altered: nothing is even asked
    let mark = plane.audit_mark();
    let frank = client(&rig.server, "frank").await;
    let mut others = arguments.clone();
    others["body"] = json!(r#"{"data":{"b":"3"}}"#);
    let altered: String = plan(&first).chars().rev().collect();
    for answer in [
        with_plan(&frank, &arguments, plan(&first)).await,
        with_plan(&rig.alice, &others, plan(&first)).await,
        with_plan(&rig.alice, &arguments, &altered).await,
    ] {
        refused(&answer, &["\"plan\"", "nothing was changed"]);
    }
    let asked: Vec<AuditLine> = plane.audit_since(mark, "platform-mcp");
    let here: Vec<&AuditLine> = asked.iter().filter(|line| line.uri.contains(&*rig.ns)).collect();
    assert!(here.is_empty(), "{here:?}");

    // the object changes between plan and confirmation
    rig.apply(config_map("one", json!({"a": "changed"})));
    let changed = with_plan(&rig.alice, &arguments, plan(&first)).await;
    refused(
        &changed,
        &[
            "NOTHING WAS DONE: the object and",
            "+ data.b: 2",
            "the object was last written by kubectl",
            "at 20",
        ],
    );
    assert!(rig.made("cm/one")["data"].get("b").is_none());
    let fresh = plan(&changed).to_owned();
    let made = with_plan(&rig.alice, &arguments, &fresh).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);

    // a plan is good for one change
    plane.kubectl(&[
        "patch",
        "cm",
        "one",
        "-n",
        &rig.ns,
        "--type=json",
        "-p",
        r#"[{"op":"remove","path":"/data/b"}]"#,
    ]);
    let twice = with_plan(&rig.alice, &arguments, &fresh).await;
    refused(&twice, &["used already"]);
    assert!(rig.made("cm/one")["data"].get("b").is_none());

    // it is there and gone, or made anew, meanwhile
    let delete = json!({"method": "DELETE", "path": rig.core("configmaps/one")});
    let planned = planned(&rig.alice, &delete).await;
    plane.kubectl(&["delete", "cm", "one", "-n", &rig.ns]);
    refused(&with_plan(&rig.alice, &delete, plan(&planned)).await, &["404"]);
    rig.apply(config_map("one", json!({"a": "changed"})));
    refused(&with_plan(&rig.alice, &delete, plan(&planned)).await, &["NOTHING WAS DONE"]);
    assert!(rig.get("cm/one").is_some());

    // what only the status says is no reason to refuse
    let pod = json!({"metadata": {"name": "pod-1"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    do_it(&rig.alice, asked_pod(&rig, &pod)).await;
    let label = patched(MERGE, rig.core("pods/pod-1"), &json!({"metadata": {"labels": {"x": "y"}}}));
    let planned = self::planned(&rig.alice, &label).await;
    plane.patch_status(&rig.ns, "pod/pod-1", &json!({"message": "moved"}));
    let made = with_plan(&rig.alice, &label, plan(&planned)).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
}

/// The audit log, once it holds this.
async fn later(server: &Server, text: &str) -> String {
    let began = std::time::Instant::now();
    loop {
        let log = server.read("audit.log");
        if log.contains(text) || began.elapsed() > std::time::Duration::from_secs(10) {
            return log;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn asked_pod(rig: &Rig, pod: &Value) -> Value {
    asked("POST", rig.core("pods"), pod)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_costs_as_few_requests_as_it_can_and_is_written_down() {
    let rig = rig("write-cost").await;
    let plane = ControlPlane::shared();
    rig.apply(config_map("one", json!({"a": "1"})));
    let path = rig.core("configmaps/one");
    let arguments = patched(MERGE, path.clone(), &json!({"data": {"b": "2"}}));
    let mark = plane.audit_mark();
    let first = planned(&rig.alice, &arguments).await;
    let made = with_plan(&rig.alice, &arguments, plan(&first)).await;
    assert_eq!(made.structure["change"], "made", "{}", made.text);
    let lines = plane.audit_until(mark, "platform-mcp", |lines| {
        lines.iter().filter(|line| line.uri.contains(&path)).count() >= 5
    });
    let here: Vec<(&str, bool)> = lines
        .iter()
        .filter(|line| line.uri.contains(&path))
        .map(|line| (line.verb.as_str(), line.uri.contains("dryRun=All")))
        .collect();
    let plan_of = [("get", false), ("patch", true)];
    assert_eq!(here, [&plan_of[..], &plan_of[..], &[("patch", false)]].concat());
    assert!(
        lines
            .iter()
            .filter(|line| line.uri.contains(&path))
            .all(|line| line.impersonated_user.as_deref() == Some("oidc:alice")),
        "as the caller"
    );
    let log = later(&rig.server, r#""change":"made""#).await;
    let of: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["tool"] == TOOL)
        .collect();
    assert_eq!(of.len(), 2, "{log}");
    for (line, change, requests) in [(&of[0], "planned", 2), (&of[1], "made", 3)] {
        assert_eq!(line["change"], change);
        assert_eq!(line["upstream_requests"], requests, "{line}");
        assert_eq!(line["request"], json!({"method": "PATCH", "path": path, "status": 200}));
    }
    assert!(!log.contains("data"), "no body is written down: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_says_reaches_the_caller() {
    let rig = rig("write-says").await;
    rig.apply(config_map("one", json!({"a": "1"})));
    let one = rig.core("configmaps/one");

    // not valid: the field is named
    let bad = json!({"metadata": {"name": "Bad_Name"}});
    let answer = rig.alice.call(TOOL, asked("POST", rig.core("configmaps"), &bad)).await;
    refused(&answer, &["422 Invalid", "metadata.name", "Bad_Name"]);
    assert_eq!(answer.structure["status"], 422, "{}", answer.structure);
    assert_eq!(answer.structure["reason"], "Invalid");
    assert_eq!(answer.structure["causes"][0]["field"], "metadata.name", "{}", answer.structure);
    let typo = patched(STRATEGIC, one.clone(), &json!({"dta": {"x": "y"}}));
    refused(&rig.alice.call(TOOL, typo).await, &["unknown field \"dta\""]);
    // the object that it quotes first is long
    rig.apply(config_map("long", json!({"a": "x".repeat(2_000)})));
    let typo = patched(MERGE, rig.core("configmaps/long"), &json!({"dta": {"x": "y"}}));
    let answer = rig.alice.call(TOOL, typo).await;
    refused(&answer, &["(the object): strict decoding error: unknown field \"dta\""]);
    assert!(!answer.text.contains("xxxx"), "{}", answer.text);
    let exists = asked("POST", rig.core("configmaps"), &config_map("one", json!({})));
    let answer = rig.alice.call(TOOL, exists).await;
    refused(&answer, &["409 AlreadyExists"]);
    assert_eq!(answer.structure["reason"], "AlreadyExists");

    // RBAC's own words, as of the caller
    let role = json!({"metadata": {"name": "r"}, "rules": []});
    let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles", &*rig.ns);
    let answer = rig.alice.call(TOOL, asked("POST", path, &role)).await;
    refused(&answer, &["403 Forbidden", "User \"oidc:alice\" cannot create resource \"roles\""]);
    assert_eq!(answer.structure["status"], 403);
    let log = later(&rig.server, r#""refused_by":"cluster""#).await;
    assert!(log.contains(r#""refused_by":"cluster""#) && log.contains(r#""outcome":"not_allowed""#), "{log}");

    // fields of others, and taking them
    let mut map = config_map("owned", json!({"a": "theirs"}));
    map["metadata"]["namespace"] = json!(&*rig.ns);
    let file = rig.server.path("owned.json");
    std::fs::write(&file, map.to_string()).expect("a file");
    ControlPlane::shared().kubectl(&[
        "apply",
        "--server-side",
        "--field-manager=gitops",
        "-f",
        &file.to_string_lossy(),
    ]);
    let mut apply = patched(APPLY, rig.core("configmaps/owned"), &config_map("owned", json!({"a": "ours"})));
    let answer = rig.alice.call(TOOL, apply.clone()).await;
    refused(&answer, &["409 Conflict", "\"gitops\"", ".data.a", "force"]);
    assert_eq!(answer.structure["causes"][0]["field"], ".data.a", "{}", answer.structure);
    apply["query"] = json!({"force": "true"});
    let (planned, _) = do_it(&rig.alice, apply).await;
    assert!(planned.text.contains("gitops manages data.a, and no more afterwards"), "{}", planned.text);
    assert_eq!(rig.made("cm/owned")["data"]["a"], "ours");

    // quota
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"configmaps": "1"}}});
    rig.apply(quota);
    ControlPlane::shared().wait_for("the quota to count", std::time::Duration::from_secs(30), || {
        rig.made("quota/small")["status"]["used"].get("configmaps").cloned()
    });
    let more = asked("POST", rig.core("configmaps"), &config_map("more", json!({})));
    refused(&rig.alice.call(TOOL, more).await, &["403", "exceeded quota: small"]);

    // another kind of patch than the kind takes
    let missing = patched(MERGE, rig.core("configmaps/none"), &json!({"data": {}}));
    refused(&rig.alice.call(TOOL, missing).await, &["404", "not found"]);
    let stale = json!({"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}});
    refused(&rig.alice.call(TOOL, patched(MERGE, one, &stale)).await, &["409 Conflict", "has been modified"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_secrets_are_written_and_never_shown() {
    let rig = rig("write-secret").await;
    let (old, new) = ("planted-hunter2-old", "planted-hunter2-new");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": old, "other": "planted-other-value"}});
    let (planned, made) = do_it(&rig.alice, asked("POST", rig.core("secrets"), &secret)).await;
    let change = patched(MERGE, rig.core("secrets/s"), &json!({"stringData": {"password": new}}));
    let (planned_change, made_change) = do_it(&rig.alice, change.clone()).await;
    assert!(
        planned_change.text.contains("~ data.password: <redacted> → <redacted>"),
        "{}",
        planned_change.text
    );
    assert!(planned_change.text.contains("would change in 1 field"), "{}", planned_change.text);
    let again = rig.alice.call(TOOL, change).await;
    assert_eq!(again.structure["change"], "unneeded", "{}", again.text);
    // carol may read Secrets, and is told as much by a diff
    let carol = client(&rig.server, "carol").await;
    let delete = json!({"method": "DELETE", "path": rig.core("secrets/s")});
    let planned_delete = self::planned(&rig.alice, &delete).await;
    let many = json!({"method": "DELETE", "path": rig.core("secrets")});
    let planned_many = self::planned(&rig.alice, &many).await;
    let encoded = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    assert_eq!(rig.made("secret/s")["data"]["password"], encoded(new));
    for answer in [&planned, &made, &planned_change, &made_change, &again, &planned_delete, &planned_many] {
        let all = format!("{}{}", answer.text, answer.structure);
        for planted in [old, new, "planted", &encoded(old), &encoded(new)] {
            assert!(!all.contains(planted), "{planted}: {all}");
        }
    }
    assert!(!rig.server.read("audit.log").contains("planted") && !rig.server.said().contains("planted"));

    // what reads values could tell them
    for operation in [
        json!({"op": "test", "path": "/data/password", "value": encoded("guess")}),
        json!({"op": "copy", "from": "/data/password", "path": "/metadata/annotations"}),
        json!({"op": "move", "from": "/data/password", "path": "/data/x"}),
    ] {
        let patch = patched(JSON_PATCH, rig.core("secrets/s"), &json!([operation]));
        refused(&rig.alice.call(TOOL, patch).await, &["kubernetes.secrets.read"]);
    }
    let patch = patched(
        JSON_PATCH,
        rig.core("secrets/s"),
        &json!([{"op": "test", "path": "/data/password", "value": encoded(new)}, {"op": "remove", "path": "/data/other"}]),
    );
    do_it(&carol, patch).await;
    // what the cluster says against it quotes the whole of it; the value is too short for any net
    rig.apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"}, "stringData": {"user": "bob"}}));
    for body in [json!({"data": {"c": 9}}), json!({"dta": {"c": "x"}})] {
        let answer = rig.alice.call(TOOL, patched(MERGE, rig.core("secrets/t"), &body)).await;
        refused(&answer, &["422 Invalid", "withheld"]);
        let all = format!("{}{}", answer.text, answer.structure);
        assert!(!all.contains("Ym9i"), "{all}");
    }
    // what was redacted is not written back
    for value in ["<redacted:19 bytes>".to_owned(), encoded("<redacted:19 bytes>")] {
        let back = patched(MERGE, rig.core("secrets/s"), &json!({"data": {"password": value}}));
        refused(&rig.alice.call(TOOL, back).await, &["\"body\"", "<redacted>", "data.password"]);
    }
    assert_eq!(rig.made("secret/s")["data"]["password"], encoded(new));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_has_no_tool_and_who_may_in_a_part_writes_there_alone() {
    let rig = rig("write-who").await;
    for person in ["bob", "caller-1"] {
        let mcp = client(&rig.server, person).await;
        let tools = mcp.list_tools().await;
        assert!(tools.iter().all(|tool| tool["name"] != TOOL), "{person}");
        let unknown =
            mcp.try_call(TOOL, json!({"method": "DELETE", "path": "/x"})).await.expect_err("hidden");
        assert_eq!(unknown.code, -32602, "{person}: {unknown:?}");
    }
    let here = client(&rig.server, "caller-2").await;
    do_it(&here, asked("POST", rig.core("configmaps"), &config_map("mine", json!({})))).await;
    // the same words whether it exists or not, and nothing is asked
    let plane = ControlPlane::shared();
    let mark = plane.audit_mark();
    let mut words = Vec::new();
    for path in ["/api/v1/namespaces/default", "/api/v1/namespaces/no-such", "/api/v1/nodes/no-such"] {
        let answer = here.call(TOOL, json!({"method": "DELETE", "path": path})).await;
        refused(&answer, &["you need the permission"]);
        words.push(answer.text);
    }
    words.dedup();
    assert_eq!(words.len(), 1, "{words:?}");
    let elsewhere = |name: &str| json!({"method": "DELETE", "path": format!("/api/v1/namespaces/default/configmaps/{name}")});
    let there = here.call(TOOL, elsewhere("kube-root-ca.crt")).await;
    assert_eq!(there, here.call(TOOL, elsewhere("no-such")).await);
    refused(&there, &["you need the permission", "default"]);
    for path in ["/metrics", "/api/v1/namespaces"] {
        refused(
            &here.call(TOOL, json!({"method": "POST", "path": path, "body": "{}"})).await,
            &["you need the permission"],
        );
    }
    let asked = plane.audit_since(mark, "platform-mcp");
    assert!(asked.iter().all(|line| line.impersonated_user.as_deref() != Some("oidc:caller-2")), "{asked:?}");

    let ns = rig.ns.to_string();
    let only_reads = serve(&ns, "tools: {readOnly: true}\n");
    let tools = client(&only_reads, "carol").await.list_tools().await;
    assert!(tools.iter().all(|tool| tool["name"] != TOOL), "read_only leaves no write");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_arguments_are_refused_with_what_would_do() {
    let rig = rig("write-bad").await;
    let one = rig.core("configmaps/one");
    let huge = format!("{{\"data\":{{\"a\":\"{}\"}}}}", "x".repeat(300_000));
    for (arguments, said) in [
        (json!({"method": "DELETE", "path": "api/v1"}), &["\"path\"", "begin with one /"][..]),
        (json!({"method": "DELETE", "path": "/api/v1/namespaces/a/../b"}), &["\"path\"", "."]),
        (json!({"method": "DELETE", "path": "/api/v1/pods?dryRun=All"}), &["\"path\"", "query"]),
        (json!({"method": "GET", "path": one}), &["\"method\"", "POST"]),
        (
            json!({"method": "PATCH", "path": one, "body": "{}"}),
            &["\"content_type\" is missing", MERGE, APPLY],
        ),
        (
            json!({"method": "PATCH", "path": one, "body": "{}", "content_type": "application/json"}),
            &["\"content_type\"", JSON_PATCH],
        ),
        (
            json!({"method": "POST", "path": one, "body": "{}", "content_type": "application/vnd.kubernetes.protobuf"}),
            &["\"content_type\"", "application/yaml"],
        ),
        (json!({"method": "PUT", "path": one}), &["\"body\" is missing"]),
        (json!({"method": "PUT", "path": one, "body": "{a: [1"}), &["\"body\" is not valid YAML"]),
        (json!({"method": "PUT", "path": one, "body": "a: 1\n---\nb: 2"}), &["\"body\" holds 2 documents"]),
        (json!({"method": "PUT", "path": one, "body": huge}), &["\"body\"", "262144"]),
        (
            json!({"method": "DELETE", "path": one, "query": {"dryRun": "All"}}),
            &["\"query\": dryRun is not taken", "without plan"],
        ),
        (
            json!({"method": "DELETE", "path": one, "query": {"limit": "1"}}),
            &["\"query\": limit", "labelSelector"],
        ),
        (
            json!({"method": "PUT", "path": one, "body": "{}", "query": {"force": "true"}}),
            &["force", "apply-patch"],
        ),
        (json!({"method": "DELETE", "path": one, "body": "{kind: Pod}"}), &["DeleteOptions"]),
    ] {
        let answer = rig.alice.call(TOOL, arguments).await;
        refused(&answer, said);
    }
}
