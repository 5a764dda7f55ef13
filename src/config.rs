//! The configuration: one YAML file, every key optional. No file at all is a valid configuration.
//!
//! Reading ([`file`](mod@file)) knows nothing of what the keys mean; the types here and in the rooms below say it,
//! for the reader, for the JSON Schema and for people. [`Config::build`] is the one place where a
//! configuration becomes a running toolbox.

pub mod backstage;
mod build;
pub mod clusters;
pub mod entities;
mod expand;
mod file;
pub mod http;
mod impersonated;
pub mod issuers;
pub mod local;
mod node;
mod problem;
mod reader;
pub mod server;
pub mod spectrocloud;
pub mod traces;
pub mod watch;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

pub use build::{Before, BuildProblem, Built};
pub use problem::Problem;

use crate::{kubernetes::Identity, permission::Role};

/// The environment variable that names the file where `--config` does not.
pub const FILE_VARIABLE: &str = "PLATFORM_MCP_CONFIG";

/// Key material of fewer characters can be guessed.
const SHORTEST_SEAL_KEY: usize = 16;

/// Configuration of platform-mcp. Strings may hold `${VARIABLE}` and `${VARIABLE:-default}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(title = "platform-mcp configuration")]
pub struct Config {
    /// Where clusters come from. Sources add up.
    pub clusters: clusters::Sources,
    /// Palette environments: the block of the SpectroCloud plugins for Backstage can be pasted in.
    pub spectrocloud: spectrocloud::Spectrocloud,
    /// What is exported to a catalog as its entities, and as what.
    pub entities: entities::Entities,
    /// What the local user may do: whoever starts the process, or reaches it on a loopback address.
    pub local: local::Local,
    /// OIDC issuers whose tokens are taken. With one, every caller over HTTP needs a token.
    pub issuers: Vec<issuers::Issuer>,
    /// A Backstage whose MCP actions bridge lists and invokes our tools for its users.
    pub backstage: Option<backstage::Backstage>,
    /// Roles by name, beside or instead of the built-in `viewer`, `operator` and `admin`.
    pub roles: BTreeMap<String, Role>,
    /// Which tools are offered at all, before anyone's permissions.
    pub tools: server::Tools,
    /// What one call may take.
    pub limits: server::Limits,
    /// Where the audit log goes.
    pub audit: server::AuditLog,
    /// Secret that cursors and plans are sealed with; replicas share it. Random where absent.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub seal_key: Option<SecretString>,
    /// Streamable HTTP.
    pub http: http::Http,
    /// Prometheus metrics, while HTTP is served.
    pub metrics: server::Metrics,
    /// Spans for OpenTelemetry.
    pub traces: traces::Traces,
    /// The folder that relative paths in the file are meant from.
    #[serde(skip)]
    folder: PathBuf,
    /// How clusters that configure nothing else are told who calls: the door decides.
    #[serde(skip)]
    identity: Identity,
    /// Whether tools are shown that nothing is configured for.
    #[serde(skip)]
    whole_contract: bool,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| Problem::unreadable(path, &error))?;
        let variable = |name: &str| std::env::var(name).ok();
        let mut config: Self = file::parse(&text, &variable).map_err(|wrong| Problem::at(path, wrong))?;
        config.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        config.coherent().map_err(|wrong| Problem::at(path, wrong))?;
        Ok(config)
    }

    /// For callers over HTTP: clusters are told who calls.
    #[must_use]
    pub fn for_http(mut self) -> Self {
        self.identity = Identity::Impersonate;
        self
    }

    /// With every tool there is, to show the contract.
    #[must_use]
    pub fn for_contract(mut self) -> Self {
        self.whole_contract = true;
        self
    }

    /// The keys that differ from `before` and take effect at the next start only.
    pub fn needs_restart(&self, before: &Self) -> Vec<&'static str> {
        let key = |config: &Self| config.seal_key.as_ref().map(|key| key.expose_secret().to_owned());
        let plugin =
            |config: &Self| config.backstage.as_ref().map(|backstage| backstage.plugin_id().to_owned());
        let (http, limits) = (&self.http, &self.limits);
        let (old_http, old_limits) = (&before.http, &before.limits);
        [
            ("sealKey", key(self) != key(before)),
            ("audit.to", self.audit.to != before.audit.to),
            ("traces", self.traces.differs(&before.traces)),
            ("metrics.address", self.metrics.address != before.metrics.address),
            ("http.allowedHosts", http.allowed_hosts != old_http.allowed_hosts),
            ("the host of http.url", http.host() != old_http.host()),
            ("http.allowedOrigins", http.allowed_origins != old_http.allowed_origins),
            ("http.proxy", http.proxy != old_http.proxy),
            ("http.eventMesh", http.event_mesh != old_http.event_mesh),
            ("backstage.pluginId", plugin(self) != plugin(before)),
            ("http.tls", http.tls != old_http.tls),
            ("http.trustedProxies", http.trusted_proxies != old_http.trusted_proxies),
            ("limits.connections", limits.connections != old_limits.connections),
            ("limits.idleSeconds", limits.idle_seconds != old_limits.idle_seconds),
        ]
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
    }

    /// The JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .for_deserialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }

    /// What no type can say alone.
    fn coherent(&self) -> Result<(), problem::Wrong> {
        let clusters = self.clusters.coherent().and(self.clusters.has_catalog(self.backstage.is_some()));
        clusters.map_err(|wrong| wrong.below("clusters"))?;
        self.spectrocloud.coherent().map_err(|wrong| wrong.below("spectrocloud"))?;
        self.entities.coherent().map_err(|wrong| wrong.below("entities"))?;
        self.local.coherent().map_err(|wrong| wrong.below("local"))?;
        issuers::coherent(&self.issuers, self.http.url.as_deref()).map_err(|wrong| wrong.below("issuers"))?;
        if let Some(backstage) = &self.backstage {
            backstage.coherent().map_err(|wrong| wrong.below("backstage"))?;
        }
        self.tools.coherent().map_err(|wrong| wrong.below("tools"))?;
        self.limits.coherent().map_err(|wrong| wrong.below("limits"))?;
        self.traces.coherent().map_err(|wrong| wrong.below("traces"))?;
        self.http.coherent().map_err(|wrong| wrong.below("http"))?;
        match &self.seal_key {
            // an empty one, of a variable that is not set, would be everybody's
            Some(key) if key.expose_secret().len() < SHORTEST_SEAL_KEY => {
                let wrong = format!("must have at least {SHORTEST_SEAL_KEY} characters");
                Err(problem::Wrong::new(wrong).below("sealKey"))
            }
            _ => Ok(()),
        }
    }

    /// `path` as it is meant in the file.
    fn resolved(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        let variable = |name: &str| match name {
            "TOKEN" => Some("s3cr3t-s3cr3t-s3cr3t".to_owned()),
            "SHORT" => Some("s3cr3t".to_owned()),
            "SECONDS" => Some("30".to_owned()),
            _ => None,
        };
        let config: Config = file::parse(text, &variable).map_err(|wrong| wrong.to_string())?;
        config.coherent().map_err(|wrong| wrong.to_string())?;
        Ok(config)
    }

    #[test]
    fn nothing_is_a_configuration() {
        for text in ["", "# nothing\n", "{}", "clusters:\nroles:\ntools:\n  without:\n"] {
            assert_eq!(parse(text).expect(text).local.roles(), ["viewer"], "{text:?}");
        }
    }

    #[test]
    fn mistakes_are_named_with_line_path_and_what_was_meant() {
        for (text, said) in [
            ("clustres: {}", r#"line 1: clustres: there is no such key; did you mean "clusters"?"#),
            (
                "clusters:\n  kubeconfig:\n    pth: x\n",
                r#"line 3: clusters.kubeconfig.pth: there is no such key; did you mean "path"?"#,
            ),
            (
                "clusters:\n  static:\n    - name: a\n      url: https://a\n    - name: b\n      uri: x\n",
                r#"line 6: clusters.static[1].uri: there is no such key; did you mean "url"?"#,
            ),
            ("zzzzz: 1", "known keys: clusters, spectrocloud, entities, local,"),
            (
                "roles:\n  dev:\n    alow: [x]\n",
                r#"line 3: roles.dev.alow: there is no such key; did you mean "allow"?"#,
            ),
            ("tools:\n  readOnly: yess\n", "line 2: tools.readOnly: must be true or false, and is a string"),
            ("tools: [a]", "line 1: tools: must be a map, and is a list"),
            (
                "clusters:\n  static:\n    - name: a\n",
                r#"line 3: clusters.static[0]: the key "url" is missing"#,
            ),
            ("limits: {callSeconds: -1}", "limits.callSeconds: must be a whole number"),
            ("limits: {callSeconds: 0}", "limits.callSeconds: must be from 1 to"),
            ("tools: {without: [kubernets]}", r#"did you mean "kubernetes"?"#),
            ("local: {role: a, roles: [b]}", "local: role and roles are both given"),
            (
                "clusters: {static: [{name: a, url: 'https://a'}, {name: a, url: 'https://b'}]}",
                "clusters.static[1].name: another entry",
            ),
            ("local: {within: {clusters: dev}}", "local.within.clusters: must be a list, and is a string"),
            (
                "issuers:\n  - url: https://a\n    rules:\n      - when: {level: 3}\n",
                "line 4: issuers[0].rules[0].when.level: must be a string or a list of strings, and is a number (quote",
            ),
            (
                "issuers: [{url: 'https://a', rules: [{when: {groups: [[a]]}}]}]",
                "rules[0].when.groups[0]: must be",
            ),
            ("http: {url: 'http://mcp.example.com/mcp'}", "http.url: must be the https:// URL"),
            ("http: {tls: {certFile: a}}", r#"http.tls: the key "keyFile" is missing"#),
            ("http: {proxy: {base: a/b}}", "http.proxy.base: must be one segment"),
            ("http: {proxy: {base: ''}}", "http.proxy.base: must be one segment"),
            ("http: {proxy: {base: ..}}", "http.proxy.base: must be one segment"),
            ("http: {proxy: {}}", r#"http.proxy: the key "base" is missing"#),
            ("http: {eventMesh: {}}", r#"http.eventMesh: the key "cluster" is missing"#),
            ("http: {eventMesh: {cluster: ' '}}", "http.eventMesh.cluster: must be the name of one cluster"),
            (
                "http: {eventMesh: {cluster: 'dev-*'}}",
                "http.eventMesh.cluster: must be the name of one cluster",
            ),
            ("entities: {owner: 'a b'}", "entities.owner: must be an entity"),
            ("entities: {types: {cluster: 'a b'}}", "entities.types.cluster: must be a word"),
            ("entities: {types: {clusters: a}}", r#"did you mean "cluster"?"#),
            ("entities: {reader: {}}", r#"entities.reader: the key "tokenFile" is missing"#),
            ("http: {eventMesh: dev}", "http.eventMesh: must be a map, and is a string"),
            ("http: {trustedProxies: [proxy]}", "http.trustedProxies[0]: must be an address or a network"),
            ("http: {trustedProxies: [10.0.0.1, '::/0']}", "http.trustedProxies[1]: names everybody"),
            ("limits: {burst: 0}", "limits.burst: must be from 1 to"),
            ("limits: {connections: 1000000}", "limits.connections: must be from 1 to"),
            (
                "clusters: {backstage: {hosts: ['*']}}",
                "clusters.backstage.url: is missing, and there is no `backstage` block whose url it could be",
            ),
            ("metrics: {address: nine}", "metrics.address: invalid socket address"),
            ("a: b: c", "line 1"),
            ("local: {}\nlocal: {}", "local"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn secrets_are_in_no_debug_and_no_error() {
        let text =
            "sealKey: ${TOKEN}\nclusters:\n  static:\n    - {name: a, url: 'https://a', token: '${TOKEN}'}";
        let config = parse(text).expect("valid");
        assert!(!format!("{config:?}").contains("s3cr3t"));
        for wrong in [
            "sealKey: ${SHORT}",
            "sealKey: [s3cr3t]",
            "sealKey: {s3cr3t: 1}",
            "sealKey: 1234567",
            "sealKey: 's3cr3t\n",
        ] {
            let error = parse(wrong).expect_err(wrong);
            assert!(!error.contains("s3cr3t") && !error.contains("1234567"), "{error}");
        }
    }

    #[test]
    fn a_variable_may_stand_for_a_number() {
        let limits = |text: &str| parse(text).map(|config| config.limits.call_seconds);
        assert_eq!(limits("limits: {callSeconds: '${SECONDS}'}"), Ok(Some(30)));
        assert_eq!(limits("limits: {callSeconds: '${NONE:-5}'}"), Ok(Some(5)));
        assert!(limits("limits: {callSeconds: '30'}").is_err(), "a string is one where no variable is");
        let ratio = parse("traces: {otlp: 'http://a', sampleRatio: '${NONE:-0.5}'}");
        assert_eq!(ratio.map(|config| config.traces.sample_ratio), Ok(Some(0.5)));
        let unset = limits("limits: {callSeconds: '${NONE}'}").expect_err("unset");
        assert_eq!(
            unset.split(" (").next(),
            Some("line 1: limits.callSeconds: the environment variable NONE is not set")
        );
    }

    #[test]
    fn the_example_is_valid_and_the_readme_shows_it() {
        let example = include_str!("../examples/platform-mcp.yaml");
        let config = parse(example).expect("valid");
        config.caller().expect("its roles make sense");
        assert!(include_str!("../README.md").contains(&format!("```yaml\n{example}```")));
        let tree: serde_json::Value = serde_saphyr::from_str(example).expect("YAML");
        let schema = Config::schema().to_value();
        fits(&tree, &schema, &schema, "");
    }

    /// As much of JSON Schema as our schema uses.
    fn fits(value: &serde_json::Value, schema: &serde_json::Value, root: &serde_json::Value, at: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
            return fits(value, target, root, at);
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let listed = any.iter().find(|one| value.is_array() && one["type"] == "array");
            return fits(value, listed.unwrap_or(&any[0]), root, at);
        }
        if let Some(words) = schema["oneOf"].as_array() {
            return assert!(words.iter().any(|word| word["const"] == *value), "{at}: {words:?}");
        }
        let types = schema["type"].to_string();
        match value {
            serde_json::Value::Object(members) => {
                for (key, member) in members {
                    let known = schema["properties"]
                        .get(key)
                        .or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object()));
                    fits(member, known.unwrap_or_else(|| panic!("{at}.{key}")), root, &format!("{at}.{key}"));
                }
            }
            serde_json::Value::Array(items) => {
                items.iter().for_each(|item| fits(item, &schema["items"], root, at));
            }
            serde_json::Value::String(_) => assert!(types.contains("string"), "{at}: {types}"),
            serde_json::Value::Bool(_) => assert!(types.contains("boolean"), "{at}: {types}"),
            serde_json::Value::Number(_) => {
                assert!(types.contains("integer") || types.contains("number"), "{at}: {types}");
            }
            serde_json::Value::Null => {}
        }
    }

    #[test]
    fn the_schema_is_closed_and_speaks() {
        let schema = Config::schema().to_value();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["sealKey"]["writeOnly"], true);
        for (key, property) in schema["properties"].as_object().expect("properties") {
            assert!(property["description"].is_string(), "{key} has no description");
        }
    }
}
