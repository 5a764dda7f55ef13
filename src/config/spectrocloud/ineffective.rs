//! [`Ineffective`]: what a pasted block says and this server does not do.

use super::Spectrocloud;

/// A key without effect here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ineffective {
    /// Below `spectrocloud`.
    pub key: String,
    /// What is done instead.
    pub why: &'static str,
}

impl Spectrocloud {
    /// What of it has no effect, for who pasted it in.
    pub fn ineffective(&self) -> impl Iterator<Item = Ineffective> {
        let on = !self.is_off();
        let permissions = (self.enable_permissions == Some(false)).then_some((
            "enablePermissions".to_owned(),
            "it is not followed: permissions are always enforced",
        ));
        let providers = self.environments.iter().enumerate().flat_map(|(index, environment)| {
            let key = move |name: &str| format!("environments[{index}].{name}");
            let interval = environment.catalog_provider.as_ref();
            let interval = interval.and_then(|provider| provider.refresh_interval_seconds).map(|_| {
                (
                    key("catalogProvider.refreshIntervalSeconds"),
                    "entities are read when a catalog asks for them (`catalog.processingInterval` of Backstage)",
                )
            });
            let clusters = environment.cluster_provider.iter().filter(|provider| provider.is_on());
            let clusters = clusters.flat_map(move |provider| {
                let here = format!("{}.", key("clusterProvider"));
                let metrics = provider.skip_metrics_lookup.is_some().then(|| {
                    (format!("{here}skipMetricsLookup"), "it is for Backstage's frontend, which asks for metrics")
                });
                let secret = provider.rbac.as_ref().is_some_and(|rbac| rbac.secret_name.is_some() && !rbac.static_token);
                let secret = secret.then(|| {
                    (
                        format!("{here}rbac.secretName"),
                        "short-lived tokens are used, which need no secret; staticToken: true asks for one that does",
                    )
                });
                metrics.into_iter().chain(secret)
            });
            interval.into_iter().chain(clusters)
        });
        permissions
            .into_iter()
            .chain(providers)
            .filter(move |_| on)
            .map(|(key, why)| Ineffective { key, why })
    }
}
