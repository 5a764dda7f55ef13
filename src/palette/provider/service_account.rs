//! The service account of the server in a cluster: its token, which is had with Palette's admin kubeconfig. That is
//! held for as long as this takes, and nowhere kept.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kube::config::AuthInfo;
use secrecy::SecretString;

use super::{
    ask::{Asker, spent},
    link::{Link, none},
    onboarding, server,
};
use crate::{
    kubernetes::{Access, As, Cluster, Fault, Lease, Source, View, Way, service_account},
    palette::{
        ask::Ask,
        kubeconfig::{Server, Upstream},
        place::Place,
    },
    permission::Decision,
};

/// A token and when it ends.
pub(super) struct Held {
    token: SecretString,
    /// Nothing for one that does not.
    life: Option<(Timestamp, Timestamp)>,
}

impl Held {
    pub(super) fn user(&self) -> AuthInfo {
        AuthInfo { token: Some(self.token.clone()), ..AuthInfo::default() }
    }

    /// Renewed at the middle of its life: who cannot renew it then has the other half for it.
    pub(super) fn lease(&self) -> Lease {
        let half = |(since, until): (Timestamp, Timestamp)| since + since.duration_until(until) / 2;
        Lease { until: self.life.map(half) }
    }

    pub(super) fn ends(&self) -> Option<Timestamp> {
        self.life.map(|(_, until)| until)
    }
}

/// A cluster as its administrator, for a short while.
pub(super) struct Administered {
    pub(super) server: Server,
    pub(super) access: Access,
}

/// Where the cluster is, and a token for it.
pub(super) async fn held(link: &Link) -> Result<(Server, Held), Fault> {
    let patience = link.asker.settings.patience;
    let admin = administered(&link.asker, (&link.place, &link.uid, &link.name), patience).await?;
    let account = &link.asker.settings.account;
    if link.asker.settings.manage
        && let Err(fault) = onboarding::reconciled(link, &admin).await
    {
        // what is there may do all the same
        tracing::warn!("Palette cluster {}: {fault}", link.name);
    }
    let now = Timestamp::now();
    let given = service_account::token(&admin.access, &account.rights, account.token).await;
    let given = given.map_err(|fault| match fault {
        fault if fault.is_not_found() => none(
            &format!(
                "the cluster has no service account {}/{} of this server: it is not onboarded; whoever runs this \
                 server does that with `platform-mcp palette onboard --cluster {}`",
                account.rights.namespace, account.rights.account, link.name
            ),
            false,
        ),
        fault => fault,
    })?;
    let life = given.until.map(|until| (now, until.max(now + SignedDuration::from_secs(1))));
    Ok((admin.server, Held { token: given.token, life }))
}

/// The cluster with the credential of Palette's admin kubeconfig.
pub(super) async fn administered(
    asker: &Asker,
    (place, uid, name): (&Place, &str, &str),
    time: Duration,
) -> Result<Administered, Fault> {
    let access = asker.access(time);
    let ask = Ask::get(&["spectroclusters", uid, "assets", "adminKubeconfig"]);
    let Some(Upstream { server, user, .. }) = server::upstream(asker, &access, place, ask).await? else {
        let why = "Palette has no admin kubeconfig of the cluster, or not for the API key that is used";
        return Err(none(why, false));
    };
    let odd = |why| none(&format!("Palette's admin kubeconfig of the cluster cannot be used: {why}"), false);
    let user = user.map_err(|why| odd(why.to_string()))?;
    if !user.has_credential() {
        return Err(odd("it holds no credential".to_owned()));
    }
    let user = user.auth_info().map_err(|why| odd(why.to_string()))?;
    let way = Way::to(&server.url, &server.authorities, user, Lease { until: None }).await?;
    let connect = move || std::future::ready(Ok(way.clone()));
    let cluster = Cluster::leased(name, Source::Palette, "default", connect);
    let access = Access::new(Arc::new(cluster), Arc::new(Everything), As::Server, spent(time));
    Ok(Administered { server, access })
}

/// What is made in a cluster for the server is nobody's to look at.
struct Everything;

impl View for Everything {
    fn sees(&self, _namespace: Option<&str>) -> bool {
        true
    }

    fn reveals(&self, _namespace: Option<&str>) -> bool {
        true
    }

    fn withheld(&self, _namespace: Option<&str>) -> Fault {
        let decision = Box::new(Decision::Deny { missing: Vec::new(), hidden: false, rule: None });
        Fault::Withheld { needs: "nothing".to_owned(), place: "a cluster".to_owned(), decision }
    }
}
