//! What tells two URIs of the same receiver, and how one is shown.

use crate::answer::sanitise;

/// Characters of a URI that are kept.
const LONGEST: usize = 300;

/// Host, port and path: the scheme's default port and a slash at the end left out, scheme, user, query and fragment too.
pub(super) fn key(uri: &str) -> Option<String> {
    let (host, path) = parts(uri)?;
    Some(format!("{host}{}", path.trim_end_matches('/')))
}

/// The host and port of a URI, as [`key`] has them.
pub(super) fn host(uri: &str) -> Option<String> {
    parts(uri).map(|(host, _)| host)
}

/// A URI without what may be secret: its user, query and fragment.
pub(super) fn shown(uri: &str) -> String {
    let (plain, had_query) = match uri.find(['?', '#']) {
        Some(end) => (uri.get(..end).unwrap_or_default(), true),
        None => (uri, false),
    };
    let plain = match plain.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => plain.to_owned(),
    };
    let mark = if had_query { "?…" } else { "" };
    format!("{}{mark}", sanitise::short(&plain, LONGEST))
}

/// The name and namespace in `name.namespace.svc`, with or without the cluster's domain.
pub(super) fn service(uri: &str) -> Option<(String, String)> {
    let host = host(uri)?;
    let name = host.split(':').next()?;
    let mut labels = name.split('.');
    let (name, namespace, svc) = (labels.next()?, labels.next()?, labels.next()?);
    (svc == "svc").then(|| (name.to_owned(), namespace.to_owned()))
}

fn parts(uri: &str) -> Option<(String, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let default = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let host = host.strip_suffix(default).map(str::to_owned).unwrap_or(host);
    (!host.is_empty()).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_have_one_key() {
        let key = |uri| key(uri).unwrap();
        assert_eq!(key("http://A.b.svc:80/x/"), key("http://a.b.svc/x"));
        assert_eq!(key("https://a:443"), key("http://a/"));
        assert_ne!(key("http://a:8080/"), key("http://a/"));
        assert_ne!(key("http://a/x"), key("http://a/y"));
        assert_eq!(super::key("/relative"), None);
    }

    #[test]
    fn what_may_be_secret_in_a_uri_is_not_shown() {
        assert_eq!(
            shown("https://user:hunter2@host:8443/in?token=hunter2#hunter2"),
            "https://host:8443/in?…"
        );
        assert_eq!(shown("http://host/in"), "http://host/in");
        assert_eq!(shown("nonsense?hunter2"), "nonsense?…");
    }

    #[test]
    fn a_service_is_known_by_its_host() {
        let named = Some(("s".to_owned(), "n".to_owned()));
        assert_eq!(service("http://s.n.svc.cluster.local:8080/x"), named);
        assert_eq!(service("http://s.n.svc"), named);
        assert_eq!(service("http://s.n.example.com"), None);
    }
}
