//! Headers: who asks, which cluster, and what is of the hop.

use serde_json::json;

use super::{Expect, MOUNT, PODS, Rig, Row, arrives, row};
use crate::oidc::Provider;

pub(super) async fn rows(rig: &Rig) -> Vec<Row> {
    let pods = || arrives(&format!("GET {PODS}"));
    let mut rows = Vec::new();
    // they are there, and do not go up
    for header in [
        "Impersonate-User: planted",
        "Impersonate-User: system:admin",
        "Impersonate-Group: system:masters",
        "Impersonate-Uid: planted",
        "Impersonate-Extra-scopes: planted",
        "impersonate-user: ",
        "X-Remote-User: planted",
        "X-Remote-Group: system:masters",
        "X-Remote-Extra-Scopes: planted",
        "X-Forwarded-User: planted",
        "X-Forwarded-For: planted",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
        "Forwarded: for=planted;host=evil.example",
        "X-Real-IP: planted",
        "X-Original-URL: /api/v1/secrets",
        "X-Rewrite-URL: /api/v1/secrets",
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "Cookie: backstage-auth=planted",
        "Cookie: a=planted\r\nCookie: b=planted",
        "Proxy-Authorization: Basic planted",
        "Proxy-Connection: keep-alive",
        "Connection: close, authorization",
        "Connection: keep-alive, host, backstage-kubernetes-cluster",
        "Connection: accept, user-agent, impersonate-user",
        "Keep-Alive: timeout=planted",
        "TE: trailers, deflate",
        "Trailer: Authorization",
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings",
        "Upgrade: planted/1",
        "Audit-Id: planted",
        "User-Agent: planted",
        "X-Request-Id: planted",
        "Referer: http://planted",
        "Range: bytes=0-1",
        "If-None-Match: \"planted\"",
        "Max-Forwards: 0",
        "Via: 1.1 planted",
        "X-Hub-Signature: planted",
        "X-Stream-Protocol-Version: planted",
        "Sec-WebSocket-Protocol: planted",
        "Backstage_Kubernetes_Authorization: planted",
        "Backstage-Kubernetes-Authorization: Bearer planted",
        "Backstage-Kubernetes-Authorization-google: planted",
        "Backstage-Kubernetes-Authorization-oidc-okta: planted",
        "Backstage-Kubernetes-Authorization:",
        "Backstage-Kubernetes-Authorization: planted\r\nBackstage-Kubernetes-Authorization: planted",
        "Expect: 100-continue",
    ] {
        rows.push(row(header, rig.with(&format!("{header}\r\n")), pods()));
    }
    // they are none
    for header in [
        "X-A: b\r\n Impersonate-User: planted",
        "X-A: b\r\n\tfolded",
        "X-A : b",
        " X-A: b",
        "X A: b",
        "X-A",
        ": b",
        "X-A: b\rImpersonate-User: planted",
        "X-A: b\0c",
        "X-\0A: b",
        "X-\u{e4}: b",
        "Host: evil.example",
        "Host: 127.0.0.1",
        "Authorization: Bearer planted",
        "Backstage-Kubernetes-Cluster: imp",
        "Backstage-Kubernetes-Cluster: own",
        "Content-Encoding: gzip",
        "Content-Type: a/b\r\nContent-Type: c/d",
        "Origin: https://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\nSec-WebSocket-Version: 13",
        "Connection: Upgrade\r\nUpgrade: SPDY/3.1",
    ] {
        rows.push(row(format!("{header:?}"), rig.with(&format!("{header}\r\n")), Expect::Refused));
    }
    rows.push(row(
        "headers of 200 KiB",
        rig.with(&format!("X-A: {}\r\n", "x".repeat(200 << 10))),
        Expect::Refused,
    ));
    rows.push(row("3,000 headers", rig.with(&"X-A: b\r\n".repeat(3_000)), Expect::Refused));
    rows.extend(changed(rig));
    rows.extend(strangers(rig).await);
    rows.extend(tokens(rig));
    rows
}

/// What stands in place of the good headers.
fn changed(rig: &Rig) -> Vec<Row> {
    let head = String::from_utf8(rig.with("")).expect("UTF-8");
    let host = format!("Host: {}\r\n", rig.server.address());
    let cluster = "Backstage-Kubernetes-Cluster: own\r\n";
    let bearer = format!("Authorization: Bearer {}\r\n", rig.token);
    let refused = |from: &str, to: &str| {
        assert!(head.contains(from));
        row(format!("{to:?} in place of {:.20}", from), head.replace(from, to), Expect::Refused)
    };
    let mut rows = vec![
        refused(&host, ""),
        refused(&host, "Host: evil.example\r\n"),
        refused(&host, "Host:\r\n"),
        refused(&host, &format!("Host: user@{}\r\n", rig.server.address())),
        refused(&host, "Host: 127.0.0.1@evil.example\r\n"),
        refused(&host, "Host: 127.0.0.1/../x\r\n"),
        refused(cluster, ""),
        refused(&bearer, ""),
        refused(&bearer, "Authorization: Basic YWxpY2U6eA==\r\n"),
        refused(&bearer, "Authorization: Bearer\r\n"),
        refused(&bearer, &format!("Authorization: Bearer {} planted\r\n", rig.token)),
        refused(&bearer, &format!("Authorization: Bearer {}, Bearer planted\r\n", rig.token)),
        refused(&bearer, &format!("Cookie: token={}\r\n", rig.token)),
        refused(&bearer, &format!("Backstage-Kubernetes-Authorization: Bearer {}\r\n", rig.token)),
    ];
    for name in [
        "",
        "nothing",
        "own, imp",
        "../own",
        "own/..",
        "*",
        "static/*",
        "OWN",
        "own\tx",
        "http://evil.example",
    ] {
        rows.push(refused(cluster, &format!("Backstage-Kubernetes-Cluster: {name}\r\n")));
    }
    let of_query = head.replace(&bearer, "").replace(PODS, &format!("{PODS}?access_token={}", rig.token));
    rows.push(row("the token in the query", of_query, Expect::Refused));
    let qualified = head.replace(cluster, "Backstage-Kubernetes-Cluster: static/own\r\n");
    rows.push(row("the whole name", qualified, arrives(&format!("GET {PODS}"))));
    // as themselves, whatever they say they are
    let forged =
        "Impersonate-User: planted\r\nImpersonate-Group: system:masters\r\nConnection: impersonate-group\r\n";
    let imp = format!("Backstage-Kubernetes-Cluster: imp\r\n{forged}");
    rows.push(row(
        "impersonated, with another name",
        head.replace(cluster, &imp),
        arrives(&format!("GET {PODS}")),
    ));
    rows
}

