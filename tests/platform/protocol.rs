//! The protocol on the wire over HTTP, as a client with no SDK sees it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use reqwest::{Method, Version, header};
use serde_json::{Value, json};

use crate::{
    mcp::{LEGACY, Mcp, Reply, STATELESS, stateless},
    server::{Product, Server},
    silent::Silent,
};

/// The body limit of the HTTP door.
const MAX_REQUEST: usize = 1 << 20;
/// What cancelling may take until the upstream connection is closed.
const SOON: Duration = Duration::from_secs(1);

fn whoami() -> Value {
    stateless(&json!(1), "tools/call", &json!({"name": "whoami", "arguments": {}}))
}

async fn sent(request: reqwest::RequestBuilder) -> Reply {
    Reply::read(request.send().await.expect("the server answers")).await
}

/// A refusal is JSON-RPC, whatever was wrong.
fn refused(reply: &Reply, status: u16, code: i64) {
    assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.text);
    assert_eq!(reply.message["jsonrpc"], "2.0", "{}", reply.text);
    assert!(reply.header("content-type").starts_with("application/json"), "{:?}", reply.headers);
}

#[tokio::test]
async fn both_paths_and_both_eras_answer() {
    let server = Server::start();
    for path in ["/mcp", "/mcp/"] {
        for mcp in [Mcp::new(server.url(path)), Mcp::legacy(server.url(path))] {
            let answer = mcp.call("whoami", json!({})).await;
            assert_eq!((answer.is_error, &answer.structure["username"]), (false, &json!("local")), "{path}");
        }
    }
    let other = Mcp::new(server.url("/other")).request("tools/list", json!({})).await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn an_older_client_shakes_hands_and_a_newer_one_discovers() {
    let server = Server::start();
    let legacy = Mcp::legacy(server.url("/mcp"));
    for (asked, answered) in
        [("2025-06-18", "2025-06-18"), (LEGACY, LEGACY), ("1999-01-01", LEGACY), (STATELESS, LEGACY)]
    {
        let client = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
        let result = legacy.result("initialize", client).await.expect("initialize is answered");
        assert_eq!(result["protocolVersion"], answered, "asked for {asked}");
        let offered = json!({"tools": {}, "prompts": {}, "resources": {}, "completions": {}});
        assert_eq!(result["capabilities"], offered);
        assert_eq!(result["serverInfo"]["name"], "platform-mcp");
    }
    // a client that says nothing of its version is one of the oldest
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let silent = reqwest::Client::new()
        .post(server.url("/mcp"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .body(body.to_string());
    assert!(sent(silent).await.result().is_ok());

    let found = Mcp::new(server.url("/mcp")).result("server/discover", json!({})).await;
    let found = found.expect("server/discover is answered");
    let versions = found["supportedVersions"].as_array().expect("versions");
    assert!(versions.contains(&json!(STATELESS)) && versions.contains(&json!(LEGACY)), "{found}");
    assert_eq!(found["capabilities"].as_object().map(serde_json::Map::len), Some(4), "{found}");
    assert!(found["ttlMs"].is_u64() && found["cacheScope"].is_string(), "{found}");
    assert!(found["instructions"].as_str().is_some_and(|text| text.len() < 2_048), "{found}");
}

#[tokio::test]
async fn http_1_and_http_2() {
    let server = Server::start();
    let builder = reqwest::Client::builder;
    for (http, version) in [
        (builder().http1_only().build(), Version::HTTP_11),
        (builder().http2_prior_knowledge().build(), Version::HTTP_2),
    ] {
        let mcp = Mcp::new(server.url("/mcp")).over(http.expect("an HTTP client"));
        let response = mcp.http_request(&whoami()).send().await.expect("an answer");
        assert_eq!(response.version(), version);
        assert!(Reply::read(response).await.result().is_ok());
    }
}

#[tokio::test]
async fn only_known_origins_and_hosts() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    let with = |name, value: &str| sent(mcp.http_request(&whoami()).header(name, value));
    for origin in
        ["https://evil.example.com", "null", "http://localhost.evil.example.com", "http://127.0.0.1.nip.io"]
    {
        refused(&with(header::ORIGIN, origin).await, 403, -32600);
    }
    for origin in ["http://localhost:6274", "http://127.0.0.1:3000", "http://[::1]:80"] {
        assert_eq!(with(header::ORIGIN, origin).await.status, 200, "{origin}");
    }
    for host in ["evil.example.com", "evil.example.com:80", "localhost.evil.example.com"] {
        refused(&with(header::HOST, host).await, 403, -32600);
    }
    for host in ["localhost", "127.0.0.1:9"] {
        assert_eq!(with(header::HOST, host).await.status, 200, "{host}");
    }
    // a name that an attacker's DNS moved to this address; HTTP/2 has no Host header
    for http in [reqwest::Client::builder().http1_only(), reqwest::Client::builder().http2_prior_knowledge()]
    {
        let http = http.resolve("rebound.example.com", server.address()).build().expect("an HTTP client");
        let url = format!("http://rebound.example.com:{}/mcp", server.address().port());
        refused(&sent(Mcp::new(url).over(http).http_request(&whoami())).await, 403, -32600);
    }
}

#[tokio::test]
async fn an_operator_adds_hosts_and_origins() {
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config("http: {allowedHosts: [mcp.example.com], allowedOrigins: ['https://portal.example.com']}\n")
        .serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let with = |host: &str, origin: &str| {
        sent(mcp.http_request(&whoami()).header(header::HOST, host).header(header::ORIGIN, origin))
    };
    assert_eq!(with("mcp.example.com", "https://portal.example.com").await.status, 200);
    assert_eq!(with("mcp.example.com", "http://portal.example.com").await.status, 403);
    assert_eq!(with("mcp.example.org", "https://portal.example.com").await.status, 403);
}

#[tokio::test]
async fn a_client_that_accepts_anything_is_answered() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    for accept in ["*/*", "application/json, */*;q=0.5", "text/event-stream, application/json"] {
        let mut request = mcp.http_request(&whoami()).build().expect("a request");
        request.headers_mut().insert(header::ACCEPT, accept.parse().expect("a header"));
        let reply = Reply::read(reqwest::Client::new().execute(request).await.expect("an answer")).await;
        assert_eq!(reply.status, 200, "{accept}: {}", reply.text);
    }
    // answers hold what a caller may see: no cache on the way may keep one
    let reply = sent(mcp.http_request(&whoami())).await;
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_body_that_is_not_one_message_is_refused() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    let batch = json!([whoami(), whoami()]).to_string();
    let id_missing_method = json!({"jsonrpc": "2.0", "id": 1}).to_string();
    for body in
        ["", "{", "{\"jsonrpc\": \"2.0\", \"id\"", "nothing", "42", "null", &batch, &id_missing_method]
    {
        let reply = sent(mcp.http_request(&whoami()).body(body.to_owned())).await;
        refused(&reply, 400, -32700);
    }
    let reply = sent(mcp.http_request(&whoami()).body(vec![0xff, 0xfe, 0x00])).await;
    refused(&reply, 400, -32700);
    assert!(mcp.request("tools/list", json!({})).await.result().is_ok(), "and it goes on");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    let padded = |size: usize| {
        let mut body = whoami().to_string();
        body.push_str(&" ".repeat(size - body.len()));
        mcp.http_request(&whoami()).body(body)
    };
    assert_eq!(sent(padded(MAX_REQUEST)).await.status, 200);
    refused(&sent(padded(MAX_REQUEST + 1)).await, 413, -32600);
}

#[tokio::test]
async fn only_post() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::OPTIONS] {
        let mut request = mcp.http_request(&whoami()).build().expect("a request");
        *request.method_mut() = method.clone();
        let reply = Reply::read(reqwest::Client::new().execute(request).await.expect("an answer")).await;
        assert_eq!(reply.status, 405, "{method}: {}", reply.text);
    }
}

