#![allow(clippy::needless_pass_by_value, reason = "json!(…) arguments read better than &json!(…)")]

use super::*;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::Definition;
use crate::kubernetes::Object;
use serde_json::{Value, json};

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

fn config_map(name: &str, labels: Value) -> Object {
    let manager = json!([{"manager": "kro.run/applyset", "operation": "Apply"}]);
    object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": labels, "managedFields": manager}}))
}

fn template(id: &str, name: &str) -> Value {
    json!({"id": id, "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}})
}

fn collected(resources: Value, dependencies: Value, status: Value, children: Vec<Object>) -> Collected {
    let order: Vec<Value> =
        resources.as_array().into_iter().flatten().map(|resource| resource["id"].clone()).collect();
    let rgd = object(json!({"metadata": {"name": "shop"}, "spec": {"resources": resources}, "status": {
        "state": "Active", "topologicalOrder": order, "resources": dependencies}}));
    let instance = object(json!({"apiVersion": "kro.run/v1alpha1", "kind": "Shop",
        "metadata": {"name": "one", "namespace": "shop", "uid": "uid-one"},
        "spec": {"name": "one", "zones": ["a", "b", "c"], "on": false}, "status": status}));
    let definition = Definition::read_within(&rgd, &[], &Work::default());
    Collected { children, ..Collected::new(instance, Rgd::Read(Box::new(definition))) }
}

fn active() -> Value {
    json!({"state": "ACTIVE", "conditions": [{"type": "Ready", "status": "True"}]})
}

fn in_progress(message: &str) -> Value {
    json!({"state": "IN_PROGRESS", "conditions": [{"type": "ResourcesReady", "status": "False", "message": message}]})
}

fn states(graph: &Graph) -> Vec<(&str, State)> {
    graph.nodes.iter().skip(1).map(|node| (node.id.as_str(), node.state)).collect()
}

fn reason<'g>(graph: &'g Graph, id: &str) -> &'g str {
    let node = graph.nodes.iter().find(|node| node.id == id);
    node.and_then(|node| node.reason.as_deref()).unwrap_or_default()
}

#[test]
fn children_of_a_kro_without_node_ids_are_told_by_their_evaluated_names() {
    let resources = json!([
        template("first", "${schema.spec.name}-1"),
        template("second", "${first.metadata.name}-2"),
        template("third", "fixed"),
    ]);
    let children = vec![
        config_map("fixed", json!({})),
        config_map("one-1-2", json!({})),
        config_map("one-1", json!({})),
        config_map("stray", json!({})),
    ];
    let graph = Graph::build(&collected(resources, json!([]), active(), children), &Work::default());
    assert_eq!(
        states(&graph),
        [
            ("first", State::Ready),
            ("second", State::Ready),
            ("third", State::Ready),
            ("orphan:ConfigMap/stray", State::Orphaned)
        ]
    );
    assert_eq!(graph.healthy(), Some(true));
}

#[test]
fn a_renamed_node_leaves_an_orphan_and_is_missing() {
    let children = vec![config_map("old", json!({"kro.run/node-id": "conf"}))];
    let graph = Graph::build(
        &collected(json!([template("conf", "new")]), json!([]), active(), children),
        &Work::default(),
    );
    assert_eq!(states(&graph), [("conf", State::Missing), ("orphan:ConfigMap/old", State::Orphaned)]);
    assert_eq!(graph.root().map(|root| root.state), Some(State::Failing));
}

#[test]
fn copied_labels_make_no_children_but_a_slice_of_the_rgd_is_one() {
    let slice = |name: &str, node: &str, manager: &str| {
        object(json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {
            "name": name, "namespace": "shop", "uid": name, "labels": {"kro.run/node-id": node},
            "managedFields": [{"manager": manager}],
            "ownerReferences": if manager == "kube-controller-manager" { json!([{"controller": true}]) } else { json!([]) }}}))
    };
    let resources = json!([
        {"id": "web", "template": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}},
        {"id": "own", "template": {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "own"}}},
    ]);
    let service = object(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop",
        "uid": "web", "labels": {"kro.run/node-id": "web"}}, "spec": {"type": "ClusterIP"}}),
    );
    let children = vec![
        service,
        slice("own", "own", "kro.run/applyset"),
        slice("web-x7", "web", "kube-controller-manager"),
        slice("own-mirror", "own", "kube-controller-manager"),
    ];
    let graph = Graph::build(&collected(resources, json!([]), active(), children), &Work::default());
    assert_eq!(states(&graph), [("web", State::Ready), ("own", State::Ready)]);
}

