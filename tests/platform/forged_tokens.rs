//! Forged and odd tokens, hundreds of them, over HTTP: none is taken, all are refused alike, nothing of them
//! reaches a cluster or a log. Good ones stand between them and are taken, so that to refuse everything is no way
//! to pass.

mod claims;
mod headers;
mod kinds;
mod places;
mod signatures;
mod spellings;
mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::table::{NO_TOKEN, PLANTED, Row, Sent, TAKEN, Table};
use crate::faulty::Faulty;
use crate::issuer::Issuer;
use crate::keys::Alg;
use crate::mcp::{Mcp, Reply};
use crate::odd_keys::Unfit;
use crate::oidc::{APP, Provider};
use crate::server::{Product, Server};

/// As an issuer is configured that does not follow RFC 9068.
const BY_CLAIMS: &str = "[{roles: [viewer]}], types: [at+jwt, JWT, none]";

struct Rig {
    upstream: Faulty,
    server: Server,
    http: reqwest::Client,
    audit: PathBuf,
    _home: TempDir,
}

impl Rig {
    async fn start(issuers: &[String]) -> Self {
        let upstream = Faulty::start().await;
        let home = tempfile::tempdir().unwrap();
        let audit = home.path().join("audit.jsonl");
        let config = format!(
            "clusters: {{static: [{{name: lab, url: \"{}\", token: of-the-server-itself}}]}}\naudit: {{to: {}}}\nissuers: [{}]\n",
            upstream.url,
            json!(audit),
            issuers.join(", ")
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { upstream, server, http, audit, _home: home }
    }

    /// Sends a call that needs the cluster, with what stands in the row.
    async fn send(&self, sent: &Sent, tool: &str, arguments: Value) -> Reply {
        let url = self.server.url(&format!("/mcp{}", sent.path));
        let mcp = Mcp::new(&url).over(self.http.clone());
        let call = mcp.message(&json!(1), "tools/call", &json!({"name": tool, "arguments": arguments}));
        let mut request = mcp.http_request(&call);
        if let Some(form) = &sent.form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
        }
        let mut request = request.build().unwrap();
        if let Some(method) = sent.method {
            *request.method_mut() = method.parse().unwrap();
        }
        for (name, value) in &sent.headers {
            request.headers_mut().append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Reply::read(self.http.execute(request).await.unwrap_or_else(|error| panic!("{sent:?}: {error}")))
            .await
    }

    /// The audit lines of requests that became no call, once there are so many.
    fn refused(&self, wanted: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let text = std::fs::read_to_string(&self.audit).unwrap();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let refused: Vec<Value> = lines.filter(|line| line.get("reason").is_some()).collect();
            if refused.len() >= wanted || began.elapsed() > Duration::from_secs(10) {
                return refused;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// All that a client can see of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Shape {
    fn of(reply: &Reply) -> Self {
        let named = reply.headers.iter().filter(|(name, _)| *name != "date");
        let mut headers: Vec<_> = named
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        headers.sort();
        Self { status: reply.status, headers, body: reply.text.clone() }
    }
}

/// What one row came to, where it was not what it should.
async fn judge(rig: &Rig, row: &Row, alike: &[Shape; 2]) -> Option<String> {
    if row.end == TAKEN {
        let reply = rig.send(&row.sent, "whoami", json!({})).await;
        let said = &reply.message["result"]["structuredContent"];
        let taken = (said["username"] == "alice", said["cluster_user"] == "oidc:alice");
        return (taken != (true, true))
            .then(|| format!("{}: not taken: {} {}", row.name, reply.status, reply.text));
    }
    let reply = rig.send(&row.sent, "kro_graph", checkout()).await;
    let wanted = &alike[usize::from(row.end != NO_TOKEN)];
    let shape = Shape::of(&reply);
    (shape != *wanted).then(|| format!("{}: {shape:?}", row.name))
}

fn checkout() -> Value {
    json!({"kind": "WebService", "namespace": "payments", "name": "checkout"})
}

/// The refusals that all others are alike: without a credential, and with one.
async fn alike(rig: &Rig) -> [Shape; 2] {
    let bare = Shape::of(&rig.send(&Sent::default(), "kro_graph", checkout()).await);
    let bad = Shape::of(&rig.send(&Sent::bearer("a.b.c"), "kro_graph", checkout()).await);
    for (shape, invalid) in [(&bare, false), (&bad, true)] {
        let challenge = shape.headers.iter().find(|(name, _)| name == "www-authenticate");
        let challenge = &challenge.expect("a challenge").1;
        assert_eq!(shape.status, 401);
        assert!(challenge.starts_with("Bearer resource_metadata=\"http"), "{challenge}");
        assert_eq!(challenge.contains("error=\"invalid_token\""), invalid, "{challenge}");
        assert!(!challenge.contains("error_description"), "{challenge}");
        let stored = shape.headers.iter().find(|(name, _)| name == "cache-control");
        assert_eq!(stored.map(|(_, value)| value.as_str()), Some("no-store"));
    }
    assert_eq!(bare.body, bad.body);
    [bare, bad]
}

/// Sends all rows, one after the other, and looks at what each left behind. How many were refused.
async fn try_all(rig: &Rig, rows: &[Row]) -> usize {
    let before = rig.refused(0).len() + 2;
    let alike = alike(rig).await;
    rig.upstream.reset();
    let mut wrong = Vec::new();
    for row in rows {
        wrong.extend(judge(rig, row, &alike).await);
    }
    assert!(rig.upstream.seen().is_empty(), "upstream: {:?}", rig.upstream.seen());

    let refused: Vec<&Row> = rows.iter().filter(|row| row.end != TAKEN).collect();
    let lines = rig.refused(before + refused.len());
    let told = lines.iter().skip(before);
    for (row, line) in refused.iter().zip(told) {
        let token = row.sent.token().map(hash);
        let named = line["token"]["hash"].as_str();
        let alone = token.is_none() || named == token.as_deref();
        if line["reason"] != row.end || line["outcome"] != "unauthenticated" || !alone {
            wrong.push(format!("{}: expected {} and {token:?}: {line}", row.name, row.end));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(lines.len() - before, refused.len(), "a line for each");

    let logs = format!("{}{}", std::fs::read_to_string(&rig.audit).unwrap(), rig.server.said());
    let telling: BTreeSet<&str> = rows.iter().flat_map(|row| row.sent.telling()).collect();
    let told: Vec<&&str> = telling.iter().filter(|piece| logs.contains(**piece)).collect();
    assert!(told.is_empty(), "in the logs: {told:?}");
    let told: Vec<&str> = logs.lines().filter(|line| line.contains(PLANTED)).collect();
    assert!(told.is_empty(), "what was made up is in the logs: {told:#?}");

    // the same call does need the cluster, and what is good still is
    let good = rows.iter().find(|row| row.end == TAKEN).expect("a good one");
    let reply = rig.send(&good.sent, "kro_graph", checkout()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(!rig.upstream.seen().is_empty(), "{}", reply.text);
    refused.len()
}

fn hash(token: &str) -> String {
    digest(&SHA256, token.as_bytes()).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_hundreds_of_tokens_the_good_ones_are_taken_and_all_others_are_refused_alike() {
    let provider = Provider::shared();
    let other = Issuer::start();
    let evil = other.neighbour();
    let rig = Rig::start(&[provider.entry("[{roles: [viewer]}]"), other.entry(BY_CLAIMS)]).await;
    let given = provider.sign_in("alice").await;
    let forge = provider.forge();
    let tables: [&dyn Fn(&mut Table<'_>); 14] = [
        &|table| headers::members(table, &evil),
        &headers::algorithms,
        &claims::audiences,
        &|table| claims::issuers(table, &other, &evil),
        &claims::times,
        &claims::names,
        &claims::groups,
        &kinds::by_header,
        &|table| kinds::signed_in(table, &given),
        &signatures::altered,
        &spellings::compact,
        &spellings::json_of_parts,
        &places::wrong,
        &places::several,
    ];
    let mut refused = 0;
    for fill in tables {
        // signed right before it is sent: some tokens are good for seconds only
        let mut table = Table::new(&forge);
        fill(&mut table);
        refused += try_all(&rig, &table.rows).await;
    }
    assert!(refused > 500, "{refused}");
    assert!(evil.seen().is_empty(), "nobody is asked for what a token says: {:?}", evil.seen());
    assert!(other.count("/jwks") <= 2, "{:?}", other.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_claims_tell_kinds_apart_they_do() {
    let issuer = Issuer::start();
    let unfit = Unfit::new();
    issuer.publish_before(unfit.entries());
    let rig = Rig::start(&[issuer.entry(BY_CLAIMS)]).await;
    let forge = issuer.forge();
    let mut table = Table::new(&forge);
    kinds::by_claims_alone(&mut table);
    kinds::unfit_keys(&mut table, &unfit);
    try_all(&rig, &table.rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_is_taken_where_the_configuration_says_so_and_an_access_token_is_then_none() {
    let provider = Provider::shared();
    let given = provider.sign_in("alice").await;
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let entry = provider.entry("[{roles: [viewer]}], tokens: [id]");
    let entry = entry.replace(&json!(crate::forge::AUDIENCE).to_string(), &json!(APP).to_string());
    let rig = Rig::start(&[entry]).await;
    let forge = provider.forge();
    let mut table = Table::new(&forge);
    table.token("the ID token", &text("id_token"), TAKEN);
    table.token("the access token", &text("access_token"), "type");
    table.token("the refresh token", &text("refresh_token"), "malformed");
    table.token(
        "an access token for the app",
        &provider.token_for("alice", "https://app.test").await,
        "type",
    );
    table.claims(json!({"aud": APP}), "type");
    for (header, changes, end) in [
        (json!({"typ": "JWT"}), json!({"nonce": "n", "at_hash": "AAAA"}), TAKEN),
        (json!({"typ": "JWT"}), json!({"aud": "another-app"}), "audience"),
        (json!({"typ": "JWT"}), json!({"cnf": {"jkt": "AAAA"}}), "bound"),
        (json!({"typ": "JWT"}), json!({"events": {}}), "kind"),
        (json!({"typ": "logout+jwt"}), json!({"events": {}}), "type"),
        (json!({"typ": "JWT"}), json!({"typ": "Logout"}), "kind"),
    ] {
        let header = table::changed(forge.header(Alg::Rs256), header);
        let mut claims = table.claims_of_alice();
        claims["aud"] = json!(APP);
        let claims = table::changed(claims, changes);
        let token = forge.sign(&header, &claims, crate::forge::With::Own(Alg::Rs256));
        table.token(format!("{header} {claims}"), &token, end);
    }
    try_all(&rig, &table.rows).await;
}

/// The head of a request has a bound, and a token in it another: neither is read to its end first.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_megabyte_is_refused_before_it_is_looked_at() {
    let provider = Provider::shared();
    let rig = Rig::start(&[provider.entry("[{roles: [viewer]}]")]).await;
    let forge = provider.forge();
    let mut claims = forge.claims("alice");
    claims["planted"] = json!("p".repeat(750_000));
    let large = forge.claiming(&claims);
    assert!(large.len() > 1_000_000);
    assert_eq!(raw(&rig, &large).await, 431);
    let full = "p".repeat(65_000);
    assert!(matches!(raw(&rig, &full).await, 401 | 431), "on the edge of what a head may have");
    claims["planted"] = json!("p".repeat(24_000));
    let reply = rig.send(&Sent::bearer(&forge.claiming(&claims)), "whoami", json!({})).await;
    assert_eq!(reply.status, 200, "a large token is one: {}", reply.text);
    let logs = format!("{}{}", std::fs::read_to_string(&rig.audit).unwrap(), rig.server.said());
    assert!(logs.len() < 100_000 && !logs.contains(PLANTED) && !logs.contains(&large[1_000..1_100]));
}

/// The status of a request with this token, whether or not the server reads it to its end.
async fn raw(rig: &Rig, token: &str) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(rig.server.address()).await.unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    );
    let (mut from, mut to) = stream.split();
    let written = async {
        let _ = to.write_all(head.as_bytes()).await;
    };
    let mut status = [0; 12];
    let read = async { from.read_exact(&mut status).await.expect("an answer") };
    tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(written, read) })
        .await
        .expect("in time");
    std::str::from_utf8(&status[9..]).unwrap().parse().unwrap()
}
