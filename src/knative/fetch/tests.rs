use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{Query, Request},
    response::IntoResponse as _,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::{
    knative::resource::{Ready, Reference, Target},
    kubernetes::access_to,
};

const EVENTING: &str = "/apis/eventing.knative.dev/v1";
const MESSAGING: &str = "/apis/messaging.knative.dev/v1";
const SOURCES: &str = "/apis/sources.knative.dev/v1";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// An API server that answers what it is told, and what it was asked.
#[derive(Clone, Default)]
struct Scripted {
    answers: BTreeMap<String, (u16, Value)>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Knative with two kinds of channels, two of sources and none of flows.
    fn new() -> Self {
        let mut script = Self::default();
        script.serves(&[
            ("", "v1", "services", "Service"),
            ("", "v1", "secrets", "Secret"),
            ("apps", "v1", "deployments", "Deployment"),
            ("eventing.knative.dev", "v1", "brokers", "Broker"),
            ("eventing.knative.dev", "v1", "triggers", "Trigger"),
            ("eventing.knative.dev", "v1beta3", "eventtypes", "EventType"),
            ("messaging.knative.dev", "v1", "subscriptions", "Subscription"),
            ("messaging.knative.dev", "v1", "channels", "Channel"),
            ("sources.knative.dev", "v1", "pingsources", "PingSource"),
            ("vendor.test", "v2", "pushsources", "PushSource"),
            ("serving.knative.dev", "v1", "services", "Service"),
        ]);
        for path in ["brokers", "triggers"] {
            script.lists(&format!("{EVENTING}/{path}"), json!([]));
        }
        script.lists("/apis/eventing.knative.dev/v1beta3/eventtypes", json!([]));
        for path in ["subscriptions", "channels"] {
            script.lists(&format!("{MESSAGING}/{path}"), json!([]));
        }
        script.lists(&format!("{SOURCES}/pingsources"), json!([]));
        script.lists("/apis/vendor.test/v2/pushsources", json!([]));
        let crd =
            |name: &str, annotations: Value| json!({"metadata": {"name": name, "annotations": annotations}});
        script.lists(
            &format!("{CRDS} messaging.knative.dev/subscribable=true"),
            json!([crd("channels.messaging.knative.dev", json!({}))]),
        );
        let announces = |text: &str| json!({"registry.knative.dev/eventTypes": text});
        script.lists(
            &format!("{CRDS} duck.knative.dev/source=true"),
            json!([
                crd(
                    "pingsources.sources.knative.dev",
                    announces(r#"[{"type": "dev.knative.sources.ping"}]"#)
                ),
                crd("pushsources.vendor.test", announces("no JSON")),
                crd("gonesources.vendor.test", json!({})),
            ]),
        );
        script
    }

    fn serves(&mut self, kinds: &[(&str, &str, &str, &str)]) {
        let group = |(group, version, plural, kind): &(&str, &str, &str, &str)| {
            json!({"metadata": {"name": group}, "versions": [{"version": version, "resources": [{"resource": plural,
                "responseKind": {"group": group, "version": version, "kind": kind}, "scope": "Namespaced",
                "singularResource": "", "verbs": ["get", "list"]}]}]})
        };
        let document = |core: bool| {
            let groups = kinds.iter().filter(|(group, ..)| group.is_empty() == core).map(group);
            json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
                "items": groups.collect::<Vec<_>>()})
        };
        self.answers.insert("/api".to_owned(), (200, document(true)));
        self.answers.insert("/apis".to_owned(), (200, document(false)));
    }

    fn lists(&mut self, path: &str, items: Value) {
        let mut list = json!({"kind": "List", "metadata": {}});
        list["items"] = items;
        self.says(path, 200, list);
    }

    fn says(&mut self, path: &str, status: u16, answer: Value) {
        self.answers.insert(path.to_owned(), (status, answer));
    }

    fn forbids(&mut self, path: &str) {
        self.says(path, 403, json!({"kind": "Status", "message": "may not list that"}));
    }

    /// What a mesh is read of, and the requests for it but those of discovery.
    async fn read(&self, asked: Asked<'_>) -> (Result<Resources, Error>, Vec<String>) {
        let script = self.clone();
        let app = Router::new().fallback(move |request: Request| {
            let Query(query) =
                Query::<BTreeMap<String, String>>::try_from_uri(request.uri()).expect("a query");
            let is_metadata =
                request.headers()["accept"].to_str().is_ok_and(|accept| accept.contains("PartialObject"));
            let path = match query.get("labelSelector") {
                Some(selector) => format!("{} {selector}", request.uri().path()),
                None => request.uri().path().to_owned(),
            };
            let mark = if is_metadata { "metadata of " } else { "" };
            script.asked.lock().push(format!("{mark}{path}"));
            let answer = script.answers.get(&path).cloned().unwrap_or((404, json!({"kind": "Status"})));
            async move { (StatusCode::from_u16(answer.0).expect("a status"), Json(answer.1)).into_response() }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let access = access_to(&url);
        Box::pin(access.kinds()).await.expect("discovery");
        let before = self.asked.lock().len();
        let read = Box::pin(read(&access, asked)).await;
        let mut asked = self.asked.lock().split_off(before);
        asked.sort();
        (read, asked)
    }
}

fn object(namespace: &str, name: &str, mut rest: Value) -> Value {
    rest["metadata"] = json!({"namespace": namespace, "name": name, "uid": name});
    rest
}

fn trigger(namespace: &str, name: &str, subscriber: &Value) -> Value {
    object(namespace, name, json!({"spec": {"broker": "default", "subscriber": {"ref": subscriber}}}))
}

fn knative_service(name: &str) -> Value {
    json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name})
}

