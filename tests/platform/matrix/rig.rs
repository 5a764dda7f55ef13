//! The servers of the matrix: each over two clusters and two Palette environments, all the sample platform.

use platform_mcp::demo::{
    self,
    palette::{Data, Running, Simulator, Tenant as Simulated},
};
use serde_json::{Value, json};

use super::{door::Actions, sets::Set};
use crate::{
    backstage::{Backstage, Options, PLUGIN},
    mcp::Mcp,
    oidc::Provider,
    palette::{Palette, Tenant},
    server::{Product, Server},
};

/// What clusters know users of Backstage as.
const AS_WHOM: &str = "impersonate: {username: '{name}@example.com', groups: '{name}'}";

/// The server, and the Palette that it asks.
pub(super) struct Rig<P> {
    server: Server,
    _sample: demo::Running,
    _palette: P,
}

/// The issuer, with these rules.
pub(super) fn issuer(rules: &[Value]) -> String {
    format!("issuers: [{}]\n", Provider::shared().entry(&json!(rules).to_string()))
}

impl<P> Rig<P> {
    /// One that knows its callers by this part of its configuration, and this Palette by this one of each.
    async fn over(palette: P, environments: &str, callers: &str) -> Self {
        let sample = demo::Api::start().await.expect("the sample platform");
        let config = format!(
            "spectrocloud:\n  environments:\n{environments}clusters:\n  static:\n    - {{name: lab, url: '{url}', token: sample}}\n    \
             - {{name: other, url: '{url}', token: sample}}\naudit: {{to: 'off'}}\n\
             limits: {{requestsPerSecond: 100000, burst: 100000}}\n{callers}",
            url = sample.url(),
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        Self { server, _sample: sample, _palette: palette }
    }
}

impl Rig<Tenant> {
    /// One that knows its callers by this part of its configuration. What it asks Palette is held against the contract.
    pub(super) async fn start(callers: &str) -> Self {
        let palette = Palette::shared();
        let tenant = palette.tenant(Data::sample(None).expect("the sample"));
        let environments = palette.environment("demo", &tenant) + &palette.environment("other", &tenant);
        Self::over(tenant, &environments, callers).await
    }

    /// A client whose token says which set is theirs.
    pub(super) fn mcp(&self, set: &Set) -> Mcp {
        let forge = Provider::shared().forge();
        let mut claims = forge.claims("alice");
        claims["sub"] = json!(format!("somebody with {}", set.name));
        claims["permission_set"] = json!(set.name);
        Mcp::with_token(self.server.url("/mcp"), &forge.claiming(&claims))
    }
}

/// The server behind a Backstage of its own.
pub(super) struct Bridged {
    rig: Rig<Running>,
    http: reqwest::Client,
    pub(super) backstage: Backstage,
}

impl Bridged {
    /// One in which this decides (`delegated`, `rules`, `both`), with our rules for the groups of these sets.
    pub(super) async fn start(options: Options, decides: &str, ruled: &[Set]) -> Self {
        let backstage = Backstage::start(options);
        let rules: Vec<Value> = ruled.iter().flat_map(Set::group_rules).collect();
        let entry = backstage.entry(&format!("permissions: {decides}, rules: {}, {AS_WHOM}", json!(rules)));
        let (palette, tenant) = (
            Simulator::start().await.expect("a port"),
            Simulated::new(Data::sample(None).expect("the sample")),
        );
        palette.add(tenant.clone());
        let environment = |name: &str| {
            let (url, organisation, key) = (palette.url(), &tenant.data().name, tenant.key());
            format!("    - {{name: {name}, url: '{url}', tenant: '{organisation}', apiToken: '{key}'}}\n")
        };
        let environments = environment("demo") + &environment("other");
        let rig = Rig::over(palette, &environments, &entry).await;
        backstage.front().to(rig.server.address());
        Self { rig, http: reqwest::Client::new(), backstage }
    }

    /// What Backstage's MCP server is to ours for a user in the group of this set, and in no other.
    pub(super) async fn actions(&self, set: &Set) -> Actions {
        let user = set.group.replace("group:", "user:");
        let token = self.backstage.plugin_token(&user, &[&set.group]).await;
        let url = self.rig.server.url(&format!("/api/{PLUGIN}/.backstage/actions/v1/actions"));
        Actions { http: self.http.clone(), url, token }
    }
}
