#![allow(clippy::needless_pass_by_value, reason = "json!(…) arguments read better than &json!(…)")]

use super::*;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::Definition;
use crate::kro::expression::Work;
use crate::kro::graph::{Collected, Graph, Observed, Rgd, Unread};
use crate::kubernetes::{Event, Object};
use jiff::Timestamp;
use serde_json::{Value, json};

const NOW: &str = "2026-01-01T01:00:00Z";
const LONG_AGO: &str = "2026-01-01T00:00:00Z";
const JUST_NOW: &str = "2026-01-01T00:59:58Z";

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

fn config_map(id: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": id, "namespace": "shop",
        "uid": format!("uid-{id}"), "labels": {"kro.run/node-id": id}}})
}

fn node(id: &str) -> Value {
    json!({"id": id, "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": id}}})
}

fn rgd(resources: Value, dependencies: Value) -> Value {
    let order: Vec<Value> =
        resources.as_array().into_iter().flatten().map(|resource| resource["id"].clone()).collect();
    json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "shop", "generation": 1},
        "spec": {"schema": {"kind": "Shop"}, "resources": resources},
        "status": {"state": "Active", "topologicalOrder": order, "resources": dependencies,
            "conditions": [{"type": "GraphAccepted", "status": "True", "observedGeneration": 1}]}})
}

fn instance(status: Value) -> Value {
    json!({"apiVersion": "kro.run/v1alpha1", "kind": "Shop", "metadata": {"name": "one", "namespace": "shop",
        "uid": "uid-one", "generation": 1, "creationTimestamp": LONG_AGO,
        "labels": {"kro.run/resource-graph-definition-name": "shop"}}, "spec": {"on": false}, "status": status})
}

fn status(state: &str, message: &str) -> Value {
    let ready = if message.is_empty() { "True" } else { "False" };
    json!({"state": state, "conditions": [
        {"type": "ResourcesReady", "status": ready, "message": message, "lastTransitionTime": LONG_AGO, "observedGeneration": 1},
        {"type": "Ready", "status": ready, "message": message, "lastTransitionTime": LONG_AGO, "observedGeneration": 1}]})
}

fn collected(instance: Value, rgd: Value, children: Vec<Value>) -> Collected {
    let definition = Definition::read_within(&object(rgd), &[], &Work::default());
    let children = children.into_iter().map(object).collect();
    Collected { children, ..Collected::new(object(instance), Rgd::Read(Box::new(definition))) }
}

fn diagnose(collected: &Collected, looked: &Looked) -> Vec<Finding> {
    let graph = Graph::build(collected, &Work::default());
    let now: Timestamp = NOW.parse().expect("a time");
    of_instance(&Case { collected, graph: &graph, looked, names_rgds: true, now })
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.word()).collect()
}

fn looks(collected: &Collected) -> Vec<Look> {
    let graph = Graph::build(collected, &Work::default());
    let now: Timestamp = NOW.parse().expect("a time");
    worth(&Case { collected, graph: &graph, looked: &Looked::default(), names_rgds: true, now })
}

#[test]
fn a_healthy_instance_has_no_finding_and_costs_no_further_request() {
    let all =
        collected(instance(status("ACTIVE", "")), rgd(json!([node("a")]), json!([])), vec![config_map("a")]);
    assert_eq!(codes(&diagnose(&all, &Looked::default())), [""; 0]);
    assert_eq!((looks(&all), allowance(&all)), (vec![], 2));
}

