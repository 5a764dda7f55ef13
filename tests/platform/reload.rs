//! The configuration changes while the server runs: a good one is taken up under running calls, a bad one
//! is kept out and said, and what was served goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    faulty::Faulty,
    issuer::Issuer,
    mcp::Mcp,
    server::{Product, Server},
    silent::Silent,
};

/// As good as no limit on how often one caller may ask.
const UNLIMITED: &str = "limits: {requestsPerSecond: 1000000, burst: 1000000, concurrentCalls: 10000}\n";
const VIEWER: &str = "[{when: {groups: team-a}, roles: [viewer]}]";
const NOBODY: &str = "[{when: {groups: team-z}, roles: [viewer]}]";

/// A configuration that knows no cluster and one issuer.
pub(crate) fn config(issuer: &Issuer, rules: &str) -> String {
    format!("issuers: [{}]\n{UNLIMITED}", issuer.entry(rules))
}

pub(crate) fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

/// Takes up a configuration at once, and waits until it holds.
pub(crate) fn reload(server: &Server, config: &str) {
    let before = count(&server.said(), "it holds from now on");
    server.reconfigure(config);
    server.hang_up();
    server.wait_for(|said| (count(said, "it holds from now on") > before).then_some(()));
}

fn count(said: &str, what: &str) -> usize {
    said.matches(what).count()
}

