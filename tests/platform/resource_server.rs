//! The HTTP door as an OAuth resource server: what callers without a good token are told, and what not.

use std::collections::BTreeMap;

use reqwest::{RequestBuilder, header};
use serde_json::{Value, json};

use crate::{
    forge::With,
    issuer::{Answer, Issuer},
    keys::Alg,
    mcp::{Mcp, Reply, stateless},
    oidc::Provider,
    server::{Product, Server},
};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const VIEWERS: &str = "[{when: {groups: team-a}, roles: [viewer]}]";

fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

fn with_issuer(issuer: &Issuer) -> Server {
    serve(&format!("issuers: [{}]\n", issuer.entry(VIEWERS)))
}

fn whoami() -> Value {
    stateless(&json!(1), "tools/call", &json!({"name": "whoami", "arguments": {}}))
}

async fn sent(request: RequestBuilder) -> Reply {
    Reply::read(request.send().await.expect("the server answers")).await
}

/// All that a client can see of an answer, but for the time of day.
fn seen(reply: &Reply) -> (u16, BTreeMap<String, String>, String) {
    let mut headers: BTreeMap<_, _> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("not text").to_owned()))
        .collect();
    headers.remove("date");
    (reply.status, headers, reply.text.clone())
}

#[tokio::test]
async fn a_caller_is_who_the_token_says() {
    let provider = Provider::shared();
    let server = serve(&format!("issuers: [{}]\n", provider.entry(VIEWERS)));
    for (person, sees) in [("alice", true), ("bob", false)] {
        let token = provider.token(person).await;
        for mcp in
            [Mcp::with_token(server.url("/mcp"), &token), Mcp::legacy_with_token(server.url("/mcp"), &token)]
        {
            let answer = mcp.call("whoami", json!({})).await;
            assert_eq!(answer.structure["username"], person, "{answer:?}");
            let tools = mcp.list_tools().await;
            assert_eq!(tools.iter().any(|tool| tool["name"] == "kro_graph"), sees, "{person}");
        }
    }
    let lower = Mcp::new(server.url("/mcp"))
        .header("authorization", &format!("bEaReR  {}", provider.token("alice").await));
    assert_eq!(lower.call("whoami", json!({})).await.structure["username"], "alice");
}

