//! Where a request ends: lengths, chunks, and what hides another request in its body.

use super::{Expect, MAPS, MOUNT, PODS, Rig, Row, row};

pub(super) fn rows(rig: &Rig) -> Vec<Row> {
    let hidden = format!(
        "GET {MOUNT}/api/v1/namespaces/kube-system/secrets HTTP/1.1\r\n{}X-Hidden: planted\r\n\r\n",
        rig.standard()
    );
    let bare = "GET /api/v1/namespaces/kube-system/secrets HTTP/1.1\r\nHost: x\r\n\r\n";
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let whole = |text: &str| format!("{}0\r\n\r\n", chunk(text));
    let posted = |body: &str| Expect::WithBody(format!("POST {MAPS}"), body.to_owned());
    let mut rows = vec![
        row("a length", rig.post("Content-Length: 2\r\n", "{}"), posted("{}")),
        row("chunks", rig.post("Transfer-Encoding: chunked\r\n", &whole("{}")), posted("{}")),
        row(
            "a request inside of a chunk",
            rig.post("Transfer-Encoding: chunked\r\n", &whole(bare)),
            posted(bare),
        ),
        row(
            "a request inside of a length",
            rig.post(&format!("Content-Length: {}\r\n", bare.len()), bare),
            posted(bare),
        ),
        row(
            "an extension of a chunk",
            rig.post("Transfer-Encoding: chunked\r\n", "2;a=\"b\"\r\n{}\r\n0\r\n\r\n"),
            posted("{}"),
        ),
        row(
            "trailers that say who asks",
            rig.post(
                "Transfer-Encoding: chunked\r\nTrailer: Impersonate-User\r\n",
                "2\r\n{}\r\n0\r\nImpersonate-User: planted\r\nAuthorization: Bearer planted\r\n\r\n",
            ),
            posted("{}"),
        ),
    ];
    // CL.TE, TE.CL, and what each of two in a row would read differently
    let mut refused = |name: &str, headers: String, behind: &str| {
        rows.push(row(name, rig.post(&headers, behind), Expect::Refused));
    };
    let te = "Transfer-Encoding: chunked\r\n";
    refused("TE twice, one wrong", format!("{te}Transfer-Encoding: x\r\n"), &format!("0\r\n\r\n{hidden}"));
    for coding in [
        "identity",
        "xchunked",
        "chunked, identity",
        "chunked, gzip",
        "\"chunked\"",
        "x-chunked",
        "gzip",
        "chunk",
    ] {
        let name = format!("Transfer-Encoding: {coding}");
        refused(&name, format!("{name}\r\n"), &whole(&hidden));
    }
    refused("a space before the colon of TE", "Transfer-Encoding : chunked\r\n".to_owned(), &whole(&hidden));
    refused("TE folded", "Transfer-Encoding:\r\n chunked\r\n".to_owned(), &whole(&hidden));
    refused("a vertical tab in TE", "Transfer-Encoding: \x0bchunked\r\n".to_owned(), &whole(&hidden));
    for length in ["+2", "-2", "0x2", "2, 3", "2 2", "1e1", "", "2;", "99999999999999999999", "\u{0662}"] {
        refused(&format!("Content-Length: {length:?}"), format!("Content-Length: {length}\r\n"), "{}");
    }
    refused("two lengths", "Content-Length: 2\r\nContent-Length: 5\r\n".to_owned(), "{}abc");
    refused("a length and a shorter one", "Content-Length: 0\r\nContent-Length: 2\r\n".to_owned(), "{}");
    for size in ["-1", "+2", "0x2", "2 2", "zz", "", "FFFFFFFFFFFFFFFFF", "2\r"] {
        // a chunk that is none ends the connection before anything of it is whole
        let name = format!("a chunk of {size:?}");
        rows.push(row(&name, rig.post(te, &format!("{size}\r\n{{}}\r\n0\r\n\r\n{hidden}")), Expect::Broken));
    }
    // of both only the chunks count (RFC 9112 section 6.1), and what is behind them is no request
    for (name, headers) in [
        ("CL and TE", format!("Content-Length: 6\r\n{te}")),
        ("TE and CL", format!("{te}Content-Length: 6\r\n")),
    ] {
        let bytes = rig.post(&headers, &format!("{}{hidden}", whole("{}")));
        rows.push(row(name, bytes, posted("{}")));
    }
    let bytes = rig.post(&format!("{te}Content-Length: 4\r\n"), &whole(bare));
    rows.push(row("TE and CL, a request in the chunk", bytes, posted(bare)));
    for (name, headers) in [
        ("a GET with a length", format!("Content-Length: {}\r\n", hidden.len())),
        ("a GET with chunks", te.to_owned()),
    ] {
        let behind = if headers == te { whole(&hidden) } else { hidden.clone() };
        let bytes = [rig.with(&headers), behind.into_bytes()].concat();
        rows.push(row(name, bytes, Expect::Refused));
    }
    let nothing = rig.with("Content-Length: 0\r\n");
    rows.push(row("a GET with no body, and it says so", nothing, super::arrives(&format!("GET {PODS}"))));
    rows
}
