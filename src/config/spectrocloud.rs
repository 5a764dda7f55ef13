//! `spectrocloud`: Palette environments, with the keys of the SpectroCloud plugins for Backstage, so that their block
//! can be pasted in.

mod catalog_provider;
mod cluster_provider;
mod environment;
mod ineffective;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

pub use self::{
    catalog_provider::CatalogProvider,
    cluster_provider::{AuthType, ClusterProvider, Rbac, Rule},
    environment::Environment,
    ineffective::Ineffective,
};
use super::problem::Wrong;
use crate::{
    catalog::settings::Provider as Exported,
    kubernetes::{registry::ClusterSource, rights},
    palette::{Environments, Settings, presented::slug, provider::Provider},
};

/// What keys of annotations begin with where nothing is configured: the plugins' own.
const PREFIX: &str = "terasky.backstage.io";

/// Palette environments.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Spectrocloud {
    /// Whether there are any; otherwise true.
    pub enabled: Option<bool>,
    /// The environments, each a tenant.
    pub environments: Vec<Environment>,
    /// What keys of annotations of exported entities begin with; otherwise `terasky.backstage.io`.
    pub annotation_prefix: Option<String>,
    /// Of the plugins; permissions are always enforced here.
    pub enable_permissions: Option<bool>,
}

impl Spectrocloud {
    /// Only the sample tenant, which listens there.
    pub fn sample(url: String, key: SecretString) -> Self {
        let environment = Environment {
            name: Some("demo".to_owned()),
            url,
            api_token: Some(key),
            ..Environment::default()
        };
        Self { environments: vec![environment], ..Self::default() }
    }

    /// Whether Palette is spoken of at all.
    pub fn is_off(&self) -> bool {
        self.enabled == Some(false) || self.environments.is_empty()
    }

    /// What keys of annotations begin with.
    pub(super) fn prefix(&self) -> &str {
        self.annotation_prefix.as_deref().unwrap_or(PREFIX)
    }

    /// What is exported of each, by name.
    pub(super) fn exported(&self) -> BTreeMap<String, Exported> {
        let on = self.environments.iter().filter(|_| !self.is_off());
        on.filter_map(|environment| Some((environment.name(), environment.exported()?))).collect()
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        if !rights::is_name(self.prefix()) {
            let what = "must be a domain name, as terasky.backstage.io: what stands before the / of a key";
            return Err(Wrong::new(what).below("annotationPrefix"));
        }
        for (index, environment) in self.environments.iter().enumerate() {
            let here = |wrong: Wrong| wrong.in_item(index).below("environments");
            environment.coherent().map_err(here)?;
            let name = environment.name();
            let before = self.environments.iter().take(index);
            if before.clone().any(|other| other.name() == name) {
                return Err(here(Wrong::new("another environment has the same name").below("name")));
            }
            let takes_header = |other: &Environment| other.api_token.is_none();
            let same_header = |other: &Environment| slug(&other.name()) == slug(&name);
            if takes_header(environment)
                && before.clone().any(|other| takes_header(other) && same_header(other))
            {
                let what =
                    "callers would send their token for it in the same header as for another environment";
                return Err(here(Wrong::new(what).below("name")));
            }
        }
        Ok(())
    }

    /// What is configured of each. `resolved` says what a path means.
    pub(super) fn environments(&self, resolved: impl Fn(&Path) -> PathBuf) -> Vec<Settings> {
        if self.is_off() {
            return Vec::new();
        }
        self.environments.iter().filter_map(|one| one.settings(&resolved)).collect()
    }

    /// The environments whose clusters are clusters of this server.
    pub fn providers<'s>(&'s self, known: &'s Environments) -> impl Iterator<Item = Provider> + 's {
        let on = self.environments.iter().filter(|_| !self.is_off());
        on.filter_map(|one| {
            let settings = one.provided()?;
            Some(Provider::new(Arc::clone(known.named(&one.name())?), settings))
        })
    }

