//! The official SDK clients against the product binary, over stdio and HTTP, in each era they speak. They check
//! by themselves that messages have the protocol's shape and that `structuredContent` is what the tool's
//! `outputSchema` says.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    forge::AUDIENCE,
    mcp::{LEGACY, Mcp, STATELESS},
    oidc::Provider,
    parts::{node, python, support},
    server::{Product, Server},
};

/// An official client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sdk {
    /// `@modelcontextprotocol/client`.
    TypeScript,
    /// `@modelcontextprotocol/sdk`, before 2026-07-28.
    TypeScript1,
    /// `mcp` of PyPI.
    Python,
}

/// How a client finds the protocol's revision, and which that is here.
fn modes(sdk: Sdk) -> Vec<(Value, &'static str)> {
    match sdk {
        Sdk::TypeScript => vec![
            (json!({"pin": STATELESS}), STATELESS),
            (json!("auto"), STATELESS),
            (json!("legacy"), LEGACY),
        ],
        Sdk::TypeScript1 => vec![(Value::Null, LEGACY)],
        Sdk::Python => {
            vec![(json!(STATELESS), STATELESS), (json!("auto"), STATELESS), (json!("legacy"), LEGACY)]
        }
    }
}

/// What every client calls.
fn calls() -> Value {
    let checkout = json!({"kind": "WebService", "namespace": "payments", "name": "checkout"});
    json!([
        {"tool": "whoami", "arguments": {}},
        {"tool": "kubernetes_clusters", "arguments": {}},
        {"tool": "kro_instances", "arguments": {"namespace": "payments"}},
        {"tool": "kro_graph", "arguments": checkout},
        {"tool": "kro_yaml", "arguments": checkout},
        {"tool": "kro_graph", "arguments": {"kind": "WebService", "namespace": "payments", "name": "nowhere"}},
        {"tool": "whoami", "arguments": {"surplus": true}},
        {"tool": "no_such_tool", "arguments": {}},
    ])
}

/// Runs one session, with its own `calls` or those of every client, and returns what the client saw.
pub(crate) fn session(sdk: Sdk, session: Value) -> Value {
    session_with(sdk, session, &[])
}

fn session_with(sdk: Sdk, mut session: Value, environment: &[(&str, &Path)]) -> Value {
    if session["calls"].is_null() {
        session["calls"] = calls();
    }
    let mut command = match sdk {
        Sdk::TypeScript | Sdk::TypeScript1 => {
            session["sdk"] = if matches!(sdk, Sdk::TypeScript) {
                json!("@modelcontextprotocol/client")
            } else {
                json!("@modelcontextprotocol/sdk")
            };
            let mut command = Command::new(node().join("bin/node"));
            command.arg(support("node/client.mjs")).arg(node());
            command
        }
        Sdk::Python => {
            let mut command = Command::new(python().join("bin/python"));
            command.arg(support("python/client.py")).env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
    };
    command.envs(environment.iter().copied());
    let output = command.arg(session.to_string()).output().expect("the client runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{sdk:?} {session}:\n{errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{sdk:?}: {error}\n{errors}"))
}

fn works(sdk: Sdk, transport: &Value, tools: &[String]) {
    for (mode, version) in modes(sdk) {
        let mut asked = transport.clone();
        asked["mode"] = mode.clone();
        let seen = session(sdk, asked);
        let at = format!("{sdk:?} {mode}: {seen:#}");
        assert_eq!(seen["version"], version, "{at}");
        assert_eq!(seen["errors"].as_array().map_or(0, Vec::len), 0, "{at}");
        // pinned, the Python client asks for nothing before its first request
        if seen["server"] != Value::Null {
            assert_eq!(seen["server"]["name"], "platform-mcp", "{at}");
            assert!(seen["instructions"].as_str().is_some_and(|text| text.contains("kro_graph")), "{at}");
        }
        let listed = seen["tools"].as_array().expect("tools");
        assert_eq!(names(listed), tools, "{at}");
        answers_are_right(&seen["answers"], &at);
    }
}