#[test]
fn what_waits_comes_after_what_it_waits_for() {
    let resources = json!([
        {"id": "conf", "externalRef": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${schema.spec.conf}"}}},
        node("a"),
        {"id": "b", "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}, "data": {"x": "${a.data.x}"}}},
        {"id": "off", "includeWhen": ["${schema.spec.on}"], "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "off"}}},
        node("c"), node("d"), node("e"),
    ]);
    let needs = json!([
        {"id": "b", "dependencies": [{"id": "a"}]}, {"id": "c", "dependencies": [{"id": "conf"}]},
        {"id": "d", "dependencies": [{"id": "conf"}]}, {"id": "e", "dependencies": [{"id": "off"}]}]);
    let message = "awaiting resource readiness: waiting for external reference \"conf\": not found";
    let mut all =
        collected(instance(status("IN_PROGRESS", message)), rgd(resources, needs), vec![config_map("a")]);
    all.externals.insert("conf".into(), Observed::Absent(Some("shop".into()), "absent".into()));
    let findings = diagnose(&all, &Looked::default());
    assert_eq!(codes(&findings), ["external-missing", "data-pending", "waits", "left-out", "left-out-with"]);
    assert_eq!(
        findings[0].cause,
        "the external reference conf does not exist: ConfigMap shop/absent; kro waits for it"
    );
    assert_eq!(findings[1].cause, "b (ConfigMap) is not made: a.data.x has no value yet");
    assert_eq!(findings[1].evidence, ["${a.data.x}"]);
    assert_eq!(findings[2].cause, "c, d wait for conf");
}

#[test]
fn a_field_fight_names_the_rival_and_the_field() {
    let mut child = config_map("a");
    child["metadata"]["generation"] = json!(4711);
    child["metadata"]["managedFields"] = json!([
        {"manager": "kro.run/applyset", "operation": "Apply", "time": NOW, "fieldsV1": {}},
        {"manager": "rival", "operation": "Update", "time": JUST_NOW, "fieldsV1": {"f:data": {"f:x": {}}}}]);
    let mut resource = node("a");
    resource["template"]["data"] = json!({"x": "1"});
    let fighting = || instance(status("ACTIVE", "cluster mutated"));
    let child_of_a_fight = child.clone();
    let all = collected(fighting(), rgd(json!([resource.clone()]), json!([])), vec![child]);
    let findings = diagnose(&all, &Looked::default());
    assert_eq!(codes(&findings), ["field-fight"]);
    assert!(findings[0].cause.contains("rival change ConfigMap/a in turn"), "{}", findings[0].cause);
    assert!(findings[0].cause.contains("sets data.x"), "{}", findings[0].cause);
    assert!(findings[0].evidence.iter().any(|line| line.contains("4711")), "{:?}", findings[0].evidence);
    // kro wrote last, and a pass before found nothing to change: the child is far ahead all the same
    let mut young = fighting();
    young["status"]["conditions"][0]["lastTransitionTime"] = json!(JUST_NOW);
    let mut own = child_of_a_fight.clone();
    own["metadata"]["managedFields"].as_array_mut().expect("a list").truncate(1);
    let all = collected(young, rgd(json!([resource.clone()]), json!([])), vec![own]);
    let findings = diagnose(&all, &Looked::default());
    assert_eq!(codes(&findings), ["field-fight"]);
    assert!(findings[0].cause.starts_with("kro and another controller"), "{}", findings[0].cause);
    // one pass that changed something is none
    let calm = collected(fighting(), rgd(json!([resource]), json!([])), vec![config_map("a")]);
    assert_eq!(codes(&diagnose(&calm, &Looked::default())), ["not-ready"]);
}

#[test]
fn an_instance_that_nobody_looks_at() {
    let mut ahead = instance(status("ACTIVE", ""));
    ahead["metadata"]["generation"] = json!(2);
    let good = || rgd(json!([node("a")]), json!([]));
    let all = collected(ahead.clone(), good(), vec![config_map("a")]);
    assert_eq!(looks(&all), [Look::Controllers, Look::Siblings(GroupKind::new("kro.run", "Shop"))]);
    assert_eq!(codes(&diagnose(&all, &Looked::default())), ["controller-behind"]);
    let down = object(json!({"kind": "Deployment", "metadata": {"name": "kro", "namespace": "kro-system"},
        "spec": {"replicas": 1}, "status": {}}));
    let looked = Looked { controllers: vec![down], ..Looked::default() };
    assert_eq!(codes(&diagnose(&all, &looked)), ["controller-down"]);
    let forbidden = "apply results contain errors: widgets.x.io \"w\" is forbidden: User \"kro\" cannot list resource \
                     \"widgets\" in API group \"x.io\"";
    let held = object(instance(status("ERROR", forbidden)));
    let looked = Looked { siblings: Some(vec![held]), ..Looked::default() };
    assert_eq!(codes(&diagnose(&all, &looked)), ["controller-held-up"]);
    // its RGD is inactive: no controller of the kind runs after a restart of kro (8.6)
    let mut inactive = good();
    inactive["status"]["state"] = json!("Inactive");
    let frozen = collected(ahead, inactive, vec![config_map("a")]);
    assert!(looks(&frozen).is_empty());
    assert_eq!(codes(&diagnose(&frozen, &Looked::default()))[0], "frozen");
    let mut fresh = instance(Value::Null);
    fresh["metadata"]["creationTimestamp"] = json!(JUST_NOW);
    let fresh = collected(fresh, good(), vec![]);
    assert_eq!(codes(&diagnose(&fresh, &Looked::default())), ["not-looked-at"]);
}

#[test]
fn a_deletion_names_the_finalizer_that_holds_it() {
    let mut leaving = instance(status("DELETING", "deleting resources"));
    leaving["metadata"]["deletionTimestamp"] = json!(LONG_AGO);
    leaving["metadata"]["finalizers"] = json!(["kro.run/finalizer"]);
    let mut held = config_map("b");
    held["metadata"]["deletionTimestamp"] = json!(LONG_AGO);
    held["metadata"]["finalizers"] = json!(["acme.io/hold"]);
    let of = |leaving: &Value, children: Vec<Value>| {
        let all = collected(leaving.clone(), rgd(json!([node("a"), node("b")]), json!([])), children);
        diagnose(&all, &Looked::default())
    };
    let findings = of(&leaving, vec![config_map("a"), held]);
    assert_eq!(codes(&findings), ["deletion-blocked", "deleting"]);
    assert!(findings[0].cause.contains("finalizer acme.io/hold keeps it"), "{}", findings[0].cause);
    assert_eq!(findings[0].node.as_deref(), Some("b"));
    leaving["metadata"]["finalizers"] = json!(["kro.run/finalizer", "acme.io/own"]);
    let own = of(&leaving, vec![]);
    assert_eq!(codes(&own), ["deletion-blocked"]);
    assert!(own[0].cause.contains("acme.io/own") && !own[0].cause.contains("kro.run"), "{}", own[0].cause);
    leaving["metadata"]["finalizers"] = json!(["kro.run/finalizer"]);
    assert_eq!(codes(&of(&leaving, vec![])), ["controller-behind"]);
    let mut gone = collected(leaving, rgd(json!([]), json!([])), vec![]);
    gone.rgd = Rgd::Gone("shop".into());
    let findings = diagnose(&gone, &Looked::default());
    assert_eq!(codes(&findings), ["rgd-gone"]);
    assert!(findings[0].cause.contains("does not end"), "{}", findings[0].cause);
}

#[test]
fn a_conflict_names_the_instance_that_has_the_object() {
    let message = "resource reconciliation failed: apply results contain errors: resource belongs to a different \
                   ApplySet: shop/a (/v1, Kind=ConfigMap) belongs to ApplySet \"applyset-x-v1\", cannot reassign to \"applyset-y-v1\"";
    let all = collected(instance(status("ERROR", message)), rgd(json!([node("a")]), json!([])), vec![]);
    let kind = GroupKind::new("", "ConfigMap");
    let key = (kind.clone(), Some("shop".to_owned()), "a".to_owned());
    let look = Look::Owner { kind, namespace: Some("shop".into()), name: "a".into() };
    assert_eq!(looks(&all), [look]);
    for (owner, words) in [
        (
            Owner::Instance { kind: "Shop".into(), namespace: Some("shop".into()), name: "first".into() },
            "belongs to another instance already: Shop/first in shop",
        ),
        (Owner::Hidden, "in a scope that you may not see"),
        (Owner::Stranger, "not kro's"),
    ] {
        let looked = Looked { owners: [(key.clone(), owner)].into(), ..Looked::default() };
        let findings = diagnose(&all, &looked);
        assert_eq!(codes(&findings), ["applyset-conflict"]);
        assert!(findings[0].cause.contains(words), "{}", findings[0].cause);
    }
}

#[test]
fn crashing_pods_are_found_below_an_active_instance() {
    let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop",
        "uid": "d", "generation": 1, "creationTimestamp": LONG_AGO, "labels": {"kro.run/node-id": "web"}},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}});
    let resource = json!({"id": "web", "template": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}});
    let all = collected(instance(status("ACTIVE", "")), rgd(json!([resource]), json!([])), vec![workload]);
    assert_eq!(
        looks(&all),
        [Look::Pods("shop".into(), Some("app in (web)".into())), Look::Warnings("shop".into())]
    );
    let pod = |name: &str, set: &str, waiting: &str| {
        object(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop",
            "labels": {"app": "web", "pod-template-hash": "7d9"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": set, "uid": "r", "controller": true}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 4,
                "state": {"waiting": {"reason": waiting}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "a secret"}}}]}}))
    };
    let looked =
        |set: &str, waiting: &str| Looked { pods: vec![pod("web-7d9-x", set, waiting)], ..Looked::default() };
    let findings = diagnose(&all, &looked("web-7d9", "CrashLoopBackOff"));
    assert_eq!(codes(&findings), ["pods-crashing", "child-progressing"]);
    assert_eq!(
        findings[0].cause,
        "1 of 1 Pods of Deployment/web crashes again and again: container app: CrashLoopBackOff, OOMKilled, exit code 137, 4 restarts"
    );
    assert!(!format!("{findings:?}").contains("a secret"));
    assert_eq!(codes(&diagnose(&all, &looked("web-7d9", "ErrImagePull")))[0], "pods-image");
    assert_eq!(codes(&diagnose(&all, &looked("other-7d9", "ErrImagePull"))), ["child-progressing"]);
    // no Pod could be made
    let event = object(
        json!({"involvedObject": {"kind": "ReplicaSet", "name": "web-7d9", "namespace": "shop"},
        "type": "Warning", "reason": "FailedCreate", "lastTimestamp": NOW,
        "message": "Error creating: pods \"web-7d9-\" is forbidden: exceeded quota: few, requested: pods=1"}),
    );
    let looked = Looked { warnings: vec![Event::read(&event)], ..Looked::default() };
    assert_eq!(codes(&diagnose(&all, &looked))[0], "quota-exceeded");
}

