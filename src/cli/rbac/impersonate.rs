//! `rbac impersonate`.

use std::collections::BTreeSet;

use clap::Args;

use super::{
    super::{Failure, Global, out, setup},
    To, print, reached,
};
use crate::kubernetes::Identity;

/// For showing callers to a cluster (`identity: impersonate`).
#[derive(Debug, Args)]
#[command(
    after_help = "Names are those that the cluster knows, with the prefixes of `issuers[].username` and `groups`.\n\
                  Nothing is asked of the cluster."
)]
pub(super) struct Impersonate {
    /// The cluster, where several know callers by different names.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    #[command(flatten)]
    to: To,
    /// Somebody who calls, besides those whom rules of the configuration name. May be given several times.
    #[arg(long, value_name = "NAME", value_parser = shown)]
    user: Vec<String>,
    /// A group of theirs, besides those that rules of the configuration name. May be given several times.
    #[arg(long, value_name = "NAME", value_parser = shown)]
    group: Vec<String>,
    /// Any group: then the account can do everything in the cluster.
    #[arg(long, conflicts_with = "group")]
    any_group: bool,
}

impl Impersonate {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let config = global.config()?.for_one_shot();
        let mut about = vec!["As whom the server may act (verb impersonate), and nothing else.".to_owned()];
        let cluster = match &self.cluster {
            None => None,
            Some(name) => {
                let built = config.build()?;
                setup::warn(&built);
                Some(reached::cluster(&built, Some(name)).await?)
            }
        };
        if config.issuers.is_empty() && config.backstage.is_none() {
            out::error_line(
                "warning: the configuration has no issuers and no backstage, so nobody is shown to a cluster; give it \
                 with --config",
            );
        }
        if let Some(cluster) = &cluster {
            about.push(format!("For the cluster {}.", cluster.name()));
            if let Some(other) = cluster.identity().filter(|identity| *identity != Identity::Impersonate) {
                out::error_line(&format!(
                    "warning: cluster {} has identity {}, so nobody is impersonated there",
                    cluster.name(),
                    other.name()
                ));
            }
        }
        about.push(
            "Bound to the ServiceAccount of the server. Where its credential is another user, bind that one. Make it \
             anew when people or groups come."
                .to_owned(),
        );
        let mut shown = config.shown(cluster.as_deref());
        if !self.user.is_empty() {
            shown.users.get_or_insert_with(BTreeSet::new).extend(self.user);
        }
        match &mut shown.groups {
            Some(groups) if !self.any_group => groups.extend(self.group),
            _ => shown.groups = None,
        }
        print(&self.to, "impersonate", about, &shown.rights())
    }
}

/// A user or a group as a cluster may be shown one.
fn shown(text: &str) -> Result<String, String> {
    let wrong = match text {
        "" => "must not be empty",
        _ if text.starts_with("system:") => {
            "names that begin with system: are Kubernetes's own, and no caller is shown by one"
        }
        _ if text.trim() != text || text.chars().any(char::is_control) => {
            "must have no control characters, and no space around it"
        }
        _ if text.contains('*') => "must be a whole name: RBAC knows no patterns",
        _ => return Ok(text.to_owned()),
    };
    Err(wrong.to_owned())
}