fn answers_are_right(answers: &Value, at: &str) {
    let structure = |index: usize, text: &str| {
        let result = &answers[index]["result"];
        assert_ne!(result["isError"], true, "{index} of {at}");
        assert!(
            result["content"][0]["text"].as_str().is_some_and(|said| said.contains(text)),
            "{index} of {at}"
        );
        &result["structuredContent"]
    };
    assert_eq!(structure(0, "You are local")["username"], "local", "{at}");
    assert_eq!(structure(1, "1 cluster")["rows"][0]["name"], "sample", "{at}");
    let instances = structure(2, "invoices")["rows"].as_array().expect("instances");
    assert!(instances.iter().any(|instance| instance["name"] == "checkout"), "{at}");
    let graph = structure(3, "checkout");
    assert_eq!((&graph["healthy"], &graph["edges"][0]["to"]), (&json!(true), &json!("deployment")), "{at}");
    assert!(structure(4, "kind: WebService").is_object(), "{at}");
    for (index, said) in [(5, "nowhere"), (6, "surplus")] {
        let result = &answers[index]["result"];
        assert_eq!(result["isError"], true, "{index} of {at}");
        assert!(
            result["content"][0]["text"].as_str().is_some_and(|text| text.contains(said)),
            "{index} of {at}"
        );
    }
    assert_eq!(answers[7]["error"]["code"], -32602, "{at}");
    assert!(
        answers[7]["error"]["message"].as_str().is_some_and(|text| text.contains("no_such_tool")),
        "{at}"
    );
}

fn names(tools: &[Value]) -> Vec<String> {
    tools.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
}

async fn over_http(sdk: Sdk) {
    let server = Server::demo();
    let url = server.url("/mcp");
    let tools = names(&Mcp::new(&url).list_tools().await);
    works(sdk, &json!({"http": url}), &tools);
}

async fn over_stdio(sdk: Sdk) {
    let tools = names(&Mcp::new(Server::demo().url("/mcp")).list_tools().await);
    let home = tempfile::tempdir().expect("a home");
    let transport = json!({
        "command": env!("CARGO_BIN_EXE_platform-mcp"),
        "arguments": ["demo", "--stdio"],
        "environment": {"HOME": home.path()},
    });
    works(sdk, &transport, &tools);
}

/// From a 401 over our metadata to the provider, to a token for us, and back.
async fn with_a_token_of_its_own(sdk: Sdk) {
    let provider = Provider::shared();
    let rules = r#"[{when: {groups: team-a}, roles: [viewer]}]"#;
    let scoped = provider.entry(rules).replacen('{', "{scopes: {kro.rgds.list: [kro.rgds.list]}, ", 1);
    let config = format!("issuers: [{scoped}]\nhttp: {{url: '{AUDIENCE}'}}\n");
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let (origin, _path) = AUDIENCE.rsplit_once('/').expect("a URL with a path");
    for (mode, version) in modes(sdk) {
        let asked = json!({"mode": mode, "http": AUDIENCE, "oauth": {
            "client": "alice", "secret": "secret-of-alice", "issuer": provider.issuer(),
            "through": format!("http://{}", server.address()),
        }});
        let seen = session_with(sdk, asked, &[("NODE_EXTRA_CA_CERTS", &provider.ca_file())]);
        let at = format!("{sdk:?} {mode}: {seen:#}");
        assert_eq!(seen["version"], version, "{at}");
        assert_eq!(seen["answers"][0]["result"]["structuredContent"]["username"], "alice", "{at}");
        let asked: Vec<&str> =
            seen["asked"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let metadata = format!("{origin}/.well-known/oauth-protected-resource/mcp");
        let token = format!("{}/token", provider.issuer());
        assert!(asked.contains(&metadata.as_str()) && asked.contains(&token.as_str()), "{at}");
        // it asked for the scope that the challenge names, and uses the token from then on
        assert_eq!(asked.iter().filter(|url| **url == token).count(), 1, "{at}");
    }
}

#[tokio::test]
async fn the_typescript_client_finds_the_way_to_a_token() {
    with_a_token_of_its_own(Sdk::TypeScript).await;
}

#[tokio::test]
async fn the_older_typescript_client_finds_the_way_to_a_token() {
    with_a_token_of_its_own(Sdk::TypeScript1).await;
}

#[tokio::test]
async fn the_typescript_client_over_http() {
    over_http(Sdk::TypeScript).await;
}

#[tokio::test]
async fn the_typescript_client_over_stdio() {
    over_stdio(Sdk::TypeScript).await;
}

#[tokio::test]
async fn the_older_typescript_client_over_http() {
    over_http(Sdk::TypeScript1).await;
}

#[tokio::test]
async fn the_older_typescript_client_over_stdio() {
    over_stdio(Sdk::TypeScript1).await;
}

#[tokio::test]
async fn the_python_client_over_http() {
    over_http(Sdk::Python).await;
}

#[tokio::test]
async fn the_python_client_over_stdio() {
    over_stdio(Sdk::Python).await;
}