#[test]
fn a_nested_instance_that_is_not_well_comes_after_its_cause() {
    let mut inner_instance = instance(status("IN_PROGRESS", "awaiting resource readiness: x"));
    inner_instance["metadata"]["name"] = json!("app");
    inner_instance["metadata"]["uid"] = json!("uid-app");
    inner_instance["metadata"]["labels"] = json!({"kro.run/node-id": "app", "applyset.kubernetes.io/id": "x",
        "kro.run/resource-graph-definition-name": "app"});
    let mut inner = collected(inner_instance.clone(), rgd(json!([node("gem")]), json!([])), vec![]);
    inner.unread.insert(GroupKind::new("", "ConfigMap"), Unread::NotServed);
    let resource = json!({"id": "app", "template": {"apiVersion": "kro.run/v1alpha1", "kind": "Shop", "metadata": {"name": "app"}}});
    let mut outer =
        collected(instance(status("ACTIVE", "")), rgd(json!([resource]), json!([])), vec![inner_instance]);
    outer.nested.insert("uid-app".into(), inner);
    let findings = diagnose(&outer, &Looked::default());
    let kind = &findings[0];
    assert_eq!((kind.code.word(), kind.node.as_deref()), ("kind-not-served", Some("app/gem")));
    let nested = findings.iter().find(|finding| finding.code == Code::NESTED_UNHEALTHY).expect("told");
    assert!(nested.evidence[0].starts_with("kro says ACTIVE of Shop/one"), "{:?}", nested.evidence);
    assert_eq!(allowance(&outer), 4);
}

