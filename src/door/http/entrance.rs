//! [`Entrance`]: what stands between a connection and whatever answers: who is asking, and how much.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, StatusCode, header, request::Parts, uri::Authority};

use super::{
    connection::Peer,
    hops::Hops,
    rates::{Busy, Rates, Running},
};
use crate::{
    audit,
    caller::{Caller, credential::VERIFYING, oidc},
    door::{
        authenticate::{self, NoToken},
        oauth,
        refused::Refused,
        serving::{Served, Serving},
    },
    telemetry::TraceContext,
};

/// This door's name in audit lines.
pub(super) const DOOR: &str = "http";

/// Why a request without a credential is turned away, in audit lines.
pub(super) const NO_TOKEN: &str = "no_token";

/// Bytes of all headers of a request: a token of 16 KiB fits, with all that proxies add.
pub(super) const HEADERS: usize = 64 << 10;

/// What Backstage's gateway says of itself (`@backstage/plugin-gateway-backend`, `HOPS_HEADER`).
const GATEWAY: &str = "backstage-gateway-hops";

/// Until a list is refused because nobody can say whose it is. Backstage has no deadline of its own, and waits with
/// the lists of all other plugins too.
const LISTING: Duration = Duration::from_secs(3);

/// The address that a request comes from, proxies left out.
#[derive(Clone, Copy, Debug)]
pub(in crate::door) struct Client(pub(in crate::door) IpAddr);

/// The one way in.
#[derive(Debug)]
pub(super) struct Entrance {
    pub(super) serving: Arc<Serving>,
    pub(super) address: SocketAddr,
    pub(super) encrypted: bool,
    pub(super) hops: Hops,
    /// `Host` names that are ours.
    pub(super) hosts: Vec<String>,
    pub(super) rates: Rates,
}

/// What was turned away, and why, for the audit line.
#[derive(Debug)]
pub(super) struct Turned {
    refused: Refused,
    reason: &'static str,
    detail: String,
    caller: Option<Arc<Caller>>,
    door: &'static str,
}

impl Turned {
    pub(super) fn new(refused: Refused, reason: &'static str) -> Box<Self> {
        Box::new(Self { refused, reason, detail: String::new(), caller: None, door: DOOR })
    }

    /// Of a caller who is known.
    pub(super) fn of(mut self: Box<Self>, caller: &Arc<Caller>) -> Box<Self> {
        self.caller = Some(Arc::clone(caller));
        self
    }

    /// At another door than `/mcp`.
    pub(super) fn at(mut self: Box<Self>, door: &'static str) -> Box<Self> {
        self.door = door;
        self
    }

    pub(super) fn because(mut self: Box<Self>, detail: impl Into<String>) -> Box<Self> {
        self.detail = detail.into();
        self
    }
}

impl Entrance {
    /// The other end of the connection, and the client behind it.
    pub(super) fn origin(&self, parts: &Parts) -> (IpAddr, IpAddr) {
        // every connection puts it there; nobody is trusted without
        let nowhere = IpAddr::from([0, 0, 0, 0]);
        let peer = parts.extensions.get::<Peer>().map_or(nowhere, |peer| peer.0.ip().to_canonical());
        // Backstage's gateway passes on what its clients write, and adds nothing of its own to it
        let client = match parts.headers.contains_key(GATEWAY) {
            true => peer,
            false => self.hops.client(peer, &parts.headers),
        };
        (peer, client)
    }

    /// Who asks, and their place among those who do: or why not.
    pub(super) async fn through(
        &self,
        served: &Served,
        parts: &Parts,
        peer: IpAddr,
    ) -> Result<(Arc<Caller>, Running), Box<Turned>> {
        let caller = self.known(served, parts, peer).await?;
        let running = self.place(served, &caller)?;
        Ok((caller, running))
    }

    /// The place of someone who is known among those who ask.
    pub(super) fn place(&self, served: &Served, caller: &Arc<Caller>) -> Result<Running, Box<Turned>> {
        self.rates.take(caller, &served.terms).map_err(|busy| over(&busy, caller))
    }

    /// As [`Self::through`], for what is answered from memory: a list is no call, and is soon there or not at all.
    pub(super) async fn to_list(
        &self,
        served: &Served,
        parts: &Parts,
        peer: IpAddr,
    ) -> Result<Arc<Caller>, Box<Turned>> {
        let known = tokio::time::timeout(LISTING, self.known(served, parts, peer)).await;
        let caller = known.map_err(|_elapsed| Turned::new(Refused::outage(), "unavailable"))??;
        self.rates.list(&caller, &served.terms).map_err(|busy| over(&busy, &caller))?;
        Ok(caller)
    }

    /// Who asks.
    async fn known(&self, served: &Served, parts: &Parts, peer: IpAddr) -> Result<Arc<Caller>, Box<Turned>> {
        self.fits(parts, peer)?;
        self.caller(served, parts).await
    }

    /// Whether a request may bring a token by the way that it came, and has a head that can be read.
    pub(super) fn fits(&self, parts: &Parts, peer: IpAddr) -> Result<(), Box<Turned>> {
        self.reaches(peer)?;
        // hyper's bound of HTTP/1 is of its buffer, and may be passed by as much again
        if parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
            > HEADERS
        {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(Turned::new(Refused::malformed(status, "the headers are over 64 KiB"), "head_size"));
        }
        Ok(())
    }

