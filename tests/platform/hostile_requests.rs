//! Requests that try to reach an API server as something else than they say, over raw sockets to the endpoint
//! for programs and as arguments to the tools, against an API server that writes down every byte that comes.
//!
//! Each row says that nothing arrives, or exactly which request; whatever arrives has none of the caller's
//! credentials, cookies, identities or hop headers, and its path is that of our audit line, byte for byte.

mod frames;
mod headers;
mod http2;
mod lines;
mod paths;
mod tools;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    mcp::Mcp,
    oidc::Provider,
    recorder::{Arrived, Recorder},
    server::{Product, Server},
};

const MOUNT: &str = "/api/kubernetes/proxy";
const PODS: &str = "/api/v1/namespaces/a/pods";
const MAPS: &str = "/api/v1/namespaces/a/configmaps";
/// What the URL of the clusters has before every path.
const PREFIX: &str = "/base/of/it";
/// What the server shows the clusters.
const CREDENTIAL: &str = "server-credential";
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long another one is waited for, where a request may hide another.
const QUIET: Duration = Duration::from_millis(150);

/// What comes of a request.
#[derive(Clone, Debug)]
enum Expect {
    /// Nothing arrives.
    Refused,
    /// Exactly these request lines arrive: method, then path and query below the prefix.
    Arrives(Vec<String>),
    /// One, with this body.
    WithBody(String, String),
    /// Nothing that is whole arrives: it breaks off on its way.
    Broken,
}

fn arrives(request: &str) -> Expect {
    Expect::Arrives(vec![request.to_owned()])
}

/// One request.
struct Row {
    name: String,
    bytes: Vec<u8>,
    expect: Expect,
    /// Whether more than one request might be seen in it.
    doubtful: bool,
}

impl Row {
    fn doubtful(self) -> Self {
        Self { doubtful: true, ..self }
    }
}

fn row(name: impl Into<String>, bytes: impl AsRef<[u8]>, expect: Expect) -> Row {
    Row { name: name.into(), bytes: bytes.as_ref().to_vec(), expect, doubtful: false }
}

/// The server over three clusters that are all the recorder.
struct Rig {
    server: Server,
    recorder: Recorder,
    token: String,
    /// Lines of the audit log that were looked at.
    seen: usize,
}

