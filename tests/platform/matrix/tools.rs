//! A row for each tool: what it needs, and calls in different places with what each of them needs.
//!
//! Adding a tool: add its row here, with a call for each class of what it shows, in the namespace `shop` of
//! the cluster `lab`, outside of it, in the cluster `other`, and in one that does not exist. Those of Palette are in
//! `palette.rs`.

use serde_json::{Value, json};

/// Permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    All(&'static [&'static str]),
    Any(&'static [&'static str]),
}

/// What part of a cluster a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// This namespace.
    Namespace(&'static str),
    /// What is in no namespace.
    Cluster,
    /// All that the caller may see.
    Open,
    /// In Palette: the environment that is named, and the project of what is asked for; without one, all that the
    /// caller may see.
    Palette { environment: Option<&'static str>, project: Option<&'static str> },
}

/// One call.
pub(super) struct Call {
    pub(super) arguments: fn() -> Value,
    /// The cluster that is named.
    pub(super) cluster: Option<&'static str>,
    pub(super) at: At,
    /// What this very call needs.
    pub(super) needs: Needs,
    /// Whether there is something to answer with.
    pub(super) exists: bool,
}

/// One tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Without which it does not exist.
    pub(super) needs: Needs,
    pub(super) calls: &'static [Call],
}

impl Tool {
    /// The calls that tell something of such a set through a second door: where it holds everywhere, the first with
    /// each need, since it makes no difference where.
    pub(super) fn telling(&self, everywhere: bool) -> impl Iterator<Item = &'static Call> {
        let calls = self.calls;
        let again = move |index: usize, call: &Call| calls[..index].iter().any(|one| one.needs == call.needs);
        calls
            .iter()
            .enumerate()
            .filter(move |(index, call)| !(everywhere && again(*index, call)))
            .map(|(_, call)| call)
    }
}

const fn call(cluster: Option<&'static str>, at: At, needs: Needs, arguments: fn() -> Value) -> Call {
    Call { arguments, cluster, at, needs, exists: true }
}

const fn missing(cluster: Option<&'static str>, at: At, needs: Needs, arguments: fn() -> Value) -> Call {
    Call { exists: false, ..call(cluster, at, needs, arguments) }
}

const LAB: Option<&str> = Some("lab");
const OTHER: Option<&str> = Some("other");
const NOWHERE: Option<&str> = Some("nowhere");
const SHOP: At = At::Namespace("shop");
const PAYMENTS: At = At::Namespace("payments");

const RGDS: Needs = Needs::All(&["kro.rgds.list"]);
const EITHER: Needs = Needs::Any(&["kro.resource-graph.show", "kro.rgds.list"]);
const GRAPH: Needs = Needs::All(&["kro.resource-graph.show"]);
const INSTANCES: Needs = Needs::All(&["kro.instances.list"]);
const OVERVIEW: Needs = Needs::All(&["kro.overview.view"]);
const RESOURCES: Needs = Needs::All(&["kro.resources.list"]);
const RGD_YAML: Needs = Needs::All(&["kro.rgds.view-yaml"]);
const INSTANCE_YAML: Needs = Needs::All(&["kro.instances.view-yaml"]);
const CHILD_YAML: Needs = Needs::All(&["kro.resources.view-yaml"]);
const APPLY: Needs = Needs::All(&["kro.instances.apply"]);
const APPLY_RGD: Needs = Needs::All(&["kro.rgds.apply"]);
const DELETE: Needs = Needs::All(&["kro.instances.delete"]);
const RECONCILE: Needs = Needs::All(&["kro.instances.reconcile"]);
const RGD_EVENTS: Needs = Needs::All(&["kro.rgds.show-events"]);
const INSTANCE_EVENTS: Needs = Needs::All(&["kro.instances.show-events"]);
const CHILD_EVENTS: Needs = Needs::All(&["kro.resources.show-events"]);
const SUBTREE_EVENTS: Needs = Needs::Any(&["kro.instances.show-events", "kro.resources.show-events"]);
const MESH: Needs = Needs::All(&["knative.event-mesh.view"]);
const CLUSTERS: Needs = Needs::All(&["kubernetes.clusters.read"]);
const ACCESS: Needs =
    Needs::Any(&["kubernetes.clusters.read", "kubernetes.resources.read", "kubernetes.proxy"]);
const TYPED_READS: Needs = Needs::All(&["kubernetes.resources.read"]);
const PROXY: Needs = Needs::All(&["kubernetes.proxy"]);
const PROXY_WRITE: Needs = Needs::All(&["kubernetes.proxy", "kubernetes.proxy.write"]);

