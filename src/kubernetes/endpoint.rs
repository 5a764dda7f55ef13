//! [`Endpoint`]: where an API server is, by which two readings of one cluster are known as the same.

use reqwest::Url;

use crate::remote::is_loopback;

/// A host and a port, in one spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    host: String,
    port: u16,
    local: bool,
}

impl Endpoint {
    /// Of a host, a name or an address, and a port.
    pub fn new(host: &str, port: u16) -> Option<Self> {
        let host = host.trim();
        let bracketed = host.contains(':') && !host.starts_with('[');
        let host = if bracketed { format!("[{host}]") } else { host.to_owned() };
        if port == 0 || host.is_empty() || host.contains(['/', '@', '?', '#', '\\']) {
            return None;
        }
        Self::of_url(&format!("https://{host}:{port}"))
    }

    /// Of the URL of an API server.
    pub fn of_url(url: &str) -> Option<Self> {
        let url = Url::parse(url.trim()).ok()?;
        let host = url.host_str()?.trim_end_matches('.').to_owned();
        let port = url.port_or_known_default()?;
        (!host.is_empty()).then(|| Self { local: is_loopback(&url), host, port })
    }

    /// Whether it is on whichever machine asks: the same one on two machines is two servers.
    pub fn is_local(&self) -> bool {
        self.local
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_in_several_spellings_is_one() {
        let url = |url: &str| Endpoint::of_url(url).expect(url);
        assert_eq!(url("https://API.Example.com./"), Endpoint::new("api.example.com", 443).expect("fine"));
        assert_eq!(url("https://10.0.0.1:6443/k8s/x"), Endpoint::new("10.0.0.1", 6443).expect("fine"));
        assert_eq!(url("https://[2001:DB8:0::1]:6443"), Endpoint::new("2001:db8::1", 6443).expect("fine"));
        assert_ne!(url("https://10.0.0.1"), url("https://10.0.0.1:6443"));
        assert!(url("https://127.0.0.1:6443").is_local() && url("http://localhost:1").is_local());
        assert!(!url("https://10.0.0.1").is_local());
        for (host, port) in [("", 443), ("a", 0), ("a/b", 1), ("x@y", 1), ("a b", 1)] {
            assert_eq!(Endpoint::new(host, port), None, "{host}:{port}");
        }
        assert_eq!(Endpoint::of_url("not a url"), None);
    }
}
