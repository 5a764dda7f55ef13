//! Giving this server its service account in a cluster, and taking it away.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use tokio::time::timeout;

use super::{
    Mode,
    ask::Asker,
    link::{Link, none},
    service_account::{Administered, administered},
};
use crate::kubernetes::{Fault, service_account::Plan};

/// Clusters that are seen to at once, where nobody waits for one of them: those for whom somebody does come between.
const PARALLEL: usize = 24;
/// Clusters that a line of the log names.
const NAMED: usize = 5;

/// What is to become of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// It is there, as it is configured.
    Onboard,
    /// It is not there.
    Offboard,
}

/// A cluster that the account can be given to.
#[derive(Clone, Debug)]
pub struct Target {
    /// `environment/project/name`
    pub name: String,
    /// The name alone.
    pub short: String,
    /// Whether it is reached with the account.
    pub uses_account: bool,
    pub(super) link: Arc<Link>,
}

impl Target {
    /// What has to be done, a line for each object; nothing is changed.
    ///
    /// # Errors
    /// Palette or the cluster does not say.
    pub async fn plan(&self, aim: Aim) -> Result<Vec<String>, Fault> {
        let link = &self.link;
        within(link, async { Ok(lines(&planned(link, aim).await?.1)) }).await
    }

    /// Does what was planned.
    ///
    /// # Errors
    /// The plan would be another one by now; or where it stopped.
    pub async fn carry_out(&self, aim: Aim, shown: &[String]) -> Result<(), Fault> {
        let link = &self.link;
        within(link, async {
            let (admin, plan) = planned(link, aim).await?;
            if lines(&plan) != shown {
                return Err(none("it has changed since it was planned; run it again", true));
            }
            done(&admin, &plan).await
        })
        .await
    }
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(ToString::to_string).collect()
}

async fn within<T>(link: &Link, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let patience = link.asker.settings.patience;
    let late = || Err(none(&format!("it did not come to an end within {} s", patience.as_secs()), true));
    timeout(patience, work).await.unwrap_or_else(|_| late())
}

async fn planned(link: &Link, aim: Aim) -> Result<(Administered, Plan), Fault> {
    let at = (&link.place, link.uid.as_str(), link.name.as_str());
    let admin = administered(&link.asker, at, link.asker.settings.patience).await?;
    let account = &link.asker.settings.account;
    let plan = match aim {
        Aim::Onboard => Plan::to_have(&admin.access, &account.rights, account.token).await?,
        Aim::Offboard => Plan::to_be_rid(&admin.access, &account.rights).await?,
    };
    Ok((admin, plan))
}

async fn done(admin: &Administered, plan: &Plan) -> Result<(), Fault> {
    plan.carry_out(&admin.access)
        .await
        .map_err(|stopped| none(&stopped.to_string(), stopped.fault.is_transient()))
}

/// Sees to it that the account is there as it is configured; whether anything had to be done.
pub(super) async fn reconciled(link: &Link, admin: &Administered) -> Result<bool, Fault> {
    let account = &link.asker.settings.account;
    let plan = Plan::to_have(&admin.access, &account.rights, account.token).await?;
    let changes = !plan.is_done();
    done(admin, &plan).await.map(|()| changes)
}

/// Sees to all clusters of an environment, and says in the log what came of it.
pub(super) async fn managed(asker: Arc<Asker>, links: Vec<Arc<Link>>) {
    let links = links.into_iter().filter(|link| link.mode == Mode::ServiceAccount);
    let seeing = links.map(|link| async move {
        let seen = within(&link, async {
            let (admin, plan) = planned(&link, Aim::Onboard).await?;
            done(&admin, &plan).await.map(|()| !plan.is_done())
        });
        (link.name.clone(), seen.await)
    });
    let seen: Vec<(String, Result<bool, Fault>)> =
        stream::iter(seeing).buffer_unordered(PARALLEL).collect().await;
    let changed = seen.iter().filter(|(_, seen)| *seen == Ok(true)).count();
    let failed: Vec<String> =
        seen.iter().filter_map(|(name, seen)| Some(format!("{name} ({})", seen.as_ref().err()?))).collect();
    let environment = asker.environment.name();
    if changed > 0 {
        tracing::info!(environment, "Palette: the service account was made or changed in {changed} clusters");
    }
    if !failed.is_empty() {
        let (all, named) = (failed.len(), failed.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; "));
        let more = if all > NAMED { "; …" } else { "" };
        tracing::warn!(
            environment,
            "Palette: {all} of {} clusters could not be onboarded, and are tried again: {named}{more}",
            seen.len()
        );
    }
}