/// Whatever is wrong with a credential, and wherever it stands.
#[tokio::test]
async fn all_refusals_of_credentials_look_alike() {
    let issuer = Issuer::start();
    let server = with_issuer(&issuer);
    let (forge, mcp) = (issuer.forge(), Mcp::new(server.url("/mcp")));
    let good = forge.good("alice");
    assert_eq!(Mcp::with_token(server.url("/mcp"), &good).request("tools/list", json!({})).await.status, 200);

    let bearer = |token: &str| mcp.http_request(&whoami()).bearer_auth(token);
    let mut expired = forge.claims("alice");
    expired["exp"] = json!(1);
    let query = Mcp::new(format!("{}?access_token={good}", server.url("/mcp")));
    let expected = seen(&sent(bearer("nonsense")).await);
    let place = format!("http://{}{WELL_KNOWN}/mcp", server.address());
    assert_eq!(
        (expected.0, expected.1["www-authenticate"].as_str(), expected.1["cache-control"].as_str()),
        (401, format!(r#"Bearer resource_metadata="{place}", error="invalid_token""#).as_str(), "no-store")
    );
    let stranger = Issuer::start();
    for (what, request) in [
        ("expired", bearer(&forge.claiming(&expired))),
        ("another issuer", bearer(&stranger.forge().good("alice"))),
        ("another key", {
            let (header, claims) = (forge.header(Alg::Rs256), forge.claims("alice"));
            bearer(&forge.sign(&header, &claims, With::Key(stranger.forge().key(Alg::Rs256), Alg::Rs256)))
        }),
        ("system:masters", bearer(&forge.good("mallory"))),
        ("16 KB", bearer(&"a".repeat(16 << 10))),
        ("Basic", mcp.http_request(&whoami()).basic_auth("alice", Some(&good))),
        ("no scheme", mcp.http_request(&whoami()).header(header::AUTHORIZATION, &good)),
        ("DPoP", mcp.http_request(&whoami()).header(header::AUTHORIZATION, format!("DPoP {good}"))),
        ("two headers", bearer(&good).header(header::AUTHORIZATION, format!("Bearer {good}"))),
        ("two schemes", bearer(&good).header(header::AUTHORIZATION, "Basic YTpi")),
        ("a comma", bearer(&format!("{good},{good}"))),
        ("not ASCII", mcp.http_request(&whoami()).header(header::AUTHORIZATION, b"Bearer \xe9".as_slice())),
        ("the query string beside a header", query.http_request(&whoami()).bearer_auth(&good)),
        ("the query string", query.http_request(&whoami())),
    ] {
        assert_eq!(seen(&sent(request).await), expected, "{what}");
    }
    assert!(!server.said().contains(&good), "no token in a log");
}

/// A token that stands elsewhere is none.
#[tokio::test]
async fn a_token_stands_in_the_authorization_header_alone() {
    let issuer = Issuer::start();
    let server = with_issuer(&issuer);
    let (good, mcp) = (issuer.forge().good("alice"), Mcp::new(server.url("/mcp")));
    let expected = seen(&sent(mcp.http_request(&whoami())).await);
    let challenge = &expected.1["www-authenticate"];
    assert!(expected.0 == 401 && !challenge.contains("error"), "{challenge}");
    let mut body = whoami();
    body["access_token"] = json!(good);
    body["params"]["_meta"]["authorization"] = json!(format!("Bearer {good}"));
    for request in [
        mcp.http_request(&body),
        mcp.http_request(&whoami()).header(header::COOKIE, format!("access_token={good}")),
        mcp.http_request(&whoami()).header(header::PROXY_AUTHORIZATION, format!("Bearer {good}")),
        mcp.http_request(&whoami()).header("x-access-token", &good),
        mcp.http_request(&whoami()).header("x-forwarded-access-token", &good),
        mcp.http_request(&whoami()).header("x-auth-request-access-token", &good),
    ] {
        assert_eq!(seen(&sent(request).await), expected);
    }
    for method in ["GET", "DELETE", "OPTIONS"] {
        let request = reqwest::Client::new().request(method.parse().unwrap(), server.url("/mcp"));
        assert_eq!(sent(request).await.status, 401, "{method}");
    }
    // who watches over the server has no token
    for path in ["/healthz", "/readyz"] {
        assert_eq!(sent(reqwest::Client::new().get(server.url(path))).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn metadata_tells_clients_whom_to_ask_for_a_token() {
    let issuer = Issuer::start();
    let entry = issuer.entry(VIEWERS);
    let scoped = entry.replacen('{', "{askScopes: [openid], scopes: {kro.read: ['kro.*']}, ", 1);
    let server = serve(&format!("issuers: [{scoped}]\n"));
    let get = |url: String| sent(reqwest::Client::new().get(url));
    for path in ["", "/mcp"] {
        let reply = get(server.url(&format!("{WELL_KNOWN}{path}"))).await;
        let resource = server.url("/mcp");
        let expected = json!({
            "resource": resource, "authorization_servers": [issuer.url()],
            "scopes_supported": ["kro.read", "openid"], "bearer_methods_supported": ["header"],
            "resource_name": "platform-mcp",
        });
        assert_eq!((reply.status, &reply.message), (200, &expected), "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
    }
    let challenge = Mcp::new(server.url("/mcp")).request("tools/list", json!({})).await;
    let challenge = challenge.header("www-authenticate").to_owned();
    assert!(challenge.ends_with(r#", scope="kro.read openid""#), "{challenge}");
    // pages in browsers ask first
    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, server.url(&format!("{WELL_KNOWN}/mcp")))
        .header(header::ORIGIN, "https://page.example.com")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET");
    let preflight = sent(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, "*"));
    assert_eq!(get(server.url(&format!("{WELL_KNOWN}/other"))).await.status, 404);

    // a Host that is not ours is not repeated
    let request = reqwest::Client::new().get(server.url(WELL_KNOWN)).header(header::HOST, "evil.example.com");
    assert_eq!(sent(request).await.message["resource"], server.url("/mcp"));

    let none = Server::start();
    assert_eq!(get(none.url(WELL_KNOWN)).await.status, 404, "nobody issues tokens for it");
}

#[tokio::test]
async fn behind_a_proxy_the_configured_url_is_told() {
    let issuer = Issuer::start();
    let url = "https://mcp.example.com/base/mcp";
    let server = serve(&format!("issuers: [{}]\nhttp: {{url: '{url}'}}\n", issuer.entry(VIEWERS)));
    for path in ["", "/mcp", "/base/mcp"] {
        let request = reqwest::Client::new()
            .get(server.url(&format!("{WELL_KNOWN}{path}")))
            .header(header::HOST, "mcp.example.com")
            .header("x-forwarded-host", "evil.example.com");
        let reply = sent(request).await;
        assert_eq!((reply.status, &reply.message["resource"]), (200, &json!(url)), "{path}");
    }
    let mcp = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let reply = sent(mcp.http_request(&whoami()).header(header::HOST, "mcp.example.com")).await;
    assert_eq!(reply.status, 200, "its host is ours: {}", reply.text);
    let reply = Mcp::new(server.url("/mcp")).request("tools/list", json!({})).await;
    let place =
        r#"resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/base/mcp""#;
    assert!(reply.header("www-authenticate").contains(place), "{:?}", reply.headers);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_an_outage_and_no_bad_credential() {
    let issuer = Issuer::start();
    issuer.discovery(Answer::Status(500)).jwks(Answer::Status(500));
    let server = with_issuer(&issuer);
    let mcp = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let reply = mcp.request("tools/list", json!({})).await;
    assert_eq!((reply.status, reply.header("cache-control")), (503, "no-store"), "{}", reply.text);
    assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 1), "{:?}", reply.headers);
    assert_eq!(reply.code(), -32000);
    assert!(!reply.text.contains(issuer.url()), "{}", reply.text);
}

/// With `stepUp`, a token that falls short is told the scopes that would do; without, a hidden tool does not
/// exist.
#[tokio::test]
async fn a_token_that_falls_short_is_told_the_scopes_that_would_do() {
    let issuer = Issuer::start();
    let forge = issuer.forge();
    let scopes = "{kro.read: [kro.resource-graph.show, 'kro.*.list'], clusters: [kubernetes.clusters.read]}";
    let entry = issuer.entry("[{when: {groups: team-b}, deny: ['kro.*']}]");
    let entry = entry.replacen('{', &format!("{{scopes: {scopes}, "), 1);
    let token = |person: &str, scope: &str| {
        let mut claims = forge.claims(person);
        claims["scope"] = json!(scope);
        forge.claiming(&claims)
    };
    let graph = json!({"name": "kro_graph", "arguments": {"kind": "A", "name": "b"}});
    let config = format!("issuers: [{entry}]\n");
    let (quiet, stepping) = (serve(&config), serve(&format!("{config}http: {{stepUp: true}}\n")));
    let ask = |server: &Server, token: &str, legacy: bool| {
        let url = server.url("/mcp");
        let mcp = if legacy { Mcp::legacy_with_token(url, token) } else { Mcp::with_token(url, token) };
        let graph = graph.clone();
        async move { mcp.request("tools/call", graph).await }
    };
    let short = token("alice", "openid clusters");
    for legacy in [false, true] {
        let reply = ask(&stepping, &short, legacy).await;
        assert_eq!((reply.status, reply.header("cache-control")), (403, "no-store"), "{}", reply.text);
        let place = format!("http://{}{WELL_KNOWN}/mcp", stepping.address());
        let challenge = reply.header("www-authenticate");
        let wanted = format!(
            "Bearer error=\"insufficient_scope\", scope=\"clusters kro.read openid\", \
             resource_metadata=\"{place}\", error_description=\""
        );
        assert!(challenge.starts_with(&wanted), "{challenge}");
        let hidden = ask(&quiet, &short, legacy).await;
        assert_eq!((hidden.status, hidden.code()), (200, -32602), "{}", hidden.text);
    }
    // no scope would help against a rule that takes it away, nor for a tool that nobody has
    let denied = ask(&stepping, &token("bob", "clusters"), false).await;
    assert_eq!((denied.status, denied.code()), (200, -32602), "{}", denied.text);
    let mcp = Mcp::with_token(stepping.url("/mcp"), &short);
    let unknown = mcp.request("tools/call", json!({"name": "no_such", "arguments": {}})).await;
    assert_eq!((unknown.status, unknown.code()), (200, -32602), "{}", unknown.text);
    // with the scopes that were named it works, as far as there is a cluster
    let enough = ask(&stepping, &token("alice", "clusters kro.read openid"), false).await;
    assert_eq!(enough.status, 200, "{}", enough.text);
}

#[tokio::test]
async fn a_refusal_leaves_a_line_with_the_hash_of_the_token() {
    let issuer = Issuer::start();
    let config = format!("issuers: [{}]\nhttp: {{trustedProxies: [127.0.0.1]}}\n", issuer.entry(VIEWERS));
    let server = serve(&config);
    let mut claims = issuer.forge().claims("alice");
    claims["aud"] = json!("https://elsewhere.test");
    let token = issuer.forge().claiming(&claims);
    let mcp =
        Mcp::with_token(server.url("/mcp"), &token).header("x-forwarded-for", "203.0.113.9, 198.51.100.7");
    assert_eq!(mcp.request("tools/list", json!({})).await.status, 401);
    let line = server.wait_for(|said| {
        let line = said.lines().find(|line| line.contains("\"reason\":\"audience\""))?;
        serde_json::from_str::<Value>(line).ok()
    });
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let prefix: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (&line["token"]["hash"], &line["client"], &line["outcome"]),
        (&json!(prefix), &json!("198.51.100.7"), &json!("unauthenticated")),
        "{line}"
    );
    assert!(!server.said().contains(&token), "no token in a log");
}
