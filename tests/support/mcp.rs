//! A small MCP client over HTTP, for tests that are about tools and for those about the protocol itself.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

/// The revision without sessions.
pub(crate) const STATELESS: &str = "2026-07-28";
/// The last revision that begins with `initialize`.
pub(crate) const LEGACY: &str = "2025-11-25";

/// An MCP client of one server, in one era.
#[derive(Clone, Debug)]
pub(crate) struct Mcp {
    url: String,
    http: reqwest::Client,
    legacy: bool,
    headers: HeaderMap,
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolAnswer {
    /// The text blocks, joined.
    pub(crate) text: String,
    /// `structuredContent`; null where there is none.
    pub(crate) structure: Value,
    /// Whether it is an error that the model sees.
    pub(crate) is_error: bool,
}

/// A JSON-RPC error, which the model usually does not see.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProtocolError {
    /// The HTTP status it came with.
    pub(crate) status: u16,
    /// The JSON-RPC code.
    pub(crate) code: i64,
    /// The sentence.
    pub(crate) message: String,
    /// What the code says more.
    pub(crate) data: Value,
}

/// An HTTP response, with the JSON-RPC message in it.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The HTTP headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) text: String,
    /// The message: the body, or the last event of a stream; null where it is not JSON.
    pub(crate) message: Value,
}

impl Mcp {
    /// A client of 2026-07-28: no handshake, each request says all about itself.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), http: reqwest::Client::new(), legacy: false, headers: HeaderMap::new() }
    }

    /// A client of 2025-11-25 without a session.
    pub(crate) fn legacy(url: impl Into<String>) -> Self {
        Self { legacy: true, ..Self::new(url) }
    }

    /// A client of 2026-07-28 with this bearer token.
    pub(crate) fn with_token(url: impl Into<String>, token: &str) -> Self {
        Self::new(url).token(token)
    }

    /// A client of 2025-11-25 without a session, with this bearer token.
    pub(crate) fn legacy_with_token(url: impl Into<String>, token: &str) -> Self {
        Self::legacy(url).token(token)
    }

    /// The same, with this bearer token on every request.
    #[must_use]
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The same with another HTTP client.
    #[must_use]
    pub(crate) fn over(mut self, http: reqwest::Client) -> Self {
        self.http = http;
        self
    }

    /// The same, with a header on every request.
    ///
    /// # Panics
    /// Where it is not one.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().expect("a header's value"));
        self
    }

    /// The tools, as the server lists them.
    pub(crate) async fn list_tools(&self) -> Vec<Value> {
        let result = self.result("tools/list", json!({})).await.expect("tools/list answers");
        result["tools"].as_array().expect("tools/list has tools").clone()
    }

    /// Calls a tool.
    ///
    /// # Panics
    /// On a protocol error; [`Mcp::try_call`] hands it over.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> ToolAnswer {
        match self.try_call(tool, arguments).await {
            Ok(answer) => answer,
            Err(error) => panic!("{tool}: {error:?}"),
        }
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// A JSON-RPC error instead of a tool's answer.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Result<ToolAnswer, ProtocolError> {
        let result = self.result("tools/call", json!({"name": tool, "arguments": arguments})).await?;
        let blocks = result["content"].as_array().cloned().unwrap_or_default();
        let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
        Ok(ToolAnswer {
            text: texts.join("\n"),
            structure: result["structuredContent"].clone(),
            is_error: result["isError"].as_bool().unwrap_or_default(),
        })
    }

    /// The `result` of any request.
    ///
    /// # Errors
    /// A JSON-RPC error instead of it.
    pub(crate) async fn result(&self, method: &str, params: Value) -> Result<Value, ProtocolError> {
        let reply = self.request(method, params).await;
        reply.result().cloned()
    }

    /// Sends a request with the headers and metadata of the era.
    pub(crate) async fn request(&self, method: &str, params: Value) -> Reply {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let body = self.message(&json!(NEXT.fetch_add(1, Ordering::Relaxed)), method, &params);
        let sent = self.http_request(&body).send().await.expect("the server answers");
        Reply::read(sent).await
    }

    /// The message of a request, with the metadata of the era.
    pub(crate) fn message(&self, id: &Value, method: &str, params: &Value) -> Value {
        if self.legacy {
            json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        } else {
            stateless(id, method, params)
        }
    }

    /// The HTTP request for a message, to be changed before it is sent.
    pub(crate) fn http_request(&self, body: &Value) -> reqwest::RequestBuilder {
        let method = body["method"].as_str().unwrap_or_default();
        let mut request = self
            .http
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .headers(self.headers.clone());
        // `initialize` is what finds out the version
        if method != "initialize" {
            request = request.header("MCP-Protocol-Version", if self.legacy { LEGACY } else { STATELESS });
        }
        if !self.legacy {
            request = request.header("Mcp-Method", method);
            let named = body["params"]["name"].as_str().or(body["params"]["uri"].as_str());
            if let Some(name) = named {
                request = request.header("Mcp-Name", name);
            }
        }
        request.body(body.to_string())
    }
}

impl Reply {
    /// Reads a response to its end.
    ///
    /// # Panics
    /// Where it breaks off.
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the body comes whole");
        let streamed =
            headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let message = if streamed {
            text.lines().rev().find_map(|line| line.strip_prefix("data:"))
        } else {
            Some(text.as_str())
        };
        let message = message.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        Self { status, headers, text, message }
    }

    /// The `result`.
    ///
    /// # Errors
    /// The `error` where there is one.
    ///
    /// # Panics
    /// Where there is neither.
    pub(crate) fn result(&self) -> Result<&Value, ProtocolError> {
        match (self.message.get("result"), self.message.get("error")) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(ProtocolError {
                status: self.status,
                code: error["code"].as_i64().expect("an error has a code"),
                message: error["message"].as_str().expect("an error has a message").to_owned(),
                data: error["data"].clone(),
            }),
            _ => panic!("neither result nor error: {} {:?}", self.status, self.text),
        }
    }

    /// The JSON-RPC code of the error.
    ///
    /// # Panics
    /// Where it is none.
    #[track_caller]
    pub(crate) fn code(&self) -> i64 {
        self.result().expect_err("an error was expected").code
    }

    /// A header as text; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A request of 2026-07-28, with the metadata that it must carry.
pub(crate) fn stateless(id: &Value, method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    if params.is_null() {
        params = json!({});
    }
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "0"},
    });
    if params.get("_meta").is_none() {
        params["_meta"] = meta;
    }
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}