#[tokio::test]
async fn methods_that_are_not_offered_are_unknown() {
    let server = Server::start();
    let (mcp, legacy) = (Mcp::new(server.url("/mcp")), Mcp::legacy(server.url("/mcp")));
    let uri = json!({"uri": "file:///etc/passwd"});
    refused(&mcp.request("no/such/method", json!({})).await, 404, -32601);
    assert_eq!(legacy.request("no/such/method", json!({})).await.code(), -32601);
    for (method, params) in [("resources/subscribe", uri), ("logging/setLevel", json!({"level": "debug"}))] {
        assert_eq!(legacy.request(method, params).await.code(), -32601, "{method}");
    }
}

/// Where there is nothing to show, lists are empty and the caller's own, and nothing can be read.
#[tokio::test]
async fn prompts_and_resources_of_nobody_are_declared_and_empty() {
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config("roles: {guest: {}}\nlocal: {role: guest}\n")
        .serve();
    let mcp = Mcp::new(server.url("/mcp"));
    for (method, member) in [
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let list = mcp.result(method, json!({})).await.expect(method);
        assert_eq!((&list[member], &list["cacheScope"]), (&json!([]), &json!("private")), "{method}");
    }
    let complete =
        json!({"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": ""}});
    let completion = mcp.result("completion/complete", complete).await.expect("a completion");
    assert_eq!(completion["completion"]["values"], json!([]));
    assert_eq!(mcp.request("prompts/get", json!({"name": "x"})).await.code(), -32602);
    let uri = json!({"uri": "file:///etc/passwd"});
    assert_eq!(mcp.request("resources/read", uri.clone()).await.code(), -32602);
    assert_eq!(Mcp::legacy(server.url("/mcp")).request("resources/read", uri).await.code(), -32002);
}

