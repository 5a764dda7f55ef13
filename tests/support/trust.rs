//! What the shared API server and the server under test are told of the people of `people.rs`.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::forge::AUDIENCE;
use super::people::people;

/// What the API server puts in front of the names and groups of the OIDC provider; the server under test must
/// be configured to say the same.
pub(crate) const PREFIX: &str = "oidc:";

/// The extras that the server under test may pass on.
pub(crate) const EXTRAS: [&str; 4] = ["email", "issuer", "jti", "platform-mcp.test/jti"];

/// The narrow rights of the server's own user `platform-mcp`: to impersonate these people, with these groups,
/// and nobody else.
pub(crate) fn impersonator() -> String {
    let people = people();
    let users: Vec<String> = people.iter().map(|person| format!("{PREFIX}{}", person.name)).collect();
    let uids: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
    let groups: BTreeSet<&str> =
        people.iter().flat_map(|person| &person.groups).map(String::as_str).collect();
    // A group that the token claims and nobody may have is what a test wants refused.
    let groups: Vec<String> = groups
        .into_iter()
        .filter(|group| !group.starts_with("system:"))
        .map(|group| format!("{PREFIX}{group}"))
        .collect();
    let extras: Vec<String> = EXTRAS.iter().map(|name| format!("userextras/{name}")).collect();
    let (rbac, role) = ("rbac.authorization.k8s.io", "platform-mcp-impersonator");
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": role}, "rules": [
            {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": users},
            {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"], "resourceNames": groups},
            {"apiGroups": ["authentication.k8s.io"], "resources": ["uids"], "verbs": ["impersonate"],
             "resourceNames": uids},
            {"apiGroups": ["authentication.k8s.io"], "resources": extras, "verbs": ["impersonate"]},
        ]},
        {"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": role},
         "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
         "subjects": [{"apiGroup": rbac, "kind": "User", "name": "platform-mcp"}]},
    ]})
    .to_string()
}

/// An entry of `issuers` in the configuration of the server under test: flow style, so that it fits
/// anywhere in YAML.
pub(crate) fn entry(issuer: &str, ca_file: &Path, rules: &str) -> String {
    let (issuer, ca_file) = (json!(issuer), json!(ca_file));
    format!(
        "{{url: {issuer}, audiences: [\"{AUDIENCE}\"], caFile: {ca_file}, username: {{prefix: \"{PREFIX}\"}}, \
         groups: {{prefix: \"{PREFIX}\"}}, rules: {rules}}}"
    )
}

/// The question whose token this is.
pub(crate) fn review(token: &str) -> String {
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}})
        .to_string()
}
