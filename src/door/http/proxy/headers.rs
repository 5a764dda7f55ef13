//! Which headers are passed on: those that an API server needs to answer, and those that its client needs to read
//! the answer. Nothing that says who asks, and nothing of the hop, whatever `Connection` names.

use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

use super::asked::Wrong;

/// What goes up.
const UP: [HeaderName; 2] = [header::ACCEPT, header::CONTENT_TYPE];
/// What goes up besides where the connection is to become a channel.
const UP_TO_CHANNEL: [&str; 4] =
    ["sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol", "x-stream-protocol-version"];
/// What comes down.
const DOWN: [&str; 7] = [
    "content-type",
    "content-encoding",
    "warning",
    "audit-id",
    "retry-after",
    "last-modified",
    "x-kubernetes-pf-flowschema-uid",
];
/// What comes down where the connection has become a channel.
const DOWN_OF_CHANNEL: [&str; 4] =
    ["upgrade", "sec-websocket-accept", "sec-websocket-protocol", "x-stream-protocol-version"];

/// What a connection becomes: the channels that API servers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// RFC 6455
    WebSocket,
    /// `kubectl` before 1.30
    Spdy,
}

impl Upgrade {
    fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Spdy => "SPDY/3.1",
        }
    }
}

/// What the connection is to become. HTTP/2 without TLS is not offered, and asking for it is no mistake (RFC 9110
/// section 7.8).
pub(super) fn upgrade(headers: &HeaderMap) -> Result<Option<Upgrade>, Wrong> {
    let tokens = |name| {
        let values = headers.get_all(name).iter();
        values
            .flat_map(|value| value.to_str().unwrap_or("?").split(','))
            .map(|token| token.trim().to_ascii_lowercase())
    };
    if !tokens(header::CONNECTION).any(|token| token == "upgrade") {
        return Ok(None);
    }
    let wanted: Vec<String> = tokens(header::UPGRADE).filter(|token| token != "h2c").collect();
    match wanted.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        ["websocket"] => Ok(Some(Upgrade::WebSocket)),
        ["spdy/3.1"] => Ok(Some(Upgrade::Spdy)),
        _ => Err("Upgrade is to websocket or to SPDY/3.1".into()),
    }
}

/// Of the headers of a request, those that go up.
pub(super) fn up(headers: &HeaderMap, upgrade: Option<Upgrade>) -> Result<HeaderMap, Wrong> {
    let mut passed = HeaderMap::new();
    let encoded = headers.get_all(header::CONTENT_ENCODING).iter().any(|value| value != "identity");
    if encoded {
        return Err("a body is passed on as it is, and Content-Encoding is not".into());
    }
    if headers.get_all(header::CONTENT_TYPE).iter().count() > 1 {
        return Err("more than one Content-Type".into());
    }
    let mut copy = |name: HeaderName| {
        for value in headers.get_all(&name) {
            passed.append(&name, value.clone());
        }
    };
    UP.into_iter().for_each(&mut copy);
    if upgrade.is_some() {
        UP_TO_CHANNEL.into_iter().map(HeaderName::from_static).for_each(&mut copy);
        // the API server would take it for who asks (apiserver `websocket.ProtocolAuthenticator`)
        let names_caller = |value: &HeaderValue| {
            let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            value.contains("authorization.k8s.io")
        };
        if headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().any(names_caller) {
            return Err("a token is not taken from Sec-WebSocket-Protocol".into());
        }
    }
    if let Some(upgrade) = upgrade {
        passed.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        passed.insert(header::UPGRADE, HeaderValue::from_static(upgrade.name()));
    }
    // between us and the cluster: asked for where the client knows it, since it costs time at both ends
    let gzip = headers.get_all(header::ACCEPT_ENCODING).iter();
    let gzip = gzip.filter_map(|value| value.to_str().ok()).any(|value| value.contains("gzip"));
    let encoding = if gzip && upgrade.is_none() { "gzip" } else { "identity" };
    passed.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    Ok(passed)
}

