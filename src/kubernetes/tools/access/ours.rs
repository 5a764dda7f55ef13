//! What this server's permissions say.

use http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Asked, in_clusters, whole};
use crate::{
    Error,
    kubernetes::{
        Access,
        proxy::{Target, permit},
    },
    permission::{Extent, Permission},
    toolbox::Call,
};

/// With any of these something of a namespace is seen.
const SEES: [Permission; 3] =
    [Permission::KubernetesClustersRead, Permission::KubernetesResourcesRead, Permission::KubernetesProxy];

/// A tool that makes such a request, and whether the caller may have it made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Way {
    pub(super) tool: &'static str,
    pub(super) allowed: bool,
    /// What is lacking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) needs: Option<String>,
    /// What it takes where no tool makes it.
    #[serde(skip)]
    beside: Option<Permission>,
}

/// What makes the requests that no tool makes.
const ENDPOINT: &str = "the HTTP endpoint (http.proxy)";

impl Way {
    pub(super) fn line(&self) -> String {
        match (&self.needs, self.beside) {
            (Some(needs), _) => format!("{}: no, {needs}", self.tool),
            (None, Some(permission)) => format!("{}: yes, with {}, by no tool", self.tool, permission.name()),
            (None, None) => format!("{}: yes", self.tool),
        }
    }

    /// `with kubernetes_proxy`
    pub(super) fn by(&self) -> String {
        match self.beside {
            Some(permission) => format!("over {} with {}, by no tool", self.tool, permission.name()),
            None => format!("with {}", self.tool),
        }
    }
}

/// The tools that make such a request.
pub(super) fn ways(call: &Call, asked: &Asked) -> Vec<Way> {
    let mut ways = Vec::new();
    let requests = asked.requests();
    if !requests.is_empty() {
        let changes = requests.iter().any(|(method, target)| target.changes(method));
        let lacking = requests.iter().find_map(|(method, target)| proxied(call, method, target, asked).err());
        let open = |target: &Target| target.is_channel() || target.is_credential();
        ways.push(
            match (changes, asked.verb == "watch" || requests.iter().any(|(_, target)| open(target))) {
                (changes, true) => {
                    let beside =
                        if changes { Permission::KubernetesProxyWrite } else { Permission::KubernetesProxy };
                    let needs = lacking.map(|lacking| lacking.message);
                    Way { tool: ENDPOINT, allowed: needs.is_none(), needs, beside: Some(beside) }
                }
                (true, false) => way(call, "kubernetes_proxy_write", lacking),
                (false, false) => way(call, "kubernetes_proxy", lacking),
            },
        );
    }
    for (tool, permission) in typed(asked) {
        let lacking = required(call, *permission, asked).err();
        ways.push(way(call, tool, lacking));
    }
    ways
}

fn way(call: &Call, tool: &'static str, lacking: Option<Error>) -> Way {
    let needs = match lacking {
        Some(lacking) => Some(lacking.message),
        None if call.toolbox().exists(call.caller(), tool) => None,
        None => Some("this server does not offer it to you".to_owned()),
    };
    Way { tool, allowed: needs.is_none(), needs, beside: None }
}

/// The very decision that the request would meet.
fn proxied(call: &Call, method: &Method, target: &Target, asked: &Asked) -> Result<(), Error> {
    permit(call, call.cluster()?, method, target)?;
    // everything of a cluster is also what is in no namespace
    match &asked.kind {
        None if asked.namespace.is_none() => permit_all(call, method),
        _ => Ok(()),
    }
}

fn permit_all(call: &Call, method: &Method) -> Result<(), Error> {
    let access = call.cluster()?;
    call.require(Permission::KubernetesProxy, access, None)?;
    match *method {
        Method::GET => Ok(()),
        _ => call.require(Permission::KubernetesProxyWrite, access, None),
    }
}

fn required(call: &Call, permission: Permission, asked: &Asked) -> Result<(), Error> {
    let access = call.cluster()?;
    match (&asked.namespace, &asked.kind) {
        (Some(namespace), _) => call.require(permission, access, Some(namespace)),
        (None, Some(kind)) if !kind.namespaced => call.require(permission, access, None),
        // filtered row by row
        (None, _) => call.require_in(permission, access, Extent::Anywhere),
    }
}

