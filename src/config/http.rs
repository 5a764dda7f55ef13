//! `http`: streamable HTTP, and on which terms callers are served over it.

use std::{collections::BTreeSet, net::IpAddr, num::NonZeroU32, path::PathBuf, str::FromStr, time::Duration};

use http::Uri;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{Config, issuers::Issuer, problem::Wrong, server::Limits};
use crate::door::{
    Most, Rate, Terms,
    http::{HttpOptions, TlsFiles},
};

/// HTTP connections at a time, where nothing else is configured.
const CONNECTIONS: u32 = 1_024;
/// Seconds that a connection without a request is kept, where nothing else is configured.
const IDLE: u32 = 75;

/// Streamable HTTP.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Http {
    /// The URL of this server's MCP endpoint, as `https://mcp.example.com/mcp`: the resource that clients
    /// ask tokens for, and the audience of issuers that configure none. Its host is accepted as `Host`.
    pub url: Option<String>,
    /// `Host` names accepted besides those of loopback (against DNS rebinding).
    pub allowed_hosts: Vec<String>,
    /// Browser origins accepted besides those of loopback.
    pub allowed_origins: Vec<String>,
    /// Serve https. Otherwise plain http: on loopback addresses, or to `trustedProxies`.
    pub tls: Option<TlsPair>,
    /// Addresses of the proxies in front, as `10.0.0.7` or `10.0.0.0/8`. Without `tls` an address beyond
    /// loopback serves nobody else. Where a request comes from is read from the `X-Forwarded-For` of these
    /// alone.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<Net>,
    /// Whether a caller whose token falls short is told so with 403 and the scopes that would do (those
    /// under an issuer's `scopes`). It tells them that a tool hidden from them exists. Otherwise not.
    pub step_up: bool,
    /// Whether `palette_kubeconfig` may answer with a kubeconfig that holds credentials, to who asks for its content.
    /// Otherwise such are handed out over stdio alone, as files.
    pub kubeconfigs: bool,
    /// Serve the API of clusters to programs (`kubectl`, Backstage), as each caller.
    pub proxy: Option<ProxyEndpoint>,
    /// Serve `GET /v1/getEventMesh` as the backend of the Knative plugin for Backstage does: to whoever sends a token
    /// that the cluster takes, whatever issuers are configured.
    pub event_mesh: Option<EventMeshEndpoint>,
}

/// The API of clusters for programs: `/api/BASE/proxy/…`, and `/api/BASE/clusters`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProxyEndpoint {
    /// One segment of a path. `kubernetes` is what Backstage's clients ask for.
    pub base: String,
}

/// The event mesh of one cluster: `/v1/getEventMesh`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EventMeshEndpoint {
    /// The cluster, by `name` or `source/name`. It is asked by the token that comes with each request and by nothing
    /// else, whatever its `identity`.
    pub cluster: String,
}

/// A certificate and its key, read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TlsPair {
    /// PEM file: the server's certificate, then those that lead to its authority.
    pub cert_file: PathBuf,
    /// PEM file of the private key.
    pub key_file: PathBuf,
}

/// An address, or a network of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net(pub IpNet);

impl<'de> Deserialize<'de> for Net {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let net = IpNet::from_str(&written).or_else(|_| written.parse::<IpAddr>().map(IpNet::from));
        net.map(|net| Self(net.trunc())).map_err(|_| {
            let wanted = "must be an address or a network, as 10.0.0.7 or 10.0.0.0/8";
            serde::de::Error::custom(wanted)
        })
    }
}

