//! A watch on what never changes: what is there, then silence until the client's time is over.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// How long a watch lasts where the client says nothing.
const DEFAULT: Duration = Duration::from_secs(300);

/// The events of the objects that are there, where the client does not know them yet, then silence until
/// `seconds` have passed or the server stops.
pub(super) fn stream_of(
    objects: Vec<Value>,
    bookmark: Option<Value>,
    seconds: &str,
    stop: CancellationToken,
) -> Response {
    let added = objects.into_iter().map(|object| json!({"type": "ADDED", "object": object}));
    let bookmark = bookmark.map(|object| json!({"type": "BOOKMARK", "object": object}));
    let lines = added.chain(bookmark).map(|event| Ok::<_, Infallible>(format!("{event}\n")));
    let time = seconds.parse().map_or(DEFAULT, Duration::from_secs);
    let silence = stream::once(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
        Ok(String::new())
    });
    let body = Body::from_stream(stream::iter(lines.collect::<Vec<_>>()).chain(silence));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