#[test]
fn what_is_wrong_with_the_rgd_is_a_warning_while_the_instance_runs() {
    let with = |kind: &str, message: &str| {
        let mut rgd = rgd(json!([node("a")]), json!([]));
        rgd["status"]["state"] = json!("Inactive");
        rgd["status"]["conditions"] = json!([{"type": kind, "status": "False", "reason": "Failed", "message": message, "observedGeneration": 1}]);
        rgd
    };
    let taken = "failed to update CRD shops.kro.run: CRD is owned by another ResourceGraphDefinition older";
    let breaking = "cannot update CRD shops.kro.run: breaking changes detected: Property x was removed";
    for (kind, message, code) in [
        ("GraphAccepted", "no such field", "rgd-invalid"),
        ("ResourceGraphAccepted", "no such field", "rgd-invalid"),
        ("GraphVerified", "no such field", "rgd-invalid"),
        ("KindReady", taken, "kind-taken"),
        ("CustomResourceDefinitionSynced", breaking, "breaking-change"),
        ("KindReady", "no", "kind-failed"),
        ("ControllerReady", "no", "controller-not-started"),
        ("GraphRevisionsResolved", "latest graph revision 2 failed compilation", "revision-failed"),
    ] {
        let all = collected(instance(status("ACTIVE", "")), with(kind, message), vec![config_map("a")]);
        let findings = diagnose(&all, &Looked::default());
        assert_eq!((codes(&findings), findings[0].weight), (vec![code], Weight::Warning), "{kind}");
        let goes_on = findings[0].evidence.iter().any(|line| line.contains("goes on with"));
        assert_eq!(goes_on, code != "breaking-change", "{:?}", findings[0].evidence);
        let mut failed = status("ERROR", "x");
        failed["conditions"] = json!([{"type": "GraphResolved", "status": "False", "reason": "ResolutionFailed",
            "message": "latest issued graph revision 2 failed", "observedGeneration": 1}]);
        let all = collected(instance(failed), with(kind, message), vec![config_map("a")]);
        let findings = diagnose(&all, &Looked::default());
        assert!(
            codes(&findings).contains(&code) && findings[0].weight == Weight::Error,
            "{kind} {:?}",
            codes(&findings)
        );
        assert!(codes(&findings).contains(&"revision-failed"), "{:?}", codes(&findings));
    }
    // who may not hear of other RGDs does not
    let all = collected(instance(status("ACTIVE", "")), with("KindReady", taken), vec![config_map("a")]);
    let graph = Graph::build(&all, &Work::default());
    let looked = Looked::default();
    let now: Timestamp = NOW.parse().expect("a time");
    let case = Case { collected: &all, graph: &graph, looked: &looked, names_rgds: false, now };
    assert!(!format!("{:?}", of_instance(&case)).contains("older"));
}