/// Tokens that are none, or say what nobody may be.
async fn strangers(rig: &Rig) -> Vec<Row> {
    let provider = Provider::shared();
    let forge = provider.forge();
    let head = String::from_utf8(rig.with("")).expect("UTF-8");
    let mut rows = Vec::new();
    let claims = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut claims = forge.claims("alice");
        change(&mut claims);
        forge.claiming(&claims)
    };
    let unsigned = format!("{}.", rig.token.rsplit_once('.').expect("a JWS").0);
    for (name, token) in [
        ("a group of Kubernetes's own", claims(&|claims| claims["groups"] = json!(["system:masters"]))),
        ("a name of Kubernetes's own", claims(&|claims| claims["sub"] = json!("system:admin"))),
        ("groups that are no list of texts", claims(&|claims| claims["groups"] = json!([{"a": 1}]))),
        ("of another issuer", claims(&|claims| claims["iss"] = json!("https://evil.example"))),
        ("for another audience", claims(&|claims| claims["aud"] = json!("another"))),
        ("expired", claims(&|claims| claims["exp"] = json!(1))),
        ("without a signature", unsigned),
        ("for the cluster, of the person", "of-the-cluster".to_owned()),
    ] {
        for cluster in ["own", "imp"] {
            let head =
                head.replace(&rig.token, &token).replace("Cluster: own", &format!("Cluster: {cluster}"));
            rows.push(row(format!("a token {name}, to {cluster}"), head, Expect::Refused));
        }
    }
    let mallory = provider.token("mallory").await;
    rows.push(row(
        "mallory, whom the issuer lets be a master",
        head.replace(&rig.token, &mallory),
        Expect::Refused,
    ));
    rows
}

/// Tokens for a cluster whose callers bring theirs.
fn tokens(rig: &Rig) -> Vec<Row> {
    let name = "Backstage-Kubernetes-Authorization";
    let with = |headers: &str| {
        format!(
            "GET {MOUNT}{PODS} HTTP/1.1\r\n{}{headers}\r\n",
            rig.standard().replace("Cluster: own", "Cluster: hdr")
        )
    };
    let mut rows = vec![
        row(
            "their token",
            with(&format!("{name}: Bearer of-the-cluster\r\n")),
            arrives(&format!("GET {PODS}")),
        ),
        row(
            "their token alone",
            with(&format!("{name}: of-the-cluster\r\n")),
            arrives(&format!("GET {PODS}")),
        ),
    ];
    for headers in [
        String::new(),
        format!("{name}:\r\n"),
        format!("{name}: Bearer\r\n"),
        format!("{name}: Bearer \r\n"),
        format!("{name}: Basic of-the-cluster\r\n"),
        format!("{name}: Bearer of the-cluster\r\n"),
        format!("{name}: of-the-cluster, of-the-cluster\r\n"),
        format!("{name}: of-the-cluster\r\n{name}: of-the-cluster\r\n"),
        format!("{name}: Bearer of-the-cluster\r\n{name}:\r\n"),
        format!("{name}: of-the-clust\u{e9}r\r\n"),
        format!("{name}: of-the-cluster\0\r\n"),
        format!("{name}: of-the-cluster\r\n X: folded\r\n"),
        format!("{name}: Bearer {}\r\n", rig.token),
        format!("{name}: {}\r\n", rig.token),
        format!("{name}: BEARER  {}\r\n", rig.token),
        format!("{name}: {}\r\n", "x".repeat(17 << 10)),
        format!("{name}-google: of-the-cluster\r\n"),
        format!("{name}-oidc-okta: Bearer of-the-cluster\r\n"),
        format!("{name}-: of-the-cluster\r\n"),
        "Backstage_Kubernetes_Authorization: of-the-cluster\r\n".to_owned(),
        "X-Backstage-Kubernetes-Authorization: of-the-cluster\r\n".to_owned(),
        "Impersonate-User: planted\r\n".to_owned(),
    ] {
        rows.push(row(format!("hdr: {headers:.90?}"), with(&headers), Expect::Refused));
    }
    rows
}
