//! Traces: a call is a part of its caller's trace, and what the cluster is asked is a part of the call.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    collector::{Collector, attribute, hex},
    faulty::{Fault, Faulty},
    mcp::Mcp,
    server::{Product, Server},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT` of the protocol.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

fn serve(upstream: &Faulty, traces: Option<Value>) -> Server {
    let traces = traces.map_or(String::new(), |traces| format!("traces: {traces}\n"));
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}, static: [{{name: lab, url: \"{}\"}}]}}\naudit: {{to: audit.log}}\n{traces}",
        upstream.url
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

fn traceparents(upstream: &Faulty) -> Vec<String> {
    let headers = upstream.headers();
    headers
        .iter()
        .map(|headers| headers.get("traceparent").map_or("", |value| value.to_str().unwrap()).to_owned())
        .collect()
}

async fn audited(server: &Server, lines: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let text = server.read("audit.log");
        let found: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if found.len() >= lines {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_span_of_the_callers_trace_and_each_request_one_below_it() {
    let (upstream, collector) = (Faulty::start().await, Collector::start().await);
    let server = serve(&upstream, Some(json!({"otlp": collector.url, "headers": {"x-api-key": "planted"}})));
    let mcp = Mcp::new(server.url("/mcp")).header("traceparent", PARENT).header("tracestate", "vendor=1");
    let answer =
        mcp.call("kro_graph", json!({"kind": "WebService", "namespace": "shop", "name": "checkout"})).await;
    let spans = collector.until(|spans| spans.iter().any(|span| span.kind == SERVER)).await;
    let [call] = spans.iter().filter(|span| span.kind == SERVER).collect::<Vec<_>>()[..] else {
        panic!("one call, {spans:#?}")
    };
    assert_eq!(call.name, "tools/call kro_graph");
    assert_eq!(
        (hex(&call.trace_id), hex(&call.parent_span_id)),
        (TRACE.to_owned(), "b7ad6b7169203331".to_owned())
    );
    for (key, value) in [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.tool.name", "kro_graph"),
        ("gen_ai.operation.name", "execute_tool"),
        ("network.transport", "tcp"),
        ("platform_mcp.decision", "allow"),
        ("platform_mcp.outcome", if answer.is_error { "not_found" } else { "ok" }),
    ] {
        assert_eq!(attribute(call, key), value, "{key}");
    }
    let requests: Vec<_> = spans.iter().filter(|span| span.kind == CLIENT).collect();
    assert_eq!(requests.len(), upstream.seen().len());
    let mut told = traceparents(&upstream);
    let mut expected: Vec<String> =
        requests.iter().map(|span| format!("00-{TRACE}-{}-01", hex(&span.span_id))).collect();
    told.sort();
    expected.sort();
    assert_eq!(told, expected, "each request names its own span");
    assert!(upstream.headers().iter().all(|headers| headers["tracestate"] == "vendor=1"));
    for span in &requests {
        assert_eq!(hex(&span.parent_span_id), hex(&call.span_id));
        assert_eq!((span.name.as_str(), attribute(span, "http.request.method").as_str()), ("GET", "GET"));
        assert_eq!(attribute(span, "server.address"), "127.0.0.1");
        assert!(upstream.url.ends_with(&format!(":{}", attribute(span, "server.port"))));
        assert!(!attribute(span, "http.response.status_code").is_empty());
    }
    let line = audited(&server, 1).await.remove(0);
    assert_eq!(line["trace"], TRACE);
    assert_eq!(attribute(call, "platform_mcp.call"), line["call"]);
    assert!(collector.headers().iter().all(|headers| headers["x-api-key"] == "planted"));
    for private in ["WebService", "checkout", "shop", "planted"] {
        assert!(!collector.holds(private), "{private} is in the export");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_meta_says_wins_and_what_is_invalid_is_as_if_it_were_not_there() {
    let upstream = Faulty::start().await;
    let server = serve(&upstream, None);
    let mcp = Mcp::new(server.url("/mcp")).header("traceparent", PARENT);
    let meta = "00-11111111111111111111111111111111-2222222222222222-00";
    let call = async |parent: Value| {
        upstream.reset();
        let params = json!({"name": "kubernetes_clusters", "arguments": {}});
        let mut message = mcp.message(&json!(1), "tools/call", &params);
        message["params"]["_meta"]["traceparent"] = parent;
        mcp.http_request(&message).send().await.unwrap().error_for_status().unwrap();
        traceparents(&upstream)
    };
    assert_eq!(call(json!(meta)).await, [meta], "as it came: we make no spans");
    for invalid in [
        json!("00-xyz"),
        json!(7),
        json!(""),
        json!("ff-11111111111111111111111111111111-2222222222222222-00"),
    ] {
        assert_eq!(call(invalid.clone()).await, [PARENT], "{invalid}: the header counts");
    }
    let lines = audited(&server, 5).await;
    assert_eq!(lines[0]["trace"], "11111111111111111111111111111111");
    assert!(lines.iter().skip(1).all(|line| line["trace"] == TRACE), "{lines:?}");
    upstream.reset();
    Mcp::new(server.url("/mcp")).call("kubernetes_clusters", json!({})).await;
    assert_eq!(traceparents(&upstream), [""], "no trace is made up");
    assert!(audited(&server, 6).await[5].get("trace").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_say_so_and_in_whose_words_not() {
    let (upstream, collector) = (Faulty::start().await, Collector::start().await);
    upstream.when("webservices", Fault::Answer(403, r#"{"kind":"Status","message":"planted-reason"}"#));
    let server = serve(&upstream, Some(json!({"otlp": collector.url})));
    let mcp = Mcp::new(server.url("/mcp"));
    let denied =
        mcp.call("kro_graph", json!({"kind": "WebService", "namespace": "shop", "name": "checkout"})).await;
    assert!(denied.is_error && denied.text.contains("planted-reason"), "{}", denied.text);
    mcp.try_call("no_such_tool_planted", json!({})).await.expect_err("unknown");
    let spans = collector.until(|spans| spans.iter().filter(|span| span.kind == SERVER).count() == 2).await;
    let named = |name: &str| {
        spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"))
    };
    assert_eq!(attribute(named("tools/call kro_graph"), "error.type"), "not_allowed");
    assert_eq!(attribute(named("tools/call"), "error.type"), "unknown_tool");
    let forbidden = spans.iter().filter(|span| span.kind == CLIENT && attribute(span, "error.type") == "403");
    assert!(forbidden.count() > 0, "{spans:#?}");
    assert!(!collector.holds("planted"), "neither arguments nor what an upstream said");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_spans_are_sent_at_the_end_which_a_collector_that_hangs_cannot_hold_up() {
    let upstream = Faulty::start().await;
    for hangs in [false, true] {
        let collector = Collector::start().await;
        if hangs {
            collector.hang();
        }
        let mut server = serve(&upstream, Some(json!({"otlp": collector.url})));
        Mcp::new(server.url("/mcp")).call("whoami", json!({})).await;
        let began = Instant::now();
        server.terminate();
        let status = server.ended(Duration::from_secs(10));
        assert!(status.success(), "{status}: {}", server.said());
        assert_eq!(collector.spans().len(), 1, "hangs: {hangs}");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(4), "hangs: {hangs}, took {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_traces_is_kept_and_a_callers_own_decision_holds() {
    let (upstream, collector) = (Faulty::start().await, Collector::start().await);
    let server = serve(&upstream, Some(json!({"otlp": collector.url, "sampleRatio": 0})));
    let mcp = Mcp::new(server.url("/mcp"));
    mcp.call("kubernetes_clusters", json!({})).await;
    let made_up = traceparents(&upstream).remove(0);
    assert!(made_up.ends_with("-00"), "not sampled, and told so: {made_up}");
    assert_eq!(audited(&server, 1).await[0]["trace"], made_up[3..35], "still in the audit log");
    mcp.header("traceparent", PARENT).call("whoami", json!({})).await;
    let spans = collector.until(|spans| !spans.is_empty()).await;
    assert_eq!((spans.len(), hex(&spans[0].trace_id).as_str()), (1, TRACE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_is_told_of_once_and_costs_no_call() {
    let upstream = Faulty::start().await;
    let traces = json!({"otlp": "http://127.0.0.1:9", "headers": {"x-api-key": "planted"}});
    let server = serve(&upstream, Some(traces));
    let mcp = Mcp::new(server.url("/mcp"));
    let words = "spans cannot be exported";
    let began = Instant::now();
    while server.said().matches(words).count() == 0 || began.elapsed() < Duration::from_secs(12) {
        let answer = mcp.call("kubernetes_clusters", json!({})).await;
        assert!(!answer.is_error, "{}", answer.text);
        assert!(began.elapsed() < Duration::from_secs(30), "{}", server.said());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let said = server.said();
    assert_eq!(said.matches(words).count(), 1, "{said}");
    assert!(!said.contains("planted"), "{said}");
}
