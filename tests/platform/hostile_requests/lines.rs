//! Request lines: methods, targets, versions.

use super::{Expect, MAPS, MOUNT, PODS, Rig, Row, arrives, row};

pub(super) fn rows(rig: &Rig) -> Vec<Row> {
    let address = rig.server.address();
    let mut rows = Vec::new();
    let mut refused = |line: String| rows.push(row(&line, rig.line(&line), Expect::Refused));
    for method in [
        "TRACE", "TRACK", "OPTIONS", "CONNECT", "PROPFIND", "PURGE", "get", "Get", "LIST", "G\0T", "GE T",
        "M-SEARCH",
    ] {
        refused(format!("{method} {MOUNT}{PODS} HTTP/1.1"));
    }
    for target in [
        format!("http://{address}{MOUNT}{PODS}"),
        format!("http://evil.example{MOUNT}{PODS}"),
        format!("https://{address}{MOUNT}{PODS}"),
        format!("http://user:planted@{address}{MOUNT}{PODS}"),
        "http://evil.example/api/v1/secrets".to_owned(),
        "*".to_owned(),
        format!("{address}"),
        "evil.example:443".to_owned(),
        format!("api/kubernetes/proxy{PODS}"),
        format!("@{address}{MOUNT}{PODS}"),
        format!("\\\\evil.example{MOUNT}"),
        format!("file://{MOUNT}{PODS}"),
    ] {
        refused(format!("GET {target} HTTP/1.1"));
    }
    refused(format!("CONNECT {address} HTTP/1.1"));
    refused("CONNECT evil.example:443 HTTP/1.1".to_owned());
    refused("OPTIONS * HTTP/1.1".to_owned());
    for version in [
        "",
        " HTTP/0.9",
        " HTTP/1.0",
        " HTTP/1.2",
        " HTTP/2.0",
        " HTTP/3",
        " http/1.1",
        " HTTP/1.1 x",
        " ICAP/1.0",
    ] {
        refused(format!("GET {MOUNT}{PODS}{version}"));
    }
    let pods = || arrives(&format!("GET {PODS}"));
    let good = rig.with("");
    rows.push(row("the good one", &good, pods()));
    rows.push(row("an empty line before", [b"\r\n".as_slice(), &good].concat(), pods()));
    rows.push(row("a space before", [b" ".as_slice(), &good].concat(), Expect::Refused));
    rows.push(row("a byte order mark before", [b"\xef\xbb\xbf".as_slice(), &good].concat(), Expect::Refused));
    let head = String::from_utf8(good.clone()).expect("UTF-8");
    rows.push(row("bare LF everywhere", head.replace("\r\n", "\n"), pods()));
    rows.push(row("bare CR everywhere", head.replace("\r\n", "\r"), Expect::Refused));
    let old = rig.post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n");
    let old = String::from_utf8(old).expect("UTF-8").replacen("HTTP/1.1", "HTTP/1.0", 1);
    rows.push(row("HTTP/1.0 with chunks", old, Expect::Refused));
    // two in a row are two, each as itself
    let other = rig.line(&format!("DELETE {MOUNT}{MAPS}/x HTTP/1.1"));
    let both = Expect::Arrives(vec![format!("GET {PODS}"), format!("DELETE {MAPS}/x")]);
    rows.push(row("two in a row", [good.as_slice(), &other].concat(), both));
    let twisted = rig.line(&format!("DELETE {MOUNT}/api/../x HTTP/1.1"));
    rows.push(row("a good one and a bad one", [good.as_slice(), &twisted].concat(), pods()));
    rows
}
