//! [`Line`] and [`Refused`]: what the audit log keeps of a call, and of a request that became none.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    Error,
    answer::{Finished, sanitise},
    caller::Caller,
    kubernetes::{Meter, Noted},
    telemetry::TraceContext,
    toolbox::Request,
};

/// Characters of what the log says about a refusal: parts of it may come from whoever is refused.
const LONGEST_DETAIL: usize = 300;

/// One call, as the log keeps it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    time: String,
    /// Number of the call; also in the `User-Agent` and the `Audit-ID` of its upstream requests.
    pub call: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// Which door.
    pub door: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    caller: Who,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Token>,
    /// The tool, or what was asked for instead of one.
    pub tool: String,
    /// allow, deny, or empty where it did not come to a decision.
    pub decision: &'static str,
    /// The rule that decided.
    pub rule: String,
    /// What the decision was about.
    pub scope: String,
    /// The permissions that would have been needed, of a denial.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<&'static str>,
    /// Where the decision was to allow: `cluster` where the API server answered 403, `identity` where it
    /// could not be shown who calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<&'static str>,
    ms: f64,
    upstream_requests: u64,
    upstream_bytes: u64,
    answer_bytes: usize,
    /// `ok`, or the kind of error.
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
    /// Of a tool that changes something: `planned`, `made`, `unneeded`, or `refused` where the plan was
    /// not what it had been.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    /// Of a tool that hands out credentials: what it handed out, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    handed: Option<&'static str>,
    /// Of a subscription: `begin`, and `end` with the same number and how long it was. Each of its further
    /// looks is a part of it: its number, a dot and a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<&'static str>,
    /// Of a proxied request, and of a change of Palette's: its method, its path and the status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Noted>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Who {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    subject: String,
    username: String,
    /// Who made the call on the caller's behalf: a plugin of Backstage.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Token {
    hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

impl From<&Caller> for Who {
    fn from(caller: &Caller) -> Self {
        Self {
            issuer: caller.issuer().map(str::to_owned),
            subject: caller.subject().to_owned(),
            username: caller.username().to_owned(),
            via: caller.actor().map(str::to_owned),
        }
    }
}

fn token(caller: &Caller) -> Option<Token> {
    caller.token().map(|token| Token { hash: token.hash.clone(), jti: token.id.clone() })
}

impl Line {
    pub(crate) fn new(request: &Request, call: String, trace: Option<String>) -> Self {
        Self {
            time: Timestamp::now().to_string(),
            call,
            trace,
            door: request.door,
            client: request.client,
            caller: Who::from(&*request.caller),
            token: token(&request.caller),
            ..Self::default()
        }
    }

    /// Keeps how long it lasted.
    pub(crate) fn lasted(&mut self, started: Instant) {
        self.time = Timestamp::now().to_string();
        self.ms = milliseconds(started);
    }

    /// Keeps how large an answer is that is no answer of a tool.
    pub(crate) fn answered(&mut self, bytes: usize) {
        self.answer_bytes = bytes;
    }

    /// Keeps how many bytes of it came from the cluster.
    pub(crate) fn brought(&mut self, bytes: u64) {
        self.upstream_bytes = bytes;
    }

    pub(crate) fn finish(
        &mut self,
        started: Instant,
        meter: &Meter,
        result: Result<Option<&Finished>, &Error>,
    ) {
        self.ms = milliseconds(started);
        self.upstream_requests = meter.requests();
        self.upstream_bytes = meter.bytes();
        self.request = meter.noted();
        // who refused a change of Palette's was told with the error
        if self.refused_by.is_none() && self.request.as_ref().is_some_and(Noted::is_forbidden) {
            self.refused_by = Some("cluster");
        }
        match result {
            Ok(None) => self.outcome = "ok",
            Ok(Some(finished)) => {
                self.outcome = "ok";
                self.answer_bytes = finished.text.len();
                self.partial = finished.partial;
                self.change = finished.change;
                self.handed = finished.handed;
            }
            Err(error) => self.outcome = error.outcome(),
        }
    }

    /// Seconds the call took.
    pub fn seconds(&self) -> f64 {
        self.ms / 1e3
    }
}

fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e5).round() / 100.0
}

/// A request that a door turned away before it was a call: for its credential, or for its number.
#[derive(Clone, Debug, Default)]
pub struct Refused<'r> {
    /// Which door.
    pub door: &'static str,
    /// `unauthenticated`, `rate_limited`, `not_allowed`.
    pub outcome: &'static str,
    /// A word from a fixed set: a label of `mcp_server_refusals`, so never a text of whoever is refused.
    pub reason: &'static str,
    /// What was wrong, in a sentence: the claim, the group that must not be. Never the token. Cleaned and
    /// cut here.
    pub detail: String,
    /// The first 16 hexadecimal digits of the SHA-256 of the credential, where there was one.
    pub token: Option<&'r str>,
    /// Who it was, where that is known.
    pub caller: Option<&'r Caller>,
    /// Where the request came from.
    pub client: Option<IpAddr>,
    /// The trace it was part of.
    pub trace: Option<&'r TraceContext>,
}

#[derive(Serialize)]
pub(super) struct RefusedLine {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    door: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Token>,
    decision: &'static str,
    outcome: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: String,
}

impl From<&Refused<'_>> for RefusedLine {
    fn from(refused: &Refused<'_>) -> Self {
        let named = refused.token.map(|hash| Token { hash: hash.to_owned(), jti: None });
        Self {
            time: Timestamp::now().to_string(),
            trace: refused.trace.map(TraceContext::trace_id),
            door: refused.door,
            client: refused.client,
            caller: refused.caller.map(Who::from),
            token: refused.caller.and_then(token).or(named),
            decision: "deny",
            outcome: refused.outcome,
            reason: refused.reason,
            detail: sanitise::short(&refused.detail, LONGEST_DETAIL),
        }
    }
}