    /// The same, for a registry.
    pub(super) fn sources(&self, known: &Environments) -> Vec<Arc<dyn ClusterSource>> {
        self.providers(known).map(|provider| Arc::new(provider) as Arc<dyn ClusterSource>).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Spectrocloud, String> {
        let read: Spectrocloud = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
        read.coherent().map_err(|wrong| wrong.to_string())?;
        Ok(read)
    }

    fn settings(yaml: &str) -> Vec<Settings> {
        read(yaml).expect(yaml).environments(|path| Path::new("/etc").join(path))
    }

    #[test]
    fn the_block_of_the_backstage_plugins_can_be_pasted_in() {
        let pasted = "
enabled: true
annotationPrefix: example.com
enablePermissions: false
environments:
  - name: production
    url: https://api.spectrocloud.com/
    tenant: acme
    apiToken: planted-key-1
    catalogProvider:
      enabled: true
      refreshIntervalSeconds: 600
      includeProjects: [a]
      resources: {clusters: true, clusterGroups: false}
    clusterProvider:
      enabled: true
      authType: oidc
      oidcAuthProviderName: spectrocloud
      includeProjects:
      excludeProjects: [sandbox]
      excludeTenantScopedClusters: false
      skipMetricsLookup: true
      refreshIntervalSeconds: 300
      clusterTimeoutSeconds: 30
      rbac: {namespace: x, clusterRoleRules: [{apiGroups: ['*'], resources: ['*'], verbs: [get]}]}
  - url: https://palette.example
    tenant: lab
    catalogProvider:
";
        let settings = settings(pasted);
        let names: Vec<_> = settings.iter().map(|one| (one.name.as_str(), one.is_by_callers())).collect();
        assert_eq!(names, [("production", false), ("palette.example", true)]);
        assert!(!format!("{settings:?}").contains("planted"));
        let read_in = read(pasted).expect("valid");
        let providers = read_in.exported();
        let shown = |name: &str| {
            let provider = providers.get(name).expect("exported");
            (provider.instance.clone(), provider.owner.clone(), provider.classes.len())
        };
        assert_eq!(read_in.prefix(), "example.com");
        let owner = "group:default/spectrocloud-auto-ingested".to_owned();
        assert_eq!(shown("production"), (Some("production".to_owned()), owner.clone(), 4));
        assert_eq!(shown("palette.example"), (None, owner, 5));
        let told: Vec<String> = read(pasted).expect("valid").ineffective().map(|one| one.key).collect();
        assert_eq!(
            told,
            [
                "enablePermissions",
                "environments[0].catalogProvider.refreshIntervalSeconds",
                "environments[0].clusterProvider.skipMetricsLookup",
            ]
        );
    }

    #[test]
    fn what_is_ours_is_read_and_what_is_switched_off_is_not_there() {
        let one = "{url: 'https://a.example', apiToken: k, caFile: ca.pem, adminKubeconfig: true}";
        let on = settings(&format!("environments: [{one}]"));
        assert_eq!(on.first().map(|one| one.admin_kubeconfig), Some(true));
        assert_eq!(on.first().and_then(|one| one.ca_file.clone()), Some("/etc/ca.pem".into()));
        let off = read(&format!("enabled: false\nenvironments: [{one}]")).expect("valid");
        assert!(off.is_off() && off.environments(Path::to_path_buf).is_empty());
        assert!(read("enabled: true").expect("valid").is_off());
        assert_eq!(off.ineffective().count(), 0);
    }

    #[test]
    fn mistakes_are_named() {
        let url = "url: 'https://a.example'";
        for (yaml, said) in [
            ("{name: a}".to_owned(), "url"),
            ("{url: a}".to_owned(), "environments[0].url: must be a URL"),
            ("{url: 'http://a.example'}".to_owned(), "environments[0].url: must begin with https://"),
            ("{url: 'https://u:p@a.example'}".to_owned(), "must hold no credentials"),
            ("{url: 'https://a.example/v1'}".to_owned(), "without /v1"),
            ("{url: 'https://a.example/?x'}".to_owned(), "must have no query"),
            (format!("{{name: 'a/b', {url}}}"), "environments[0].name: must hold no /"),
            (format!("{{name: '*', {url}}}"), "environments[0].name: must be a name"),
            (format!("{{name: ' ', {url}}}"), "environments[0].name: must be a name"),
            (format!("{{{url}, apiToken: ' '}}"), "environments[0].apiToken: is empty"),
            (format!("{{{url}, apiToken: \"plan\\nted\"}}"), "environments[0].apiToken: the token holds"),
            (format!("{{name: a, {url}}}, {{name: a, {url}}}"), "environments[1].name: another environment"),
            (format!("{{{url}}}, {{{url}}}"), "environments[1].name: another environment"),
            (
                format!("{{name: A b, {url}}}, {{name: a-b, {url}}}"),
                "environments[1].name: callers would send",
            ),
            (format!("{{{url}, apitoken: x}}"), "apitoken"),
            (
                format!("{{{url}, clusterProvider: {{authType: oidc}}}}"),
                "clusterProvider: needs the environment's",
            ),
            (
                format!("{{name: static, {url}, apiToken: k, clusterProvider: {{}}}}"),
                "environments[0].name: is the name of a source",
            ),
            (
                format!("{{{url}, catalogProvider: {{defaultOwner: 'a b'}}}}"),
                "environments[0].catalogProvider.defaultOwner: must be",
            ),
            (format!("{{{url}, catalogProvider: {{resources: {{cluster: true}}}}}}"), "cluster"),
        ] {
            let wrong = read(&format!("environments: [{yaml}]")).expect_err(&yaml);
            assert!(wrong.contains(said) && !wrong.contains("plan"), "{yaml}: {wrong}");
        }
        let provider = "environments[0].clusterProvider.";
        for (yaml, said) in [
            ("{authType: token}", "authType"),
            ("{refreshIntervalSeconds: 0}", "refreshIntervalSeconds: must be from"),
            ("{clusterTimeoutSeconds: 301}", "clusterTimeoutSeconds: must be from"),
            ("{identity: own}", "identity: must be caller-header or exchange"),
            ("{identity: exchange}", "clientIds: identity: exchange needs"),
            ("{clientIds: ['']}", "clientIds: must be names"),
            ("{issuerUrl: 'https://id.example'}", "clientId: issuerUrl needs it"),
            ("{clientId: a}", "issuerUrl: clientId needs it"),
            ("{issuerUrl: 'http://id.example', clientId: a}", "issuerUrl: must be an https:// URL"),
            ("{oidcAuthProviderName: 'a b'}", "provider: must be"),
            ("{hosts: ['https://a']}", "hosts: must be names"),
            ("{rbac: {namespace: Abc}}", "rbac.namespace: must be a name"),
            ("{rbac: {tokenSeconds: 60}}", "rbac.tokenSeconds: must be from 600"),
            ("{rbac: {tokenSeconds: 600, staticToken: true}}", "rbac.tokenSeconds: a static token"),
            ("{rbac: {identity: exchange}}", "rbac.identity: must be own or impersonate"),
            ("{rbac: {clusterRoleRules: []}}", "rbac.clusterRoleRules: is empty"),
            ("{rbac: {clusterRoleRules: [{verbs: [get]}]}}", "rbac.clusterRoleRules[0]: needs"),
        ] {
            let wrong = read(&format!("environments: [{{{url}, apiToken: k, clusterProvider: {yaml}}}]"));
            let wrong = wrong.expect_err(yaml);
            assert!(
                wrong.contains(said) && (wrong.contains(provider) || said == "authType"),
                "{yaml}: {wrong}"
            );
        }
        for fine in [
            "{enabled: false, identity: own}",
            "{}",
            "{identity: exchange, clientIds: ['palette-*']}",
            "{issuerUrl: 'https://id.example', clientId: a, clientIds: ['a']}",
            "{rbac: {identity: impersonate, staticToken: true}, projectAuthTypes: {a: oidc}}",
        ] {
            let fine = format!("environments: [{{{url}, apiToken: k, clusterProvider: {fine}}}]");
            assert!(read(&fine).is_ok(), "{fine}");
        }
        let with_keys = format!("{{name: A b, {url}, apiToken: k}}, {{name: a-b, {url}, apiToken: k}}");
        assert!(read(&format!("environments: [{with_keys}]")).is_ok(), "no header, no matter");
    }
}
