//! The body of a request: whole, in time, and no larger or deeper than any message is.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::door::refused::Refused;

/// Bytes of a body: no tool takes so much.
pub(super) const LARGEST: usize = 1 << 20;
/// Lists and objects within each other: no message has so many.
pub(super) const DEEPEST: usize = 64;
/// From the head of a request to the end of its body.
pub(super) const TIME: Duration = Duration::from_secs(10);

/// Bytes that are read of a body nobody wants.
const REST: usize = 64 << 10;
/// Bytes that are read, and dropped, of one that is too large.
const OVER: usize = 4 << 20;
/// How long they are waited for.
const REST_TIME: Duration = Duration::from_secs(1);

/// Why a body is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Over [`LARGEST`].
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// Over [`DEEPEST`].
    TooDeep,
    /// It broke off.
    Broken,
}

/// Reads a body to its end, which must come in `time`.
pub(super) async fn whole(mut body: Body, time: Duration) -> Result<Bytes, Unfit> {
    let whole = tokio::time::timeout(time, Limited::new(&mut body, LARGEST).collect());
    match whole.await {
        Err(_elapsed) => Err(Unfit::TooSlow),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            // a connection that ends under a client that still sends takes the answer with it (RFC 9112
            // section 9.6)
            drop_rest(body, OVER).await;
            Err(Unfit::TooLarge)
        }
        Ok(Err(_)) => Err(Unfit::Broken),
        Ok(Ok(body)) => {
            let body = body.to_bytes();
            if deeper(&body, DEEPEST) { Err(Unfit::TooDeep) } else { Ok(body) }
        }
    }
}

/// Reads and drops a body that nobody wants, where it is small and comes soon: an HTTP/2 answer that ends
/// before the request does is followed by a reset of the stream (NO_ERROR, RFC 9113 section 8.1), which some
/// clients take for a failure (curl 7.88). One that waits to be asked for (RFC 9110 section 10.1.1) is not.
pub(super) async fn pass_over(headers: &HeaderMap, body: Body) {
    let large = body.size_hint().lower() > u64::try_from(REST).unwrap_or(u64::MAX);
    if body.is_end_stream() || large || headers.contains_key(header::EXPECT) {
        return;
    }
    drop_rest(body, REST).await;
}

impl Refused {
    /// Reads the body that came with it to its end, where there is time for that: of a head that was too large, nothing
    /// more is read.
    pub(super) async fn pass_over(&self, parts: &Parts, body: Body) {
        if self.status != StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
            pass_over(&parts.headers, body).await;
        }
    }
}

async fn drop_rest(body: Body, most: usize) {
    let mut rest = Limited::new(body, most);
    let end = async { while let Some(Ok(_)) = rest.frame().await {} };
    let _ = tokio::time::timeout(REST_TIME, end).await;
}

/// For what is asked without a body.
pub(super) async fn unwanted(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    pass_over(&parts.headers, body).await;
    next.run(Request::from_parts(parts, Body::empty())).await
}

/// Whether JSON nests deeper than `most`. What is no JSON is for the parser to find.
fn deeper(json: &[u8], most: usize) -> bool {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'{' | b'[' if !text => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_lists_and_objects_and_not_of_texts() {
        assert!(!deeper(&[b"[".repeat(64), b"]".repeat(64)].concat(), 64));
        assert!(deeper(&b"[".repeat(65), 64));
        assert!(deeper(&b"{\"a\":".repeat(65), 64));
        assert!(!deeper(&b"[]".repeat(100), 64));
        assert!(!deeper(br#"["[[[\"[[[","\\",{"{":1}]"#, 2));
        assert!(deeper(br#"["\\",[[1]]]"#, 2), "a backslash escapes one character only");
    }

    #[tokio::test]
    async fn a_body_is_bounded() {
        assert_eq!(whole(Body::from(vec![b' '; LARGEST]), TIME).await.map(|body| body.len()), Ok(LARGEST));
        assert_eq!(whole(Body::from(vec![b' '; LARGEST + 1]), TIME).await, Err(Unfit::TooLarge));
        assert_eq!(whole(Body::from("[".repeat(65)), TIME).await, Err(Unfit::TooDeep));
    }

    #[tokio::test]
    async fn one_that_is_too_large_is_heard_out_before_it_is_refused() {
        use std::sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        };
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let parts = futures::stream::iter((0..32).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 64 << 10]))
        }));
        assert_eq!(whole(Body::from_stream(parts), TIME).await, Err(Unfit::TooLarge));
        assert_eq!(taken.load(Ordering::Relaxed), 32, "2 MiB were read to their end");
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(whole(Body::from_stream(never), Duration::from_millis(20)).await, Err(Unfit::TooSlow));
    }
}
