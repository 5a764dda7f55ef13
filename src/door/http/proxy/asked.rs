//! [`Asked`]: what a request asks for, taken apart; or why it asks for nothing that could be passed on.

use http::{HeaderMap, Method, StatusCode, Version, header, request::Parts};
use hyper::upgrade::OnUpgrade;

use super::headers;
use crate::kubernetes::proxy::{Query, Target};

/// Which cluster is meant (Backstage's header).
pub(super) const CLUSTER: &str = "backstage-kubernetes-cluster";
/// Bytes of the name of a cluster: an EKS ARN with its source has some 200.
const LONGEST_NAME: usize = 512;
/// What is passed on. An API server takes no other, or (OPTIONS, TRACE) what it says is not for programs.
const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// A request as it may be sent.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) query: Query,
    pub(super) cluster: Option<String>,
    /// Every header that goes up.
    pub(super) headers: HeaderMap,
    /// Whether the connection is to become a channel.
    pub(super) upgrade: bool,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

impl From<&'static str> for Wrong {
    fn from(why: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, why }
    }
}

impl Asked {
    /// Takes a request apart, whose path begins with `mount`.
    pub(super) fn read(parts: &Parts, mount: &str, has_body: bool) -> Result<Self, Wrong> {
        check_frame(parts)?;
        let method = parts.method.clone();
        if !METHODS.contains(&method) {
            let why = "the method is not passed on: GET, HEAD, POST, PUT, PATCH or DELETE";
            return Err(Wrong { status: StatusCode::METHOD_NOT_ALLOWED, why });
        }
        let reads = matches!(method, Method::GET | Method::HEAD);
        if has_body && reads {
            return Err("a GET or HEAD has no body".into());
        }
        let path = parts.uri.path().strip_prefix(mount).unwrap_or_default();
        let target = Target::parse(if path.is_empty() { "/" } else { path }).map_err(|bad| bad.0)?;
        let query = Query::parse(parts.uri.query().unwrap_or_default()).map_err(|bad| bad.0)?;
        let upgrade = headers::upgrade(&parts.headers)?;
        if upgrade.is_some() {
            if parts.version != Version::HTTP_11 || parts.extensions.get::<OnUpgrade>().is_none() {
                return Err("a connection becomes a channel over HTTP/1.1 only".into());
            }
            if !target.is_channel() || has_body {
                return Err("only exec, attach, portforward and proxy take an upgrade, without a body".into());
            }
        }
        let cluster = cluster(&parts.headers)?;
        let headers = headers::up(&parts.headers, upgrade)?;
        Ok(Self { method, target, query, cluster, headers, upgrade: upgrade.is_some() })
    }
}

/// Whether it is framed in the one way that everybody in between reads alike (RFC 9112 sections 3.2 and 6.3).
fn check_frame(parts: &Parts) -> Result<(), Wrong> {
    let http1 = match parts.version {
        Version::HTTP_11 => true,
        Version::HTTP_2 => false,
        _ => return Err("HTTP/1.1 or HTTP/2 is needed".into()),
    };
    if http1 && (parts.uri.scheme().is_some() || parts.uri.authority().is_some()) {
        return Err("the request target is a path, and no URL".into());
    }
    let has = |name| parts.headers.contains_key(name);
    if has(header::TRANSFER_ENCODING) && has(header::CONTENT_LENGTH) {
        return Err("Content-Length and Transfer-Encoding are both given".into());
    }
    Ok(())
}

/// The cluster that is named, once.
fn cluster(headers: &HeaderMap) -> Result<Option<String>, Wrong> {
    let mut values = headers.get_all(CLUSTER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    // as Backstage answers it, whose server joins the two to a name that nothing has
    let nothing = |why| Wrong { status: StatusCode::NOT_FOUND, why };
    if values.next().is_some() {
        return Err(nothing("Backstage-Kubernetes-Cluster is given more than once"));
    }
    let name = std::str::from_utf8(value.as_bytes()).ok();
    let name = name.filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
    let name = name.filter(|name| !name.chars().any(char::is_control));
    name.map(|name| Some(name.to_owned())).ok_or(nothing("Backstage-Kubernetes-Cluster names no cluster"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(build: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Result<Asked, Wrong> {
        let request = build(http::Request::builder().uri("/api/k/proxy/api/v1/namespaces/a/pods"));
        Asked::read(&request.body(()).expect("a request").into_parts().0, "/api/k/proxy", false)
    }

    #[test]
    fn a_path_is_sent_as_it_was_written() {
        let asked = read(|request| {
            request
                .uri("/api/k/proxy/apis/a.b/v1/namespaces/x%20y/z?labelSelector=a%3Db&watch")
                .header(CLUSTER, "c")
        });
        let asked = asked.expect("a request");
        assert_eq!(asked.target.path(), "/apis/a.b/v1/namespaces/x%20y/z");
        assert_eq!(asked.query.as_str(), "labelSelector=a%3Db&watch");
        assert_eq!((asked.cluster.as_deref(), asked.upgrade), (Some("c"), false));
        assert_eq!(read(|request| request.uri("/api/k/proxy")).expect("the root").target.path(), "/");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_passed_on() {
        let refused = |build: fn(http::request::Builder) -> http::request::Builder| {
            read(build).map(|asked| asked.target.path().to_owned()).expect_err("refused").status.as_u16()
        };
        assert_eq!(refused(|request| request.uri("http://h/api/k/proxy/api")), 400);
        assert_eq!(refused(|request| request.version(Version::HTTP_10)), 400);
        assert_eq!(refused(|request| request.uri("/api/k/proxy//api")), 400);
        assert_eq!(refused(|request| request.uri("/api/k/proxy/api/../x")), 400);
        for method in ["TRACE", "OPTIONS", "CONNECT", "PURGE", "get"] {
            let asked = read(|request| request.method(method));
            assert_eq!(asked.expect_err(method).status.as_u16(), 405, "{method}");
        }
        assert_eq!(refused(|request| request.header(CLUSTER, "a").header(CLUSTER, "b")), 404);
        assert_eq!(refused(|request| request.header(CLUSTER, "")), 404);
        assert_eq!(refused(|request| request.header(CLUSTER, "x".repeat(600))), 404);
        let both = |request: http::request::Builder| {
            request.header("content-length", "1").header("transfer-encoding", "chunked")
        };
        assert_eq!(refused(both), 400);
    }
}
