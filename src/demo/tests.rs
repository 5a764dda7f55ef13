//! The sample platform over HTTP, as a client sees it.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::*;

async fn answer(running: &Running, path: &str, accept: &str) -> (StatusCode, String, Value) {
    let url = format!("{}{path}", running.url());
    let response = reqwest::Client::new().get(url).header("accept", accept).send().await.unwrap();
    let status = response.status();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (status, kind, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

async fn get(running: &Running, path: &str) -> Value {
    let (status, _, body) = answer(running, path, "application/json").await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

async fn refused(running: &Running, path: &str) -> (u16, String, String) {
    let (status, _, body) = answer(running, path, "application/json").await;
    assert_eq!((&body["kind"], &body["status"]), (&json!("Status"), &json!("Failure")), "{path}");
    assert_eq!(body["code"], status.as_u16());
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    (status.as_u16(), text("reason"), text("message"))
}

fn names(list: &Value) -> Vec<String> {
    let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
    list["items"].as_array().unwrap().iter().map(name).collect()
}

/// A selector in a query, encoded.
fn encoded(selector: &str) -> String {
    percent_encoding::utf8_percent_encode(selector, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn selected(running: &Running, path: &str, parameter: &str, selector: &str) -> Vec<String> {
    names(&get(running, &format!("{path}?{parameter}={}", encoded(selector))).await)
}

const SERVICES: &str = "/apis/platform.example.com/v1alpha1/webservices";

#[tokio::test]
async fn objects_and_lists_look_as_the_api_server_writes_them() {
    let running = Api::start().await.unwrap();
    assert_eq!(get(&running, "/version").await["major"], "1");

    let namespace = get(&running, "/api/v1/namespaces/shop").await;
    assert_eq!((&namespace["kind"], &namespace["apiVersion"]), (&json!("Namespace"), &json!("v1")));
    let shop =
        get(&running, "/apis/platform.example.com/v1alpha1/namespaces/shop/shops/storefront/status").await;
    assert_eq!(shop["status"]["state"], "ACTIVE");

    let everywhere = get(&running, "/api/v1/pods").await;
    assert_eq!(everywhere["kind"], "PodList");
    assert!(!everywhere["metadata"]["resourceVersion"].as_str().unwrap().is_empty());
    let pod = &everywhere["items"][0];
    assert!(pod.get("kind").is_none() && pod.get("apiVersion").is_none());
    // The items of custom resources have both, and their lists end with an empty token.
    let services = get(&running, SERVICES).await;
    assert_eq!(
        (&services["items"][0]["kind"], &services["metadata"]["continue"]),
        (&json!("WebService"), &json!(""))
    );

    let here = get(&running, "/api/v1/namespaces/media/pods").await;
    assert!(here["items"].as_array().unwrap().iter().all(|pod| pod["metadata"]["namespace"] == "media"));
    assert!(names(&here).len() < names(&everywhere).len());
    assert!(names(&get(&running, "/api/v1/namespaces/nowhere/pods").await).is_empty());
}

#[tokio::test]
async fn selectors_select() {
    let running = Api::start().await.unwrap();
    let labels = async |selector: &'static str| selected(&running, SERVICES, "labelSelector", selector).await;
    let nested = ["outlet-api", "outlet-web", "storefront-api", "storefront-web"];
    assert_eq!(labels("kro.run/instance-kind=Shop").await, nested);
    assert_eq!(
        labels("kro.run/instance-kind in (Shop, Team),kro.run/node-id==api").await,
        [nested[0], nested[2]]
    );
    assert_eq!(labels("kro.run/node-id,kro.run/node-id!=api").await, [nested[1], nested[3]]);
    assert_eq!(labels("!kro.run/node-id,kro.run/owned").await.len(), 5);
    assert_eq!(labels("kro.run/node-id notin (api,web)").await, labels("!kro.run/node-id").await);
    assert_eq!(labels("kro.run/node-id in (api),kro.run/instance-name=outlet").await, ["outlet-api"]);
    let workers = "/apis/apps/v1/namespaces/media/deployments";
    assert_eq!(
        selected(&running, workers, "labelSelector", "kro.run/collection-index>1").await,
        ["transcode-eu-west", "transcode-us-east"]
    );

    let fields =
        async |path: &'static str, selector| selected(&running, path, "fieldSelector", selector).await;
    let revisions = "/apis/internal.kro.run/v1alpha1/graphrevisions";
    assert_eq!(fields(revisions, "spec.snapshot.name=cache").await, ["cache-r00001", "cache-r00002"]);
    assert_eq!(fields(SERVICES, "metadata.namespace=media").await, ["uploads"]);
    let claim = "involvedObject.kind=PersistentVolumeClaim,involvedObject.name=events-data,type!=Normal";
    assert_eq!(fields("/api/v1/events", claim).await.len(), 1);
    let claim = "regarding.kind=PersistentVolumeClaim,regarding.name=events-data";
    assert_eq!(fields("/apis/events.k8s.io/v1/events", claim).await.len(), 1);
    assert_eq!(fields("/api/v1/pods", "status.phase!=Running").await.len(), 1);
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let running = Api::start().await.unwrap();
    let whole = names(&get(&running, "/api/v1/pods").await);
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&running, &format!("/api/v1/pods?limit=10&continue={token}")).await;
        seen.extend(names(&page));
        let Some(next) = page["metadata"]["continue"].as_str() else {
            assert!(page["metadata"].get("remainingItemCount").is_none());
            break;
        };
        assert_eq!(page["metadata"]["remainingItemCount"], whole.len() - seen.len());
        token = next.to_owned();
    }
    assert_eq!(seen, whole);
    let some = get(&running, "/api/v1/pods?limit=1&fieldSelector=metadata.namespace%3Dshop").await;
    assert!(some["metadata"]["continue"].is_string() && some["metadata"].get("remainingItemCount").is_none());
    assert_eq!(get(&running, "/api/v1/pods?limit=1000").await["metadata"].get("continue"), None);
}

#[tokio::test]
async fn what_cannot_be_had_is_refused_as_a_status() {
    let running = Api::start().await.unwrap();
    let not_found = |message: &str| (404, "NotFound".to_owned(), message.to_owned());
    assert_eq!(
        refused(&running, "/api/v1/namespaces/shop/pods/none").await,
        not_found("pods \"none\" not found")
    );
    assert_eq!(
        refused(&running, "/apis/apps/v1/namespaces/shop/deployments/a%2Fb").await,
        not_found("deployments.apps \"a/b\" not found")
    );
    let nowhere = not_found("the server could not find the requested resource");
    for path in [
        "/",
        "/api/v2/pods",
        "/api/v1/nopes",
        "/api/v1/pods/one",
        "/apis/none",
        "/apis/none/v1",
        "/api/v1/namespaces/shop/nodes",
        "/api/v1/namespaces/shop/pods/a/log",
        "/apis/kro.run/v1alpha1/resourcegraphdefinitions/shop/scale",
    ] {
        assert_eq!(refused(&running, path).await, nowhere, "{path}");
    }
    for query in [
        "labelSelector=a%3D%3D%3Db",
        "labelSelector=a+in+b",
        "labelSelector=a%3Db%2C",
        "labelSelector=-a%3Db",
        "labelSelector=a%3Db+c",
        "labelSelector=a%3Ex",
        "fieldSelector=spec.none%3Da",
        "fieldSelector=metadata.name",
        "fieldSelector=metadata.name%3Da%3Db",
        "limit=ten",
        "continue=what",
    ] {
        let (code, reason, message) = refused(&running, &format!("/api/v1/pods?{query}")).await;
        assert_eq!((code, reason.as_str()), (400, "BadRequest"), "{query}: {message}");
    }

    let client = reqwest::Client::new();
    for method in ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        let url = format!("{}/api/v1/namespaces/shop/pods", running.url());
        let response = client.request(method.parse().unwrap(), url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let (status, _, body) = answer(&running, "/api/v1/pods", table).await;
    assert_eq!((status.as_u16(), &body["reason"]), (406, &json!("NotAcceptable")));
}

#[tokio::test]
async fn discovery_comes_aggregated_and_plain_and_promises_only_reading() {
    let running = Api::start().await.unwrap();
    let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let (_, kind, core) = answer(&running, "/api", v2).await;
    assert_eq!(kind, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    assert_eq!(core["kind"], "APIGroupDiscoveryList");
    let (_, _, groups) = answer(&running, "/apis", v2).await;
    let verbs = groups["items"][0]["versions"][0]["resources"][0]["verbs"].as_array().unwrap();
    assert!(verbs.iter().all(|verb| ["get", "list", "watch"].contains(&verb.as_str().unwrap())));

    assert_eq!(get(&running, "/api").await["versions"], json!(["v1"]));
    for group in get(&running, "/apis").await["groups"].as_array().unwrap() {
        let version = group["preferredVersion"]["groupVersion"].as_str().unwrap();
        let listed = get(&running, &format!("/apis/{version}")).await;
        for resource in listed["resources"].as_array().unwrap() {
            let name = resource["name"].as_str().unwrap();
            if !name.contains('/') {
                let list = get(&running, &format!("/apis/{version}/{name}")).await;
                assert_eq!(list["kind"], format!("{}List", resource["kind"].as_str().unwrap()));
            }
        }
    }
    let teams = get(&running, "/apis/platform.example.com/v1alpha1").await;
    let verbs =
        teams["resources"].as_array().unwrap().iter().flat_map(|kind| kind["verbs"].as_array().unwrap());
    assert!(verbs.into_iter().all(|verb| ["get", "list", "watch"].contains(&verb.as_str().unwrap())));
    let team = teams["resources"].as_array().unwrap().iter().find(|kind| kind["kind"] == "Team").unwrap();
    assert_eq!((&team["name"], &team["namespaced"]), (&json!("teams"), &json!(false)));
}

#[tokio::test]
async fn metadata_alone_can_be_asked_for() {
    let running = Api::start().await.unwrap();
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let (_, _, list) = answer(&running, "/api/v1/secrets", accept).await;
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    let item = list["items"][0].as_object().unwrap();
    assert_eq!(item.keys().collect::<Vec<_>>(), ["kind", "apiVersion", "metadata"]);
}

#[tokio::test]
async fn a_watch_tells_what_is_there_and_ends_with_the_server() {
    let running = Api::start().await.unwrap();
    let url = format!("{}/api/v1/namespaces/shop/services?watch=true", running.url());
    let mut response = reqwest::get(url).await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    let event: Value = serde_json::from_slice(first.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["object"]["kind"]), (&json!("ADDED"), &json!("Service")));
    let rest = tokio::spawn(async move { while let Ok(Some(_)) = response.chunk().await {} });
    tokio::time::timeout(Duration::from_secs(5), running.shutdown()).await.expect("it ends");
    tokio::time::timeout(Duration::from_secs(5), rest).await.expect("the watch ends").unwrap();
}

#[tokio::test]
async fn the_recording_is_minutes_old_and_holds_no_secret_of_a_machine() {
    let running = Api::start().await.unwrap();
    let pods = get(&running, "/api/v1/pods").await;
    for pod in pods["items"].as_array().unwrap() {
        let created: Timestamp = pod["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
        let age = Timestamp::now().duration_since(created).as_secs();
        assert!((180..1200).contains(&age), "{age} seconds");
    }
    for map in get(&running, "/api/v1/configmaps").await["items"].as_array().unwrap() {
        assert!(!map.to_string().contains("BEGIN "));
    }
}

#[tokio::test]
async fn the_traps_are_in_the_data() {
    let running = Api::start().await.unwrap();
    // Endpoints and slices carry the labels of their Service, as if they were children.
    for path in ["/api/v1/endpoints", "/apis/discovery.k8s.io/v1/endpointslices"] {
        let copies = get(&running, &format!("{path}?labelSelector=kro.run%2Fnode-id")).await;
        assert!(!names(&copies).is_empty(), "{path}");
        assert!(!copies.to_string().contains("kro.run/applyset\""), "{path}");
    }
    // The shop says it is well; two levels down it is not.
    let api =
        get(&running, "/apis/platform.example.com/v1alpha1/namespaces/shop/webservices/storefront-api").await;
    assert_eq!(api["status"]["state"], "IN_PROGRESS");
    let pods = get(&running, "/api/v1/pods?labelSelector=app%3Dstorefront-api").await;
    let waiting = &pods["items"][0]["status"]["containerStatuses"][0]["state"]["waiting"];
    assert_eq!(waiting["reason"], "CrashLoopBackOff");
    // An update that was refused emptied the graph; the revisions have it.
    let cache = get(&running, "/apis/kro.run/v1alpha1/resourcegraphdefinitions/cache").await;
    assert_eq!(
        (cache["status"]["state"].as_str(), cache["status"].get("topologicalOrder")),
        (Some("Inactive"), None)
    );
    assert_eq!(cache["status"]["lastIssuedRevision"], 2);
}

/// The client of the crate is made of this one.
#[tokio::test]
async fn a_kubernetes_client_finds_its_way() {
    let running = Api::start().await.unwrap();
    let client = kube::Client::try_from(kube::Config::new(running.url().parse().unwrap())).unwrap();
    let discovery = kube::Discovery::new(client.clone()).run_aggregated().await.unwrap();
    let kind = kube::core::GroupVersionKind::gvk("platform.example.com", "v1alpha1", "Database");
    let (resource, capabilities) = discovery.resolve_gvk(&kind).unwrap();
    assert_eq!(
        (resource.plural.as_str(), &capabilities.scope),
        ("databases", &kube::discovery::Scope::Namespaced)
    );
    let databases = kube::Api::<kube::core::DynamicObject>::all_with(client.clone(), &resource);
    let nested = kube::api::ListParams::default().labels("kro.run/instance-kind=Shop").limit(1);
    let page = databases.list(&nested).await.unwrap();
    assert_eq!((page.items.len(), page.metadata.continue_.is_some()), (1, true));
    let databases = kube::Api::<kube::core::DynamicObject>::namespaced_with(client, "payments", &resource);
    assert!(databases.get_opt("none").await.unwrap().is_none());
    let refused = databases.delete("accounts", &kube::api::DeleteParams::default()).await.unwrap_err();
    assert!(refused.to_string().contains("can only be read"), "{refused}");
}
