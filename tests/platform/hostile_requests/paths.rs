//! Paths and queries.

use super::{Expect, PODS, Rig, Row, arrives, row};

/// Paths that are none, whoever sends them: as they stand in a request line, or in an argument.
pub(super) fn hostile() -> Vec<String> {
    let mut paths: Vec<String> = [
        "/..",
        "/.",
        "/../api/v1/secrets",
        "/../../../etc/passwd",
        "/api/v1/namespaces/a/../b/secrets",
        "/api/v1/./namespaces/a/pods",
        "/api/v1/namespaces/a/pods/..",
        "/api/v1/namespaces/a/pods/.",
        "/%2e%2e/api",
        "/api/%2E%2e/v1",
        "/api/.%2e/v1",
        "/api/%2e./v1",
        "/api/%2e/v1",
        "/api/%252e%252e/v1",
        "/api/%25252e%25252e/v1",
        "/api/..%2fv1",
        "/api/..%252fv1",
        "/api/..;/v1",
        "//evil.example/api",
        "///api/v1",
        "/api//v1/namespaces",
        "/api/v1/namespaces/",
        "/http://evil.example/api",
        "/https:%2f%2fevil.example/api",
        "/api/v1/namespaces/a%2fb/pods",
        "/api/v1/namespaces/a%2Fsecrets%2Fx",
        "/api/v1/namespaces/a%5cb/pods",
        "/api/v1/namespaces/a%5C..%5Cb",
        "/api\\v1\\..\\secrets",
        "/api/v1/pods;a=b",
        "/api/v1/namespaces/a;b/pods",
        "/api/v1/namespaces/a%3bb/pods",
        "/api/v1/namespaces/a%3fwatch=1/pods",
        "/api/v1/namespaces/a%23b/pods",
        "/api/v1/namespaces/a%25/pods",
        "/api/v1/namespaces/a%00/pods",
        "/api/v1/namespaces/%00",
        "/api/v1/namespaces/a%0d%0aHost:%20evil/pods",
        "/api/v1/namespaces/a%0aX-Remote-User:%20root",
        "/api/v1/namespaces/a%09b",
        "/api/v1/namespaces/a%1bb",
        "/api/v1/namespaces/a%7f",
        "/api/v1/namespaces/a%c2%85b",
        "/api/v1/namespaces/%ff",
        "/api/v1/namespaces/%c0%ae%c0%ae/secrets",
        "/api/v1/namespaces/%e0%80%ae%e0%80%ae",
        "/api/v1/namespaces/%ed%a0%80",
        "/api/v1/namespaces/a%",
        "/api/v1/namespaces/a%2",
        "/api/v1/namespaces/a%zz",
        "/api/v1/namespaces/a%u002e",
        "/api/v1/namespaces/a%+1",
        "/api/v1/namespaces/a\"b",
        "/api/v1/namespaces/<script>",
        "/api/v1/namespaces/{a}",
        "/api/v1/namespaces/a|b",
        "/api/v1/namespaces/a^b",
        "/api/v1/namespaces/a`b`",
        "/api/v1/namespaces/\u{e4}",
        "/api/v1/namespaces/\u{ff0e}\u{ff0e}/secrets",
        "/api/v1/namespaces/\u{2025}",
        "/api/v1/proxy/nodes/n/run",
        "/api/v1/proxy/namespaces/kube-system/services/x",
    ]
    .map(str::to_owned)
    .into();
    paths.push(format!("/api/v1/namespaces/{}", "x".repeat(3_000)));
    paths.push(format!("/api/v1/namespaces/a/pods{}", "/a".repeat(2_000)));
    paths
}

pub(super) fn rows(rig: &Rig) -> Vec<Row> {
    let mut rows: Vec<Row> =
        hostile().into_iter().map(|path| row(&path, rig.get(&path), Expect::Refused)).collect();
    // what a line cannot hold, or holds behind the path
    for (target, expect) in [
        ("/api/v1/na me", Expect::Refused),
        ("/api/v1/na\tme", Expect::Refused),
        ("/api/v1\r\nX-Remote-User: planted", Expect::Refused),
        ("/api/v1/namespaces/a/pods\0", Expect::Refused),
        ("/api/v1/namespaces/a/pods\x7f", Expect::Refused),
        ("?watch=1", arrives("GET /?watch=1")),
        // a request line has no fragment: whoever writes one means what is before it
        ("/api/v1/namespaces/a/pods#/../secrets", arrives(&format!("GET {PODS}"))),
        ("/api/v1/namespaces/a/pods?x?y", arrives(&format!("GET {PODS}?x?y"))),
        ("/api/v1/namespaces/a/pods?a=%0d%0aX:%20y", arrives(&format!("GET {PODS}?a=%0d%0aX:%20y"))),
        ("/api/v1/namespaces/a/pods?a=/../..//b", arrives(&format!("GET {PODS}?a=/../..//b"))),
        ("/api/v1/namespaces/a/pods?limit=1;limit=2", Expect::Refused),
        ("/api/v1/namespaces/a/pods?a=%", Expect::Refused),
        ("/api/v1/namespaces/a/pods?a=%zz", Expect::Refused),
        ("/api/v1/namespaces/a/pods?a=\"b\"", Expect::Refused),
        ("/api/v1/namespaces/a/pods?a=\\b", Expect::Refused),
        ("/api/v1/namespaces/a/pods?a=<b>", Expect::Refused),
        ("/api/v1/namespaces/a/pods?a=\u{e4}", Expect::Refused),
        ("/api/v1/namespaces/a/pods/a.b-c_d~e", arrives(&format!("GET {PODS}/a.b-c_d~e"))),
        ("/apis/a.b/v1/x/...", arrives("GET /apis/a.b/v1/x/...")),
        ("/apis/a.b/v1/x/system%3Anode%20y", arrives("GET /apis/a.b/v1/x/system%3Anode%20y")),
        ("/apis/a.b/v1/x/a@b:c=d", arrives("GET /apis/a.b/v1/x/a@b:c=d")),
    ] {
        rows.push(row(format!("target {target:?}"), rig.get(target), expect));
    }
    let long = "x".repeat(17 << 10);
    rows.push(row("a query over 16 KiB", rig.get(&format!("{PODS}?a={long}")), Expect::Refused));
    rows.push(row("a line of 200 KiB", rig.get(&format!("{PODS}?a={}", long.repeat(12))), Expect::Refused));
    for mount in [
        "/api/kubernetes/proxy/../proxy/api",
        "/api/kubernetes/./proxy/api",
        "/api/kubernetes/proxy%2fapi/v1",
        "/api/kubernetes%2fproxy/api/v1",
        "/api/kubernetes/Proxy/api/v1",
        "/api/kubernetes/proxyx/api/v1",
        "/api/kubernetes//proxy/api/v1",
        "//api/kubernetes/proxy/api/v1",
        "/api/other/proxy/api/v1",
        "/api/%6bubernetes/proxy/api/v1",
    ] {
        rows.push(row(mount, rig.line(&format!("GET {mount} HTTP/1.1")), Expect::Refused));
    }
    rows
}
