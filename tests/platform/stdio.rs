//! The protocol over standard input and output: one line a message, and no line ends the server but the last.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    mcp::{LEGACY, STATELESS, stateless},
    server::{Product, StdioServer},
    silent::{Connection, Silent},
};

/// What ending may take.
const PROMPTLY: Duration = Duration::from_secs(1);
/// What calls under way may take after the end of input, and a little more: rmcp gives them five seconds.
const DRAINING: Duration = Duration::from_secs(6);

fn start() -> StdioServer {
    Product::new([""; 0]).stdio()
}

fn whoami() -> Value {
    json!({"name": "whoami", "arguments": {}})
}

#[test]
fn a_newer_client_discovers_and_calls_without_a_handshake() {
    let mut server = start();
    let found = server.request(1, "server/discover", &json!({}));
    let versions = found["result"]["supportedVersions"].as_array().expect("versions");
    assert!(versions.contains(&json!(STATELESS)), "{found}");
    let called = server.request(2, "tools/call", &whoami());
    assert_eq!(called["result"]["structuredContent"]["username"], "local", "{called}");
    let unknown = server.request(3, "tools/call", &json!({"name": "nothing", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let unknown = server.request(4, "no/such/method", &json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
}

#[test]
fn an_older_client_shakes_hands_and_calls() {
    for probed in [false, true] {
        let mut server = start();
        if probed {
            // what a client of both eras does first, and then falls back
            server.request(7, "server/discover", &json!({}));
        }
        let client = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
        server.send_line(
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}).to_string(),
        );
        let answer = server.answer_to(&json!(1));
        assert_eq!(answer["result"]["protocolVersion"], LEGACY, "probed {probed}: {answer}");
        server.send_line(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
        server.send_line(
            json!({"jsonrpc": "2.0", "id": "two", "method": "tools/call", "params": whoami()}).to_string(),
        );
        let answer = server.answer_to(&json!("two"));
        assert_eq!(answer["result"]["structuredContent"]["username"], "local", "probed {probed}: {answer}");
    }
}

#[test]
fn no_line_ends_it() {
    let megabyte = "x".repeat(1 << 20);
    let long_but_whole =
        json!({"jsonrpc": "2.0", "id": 1, "method": "no/such", "params": {"padding": megabyte}}).to_string();
    let lines: [&[u8]; 14] = [
        b"{\"jsonrpc\": \"2.0\", \"id\"",
        b"[{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"tools/list\"}]",
        b"[]",
        b"{}",
        b"42",
        b"null",
        b"\"text\"",
        b"",
        b"   ",
        b"\xff\xfe\x00\x01",
        b"\x1b[31m\x00",
        b"{\"jsonrpc\": \"2.0\", \"id\": null, \"method\": 7}",
        megabyte.as_bytes(),
        long_but_whole.as_bytes(),
    ];
    // before anything else was said, and after
    for begun in [false, true] {
        let mut server = start();
        if begun {
            server.request(1, "server/discover", &json!({}));
        }
        for (id, line) in (100..).zip(lines) {
            server.send_line(line);
            let answer = server.request(id, "tools/call", &whoami());
            assert_eq!(answer["result"]["structuredContent"]["username"], "local", "begun {begun}: {answer}");
        }
    }
}

#[test]
fn what_is_no_message_is_said_so() {
    let mut server = start();
    server.request(1, "server/discover", &json!({}));
    for line in ["[]", "{}", "42", "{\"jsonrpc\": \"2.0\", \"id\": 5}"] {
        server.send_line(line);
        let answer = server.receive(Duration::from_secs(5)).expect("an answer");
        assert_eq!(
            (answer.get("result"), &answer["error"]["code"]),
            (None, &json!(-32600)),
            "{line}: {answer}"
        );
    }
}

#[test]
fn the_end_of_input_ends_it() {
    for begun in [false, true] {
        let mut server = start();
        if begun {
            server.request(1, "server/discover", &json!({}));
        }
        server.end_input();
        let status = server.ended(PROMPTLY);
        assert!(status.success(), "begun {begun}: {status} {}", server.said());
    }
}

#[test]
fn what_was_asked_before_the_end_of_input_is_answered() {
    let mut server = start();
    let line = stateless(&json!(5), "tools/call", &whoami()).to_string();
    server.send_line(line);
    server.end_input();
    assert_eq!(server.answer_to(&json!(5))["result"]["structuredContent"]["username"], "local");
    assert!(server.ended(PROMPTLY).success());
}

#[test]
fn sigterm_ends_it() {
    for begun in [false, true] {
        let mut server = start();
        if begun {
            server.request(1, "server/discover", &json!({}));
        } else {
            // the handler of the signal is there as soon as anything is
            std::thread::sleep(Duration::from_millis(300));
        }
        server.terminate();
        let status = server.ended(PROMPTLY);
        assert!(status.success(), "begun {begun}: {status} {}", server.said());
    }
}

/// A server in the middle of a call that its upstream does not answer, and the upstream's side of it.
async fn in_a_call() -> (StdioServer, Silent, Connection) {
    let upstream = Silent::start();
    let mut server = Product::new([""; 0]).config(&upstream.config()).stdio();
    let call = json!({"name": "kro_instances", "arguments": {}});
    server.send_line(stateless(&json!(9), "tools/call", &call).to_string());
    let connection = upstream.asked().await;
    (server, upstream, connection)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_takes_its_upstream_request_along() {
    let (mut server, _upstream, connection) = in_a_call().await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}});
    server.send_line(cancel.to_string());
    assert!(connection.closed(PROMPTLY).await, "the upstream request still runs");
    let answer = server.request(10, "tools/call", &whoami());
    assert_eq!(answer["result"]["structuredContent"]["username"], "local", "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_it_in_the_middle_of_a_call() {
    // a host closes the input first, and sends the signal when that was not enough
    for closed in [false, true] {
        let (mut server, _upstream, connection) = in_a_call().await;
        if closed {
            server.end_input();
            std::thread::sleep(Duration::from_millis(100));
        }
        server.terminate();
        assert!(connection.closed(PROMPTLY).await, "closed {closed}: the upstream request still runs");
        let status = server.ended(PROMPTLY);
        assert!(status.success(), "closed {closed}: {status} {}", server.said());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_input_in_the_middle_of_a_call_gives_it_some_time() {
    let (mut server, _upstream, connection) = in_a_call().await;
    server.end_input();
    assert!(connection.closed(DRAINING).await, "the upstream request still runs");
    let status = server.ended(PROMPTLY);
    assert!(status.success(), "{status}: {}", server.said());
}
