//! The actions of our plugin on the wire, asked with the tokens that a real Backstage's plugins have: bad input, bad
//! paths, floods and callers who leave, each answered in the form that Backstage's clients read.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::{
    backstage::{Backstage, Fault, Options, PLUGIN},
    recorder::Recorder,
    server::{Product, Server},
    silent::Silent,
};

const VIEWERS: &str = "group:default/viewers";
const OPERATORS: &str = "group:default/operators";
const NAMES: [(&str, u16); 6] = [
    ("InputError", 400),
    ("AuthenticationError", 401),
    ("NotAllowedError", 403),
    ("NotFoundError", 404),
    ("ConflictError", 409),
    ("ServiceUnavailableError", 503),
];
const RULES: &str = "permissions: rules, rules: [{when: {ent: 'group:default/operators'}, roles: [admin]}, \
                     {when: {ent: 'group:default/viewers'}, allow: [kubernetes.clusters.read]}]";

/// The server, as plugins of Backstage ask it.
struct Door {
    server: Server,
    http: reqwest::Client,
}

/// An answer in Backstage's form.
#[derive(Debug)]
struct Told {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Door {
    /// Behind the Backstage of this test binary, with rules of our own.
    fn open(more: &str) -> Self {
        let config = format!("{}{more}", Backstage::shared().entry(RULES));
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        Self { server, http: reqwest::Client::new() }
    }

    fn request(&self, method: Method, below: &str) -> RequestBuilder {
        self.http.request(method, self.server.url(&format!("/api/{PLUGIN}{below}")))
    }

    fn list(&self, token: &str) -> RequestBuilder {
        self.request(Method::GET, "/.backstage/actions/v1/actions").bearer_auth(token)
    }

    /// `id` as it stands in the path.
    fn invoke(&self, token: &str, version: &str, id: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
        let below = format!("/.backstage/actions/{version}/actions/{id}/invoke");
        self.request(Method::POST, &below).bearer_auth(token).body(body.into())
    }

