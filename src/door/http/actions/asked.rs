//! [`Asked`]: what a request below `/api/PLUGIN` is for.

use http::Method;
use percent_encoding::percent_decode_str;

/// More segments than any path has that is served.
const MOST_SEGMENTS: usize = 8;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The tools, as actions.
    List,
    /// A call of the action of that id.
    Invoke(Version, String),
    /// The keys of our tokens.
    Keys,
    /// Our permissions.
    Permissions,
}

/// What the body of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The input, or nothing.
    First,
    /// The input within an object, which can hold secrets too.
    Second,
}

impl Asked {
    /// Reads the path after `/api/PLUGIN`. What has another method is not there, as in Backstage's own plugins.
    pub(super) fn read(method: &Method, below: &str) -> Option<Self> {
        let (reads, posts) = (matches!(*method, Method::GET | Method::HEAD), *method == Method::POST);
        let segments: Vec<&str> = below.split('/').take(MOST_SEGMENTS).collect();
        match segments.as_slice() {
            ["", ".backstage", "actions", "v1", "actions"] if reads => Some(Self::List),
            ["", ".backstage", "actions", version @ ("v1" | "v2"), "actions", id, "invoke"] if posts => {
                let version = if *version == "v1" { Version::First } else { Version::Second };
                // once, as Express does: what is encoded twice is the id of nothing
                Some(Self::Invoke(version, percent_decode_str(id).decode_utf8_lossy().into_owned()))
            }
            ["", ".backstage", "auth", "v1", "jwks.json"] if reads => Some(Self::Keys),
            ["", ".well-known", "backstage", "permissions", "metadata"] if reads => Some(Self::Permissions),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_decoded_once() {
        for (written, id) in [
            ("platform-mcp:whoami", "platform-mcp:whoami"),
            ("platform-mcp%3Awhoami", "platform-mcp:whoami"),
            ("platform-mcp%3awhoami", "platform-mcp:whoami"),
            ("platform-mcp%253Awhoami", "platform-mcp%3Awhoami"),
            ("a%2Fb", "a/b"),
            ("%FF", "\u{fffd}"),
            ("%ZZ", "%ZZ"),
            ("", ""),
        ] {
            let path = format!("/.backstage/actions/v1/actions/{written}/invoke");
            assert_eq!(
                Asked::read(&Method::POST, &path),
                Some(Asked::Invoke(Version::First, id.to_owned())),
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_served_is_served_by_its_own_method_alone() {
        let invoke = "/.backstage/actions/v2/actions/x/invoke";
        assert_eq!(Asked::read(&Method::POST, invoke), Some(Asked::Invoke(Version::Second, "x".to_owned())));
        for (method, path) in [
            (Method::GET, invoke),
            (Method::PUT, invoke),
            (Method::POST, "/.backstage/actions/v1/actions"),
            (Method::GET, "/.backstage/actions/v2/actions"),
            (Method::GET, "/.backstage/actions/v1/actions/"),
            (Method::GET, "/.backstage/actions/v1/actions/x"),
            (Method::POST, "/.backstage/actions/v3/actions/x/invoke"),
            (Method::POST, "/.backstage/actions/v1/actions/x/invoke/"),
            (Method::POST, "/.backstage/actions/v1/actions/x/y/invoke"),
            (Method::POST, "/.backstage/auth/v1/jwks.json"),
            (Method::GET, "x/.backstage/actions/v1/actions"),
            (Method::GET, ""),
            (Method::GET, "/"),
        ] {
            assert_eq!(Asked::read(&method, path), None, "{method} {path}");
        }
        assert_eq!(Asked::read(&Method::HEAD, "/.backstage/auth/v1/jwks.json"), Some(Asked::Keys));
    }
}
