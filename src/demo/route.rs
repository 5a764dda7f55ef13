//! [`Route`]: what a path asks for.

use percent_encoding::percent_decode_str;

/// A path of the Kubernetes API.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/version`
    Version,
    /// `/healthz`, `/livez`, `/readyz`
    Health,
    /// `/api`
    Core,
    /// `/apis`
    Groups,
    /// `/apis/{group}`
    Group(String),
    /// `/api/v1`, `/apis/{group}/{version}`
    Resources {
        /// Empty for the core group.
        group: String,
        /// `v1`
        version: String,
    },
    /// Objects of one kind.
    Objects(Objects),
}

/// A list, or one object of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Objects {
    pub(super) group: String,
    pub(super) version: String,
    /// `None`: all namespaces, or a kind without.
    pub(super) namespace: Option<String>,
    pub(super) resource: String,
    /// `None`: the list.
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

impl Route {
    /// `None` for a path that the Kubernetes API does not have.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let segments = path
            .trim_matches('/')
            .split('/')
            .map(|segment| Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned()))
            .collect::<Option<Vec<String>>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["version"] => Some(Self::Version),
            ["healthz" | "livez" | "readyz"] => Some(Self::Health),
            ["api"] => Some(Self::Core),
            ["apis"] => Some(Self::Groups),
            ["apis", group] => Some(Self::Group((*group).to_owned())),
            ["api", version] => Some(Self::resources("", version)),
            ["apis", group, version] => Some(Self::resources(group, version)),
            ["api", version, rest @ ..] => objects("", version, rest).map(Self::Objects),
            ["apis", group, version, rest @ ..] => objects(group, version, rest).map(Self::Objects),
            _ => None,
        }
    }

    fn resources(group: &str, version: &str) -> Self {
        Self::Resources { group: group.to_owned(), version: version.to_owned() }
    }
}

fn objects(group: &str, version: &str, rest: &[&str]) -> Option<Objects> {
    let (namespace, rest) = match rest {
        // What is below a namespace and not a kind within it.
        ["namespaces", _, "status" | "finalize"] => (None, rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
        _ => (None, rest),
    };
    let (resource, name, subresource) = match rest {
        [resource] => (resource, None, None),
        [resource, name] => (resource, Some(name), None),
        [resource, name, subresource] => (resource, Some(name), Some(subresource)),
        _ => return None,
    };
    let owned = |text: &&str| (*text).to_owned();
    Some(Objects {
        group: group.to_owned(),
        version: version.to_owned(),
        namespace,
        resource: owned(resource),
        name: name.map(owned),
        subresource: subresource.map(owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(path: &str) -> Objects {
        match Route::parse(path) {
            Some(Route::Objects(objects)) => objects,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn a_namespace_is_a_place_and_an_object() {
        assert_eq!(objects("/api/v1/namespaces").name, None);
        assert_eq!(objects("/api/v1/namespaces/shop").name.as_deref(), Some("shop"));
        let status = objects("/api/v1/namespaces/shop/status");
        assert_eq!((status.namespace, status.subresource.as_deref()), (None, Some("status")));
        let pods = objects("/api/v1/namespaces/shop/pods");
        assert_eq!(
            (pods.namespace.as_deref(), pods.resource.as_str(), pods.name),
            (Some("shop"), "pods", None)
        );
        let scale = objects("/apis/apps/v1/namespaces/shop/deployments/api/scale");
        assert_eq!((scale.name.as_deref(), scale.subresource.as_deref()), (Some("api"), Some("scale")));
    }

    #[test]
    fn segments_are_decoded_after_the_path_is_cut() {
        let odd = objects("/api/v1/namespaces/a%2Fsecrets/pods/x%3Fy");
        assert_eq!((odd.namespace.as_deref(), odd.name.as_deref()), (Some("a/secrets"), Some("x?y")));
        assert_eq!(Route::parse("/api/v1/pods/%ff"), None);
        assert_eq!(Route::parse("/"), None);
        assert_eq!(Route::parse("/apis/a/v1/b/c/d/e"), None);
    }
}
