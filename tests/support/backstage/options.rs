//! What a backend of the tests is told beyond `tests/backstage/app-config.yaml` and `examples/backstage`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Keys, example, part};

/// How a backend is started. The default has the policy's groups of `examples/backstage/policy-config.yaml`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    groups: BTreeMap<String, Vec<String>>,
    conditional: Vec<String>,
    keys: Option<&'static str>,
    more: Option<Value>,
    example_only: bool,
    entities: bool,
}

impl Options {
    /// What the policy allows a group (`group:default/team-a`): names, or patterns with `*`.
    #[must_use]
    pub(crate) fn group<S: Into<String>>(
        mut self,
        group: impl Into<String>,
        permissions: impl IntoIterator<Item = S>,
    ) -> Self {
        self.groups.insert(group.into(), permissions.into_iter().map(Into::into).collect());
        self
    }

    /// The policy answers CONDITIONAL for this permission; everything else it decides as before.
    #[must_use]
    pub(crate) fn conditional(mut self, permission: &str) -> Self {
        self.conditional.push(permission.to_owned());
        self
    }

    /// Keys of Backstage's own, in its database, in place of those that the tests hold: nothing can be minted.
    #[must_use]
    pub(crate) fn keys_of_its_own(mut self) -> Self {
        self.keys = Some("its own");
        self
    }

    /// The sources of actions are those of `examples/backstage/app-config.yaml`, without `other-plugin`.
    #[must_use]
    pub(crate) fn example_only(mut self) -> Self {
        self.example_only = true;
        self
    }

    /// It reads our entities, as `examples/backstage/entities.yaml` says.
    #[must_use]
    pub(crate) fn entities(mut self) -> Self {
        self.entities = true;
        self
    }

    /// More configuration of Backstage, over all else; a list in it replaces a list.
    #[must_use]
    pub(crate) fn config(mut self, more: Value) -> Self {
        self.more = Some(more);
        self
    }

    pub(super) fn is_conditional(&self) -> bool {
        !self.conditional.is_empty()
    }

    /// Writes what this backend alone has, and gives all of its files in their order.
    pub(super) fn write(
        &self,
        home: &Path,
        address: SocketAddr,
        base_url: &str,
        keys: &Keys,
    ) -> Vec<PathBuf> {
        let mut own = json!({
            "backend": {
                "baseUrl": base_url,
                "listen": {"host": address.ip().to_string(), "port": address.port()},
            },
            "platformMcp": {"policy": {"groups": self.groups}, "conditional": self.conditional},
        });
        if !self.example_only {
            let sources = ["auth", "catalog", "kubernetes", "other-plugin", super::PLUGIN];
            own["backend"]["actions"] = json!({"pluginSources": sources});
        }
        if self.keys.is_none() {
            let (user, plugin) = keys.write(home);
            own["backend"]["auth"] =
                json!({"pluginKeyStore": {"type": "static", "static": {"keys": [plugin]}}});
            own["auth"] = json!({"keyStore": {"provider": "static", "static": {"keys": [user]}}});
        }
        let mut files = vec![part("app-config.yaml"), example("app-config.yaml"), example("mcp-proxy.yaml")];
        if self.entities {
            files.push(example("entities.yaml"));
        }
        if self.groups.is_empty() {
            files.push(example("policy-config.yaml"));
        }
        let write = |name: &str, value: &Value| {
            let file = home.join(name);
            // what is JSON is YAML
            std::fs::write(&file, value.to_string()).expect("the folder takes a file");
            file
        };
        files.push(write("own.yaml", &own));
        files.extend(self.more.as_ref().map(|more| write("more.yaml", more)));
        files
    }
}
