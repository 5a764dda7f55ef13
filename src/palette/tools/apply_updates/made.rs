//! Applying them: one request that is never sent twice, and what became of it.

use std::{collections::BTreeSet, time::Duration};

use http::Method;
use serde_json::Value;

use super::{Aim, Output};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change},
    palette::{
        Ask, Fault,
        api::summary::{ClusterSummary, PackStatus},
        operate::{
            follow::{self, Ended, Met},
            hidden::Hidden,
        },
        said::said,
        summary,
    },
};

impl Aim<'_> {
    pub(super) async fn make(
        &self,
        body: Value,
        hidden: &Hidden,
        time: Duration,
    ) -> Result<Answer<Output>, Error> {
        let found = &self.standing.found;
        let ask = Ask::change(Method::PATCH, &["spectroclusters", &found.uid, "profiles"], Some(body))
            .with("resolveNotification", "true");
        match found.access.send(&found.place, ask).await {
            Ok(_) => {}
            Err(Fault::Uncertain(why)) => return Err(hidden.error(self.unknown(&why).await)),
            Err(fault) => return Err(hidden.error(self.refused(fault))),
        }
        let what = found.qualified();
        self.call.tell(&format!("{what}: the change was taken"));
        // without machines to replace, it is applied at once
        let mut waits = self.dry_run.required != Some(false) && self.standing.waits_for_repave().await;
        let mut followed = follow::Followed {
            seen: None,
            ended: Ended::Never("it waits for the approval of a repave".to_owned()),
            time: Duration::ZERO,
        };
        if !waits {
            let targets: BTreeSet<&str> = self.updates.iter().map(|update| update.to.uid.as_str()).collect();
            let at = (&found.access, &found.place, found.uid.as_str());
            followed = follow::follow(self.call, at, time, |seen| applied(seen, &targets)).await;
            // Palette may take a while to find out that it has to ask
            waits = followed.ended != Ended::Reached && self.standing.waits_for_repave().await;
        }
        let sentence = match waits {
            true => "A REPAVE WAITS: nothing is replaced until it is approved".to_owned(),
            false => followed.sentence("until it was applied"),
        };
        let mut notes =
            vec![format!("palette_cluster_health with cluster {} says how it goes on", found.uid)];
        if waits {
            notes.insert(0, "palette_repave approves the repave, or takes the change back".to_owned());
        }
        let mut answer = self.answer(format!("{what} was changed. {sentence}"), notes);
        let unmet = followed.unmet();
        if !unmet.is_empty() {
            answer.body.push_str(&crate::kubernetes::operation::section("not met:", &unmet));
        }
        let failed = followed.ended == Ended::Failed;
        answer.structure.repave_pending = waits;
        answer.structure.state = followed.state().map(|state| said(state, 40));
        answer.structure.ended = Some(followed.ended.name());
        answer.structure.unmet = unmet;
        let answer = answer.change(Change::Made);
        Ok(if failed { answer.failed() } else { answer })
    }

    fn refused(&self, fault: Fault) -> Error {
        let what = self.standing.found.qualified();
        let error = match &fault {
            Fault::Status { status: 400 | 422, .. } => Error::invalid_input(fault.to_string()),
            _ => Error::from(fault),
        };
        Error { message: format!("{what} was not changed: {}", error.message), ..error }
    }

    /// The answer was lost: how the cluster stands is looked up, and the change is not sent again.
    async fn unknown(&self, why: &Fault) -> Error {
        let mut found = self.standing.found.clone();
        found.access = found.access.anew();
        let what = found.qualified();
        let lost = format!("the change of {what} was sent once and its answer was lost ({why})");
        let (says, next) = match summary::read(&mut found).await {
            Ok((seen, _)) => {
                let on = |uid: &str| {
                    seen.spec.cluster_profile_templates.iter().any(|template| template.uid == uid)
                };
                let moved = self.updates.iter().filter(|update| !update.is_edit());
                let (there, all) = moved
                    .fold((0, 0), |(there, all), update| (there + usize::from(on(&update.to.uid)), all + 1));
                match (there, all) {
                    (_, 0) => (
                        "UNKNOWN WHETHER IT WAS APPLIED".to_owned(),
                        "look with palette_upgrades and this cluster",
                    ),
                    (there, all) if there == all => (
                        "Palette lists the new versions now: it was most likely applied by this call"
                            .to_owned(),
                        "do not apply it again; palette_cluster_health says how it goes on",
                    ),
                    (there, all) => (
                        format!("Palette lists {there} of {all} new versions"),
                        "plan again: the plan tells what is left",
                    ),
                }
            }
            Err(error) => (
                format!("UNKNOWN WHETHER IT WAS APPLIED: it could not be looked up either ({error})"),
                "once Palette answers, plan again: the plan tells what is left",
            ),
        };
        Error::new(ErrorKind::Upstream { status: None, retryable: false }, format!("{lost}; {says}"))
            .next(next)
    }
}

/// Whether a cluster is on these versions and has installed their packs.
fn applied(seen: &ClusterSummary, targets: &BTreeSet<&str>) -> Met {
    let attached = &seen.spec.cluster_profile_templates;
    let on = targets.iter().all(|uid| attached.iter().any(|template| template.uid == *uid));
    let installed =
        |pack: &&PackStatus| pack.condition.as_ref().is_none_or(|of| of.status.eq_ignore_ascii_case("true"));
    let theirs = seen.status.packs.iter().filter(|pack| targets.contains(pack.profile_uid.as_str()));
    match seen.status.state.to_ascii_lowercase().as_str() {
        "error" | "failed" | "deleting" | "deleted" => Met::Failed,
        _ if on && theirs.clone().count() == theirs.filter(installed).count() => Met::Yes,
        _ => Met::NotYet,
    }
}