#[test]
fn absent_nodes_say_what_they_wait_for() {
    let mut waits = template("url", "url");
    waits["template"]["data"] = json!({"u": "${source.data.url}"});
    let resources = json!([
        template("source", "source"),
        waits,
        {"id": "off", "includeWhen": ["${schema.spec.on}"], "template": {"apiVersion": "v1", "kind": "ConfigMap"}},
        template("after", "after"),
        {"id": "hidden", "template": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}},
        {"id": "gone", "template": {"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {"name": "w"}}},
    ]);
    let dependencies = json!([
        {"id": "url", "dependencies": [{"id": "source"}]},
        {"id": "after", "dependencies": [{"id": "off"}]},
    ]);
    let children = vec![config_map("source", json!({"kro.run/node-id": "source"}))];
    let mut all = collected(resources, dependencies, in_progress(""), children);
    all.unread.insert(GroupKind::new("", "Secret"), Unread::Failed("forbidden by the cluster: no".into()));
    all.unread.insert(GroupKind::new("x.io", "Widget"), Unread::NotServed);
    let graph = Graph::build(&all, &Work::default());
    assert_eq!(
        states(&graph),
        [
            ("source", State::Ready),
            ("url", State::Pending),
            ("off", State::Skipped),
            ("after", State::Skipped),
            ("hidden", State::Unknown),
            ("gone", State::Missing),
        ]
    );
    assert_eq!(reason(&graph, "url"), "waits for source.data.url");
    assert_eq!(reason(&graph, "after"), "it depends on off, which is left out");
    assert_eq!(
        graph.gaps,
        ["Secret: forbidden by the cluster: no", "Widget.x.io: the cluster does not serve this kind"]
    );
    assert_eq!(graph.edges().collect::<Vec<_>>(), [("source", "url"), ("off", "after")]);
}

#[test]
fn a_collection_counts_its_members_and_names_those_that_lack() {
    let resources = json!([{"id": "workers", "forEach": [{"zone": "${schema.spec.zones}"}],
        "readyWhen": ["${each.metadata.name != 'w-b'}"],
        "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w-${zone}"}}}]);
    let member = |name| config_map(name, json!({"kro.run/node-id": "workers"}));
    let children = vec![member("w-a"), member("w-b"), member("w-old")];
    let graph = Graph::build(&collected(resources, json!([]), in_progress(""), children), &Work::default());
    assert_eq!(
        states(&graph),
        [
            ("workers", State::Progressing),
            ("workers[w-b]", State::Progressing),
            ("workers[w-c]", State::Pending),
            ("workers[w-a]", State::Ready),
            ("orphan:ConfigMap/w-old", State::Orphaned),
        ]
    );
    assert_eq!(graph.counts().values().sum::<usize>(), 4);
}

#[test]
fn an_error_of_the_api_server_is_laid_at_the_node_it_is_about() {
    let message = "resource reconciliation failed: apply results contain errors: configmaps \"first\" is forbidden: \
                   exceeded quota: objects";
    let resources = json!([template("first", "first"), template("second", "second")]);
    let mut all = collected(resources, json!([]), in_progress(message), Vec::new());
    all.plurals.insert(GroupKind::new("", "ConfigMap"), "configmaps".into());
    let graph = Graph::build(&all, &Work::default());
    assert_eq!(states(&graph), [("first", State::Failing), ("second", State::Pending)]);
    assert!(reason(&graph, "second").starts_with("kro stopped before it"), "{}", reason(&graph, "second"));
}

#[test]
fn an_object_whose_name_is_not_valid_is_its_nodes_trouble() {
    let message = "resource reconciliation failed: apply results contain errors: ConfigMap \"One_X-config\" is \
                   invalid: metadata.name: Invalid value: \"One_X-config\": a lowercase RFC 1123 subdomain";
    let resources = json!([template("config", "One_X-config"), template("second", "second")]);
    let graph =
        Graph::build(&collected(resources, json!([]), in_progress(message), Vec::new()), &Work::default());
    assert_eq!(states(&graph), [("config", State::Failing), ("second", State::Pending)]);
    // its name is made of what cannot be evaluated here, and no other node is of that kind
    let resources = json!([template("config", "${schema.spec.name.nothing()}")]);
    let graph =
        Graph::build(&collected(resources, json!([]), in_progress(message), Vec::new()), &Work::default());
    assert_eq!(states(&graph), [("config", State::Failing)]);
}

