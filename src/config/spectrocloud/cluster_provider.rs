//! `clusterProvider`: the clusters of an environment as clusters of this server, with the keys of the plugins'
//! Kubernetes module.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{clusters::shown, problem::Wrong};
use crate::{
    kubernetes::{
        Identity, Trust,
        service_account::{Rights, Rule as Granted, Token},
        sources::Shown,
    },
    palette::{
        api::oidc::OidcSpec,
        kubeconfig::Login,
        provider::{Account, Filter, Mode, Settings},
    },
};

/// Seconds from one reading to the next, where nothing is configured; and at most.
const REFRESH: u32 = 600;
const LONGEST: u32 = 86_400;
/// Seconds for one cluster.
const PATIENCE: u32 = 15;
const LONGEST_PATIENCE: u32 = 300;
/// Seconds that a token lives: an API server gives none for less than 10 minutes.
const LIFE: u32 = 3_600;
const SHORTEST_LIFE: u32 = 600;

/// How clusters are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuthType {
    /// With a token of a service account of this server's own in each cluster.
    ServiceAccount,
    /// With callers' own tokens.
    Oidc,
}

/// The clusters of an environment as clusters of this server: `environment/project/cluster`, or the cluster's name
/// alone where no other is called so.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ClusterProvider {
    /// Whether clusters are taken from the environment; otherwise true.
    pub enabled: Option<bool>,
    /// How they are reached; otherwise `serviceAccount`.
    pub auth_type: Option<AuthType>,
    /// The same for single projects, by their names.
    pub project_auth_types: BTreeMap<String, AuthType>,
    /// With `oidc`: the end of the header that callers send their token in is `oidc-` and this; otherwise
    /// `spectrocloud`.
    pub oidc_auth_provider_name: Option<String>,
    /// Only clusters of these projects, by name, and those of no project.
    pub include_projects: Option<Vec<String>>,
    /// No clusters of these projects, whatever includeProjects says.
    pub exclude_projects: Option<Vec<String>>,
    /// Whether clusters of no project are left out.
    pub exclude_tenant_scoped_clusters: Option<bool>,
    /// Of Backstage's frontend; has no effect here.
    pub skip_metrics_lookup: Option<bool>,
    /// Seconds from one reading of the environment to the next; otherwise 600. After a failure sooner.
    #[schemars(range(min = 1, max = LONGEST))]
    pub refresh_interval_seconds: Option<u32>,
    /// Seconds to find the way to one cluster; otherwise 15.
    #[schemars(range(min = 1, max = LONGEST_PATIENCE))]
    pub cluster_timeout_seconds: Option<u32>,
    /// The service account in each cluster.
    pub rbac: Option<Rbac>,
    /// With `oidc`: `caller-header` (callers send their token for the cluster in a header) or `exchange`; otherwise
    /// `caller-header`.
    pub identity: Option<Identity>,
    /// With `oidc`: the clients that clusters may have by their OIDC settings in Palette, and so the audiences that
    /// callers' tokens are shown or exchanged for; `*` stands for any characters. With `exchange` at least one.
    pub client_ids: Vec<String>,
    /// With `oidc`: the issuer of the clusters whose settings Palette does not tell; otherwise those are not shown
    /// any token.
    pub issuer_url: Option<String>,
    /// The client of these clusters.
    pub client_id: Option<String>,
    /// Hosts that API servers may have, as `*.k8s.example.com`; otherwise whatever Palette says.
    pub hosts: Vec<String>,
    /// Whether the service account is made in each cluster that is found, and kept as it is configured; otherwise
    /// `platform-mcp palette onboard` does that.
    pub manage: bool,
    /// Whether Palette's reverse proxy is the way to clusters that have it; otherwise true.
    pub frp: Option<bool>,
}

/// The service account of this server in each cluster.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Rbac {
    /// Otherwise `backstage-system`.
    pub namespace: Option<String>,
    /// Otherwise `backstage-sa`.
    pub service_account_name: Option<String>,
    /// With staticToken; otherwise `backstage-sa-token`.
    pub secret_name: Option<String>,
    /// Otherwise `backstage-read-only`.
    pub cluster_role_name: Option<String>,
    /// Otherwise `backstage-read-only-binding`.
    pub cluster_role_binding_name: Option<String>,
    /// What the account may do; otherwise read what the cluster serves, and no Secrets.
    pub cluster_role_rules: Option<Vec<Rule>>,
    /// Whether a token is used that does not end, out of a Secret.
    pub static_token: bool,
    /// Seconds that other tokens live, which are renewed before; otherwise 3600.
    #[schemars(range(min = SHORTEST_LIFE, max = LONGEST))]
    pub token_seconds: Option<u32>,
    /// How the clusters are shown who calls: `own`, or `impersonate` where the rules allow that. Otherwise `own`.
    pub identity: Option<Identity>,
}

