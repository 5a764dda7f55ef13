//! [`Hops`]: the proxies in front, by address.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The list of addresses that a request came through, each proxy adding the one before it at the right.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The addresses of proxies whose word on where a request comes from is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hops(Vec<IpNet>);

impl Hops {
    pub(super) fn new(nets: Vec<IpNet>) -> Self {
        Self(nets)
    }

    /// Whether `address` is one of them.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The address that a request comes from: the rightmost that is none of ours. What stands left of it
    /// anybody can have written.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lists: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let mut told =
            lists.iter().rev().flat_map(|list| list.to_str().unwrap_or_default().rsplit(',')).map(address);
        while self.trusts(client) {
            match told.next() {
                Some(Some(before)) => client = before,
                _ => break,
            }
        }
        client
    }
}

/// As proxies write them: alone, with a port, or in brackets.
fn address(written: &str) -> Option<IpAddr> {
    let written = written.trim();
    let address = written.parse().ok();
    let address =
        address.or_else(|| written.parse().ok().map(|with_port: std::net::SocketAddr| with_port.ip()));
    let address = address.or_else(|| written.strip_prefix('[')?.strip_suffix(']')?.parse().ok());
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let hops = Hops::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append(FORWARDED_FOR, list.parse().unwrap());
        }
        hops.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_proxy_of_ours() {
        for (peer, forwarded, told) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.2.2.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7 , 10.2.2.2"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["198.51.100.7, unknown, 10.2.2.2"], "10.2.2.2"),
            ("10.0.0.1", &[""], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, forwarded), told, "{peer} {forwarded:?}");
        }
    }
}