fn reference(kind: &str, group: &str, name: &str) -> Reference {
    let (kind, group, name) = (kind.to_owned(), group.to_owned(), name.to_owned());
    Reference { group, kind, namespace: "shop".to_owned(), name }
}

#[tokio::test]
async fn each_kind_is_one_request_and_a_kind_that_takes_no_events_is_none() {
    let mut script = Scripted::new();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "name": "s"});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let unknown = json!({"apiVersion": "nowhere.test/v1", "kind": "Thing", "name": "t"});
    let mut triggers: Vec<Value> =
        (0..600).map(|n| trigger("shop", &format!("t{n}"), &knative_service("pay"))).collect();
    triggers.push(trigger("shop", "gone", &knative_service("gone")));
    triggers.extend([&secret, &deployment, &unknown].map(|subscriber| trigger("shop", "odd", subscriber)));
    script.lists(&format!("{EVENTING}/triggers"), json!(triggers));
    let service = json!({"spec": {"sink": {"ref": {"apiVersion": "v1", "kind": "Service", "name": "web"}}}});
    script.lists(&format!("{SOURCES}/pingsources"), json!([object("shop", "ping", service)]));
    script.lists("/apis/vendor.test/v2/pushsources", json!([object("shop", "push", json!({}))]));
    let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    script.lists(
        "/apis/serving.knative.dev/v1/namespaces/shop/services",
        json!([object("shop", "pay", ready), object("shop", "other", json!({}))]),
    );
    script.lists("/api/v1/namespaces/shop/services", json!([object("shop", "web", json!({}))]));
    let (resources, asked) = script.read(Asked::default()).await;
    let resources = resources.expect("a mesh");
    let lists = |path: &str| asked.iter().filter(|asked| asked.as_str() == path).count();
    assert_eq!(lists(&format!("{EVENTING}/triggers")), 1, "{asked:?}");
    let mut expected = vec![
        format!("{EVENTING}/brokers"),
        format!("{EVENTING}/triggers"),
        "/apis/eventing.knative.dev/v1beta3/eventtypes".to_owned(),
        format!("{MESSAGING}/channels"),
        format!("{MESSAGING}/subscriptions"),
        format!("{SOURCES}/pingsources"),
        "/apis/vendor.test/v2/pushsources".to_owned(),
        "/apis/serving.knative.dev/v1/namespaces/shop/services".to_owned(),
        "metadata of /api/v1/namespaces/shop/services".to_owned(),
        format!("metadata of {CRDS} duck.knative.dev/source=true"),
        format!("metadata of {CRDS} messaging.knative.dev/subscribable=true"),
    ];
    expected.sort();
    assert_eq!(asked, expected);
    assert_eq!((resources.triggers.len(), resources.sources.len()), (604, 2));
    assert_eq!(resources.sources[0].announced, ["dev.knative.sources.ping"]);
    assert!(resources.sources[1].announced.is_empty(), "kept without what could not be read");
    let target = |kind, group, name| resources.targets.get(&reference(kind, group, name));
    let found = target("Service", "serving.knative.dev", "pay");
    assert!(matches!(found, Some(Target::Found(service)) if service.ready == Ready::Yes), "{found:?}");
    assert!(matches!(target("Service", "", "web"), Some(Target::Found(_))));
    assert_eq!(target("Service", "serving.knative.dev", "gone"), Some(&Target::Missing));
    assert_eq!(target("Service", "serving.knative.dev", "other"), None, "nobody refers to it");
    assert_eq!(target("Secret", "", "s"), Some(&Target::NotAddressable));
    assert_eq!(target("Deployment", "apps", "d"), Some(&Target::NotAddressable));
    assert_eq!(target("Thing", "nowhere.test", "t"), Some(&Target::NoKind));
    assert!(resources.unread.is_empty() && resources.not_installed.is_empty());
    let remarks = resources.remarks.join("\n");
    assert!(remarks.contains("pushsources.vendor.test") && remarks.contains("is not JSON"), "{remarks}");
    assert!(remarks.contains("gonesources.vendor.test: the cluster does not serve it"), "{remarks}");
    assert!(resources.covers(&reference("Broker", "eventing.knative.dev", "default")));
}

