//! A printed manifest in use: applied to an account that has nothing else, and what became of it.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use crate::{audit::AuditLine, control_plane::ControlPlane, server::Product};

/// Verb, group and resource.
pub(super) type Right = (String, String, String);

/// The rights of an account of its own. Dropping it takes them back, since they reach beyond its namespace.
pub(super) struct Applied {
    plane: &'static ControlPlane,
    manifest: String,
    namespace: String,
    name: String,
}

impl Applied {
    /// Applies what was printed for the account of that name.
    #[track_caller]
    pub(super) fn on(plane: &'static ControlPlane, manifest: String, namespace: &str, name: &str) -> Self {
        plane.apply(&manifest);
        let applied = Self { plane, manifest, namespace: namespace.to_owned(), name: name.to_owned() };
        let rule = &applied.role()["rules"][0];
        let text = |value: &Value| value[0].as_str().unwrap_or_default().to_owned();
        let (verb, group, resource) =
            (text(&rule["verbs"]), text(&rule["apiGroups"]), text(&rule["resources"]));
        let what = match (group.as_str(), text(&rule["resourceNames"]).as_str()) {
            ("", "") => resource,
            (group, "") => format!("{resource}.{group}"),
            (_, only) => format!("{resource}/{only}"),
        };
        // the API server's authorizer hears of new rights a moment after they are there
        let asked = ["auth", "can-i", &verb, &what, "--as", &applied.user()];
        plane.wait_for("the rights", Duration::from_secs(30), || plane.try_kubectl(&asked).ok());
        applied
    }

    /// Who it is in the audit log.
    pub(super) fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    /// A token of the account.
    pub(super) fn token(&self) -> String {
        let token = ["create", "token", &self.name, "-n", &self.namespace, "--duration=1h"];
        self.plane.kubectl(&token).trim().to_owned()
    }

    pub(super) fn documents(&self) -> Vec<Value> {
        documents(&self.manifest)
    }

    fn role(&self) -> Value {
        self.documents().into_iter().find(|document| document["kind"] == "ClusterRole").unwrap()
    }

    /// Every right that its role gives.
    pub(super) fn granted(&self) -> BTreeSet<Right> {
        let role = self.role();
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let mut granted = BTreeSet::new();
        for rule in role["rules"].as_array().unwrap() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    granted.extend(
                        texts(&rule["verbs"]).into_iter().map(|verb| (verb, group.clone(), resource.clone())),
                    );
                }
            }
        }
        granted
    }

    /// Its requests of these lines.
    pub(super) fn theirs<'l>(&self, lines: &'l [AuditLine]) -> Vec<&'l AuditLine> {
        lines.iter().filter(|line| line.user == self.user()).collect()
    }
}

impl Drop for Applied {
    fn drop(&mut self) {
        for document in self.documents() {
            let (kind, name) =
                (document["kind"].as_str().unwrap(), document["metadata"]["name"].as_str().unwrap());
            if kind.starts_with("ClusterRole") {
                let _ = self.plane.try_kubectl(&["delete", kind, name, "--ignore-not-found"]);
            }
        }
    }
}

/// The objects of a manifest.
pub(super) fn documents(manifest: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(manifest).expect("a manifest is YAML")
}

/// What a request asks for; `None` where it is about no resource.
pub(super) fn asked(line: &AuditLine) -> Option<Right> {
    let path = line.uri.split('?').next().unwrap_or_default();
    let mut parts = path.split('/').skip(1);
    let group = match parts.next()? {
        "api" => "",
        "apis" => parts.next()?,
        _ => return None,
    };
    let _version = parts.next()?;
    let mut resource = parts.next()?;
    if resource == "namespaces" {
        let _namespace = parts.next();
        resource = parts.next().unwrap_or(resource);
    }
    Some((line.verb.clone(), group.to_owned(), resource.to_owned()))
}

/// What `platform-mcp rbac …` prints with this configuration, and says beside it.
#[track_caller]
pub(super) fn printed(config: &str, arguments: &[&str]) -> (String, String) {
    let output = Product::new([&["rbac"], arguments].concat()).config(config).output();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{arguments:?}: {err}{out}");
    (out, err)
}