/// The method is known, so it must not be answered as one that is not.
#[tokio::test]
async fn a_call_that_cannot_be_read_is_invalid() {
    let server = Server::start();
    for mcp in [Mcp::new(server.url("/mcp")), Mcp::legacy(server.url("/mcp"))] {
        for params in [
            json!({"name": "whoami", "arguments": []}),
            json!({"name": "whoami", "arguments": "x"}),
            json!({"arguments": {}}),
            json!({"name": 1}),
        ] {
            let mut request = mcp.http_request(&mcp.message(&json!(1), "tools/call", &params));
            if params["name"] == 1 {
                request = request.header("Mcp-Name", "1");
            }
            let reply = sent(request).await;
            assert_eq!(reply.code(), -32602, "{params}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn headers_say_what_the_body_says() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    let change = |name: &'static str, value: Option<&str>| {
        let mut request = mcp.http_request(&whoami()).build().expect("a request");
        request.headers_mut().remove(name);
        if let Some(value) = value {
            request.headers_mut().insert(name, value.parse().expect("a header"));
        }
        reqwest::Client::new().execute(request)
    };
    for (name, value) in [
        ("mcp-method", Some("tools/list")),
        ("mcp-method", Some("TOOLS/CALL")),
        ("mcp-method", None),
        ("mcp-name", Some("kro_graph")),
        ("mcp-name", None),
        ("mcp-protocol-version", Some(LEGACY)),
    ] {
        let reply = Reply::read(change(name, value).await.expect("an answer")).await;
        refused(&reply, 400, -32020);
    }
    let encoded = change("mcp-name", Some("=?base64?d2hvYW1p?=")).await.expect("an answer");
    assert_eq!(Reply::read(encoded).await.status, 200, "a name may be encoded");
}

#[tokio::test]
async fn an_unsupported_version_is_told_the_supported_ones() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    let mut body = whoami();
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let mut request = mcp.http_request(&body).build().expect("a request");
    request.headers_mut().insert("mcp-protocol-version", "2099-01-01".parse().expect("a header"));
    let reply = Reply::read(reqwest::Client::new().execute(request).await.expect("an answer")).await;
    refused(&reply, 400, -32022);
    let data = reply.result().expect_err("refused").data;
    assert_eq!(data["requested"], "2099-01-01", "{data}");
    assert!(data["supported"].as_array().is_some_and(|all| all.contains(&json!(STATELESS))), "{data}");

    let mut body = whoami();
    body["params"]["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": STATELESS});
    refused(&sent(mcp.http_request(&body)).await, 400, -32602);
}