    /// Our audit lines, once there are so many.
    async fn audited(&self, wanted: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let text = self.server.read("audit.log");
            let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if lines.len() >= wanted {
                return lines;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{} of {wanted}", lines.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A plugin's token on behalf of this user, who is known to Backstage.
async fn token(user: &str, group: &str) -> String {
    Backstage::shared().plugin_token(&format!("user:default/{user}"), &[group]).await
}

async fn told(request: RequestBuilder) -> Told {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Told { status, headers, body: answer.json().await.unwrap_or_default() }
}

/// A failure as Backstage's clients must find one: its name and its message.
#[track_caller]
fn failed(told: &Told) -> (&str, &str) {
    let Told { status, headers, body } = told;
    assert!(headers["content-type"].as_bytes().starts_with(b"application/json"), "{told:?}");
    assert_eq!(body["response"]["statusCode"], *status, "{told:?}");
    assert!(body["request"]["method"].is_string() && body["request"]["url"].is_string(), "{told:?}");
    let (name, message) =
        (body["error"]["name"].as_str().unwrap(), body["error"]["message"].as_str().unwrap());
    assert!(NAMES.contains(&(name, *status)), "{told:?}");
    (name, message)
}

/// A configuration whose only cluster this is.
fn hanging(silent: &Silent) -> String {
    let cluster = json!({"name": "silent", "url": silent.url(), "token": "t", "identity": "own"});
    format!("clusters: {{kubeconfig: {{enabled: false}}, static: [{cluster}]}}\n")
}

/// Bodies of every kind, for the first version or the second.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let wrapped = json!({"input": {}, "secrets": {"token": "s3cr3t-planted"}}).to_string();
    vec![
        ("v1", Vec::new()),
        ("v1", b"{}".to_vec()),
        ("v1", b"[\"s3cr3t-planted\"]".to_vec()),
        ("v1", b"{\"s3cr3t-planted".to_vec()),
        ("v1", br#"{"a":"s3cr3t-planted","a":1}"#.to_vec()),
        ("v1", vec![b'['; 100]),
        ("v1", vec![b' '; 1_500_000]),
        ("v1", b"\xff\xfe".to_vec()),
        ("v2", wrapped.into_bytes()),
        ("v2", br#"{"inputs":{}}"#.to_vec()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_action_is_answered_as_one_that_is_not_there_whatever_came_with_it() {
    let door = Door::open("audit: {to: audit.log}\nlimits: {requestsPerSecond: 100000, burst: 100000}\n");
    let viewer = token("door-hidden", VIEWERS).await;
    // hidden, unknown, of other plugins, of none, what doors alone ask, encoded twice, odd
    let ids = [
        ("platform-mcp:kro_graph", "platform-mcp:kro_graph"),
        ("platform-mcp%3Akro_graph", "platform-mcp:kro_graph"),
        ("platform-mcp%3Akro_grape", "platform-mcp:kro_grape"),
        ("catalog%3Awhoami", "catalog:whoami"),
        ("whoami", "whoami"),
        ("platform-mcp%3A", "platform-mcp:"),
        ("platform-mcp%3Akro_names", "platform-mcp:kro_names"),
        ("platform-mcp%253Awhoami", "platform-mcp%3Awhoami"),
        ("platform-mcp%3Aplatform-mcp%3Awhoami", "platform-mcp:platform-mcp:whoami"),
        ("platform-mcp%3AWhoami", "platform-mcp:Whoami"),
        ("platform-mcp%3Awhoami%2F", "platform-mcp:whoami/"),
    ];
    let mut asked = 0;
    for (version, body) in bodies() {
        let mut same: Option<(HeaderMap, Value)> = None;
        for (written, id) in ids {
            let mut told = told(door.invoke(&viewer, version, written, body.clone())).await;
            asked += 1;
            let message = format!("Action \"{id}\" not found");
            assert_eq!(failed(&told), ("NotFoundError", message.as_str()), "{written}: {told:?}");
            let url = format!("/.backstage/actions/{version}/actions/{written}/invoke");
            assert_eq!(told.body["request"]["url"], url);
            told.body["error"]["message"] = json!("");
            told.body["request"]["url"] = json!("");
            told.headers.remove("date");
            told.headers.remove("content-length");
            let same = same.get_or_insert((told.headers.clone(), told.body.clone()));
            assert_eq!((&same.0, &same.1), (&told.headers, &told.body), "{written}");
        }
    }
    let long = told(door.invoke(&viewer, "v1", &"a".repeat(20_000), "")).await;
    assert!(failed(&long).1.len() < 400, "{long:?}");
    let lines = door.audited(asked + 1).await;
    assert_eq!(lines.len(), asked + 1, "one line each");
    assert!(
        lines.iter().all(|line| line["door"] == "backstage" && line["outcome"] == "unknown_tool"),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line["decision"] == "deny" && line["missing"][0] == "kro.resource-graph.show")
    );
    assert!(lines.iter().any(|line| line["tool"] == "catalog:whoami"), "what was asked for is in the log");
    assert!(
        !door.server.read("audit.log").contains("s3cr3t-planted")
            && !door.server.said().contains("s3cr3t-planted")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_is_taken_however_it_is_sent_and_what_is_wrong_with_it_is_said() {
    let door = Door::open("audit: {to: audit.log}\nlimits: {requestsPerSecond: 100000, burst: 100000}\n");
    let viewer = token("door-input", VIEWERS).await;
    let id = "platform-mcp%3Awhoami";
    let mut asked = 0;
    for (version, kind, body) in [
        ("v1", None, ""),
        ("v1", Some("application/json"), ""),
        ("v1", Some("application/json; charset=utf-8"), " \r\n"),
        ("v1", Some("application/json; charset=utf-8"), "{}"),
        ("v1", Some("text/plain"), "{}"),
        ("v2", Some("application/json"), ""),
        ("v2", Some("application/json"), "{}"),
        ("v2", Some("application/json"), r#"{"input":{}}"#),
        ("v2", Some("application/json"), r#"{"input":null,"secrets":null}"#),
        ("v2", Some("application/json"), r#"{"input":{},"secrets":{}}"#),
    ] {
        for id in [id, "platform-mcp:whoami", "platform-mcp%3awhoami"] {
            let mut request = door.invoke(&viewer, version, id, body);
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let told = told(request).await;
            asked += 1;
            assert_eq!(told.status, 200, "{version} {kind:?} {body:?} {id}: {told:?}");
            assert_eq!(told.body["output"]["subject"], "user:default/door-input", "{told:?}");
            assert_eq!(told.body.as_object().unwrap().len(), 1, "{told:?}");
        }
    }
    let wrong = [
        "a list",
        "not valid JSON",
        "a member twice",
        "deeper than 64",
        "1500000 bytes",
        "UTF-8",
        "\"secrets\"",
        "\"inputs\"",
    ];
    for ((version, body), said) in bodies().into_iter().skip(2).zip(wrong) {
        let told = told(door.invoke(&viewer, version, id, body)).await;
        asked += 1;
        let (name, message) = failed(&told);
        assert!(
            name == "InputError" && message.contains(said) && message.contains("Next: "),
            "{said}: {told:?}"
        );
        assert!(!told.body.to_string().contains("s3cr3t-planted"), "{told:?}");
    }
    let zipped = door.invoke(&viewer, "v1", id, "{}").header("content-encoding", "gzip");
    assert!(failed(&told(zipped).await).1.contains("Content-Encoding"));
    let more = told(door.invoke(&viewer, "v1", id, r#"{"nothing":"of the kind"}"#)).await;
    assert_eq!(failed(&more).0, "InputError");
    assert!(failed(&more).1.contains("\"nothing\""), "{more:?}");
    let lines = door.audited(asked + 2).await;
    let of = |outcome: &str| {
        lines.iter().filter(|line| line["outcome"] == outcome && line["tool"] == "whoami").count()
    };
    assert_eq!((lines.len(), of("ok"), of("invalid_input")), (asked + 2, 30, 10), "{lines:?}");
    assert!(
        !door.server.read("audit.log").contains("s3cr3t-planted")
            && !door.server.said().contains("s3cr3t-planted")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_planned_by_one_invocation_and_made_by_another_with_an_input_of_150_kb() {
    let recorder = Recorder::start().await;
    let door = Door::open(&format!(
        "clusters: {{kubeconfig: {{enabled: false}}, static: [{{name: lab, url: {}, token: t, identity: own}}]}}\n",
        recorder.url
    ));
    let operator = token("door-writer", OPERATORS).await;
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "a"},
        "data": {"a": "b".repeat(150_000)}});
    let mut input =
        json!({"method": "POST", "path": "/api/v1/namespaces/a/configmaps", "body": object.to_string()});
    let id = "platform-mcp%3Akubernetes_proxy_write";
    let planned = told(door.invoke(&operator, "v1", id, input.to_string())).await;
    assert_eq!(planned.body["output"]["change"], "planned", "{planned:?}");
    input["plan"] = planned.body["output"]["plan"].clone();
    let made = told(door.invoke(&operator, "v2", id, json!({"input": input}).to_string())).await;
    assert_eq!(made.body["output"]["change"], "made", "{made:?}");
    let (arrived, _) = recorder.take();
    let posts: Vec<_> = arrived.iter().filter(|arrived| arrived.line.starts_with("POST ")).collect();
    assert!(posts.iter().all(|post| post.body.len() > 150_000));
    let real = posts.iter().filter(|post| !post.line.contains("dryRun=All"));
    assert_eq!((posts[0].line.contains("dryRun=All"), real.count()), (true, 1));

    // what was not done is no output, which whoever goes on after one takes for done
    input["plan"] = json!("of somebody else");
    let refused = told(door.invoke(&operator, "v1", id, input.to_string())).await;
    assert_ne!(refused.status, 200, "{refused:?}");
    failed(&refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_served_is_not_found_in_backstages_form_and_by_nobody_without_a_token() {
    let door = Door::open("audit: {to: 'off'}\n");
    let viewer = token("door-paths", VIEWERS).await;
    let invoke = "/.backstage/actions/v1/actions/platform-mcp%3Awhoami/invoke";
    for (method, below) in [
        (Method::GET, invoke),
        (Method::PUT, invoke),
        (Method::POST, "/.backstage/actions/v1/actions"),
        (Method::GET, "/.backstage/actions/v2/actions"),
        (Method::GET, "/.backstage/actions/v1/actions/"),
        (Method::POST, "/.backstage/auth/v1/jwks.json"),
        (Method::POST, "/.well-known/backstage/permissions/apply-conditions"),
        (Method::GET, ""),
        (Method::GET, "/"),
        (Method::GET, "/nothing?access=s3cr3t"),
    ] {
        let found = told(door.request(method.clone(), below).bearer_auth(&viewer)).await;
        assert_eq!(failed(&found).0, "NotFoundError", "{method} {below}");
        assert!(!found.body.to_string().contains("s3cr3t"), "{found:?}");
        for token in ["", "not.a.token"] {
            let mut nobody = door.request(method.clone(), below);
            if !token.is_empty() {
                nobody = nobody.bearer_auth(token);
            }
            let nobody = told(nobody).await;
            assert_eq!(failed(&nobody).0, "AuthenticationError", "{method} {below}");
            let challenge = nobody.headers["www-authenticate"].to_str().unwrap();
            assert!(!challenge.contains("resource_metadata"), "{challenge}");
        }
    }
    for (name, value, said) in
        [("host", "evil.example", "http.allowedHosts"), ("origin", "https://evil.example", "Origin")]
    {
        let odd = told(door.list(&viewer).header(name, value)).await;
        let (name, message) = failed(&odd);
        assert!(name == "NotAllowedError" && message.contains(said), "{odd:?}");
    }

    let keys = "/.backstage/auth/v1/jwks.json";
    let set = told(door.request(Method::GET, keys)).await;
    assert_eq!((set.status, &set.headers["cache-control"]), (200, &"public, max-age=60".parse().unwrap()));
    let published = set.body["keys"].as_array().unwrap();
    assert!(
        !published.is_empty() && published.iter().all(|key| key["kty"] == "EC" && key.get("d").is_none())
    );
    let head = door.request(Method::HEAD, keys).send().await.unwrap();
    assert_eq!(head.headers()["content-length"].to_str().unwrap(), set.body.to_string().len().to_string());
    assert!(head.bytes().await.unwrap().is_empty());
    let metadata = "/.well-known/backstage/permissions/metadata";
    let permissions = told(door.request(Method::GET, metadata).bearer_auth(&viewer)).await;
    assert!(
        permissions.body["permissions"].as_array().unwrap().len() > 20
            && permissions.body["rules"] == json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_answered_while_every_place_for_calls_is_taken_and_a_flood_of_them_is_its_senders_alone() {
    let silent = Silent::start();
    let door = Door::open(&format!(
        "{}audit: {{to: 'off'}}\nlimits: {{concurrentCalls: 2, requestsPerSecond: 5, burst: 20}}\n",
        hanging(&silent)
    ));
    let operator = token("door-lists", OPERATORS).await;
    let call = || door.invoke(&operator, "v1", "platform-mcp%3Akubernetes_proxy", r#"{"path":"/api"}"#);
    let calls: Vec<_> = (0..2).map(|_| tokio::spawn(call().send())).collect();
    let _connections = (silent.asked().await, silent.asked().await);
    let busy = told(call()).await;
    assert_eq!(failed(&busy).0, "ServiceUnavailableError");
    assert!(busy.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);

    // 20 calls at once are allowed, and Backstage lists before each: 60 lists are none too many
    let lists = futures::future::join_all((0..60).map(|_| door.list(&operator).send())).await;
    assert!(lists.into_iter().all(|list| list.unwrap().status() == StatusCode::OK));
    let mut refused = None;
    for _ in 0..20 {
        let lists = futures::future::join_all((0..50).map(|_| told(door.list(&operator)))).await;
        refused = lists.into_iter().find(|list| list.status != 200);
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.expect("there is an end to it");
    assert_eq!(failed(&refused).0, "ServiceUnavailableError");
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    let other = told(door.list(&token("door-neighbour", VIEWERS).await)).await;
    assert_eq!(other.status, 200, "all users of Backstage come from one address");
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_from_backstages_address_do_not_lock_out_its_users() {
    let door = Door::open("audit: {to: 'off'}\n");
    let viewer = token("door-flood", VIEWERS).await;
    let mut names = Vec::new();
    for _ in 0..30 {
        for bad in futures::future::join_all((0..50).map(|_| told(door.list("not.a.token")))).await {
            names.push(failed(&bad).0.to_owned());
        }
    }
    assert!(names.iter().any(|name| name == "AuthenticationError"));
    assert!(names.iter().any(|name| name == "ServiceUnavailableError"), "a flood is told to wait");
    assert_eq!(told(door.list(&viewer)).await.status, 200);
    assert_eq!(told(door.invoke(&viewer, "v1", "platform-mcp%3Awhoami", "")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_ends_when_backstage_drops_the_connection() {
    let silent = Silent::start();
    let door = Door::open(&format!("{}audit: {{to: audit.log}}\n", hanging(&silent)));
    let operator = token("door-leaver", OPERATORS).await;
    let invoke = door.invoke(&operator, "v1", "platform-mcp%3Akubernetes_proxy", r#"{"path":"/api"}"#);
    let waiting = tokio::spawn(invoke.send());
    let upstream = silent.asked().await;
    waiting.abort();
    assert!(upstream.closed(Duration::from_secs(5)).await, "nobody waits for it any more");
    let line = door.audited(1).await.remove(0);
    assert_eq!((&line["outcome"], &line["door"]), (&json!("cancelled"), &json!("backstage")), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_nobody_can_decide_on_is_refused_in_bounded_time() {
    let backstage = Backstage::start(Options::default());
    let config = format!("{}audit: {{to: 'off'}}\n", backstage.entry(""));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    backstage.front().to(server.address());
    let door = Door { server, http: reqwest::Client::new() };
    let token = backstage.plugin_token("user:default/alice", &[VIEWERS]).await;
    backstage.between().when("/api/permission/", Fault::Hang);
    for _ in 0..2 {
        let began = Instant::now();
        let list = told(door.list(&token)).await;
        let took = began.elapsed();
        assert_eq!(failed(&list).0, "ServiceUnavailableError");
        assert!(
            list.headers.contains_key("retry-after") && took < Duration::from_secs(5),
            "{took:?} {list:?}"
        );
    }
    backstage.between().heal();
    let began = Instant::now();
    while told(door.list(&token)).await.status != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "it is asked again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn asked_under_another_id_the_server_says_its_own() {
    let backstage = Backstage::start(Options::default());
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&backstage.entry("")).serve();
    let url = server.url("/api/platform/.backstage/actions/v1/actions");
    let answer = reqwest::Client::new().get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 404);
    let body: Value = answer.json().await.expect("Backstage's form");
    assert_eq!(
        (&body["error"]["name"], &body["response"]["statusCode"]),
        (&"NotFoundError".into(), &404.into())
    );
    assert!(
        body["error"]["message"].as_str().is_some_and(|said| said.contains("\"platform-mcp\"")),
        "{body}"
    );
}
