//! The objects, as they are wanted.

use serde_json::{Value, json};

use super::{super::kind::Kind, OURS, Rights, Rule};

/// One of the objects.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    /// Of namespaced kinds.
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    /// The members beside `apiVersion`, `kind` and `metadata`.
    pub(super) members: Value,
    pub(super) annotations: Value,
}

impl Piece {
    /// `ClusterRole backstage-read-only`
    pub(super) fn called(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind.kind, self.name),
            None => format!("{} {}", self.kind.kind, self.name),
        }
    }

    /// For server-side apply.
    pub(super) fn manifest(&self) -> Value {
        let mut manifest = self.members.clone();
        let mut metadata = json!({"name": self.name, "labels": {OURS.0: OURS.1}});
        if let (Some(metadata), Some(namespace)) = (metadata.as_object_mut(), &self.namespace) {
            metadata.insert("namespace".to_owned(), namespace.as_str().into());
        }
        if let (Some(metadata), true) = (metadata.as_object_mut(), self.annotations.is_object()) {
            metadata.insert("annotations".to_owned(), self.annotations.clone());
        }
        if let Some(members) = manifest.as_object_mut() {
            members.insert("apiVersion".to_owned(), self.kind.api_version().into());
            members.insert("kind".to_owned(), self.kind.kind.as_str().into());
            members.insert("metadata".to_owned(), metadata);
        }
        manifest
    }
}

/// The namespace.
pub(super) fn namespace(rights: &Rights) -> Piece {
    piece(kind("", "Namespace", "namespaces", false), None, &rights.namespace, json!({}))
}

/// The service account.
pub(super) fn account(rights: &Rights) -> Piece {
    let kind = kind("", "ServiceAccount", "serviceaccounts", true);
    piece(kind, Some(&rights.namespace), &rights.account, json!({}))
}

/// The secret that the cluster puts a lasting token into.
pub(super) fn secret(rights: &Rights) -> Piece {
    let kind = kind("", "Secret", "secrets", true);
    let secret = json!({"type": "kubernetes.io/service-account-token"});
    let annotations = json!({"kubernetes.io/service-account.name": rights.account});
    Piece { annotations, ..piece(kind, Some(&rights.namespace), &rights.secret, secret) }
}

/// The cluster role.
pub(super) fn role(rights: &Rights, rules: &[Rule]) -> Piece {
    let kind = kind(RBAC, "ClusterRole", "clusterroles", false);
    piece(kind, None, &rights.role, json!({"rules": rules}))
}

/// What binds the role to the account.
pub(super) fn binding(rights: &Rights) -> Piece {
    let kind = kind(RBAC, "ClusterRoleBinding", "clusterrolebindings", false);
    let binding = json!({
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": rights.role},
        "subjects": [{"kind": "ServiceAccount", "name": rights.account, "namespace": rights.namespace}],
    });
    piece(kind, None, &rights.binding, binding)
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn piece(kind: Kind, namespace: Option<&str>, name: &str, members: Value) -> Piece {
    Piece {
        kind,
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        members,
        annotations: Value::Null,
    }
}

/// A kind that every cluster serves so.
pub(super) fn kind(group: &str, kind: &str, plural: &str, namespaced: bool) -> Kind {
    Kind {
        group: group.to_owned(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: String::new(),
        short_names: Vec::new(),
        namespaced,
        listable: true,
    }
}