/// A rule of a ClusterRole.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Rule {
    /// `''` or `core` is the core group.
    pub api_groups: Vec<String>,
    /// In the plural.
    pub resources: Vec<String>,
    /// `get`, `list`, `watch`, …
    pub verbs: Vec<String>,
}

impl ClusterProvider {
    /// Whether clusters are taken from the environment.
    pub fn is_on(&self) -> bool {
        self.enabled != Some(false)
    }

    fn oidc(&self) -> Shown {
        let identity = self.identity.unwrap_or(Identity::CallerHeader);
        let name = self.oidc_auth_provider_name.as_deref().unwrap_or("spectrocloud");
        let provider = (identity == Identity::CallerHeader).then(|| format!("oidc-{name}"));
        shown::of(Some(identity), None, provider.as_ref())
    }

    fn own(&self) -> Shown {
        let identity = self.rbac.as_ref().and_then(|rbac| rbac.identity).unwrap_or(Identity::Own);
        Shown { identity: Some(identity), audience: None, provider: None }
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        let wrong = |key: &str, what: String| Err(Wrong::new(what).below(key));
        let within = |seconds: Option<u32>, range: (u32, u32)| {
            seconds.is_none_or(|seconds| (range.0..=range.1).contains(&seconds))
        };
        if !within(self.refresh_interval_seconds, (1, LONGEST)) {
            return wrong("refreshIntervalSeconds", format!("must be from 1 to {LONGEST}"));
        }
        if !within(self.cluster_timeout_seconds, (1, LONGEST_PATIENCE)) {
            return wrong("clusterTimeoutSeconds", format!("must be from 1 to {LONGEST_PATIENCE}"));
        }
        let shown = self.oidc();
        match shown.identity {
            Some(Identity::CallerHeader) => shown::coherent(&shown)?,
            Some(Identity::Exchange) if self.client_ids.is_empty() => {
                let what = "identity: exchange needs some: whoever makes clusters would choose the audience";
                return wrong("clientIds", what.to_owned());
            }
            Some(Identity::Exchange) => {}
            _ => {
                let what =
                    "must be caller-header or exchange; rbac.identity is for clusters with a service account";
                return wrong("identity", what.to_owned());
            }
        }
        match (&self.issuer_url, &self.client_id) {
            (Some(issuer), Some(client)) => {
                let spec =
                    OidcSpec { issuer_url: issuer.clone(), client_id: client.clone(), ..OidcSpec::default() };
                if Login::of(&spec).is_err() {
                    let what = "must be an https:// URL as tokens have it in `iss`, with a clientId";
                    return wrong("issuerUrl", what.to_owned());
                }
            }
            (None, None) => {}
            (Some(_), None) => return wrong("clientId", "issuerUrl needs it".to_owned()),
            (None, Some(_)) => return wrong("issuerUrl", "clientId needs it".to_owned()),
        }
        for (key, patterns) in [("clientIds", &self.client_ids), ("hosts", &self.hosts)] {
            let is_url = |pattern: &String| key == "hosts" && pattern.contains('/');
            if patterns.iter().any(|pattern| pattern.trim().is_empty() || is_url(pattern)) {
                return wrong(key, "must be names, in which * stands for any characters".to_owned());
            }
        }
        match &self.rbac {
            Some(rbac) => rbac.coherent().map_err(|wrong| wrong.below("rbac")),
            None => Ok(()),
        }
    }