/// A manifest of an instance of the sample platform.
fn instance(kind: &str, namespace: Option<&str>) -> String {
    let group = "platform.example.com";
    json!({"apiVersion": format!("{group}/v1alpha1"), "kind": kind, "metadata": {"name": "new", "namespace": namespace}}).to_string()
}

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "kro_apply_instance",
        needs: APPLY,
        // the sample platform is a recording, and refuses the dry run
        calls: &[
            missing(
                LAB,
                SHOP,
                APPLY,
                || json!({"cluster": "lab", "manifest": instance("Shop", Some("shop"))}),
            ),
            missing(
                LAB,
                PAYMENTS,
                APPLY,
                || json!({"cluster": "lab", "manifest": instance("WebService", Some("payments"))}),
            ),
            missing(
                LAB,
                At::Cluster,
                APPLY,
                || json!({"cluster": "lab", "manifest": instance("Team", None)}),
            ),
            missing(
                OTHER,
                SHOP,
                APPLY,
                || json!({"cluster": "static/other", "manifest": instance("Shop", Some("shop"))}),
            ),
            missing(
                NOWHERE,
                At::Open,
                APPLY,
                || json!({"cluster": "nowhere", "manifest": instance("Shop", Some("shop"))}),
            ),
        ],
    },
    Tool {
        name: "kro_apply_rgd",
        needs: APPLY_RGD,
        calls: &[
            missing(
                LAB,
                At::Cluster,
                APPLY_RGD,
                || json!({"cluster": "lab", "name": "webservice", "rollback_to": 999}),
            ),
            missing(
                OTHER,
                At::Cluster,
                APPLY_RGD,
                || json!({"cluster": "other", "name": "webservice", "rollback_to": 999}),
            ),
            missing(
                NOWHERE,
                At::Open,
                APPLY_RGD,
                || json!({"cluster": "nowhere", "name": "webservice", "rollback_to": 1}),
            ),
        ],
    },
    Tool {
        name: "kro_delete_instance",
        needs: DELETE,
        calls: &[
            missing(
                LAB,
                SHOP,
                DELETE,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                DELETE,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "checkout"}),
            ),
            missing(LAB, At::Cluster, DELETE, || json!({"cluster": "lab", "kind": "Team", "name": "shop"})),
            missing(
                NOWHERE,
                SHOP,
                DELETE,
                || json!({"cluster": "nowhere", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
        ],
    },
    Tool {
        name: "kro_diagnose",
        needs: EITHER,
        calls: &[
            call(
                LAB,
                SHOP,
                GRAPH,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "storefront"}),
            ),
            call(
                LAB,
                PAYMENTS,
                GRAPH,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "invoices"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                GRAPH,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "no-such"}),
            ),
            call(LAB, At::Cluster, GRAPH, || json!({"cluster": "lab", "kind": "Team", "name": "shop"})),
            call(
                LAB,
                At::Cluster,
                RGDS,
                || json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "stream"}),
            ),
            missing(
                LAB,
                At::Cluster,
                RGDS,
                || json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "no-such"}),
            ),
            call(
                OTHER,
                SHOP,
                GRAPH,
                || json!({"cluster": "other", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
            missing(
                NOWHERE,
                SHOP,
                EITHER,
                || json!({"cluster": "nowhere", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
        ],
    },
    Tool {
        name: "kro_events",
        needs: Needs::Any(&[
            "kro.rgds.show-events",
            "kro.instances.show-events",
            "kro.resources.show-events",
        ]),
        calls: &[
            call(
                LAB,
                At::Cluster,
                RGD_EVENTS,
                || json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "webservice"}),
            ),
            missing(
                LAB,
                At::Cluster,
                RGD_EVENTS,
                || json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "no-such"}),
            ),
            call(
                LAB,
                SHOP,
                INSTANCE_EVENTS,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                INSTANCE_EVENTS,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "no-such"}),
            ),
            call(
                LAB,
                SHOP,
                SUBTREE_EVENTS,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet", "subtree": true}),
            ),
            call(
                LAB,
                At::Cluster,
                SUBTREE_EVENTS,
                || json!({"cluster": "lab", "kind": "Team", "name": "shop", "subtree": true}),
            ),
            call(
                LAB,
                SHOP,
                CHILD_EVENTS,
                || json!({"cluster": "lab", "kind": "Service", "namespace": "shop", "name": "outlet-web"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                CHILD_EVENTS,
                || json!({"cluster": "lab", "kind": "Pod", "namespace": "payments", "name": "no-such"}),
            ),
            call(
                OTHER,
                SHOP,
                CHILD_EVENTS,
                || json!({"cluster": "other", "kind": "Service", "namespace": "shop", "name": "outlet-web"}),
            ),
        ],
    },
    Tool {
        name: "kro_graph",
        needs: GRAPH,
        calls: &[
            call(
                LAB,
                SHOP,
                GRAPH,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
            call(
                LAB,
                PAYMENTS,
                GRAPH,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "checkout"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                GRAPH,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "no-such"}),
            ),
            call(LAB, At::Cluster, GRAPH, || json!({"cluster": "lab", "kind": "Team", "name": "shop"})),
            call(
                OTHER,
                SHOP,
                GRAPH,
                || json!({"cluster": "static/other", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
            missing(
                NOWHERE,
                SHOP,
                GRAPH,
                || json!({"cluster": "nowhere", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
        ],
    },
    Tool {
        name: "kro_instances",
        needs: INSTANCES,
        calls: &[
            call(LAB, SHOP, INSTANCES, || json!({"cluster": "lab", "namespace": "shop"})),
            call(LAB, PAYMENTS, INSTANCES, || json!({"cluster": "lab", "namespace": "payments"})),
            missing(
                LAB,
                At::Namespace("no-such"),
                INSTANCES,
                || json!({"cluster": "lab", "namespace": "no-such"}),
            ),
            call(LAB, At::Open, INSTANCES, || json!({"cluster": "lab"})),
            call(OTHER, At::Open, INSTANCES, || json!({"cluster": "other", "kind": "Shop"})),
            call(None, At::Open, INSTANCES, || json!({"cluster": "*", "namespace": null})),
            missing(NOWHERE, At::Open, INSTANCES, || json!({"cluster": "nowhere"})),
        ],
    },
    Tool {
        name: "kro_overview",
        needs: OVERVIEW,
        calls: &[
            call(LAB, At::Open, OVERVIEW, || json!({"cluster": "lab"})),
            call(OTHER, At::Open, OVERVIEW, || json!({"cluster": "static/other"})),
            call(None, At::Open, OVERVIEW, || json!({"cluster": "*"})),
            missing(NOWHERE, At::Open, OVERVIEW, || json!({"cluster": "nowhere"})),
        ],
    },
    Tool {
        name: "kro_reconcile",
        needs: RECONCILE,
        calls: &[
            missing(
                LAB,
                SHOP,
                RECONCILE,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet", "action": "now"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                RECONCILE,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "checkout", "action": "suspend"}),
            ),
            missing(
                LAB,
                At::Cluster,
                RECONCILE,
                || json!({"cluster": "lab", "kind": "Team", "name": "shop", "action": "suspend"}),
            ),
            missing(
                NOWHERE,
                SHOP,
                RECONCILE,
                || json!({"cluster": "nowhere", "kind": "Shop", "namespace": "shop", "name": "outlet", "action": "resume"}),
            ),
        ],
    },
    Tool {
        name: "kro_resources",
        needs: RESOURCES,
        calls: &[
            call(
                LAB,
                SHOP,
                RESOURCES,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
            call(
                LAB,
                PAYMENTS,
                RESOURCES,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "checkout"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                RESOURCES,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "no-such"}),
            ),
            call(LAB, At::Cluster, RESOURCES, || json!({"cluster": "lab", "kind": "Team", "name": "shop"})),
            call(
                OTHER,
                SHOP,
                RESOURCES,
                || json!({"cluster": "static/other", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
        ],
    },
    Tool {
        name: "kro_revision_diff",
        needs: RGD_YAML,
        calls: &[
            call(LAB, At::Cluster, RGD_YAML, || json!({"cluster": "lab", "name": "cache"})),
            call(OTHER, At::Cluster, RGD_YAML, || json!({"cluster": "other", "name": "Cache", "from": 1})),
            missing(LAB, At::Cluster, RGD_YAML, || json!({"cluster": "lab", "name": "no-such"})),
            missing(NOWHERE, At::Cluster, RGD_YAML, || json!({"cluster": "nowhere", "name": "cache"})),
        ],
    },
    Tool {
        name: "kro_rgd",
        needs: RGDS,
        calls: &[
            call(LAB, At::Cluster, RGDS, || json!({"cluster": "lab", "name": "webservice"})),
            call(OTHER, At::Cluster, RGDS, || json!({"cluster": "other", "name": "Shop"})),
            missing(LAB, At::Cluster, RGDS, || json!({"cluster": "lab", "name": "no-such"})),
            missing(NOWHERE, At::Cluster, RGDS, || json!({"cluster": "nowhere", "name": "webservice"})),
        ],
    },
    Tool {
        name: "kro_rgds",
        needs: RGDS,
        calls: &[
            call(LAB, At::Cluster, RGDS, || json!({"cluster": "lab"})),
            call(OTHER, At::Cluster, RGDS, || json!({"cluster": "other", "search": "shop"})),
            missing(NOWHERE, At::Cluster, RGDS, || json!({"cluster": "nowhere"})),
        ],
    },
    Tool {
        name: "kro_watch",
        needs: GRAPH,
        calls: &[
            call(
                LAB,
                SHOP,
                GRAPH,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet", "until": "ready"}),
            ),
            call(
                LAB,
                PAYMENTS,
                GRAPH,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "checkout", "subtree": true, "until": "ready"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                GRAPH,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "no-such"}),
            ),
            call(
                LAB,
                At::Cluster,
                GRAPH,
                || json!({"cluster": "lab", "kind": "Team", "name": "shop", "seconds": 1, "until": "ready"}),
            ),
            call(
                OTHER,
                SHOP,
                GRAPH,
                || json!({"cluster": "static/other", "kind": "Shop", "namespace": "shop", "name": "outlet", "until": "ready"}),
            ),
            missing(
                NOWHERE,
                SHOP,
                GRAPH,
                || json!({"cluster": "nowhere", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
        ],
    },
    Tool {
        name: "kro_yaml",
        needs: Needs::Any(&["kro.rgds.view-yaml", "kro.instances.view-yaml", "kro.resources.view-yaml"]),
        calls: &[
            call(
                LAB,
                At::Cluster,
                RGD_YAML,
                || json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "webservice"}),
            ),
            missing(
                LAB,
                At::Cluster,
                RGD_YAML,
                || json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "no-such"}),
            ),
            call(
                OTHER,
                At::Cluster,
                RGD_YAML,
                || json!({"cluster": "other", "kind": "ResourceGraphDefinition", "name": "webservice"}),
            ),
            call(
                LAB,
                SHOP,
                INSTANCE_YAML,
                || json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            ),
            call(
                LAB,
                PAYMENTS,
                INSTANCE_YAML,
                || json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "checkout"}),
            ),
            call(
                LAB,
                At::Cluster,
                INSTANCE_YAML,
                || json!({"cluster": "lab", "kind": "Team", "name": "shop"}),
            ),
            call(
                LAB,
                SHOP,
                CHILD_YAML,
                || json!({"cluster": "lab", "kind": "Service", "namespace": "shop", "name": "outlet-web"}),
            ),
            call(
                LAB,
                PAYMENTS,
                CHILD_YAML,
                || json!({"cluster": "lab", "kind": "Service", "namespace": "payments", "name": "checkout"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                CHILD_YAML,
                || json!({"cluster": "lab", "kind": "Secret", "namespace": "payments", "name": "no-such"}),
            ),
            call(
                OTHER,
                SHOP,
                CHILD_YAML,
                || json!({"cluster": "other", "kind": "Service", "namespace": "shop", "name": "outlet-web"}),
            ),
        ],
    },
    Tool {
        name: "knative_event_mesh",
        needs: MESH,
        // the sample platform has no Knative, which is an answer
        calls: &[
            call(LAB, At::Open, MESH, || json!({"cluster": "lab"})),
            call(LAB, SHOP, MESH, || json!({"cluster": "lab", "namespace": "shop"})),
            call(
                LAB,
                PAYMENTS,
                MESH,
                || json!({"cluster": "lab", "namespace": "payments", "format": "mermaid"}),
            ),
            call(OTHER, SHOP, MESH, || json!({"cluster": "static/other", "namespace": "shop"})),
            missing(OTHER, At::Open, MESH, || json!({"cluster": "other", "direction": "path"})),
            missing(NOWHERE, At::Open, MESH, || json!({"cluster": "nowhere"})),
        ],
    },
    Tool {
        name: "kubernetes_access",
        needs: ACCESS,
        calls: &[
            // what is lacking in a namespace is answered
            call(LAB, At::Open, ACCESS, || json!({"cluster": "lab", "namespace": "shop"})),
            call(
                LAB,
                At::Open,
                ACCESS,
                || json!({"cluster": "lab", "namespace": "payments", "verb": "list", "resource": "pods"}),
            ),
            call(LAB, At::Open, ACCESS, || json!({"cluster": "lab"})),
            call(OTHER, At::Open, ACCESS, || json!({"cluster": "other", "namespace": "shop"})),
            missing(NOWHERE, At::Open, ACCESS, || json!({"cluster": "nowhere", "namespace": "shop"})),
        ],
    },
    Tool {
        name: "kubernetes_clusters",
        needs: CLUSTERS,
        calls: &[
            call(LAB, At::Open, CLUSTERS, || json!({"cluster": "lab"})),
            call(OTHER, At::Open, CLUSTERS, || json!({"cluster": "other"})),
            missing(NOWHERE, At::Open, CLUSTERS, || json!({"cluster": "nowhere"})),
            call(None, At::Open, CLUSTERS, || json!({})),
        ],
    },
    Tool {
        name: "kubernetes_events",
        needs: TYPED_READS,
        calls: &[
            call(LAB, SHOP, TYPED_READS, || json!({"cluster": "lab", "namespace": "shop"})),
            call(
                LAB,
                SHOP,
                TYPED_READS,
                || json!({"cluster": "lab", "namespace": "shop", "kind": "Pod", "name": "no-such"}),
            ),
            call(LAB, PAYMENTS, TYPED_READS, || json!({"cluster": "lab", "namespace": "payments"})),
            call(LAB, At::Open, TYPED_READS, || json!({"cluster": "lab", "uid": "no-such"})),
            call(LAB, At::Cluster, TYPED_READS, || json!({"cluster": "lab", "kind": "Node"})),
            call(OTHER, SHOP, TYPED_READS, || json!({"cluster": "other", "namespace": "shop"})),
            missing(NOWHERE, SHOP, TYPED_READS, || json!({"cluster": "nowhere", "namespace": "shop"})),
        ],
    },
    Tool {
        name: "kubernetes_proxy",
        needs: PROXY,
        calls: &[
            call(
                LAB,
                SHOP,
                PROXY,
                || json!({"cluster": "lab", "path": "/api/v1/namespaces/shop/services/outlet-web"}),
            ),
            call(
                LAB,
                PAYMENTS,
                PROXY,
                || json!({"cluster": "lab", "path": "/api/v1/namespaces/payments/services", "fields": ["metadata.name"]}),
            ),
            call(
                LAB,
                At::Cluster,
                PROXY,
                || json!({"cluster": "lab", "path": "/apis/platform.example.com/v1alpha1/teams/shop"}),
            ),
            call(LAB, At::Open, PROXY, || json!({"cluster": "lab", "path": "/version"})),
            call(
                OTHER,
                SHOP,
                PROXY,
                || json!({"cluster": "other", "path": "/api/v1/namespaces/shop/services/outlet-web"}),
            ),
            missing(NOWHERE, At::Open, PROXY, || json!({"cluster": "nowhere", "path": "/version"})),
        ],
    },
    Tool {
        name: "kubernetes_proxy_write",
        needs: PROXY_WRITE,
        // the sample platform is a recording, and takes no change
        calls: &[
            missing(
                LAB,
                SHOP,
                PROXY_WRITE,
                || json!({"cluster": "lab", "method": "POST", "path": "/api/v1/namespaces/shop/configmaps", "body": "{metadata: {name: a}}"}),
            ),
            missing(
                LAB,
                PAYMENTS,
                PROXY_WRITE,
                || json!({"cluster": "lab", "method": "POST", "path": "/api/v1/namespaces/payments/pods/no-such/eviction", "body": "{}"}),
            ),
            missing(
                LAB,
                At::Cluster,
                PROXY_WRITE,
                || json!({"cluster": "lab", "method": "DELETE", "path": "/api/v1/namespaces/no-such"}),
            ),
            missing(
                OTHER,
                SHOP,
                PROXY_WRITE,
                || json!({"cluster": "static/other", "method": "DELETE", "path": "/api/v1/namespaces/shop/pods/no-such"}),
            ),
            missing(
                NOWHERE,
                At::Cluster,
                PROXY_WRITE,
                || json!({"cluster": "nowhere", "method": "POST", "path": "/api/v1/namespaces", "body": "{metadata: {name: a}}"}),
            ),
        ],
    },
    Tool {
        name: "whoami",
        needs: Needs::Nothing,
        calls: &[call(None, At::Open, Needs::Nothing, || json!({}))],
    },
];
