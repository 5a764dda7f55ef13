use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Request, http::HeaderMap, response::IntoResponse as _};
use kube::config::AuthInfo;
use tokio::net::TcpListener;

use super::{
    super::{
        cluster::Source,
        identity::{Impersonation, Unfit},
        sources::{StaticCluster, static_cluster},
    },
    *,
};

/// Sees everything.
pub(in crate::kubernetes) struct All;

impl View for All {
    fn sees(&self, _: Option<&str>) -> bool {
        true
    }

    fn reveals(&self, _: Option<&str>) -> bool {
        true
    }

    fn withheld(&self, _: Option<&str>) -> Fault {
        Fault::Gone
    }
}

type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

/// An API server that answers 404 to everything, and what it was asked.
async fn upstream() -> (String, Seen) {
    let seen = Seen::default();
    let keep = Arc::clone(&seen);
    let app = Router::new().fallback(move |request: Request| {
        keep.lock().expect("not poisoned").push((request.uri().to_string(), request.headers().clone()));
        async { http::StatusCode::NOT_FOUND.into_response() }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, seen)
}

fn cluster(url: &str, token: Option<&str>) -> Arc<Cluster> {
    let entry = StaticCluster {
        name: "x".to_owned(),
        url: url.to_owned(),
        ca_file: None,
        token: token.map(|token| token.to_owned().into()),
        token_file: None,
        namespace: None,
    };
    Arc::new(static_cluster(entry, Source::Static).expect("a cluster"))
}

/// What is there, as the server.
pub(crate) fn access(url: &str) -> Access {
    Access { acting: As::Server, ..open(&cluster(url, None), None) }
}

fn open(cluster: &Arc<Cluster>, impersonation: Option<&Impersonation>) -> Access {
    let spent = Budgeted {
        meter: Arc::new(Meter::default()),
        learned: Arc::new(Learned::default()),
        deadline: Instant::now() + Duration::from_secs(20),
        call_id: "1a-2".into(),
        span: CallSpan::default(),
    };
    let acting = impersonation.map_or_else(|| As::nobody(Unfit::Nameless), As::impersonated);
    Access::new(Arc::clone(cluster), Arc::new(All), acting, spent)
}

fn person(user: &str, groups: &[&str]) -> Impersonation {
    let groups = groups.iter().map(ToString::to_string).collect();
    Impersonation { user: user.to_owned(), groups, ..Impersonation::default() }
}

fn said(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn two_callers_share_a_pool_and_each_request_says_for_whom_it_is() {
    let (url, seen) = upstream().await;
    let cluster = cluster(&url, Some("planted"));
    for (user, groups) in [("alice", ["a", "b"].as_slice()), ("bob", &[])] {
        let access = open(&cluster, Some(&person(user, groups)));
        for _ in 0..2 {
            access.get_json("/version", &[], "application/json").await.expect_err("404");
        }
    }
    let seen = seen.lock().expect("not poisoned");
    let users: Vec<_> = seen.iter().map(|(_, headers)| said(headers, "impersonate-user")).collect();
    assert_eq!(users, [["alice"], ["alice"], ["bob"], ["bob"]]);
    assert_eq!(said(&seen[0].1, "impersonate-group"), ["a", "b"]);
    assert!(said(&seen[2].1, "impersonate-group").is_empty());
    let ids: Vec<_> = seen.iter().map(|(_, headers)| said(headers, "audit-id")).collect();
    assert_eq!(ids, [["1a-2.1"], ["1a-2.2"], ["1a-2.1"], ["1a-2.2"]], "a name for each request of a call");
    assert!(seen.iter().all(|(_, headers)| said(headers, "authorization") == ["Bearer planted"]));
}

#[tokio::test]
async fn discovery_is_the_servers_own_and_nothing_else_is() {
    let (url, seen) = upstream().await;
    let access = open(&cluster(&url, Some("planted")), Some(&person("alice", &[])));
    access.kinds().await.expect_err("404");
    access.fresh_kinds().await.expect_err("404");
    access.unfiltered().get_json("/version", &[], "application/json").await.expect_err("404");
    let seen = seen.lock().expect("not poisoned");
    for (path, headers) in seen.iter() {
        let own = path.starts_with("/api");
        assert_eq!(headers.contains_key("impersonate-user"), !own, "{path}");
    }
    assert!(seen.iter().any(|(path, _)| path == "/version") && seen.len() >= 3, "{seen:?}");
}

#[tokio::test]
async fn nothing_is_sent_for_who_cannot_be_shown_nor_without_a_credential_for_it() {
    let (url, seen) = upstream().await;
    let nobody = open(&cluster(&url, Some("planted")), None);
    let unfit = Fault::Unfit(Arc::new(Unfit::Nameless));
    assert_eq!(nobody.kinds().await.err(), Some(unfit.clone()), "not even discovery");
    assert_eq!(nobody.get_json("/version", &[], "application/json").await, Err(unfit));
    let bare = open(&cluster(&url, None), Some(&person("alice", &[])));
    let fault = bare.get_json("/version", &[], "application/json").await.expect_err("no credential");
    assert!(
        matches!(&fault, Fault::Configuration(why) if why.contains("credential of the server")),
        "{fault}"
    );
    assert!(seen.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn a_kubeconfig_user_that_acts_as_another_acts_for_nobody_else() {
    let (url, seen) = upstream().await;
    let connect = move || {
        let mut config = kube::Config::new(url.parse().expect("a URL"));
        config.auth_info = AuthInfo {
            token: Some("planted".to_owned().into()),
            impersonate_groups: Some(vec!["admins".to_owned()]),
            ..AuthInfo::default()
        };
        async move { Ok(config) }
    };
    let cluster = Arc::new(Cluster::new("x", Source::Kubeconfig, "default", connect));
    let access = open(&cluster, Some(&person("alice", &[])));
    let fault = access.get_json("/version", &[], "application/json").await.expect_err("refused");
    assert!(matches!(&fault, Fault::Configuration(why) if why.contains("as-groups")), "{fault}");
    assert!(seen.lock().expect("not poisoned").is_empty(), "its groups would have been added to alice's");
}