    /// Tokens in the clear come over this machine's loopback or from a proxy that is named, or not at all.
    fn reaches(&self, peer: IpAddr) -> Result<(), Box<Turned>> {
        if self.encrypted || peer.is_loopback() || self.hops.trusts(peer) {
            return Ok(());
        }
        let message = "Forbidden: without TLS only the proxies named in http.trustedProxies are served";
        Err(Turned::new(Refused::forbidden(message), "hop"))
    }

    async fn caller(&self, served: &Served, parts: &Parts) -> Result<Arc<Caller>, Box<Turned>> {
        if !served.callers.need_token() {
            // the local user is whoever reaches a loopback address
            let local = served.callers.local().filter(|_| self.address.ip().is_loopback());
            let message = "Forbidden: no issuer is configured, and only loopback addresses need none";
            return local
                .map(Arc::clone)
                .ok_or_else(|| Turned::new(Refused::forbidden(message), "no_issuer"));
        }
        let unauthenticated =
            |sent: bool| Refused::unauthenticated(oauth::challenge(&self.url(served, parts), served, sent));
        let token = match authenticate::bearer(&parts.headers, &parts.uri) {
            Ok(token) => token,
            Err(NoToken::Absent) => return Err(Turned::new(unauthenticated(false), NO_TOKEN)),
            Err(NoToken::Malformed(why)) => {
                return Err(Turned::new(unauthenticated(true), "credential").because(why));
            }
        };
        match tokio::time::timeout(VERIFYING, served.callers.token(token)).await {
            Ok(Ok(caller)) => Ok(caller),
            Ok(Err(refusal)) => {
                let refused = match &refusal {
                    oidc::Refusal::Undecided(_) => Refused::undecided(),
                    refusal if refusal.is_outage() => Refused::outage(),
                    _ => unauthenticated(true),
                };
                Err(Turned::new(refused, refusal.reason()).because(refusal.to_string()))
            }
            Err(_elapsed) => Err(Turned::new(Refused::outage(), "unavailable")),
        }
    }

    /// The URL that clients know us by: the configured one, or the one that this client used.
    pub(super) fn url(&self, served: &Served, parts: &Parts) -> String {
        if let Some(url) = &served.terms.url {
            return url.clone();
        }
        let scheme = if self.encrypted { "https" } else { "http" };
        match self.host(parts) {
            Some(host) => format!("{scheme}://{host}/mcp"),
            None => format!("{scheme}://{}/mcp", self.address),
        }
    }

    /// The `Host` of a request, where it is one of ours: any other is what an attacker wrote.
    pub(super) fn host(&self, parts: &Parts) -> Option<Authority> {
        let host = match parts.headers.get(header::HOST) {
            Some(host) => host.to_str().ok()?.parse().ok()?,
            None => parts.uri.authority()?.clone(),
        };
        let known = |ours: &String| {
            let bare = host.host().trim_matches(['[', ']']);
            ours.eq_ignore_ascii_case(bare) || ours.eq_ignore_ascii_case(host.as_str())
        };
        // whoever is named before it is no part of a host (RFC 9110 section 4.2.4, RFC 9113 section 8.3.1)
        (!host.as_str().contains('@') && self.hosts.iter().any(known)).then_some(host)
    }

    /// Keeps that it was turned away; what is said to whoever sent it is for the answer's own form.
    pub(super) fn turn_away(
        &self,
        served: &Served,
        parts: &Parts,
        client: IpAddr,
        turned: Turned,
    ) -> Refused {
        let Turned { mut refused, mut reason, detail, caller, door } = turned;
        let mut flood = false;
        if refused.status == StatusCode::UNAUTHORIZED
            && let Err(busy) = self.rates.refuse(client)
        {
            flood = true;
            // who has no token yet learns where to get one, whoever else is at that address
            if reason != NO_TOKEN {
                (refused, reason) = (Refused::busy(busy.again), busy.reason);
            }
        }
        // each refused credential has its line; of what is malformed or too much, a flood must not fill the log
        let unauthenticated = refused.status == StatusCode::UNAUTHORIZED && !flood;
        if unauthenticated || self.rates.worth_a_line(client) {
            served.toolbox.refused(&audit::Refused {
                door,
                outcome: outcome(refused.status),
                reason,
                detail,
                token: named(&parts.headers).as_deref(),
                caller: caller.as_deref(),
                client: Some(client),
                trace: TraceContext::from_headers(&parts.headers).as_ref(),
            });
        }
        refused
    }
}

fn over(busy: &Busy, caller: &Arc<Caller>) -> Box<Turned> {
    Turned::new(Refused::busy(busy.again), busy.reason).of(caller)
}

/// The word of the audit log.
fn outcome(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::SERVICE_UNAVAILABLE => "unauthenticated",
        StatusCode::TOO_MANY_REQUESTS => "rate_limited",
        StatusCode::FORBIDDEN => "not_allowed",
        _ => "invalid_request",
    }
}

/// What the log calls the credential that was sent.
fn named(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let credential = value.iter().position(|&byte| byte == b' ').and_then(|at| value.get(at + 1..));
    Some(oidc::named(credential.unwrap_or(value).trim_ascii()))
}
