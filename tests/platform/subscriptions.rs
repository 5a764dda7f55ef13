//! `subscriptions/listen`, and what the older era has instead: whose own list has changed is told, nobody
//! else, and streams are bounded in number and in time.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    forge::now,
    issuer::Issuer,
    listen::Listen,
    mcp::{LEGACY, Mcp, stateless},
    reload::{config, reload, serve},
    server::Product,
};

/// In which a message that does not come would have come.
const QUIET: Duration = Duration::from_millis(700);

fn rules(team_a: &str, team_b: &str) -> String {
    format!(
        "[{{when: {{groups: team-a}}, roles: [{team_a}]}}, {{when: {{groups: team-b}}, roles: [{team_b}]}}]"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_are_told_whose_list_has_changed() {
    let issuer = Issuer::start();
    let with = |a: &str, b: &str| {
        format!(
            "{}roles: {{few: {{allow: [kubernetes.clusters.read]}}, looker: {{include: [viewer]}}}}\n",
            config(&issuer, &rules(a, b))
        )
    };
    let server = serve(&with("viewer", "viewer"));
    let client = |name: &str| Mcp::with_token(server.url("/mcp"), &issuer.forge().good(name));
    let (alice, bob) = (client("alice"), client("bob"));
    let (mut of_alice, mut of_bob) = (Listen::begin(&alice, "a").await, Listen::begin(&bob, "b").await);
    let before = alice.list_tools().await;
    reload(&server, &with("few", "viewer"));
    of_alice.changed().await;
    assert!(alice.list_tools().await.len() < before.len(), "the new list is there when it is told");
    assert_eq!(of_bob.next(QUIET).await, None);
    // another role of the same tools, and a file of the same rules: nothing that a list says
    reload(&server, &format!("{}\n", with("few", "looker")));
    assert_eq!((of_alice.next(QUIET).await, of_bob.next(QUIET).await), (None, None));
    reload(&server, &with("viewer", "few"));
    of_alice.changed().await;
    of_bob.changed().await;
    assert_eq!((of_alice.next(QUIET).await, of_bob.next(QUIET).await), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_the_new_rules_do_not_take_ends_its_subscription() {
    let issuer = Issuer::start();
    let good = config(&issuer, &rules("viewer", "viewer"));
    let server = serve(&good);
    let alice = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let mut stream = Listen::begin(&alice, "a").await;
    reload(&server, &good.replace("platform-mcp.test", "elsewhere.test"));
    stream.ended(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_ends_with_its_token_and_with_the_server() {
    let issuer = Issuer::start();
    let mut server = serve(&config(&issuer, &rules("viewer", "viewer")));
    let forge = issuer.forge();
    let mut claims = forge.claims("alice");
    claims["exp"] = json!(now() + 3);
    let short = Mcp::with_token(server.url("/mcp"), &forge.claiming(&claims));
    let long = Mcp::with_token(server.url("/mcp"), &forge.good("alice"));
    let (mut short, mut long) = (Listen::begin(&short, "s").await, Listen::begin(&long, "l").await);
    short.ended(Duration::from_secs(6)).await;
    assert_eq!(long.next(QUIET).await, None);
    server.terminate();
    let began = Instant::now();
    long.ended(Duration::from_secs(3)).await;
    assert!(server.ended(Duration::from_secs(3)).success());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_stream_is_no_idle_connection_and_says_that_it_lives() {
    let issuer = Issuer::start();
    let with =
        |a: &str| config(&issuer, &rules(a, "viewer")).replace("limits: {", "limits: {idleSeconds: 1, ");
    let server = serve(&with("viewer"));
    let alice = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let mut stream = Listen::begin(&alice, "a").await;
    let began = stream.heard;
    assert_eq!(stream.next(Duration::from_secs(17)).await, None);
    assert!(stream.heard > began, "a comment every 15 seconds");
    reload(&server, &with("operator]}, {when: {groups: team-a}, deny: ['kro.*'"));
    stream.changed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_only_so_many() {
    let issuer = Issuer::start();
    let with = |limits: &str| config(&issuer, &rules("viewer", "viewer")).replace("limits: {", limits);
    let server = serve(&with("limits: {subscriptions: 3, subscriptionsPerCaller: 2, "));
    let client = |name: &str| Mcp::with_token(server.url("/mcp"), &issuer.forge().good(name));
    let refused = async |client: &Mcp, why: &str| {
        let mut stream = Listen::begin(client, "r").await;
        let error = stream.next(Duration::from_secs(5)).await.expect("an error");
        let said = error["error"]["message"].as_str().expect("a message");
        assert!(said.contains(why), "{error}");
        assert_eq!(stream.next(Duration::from_secs(5)).await, None);
    };
    let (alice, bob) = (client("alice"), client("bob"));
    let first = Listen::begin(&alice, "1").await;
    let _second = Listen::begin(&alice, "2").await;
    refused(&alice, "you have 2 subscriptions").await;
    let mut third = Listen::begin(&bob, "3").await;
    refused(&bob, "the server has as many").await;
    drop(first);
    // the place is free as soon as the server sees that the client has gone
    let began = Instant::now();
    let mut fourth = Listen::begin(&bob, "4").await;
    while fourth.next(Duration::from_millis(300)).await.is_some() {
        assert!(began.elapsed() < Duration::from_secs(10), "the place is not given back");
        fourth = Listen::begin(&bob, "4").await;
    }
    assert_eq!(third.next(QUIET).await, None, "others are left alone");
    assert!(!bob.call("whoami", json!({})).await.is_error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_offered_is_not_subscribed_to() {
    let issuer = Issuer::start();
    let server = serve(&config(&issuer, &rules("viewer", "viewer")));
    let alice = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let offered = alice.result("server/discover", json!({})).await.expect("an answer");
    assert_eq!(offered["capabilities"]["tools"], json!({"listChanged": true}), "{offered}");
    for filter in [
        json!({}),
        json!({"toolsListChanged": false}),
        json!({"promptsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": ["a://b"]}),
    ] {
        let mut stream = Listen::ask(&alice, "n", &filter).await;
        let first = stream.next(Duration::from_secs(5)).await.expect("an acknowledgement");
        assert_eq!(first["params"]["notifications"], json!({}), "{filter}: {first}");
        stream.ended(Duration::from_secs(5)).await;
    }
    // nobody has one without a token
    let body = alice.message(&json!(1), "subscriptions/listen", &json!({"notifications": {}}));
    let stranger = Mcp::new(server.url("/mcp")).http_request(&body).send().await.expect("an answer");
    assert_eq!(stranger.status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_answer_waits_for_no_acknowledgement_of_tcp() {
    let issuer = Issuer::start();
    let server = serve(&config(&issuer, &rules("viewer", "viewer")));
    let alice = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let mut times = Vec::new();
    for _ in 0..21 {
        let began = Instant::now();
        let mut stream = Listen::ask(&alice, "n", &json!({})).await;
        while stream.next(Duration::from_secs(5)).await.is_some() {}
        times.push(began.elapsed());
    }
    times.sort_unstable();
    // Nagle's delay alone is 40 ms
    assert!(times[10] < Duration::from_millis(30), "{times:?}");
}

const NONE: &str = "roles: {none: {}}\nlocal: {role: none}\n";
const VIEWER: &str = "local: {role: viewer}\n";

#[test]
fn over_stdio_each_era_is_told_in_its_own_way() {
    for older in [false, true] {
        let mut server = Product::new([""; 0]).config(NONE).stdio();
        if older {
            let client = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
            let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client});
            server.send_line(hello.to_string());
            let answer = server.answer_to(&json!(1));
            assert_eq!(answer["result"]["capabilities"]["tools"], json!({"listChanged": true}), "{answer}");
            for _ in 0..3 {
                server
                    .send_line(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
            }
        } else {
            let listen = json!({"notifications": {"toolsListChanged": true}});
            server.send_line(stateless(&json!(1), "subscriptions/listen", &listen).to_string());
            let first = server.receive(Duration::from_secs(5)).expect("an acknowledgement");
            assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        }
        server.write("platform-mcp.yaml", VIEWER);
        let told = server.receive(Duration::from_secs(20)).expect("a notification");
        assert_eq!(told["method"], "notifications/tools/list_changed", "older {older}: {told}");
        let id = &told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert_eq!(id.is_null(), older, "{told}");
        assert_eq!(server.receive(QUIET), None, "older {older}: once");
        // a host that goes away is not waited for
        server.end_input();
        assert!(server.ended(Duration::from_secs(2)).success(), "older {older}");
    }
}

#[test]
fn a_client_over_stdio_cancels_its_subscription() {
    let mut server = Product::new([""; 0]).config(NONE).stdio();
    let listen = json!({"notifications": {"toolsListChanged": true}});
    server.send_line(stateless(&json!(7), "subscriptions/listen", &listen).to_string());
    server.receive(Duration::from_secs(5)).expect("an acknowledgement");
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    server.send_line(cancel.to_string());
    server.write("platform-mcp.yaml", VIEWER);
    server.wait_for(|said| said.contains("it holds from now on").then_some(()));
    let answer = server.receive(QUIET);
    assert!(answer.is_none_or(|message| message["method"].is_null()), "no notification after it");
}