async fn tools(client: &Mcp) -> usize {
    client.list_tools().await.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_change_under_load_without_a_failed_call() {
    let issuer = Issuer::start();
    let server = serve(&config(&issuer, VIEWER));
    let token = issuer.forge().good("alice");
    let over = Arc::new(AtomicBool::new(false));
    let caller = || {
        let (client, over) = (Mcp::with_token(server.url("/mcp"), &token), Arc::clone(&over));
        tokio::spawn(async move {
            let mut calls = 0;
            while !over.load(Ordering::Relaxed) {
                let answer = client.call("whoami", json!({})).await;
                assert!(!answer.is_error, "{}", answer.text);
                assert_eq!(answer.structure["username"], "alice");
                calls += 1;
            }
            calls
        })
    };
    let callers: Vec<_> = (0..4).map(|_| caller()).collect();
    let client = Mcp::with_token(server.url("/mcp"), &token);
    let all = tools(&client).await;
    for round in 0..10 {
        tokio::task::block_in_place(|| reload(&server, &config(&issuer, NOBODY)));
        assert_eq!(tools(&client).await, 1, "round {round}: whoami alone");
        tokio::task::block_in_place(|| reload(&server, &config(&issuer, VIEWER)));
        assert_eq!(tools(&client).await, all, "round {round}");
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        let calls = caller.await.expect("no call fails");
        assert!(calls > 20, "{calls} calls beside 20 changes");
    }
    assert_eq!(issuer.count("/jwks"), 1, "an issuer that is configured as before keeps its keys");
    let said = server.said();
    let (first, last) = (said.find("\"call\":\"").unwrap(), said.rfind("\"call\":\"").unwrap());
    let process = |at: usize| said[at + 8..at + 16].to_owned();
    assert_eq!(process(first), process(last), "calls are numbered on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_wrong_is_kept_out_and_the_old_rules_hold() {
    let issuer = Issuer::start();
    let server = serve(&config(&issuer, VIEWER));
    let client = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let all = tools(&client).await;
    let good = config(&issuer, VIEWER);
    for (refused, (wrong, said)) in (1..).zip([
        (format!("{good}clustres: {{}}\n"), "line 3: clustres: there is no such key"),
        (format!("{good}roles: [\n"), "not valid YAML"),
        (config(&issuer, "[{when: {groups: team-a}, roles: [viewr]}]"), "viewr"),
        (config(&issuer, "[{when: {groups: team-a}, rules: [viewer]}]"), "issuers[0].rules[0].rules"),
        (format!("{good}sealKey: planted-key\n"), "sealKey: must have at least"),
        (format!("{good}audit: {{to: $"), "line 3"),
        // what a file is while it is written, and what would let everybody in
        (String::new(), "issuers: there are none any more"),
        (UNLIMITED.to_owned(), "issuers: there are none any more"),
        (good[..good.len() / 2].to_owned(), "line "),
    ]) {
        server.reconfigure(&wrong);
        server.hang_up();
        server.wait_for(|text| (count(text, "the configuration before it goes on") == refused).then_some(()));
        let line = server.said();
        let line = line.lines().rfind(|line| line.contains("goes on")).expect("a line");
        assert!(
            line.contains("ERROR") && line.contains("platform-mcp.yaml: ") && line.contains(said),
            "{line}"
        );
        assert!(!line.contains("planted"), "{line}");
        assert_eq!(tools(&client).await, all, "{wrong}");
    }
    reload(&server, &config(&issuer, NOBODY));
    assert_eq!(tools(&client).await, 1, "back to good works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_noticed_without_being_told() {
    let issuer = Issuer::start();
    let server = serve(&config(&issuer, VIEWER));
    let client = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    assert!(tools(&client).await > 1);
    server.reconfigure(&config(&issuer, NOBODY));
    server.wait_for(|said| said.contains("it holds from now on").then_some(()));
    assert_eq!(tools(&client).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_a_restart_is_said() {
    let issuer = Issuer::start();
    let server = serve(&config(&issuer, VIEWER));
    let more = "sealKey: 0123456789abcdef\naudit: {to: off}\nmetrics: {address: '127.0.0.1:1'}\n\
        http: {allowedHosts: [a.example], trustedProxies: [192.0.2.1], url: 'https://mcp.example/mcp'}\n";
    reload(&server, &format!("{}{more}", config(&issuer, VIEWER)));
    let said = server.said();
    for key in
        ["sealKey", "audit.to", "metrics.address", "http.allowedHosts", "http.trustedProxies", "http.url"]
    {
        let told = said.lines().any(|line| line.contains(key) && line.contains("needs a restart"));
        assert!(told, "{key}: {said}");
    }
    assert!(!said.contains("0123456789abcdef"), "{said}");
    let client = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    assert!(!client.call("whoami", json!({})).await.is_error);
    server.wait_for(|said| said.contains("\"tool\":\"whoami\"").then_some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_that_is_taken_away_refuses_tokens_from_then_on() {
    let issuer = Issuer::start();
    let good = config(&issuer, VIEWER);
    let server = serve(&good);
    let client = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    assert!(tools(&client).await > 1);
    reload(&server, &good.replace("platform-mcp.test", "elsewhere.test"));
    assert_eq!(client.request("tools/list", json!({})).await.status, 401);
    reload(&server, &good);
    assert!(tools(&client).await > 1);
}

#[test]
fn flags_hold_over_a_changed_file() {
    let mut server = Product::new(["--role", "viewer"]).config("local: {role: admin}\n").stdio();
    let roles = |answer: &Value| answer["result"]["structuredContent"]["rules"].to_string();
    let whoami = json!({"name": "whoami", "arguments": {}});
    let before = roles(&server.request(1, "tools/call", &whoami));
    assert!(before.contains("viewer"), "{before}");
    server.write("platform-mcp.yaml", "local: {role: operator}\n");
    server.wait_for(|said| said.contains("it holds from now on").then_some(()));
    assert_eq!(roles(&server.request(2, "tools/call", &whoami)), before);
}

#[test]
fn the_local_user_of_stdio_has_the_role_that_the_file_gives_now() {
    let mut server = Product::new([""; 0]).config("roles: {none: {}}\nlocal: {role: none}\n").stdio();
    let listed = |answer: &Value| answer["result"]["tools"].as_array().expect("tools").len();
    assert_eq!(listed(&server.request(1, "tools/list", &json!({}))), 1);
    server.write("platform-mcp.yaml", "local: {role: viewer}\n");
    server.wait_for(|said| said.contains("it holds from now on").then_some(()));
    assert!(listed(&server.request(2, "tools/list", &json!({}))) > 1);
    // issuers are there now, and nothing says that the local user still may
    let entry = "issuers: [{url: 'https://issuer.example', audiences: [a], rules: []}]\n";
    server.write("platform-mcp.yaml", entry);
    server.wait_for(|said| (count(said, "it holds from now on") == 2).then_some(()));
    let whoami = json!({"name": "whoami", "arguments": {}});
    let answer = server.request(3, "tools/call", &whoami);
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(answer.to_string().contains("PLATFORM_MCP_TOKEN"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_that_stay_keep_what_is_known_of_them() {
    let (issuer, upstream) = (Issuer::start(), Faulty::start().await);
    let with = |more: &str| {
        let lab = format!("{{name: lab, url: \"{}\", token: sample}}", upstream.url);
        format!("clusters: {{default: lab, static: [{lab}{more}]}}\n{}", config(&issuer, VIEWER))
    };
    let server = serve(&with(""));
    let client = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let discovered =
        || upstream.seen().iter().filter(|path| path.starts_with("/apis?") || *path == "/apis").count();
    assert!(!client.call("kro_instances", json!({})).await.is_error);
    let before = discovered();
    assert!(before > 0, "{:?}", upstream.seen());
    reload(&server, &with(", {name: other, url: 'https://127.0.0.1:1'}"));
    let clusters = client.call("kubernetes_clusters", json!({})).await;
    assert!(clusters.text.contains("other"), "{}", clusters.text);
    assert!(!client.call("kro_instances", json!({"cluster": "lab"})).await.is_error);
    assert_eq!(discovered(), before, "it is discovered once");
    reload(&server, &with("").replace("token: sample", "token: another"));
    assert!(!client.call("kro_instances", json!({})).await.is_error);
    assert!(discovered() > before, "another credential may see something else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_runs_goes_on_under_what_it_began_with() {
    let upstream = Silent::start();
    let config = format!("{}limits: {{callSeconds: 3}}\n", upstream.config());
    let server = serve(&config);
    let client = Mcp::new(server.url("/mcp"));
    let call = tokio::spawn(async move { client.try_call("kro_instances", json!({})).await });
    let connection = upstream.asked().await;
    reload(&server, "roles: {none: {}}\nlocal: {role: none}\n");
    assert!(!connection.closed(Duration::from_millis(500)).await, "its request is not broken off");
    let answer = call.await.expect("no panic").expect("an answer, though not from the cluster");
    assert!(answer.is_error || answer.text.contains("silent"), "{}", answer.text);
    let client = Mcp::new(server.url("/mcp"));
    assert_eq!(tools(&client).await, 1, "the next one is under the new rules");
}

/// To open a pipe that nobody writes to would never end.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_place_of_the_file_is_kept_out_and_the_next_file_is_read() {
    let issuer = Issuer::start();
    let server = serve(&config(&issuer, VIEWER));
    let client = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let all = tools(&client).await;
    let pipe = server.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    std::fs::rename(pipe, server.path("platform-mcp.yaml")).expect("one takes the place of the other");
    server.hang_up();
    let line =
        "the configuration cannot be read: it is not a regular file; the configuration before it goes on";
    server.wait_for(|said| said.contains(line).then_some(()));
    assert_eq!(tools(&client).await, all);

    reload(&server, &config(&issuer, NOBODY));
    assert_eq!(tools(&client).await, 1, "whoami alone");

    reload(&server, &config(&issuer, VIEWER));
    assert_eq!(tools(&client).await, all);
}