#[tokio::test]
async fn a_hidden_tool_is_answered_as_one_that_does_not_exist() {
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config("roles: {guest: {allow: [kro.instances.list]}}\nlocal: {role: guest}\n")
        .serve();
    for mcp in [Mcp::new(server.url("/mcp")), Mcp::legacy(server.url("/mcp"))] {
        let tools: Vec<Value> = mcp.list_tools().await.into_iter().map(|tool| tool["name"].clone()).collect();
        assert!(tools.contains(&json!("kro_instances")) && !tools.contains(&json!("kro_graph")), "{tools:?}");
        let call = |name: &'static str, arguments: Value| {
            let params = json!({"name": name, "arguments": arguments});
            let body = mcp.message(&json!(1), "tools/call", &params);
            sent(mcp.http_request(&body))
        };
        for arguments in [json!({}), json!({"kind": "A", "name": "b"}), json!({"surplus": 1})] {
            let hidden = call("kro_graph", arguments.clone()).await;
            let unknown = call("xxx_xxxxx", arguments).await;
            assert_eq!(hidden.code(), -32602);
            assert_eq!(hidden.text.replace("kro_graph", "xxx_xxxxx"), unknown.text);
            assert_eq!(hidden.status, unknown.status);
            let names =
                |reply: &Reply| reply.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
            assert_eq!(names(&hidden), names(&unknown));
        }
    }
}

#[tokio::test]
async fn the_list_of_tools_says_all_it_must() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    let (first, second) =
        (mcp.result("tools/list", json!({})).await, mcp.result("tools/list", json!({})).await);
    let list = first.expect("a list");
    assert_eq!(list.to_string(), second.expect("a list").to_string());
    assert_eq!((&list["cacheScope"], &list["resultType"]), (&json!("private"), &json!("complete")));
    assert!(list["ttlMs"].is_u64() && list.get("nextCursor").is_none());

    let tools = list["tools"].as_array().expect("tools");
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert!(names.is_sorted() && names.contains(&"whoami"), "{names:?}");
    for tool in tools {
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{hint} of {tool}");
        }
        assert!(tool["title"].is_string() && tool["description"].is_string(), "{tool}");
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{tool}");
            assert!(!tool[schema].to_string().contains("\"$ref\""), "{tool}");
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
    }
    assert_eq!(Mcp::legacy(server.url("/mcp")).list_tools().await.len(), tools.len());

    let wrong = mcp.request("tools/list", json!({"cursor": "someone else's"})).await;
    assert_eq!(wrong.code(), -32602);
    assert!(mcp.request("tools/list", json!({"cursor": ""})).await.result().is_ok());
}