impl Http {
    /// What no type can say alone.
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        if let Some(wrong) = self.url.as_deref().and_then(wrong_url) {
            return Err(Wrong::new(wrong).below("url"));
        }
        if let Some(proxy) = &self.proxy
            && !is_segment(&proxy.base)
        {
            let wrong = "must be one segment of a path: lower-case letters, digits and -, as kubernetes";
            return Err(Wrong::new(wrong).below("base").below("proxy"));
        }
        if let Some(mesh) = &self.event_mesh
            && (mesh.cluster.trim().is_empty() || mesh.cluster.contains('*'))
        {
            let wrong = "must be the name of one cluster, as `platform-mcp check` shows it";
            return Err(Wrong::new(wrong).below("cluster").below("eventMesh"));
        }
        match self.trusted_proxies.iter().position(|net| net.0.prefix_len() == 0) {
            Some(index) => Err(Wrong::new("names everybody").in_item(index).below("trustedProxies")),
            None => Ok(()),
        }
    }

    /// The host of the URL.
    pub(super) fn host(&self) -> Option<String> {
        self.url.as_deref().and_then(|url| url.parse::<Uri>().ok()?.host().map(str::to_owned))
    }

    pub(super) fn terms(&self, limits: &Limits, issuers: &[Issuer]) -> Terms {
        let default = Terms::default();
        let over_zero = |number: Option<u32>| number.and_then(NonZeroU32::new);
        let scopes: BTreeSet<&String> =
            issuers.iter().flat_map(|issuer| issuer.ask_scopes.iter().chain(issuer.scopes.keys())).collect();
        Terms {
            url: self.url.clone(),
            scopes: scopes.into_iter().filter(|scope| is_scope(scope)).cloned().collect(),
            step_up: self.step_up,
            kubeconfigs: self.kubeconfigs,
            rate: Rate {
                per_second: over_zero(limits.requests_per_second).unwrap_or(default.rate.per_second),
                burst: over_zero(limits.burst).unwrap_or(default.rate.burst),
            },
            concurrent: limits.concurrent_calls.unwrap_or(default.concurrent),
            subscriptions: Most {
                all: limits.subscriptions.unwrap_or(default.subscriptions.all),
                each: limits.subscriptions_per_caller.unwrap_or(default.subscriptions.each),
            },
        }
    }
}

impl Config {
    /// What the configuration says of HTTP that holds for the life of the process.
    pub fn http_options(&self) -> HttpOptions {
        let Http { allowed_hosts, allowed_origins, tls, trusted_proxies, .. } = &self.http;
        HttpOptions {
            allowed_hosts: allowed_hosts.iter().cloned().chain(self.http.host()).collect(),
            allowed_origins: allowed_origins.clone(),
            plugin: self.backstage.as_ref().map(|backstage| backstage.plugin_id().to_owned()),
            proxy: self.http.proxy.as_ref().map(|proxy| proxy.base.clone()),
            event_mesh: self.http.event_mesh.as_ref().map(|mesh| mesh.cluster.clone()),
            metrics: self.metrics.address,
            tls: tls.as_ref().map(|tls| TlsFiles {
                certificate: self.resolved(&tls.cert_file),
                key: self.resolved(&tls.key_file),
            }),
            trusted_proxies: trusted_proxies.iter().map(|net| net.0).collect(),
            connections: self.limits.connections.unwrap_or(CONNECTIONS),
            idle: Duration::from_secs(self.limits.idle_seconds.unwrap_or(IDLE).into()),
        }
    }
}

pub(super) fn is_segment(base: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !base.is_empty() && base.len() <= 63 && base.bytes().all(allowed)
}

/// A scope as OAuth writes it (RFC 6749 section 3.3): it stands between quotes in a header.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

/// Tokens go there, so it is https, or this machine.
fn wrong_url(written: &str) -> Option<String> {
    let wanted = "must be the https:// URL of the MCP endpoint, as https://mcp.example.com/mcp";
    let Ok(url) = written.parse::<Uri>() else { return Some(wanted.to_owned()) };
    let (scheme, host) = (url.scheme_str().unwrap_or_default(), url.host().unwrap_or_default());
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let odd = written.contains(['"', '\\', '#', '@', '?', '{', '}', '<', '>']);
    match scheme {
        _ if host.is_empty() || odd => Some(wanted.to_owned()),
        "https" => None,
        "http" if loopback => None,
        "http" => Some(format!("{wanted}; plain http is for loopback addresses")),
        _ => Some(wanted.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_one_that_tokens_may_go_to() {
        for url in [
            "https://a.example/mcp",
            "https://a.example:8443/b/mcp",
            "http://127.0.0.1:8080/mcp",
            "http://localhost/mcp",
            "http://[::1]:80/mcp",
        ] {
            assert_eq!(wrong_url(url), None, "{url}");
        }
        for url in [
            "",
            "mcp",
            "/mcp",
            "a.example/mcp",
            "ftp://a.example/mcp",
            "http://a.example/mcp",
            "http://127.0.0.1.a.example/mcp",
            "https://a.example/mcp?x=1",
            "https://a.example/mcp#x",
            "https://user@a.example/mcp",
            "https://a.example/\"mcp",
        ] {
            assert!(wrong_url(url).is_some(), "{url}");
        }
    }
}