#[tokio::test]
async fn a_subscriber_alone_is_got_where_each_is_asked_for() {
    let mut script = Scripted::new();
    let denied = knative_service("denied");
    let triggers = [knative_service("pay"), knative_service("pay"), knative_service("gone"), denied];
    let triggers: Vec<Value> = triggers.iter().map(|subscriber| trigger("shop", "t", subscriber)).collect();
    script.lists(&format!("{EVENTING}/triggers"), json!(triggers));
    let sink = json!({"spec": {"sink": {"ref": {"apiVersion": "v1", "kind": "Service", "name": "web"}}}});
    script.lists(&format!("{SOURCES}/pingsources"), json!([object("shop", "ping", sink)]));
    let services = "/apis/serving.knative.dev/v1/namespaces/shop/services";
    let labelled = json!({"kind": "PartialObjectMetadata", "metadata": {"namespace": "shop", "name": "pay",
        "labels": {"backstage.io/kubernetes-id": "pay"}}, "status": {"sent": "all the same"}});
    script.says(&format!("{services}/pay"), 200, labelled);
    script.forbids(&format!("{services}/denied"));
    let (resources, asked) = script.read(Asked { targets: Targets::Each, namespace: None }).await;
    let resources = resources.expect("a mesh");
    let got: Vec<&String> = asked.iter().filter(|asked| asked.contains("/services")).collect();
    let expected = ["denied", "gone", "pay"].map(|name| format!("metadata of {services}/{name}"));
    assert_eq!(got, expected.iter().collect::<Vec<_>>(), "each once, and no sink");
    let target = |name| resources.targets.get(&reference("Service", "serving.knative.dev", name));
    let Some(Target::Found(pay)) = target("pay") else { panic!("{:?}", resources.targets) };
    assert_eq!(pay.labels["backstage.io/kubernetes-id"], "pay");
    assert_eq!(pay.reference, reference("Service", "serving.knative.dev", "pay"));
    assert_eq!((target("gone"), target("denied")), (Some(&Target::Missing), Some(&Target::Unread)));
    assert!(resources.unread.is_empty(), "what one may not get is no consumer: {:?}", resources.unread);
    assert!(resources.remarks.iter().any(|remark| remark.contains("shop/denied")), "{:?}", resources.remarks);
}

#[tokio::test]
async fn a_kind_with_too_many_subscribers_is_listed_or_missed_aloud() {
    let mut script = Scripted::new();
    let triggers = (0..151).map(|n| trigger("shop", "t", &knative_service(&format!("s{n}"))));
    script.lists(&format!("{EVENTING}/triggers"), json!(triggers.collect::<Vec<_>>()));
    let services = "/apis/serving.knative.dev/v1/namespaces/shop/services";
    script.lists(services, json!([object("shop", "s7", json!({}))]));
    let each = Asked { targets: Targets::Each, namespace: None };
    let (resources, asked) = script.read(each).await;
    assert_eq!(asked.iter().filter(|asked| asked.contains("/services")).count(), 1, "{asked:?}");
    let resources = resources.expect("a mesh");
    assert_eq!(resources.targets.values().filter(|target| matches!(target, Target::Found(_))).count(), 1);
}

