//! Kubeconfigs of a cluster.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::View;
use crate::demo::palette::{
    data::{Cluster, Oidc},
    refusal::Refusal,
};

/// Signs nothing: its key was thrown away.
const AUTHORITY: &str = include_str!("../../../../demo/palette/authority.pem");

/// Which of a cluster's kubeconfigs.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Which {
    /// Of the user, through the reverse proxy or past it.
    User {
        proxied: bool,
    },
    Client,
    Proxied,
    Admin,
}

impl View<'_> {
    /// The file, as base64 where the cluster is so.
    pub(in super::super) fn kubeconfig(self, cluster: &Cluster, which: Which) -> Result<String, Refusal> {
        let missing = || Refusal::not_found("Kubeconfig of the cluster", &cluster.uid);
        if !cluster.connectable() {
            return Err(missing());
        }
        let text = match &cluster.kubeconfigs {
            Some(stored) => match which {
                Which::User { .. } => stored.user.clone(),
                Which::Client => stored.client.clone(),
                Which::Proxied => stored.frp.clone(),
                Which::Admin => stored.admin.clone(),
            },
            None => made(cluster, which),
        }
        .ok_or_else(missing)?;
        Ok(if cluster.base64 { STANDARD.encode(text) } else { text })
    }
}

fn made(cluster: &Cluster, which: Which) -> Option<String> {
    let direct = cluster.endpoints.first().map(|(host, port)| format!("https://{host}:{port}"))?;
    let proxy = format!("https://proxy-{}.palette.example.com:6443", cluster.uid);
    let secret = |kind: &str| STANDARD.encode(format!("{kind} of {}, which opens nothing", cluster.name));
    let (server, user) = match (which, &cluster.oidc) {
        (Which::Admin, _) => (direct, admin(&secret("certificate"), &secret("key"))),
        (Which::Client, None) => return None,
        (Which::Client | Which::User { proxied: false }, Some(oidc)) => (direct, login(oidc)),
        (Which::User { proxied: true } | Which::Proxied, Some(oidc)) => (proxy, login(oidc)),
        (Which::User { proxied: false }, None) => (direct, token(&secret("token"))),
        (Which::User { proxied: true } | Which::Proxied, None) => (proxy, token(&secret("token"))),
    };
    let (name, authority) = (&cluster.name, STANDARD.encode(AUTHORITY));
    Some(format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: {name}\n  cluster:\n    server: {server}\n    \
         certificate-authority-data: {authority}\ncontexts:\n- name: {name}\n  context:\n    cluster: {name}\n    \
         user: {name}-user\ncurrent-context: {name}\npreferences: {{}}\nusers:\n- name: {name}-user\n  user:\n{user}"
    ))
}

fn token(token: &str) -> String {
    format!("    token: {token}\n")
}

fn admin(certificate: &str, key: &str) -> String {
    format!("    client-certificate-data: {certificate}\n    client-key-data: {key}\n")
}

fn login(oidc: &Oidc) -> String {
    let Oidc { client_id, client_secret, issuer_url, .. } = oidc;
    let secret = if client_secret.is_empty() {
        String::new()
    } else {
        format!("      - --oidc-client-secret={client_secret}\n")
    };
    format!(
        "    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      command: kubectl\n      args:\n      \
         - oidc-login\n      - get-token\n      - --oidc-issuer-url={issuer_url}\n      \
         - --oidc-client-id={client_id}\n{secret}"
    )
}