#[test]
fn older_and_author_defined_conditions_are_no_riddle() {
    let good = || rgd(json!([node("a")]), json!([]));
    // kro ≤ 0.5
    let old = json!({"state": "FAILED", "conditions": [{"type": "InstanceSynced", "status": "False",
        "message": "widgets.x.io \"w\" is forbidden: User \"kro\" cannot patch resource \"widgets\" in API group \"x.io\""}]});
    let all = collected(instance(old), good(), vec![config_map("a")]);
    assert_eq!(codes(&diagnose(&all, &Looked::default())), ["controller-rbac"]);
    // an author's own, without Ready
    let own = json!({"state": "ACTIVE", "conditions": [{"type": "Serving", "status": "False", "observedGeneration": 1}]});
    let all = collected(instance(own), good(), vec![config_map("a")]);
    assert_eq!(codes(&diagnose(&all, &Looked::default())), [""; 0]);
    // the other prefix
    let mut suspended = instance(status("ACTIVE", "reconciliation suspended"));
    suspended["metadata"]["annotations"] = json!({"internal.kro.run/reconcile": "Disabled"});
    let all = collected(suspended, good(), vec![config_map("a")]);
    assert_eq!(codes(&diagnose(&all, &Looked::default())), ["suspended"]);
}

#[test]
fn a_breaking_change_comes_before_what_it_breaks() {
    let mut rgd = rgd(json!([node("a")]), json!([]));
    rgd["status"]["state"] = json!("Inactive");
    rgd["status"]["conditions"] = json!([{"type": "KindReady", "status": "False", "reason": "Failed", "observedGeneration": 1,
        "message": "cannot update CRD shops.kro.run: breaking changes detected: Property x was removed"}]);
    let message = "apply results contain errors: ConfigMap \"a\" is invalid: data.x: Required value";
    let all = collected(instance(status("ERROR", message)), rgd, vec![]);
    let findings = diagnose(&all, &Looked::default());
    assert_eq!(codes(&findings), ["breaking-change", "child-invalid"]);
    assert!(findings[0].evidence.iter().any(|line| line.contains("against the old CRD")), "{findings:?}");
}

