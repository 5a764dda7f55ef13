//! [`Sources`]: by which names the server may be asked, and from which pages in browsers. rmcp looks at its own
//! requests; what is no MCP is looked at here.

use http::{HeaderMap, StatusCode, Version, header, request::Parts, uri::Authority};

use super::entrance::{Entrance, Turned};
use crate::door::refused::Refused;

/// Where requests may come from.
#[derive(Debug)]
pub(super) struct Sources {
    origins: Vec<Origin>,
}

/// A place of web pages (RFC 6454 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    /// `None`: whatever port.
    port: Option<u16>,
}

/// Why a request may not come from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// It says no host, or several.
    NoHost(&'static str),
    /// It may not.
    Forbidden(&'static str),
}

impl From<Odd> for Box<Turned> {
    fn from(odd: Odd) -> Self {
        let refused = match odd {
            Odd::NoHost(why) => Refused::malformed(StatusCode::BAD_REQUEST, why),
            Odd::Forbidden(why) => Refused::forbidden(why),
        };
        Turned::new(refused, "source")
    }
}

impl Sources {
    /// Of these origins, as `https://a.example`, `https://a.example:8443` or `http://localhost:*`.
    pub(super) fn new(origins: &[String]) -> Self {
        Self { origins: origins.iter().filter_map(|origin| Origin::allowed(origin)).collect() }
    }

    /// Whether a request may come from where it comes from. A page anywhere can make a browser on this machine
    /// send requests to it: what a browser adds by itself tells them from programs. What else listens on this
    /// machine serves pages of others (previews, notebooks), so loopback is no origin of ours.
    pub(super) fn check(&self, entrance: &Entrance, parts: &Parts) -> Result<(), Odd> {
        let one = |name| {
            let mut values = parts.headers.get_all(name).iter();
            (values.next(), values.next().is_some())
        };
        let (host, more) = one(header::HOST);
        if more {
            return Err(Odd::NoHost("more than one Host"));
        }
        let named = parts.uri.authority().filter(|_| parts.version >= Version::HTTP_2);
        if let (Some(host), Some(named)) = (host, named)
            && host.as_bytes() != named.as_str().as_bytes()
        {
            return Err(Odd::NoHost("Host and :authority differ"));
        }
        if host.is_none() && named.is_none() {
            return Err(Odd::NoHost("no Host"));
        }
        let Some(host) = entrance.host(parts) else {
            return Err(Odd::Forbidden("this Host is not served: http.allowedHosts names those that are"));
        };
        let own = Origin::of(entrance.encrypted, &host);
        let (origin, more) = one(header::ORIGIN);
        let allowed = origin.map(|origin| {
            let origin = origin.to_str().ok().and_then(Origin::parse);
            let covers = |origin: &Origin| self.origins.iter().chain([&own]).any(|ours| ours.covers(origin));
            !more && origin.as_ref().is_some_and(covers)
        });
        match allowed {
            Some(true) => Ok(()),
            Some(false) => Err(Odd::Forbidden("pages of this Origin may not ask")),
            None if foreign(&parts.headers) => Err(Odd::Forbidden("pages of other sites may not ask")),
            None => Ok(()),
        }
    }
}

/// What a browser says of a request that needs no `Origin` (Fetch Metadata, `Sec-Fetch-Site`).
fn foreign(headers: &HeaderMap) -> bool {
    let known = |site: &http::HeaderValue| matches!(site.as_bytes(), b"none" | b"same-origin");
    !headers.get_all("sec-fetch-site").iter().all(known)
}

impl Origin {
    fn parse(written: &str) -> Option<Self> {
        let (scheme, rest) = written.split_once("://")?;
        let authority: Authority = rest.parse().ok()?;
        let port = authority.port_u16();
        let whole = match port {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        let host = authority.host().to_ascii_lowercase();
        (whole == rest && !host.is_empty()).then(|| Self { scheme: scheme.to_ascii_lowercase(), host, port })
    }

    /// That of whoever asks for pages of this host.
    fn of(encrypted: bool, host: &Authority) -> Self {
        let (scheme, implied) = if encrypted { ("https", 443) } else { ("http", 80) };
        let port = Some(host.port_u16().unwrap_or(implied));
        Self { scheme: scheme.to_owned(), host: host.host().to_ascii_lowercase(), port }
    }

    /// One that is configured. Without a port it stands for any, as it does at `/mcp`.
    fn allowed(written: &str) -> Option<Self> {
        Self::parse(written.trim().strip_suffix(":*").unwrap_or(written.trim()))
    }

    fn covers(&self, other: &Self) -> bool {
        let implied = if other.scheme == "https" { 443 } else { 80 };
        let port = self.port.is_none_or(|port| other.port.unwrap_or(implied) == port);
        port && self.scheme == other.scheme && self.host == other.host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_configured_origins_may_ask_and_no_others() {
        let ours = ["http://localhost:*", "http://[::1]:*", "https://a.example", "https://b.example:443"];
        let sources = Sources::new(&ours.map(str::to_owned));
        let allowed = |written: &str| {
            Origin::parse(written).is_some_and(|origin| sources.origins.iter().any(|one| one.covers(&origin)))
        };
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "http://[::1]:7007",
            "https://a.example",
            "https://A.example:8443",
            "https://b.example",
        ] {
            assert!(allowed(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "localhost",
            "https://localhost",
            "http://localhost:evil.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://localhost/",
            "http://localhost:3000/x",
            "https://b.example:8443",
            "http://a.example",
        ] {
            assert!(!allowed(origin), "{origin}");
        }
    }
}