/// Tools that read or change a kind in their own way.
fn typed(asked: &Asked) -> &'static [(&'static str, Permission)] {
    let Some(kind) = asked.kind.as_ref().filter(|_| asked.subresource.is_none()) else { return &[] };
    let reads = matches!(asked.verb.as_str(), "get" | "list");
    let writes = matches!(asked.verb.as_str(), "create" | "update" | "patch");
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("" | "events.k8s.io", "events") if reads => {
            &[("kubernetes_events", Permission::KubernetesResourcesRead)]
        }
        ("kro.run", "resourcegraphdefinitions") if reads => &[("kro_rgd", Permission::KroRgdsList)],
        ("kro.run", "resourcegraphdefinitions") if writes => &[("kro_apply_rgd", Permission::KroRgdsApply)],
        ("kro.run", "resourcegraphdefinitions") => &[],
        // the group of the kinds that RGDs generate, where they name no other
        ("kro.run", _) if asked.verb == "watch" => &[("kro_watch", Permission::KroResourceGraphShow)],
        ("kro.run", _) if reads => &[("kro_instances", Permission::KroInstancesList)],
        ("kro.run", _) if writes => &[("kro_apply_instance", Permission::KroInstancesApply)],
        ("kro.run", _) if asked.verb == "delete" => {
            &[("kro_delete_instance", Permission::KroInstancesDelete)]
        }
        _ => &[],
    }
}

/// Whether values of Secrets are taken out of what the request answers, and by which of our permissions.
pub(super) fn redacts(call: &Call, asked: &Asked) -> bool {
    let secrets = asked.requests().iter().any(|(_, target)| target.is_secret());
    let reads = |access: &Access| match &asked.namespace {
        Some(namespace) => call.allows(Permission::KubernetesSecretsRead, access, Some(namespace)),
        None => {
            let cluster = Extent::Named(access.cluster().names());
            call.caller().permissions().covers_cluster(Permission::KubernetesSecretsRead, &cluster)
        }
    };
    secrets && !call.cluster().is_ok_and(reads)
}

/// Whether the caller may see anything of a namespace with this tool.
pub(super) fn sees(call: &Call, access: &Access, namespace: &str) -> bool {
    SEES.into_iter().any(|permission| call.allows(permission, access, Some(namespace)))
}

/// The permissions that have a place in a cluster.
#[derive(Debug, Default)]
pub(super) struct Ours {
    pub(super) all: Vec<&'static str>,
    pub(super) part: Vec<&'static str>,
    pub(super) none: Vec<&'static str>,
}

impl Ours {
    /// Of a namespace, or of the whole cluster.
    pub(super) fn read(call: &Call, access: &Access, namespace: Option<&str>) -> Self {
        let mut ours = Self::default();
        let cluster = whole(call).unwrap_or_default();
        for permission in in_clusters() {
            let set = call.caller().permissions();
            let of_rgds = permission.name().starts_with("kro.rgds.");
            let list = match namespace {
                // RGDs are in no namespace
                _ if of_rgds && call.allows(permission, access, None) => &mut ours.all,
                _ if of_rgds => &mut ours.none,
                Some(namespace) if call.allows(permission, access, Some(namespace)) => &mut ours.all,
                Some(_) => &mut ours.none,
                None if set.covers_cluster(permission, &cluster) => &mut ours.all,
                None if call.require_in(permission, access, Extent::Anywhere).is_ok() => &mut ours.part,
                None => &mut ours.none,
            };
            list.push(permission.name());
        }
        ours
    }

    pub(super) fn lines(&self) -> String {
        let line = |what: &str, names: &[&str]| match names {
            [] => String::new(),
            names => format!("{what}: {}\n", names.join(" ")),
        };
        [
            line("this server lets you", &self.all),
            line("in some namespaces", &self.part),
            line("not here", &self.none),
        ]
        .concat()
    }
}