#[test]
fn what_kro_waits_for_comes_before_pods_that_nobody_waits_for() {
    let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop",
        "uid": "d", "generation": 1, "creationTimestamp": LONG_AGO, "labels": {"kro.run/node-id": "web"}},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}});
    let pod = object(
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-7d9-x", "namespace": "shop",
        "labels": {"app": "web", "pod-template-hash": "7d9"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-7d9", "uid": "r", "controller": true}]},
        "spec": {}, "status": {"phase": "Pending"}}),
    );
    let looked = Looked { pods: vec![pod], ..Looked::default() };
    let mut gate = node("a");
    gate["readyWhen"] = json!(["${a.data.phase == 'done'}"]);
    let mut web = json!({"id": "web", "template": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}});
    let mut child = config_map("a");
    child["data"] = json!({"phase": "no"});
    let waits = |id: &str, expression: &str| {
        status(
            "IN_PROGRESS",
            &format!(
                "awaiting resource readiness: waiting for node \"{id}\": readyWhen condition \
            evaluated to false: \"{expression}\" (waiting for readiness)"
            ),
        )
    };
    let first = status_of(&waits("a", "a.data.phase == 'done'"));
    let all = collected(first, rgd(json!([web.clone(), gate]), json!([])), vec![workload.clone(), child]);
    let findings = diagnose(&all, &looked);
    assert_eq!(codes(&findings), ["ready-when-false", "child-progressing", "pods-not-ready"]);
    assert!(findings[2].cause.contains("no scheduler has looked at it"), "{}", findings[2].cause);
    assert!(findings[2].next.contains("kube-scheduler"), "{}", findings[2].next);
    // the Pods are those of what it waits for
    web["readyWhen"] = json!(["${web.status.replicas == 2}"]);
    let second = status_of(&waits("web", "web.status.replicas == 2"));
    let all = collected(second, rgd(json!([web]), json!([])), vec![workload]);
    assert_eq!(codes(&diagnose(&all, &looked))[0], "pods-not-ready");
}

fn status_of(status: &Value) -> Value {
    instance(status.clone())
}

#[test]
fn what_is_gone_is_missing_whatever_kro_still_says_of_it() {
    let mut gate = node("a");
    gate["readyWhen"] = json!(["${a.data.phase == 'done'}"]);
    let stale = status(
        "IN_PROGRESS",
        "awaiting resource readiness: waiting for node \"a\": readyWhen condition \
        evaluated to false: \"a.data.phase == 'done'\" (waiting for readiness)",
    );
    let all = collected(instance(stale), rgd(json!([gate]), json!([])), vec![]);
    assert_eq!(looks(&all), [Look::Controllers]);
    let findings = diagnose(&all, &Looked::default());
    assert_eq!(codes(&findings), ["child-missing"]);
    assert!(findings[0].cause.contains("kro has not acted"), "{}", findings[0].cause);
    let down = object(json!({"kind": "Deployment", "metadata": {"name": "kro", "namespace": "kro-system"},
        "spec": {"replicas": 1}, "status": {}}));
    let looked = Looked { controllers: vec![down], ..Looked::default() };
    assert_eq!(codes(&diagnose(&all, &looked)), ["controller-down", "child-missing"]);
}
