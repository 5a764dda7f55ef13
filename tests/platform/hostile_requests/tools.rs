//! The same as arguments of tools.

use serde_json::{Value, json};

use super::{Expect, PODS, Rig, arrives, paths};
use crate::mcp::Mcp;

pub(super) async fn check(rig: &mut Rig, mcp: &Mcp) {
    let mut rows: Vec<(&str, Value, Expect)> = Vec::new();
    let mut hostile = paths::hostile();
    hostile.extend(
        [
            "",
            " ",
            "api/v1/pods",
            "http://evil.example/api",
            "https://evil.example/api",
            "/api/v1/namespaces/a/pods?watch=1",
            "/api/v1/namespaces/a/pods#x",
            "/api/v1/na me",
            "/api/v1\r\nX-Remote-User: planted",
            "/api/v1\nHost: evil.example",
            "/api/v1\0",
            " /api/v1",
            "/api/v1 ",
        ]
        .map(str::to_owned),
    );
    for path in hostile {
        rows.push(("kubernetes_proxy", json!({"path": path}), Expect::Refused));
        rows.push(("kubernetes_proxy_write", json!({"method": "DELETE", "path": path}), Expect::Refused));
    }
    for (tool, arguments) in [
        ("kubernetes_proxy", json!({"path": PODS, "method": "DELETE"})),
        ("kubernetes_proxy", json!({"path": PODS, "method": "GET /x HTTP/1.1\r\nX:"})),
        ("kubernetes_proxy", json!({"path": PODS, "headers": {"Impersonate-User": "planted"}})),
        ("kubernetes_proxy", json!({"path": PODS, "cluster": "http://evil.example"})),
        ("kubernetes_proxy", json!({"path": PODS, "cluster": "own\r\nX: y"})),
        ("kubernetes_proxy", json!({"path": [PODS]})),
        ("kubernetes_proxy", json!({"path": PODS, "query": "watch=1"})),
        ("kubernetes_proxy_write", json!({"method": "CONNECT", "path": PODS})),
        ("kubernetes_proxy_write", json!({"method": "TRACE", "path": PODS})),
        ("kubernetes_proxy_write", json!({"method": "GET", "path": PODS})),
        (
            "kubernetes_proxy_write",
            json!({"method": "POST", "path": PODS, "body": "{}", "content_type": "a/b\r\nImpersonate-User: planted"}),
        ),
    ] {
        rows.push((tool, arguments, Expect::Refused));
    }
    for (query, sent) in [
        (json!({"a": "b&c=d#e\r\nX: y"}), "a=b%26c%3Dd%23e%0D%0AX%3A%20y"),
        (json!({"labelSelector": "a=b,c in (d)"}), "labelSelector=a%3Db%2Cc%20in%20%28d%29"),
    ] {
        let arguments = json!({"path": "/api/v1/namespaces/a/configmaps/x", "query": query});
        let expect = arrives(&format!("GET /api/v1/namespaces/a/configmaps/x?{sent}"));
        rows.push(("kubernetes_proxy", arguments, expect));
    }
    let mut wrong = Vec::new();
    for (tool, mut arguments, expect) in rows {
        arguments.as_object_mut().expect("an object").entry("cluster").or_insert(json!("own"));
        let answer = mcp.try_call(tool, arguments.clone()).await;
        let failed = answer.as_ref().map_or(true, |answer| answer.is_error);
        let status = if failed { "refused" } else { "200" };
        wrong.extend(rig.judge(&format!("{tool} {arguments:.200}"), &expect, status).await);
        if matches!(expect, Expect::Refused) && !failed {
            wrong.push(format!("{tool} {arguments:.200}: no error"));
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
