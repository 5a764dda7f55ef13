//! `rbac kro`.

use clap::Args;

use super::{
    super::{Failure, Global, setup},
    To, print, reached, unseen,
};
use crate::{
    kro::{
        fetch::Reader,
        rights::{For, rights},
    },
    kubernetes::Fault,
};

/// For the tools of kro, over the kinds that the cluster's RGDs have to do with.
#[derive(Debug, Args)]
#[command(
    after_help = "The cluster is read with the server's own credential (the context's user, the configured token).\n\
                  The right to change something is in it unless `tools.readOnly` is on. Make it anew when RGDs come with\n\
                  kinds that are not in it."
)]
pub(super) struct Kro {
    /// The cluster; otherwise the default one.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    #[command(flatten)]
    to: To,
    /// With Secrets, where RGDs make or refer to them: the right to read all of the cluster.
    #[arg(long)]
    with_secrets: bool,
}

impl Kro {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let built = global.config()?.for_one_shot().build()?;
        setup::warn(&built);
        let offered: Vec<&str> =
            built.toolbox.entries().iter().map(|entry| entry.contract.name.as_str()).collect();
        if !offered.iter().any(|tool| tool.starts_with("kro_")) {
            return Err(Failure::usage(
                "the configuration offers no tool of kro: take kro out of tools.without",
            ));
        }
        let cluster = reached::cluster(&built, self.cluster.as_deref()).await?;
        let unread = |fault: Fault| Failure::failed(format!("cluster {}: {fault}", cluster.name()));
        let reader = Reader::new(&reached::whole(&cluster)).await.map_err(unread)?.naming_rgds(true);
        let read = reader.used().await;
        let (used, gaps) =
            read.map_err(|error| Failure::failed(format!("cluster {}: {}", cluster.name(), error.text())))?;
        unseen(&gaps);
        let purpose = For { offered: &|tool| offered.contains(&tool), secrets: self.with_secrets };
        let about = vec![
            format!("What the tools of kro take in the cluster {}, with the RGDs that it has.", cluster.name()),
            "Bound to the server's own account, as `identity: own` uses it. Where callers reach the cluster as \
             themselves, bind the role to their groups instead; in one namespace with a RoleBinding, after which calls \
             must name it."
                .to_owned(),
        ];
        print(&self.to, "kro", about, &rights(&used, purpose))
    }
}