#[tokio::test]
async fn what_a_model_can_mend_is_a_tool_error() {
    let server = Server::start();
    for mcp in [Mcp::new(server.url("/mcp")), Mcp::legacy(server.url("/mcp"))] {
        for (tool, arguments, said) in [
            ("whoami", json!({"surplus": 1}), "surplus"),
            ("kro_graph", json!({"kind": "A"}), "name"),
            ("kro_graph", json!({"kind": 1, "name": "b"}), "kind"),
            ("kro_instances", json!({"cluster": "nowhere"}), "nowhere"),
        ] {
            let answer = mcp.call(tool, arguments).await;
            assert!(answer.is_error && answer.text.contains(said), "{tool}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_notification_is_accepted_without_an_answer() {
    let server = Server::start();
    let legacy = Mcp::legacy(server.url("/mcp"));
    let body = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let reply = sent(legacy.http_request(&body)).await;
    assert_eq!((reply.status, reply.text.as_str()), (202, ""));
}

#[tokio::test]
async fn health_for_all_and_metrics_apart() {
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config("metrics: {address: '127.0.0.1:0'}\n")
        .serve();
    Mcp::new(server.url("/mcp")).call("whoami", json!({})).await;
    let get = |url: String| async { sent(reqwest::Client::new().get(url)).await };
    for path in ["/healthz", "/readyz"] {
        let reply = get(server.url(path)).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "ok"), "{path}");
    }
    assert_eq!(get(server.url("/metrics")).await.status, 404);
    let metrics = get(server.metrics_url()).await;
    assert_eq!(metrics.status, 200);
    let counted = metrics.text.lines().find(|line| line.starts_with("mcp_server_calls_total"));
    assert!(counted.is_some_and(|line| line.contains("whoami") && line.ends_with(" 1")), "{}", metrics.text);
    assert!(metrics.text.ends_with("# EOF\n"), "{}", metrics.text);
    let elsewhere = server.metrics_url().replace("/metrics", "/mcp");
    assert_eq!(Mcp::new(elsewhere).request("tools/list", json!({})).await.status, 404);
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = Product::new(["serve", "--http", address]).output();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("loopback"), "{address}: {said}");
    }
}

/// A delayed acknowledgement would cost each answer 40 ms; a busy machine slows some of them, not all.
#[tokio::test]
async fn an_answer_takes_no_time() {
    let server = Server::start();
    let url = server.url("/mcp");
    let http_2 = reqwest::Client::builder().http2_prior_knowledge().build().expect("an HTTP client");
    for mcp in [Mcp::new(&url), Mcp::legacy(&url), Mcp::new(&url).over(http_2)] {
        mcp.call("whoami", json!({})).await;
        let mut took = Vec::new();
        for _ in 0..20 {
            let began = Instant::now();
            mcp.call("whoami", json!({})).await;
            took.push(began.elapsed());
        }
        took.sort_unstable();
        assert!(took[took.len() / 4] < Duration::from_millis(20), "{took:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_upstream_request_along() {
    let http = reqwest::Client::builder;
    for http in [http().http1_only().build(), http().http2_prior_knowledge().build()] {
        let http = http.expect("an HTTP client");
        for legacy in [false, true] {
            let upstream = Silent::start();
            let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&upstream.config()).serve();
            let url = server.url("/mcp");
            let mcp = if legacy { Mcp::legacy(url) } else { Mcp::new(url) }.over(http.clone());
            let call = tokio::spawn({
                let mcp = mcp.clone();
                async move { mcp.call("kro_instances", json!({})).await }
            });
            let connection = upstream.asked().await;
            call.abort();
            assert!(connection.closed(SOON).await, "legacy {legacy}: the upstream request still runs");
            assert!(!mcp.call("whoami", json!({})).await.is_error, "and it goes on");
        }
    }
}

#[tokio::test]
async fn sigterm_lets_calls_end_and_ends_well() {
    let upstream = Silent::start();
    let config = format!("{}limits: {{callSeconds: 2}}\n", upstream.config());
    let mut server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let call = tokio::spawn(async move { mcp.call("kro_instances", json!({})).await });
    let _connection = upstream.asked().await;
    server.terminate();
    let answer = call.await.expect("the call under way is answered");
    assert!(answer.is_error, "{answer:?}");
    let status = server.ended(Duration::from_secs(2));
    assert!(status.success(), "{status}: {}", server.said());
}

#[tokio::test]
async fn sigterm_without_calls_ends_at_once() {
    let mut server = Server::start();
    // a connection that is kept must not hold it
    let mcp = Mcp::new(server.url("/mcp"));
    mcp.call("whoami", json!({})).await;
    server.terminate();
    let status = server.ended(Duration::from_secs(1));
    assert!(status.success(), "{status}: {}", server.said());
}
