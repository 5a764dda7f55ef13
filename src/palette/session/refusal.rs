//! What an answer that is no success stands for. Palette's own errors have a `code` that is a text; those of its
//! router have a number; and a proxy in between says anything at all.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use super::super::{api::lenient, fault::Fault, said::said as words};
use crate::answer::redact::Learned;

/// Characters of what is quoted.
const LONGEST: usize = 300;
/// Bytes that are looked through for secrets before that, so that none is cut in two.
const LOOKED_THROUGH: usize = 8 * LONGEST;
/// Nobody waits for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// `V1Error`
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    code: Value,
    #[serde(deserialize_with = "lenient")]
    message: String,
}

/// Who said it.
enum Said {
    /// Palette, about what was asked.
    Palette(String),
    /// Palette's router: it does not know the path or the method.
    Router(String),
    /// Something in between.
    Other(String),
}

/// The fault of an answer, without anything that was learned to be secret.
pub(super) fn fault(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    by_caller: bool,
    learned: &Learned,
) -> Fault {
    let status = status.as_u16();
    let said = said(body);
    let clean = |text: &str| words(&learned.scrub(text), LONGEST);
    match (status, &said) {
        (300..=399, _) => {
            let message = "it redirects, which is not followed".to_owned();
            Fault::Status { status, message }
        }
        (401, Said::Palette(text) | Said::Router(text) | Said::Other(text)) if by_caller => {
            Fault::TokenRefused(clean(text))
        }
        (401, Said::Palette(text) | Said::Router(text) | Said::Other(text)) => {
            Fault::Unauthorized(clean(text))
        }
        (403, Said::Palette(text)) => Fault::Forbidden(clean(text)),
        (404, Said::Palette(text)) => Fault::NotFound(clean(text)),
        (429, _) => Fault::Throttled { retry_after: retry_after(headers) },
        (404 | 405, Said::Palette(text) | Said::Router(text) | Said::Other(text)) => {
            Fault::Unserved { status, message: clean(text) }
        }
        (_, Said::Palette(text) | Said::Router(text) | Said::Other(text)) => {
            Fault::Status { status, message: clean(text) }
        }
    }
}

fn said(body: &[u8]) -> Said {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Said::Other(excerpt(body)) };
    let body: Body = serde_json::from_value(Value::Object(members)).unwrap_or_default();
    match (body.code, body.message.trim()) {
        (Value::Number(_), message) => Said::Router(message.to_owned()),
        (Value::String(code), "") => Said::Palette(code),
        (Value::String(code), message) if !code.is_empty() => Said::Palette(format!("{code}: {message}")),
        (_, "") => Said::Palette("it does not say why".to_owned()),
        (_, message) => Said::Palette(message.to_owned()),
    }
}

/// The beginning of a body that is no JSON; of a page, nothing.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..LOOKED_THROUGH).unwrap_or(body));
    match text.trim_start() {
        "" => "nothing else".to_owned(),
        page if page.starts_with('<') => "a page (HTML), perhaps of a proxy or a login in between".to_owned(),
        text => text.to_owned(),
    }
}

/// `Retry-After` in seconds; Palette promises none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Fault {
        let learned = Learned::default();
        learned.hold("planted-key-1");
        let status = StatusCode::from_u16(status).expect("a status");
        fault(status, &HeaderMap::new(), body.as_bytes(), false, &learned)
    }

    #[test]
    fn a_refusal_is_told_by_its_status_and_by_who_said_it() {
        let forbidden = r#"{"code":"OperationForbidden","message":"Operation not allowed, needs cluster.get","details":null,"ref":"r"}"#;
        let missing = r#"{"code":"ResourceNotFound","message":"no such cluster"}"#;
        for (status, body, expected) in [
            (
                401,
                r#"{"code":"UnAuthorizedAccess","message":"bad"}"#,
                Fault::Unauthorized("UnAuthorizedAccess: bad".to_owned()),
            ),
            (
                403,
                forbidden,
                Fault::Forbidden("OperationForbidden: Operation not allowed, needs cluster.get".to_owned()),
            ),
            (404, missing, Fault::NotFound("ResourceNotFound: no such cluster".to_owned())),
            (
                404,
                r#"{"code":404,"message":"path was not found"}"#,
                Fault::Unserved { status: 404, message: "path was not found".to_owned() },
            ),
            (
                405,
                r#"{"code":405,"message":"allowed: POST"}"#,
                Fault::Unserved { status: 405, message: "allowed: POST".to_owned() },
            ),
            (409, r#"{"code":"Conflict"}"#, Fault::Status { status: 409, message: "Conflict".to_owned() }),
            (422, r#"{"message":"wrong"}"#, Fault::Status { status: 422, message: "wrong".to_owned() }),
            (
                423,
                r#"{"code":null,"message":null}"#,
                Fault::Status { status: 423, message: "it does not say why".to_owned() },
            ),
            (429, "", Fault::Throttled { retry_after: None }),
            (
                302,
                "",
                Fault::Status { status: 302, message: "it redirects, which is not followed".to_owned() },
            ),
            (
                503,
                "upstream\u{1b}[31m planted-key-1\n gone",
                Fault::Status { status: 503, message: "upstream <redacted> gone".to_owned() },
            ),
            (500, "", Fault::Status { status: 500, message: "nothing else".to_owned() }),
        ] {
            assert_eq!(of(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_page_says_nothing_of_what_is_there_and_is_not_quoted() {
        let page = "\n<!doctype html><title>planted</title>";
        for status in [403, 404, 502] {
            let fault = of(status, page);
            assert!(!fault.is_not_found() && !fault.is_forbidden(), "{fault:?}");
            assert!(fault.to_string().contains("HTML") && !fault.to_string().contains("planted"), "{fault}");
        }
    }

    #[test]
    fn what_a_refusal_assigns_to_a_password_is_not_told() {
        let json = r#"{"code":"Bad","message":"login of svc failed, password: hunter2planted; dbPassword=other-planted"}"#;
        let text = "cannot reach registry, token: planted-in-text";
        for (status, body) in [(400, json), (401, json), (403, json), (404, json), (502, text)] {
            let fault = of(status, body).to_string();
            assert!(!fault.contains("planted") && fault.contains("redacted"), "{fault}");
        }
        let cut = format!("{} planted-key-1", "x".repeat(LONGEST - 8));
        assert!(!of(500, &cut).to_string().contains("plan"), "a part of a secret is one");
    }

    #[test]
    fn a_long_body_is_cut_and_a_list_is_no_error_of_palettes() {
        let long = of(500, &"x".repeat(1 << 20)).to_string();
        assert!(long.len() < 2 * LONGEST, "{}", long.len());
        assert!(!of(404, "[1]").is_not_found());
    }

    #[test]
    fn the_time_to_wait_is_read_where_it_is_said() {
        let headers =
            |value: &str| [(header::RETRY_AFTER, value.parse().expect("a value"))].into_iter().collect();
        assert_eq!(retry_after(&headers(" 3 ")), Some(Duration::from_secs(3)));
        assert_eq!(retry_after(&headers("18446744073709551615")), Some(LONGEST_WAIT));
        assert_eq!(retry_after(&headers("Wed, 21 Oct 2026 07:28:00 GMT")), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
