//! `GET /v1/getEventMesh`: whose token it is asked with, what is said where nothing can be published, and what a crowd
//! of strangers can make of it.

mod catalog;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{
    exchange::OURS,
    faulty::{Fault, Faulty},
    forge::AUDIENCE,
    impersonation::ours,
    oidc::Provider,
    server::{Product, Server},
    silent::Silent,
};

const PATH: &str = "/v1/getEventMesh";
/// Issuers of our own or none: it is all the same to whoever asks here.
const ISSUERS: [bool; 2] = [false, true];

/// A server whose cluster `mesh` is served, with one of our own issuers or without.
fn serve(cluster: &Value, issuers: bool, more: &str) -> Server {
    let clusters = json!({"kubeconfig": {"enabled": false}, "static": [cluster]});
    let issuers = match issuers {
        true => {
            let entry = Provider::shared().entry("[{roles: [admin]}]");
            format!("issuers: [{}]\n", entry.replace(AUDIENCE, OURS))
        }
        false => String::new(),
    };
    let config = format!(
        "clusters: {clusters}\naudit: {{to: audit.log}}\n{issuers}http: {{eventMesh: {{cluster: mesh}}}}\n{more}"
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

/// Over a fake cluster, with a credential of the server's own that must never be seen there.
fn over(url: &str, more: &str) -> Server {
    let cluster = json!({"name": "mesh", "url": url, "token": "planted-own-credential", "identity": "own"});
    serve(&cluster, false, more)
}

fn get(server: &Server, authorization: Option<&str>) -> RequestBuilder {
    let request = reqwest::Client::new().get(server.url(PATH));
    match authorization {
        Some(value) => request.header("authorization", value),
        None => request,
    }
}

/// What is said, and that it is said as the API says it.
async fn refused(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    (status, body["error"].as_str().expect("in words").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_of_the_clusters_nothing_is_sent_there() {
    for issuers in ISSUERS {
        let upstream = Faulty::start().await;
        let cluster = json!({"name": "mesh", "url": upstream.url, "token": "planted-own-credential"});
        let server = serve(&cluster, issuers, "");
        let mut odd = vec![
            (None, "missing"),
            (Some(String::new()), "missing"),
            (Some("Bearer".to_owned()), "missing"),
            (Some("Basic YTpi".to_owned()), "no bearer token"),
            (Some("Bearer a b".to_owned()), "no bearer token"),
            (Some(format!("Bearer {}", "a".repeat(20_000))), "no bearer token"),
        ];
        if issuers {
            // alice may do everything here, and nothing there
            let token = Provider::shared().token_for("alice", OURS).await;
            odd.extend([
                (Some(format!("Bearer {token}")), "a token for this server, which is never passed on"),
                (Some(token.clone()), "a token for this server"),
                (Some(format!("Bearer {token}=")), "a token for this server"),
            ]);
        }
        for (authorization, said) in odd {
            let (status, message) =
                refused(get(&server, authorization.as_deref()).send().await.unwrap()).await;
            assert!(status == 401 && message.contains(said), "{authorization:?}: {status} {message}");
        }
        // nor is a token looked for anywhere else
        let elsewhere = get(&server, None).header("backstage-kubernetes-authorization", "Bearer planted");
        assert_eq!(refused(elsewhere.send().await.unwrap()).await.0, 401);
        let in_query = reqwest::Client::new().get(format!("{}?access_token=a", server.url(PATH)));
        assert_eq!(refused(in_query.bearer_auth("a").send().await.unwrap()).await.0, 401);
        assert_eq!(upstream.seen(), Vec::<String>::new());
        let lines = ours(&server, 8);
        assert!(
            lines.iter().all(|line| line["door"] == "event-mesh" && line["outcome"] == "unauthenticated")
        );
        assert!(!server.read("audit.log").contains("eyJ"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_sees_the_token_that_came_and_nothing_else_however_it_is_configured() {
    let upstream = Faulty::start().await;
    for (identity, more) in
        [("own", ""), ("impersonate", ""), ("exchange", ""), ("caller-header", "provider: x")]
    {
        upstream.reset();
        let mut cluster = json!({"name": "mesh", "url": upstream.url, "identity": identity});
        if !more.is_empty() {
            cluster["provider"] = "x".into();
        }
        if identity == "exchange" {
            cluster["audience"] = "mesh".into();
        } else {
            cluster["token"] = "planted-own-credential".into();
        }
        let server = serve(&cluster, identity == "exchange", "");
        for authorization in ["Bearer of-a-robot", "bearer of-a-robot", "of-a-robot"] {
            let request = get(&server, Some(authorization))
                .header("backstage-kubernetes-authorization", "Bearer planted")
                .header("backstage-kubernetes-authorization-x", "Bearer planted")
                .header("impersonate-user", "planted");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{identity}: {}", answer.text().await.unwrap());
            assert_eq!(answer.headers()["content-type"], "application/json");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let mesh: Value = answer.json().await.expect("JSON");
            let empty = json!({"eventTypes": [], "brokers": [], "subscribables": [], "sources": []});
            assert_eq!(mesh, empty, "Knative is not installed there");
        }
        let heads = upstream.headers();
        assert!(heads.len() > 3, "{heads:?}");
        for head in heads {
            assert_eq!(head["authorization"], "Bearer of-a-robot", "{identity}");
            assert!(!format!("{head:?}").contains("planted"), "{identity}: {head:?}");
            assert!(
                !head.keys().any(|name| name.as_str().starts_with("impersonate")),
                "{identity}: {head:?}"
            );
        }
        let line = &ours(&server, 3)[0];
        // the first 16 digits of the SHA-256 of the token
        let named = hash("of-a-robot");
        assert_eq!(line["caller"]["subject"], named, "{line}");
        assert_eq!(line["token"]["hash"], named, "{line}");
        assert_eq!(line["rule"], "http.eventMesh", "{line}");
        assert_eq!(
            (&line["tool"], &line["decision"]),
            (&json!("knative_published"), &json!("allow")),
            "{line}"
        );
        assert!(line["answer_bytes"].as_u64() > Some(50) && line["outcome"] == "ok", "{line}");
        assert!(!server.read("audit.log").contains("of-a-robot"));
    }
}

/// What logs call a token.
fn hash(token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_and_never_half_a_mesh() {
    let upstream = Faulty::start().await;
    let server = over(&upstream.url, "limits: {callSeconds: 3}\n");
    const CRDS: &str = "customresourcedefinitions";
    let forbidden =
        r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"User \"robot\" cannot list it"}"#;
    for (path, fault, status, said) in [
        // the kinds that are served are not known yet, and soon they are
        ("/api", Fault::Answer(401, "{}"), 401, "does not take this token"),
        ("/api", Fault::Answer(503, "planted"), 503, "cannot be asked now"),
        ("/api", Fault::Answer(200, "<html>planted"), 502, "cannot be asked"),
        (CRDS, Fault::Answer(401, "{}"), 401, "does not take this token"),
        (CRDS, Fault::Answer(403, forbidden), 403, "does not let this token list CustomResourceDefinition"),
        (CRDS, Fault::Throttle(7), 429, "try again later"),
        (CRDS, Fault::Answer(503, "planted"), 503, "cannot be asked now"),
        (CRDS, Fault::Answer(500, "planted"), 502, "cannot be asked"),
        (CRDS, Fault::Answer(200, "{planted"), 502, "cannot be asked"),
        (CRDS, Fault::Truncate, 502, "cannot be asked"),
        (CRDS, Fault::Hang, 504, "in time"),
    ] {
        upstream.reset();
        upstream.when(path, fault.clone());
        let answer = get(&server, Some("Bearer of-a-robot")).send().await.unwrap();
        let retry = answer.headers().get("retry-after").map(|after| after.to_str().unwrap().to_owned());
        let (code, message) = refused(answer).await;
        assert!(code == status && message.contains(said), "{path} {fault:?}: {code} {message}");
        assert!(!message.contains("planted") && !message.contains("127.0.0.1"), "{message}");
        assert_eq!(retry.is_some(), status == 429, "{path} {fault:?}: {retry:?}");
    }
    upstream.reset();
    upstream.when(CRDS, Fault::Answer(404, "{}"));
    assert_eq!(get(&server, Some("of-a-robot")).send().await.unwrap().status(), 200, "no CRDs, no channels");
    assert!(server.said().contains("http.eventMesh: "), "the log says why: {}", server.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_not_there_is_no_address_in_an_answer() {
    let server = over("http://127.0.0.1:9", "");
    let (status, message) = refused(get(&server, Some("of-a-robot")).send().await.unwrap()).await;
    assert!(status == 502 && !message.contains("127.0.0.1"), "{status} {message}");

    let clusters =
        "clusters: {kubeconfig: {enabled: false}, static: [{name: there, url: 'http://127.0.0.1:9'}]}\n";
    let product = |more: &str| {
        Product::new(["serve", "--http", "127.0.0.1:0"]).config(&format!("{clusters}{more}")).serve()
    };
    let unknown = product("http: {eventMesh: {cluster: thare}}\n");
    let (status, message) = refused(get(&unknown, Some("of-a-robot")).send().await.unwrap()).await;
    assert!(status == 502 && !message.contains("thare"), "{status} {message}");
    let off = product("http: {eventMesh: {cluster: there}}\ntools: {without: [knative]}\n");
    assert_eq!(refused(get(&off, Some("of-a-robot")).send().await.unwrap()).await.0, 404);
    let none = product("");
    assert_eq!(get(&none, Some("of-a-robot")).send().await.unwrap().status(), 404, "by configuration only");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_get_is_served_and_no_page_of_another_site_gets_anything() {
    let upstream = Faulty::start().await;
    let server = over(&upstream.url, "");
    let http = reqwest::Client::new();
    for method in [Method::HEAD, Method::OPTIONS, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let request = http.request(method.clone(), server.url(PATH)).bearer_auth("of-a-robot");
        let answer = request.body(if method == Method::POST { "{}" } else { "" }).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "GET");
        if method != Method::HEAD {
            refused(answer).await;
        }
    }
    for (name, value) in
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("host", "evil.example")]
    {
        let answer = get(&server, Some("of-a-robot")).header(name, value).send().await.unwrap();
        assert_eq!(refused(answer).await.0, 403, "{name}: {value}");
    }
    assert_eq!(upstream.seen(), Vec::<String>::new());
    let with_a_body = get(&server, Some("of-a-robot")).body("x".repeat(10_000)).send().await.unwrap();
    assert_eq!(with_a_body.status(), 200, "a body is nobody's");
    // the token opens nothing else: without issuers the local user is served, and with them nobody
    let protected = serve(&json!({"name": "mesh", "url": upstream.url}), true, "");
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let answer = http.post(protected.url("/mcp")).bearer_auth("of-a-robot").json(&list).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_what_is_asked_for_it() {
    let silent = Silent::start();
    let server = over(silent.url(), "");
    let asking = tokio::spawn(get(&server, Some("of-a-robot")).send());
    let connection = silent.asked().await;
    asking.abort();
    assert!(connection.closed(Duration::from_secs(5)).await, "the request upstream ends with it");
    let lines = ours(&server, 1);
    assert_eq!(lines[0]["outcome"], "cancelled", "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_made_up_tokens_reaches_neither_the_cluster_nor_the_log() {
    let upstream = Faulty::start().await;
    upstream.when("/api", Fault::Answer(401, "{}"));
    let server = over(&upstream.url, "");
    let http = reqwest::Client::new();
    let (mut taken, mut busy) = (0, 0);
    for round in 0..20 {
        let asked =
            (0..10).map(|n| http.get(server.url(PATH)).bearer_auth(format!("made-up-{round}-{n}")).send());
        for answer in futures::future::join_all(asked).await {
            let answer = answer.unwrap();
            let again = answer.headers().contains_key("retry-after");
            match refused(answer).await.0 {
                401 => taken += 1,
                429 if again => busy += 1,
                other => panic!("{other}"),
            }
        }
    }
    assert!(busy > 50, "{busy} of 200 were told to come again");
    let asked = upstream.seen().len();
    assert!(asked <= taken * 2, "{asked} requests upstream for {taken} tokens that were looked at");
    let lines = server.read("audit.log").lines().count();
    assert!(lines <= taken + 40, "{lines} lines for {taken}");
}

#[test]
fn check_says_whether_there_is_the_cluster_of_the_endpoint() {
    let check = |name: &str, more: &str| {
        let config = format!(
            "clusters: {{kubeconfig: {{enabled: false}}, static: [{{name: there, url: 'http://127.0.0.1:9'}}]}}\n\
             http: {{eventMesh: {{cluster: {name}}}}}\n{more}"
        );
        let output = Product::new(["check"]).config(&config).output();
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let said = check("thare", "");
    assert!(
        said.contains(
            "fail  http.eventMesh.cluster: no source has a cluster \"thare\"; did you mean \"there\"?"
        ),
        "{said}"
    );
    for name in ["there", "static/there"] {
        let said = check(name, "");
        assert!(said.contains("ok    event mesh: GET /v1/getEventMesh, of the cluster there"), "{said}");
    }
    let said = check("there", "tools: {without: [knative]}\n");
    assert!(said.contains("warn  http.eventMesh: tools.without leaves out knative"), "{said}");
}
