//! What prism finds in the requests and answers that pass, by the credential of the request.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    collections::HashMap,
    fmt,
    sync::{Condvar, Mutex},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header, request::Parts};
use serde_json::Value;

/// Where prism says what it found.
const FOUND: &str = "sl-violations";

/// Longer than prism needs for an answer, even with all tests running.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the contract says against a request or its answer.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    /// `POST /v1/dashboard/projects?limit=51`
    pub(crate) request: String,
    /// `request.query.limit`, `response.body.items.0`.
    pub(crate) location: String,
    pub(crate) message: String,
    /// An answer with a status that the contract has no word on is no more than a warning; an unknown endpoint is
    /// no more either.
    pub(crate) warning: bool,
    /// The API key, or else the user's token.
    pub(crate) credential: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.request, self.location, self.message)
    }
}

/// What was found, and what is still being looked at.
#[derive(Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
    judged: Condvar,
}

#[derive(Default)]
struct Pages {
    /// Requests by credential on which prism has not said all it will.
    open: HashMap<String, usize>,
    found: Vec<Violation>,
}

/// A request on its way.
pub(crate) struct Asked {
    /// Its number, as prism passes it on.
    pub(crate) number: String,
    line: String,
    credential: String,
}

impl Book {
    pub(crate) fn open(&self, asked: &Asked) {
        let mut pages = self.pages.lock().expect("no holder panics");
        *pages.open.entry(asked.credential.clone()).or_default() += 1;
    }

    pub(crate) fn close(&self, asked: &Asked, found: Vec<Violation>) {
        let mut pages = self.pages.lock().expect("no holder panics");
        pages.found.extend(found);
        if let Some(open) = pages.open.get_mut(&asked.credential) {
            *open -= 1;
        }
        pages.open.retain(|_, open| *open > 0);
        self.judged.notify_all();
    }

    /// Waits until no request with one of these credentials is under way. It blocks: a client in a test's own
    /// single thread that has given up on a request has not hung up before it gets to run once more.
    ///
    /// # Panics
    /// Where prism does not come to an end with them.
    #[track_caller]
    pub(crate) fn settle(&self, concerns: impl Fn(&str) -> bool) {
        let began = Instant::now();
        let mut pages = self.pages.lock().expect("no holder panics");
        while pages.open.keys().any(|credential| concerns(credential)) {
            if began.elapsed() > PATIENCE {
                drop(pages);
                panic!("prism has no verdict on a request after {PATIENCE:?}");
            }
            pages = self.judged.wait_timeout(pages, Duration::from_millis(200)).expect("no holder panics").0;
        }
    }

    /// What was found so far, with any credential.
    pub(crate) fn found(&self) -> Vec<Violation> {
        self.pages.lock().expect("no holder panics").found.clone()
    }
}

impl Asked {
    pub(crate) fn new(number: u64, request: &Parts) -> Self {
        let line = format!("{} {}", request.method, request.uri);
        Self { number: number.to_string(), line, credential: credential(&request.headers) }
    }

    /// One with which something is wrong that prism does not put into a list.
    pub(crate) fn broken(&self, location: &str, message: String) -> Violation {
        Violation {
            request: self.line.clone(),
            location: location.to_owned(),
            message,
            warning: false,
            credential: self.credential.clone(),
        }
    }

    /// What the answer's header says: `[{"location": ["request", "query", "limit"], "severity": "Error",
    /// "message": "…"}, …]`.
    pub(crate) fn violations(&self, answer: &HeaderMap) -> Vec<Violation> {
        let Some(said) = answer.get(FOUND) else { return Vec::new() };
        let said = String::from_utf8_lossy(said.as_bytes());
        let Ok(found) = serde_json::from_str::<Vec<Value>>(&said) else {
            // cut at 8 kB it is no JSON; what is about the request comes first
            let location = if said.contains(r#""location":["request""#) { "request" } else { "response" };
            return vec![self.broken(location, said.into_owned())];
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let violation = |one: &Value| {
            let location: Vec<String> = one["location"].as_array().into_iter().flatten().map(text).collect();
            let warning = one["severity"] != "Error";
            Violation { warning, ..self.broken(&location.join("."), text(&one["message"])) }
        };
        found.iter().map(violation).collect()
    }
}

/// The API key, or else the user's token.
fn credential(headers: &HeaderMap) -> String {
    let value = headers.get("apikey").or_else(|| headers.get(header::AUTHORIZATION));
    value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