#[test]
fn a_reason_is_said_once_in_the_first_line() {
    let message = "resource reconciliation failed: apply results contain errors: resource belongs to a different \
                   ApplySet: shop/first (/v1, Kind=ConfigMap) belongs to ApplySet \"applyset-x-v1\", cannot reassign to \
                   \"applyset-y-v1\"";
    let status = json!({"state": "ERROR", "conditions": [{"type": "ResourcesReady", "status": "False", "message": message}]});
    let resources =
        json!([template("first", "first"), template("second", "second"), template("third", "third")]);
    let graph = Graph::build(&collected(resources, json!([]), status, Vec::new()), &Work::default());
    let line = graph.summary("lab");
    for words in ["ConfigMap shop/first belongs to a different ApplySet", "kro stopped before it"] {
        assert_eq!(line.matches(words).count(), 1, "{line}");
    }
    assert!(!line.contains("applyset-") && !graph.tree().contains("applyset-"), "{line}");
}

#[test]
fn what_may_not_be_seen_is_neither_missing_nor_named() {
    let mut all = collected(json!([template("conf", "conf")]), json!([]), active(), Vec::new());
    all.withheld.push(object(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"labels": {"kro.run/node-id": "conf"}}})));
    let graph = Graph::build(&all, &Work::default());
    assert_eq!(states(&graph), [("conf", State::Withheld)]);
    assert_eq!((graph.healthy(), graph.nodes[1].name.as_deref()), (None, None));
}

#[test]
fn a_namespace_that_may_not_be_listed_is_not_named_either() {
    let mut far = template("conf", "conf");
    far["template"]["metadata"]["namespace"] = json!("elsewhere");
    let mut all = collected(json!([far]), json!([]), active(), Vec::new());
    all.unread.insert(GroupKind::new("", "ConfigMap"), Unread::Withheld);
    let graph = Graph::build(&all, &Work::default());
    assert_eq!(states(&graph), [("conf", State::Withheld)]);
    let told = format!("{}{:?}", graph.tree(), graph.gaps);
    assert!(!told.contains("elsewhere") && graph.nodes[1].namespace.is_none(), "{told}");
}

#[test]
fn a_nested_instance_makes_its_parent_unhealthy() {
    let inner_instance = json!({"apiVersion": "kro.run/v1alpha1", "kind": "App", "metadata": {
        "name": "app", "namespace": "shop", "uid": "uid-app",
        "labels": {"kro.run/node-id": "app", "applyset.kubernetes.io/id": "x", "kro.run/resource-graph-definition-name": "app"}},
        "status": active()});
    let mut inner = collected(json!([template("conf", "conf")]), json!([]), active(), Vec::new());
    inner.instance = object(inner_instance.clone());
    let resources = json!([{"id": "app", "template": {"apiVersion": "kro.run/v1alpha1", "kind": "App", "metadata": {"name": "app"}}}]);
    let mut outer = collected(resources, json!([]), active(), vec![object(inner_instance)]);
    outer.nested.insert("uid-app".into(), inner);
    let graph = Graph::build(&outer, &Work::default());
    assert_eq!(states(&graph), [("app", State::Failing), ("app/conf", State::Missing)]);
    assert_eq!(
        graph.root().and_then(|root| root.reason.as_deref()),
        Some("kro says ACTIVE, but app/conf is missing")
    );
    assert_eq!(
        graph.tree(),
        "✗ Shop/one failing — kro says ACTIVE, but app/conf is missing\n\
         └─ ✗ app: App/app failing — kro says ACTIVE, but conf is missing\n   \
            └─ ✗ conf: ConfigMap/conf missing — kro says ACTIVE, but it does not exist"
    );
}

#[test]
fn a_secret_is_never_among_the_values_that_readiness_saw() {
    let secret =
        object(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop",
        "uid": "s", "labels": {"kro.run/node-id": "s"}}, "data": {"p": "aHVudGVyMg=="}}));
    let resources = json!([{"id": "s", "readyWhen": ["${s.data.p == 'x' && s.metadata.name == 'other'}"],
        "template": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}}]);
    let graph =
        Graph::build(&collected(resources, json!([]), in_progress(""), vec![secret]), &Work::default());
    let text = format!("{}{}", graph.summary("c"), graph.tree());
    assert!(!text.contains("aHVudGVyMg") && text.contains("the content of a Secret"), "{text}");
}

