//! [`Target`]: a path of an API server, taken apart as the API server does it, and sent as it was written.

use percent_encoding::percent_decode_str;

/// Bytes of a path: names have 253 at most.
const LONGEST: usize = 2_048;

/// Subresources that hand the request on to another program, or open a channel to one: a GET of these can do
/// anything that the program does.
const CHANNELS: [&str; 4] = ["exec", "attach", "portforward", "proxy"];

/// A path below the URL of an API server. As it stands here it is decided on, written down and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    path: String,
    what: What,
}

/// What a path asks for (apiserver `request.RequestInfoFactory`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What there is: `/version`, `/api`, `/apis/GROUP/VERSION`, `/openapi/…`, and health.
    Discovery,
    /// Objects.
    Resource(Resource),
    /// Anything else, as `/metrics` or `/logs`.
    Other,
}

/// Objects of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    /// As `v1`.
    pub version: String,
    /// `None`: of all namespaces, or in none.
    pub namespace: Option<String>,
    /// The plural.
    pub plural: String,
    /// `None`: the list.
    pub name: Option<String>,
    /// As `status`, `log`, `exec`.
    pub subresource: Option<String>,
    /// By the old prefix `/watch/`: the answer is a stream.
    pub watch: bool,
}

/// What of a cluster a request touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched<'t> {
    /// What everyone may know who may ask at all.
    Discovery,
    /// What is in this namespace.
    Namespace(&'t str),
    /// What is in no namespace.
    ClusterScoped,
    /// All namespaces, or what is of none and of all.
    Everything,
}

/// Why a path is none. Nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPath(pub &'static str);

impl Target {
    /// Takes a path apart. What an API server, or something in front of it, could take for another path is
    /// none: dot segments, empty ones, whatever is encoded twice, separators that are encoded.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(path: &str) -> Result<Self, BadPath> {
        if !path.starts_with('/') {
            return Err(BadPath("it must begin with one /, as /api/v1/namespaces/default/pods"));
        }
        if path.len() > LONGEST {
            return Err(BadPath("it is over 2048 bytes"));
        }
        if path == "/" {
            return Ok(Self { path: path.to_owned(), what: What::Discovery });
        }
        let segments = path.split('/').skip(1).map(segment).collect::<Result<Vec<String>, BadPath>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Ok(Self { path: path.to_owned(), what: What::of(&segments)? })
    }

    /// As it was written.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it asks for.
    pub fn what(&self) -> &What {
        &self.what
    }

    /// The objects, where it is of some.
    pub fn resource(&self) -> Option<&Resource> {
        match &self.what {
            What::Resource(resource) => Some(resource),
            What::Discovery | What::Other => None,
        }
    }

    /// What of the cluster it touches with this method.
    pub fn touches(&self, method: &http::Method) -> Touched<'_> {
        match &self.what {
            What::Discovery if reads(method) => Touched::Discovery,
            What::Discovery | What::Other => Touched::Everything,
            What::Resource(resource) => match (&resource.namespace, &resource.name) {
                (Some(namespace), _) => Touched::Namespace(namespace),
                // the program behind a node's proxy runs Pods of all namespaces
                (None, Some(_)) if !resource.watch && !self.is_channel() => Touched::ClusterScoped,
                // objects in namespaces are made in theirs alone (apiserver `endpoints/installer.go`)
                (None, None) if !resource.watch && method == http::Method::POST => Touched::ClusterScoped,
                _ => Touched::Everything,
            },
        }
    }

    /// Whether a request with this method may change something, or reach another program than the API server.
    pub fn changes(&self, method: &http::Method) -> bool {
        !reads(method) || self.is_channel()
    }

    /// Whether it hands the request on to another program.
    pub fn is_channel(&self) -> bool {
        let subresource = self.resource().and_then(|resource| resource.subresource.as_deref());
        subresource.is_some_and(|subresource| CHANNELS.contains(&subresource))
    }

    /// Whether Secrets can be in the answer.
    pub fn is_secret(&self) -> bool {
        self.resource().is_some_and(|resource| resource.plural == "secrets")
    }

    /// Whether the answer is a credential: `serviceaccounts/NAME/token`.
    pub fn is_credential(&self) -> bool {
        self.resource().is_some_and(|resource| {
            resource.plural == "serviceaccounts" && resource.subresource.as_deref() == Some("token")
        })
    }
}

/// GET and HEAD.
fn reads(method: &http::Method) -> bool {
    matches!(*method, http::Method::GET | http::Method::HEAD)
}

impl What {
    fn of(segments: &[&str]) -> Result<Self, BadPath> {
        let (group, version, rest) = match segments {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, version, rest),
            ["api" | "apis", ..] | ["version"] => return Ok(Self::Discovery),
            ["openapi" | "healthz" | "livez" | "readyz" | ".well-known" | "openid", ..] => {
                return Ok(Self::Discovery);
            }
            _ => return Ok(Self::Other),
        };
        let (watch, rest) = match rest {
            ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
            ["proxy", ..] => return Err(BadPath("the prefix proxy is not served any more by API servers")),
            rest => (false, rest),
        };
        let (namespace, rest) = match rest {
            // a Namespace itself, and its subresources, are in none
            ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize", ..] => (None, rest),
            ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let at = |index: usize| rest.get(index).map(|part| (*part).to_owned());
        Ok(Self::Resource(Resource {
            group: group.to_owned(),
            version: (*version).to_owned(),
            namespace,
            plural: at(0).unwrap_or_default(),
            name: at(1),
            subresource: at(2),
            watch,
        }))
    }
}

/// A segment, decoded.
fn segment(written: &str) -> Result<String, BadPath> {
    if written.is_empty() {
        return Err(BadPath("it has an empty segment (//, or / at its end)"));
    }
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\\;\"<>^`{|}".contains(&byte);
    if !written.bytes().all(plain) {
        return Err(BadPath(
            "it has a character that no path may have: give the query apart, encode the rest",
        ));
    }
    if !escapes_are_whole(written) {
        return Err(BadPath("it has a % that no two hexadecimal digits follow"));
    }
    let decoded = percent_decode_str(written).decode_utf8();
    let decoded = decoded.map_err(|_| BadPath("it has an escape that is not UTF-8"))?;
    match decoded.as_ref() {
        // no dot at the end: a sentence loses it
        "." | ".." => Err(BadPath("it has a segment that is . or .., a step to another path")),
        odd if odd.chars().any(char::is_control) => Err(BadPath("it has an encoded control character")),
        odd if odd.contains(['/', '\\', '%', '?', '#', ';']) => {
            Err(BadPath("it has an encoded separator, or is encoded twice"))
        }
        fine => Ok(fine.to_owned()),
    }
}

/// Whether two hexadecimal digits follow each `%`.
pub(super) fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes().take(2);
        let mut hexadecimal = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        hexadecimal() && hexadecimal()
    })
}

#[cfg(test)]
#[path = "target/tests.rs"]
mod tests;
