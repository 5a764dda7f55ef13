//! A subscription over HTTP: the stream of `subscriptions/listen`, message by message.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::mcp::Mcp;

/// A stream that the server holds open.
pub(crate) struct Listen {
    response: reqwest::Response,
    waiting: String,
    /// When the last bytes came, comments included.
    pub(crate) heard: Instant,
}

impl Listen {
    /// Subscribes to changes of the list of tools, and takes the acknowledgement.
    ///
    /// # Panics
    /// Where none comes first, for this subscription.
    pub(crate) async fn begin(client: &Mcp, id: &str) -> Self {
        let mut listen = Self::ask(client, id, &json!({"toolsListChanged": true})).await;
        let first = listen.next(Duration::from_secs(10)).await.expect("an acknowledgement");
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        assert_eq!(first["params"]["notifications"]["toolsListChanged"], true, "{first}");
        assert_eq!(subscription(&first), &json!(id), "{first}");
        listen
    }

    /// Sends the request with any filter.
    pub(crate) async fn ask(client: &Mcp, id: &str, filter: &Value) -> Self {
        let body = client.message(&json!(id), "subscriptions/listen", &json!({"notifications": filter}));
        Self::of(client, &body).await
    }

    /// Sends a request that is answered by a stream.
    pub(crate) async fn of(client: &Mcp, body: &Value) -> Self {
        let response = client.http_request(body).send().await.expect("the server answers");
        let kind = response.headers().get("content-type").expect("a type").to_str().expect("text");
        assert!(kind.starts_with("text/event-stream"), "{} {kind}", response.status());
        Self { response, waiting: String::new(), heard: Instant::now() }
    }

    /// The next message, where one comes in time; none where the stream ends.
    pub(crate) async fn next(&mut self, within: Duration) -> Option<Value> {
        let due = tokio::time::Instant::now() + within;
        loop {
            while let Some((line, rest)) = self.waiting.split_once('\n') {
                let message = line.strip_prefix("data:").map(str::trim).filter(|data| !data.is_empty());
                let message = message.map(|data| serde_json::from_str(data).expect("a JSON-RPC message"));
                self.waiting = rest.to_owned();
                if message.is_some() {
                    return message;
                }
            }
            let chunk = tokio::time::timeout_at(due, self.response.chunk()).await.ok()?;
            let chunk = chunk.expect("the stream breaks off nowhere")?;
            self.heard = Instant::now();
            self.waiting.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// Waits for the news that the list is another one.
    ///
    /// # Panics
    /// Where something else comes, or nothing.
    pub(crate) async fn changed(&mut self) {
        let message = self.next(Duration::from_secs(20)).await.expect("a notification");
        assert_eq!(message["method"], "notifications/tools/list_changed", "{message}");
        assert!(subscription(&message).is_string(), "{message}");
    }

    /// Waits for the end: a result, and nothing behind it.
    ///
    /// # Panics
    /// Where something else comes, or nothing.
    pub(crate) async fn ended(&mut self, within: Duration) {
        let message = self.next(within).await.expect("the result");
        assert!(message["result"].is_object(), "{message}");
        assert_eq!(self.next(Duration::from_secs(5)).await, None);
    }
}

fn subscription(message: &Value) -> &Value {
    &message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"]
}