#[test]
fn names_cannot_break_out_of_a_picture() {
    let name = "x\"]; click n0 \"javascript:alert(1)\" --> n0[\"`<b>#";
    let children = vec![config_map(name, json!({"kro.run/node-id": "conf"}))];
    let mut all = collected(json!([template("conf", "${schema.spec.other}")]), json!([]), active(), children);
    all.rgd = Rgd::Read(Box::new(all.rgd.definition().expect("read").clone()));
    let graph = Graph::build(&all, &Work::default());
    let mermaid = graph.mermaid();
    let line = mermaid.lines().find(|line| line.contains("javascript")).expect("the node");
    assert_eq!(line.matches('"').count(), 2, "{line}");
    let dot = graph.dot();
    let line = dot.lines().find(|line| line.contains("javascript")).expect("the node");
    assert_eq!(line.replace("\\\"", "").matches('"').count(), 4, "{line}");
}

/// As kro ≥ 0.5 marks it: all children in its own namespace.
fn of_present_kro(mut all: Collected) -> Collected {
    let mut instance = all.instance.into_value();
    instance["metadata"]["annotations"] = json!({"applyset.kubernetes.io/contains-group-kinds": "ConfigMap"});
    all.instance = object(instance);
    all
}

fn moved(child: Object, namespace: &str) -> Object {
    let mut child = child.into_value();
    child["metadata"]["namespace"] = namespace.into();
    object(child)
}

#[test]
fn a_forged_child_in_another_namespace_does_not_hide_that_the_real_one_is_missing() {
    let resources = json!([template("conf", "one"), {"id": "far", "template": {"apiVersion": "v1",
        "kind": "ConfigMap", "metadata": {"name": "far", "namespace": "far"}}}]);
    let labelled = |name: &str, node: &str| config_map(name, json!({"kro.run/node-id": node}));
    let children = vec![
        moved(labelled("one", "conf"), "evil"),
        moved(labelled("far", "far"), "far"),
        moved(config_map("stray", json!({})), "evil"),
    ];
    let mut all = of_present_kro(collected(resources, json!([]), active(), children));
    all.withheld = vec![labelled("one", "conf")];
    all.namespaced = [GroupKind::new("", "ConfigMap")].into();
    let graph = Graph::build(&all, &Work::default());
    assert_eq!(states(&graph), [("conf", State::Missing), ("far", State::Ready)]);
    assert_eq!(graph.notes, ["2 objects elsewhere carry this instance's labels and are not counted"]);
    all.rgd = Rgd::Gone("shop".into());
    assert_eq!(states(&Graph::build(&all, &Work::default())), []);
}

#[test]
fn values_do_not_leave_through_reasons_and_names() {
    let resources = json!([
        {"id": "conf", "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}},
         "readyWhen": ["${conf.data.key == 'x'}"]},
        {"id": "odd", "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}},
         "readyWhen": ["${odd.data.key}"]},
        {"id": "named", "template": {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "${conf.data.key}"}}},
    ]);
    let child = |name: &str| {
        let mut child = config_map(name, json!({"kro.run/node-id": name})).into_value();
        child["data"] = json!({"key": "hunter2"});
        object(child)
    };
    let all = collected(resources, json!([]), in_progress(""), vec![child("conf"), child("odd")]);
    let graph = Graph::build(&all, &Work::default());
    assert!(reason(&graph, "conf").contains("data.key: a string of 7 characters"), "{graph:?}");
    assert!(reason(&graph, "odd").ends_with("is a string of 7 characters, not a boolean"), "{graph:?}");
    assert!(!format!("{graph:?}").contains("hunter2"), "{graph:?}");
}

#[test]
fn what_there_is_no_time_for_is_unknown_and_said() {
    let resources = json!([template("a", "${schema.spec.name + 'a'}"), template("b", "b")]);
    let all = collected(resources, json!([]), in_progress(""), vec![config_map("b", json!({}))]);
    let work = Work::default();
    work.stop();
    let graph = Graph::build(&all, &work);
    assert_eq!(states(&graph), [("a", State::Unknown), ("b", State::Unknown)]);
    assert!(graph.gaps.iter().any(|gap| gap.contains("took too long")), "{:?}", graph.gaps);
}

#[test]
fn every_object_that_was_read_is_visited() {
    let mut all = collected(json!([]), json!([]), active(), vec![config_map("child", json!({}))]);
    let mut inner = collected(json!([]), json!([]), active(), vec![config_map("grandchild", json!({}))]);
    inner.externals.insert("x".into(), Observed::One(config_map("external", json!({}))));
    all.nested.insert("uid".into(), inner);
    let mut seen = Vec::new();
    all.each_object_mut(&mut |object| seen.push(object.name().to_owned()));
    assert_eq!(seen, ["one", "shop", "child", "one", "shop", "grandchild", "external"]);
}
