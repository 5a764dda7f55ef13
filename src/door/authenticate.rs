//! Where a token may stand in a request: in one `Authorization` header, and nowhere else.

use http::{HeaderMap, Uri, header};
use percent_encoding::percent_decode_str;

use crate::kubernetes::identity::is_b64token;

/// Names under which clients put tokens into query strings, where logs and histories keep them.
const IN_QUERIES: [&str; 4] = ["access_token", "id_token", "token", "authorization"];

/// Why there is no token to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoToken {
    /// No credential at all.
    Absent,
    /// One that is not as RFC 6750 section 2.1 writes it; the word is for the log.
    Malformed(&'static str),
}

/// The token of a request. A cookie, a body or another header is not looked at.
pub(super) fn bearer<'r>(headers: &'r HeaderMap, uri: &Uri) -> Result<&'r str, NoToken> {
    let value = authorization(headers, uri)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => credential(token),
        _ => Err(NoToken::Malformed("an Authorization header that is not Bearer and a token")),
    }
}

/// As [`bearer`], or without the word: what the backend of the Knative plugin for Backstage takes.
pub(super) fn bearer_or_bare<'r>(headers: &'r HeaderMap, uri: &Uri) -> Result<&'r str, NoToken> {
    let value = authorization(headers, uri)?.trim();
    match value.split_once(' ') {
        None if value.is_empty() || value.eq_ignore_ascii_case("bearer") => Err(NoToken::Absent),
        None => credential(value),
        Some(_) => bearer(headers, uri),
    }
}

/// The one `Authorization` header.
fn authorization<'r>(headers: &'r HeaderMap, uri: &Uri) -> Result<&'r str, NoToken> {
    if uri.query().is_some_and(in_query) {
        return Err(NoToken::Malformed("a token in the query string"));
    }
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let value = all.next().ok_or(NoToken::Absent)?;
    if all.next().is_some() {
        return Err(NoToken::Malformed("more than one Authorization header"));
    }
    value.to_str().map_err(|_| NoToken::Malformed("an Authorization header that is not ASCII"))
}

fn credential(token: &str) -> Result<&str, NoToken> {
    let token = token.trim_start_matches(' ');
    let malformed = NoToken::Malformed("characters that no bearer token has");
    if is_b64token(token) { Ok(token) } else { Err(malformed) }
}

fn in_query(query: &str) -> bool {
    query.split(['&', ';']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy();
        IN_QUERIES.iter().any(|known| name.trim().eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(uri: &str, values: &[&[u8]]) -> Result<String, NoToken> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        bearer(&headers, &uri.parse().unwrap()).map(str::to_owned)
    }

    #[test]
    fn a_token_is_what_stands_behind_bearer() {
        for value in ["Bearer a.b-c_d~e+f/9==", "bearer a.b-c_d~e+f/9==", "BEARER   a.b-c_d~e+f/9=="] {
            assert_eq!(read("/mcp", &[value.as_bytes()]).as_deref(), Ok("a.b-c_d~e+f/9=="), "{value}");
        }
        assert_eq!(read("/mcp?cursor=token", &[b"Bearer a"]).as_deref(), Ok("a"));
    }

    #[test]
    fn a_bare_token_is_one_where_it_may_be() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            }
            bearer_or_bare(&headers, &"/v1/getEventMesh".parse().unwrap()).map(str::to_owned)
        };
        for value in [&b"Bearer a.b-c"[..], b"bearer  a.b-c", b"a.b-c", b" a.b-c "] {
            assert_eq!(read(&[value]).as_deref(), Ok("a.b-c"), "{value:?}");
        }
        for value in [&b""[..], b" ", b"Bearer", b"Bearer "] {
            assert_eq!(read(&[value]), Err(NoToken::Absent), "{value:?}");
        }
        assert_eq!(read(&[]), Err(NoToken::Absent));
        for value in [&b"Basic YTpi"[..], b"a b", b"Bearer a b", b"a,b", b"Bearer Bearer a", b"\xc3\xa9"] {
            assert!(matches!(read(&[value]), Err(NoToken::Malformed(_))), "{value:?}");
        }
        assert!(matches!(read(&[b"a", b"a"]), Err(NoToken::Malformed(_))));
    }

    #[test]
    fn nothing_else_is_one() {
        assert_eq!(read("/mcp", &[]), Err(NoToken::Absent));
        for values in [
            &[&b"Bearer"[..]][..],
            &[b"Bearer "],
            &[b"Bearer ="],
            &[b"Bearer a b"],
            &[b"Bearer a,b"],
            &[b"Bearer a=b"],
            &[b"Bearer \"a\""],
            &[b"Bearer\ta"],
            &[b"Bearer \xc3\xa9"],
            &[b"Bearer: a"],
            &[b"Basic YTpi"],
            &[b"DPoP a"],
            &[b"a"],
            &[b""],
            &[b"Bearer a", b"Bearer a"],
            &[b"Bearer a", b"Basic YTpi"],
        ] {
            let read = read("/mcp", values);
            assert!(matches!(read, Err(NoToken::Malformed(_))), "{values:?}: {read:?}");
        }
        for query in ["access_token=a", "x=1&access_token=a", "access%5Ftoken=a", "ACCESS_TOKEN", "x;token=a"]
        {
            let read = read(&format!("/mcp?{query}"), &[b"Bearer a"]);
            assert!(matches!(read, Err(NoToken::Malformed(_))), "{query}: {read:?}");
        }
    }
}
