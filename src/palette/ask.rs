//! [`Ask`]: one request, before it is known in which scope and as whom it is made.

use std::time::Duration;

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What stands for itself in a path segment (RFC 3986 unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request to Palette's API, below `/v1`.
#[derive(Clone, Debug)]
pub struct Ask {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    kept: Duration,
}

/// For how long an answer is good for others who ask the same, where nothing else is said.
const KEPT: Duration = Duration::from_secs(15);

impl Ask {
    /// `GET /v1/` and these segments, each encoded.
    pub fn get(segments: &[&str]) -> Self {
        Self { method: Method::GET, path: path(segments), query: Vec::new(), body: None, kept: KEPT }
    }

    /// `POST` to search: it changes nothing, and may be sent again.
    pub fn search(segments: &[&str], body: Value) -> Self {
        Self { method: Method::POST, path: path(segments), query: Vec::new(), body: Some(body), kept: KEPT }
    }

    /// What changes something: sent once, its answer is nobody else's. See [`super::Access::send`].
    pub fn change(method: Method, segments: &[&str], body: Option<Value>) -> Self {
        Self { method, path: path(segments), query: Vec::new(), body, kept: Duration::ZERO }
    }

    /// With a query parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.retain(|(known, _)| *known != name);
        self.query.push((name, value.into()));
        self
    }

    /// Its answer is good for that long for others who ask the same; zero: for nobody.
    #[must_use]
    pub fn kept(self, kept: Duration) -> Self {
        Self { kept, ..self }
    }

    /// For how long its answer is kept.
    pub fn keeps(&self) -> Duration {
        self.kept
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path from `/v1` on, encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query.
    pub fn query(&self) -> &[(&'static str, String)] {
        &self.query
    }

    /// The JSON that is sent.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }
}

fn path(segments: &[&str]) -> String {
    segments.iter().fold("/v1".to_owned(), |path, segment| {
        // a segment of dots alone would be taken as a step by whoever normalises paths
        let encoded = match *segment {
            "." => "%2E".to_owned(),
            ".." => "%2E%2E".to_owned(),
            segment => utf8_percent_encode(segment, SEGMENT).to_string(),
        };
        format!("{path}/{encoded}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_segment_leaves_its_place() {
        for (segments, path) in [
            (["dashboard", "a b"], "/v1/dashboard/a%20b"),
            (["clusters", "../x?y#z"], "/v1/clusters/..%2Fx%3Fy%23z"),
            (["clusters", ".."], "/v1/clusters/%2E%2E"),
            (["clusters", "é"], "/v1/clusters/%C3%A9"),
        ] {
            assert_eq!(Ask::get(&segments).path(), path);
        }
    }
}