impl Rig {
    async fn start() -> Self {
        let recorder = Recorder::start().await;
        let cluster = |name: &str, identity: &str| {
            json!({"name": name, "url": format!("{}{PREFIX}", recorder.url),
            "token": CREDENTIAL, "identity": identity})
        };
        let clusters = [cluster("own", "own"), cluster("imp", "impersonate")];
        let mut brought = cluster("hdr", "caller-header");
        brought.as_object_mut().expect("an object").remove("token");
        let clusters = json!([clusters[0], clusters[1], brought]);
        let config = format!(
            "clusters: {{kubeconfig: {{enabled: false}}, static: {clusters}}}\naudit: {{to: audit.log}}\n\
             http: {{proxy: {{base: kubernetes}}}}\nroles: {{all: {{allow: ['*']}}}}\nissuers: [{}]\n",
            Provider::shared().entry("[{roles: [all]}]")
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        let token = Provider::shared().token("alice").await;
        Self { server, recorder, token, seen: 0 }
    }

    /// What every good request has: CLUSTER is `own` where nothing else is said.
    fn standard(&self) -> String {
        format!(
            "Host: {}\r\nAuthorization: Bearer {}\r\nBackstage-Kubernetes-Cluster: own\r\n",
            self.server.address(),
            self.token
        )
    }

    fn get(&self, target: &str) -> Vec<u8> {
        self.line(&format!("GET {MOUNT}{target} HTTP/1.1"))
    }

    fn line(&self, line: &str) -> Vec<u8> {
        format!("{line}\r\n{}\r\n", self.standard()).into_bytes()
    }

    /// A good GET with more headers, each line ending in CRLF.
    fn with(&self, headers: &str) -> Vec<u8> {
        format!("GET {MOUNT}{PODS} HTTP/1.1\r\n{}{headers}\r\n", self.standard()).into_bytes()
    }

    /// A POST with these headers, and whatever is behind them.
    fn post(&self, headers: &str, behind: &str) -> Vec<u8> {
        let head =
            format!("POST {MOUNT}{MAPS} HTTP/1.1\r\n{}Content-Type: application/json\r\n", self.standard());
        format!("{head}{headers}\r\n{behind}").into_bytes()
    }

    /// Sends it, and reads what comes: the answer, and where it is doubtful until there is no other.
    async fn send(&self, row: &Row) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.server.address()).await.expect("it listens");
        // the server may close before it has read everything
        let _ = stream.write_all(&row.bytes).await;
        let mut answer = Vec::new();
        let mut piece = [0; 8_192];
        loop {
            let whole = is_whole(&answer);
            if whole && !row.doubtful {
                return answer;
            }
            let patience = if whole { QUIET } else { PATIENCE };
            match timeout(patience, stream.read(&mut piece)).await {
                Ok(Ok(bytes @ 1..)) => answer.extend_from_slice(&piece[..bytes]),
                _ => return answer,
            }
        }
    }

    /// Sends the rows one after the other, and says what is wrong.
    async fn check(&mut self, rows: Vec<Row>) {
        let mut wrong = Vec::new();
        for row in rows {
            let answer = self.send(&row).await;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let status = answer.split_whitespace().nth(1).unwrap_or("none").to_owned();
            wrong.extend(self.judge(&row.name, &row.expect, &status).await);
        }
        tokio::time::sleep(QUIET).await;
        let (late, _) = self.recorder.take();
        assert!(late.is_empty(), "arrived late: {late:#?}");
        assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// What is wrong with what arrived.
    async fn judge(&mut self, name: &str, expect: &Expect, status: &str) -> Vec<String> {
        let wanted: Vec<String> = match expect {
            Expect::Refused | Expect::Broken => Vec::new(),
            Expect::Arrives(lines) => lines.clone(),
            Expect::WithBody(line, _) => vec![line.clone()],
        };
        let lines: Vec<String> = wanted
            .iter()
            .map(|request| {
                let (method, path) = request.split_once(' ').expect("a method and a path");
                format!("{method} {PREFIX}{path} HTTP/1.1")
            })
            .collect();
        let (arrived, bytes) = self.recorder.take();
        let mut wrong = Vec::new();
        let got: Vec<&str> = arrived.iter().map(|arrived| arrived.line.as_str()).collect();
        if got != lines {
            wrong.push(format!("{name} ({status}): {got:?} arrived, not {lines:?}"));
        }
        if let (Expect::WithBody(_, body), [one]) = (expect, arrived.as_slice())
            && one.body != body.as_bytes()
        {
            wrong.push(format!("{name}: the body is {:?}", String::from_utf8_lossy(&one.body)));
        }
        if !lines.is_empty() && status != "200" {
            wrong.push(format!("{name}: answered {status}"));
        }
        wrong.extend(arrived.iter().flat_map(leaks).map(|leak| format!("{name}: {leak}")));
        for secret in [self.token.as_str(), "planted"] {
            if bytes.to_ascii_lowercase().contains(&secret.to_ascii_lowercase()) {
                wrong.push(format!("{name}: {secret} went up:\n{bytes}"));
            }
        }
        // what was under way when it broke off is written down, and when is not known here
        let broken = matches!(expect, Expect::Broken);
        wrong.extend(self.audited(name, &arrived, broken).await);
        wrong
    }

    /// Whether our audit log says exactly what arrived.
    async fn audited(&mut self, name: &str, arrived: &[Arrived], broken: bool) -> Option<String> {
        let began = Instant::now();
        if broken {
            tokio::time::sleep(QUIET).await;
            self.seen = self.server.read("audit.log").lines().count();
            return None;
        }
        loop {
            let log = self.server.read("audit.log");
            let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let passed: Vec<String> = lines[self.seen.min(lines.len())..]
                .iter()
                .filter(|line| line["upstream_requests"].as_u64().unwrap_or_default() > 0)
                .filter_map(|line| {
                    let request = &line["request"];
                    Some(format!("{} {PREFIX}{}", request["method"].as_str()?, request["path"].as_str()?))
                })
                .collect();
            let sent: Vec<String> = arrived
                .iter()
                .map(|arrived| {
                    let line = arrived.line.trim_end_matches(" HTTP/1.1");
                    line.split('?').next().unwrap_or_default().to_owned()
                })
                .collect();
            if passed == sent {
                self.seen = lines.len();
                return None;
            }
            if began.elapsed() > Duration::from_secs(2) {
                self.seen = lines.len();
                return Some(format!("{name}: {sent:?} arrived and the audit log has {passed:?}"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Headers that an API server may be sent by us.
const KNOWN: [&str; 11] = [
    "host",
    "accept",
    "accept-encoding",
    "authorization",
    "content-type",
    "content-length",
    "transfer-encoding",
    "user-agent",
    "audit-id",
    "traceparent",
    "tracestate",
];

/// What went up that is not ours to send.
fn leaks(arrived: &Arrived) -> Vec<String> {
    let mut leaks = Vec::new();
    for (name, value) in &arrived.headers {
        let impersonation = name.starts_with("impersonate-");
        if !KNOWN.contains(&name.as_str()) && !impersonation {
            leaks.push(format!("the header {name}: {value} went up"));
        }
    }
    let ours: Vec<(&str, &str)> = arrived
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("impersonate-"))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    if !(ours.is_empty()
        || ours == [("impersonate-user", "oidc:alice"), ("impersonate-group", "oidc:team-a")])
    {
        leaks.push(format!("impersonated as {ours:?}"));
    }
    let credential = arrived.all("authorization");
    if credential != [format!("Bearer {CREDENTIAL}").as_str()] && credential != ["Bearer of-the-cluster"] {
        leaks.push(format!("as {credential:?}"));
    }
    for name in ["host", "user-agent", "audit-id", "content-length", "transfer-encoding", "content-type"] {
        if arrived.all(name).len() > 1 {
            leaks.push(format!("more than one {name}"));
        }
    }
    if arrived.all("user-agent").iter().any(|agent| !agent.starts_with("platform-mcp/")) {
        leaks.push("the caller's User-Agent went up".to_owned());
    }
    leaks
}

/// Whether an answer is there as a whole.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_reach_the_cluster_as_they_are_or_not_at_all() {
    let mut rig = Rig::start().await;
    let rows = paths::rows(&rig);
    rig.check(rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_lines_and_framing_are_read_in_one_way_or_not_at_all() {
    let mut rig = Rig::start().await;
    let rows = lines::rows(&rig).into_iter().chain(frames::rows(&rig)).map(Row::doubtful).collect();
    rig.check(rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_somebody_else_by_headers() {
    let mut rig = Rig::start().await;
    let rows = headers::rows(&rig).await;
    rig.check(rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_no_other_way_in() {
    let mut rig = Rig::start().await;
    http2::check(&mut rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_of_tools_reach_the_cluster_as_they_are_or_not_at_all() {
    let mut rig = Rig::start().await;
    let mcp = Mcp::with_token(rig.server.url("/mcp"), &rig.token);
    tools::check(&mut rig, &mcp).await;
}