#[tokio::test]
async fn one_namespace_with_too_many_subscribers_takes_those_of_no_other() {
    let mut script = Scripted::new();
    let mut triggers: Vec<Value> =
        (0..200).map(|n| trigger("noisy", "t", &knative_service(&format!("s{n}")))).collect();
    triggers.push(trigger("shop", "t", &knative_service("pay")));
    script.lists(&format!("{EVENTING}/triggers"), json!(triggers));
    script.forbids("/apis/serving.knative.dev/v1/services");
    let pay = "/apis/serving.knative.dev/v1/namespaces/shop/services/pay";
    script.says(
        pay,
        200,
        json!({"kind": "PartialObjectMetadata", "metadata": {"namespace": "shop", "name": "pay"}}),
    );
    let (resources, asked) = script.read(Asked { targets: Targets::Each, namespace: None }).await;
    let resources = resources.expect("a mesh");
    let found = |target: &&Target| matches!(target, Target::Found(_));
    assert_eq!(resources.targets.values().filter(found).count(), 1, "whose namespace names one is looked at");
    assert_eq!(asked.iter().filter(|asked| asked.contains("/services/")).count(), 100);
    assert!(resources.unread.is_empty(), "{:?}", resources.unread);
    let said = resources.remarks.join("\n");
    assert!(said.contains("100 of 201 subscribers were looked at"), "{said}");
}

#[tokio::test]
async fn where_not_all_namespaces_may_be_read_the_one_that_was_asked_for_is() {
    let mut script = Scripted::new();
    script.forbids(&format!("{EVENTING}/triggers"));
    script.forbids(&format!("{MESSAGING}/subscriptions"));
    script.forbids(&format!("{MESSAGING}/namespaces/shop/subscriptions"));
    for label in ["messaging.knative.dev/subscribable", "duck.knative.dev/source"] {
        script.forbids(&format!("{CRDS} {label}=true"));
    }
    let there = format!("{EVENTING}/namespaces/shop/triggers");
    script.lists(&there, json!([trigger("shop", "t", &knative_service("pay"))]));
    let (resources, asked) = script.read(Asked { namespace: Some("shop"), ..Asked::default() }).await;
    let resources = resources.expect("a mesh");
    assert_eq!(resources.triggers.len(), 1);
    let why = |kind: &str| {
        let unread = resources.unread.iter().find(|unread| unread.kind == kind);
        unread.map(|unread| (unread.why.as_str(), unread.fault.is_some()))
    };
    let (partly, failed) = why("Trigger.eventing.knative.dev").expect("a gap");
    assert!(partly.contains("namespaces other than shop") && !failed, "{partly}");
    assert!(why("Subscription.messaging.knative.dev").is_some_and(|(_, failed)| failed));
    assert!(why("CustomResourceDefinition").is_some_and(|(why, _)| why.contains("not known")));
    let listed = |path: &str| asked.iter().any(|asked| asked == path);
    assert!(
        listed(&format!("{MESSAGING}/channels")) && listed(&format!("{SOURCES}/pingsources")),
        "{asked:?}"
    );
    let trigger = |namespace: &str| Reference {
        namespace: namespace.to_owned(),
        ..reference("Trigger", "eventing.knative.dev", "x")
    };
    assert!(resources.covers(&trigger("shop")) && !resources.covers(&trigger("elsewhere")));
}

#[tokio::test]
async fn without_knative_there_is_nothing_and_no_error() {
    let mut script = Scripted::default();
    script.serves(&[("", "v1", "services", "Service")]);
    for label in ["messaging.knative.dev/subscribable", "duck.knative.dev/source"] {
        script.lists(&format!("{CRDS} {label}=true"), json!([]));
    }
    let (resources, asked) = script.read(Asked::default()).await;
    let resources = resources.expect("an empty mesh");
    assert_eq!(resources.not_installed.len(), 4, "{:?}", resources.not_installed);
    assert!(resources.unread.is_empty() && asked.len() == 2, "{asked:?}");
}

#[tokio::test]
async fn a_kind_that_went_since_discovery_is_not_installed() {
    let mut script = Scripted::new();
    script.answers.remove(&format!("{EVENTING}/triggers"));
    let (resources, _) = script.read(Asked::default()).await;
    let resources = resources.expect("a mesh");
    assert_eq!(resources.not_installed, ["Trigger.eventing.knative.dev"]);
    assert!(resources.unread.is_empty(), "{:?}", resources.unread);
}

#[tokio::test]
async fn a_refused_credential_is_an_error_and_no_empty_mesh() {
    let mut script = Scripted::new();
    for (path, answer) in &mut script.answers {
        if path.len() > "/apis".len() {
            *answer = (401, json!({"kind": "Status", "message": "Unauthorized"}));
        }
    }
    let (read, _) = script.read(Asked::default()).await;
    assert!(read.expect_err("refused").to_string().contains("401"));
    let mut script = Scripted::new();
    script.says(&format!("{EVENTING}/brokers"), 403, json!({"kind": "Status", "message": "no"}));
    let (read, _) = script.read(Asked::default()).await;
    assert_eq!(read.expect("the rest").unread.len(), 1);
}