/// Of the headers of an answer, those that come down.
pub(super) fn down(headers: &HeaderMap) -> HeaderMap {
    let mut passed = picked(headers, &DOWN);
    // another cluster and another caller have the same URL, whatever this one says of its answer
    passed.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    passed.insert(header::VARY, HeaderValue::from_static("authorization, backstage-kubernetes-cluster"));
    // a page of a cluster is no page of ours
    passed.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    passed.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    passed
}

/// The answer by which a connection becomes a channel.
pub(super) fn switched<B>(response: &Response<B>) -> axum::response::Response {
    let mut answer = axum::response::Response::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = picked(response.headers(), &DOWN_OF_CHANNEL);
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer
}

fn picked(headers: &HeaderMap, names: &[&'static str]) -> HeaderMap {
    let mut picked = HeaderMap::new();
    for name in names.iter().map(|name| HeaderName::from_static(name)) {
        for value in headers.get_all(&name) {
            picked.append(&name, value.clone());
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        });
        let mut headers = HeaderMap::new();
        headers.extend(pairs);
        headers
    }

    #[test]
    fn only_what_the_cluster_needs_goes_up() {
        let sent = headers(&[
            ("accept", "application/json"),
            ("content-type", "application/merge-patch+json"),
            ("authorization", "Bearer ours"),
            ("cookie", "backstage-auth=x"),
            ("impersonate-user", "system:admin"),
            ("x-remote-user", "admin"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-http-method-override", "DELETE"),
            ("connection", "close, authorization, accept"),
            ("te", "trailers"),
            ("audit-id", "theirs"),
            ("user-agent", "theirs"),
            ("backstage-kubernetes-authorization", "theirs"),
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
            ("upgrade", "h2c"),
        ]);
        let passed = up(&sent, upgrade(&sent).expect("no upgrade")).expect("headers");
        let names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "content-type", "accept-encoding"]);
        assert_eq!(passed["accept-encoding"], "identity");
    }

    #[test]
    fn channels_are_asked_for_by_name_and_tokens_are_not_smuggled_in() {
        let wanted =
            |connection: &str, to: &str| upgrade(&headers(&[("connection", connection), ("upgrade", to)]));
        assert_eq!(wanted("Upgrade", "websocket"), Ok(Some(Upgrade::WebSocket)));
        assert_eq!(wanted("keep-alive, upgrade", "SPDY/3.1"), Ok(Some(Upgrade::Spdy)));
        assert_eq!(wanted("close", "websocket"), Ok(None));
        assert_eq!(wanted("Upgrade, HTTP2-Settings", "h2c"), Ok(None));
        for odd in ["TLS/1.0", "websocket, SPDY/3.1", "websocket\u{e4}", "spdy/3"] {
            assert!(wanted("Upgrade", odd).is_err(), "{odd}");
        }
        let channel = |protocol: &str| {
            up(&headers(&[("sec-websocket-protocol", protocol), ("cookie", "x")]), Some(Upgrade::WebSocket))
        };
        let passed = channel("v5.channel.k8s.io").expect("headers");
        assert_eq!(
            (&passed["connection"], &passed["upgrade"]),
            (&"Upgrade".parse().unwrap(), &"websocket".parse().unwrap())
        );
        assert!(channel("v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.YQ").is_err());
    }

    #[test]
    fn nothing_of_the_cluster_itself_comes_down() {
        let answered = headers(&[
            ("content-type", "application/json"),
            ("set-cookie", "a=b"),
            ("www-authenticate", "Bearer realm=\"internal\""),
            ("location", "https://10.0.0.1/"),
            ("server", "nginx"),
            ("access-control-allow-origin", "*"),
            ("connection", "close"),
            ("audit-id", "1"),
        ]);
        let passed = down(&answered);
        let mut names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "audit-id",
                "cache-control",
                "content-security-policy",
                "content-type",
                "vary",
                "x-content-type-options"
            ]
        );
    }
}
