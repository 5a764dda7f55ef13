//! [`Server`]: where an API server is, and the authorities that it is known by.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use serde_json::{Map, Value};

use super::{
    pem,
    upstream::{Unusable, left_out},
};
use crate::kubernetes::Endpoint;

/// An API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `https://host:port`, written anew.
    pub url: String,
    /// Its certificate authorities as PEM, written anew; empty where only those of the system are known.
    pub authorities: String,
}

impl Server {
    /// Reads the `cluster` of a kubeconfig.
    pub(super) fn read(
        cluster: &Map<String, Value>,
        local: bool,
        dropped: &mut Vec<String>,
    ) -> Result<Self, Unusable> {
        let text = |member: &str| cluster.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        let url = address(text("server").unwrap_or_default(), local).map_err(Unusable::Server)?;
        let authorities = match cluster.get("certificate-authority-data") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(encoded)) if encoded.is_empty() => String::new(),
            Some(Value::String(encoded)) => authorities(encoded).map_err(Unusable::Authority)?,
            Some(_) => return Err(Unusable::Authority("it is no text")),
        };
        left_out(cluster, &["server", "certificate-authority-data"], "cluster", dropped);
        Ok(Self { url, authorities })
    }

    /// Of a host and a port that Palette tells, without an authority.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn at(host: &str, port: u16, local: bool) -> Result<Self, Unusable> {
        // nothing but a host and a port: what else stands there would lead elsewhere
        let at = Endpoint::new(host, port).ok_or(Unusable::Server("is none"))?;
        let url = address(&format!("https://{at}"), local).map_err(Unusable::Server)?;
        Ok(Self { url, authorities: String::new() })
    }
}

/// Credentials go there: https, and a host that means the same one wherever it is asked.
fn address(written: &str, local: bool) -> Result<String, &'static str> {
    let url = Url::parse(written.trim()).map_err(|_| "is no URL")?;
    if url.scheme() != "https" {
        return Err("does not begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds credentials");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment");
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || url.port_or_known_default().is_none_or(|port| port == 0) {
        return Err("has no host or no port");
    }
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        let link_local = match address {
            IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
            IpAddr::V6(address) => {
                let mapped = address.to_ipv4_mapped();
                address.is_unicast_link_local() || mapped.is_some()
            }
        };
        if address.is_unspecified() || address.is_multicast() || link_local {
            return Err("is none that an API server can have");
        }
    }
    if crate::remote::is_loopback(&url) && !local {
        return Err("is on whichever machine uses it");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Certificates in base64 of PEM, written anew: nothing else that stands between them is taken.
pub(super) fn authorities(encoded: &str) -> Result<String, &'static str> {
    let compact: String = encoded.split_whitespace().collect();
    let text = STANDARD.decode(compact).map_err(|_| "it is not base64")?;
    pem::certificates(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_a_credential_may_be_sent_to_are_taken() {
        for (written, taken) in [
            ("https://k8s.example.com:6443", "https://k8s.example.com:6443"),
            ("https://K8S.example.com:443/", "https://k8s.example.com"),
            ("https://proxy.example.com/k8s/c-1", "https://proxy.example.com/k8s/c-1"),
            ("https://10.0.0.1:6443", "https://10.0.0.1:6443"),
            ("https://[2001:db8::1]:6443", "https://[2001:db8::1]:6443"),
        ] {
            assert_eq!(address(written, false).as_deref(), Ok(taken), "{written}");
        }
        for written in [
            "",
            "k8s.example.com",
            "http://k8s.example.com",
            "file:///etc/passwd",
            "https://user:pw@k8s.example.com",
            "https://token@k8s.example.com",
            "https://k8s.example.com?x=1",
            "https://k8s.example.com#x",
            "https://169.254.169.254",
            "https://[fe80::1]",
            "https://[::ffff:169.254.169.254]",
            "https://0.0.0.0",
            "https://[::]",
            "https://127.0.0.1:6443",
            "https://localhost",
            "https://224.0.0.1",
            "https://x:0",
        ] {
            assert!(address(written, false).is_err(), "{written}");
        }
        assert!(address("https://127.0.0.1:6443", true).is_ok(), "where Palette is on this machine, too");
        assert_eq!(
            Server::at("2001:db8::1", 6443, false).map(|at| at.url).as_deref(),
            Ok("https://[2001:db8::1]:6443")
        );
        assert!(Server::at("a.example/../x@y", 1, false).is_err());
    }
}