    /// What is configured, where clusters are taken.
    pub(super) fn settings(&self) -> Settings {
        let mode = |kind: AuthType| match kind {
            AuthType::ServiceAccount => Mode::ServiceAccount,
            AuthType::Oidc => Mode::Oidc,
        };
        let seconds =
            |given: Option<u32>, otherwise: u32| Duration::from_secs(given.unwrap_or(otherwise).into());
        Settings {
            filter: Filter {
                include: self.include_projects.clone().unwrap_or_default(),
                exclude: self.exclude_projects.clone().unwrap_or_default(),
                without_tenant: self.exclude_tenant_scoped_clusters == Some(true),
            },
            mode: self.auth_type.map_or(Mode::ServiceAccount, mode),
            modes: self.project_auth_types.iter().map(|(name, kind)| (name.clone(), mode(*kind))).collect(),
            oidc: self.oidc(),
            client_ids: self.client_ids.clone(),
            trust: self
                .issuer_url
                .clone()
                .zip(self.client_id.clone())
                .map(|(issuer, client)| Trust { issuer, client }),
            own: self.own(),
            account: self.rbac.clone().unwrap_or_default().account(),
            hosts: self.hosts.clone(),
            proxied: self.frp != Some(false),
            manage: self.manage,
            every: seconds(self.refresh_interval_seconds, REFRESH),
            patience: seconds(self.cluster_timeout_seconds, PATIENCE),
        }
    }
}

impl Rbac {
    fn coherent(&self) -> Result<(), Wrong> {
        let names = [
            ("namespace", &self.namespace, 63),
            ("serviceAccountName", &self.service_account_name, 253),
            ("secretName", &self.secret_name, 253),
            ("clusterRoleName", &self.cluster_role_name, 253),
            ("clusterRoleBindingName", &self.cluster_role_binding_name, 253),
        ];
        for (key, name, longest) in names {
            if name.as_deref().is_some_and(|name| !is_name(name, longest)) {
                let what = "must be a name as Kubernetes has it: small letters, digits, - and .";
                return Err(Wrong::new(what).below(key));
            }
        }
        if self.token_seconds.is_some_and(|seconds| !(SHORTEST_LIFE..=LONGEST).contains(&seconds)) {
            return Err(
                Wrong::new(format!("must be from {SHORTEST_LIFE} to {LONGEST}")).below("tokenSeconds")
            );
        }
        if self.static_token && self.token_seconds.is_some() {
            return Err(
                Wrong::new("a static token does not end: leave one of them out").below("tokenSeconds")
            );
        }
        if matches!(self.identity, Some(Identity::Exchange | Identity::CallerHeader)) {
            return Err(Wrong::new("must be own or impersonate").below("identity"));
        }
        let rules = self.cluster_role_rules.iter().flatten().enumerate();
        for (index, rule) in rules {
            let empty = [&rule.api_groups, &rule.resources, &rule.verbs].iter().any(|list| list.is_empty());
            if empty {
                let what = "needs apiGroups, resources and verbs";
                return Err(Wrong::new(what).in_item(index).below("clusterRoleRules"));
            }
        }
        if self.cluster_role_rules.as_ref().is_some_and(Vec::is_empty) {
            let what = "is empty: leave it out to read everything but Secrets";
            return Err(Wrong::new(what).below("clusterRoleRules"));
        }
        Ok(())
    }

    fn account(self) -> Account {
        let name = |given: Option<String>, otherwise: &str| given.unwrap_or_else(|| otherwise.to_owned());
        let token = match self.static_token {
            true => Token::Lasting,
            false => Token::Short(self.token_seconds.unwrap_or(LIFE)),
        };
        let rights = Rights {
            namespace: name(self.namespace, "backstage-system"),
            account: name(self.service_account_name, "backstage-sa"),
            secret: name(self.secret_name, "backstage-sa-token"),
            role: name(self.cluster_role_name, "backstage-read-only"),
            binding: name(self.cluster_role_binding_name, "backstage-read-only-binding"),
            rules: self.cluster_role_rules.map(|rules| rules.into_iter().map(Rule::granted).collect()),
        };
        Account { rights, token }
    }
}

impl Rule {
    fn granted(self) -> Granted {
        let group = |group: String| if group == "core" { String::new() } else { group };
        Granted {
            api_groups: self.api_groups.into_iter().map(group).collect(),
            resources: self.resources,
            verbs: self.verbs,
        }
    }
}

/// RFC 1123, with dots where they may be.
fn is_name(name: &str, longest: usize) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || (c == '.' && longest > 63);
    name.len() <= longest
        && name.chars().all(fits)
        && ends(name.chars().next())
        && ends(name.chars().next_back())
}
