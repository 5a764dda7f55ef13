//! Requests: single ones with reqwest, load with wrk.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use super::Outcome;

fn body(method: &str, params: &Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let mut request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    if let Some(Value::Object(params)) = request.get_mut("params") {
        params.insert("_meta".to_owned(), meta);
    }
    request
}

fn ask(url: &str, method: &str, name: Option<&str>, params: &Value, token: Option<&str>) -> Outcome<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let request = request(&reqwest::Client::new(), url, method, name, token);
        Ok(request.json(&body(method, params)).send().await?.error_for_status()?.text().await?)
    })
}

fn request(
    client: &reqwest::Client,
    url: &str,
    method: &str,
    name: Option<&str>,
    token: Option<&str>,
) -> reqwest::RequestBuilder {
    let mut request = client
        .post(url)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = name {
        request = request.header("mcp-name", name);
    }
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

/// Calls `whoami` once for the owner of each token.
pub(super) fn call_as_each(url: &str, tokens: impl Iterator<Item = Outcome<String>>) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let call = body("tools/call", &json!({"name": "whoami", "arguments": {}}));
        for token in tokens {
            let request = request(&client, url, "tools/call", Some("whoami"), Some(&token?));
            request.json(&call).send().await?.error_for_status()?.bytes().await?;
        }
        Ok(())
    })
}

/// Each caller sends `reads` requests, one after the other, all callers at a time: how long it took each.
pub(super) fn read_as_each(
    tokens: &[String],
    reads: usize,
    request: impl Fn(&reqwest::Client, &str) -> reqwest::RequestBuilder,
) -> Outcome<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let each = tokens.iter().map(|token| {
            let (http, request) = (reqwest::Client::new(), &request);
            super::passed::timed(async move {
                for _ in 0..reads {
                    request(&http, token).send().await?.error_for_status()?.bytes().await?;
                }
                Ok(())
            })
        });
        futures::future::try_join_all(each).await
    })
}

/// A call of a tool, for [`read_as_each`].
pub(super) fn tool_call<'c>(
    tool: &'c str,
    arguments: &Value,
) -> impl Fn(&reqwest::Client, &str, &str) -> reqwest::RequestBuilder + 'c {
    let call = body("tools/call", &json!({"name": tool, "arguments": arguments}));
    move |http, url, token| request(http, url, "tools/call", Some(tool), Some(token)).json(&call)
}

/// The text at a URL.
pub(super) fn text(url: &str) -> Outcome<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Ok(reqwest::get(url).await?.error_for_status()?.text().await?) })
}

/// What a tool list weighs.
pub(super) struct List {
    pub(super) bytes: usize,
    pub(super) tools: usize,
    pub(super) read_by_model: usize,
}

/// The caller's tool list, as it comes over the wire.
pub(super) fn tool_list(url: &str) -> Outcome<List> {
    let text = ask(url, "tools/list", None, &json!({}), None)?;
    let answer: Value = serde_json::from_str(&text)?;
    let tools = answer.pointer("/result/tools").and_then(Value::as_array).ok_or("no tools")?;
    let read_by_model = tools
        .iter()
        .map(|tool| {
            let text = |key: &str| tool.get(key).and_then(Value::as_str).map_or(0, str::len);
            text("name")
                + text("description")
                + tool.get("inputSchema").map_or(0, |schema| schema.to_string().len())
        })
        .sum();
    Ok(List { bytes: text.len(), tools: tools.len(), read_by_model })
}

/// The result of a tool without arguments, as JSON.
pub(super) fn answer_of(url: &str, tool: &str, token: Option<&str>) -> Outcome<String> {
    Ok(result_of(url, tool, &json!({}), token)?.to_string())
}

/// The result of a tool.
pub(super) fn result_of(url: &str, tool: &str, arguments: &Value, token: Option<&str>) -> Outcome<Value> {
    let text = ask(url, "tools/call", Some(tool), &json!({"name": tool, "arguments": arguments}), token)?;
    let mut answer: Value = serde_json::from_str(&text)?;
    let result = answer.get_mut("result").map(Value::take);
    result.ok_or_else(|| format!("no result: {text}").into())
}

/// What a round of load showed.
#[derive(Clone, Copy, Default)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) p50_micros: f64,
}

impl Rate {
    pub(super) fn better(self, other: Self) -> Self {
        if other.per_second > self.per_second { other } else { self }
    }
}

/// Drives `whoami` calls with wrk for a while, with a token where there is one.
pub(super) fn drive(url: &str, token: Option<&str>, connections: u32, time: Duration) -> Outcome<Rate> {
    let call = body("tools/call", &json!({"name": "whoami", "arguments": {}}));
    let script = format!(include_str!("call.lua"), body = call, authorization = authorization(token));
    wrk(url, &script, connections, time)
}

/// Drives GETs of a URL.
pub(super) fn drive_get(url: &str, token: Option<&str>, connections: u32, time: Duration) -> Outcome<Rate> {
    // no format: braces are the script's own
    let script = include_str!("get.lua").replace("{authorization}", &authorization(token));
    wrk(url, &script, connections, time)
}

fn authorization(token: Option<&str>) -> String {
    token.map_or(String::new(), |token| format!("wrk.headers[\"Authorization\"] = \"Bearer {token}\""))
}

fn wrk(url: &str, script: &str, connections: u32, time: Duration) -> Outcome<Rate> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("script.lua");
    std::fs::write(&file, script)?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &connections.to_string(), "--duration"])
        .arg(format!("{}s", time.as_secs()))
        .args(["--script".as_ref(), file.as_os_str(), url.as_ref()])
        .output()
        .map_err(|error| format!("wrk (Debian package wrk) is needed: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with("result ")).ok_or_else(|| format!("wrk: {text}"))?;
    let figures: Vec<f64> =
        line.split_whitespace().skip(1).filter_map(|figure| figure.parse().ok()).collect();
    let [per_second, p50_micros, errors] = figures.as_slice() else { return Err(line.into()) };
    if *errors > 0.0 {
        return Err(format!("{errors} of the calls failed").into());
    }
    Ok(Rate { per_second: *per_second, p50_micros: *p50_micros })
}
