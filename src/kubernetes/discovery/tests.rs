use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::{
    answer::redact::Learned,
    kubernetes::{
        Budgeted, Meter,
        access::tests::All,
        cluster::Source,
        identity::{As, Impersonation},
        sources::{StaticCluster, static_cluster},
    },
    telemetry::CallSpan,
};

type Asked = Vec<(String, HeaderMap)>;

/// What alice's call finds on a server that answers each path with `answer(path)`, and what that was asked.
async fn discovered(
    answer: impl Fn(&str) -> Response + Clone + Send + Sync + 'static,
) -> (Result<Arc<Kinds>, Fault>, Asked) {
    let asked = Arc::new(Mutex::new(Asked::new()));
    let keep = Arc::clone(&asked);
    let app = Router::new().fallback(move |request: Request| {
        let path = request.uri().path().to_owned();
        let response = answer(&path);
        keep.lock().expect("not poisoned").push((path, request.headers().clone()));
        async { response }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let entry = StaticCluster {
        name: "x".to_owned(),
        url: format!("http://{}", listener.local_addr().expect("an address")),
        ca_file: None,
        token: Some("planted".to_owned().into()),
        token_file: None,
        namespace: None,
    };
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let spent = Budgeted {
        meter: Arc::new(Meter::default()),
        learned: Arc::new(Learned::default()),
        deadline: Instant::now() + Duration::from_secs(20),
        call_id: "1a-2".into(),
        span: CallSpan::default(),
    };
    let cluster = Arc::new(static_cluster(entry, Source::Static).expect("a cluster"));
    let alice = Impersonation { user: "alice".to_owned(), ..Impersonation::default() };
    let access = Access::new(cluster, Arc::new(All), As::impersonated(&alice), spent);
    let kinds = access.kinds().await;
    server.abort();
    let asked = asked.lock().expect("not poisoned").clone();
    (kinds, asked)
}

fn core() -> Response {
    Json(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})).into_response()
}

/// `/apis`, of groups whose first version is the preferred one.
fn groups(groups: &[(&str, &[&str])]) -> Response {
    let group = |(name, versions): &(&str, &[&str])| {
        let version =
            |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
        let versions: Vec<Value> = versions.iter().map(version).collect();
        json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
    };
    let groups: Vec<Value> = groups.iter().map(group).collect();
    Json(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})).into_response()
}

/// The document of one version.
fn serving(group_version: &str, kinds: &[(&str, &str)]) -> Response {
    let resource = |(plural, kind): &(&str, &str)| {
        json!({"name": plural, "kind": kind, "singularName": kind.to_lowercase(), "namespaced": true,
               "shortNames": ["short"], "verbs": ["get", "list"]})
    };
    let resources: Vec<Value> = kinds.iter().map(resource).collect();
    Json(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
                "resources": resources}))
    .into_response()
}

fn endless() -> Response {
    let chunk = || Some((Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1 << 16])), ()));
    Body::from_stream(futures::stream::unfold((), move |()| async move { chunk() })).into_response()
}

fn unavailable() -> Response {
    let status = json!({"kind": "Status", "message": "service unavailable"});
    (StatusCode::SERVICE_UNAVAILABLE, Json(status)).into_response()
}

#[tokio::test]
async fn an_old_server_is_read_in_the_name_of_the_call_and_without_a_group_that_is_down() {
    let (kinds, asked) = discovered(|path| match path {
        "/api" => core(),
        "/apis" => groups(&[("metrics.k8s.io", &["v1beta1"]), ("batch", &["v1", "v1beta1"])]),
        "/api/v1" => serving("v1", &[("pods", "Pod"), ("pods/log", "Pod")]),
        "/apis/batch/v1" => serving("batch/v1", &[("jobs", "Job")]),
        "/apis/batch/v1beta1" => serving("batch/v1beta1", &[("jobs", "Job"), ("cronjobs", "CronJob")]),
        _ => unavailable(),
    })
    .await;
    let kinds = kinds.expect("kinds");
    let found: Vec<_> = kinds.iter().map(|kind| (kind.api_version(), kind.plural.as_str())).collect();
    let served = |version: &str, plural| (version.to_owned(), plural);
    assert_eq!(
        found,
        [served("v1", "pods"), served("batch/v1", "jobs"), served("batch/v1beta1", "cronjobs")]
    );
    let job = kinds.find("batch", "Job").expect("found");
    assert!(job.namespaced && job.listable && job.singular == "job" && job.short_names == ["short"]);
    for (path, headers) in &asked {
        assert!(!headers.contains_key("impersonate-user"), "{path}");
        assert!(headers["user-agent"].to_str().expect("text").contains("call/1a-2"), "{path}");
        assert!(headers.contains_key("audit-id"), "{path}");
    }
}

#[tokio::test]
async fn a_document_without_end_is_not_read_to_it() {
    for bad in ["/api", "/apis", "/api/v1", "/apis/batch/v1"] {
        let (kinds, _) = discovered(move |path| match path {
            path if path == bad => endless(),
            "/api" => core(),
            "/apis" => groups(&[("batch", &["v1"])]),
            path => serving(path, &[]),
        })
        .await;
        assert!(matches!(kinds, Err(Fault::TooLarge(_))), "{bad}: {kinds:?}");
    }
}

#[tokio::test]
async fn a_name_that_leaves_its_place_in_a_path_is_not_asked_for() {
    let (kinds, asked) = discovered(|path| match path {
        "/api" => core(),
        "/apis" => groups(&[
            ("../api/v1/secrets", &["v1"]),
            ("a%2f..", &["v1"]),
            ("a?b", &["v1"]),
            ("", &["v1"]),
            ("a..b", &["v1"]),
            ("fine.example", &["../../version", "v1\r\nx", ".", "", "v1"]),
        ]),
        "/api/v1" => serving("v1", &[("pods", "Pod")]),
        path => serving(path, &[("things", "Thing")]),
    })
    .await;
    assert_eq!(kinds.expect("kinds").iter().count(), 2);
    let paths: Vec<_> = asked.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths.iter().filter(|path| !matches!(**path, "/api" | "/apis")).count(), 2, "{paths:?}");
    assert!(paths.contains(&"/api/v1") && paths.contains(&"/apis/fine.example/v1"), "{paths:?}");
}

#[tokio::test]
async fn a_server_with_ever_more_groups_leaves_a_call_its_requests() {
    let names: Vec<String> = (0..1000).map(|number| format!("g{number}.example")).collect();
    let (kinds, asked) = discovered(move |path| match path {
        "/api" => core(),
        "/apis" => {
            let all: Vec<(&str, &[&str])> =
                names.iter().map(|name| (name.as_str(), ["v1"].as_slice())).collect();
            groups(&all)
        }
        path => serving(path, &[("things", "Thing")]),
    })
    .await;
    assert_eq!(kinds.expect("kinds").iter().count(), 200);
    assert_eq!(asked.len(), 204);
}

#[tokio::test]
async fn without_the_core_group_nothing_is_known() {
    let (kinds, _) = discovered(|path| match path {
        "/api" => core(),
        "/apis" => groups(&[]),
        _ => unavailable(),
    })
    .await;
    assert!(matches!(kinds, Err(Fault::Status { status: 503, .. })), "{kinds:?}");
}
