//! [`Kind`]: one resource type of a cluster, and the request paths it lives at.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::fault::Fault;

/// RFC 3986 unreserved characters pass; everything else in a path segment is encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A resource type as the cluster's discovery describes it. The plural is never guessed from spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: String,
    /// The preferred served version.
    pub version: String,
    /// The name in `kind:`.
    pub kind: String,
    /// The name in request paths.
    pub plural: String,
    /// The name for one, as kubectl accepts it; may be empty.
    pub singular: String,
    /// Abbreviations that kubectl accepts.
    pub short_names: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether the API server offers `list` for it.
    pub listable: bool,
}

impl Kind {
    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `Kind.group`, or the kind alone for the core group: the form of
    /// `applyset.kubernetes.io/contains-group-kinds`.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// The path of a collection: all namespaces, or one.
    ///
    /// # Errors
    /// A namespace that no path segment can carry.
    pub fn collection_path(&self, namespace: Option<&str>) -> Result<String, Fault> {
        let root = if self.group.is_empty() {
            format!("/api/{}", segment("version", &self.version)?)
        } else {
            format!("/apis/{}/{}", segment("group", &self.group)?, segment("version", &self.version)?)
        };
        let plural = segment("resource", &self.plural)?;
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => Ok(format!("{root}/namespaces/{}/{plural}", segment("namespace", namespace)?)),
            None => Ok(format!("{root}/{plural}")),
        }
    }

    /// The path of one object.
    ///
    /// # Errors
    /// A namespace or name that no path segment can carry, or a namespaced kind without a namespace.
    pub fn object_path(&self, namespace: Option<&str>, name: &str) -> Result<String, Fault> {
        if self.namespaced && namespace.is_none() {
            return Err(Fault::InvalidName {
                what: "namespace",
                value: String::new(),
                why: "this kind lives in namespaces, so one must be named",
            });
        }
        Ok(format!("{}/{}", self.collection_path(namespace)?, segment("name", name)?))
    }
}

/// One path segment, by the rule of apimachinery's `IsValidPathSegmentName`, then encoded.
fn segment(what: &'static str, value: &str) -> Result<String, Fault> {
    let why = match value {
        "" => "it is empty",
        "." | ".." => "it is a path step",
        _ if value.contains(['/', '%']) => "it contains / or %",
        _ if value.chars().any(char::is_control) => "it contains a control character",
        _ if value.len() > 253 => "it is longer than 253 bytes",
        _ => return Ok(utf8_percent_encode(value, SEGMENT).to_string()),
    };
    Err(Fault::InvalidName { what, value: value.chars().take(80).collect(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> Kind {
        Kind {
            group: "rbac.authorization.k8s.io".into(),
            version: "v1".into(),
            kind: "Role".into(),
            plural: "roles".into(),
            singular: "role".into(),
            short_names: vec![],
            namespaced: true,
            listable: true,
        }
    }

    #[test]
    fn names_cannot_leave_their_segment() {
        let role = roles();
        assert_eq!(
            role.object_path(Some("shop"), "system:admin?x=1").expect("encodes"),
            "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/system%3Aadmin%3Fx%3D1"
        );
        for bad in ["", ".", "..", "a/b", "a%2fb", "kube-system/secrets?x=", "a\nb", &"a".repeat(254)] {
            assert!(role.object_path(Some("shop"), bad).is_err(), "{bad:?} as a name");
            assert!(role.object_path(Some(bad), "x").is_err(), "{bad:?} as a namespace");
        }
        assert!(role.object_path(None, "x").is_err(), "a namespaced kind needs a namespace");
    }
}
