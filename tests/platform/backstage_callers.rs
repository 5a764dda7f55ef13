//! Callers from Backstage, against a real backend: who is taken for whom, what they may do then, what Backstage is
//! asked for it, and what becomes of them while it fails.

mod caches;
mod check;
mod decisions;
mod forgeries;
mod keys;
mod users;

use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::backstage::{Backstage, Options, PLUGIN, limited_of};
use crate::server::{Product, Server};

const ALICE: &str = "user:default/alice";
const BOB: &str = "user:default/bob";
const VIEWERS: &str = "group:default/viewers";
const OPERATORS: &str = "group:default/operators";

/// A Backstage, and the server under test as one of its plugins.
struct Rig {
    backstage: Backstage,
    server: Server,
    http: reqwest::Client,
}

/// What came back.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    /// The names of the tools that were listed.
    #[track_caller]
    fn tools(&self) -> Vec<&str> {
        assert_eq!(self.status, 200, "{}", self.body);
        let items = self.body["actions"].as_array().expect("a list");
        items.iter().map(|item| item["name"].as_str().expect("a name")).collect()
    }

    /// Status and name of an error.
    fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"]["name"].as_str().unwrap_or_default())
    }
}

impl Rig {
    /// With the policy of `examples/backstage`.
    fn start() -> Self {
        Self::with(Options::default(), "")
    }

    /// `more` stands in the block `backstage` of the server's configuration.
    fn with(options: Options, more: &str) -> Self {
        Self::before(Backstage::start(options), more)
    }

    fn before(backstage: Backstage, more: &str) -> Self {
        let config = config(&backstage.url(), more);
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        backstage.front().to(server.address());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { backstage, server, http }
    }

    /// What Backstage lists of ours for the holder of this token.
    async fn list(&self, token: &str) -> Answer {
        let url = self.server.url(&format!("/api/{PLUGIN}/.backstage/actions/v1/actions"));
        self.send(self.http.get(url), token).await
    }

    async fn invoke(&self, token: &str, tool: &str, input: &Value) -> Answer {
        let path = format!("/api/{PLUGIN}/.backstage/actions/v1/actions/{PLUGIN}%3A{tool}/invoke");
        self.send(self.http.post(self.server.url(&path)).json(input), token).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, token: &str) -> Answer {
        let answer = request.bearer_auth(token).send().await.unwrap();
        Answer { status: answer.status().as_u16(), body: answer.json().await.unwrap_or_default() }
    }

    /// The limited token of a user who has signed in.
    async fn limited(&self, user: &str, groups: &[&str]) -> String {
        limited_of(&self.backstage.user_token(user, groups).await)
    }

    /// A new token of Backstage's MCP server with this one inside.
    fn acting(&self, limited: &str) -> String {
        self.backstage.mint().plugin("mcp-actions", PLUGIN).obo(limited).sign()
    }

    /// How often Backstage was asked what users may do, and who they are.
    fn asked(&self) -> (usize, usize) {
        let between = self.backstage.between();
        (between.count("/api/permission/authorize"), between.count("/api/auth/v1/userinfo"))
    }

    /// The audit lines that fit, once there are so many.
    #[track_caller]
    fn audited(&self, wanted: usize, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let text = self.server.read("audit.jsonl");
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let found: Vec<Value> = lines.filter(&fits).collect();
            if found.len() >= wanted {
                return found;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{} of {wanted} lines:\n{text}", found.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn config(backstage: &str, more: &str) -> String {
    format!(
        "audit: {{to: audit.jsonl}}\nlimits: {{requestsPerSecond: 100000, burst: 100000}}\n\
         sealKey: of-the-tests-of-callers-from-backstage\nbackstage: {{url: {}{more}}}\n",
        json!(backstage)
    )
}

/// What audit lines call a credential.
fn named(credential: &str) -> String {
    let hash = digest(&SHA256, credential.as_bytes());
    hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
