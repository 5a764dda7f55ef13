//! How far a change of an RGD reaches: the instances of its kind, and the schema that kro compares with.

use super::{
    super::{super::operation, impact, revision},
    Aim, Seen,
};
use crate::{
    Error,
    kro::{
        definition::instance_kind,
        operate::{
            observed::Part,
            verdict::{self, Verdict},
        },
        revision::Revision,
        schema::Described,
    },
    kubernetes::{Object, Selector},
    permission::{Permission, Requirement},
};

/// What lets kro take a schema that breaks instances.
const ALLOW_BREAKING: &str = "kro.run/allow-breaking-changes";

impl Aim<'_> {
    /// The instances that kro would reconcile, and what becomes of their kind.
    pub(super) async fn reach(&self, seen: &mut Seen, live: Object, after: Object) -> Result<(), Error> {
        let of = instance_kind(&live);
        let requirement = Requirement::one(Permission::KroInstancesList);
        let access = self.call.narrowed(self.reader.access(), requirement);
        let mut instances = Vec::new();
        match self.reader.kind(&of).await {
            Some(kind) => match access.list(&kind, None, &Selector::all()).await {
                Ok(listed) => {
                    if !listed.withheld.is_empty() || !access.sees(None) {
                        let gap = "instances in places that you may not see are not counted; they are reached all \
                                   the same";
                        seen.gaps.push(gap.to_owned());
                    }
                    seen.gaps.extend(listed.cut.map(|why| format!("instances: {why}")));
                    instances = listed.items;
                }
                Err(fault) => {
                    seen.gaps.push(format!("the instances that it reaches could not be listed: {fault}"));
                }
            },
            None if live.condition("KindReady").is_some_and(|condition| condition.is_true()) => {
                seen.gaps.push(format!(
                    "instances are not counted: what the cluster serves was read a moment ago, and {of} was \
                     not among it (read again after ten seconds)"
                ));
            }
            None => seen.notes.push(format!("the cluster does not serve {of}: nobody has instances yet")),
        }
        seen.instances = impact::counts(&instances);
        let allowed = after.annotation(ALLOW_BREAKING) == Some("true");
        let compared = self.compared(seen, &live).await;
        let change = self.reader.judge(move |_| impact::kind(&compared, &after, &instances)).await?;
        match (change.breaking, allowed) {
            (true, true) => seen.notes.push(format!(
                "the schema breaks what was right before, and the annotation {ALLOW_BREAKING} lets kro take it"
            )),
            (true, false) => seen.notes.push(format!(
                "kro will refuse this schema (KindReady False), since it breaks what was right before, unless \
                 the RGD has the annotation {ALLOW_BREAKING}: \"true\"; instances would run the new revision \
                 against the old schema until it is taken back"
            )),
            _ => {}
        }
        seen.observed =
            std::mem::take(&mut seen.observed).with(Part::Broken, &operation::lines(&change.breaks));
        seen.schema = change.lines;
        seen.breaks = change.breaks;
        seen.gaps.extend(change.gaps);
        Ok(())
    }

    /// The schema that kro compares with.
    async fn compared(&self, seen: &mut Seen, live: &Object) -> Described {
        let taken_up = matches!(verdict::of(live), Verdict::Accepted(_));
        match self.reader.generated_crd(live).await {
            Ok(Some(crd)) => {
                if let Some(described) = Described::of_crd(&crd) {
                    return described;
                }
            }
            Ok(None) => {}
            // an RGD that kro has taken up says the same as its CRD
            Err(_) if taken_up => {}
            Err(fault) => seen.gaps.push(format!(
                "the CRD, which kro compares the schema with, could not be read ({fault}): it is judged against \
                 the RGD as it is, which kro has not taken up"
            )),
        }
        Described::of_rgd(live)
    }

    /// The newest revision that kro had taken up before it refused what was written now; `None` where that
    /// cannot be told.
    pub(in super::super) async fn taken_up_before(&self, live: &Object, written: &Object) -> Option<i64> {
        if let Verdict::Accepted(Some(revision)) = verdict::of(live) {
            return Some(revision);
        }
        let crd = Described::of_crd(&self.reader.generated_crd(live).await.ok()??)?;
        let revisions = self.reader.graph_revisions(&self.name).await.ok()??;
        let refused = [live.member("spec").cloned(), written.member("spec").cloned()];
        let judged = self.reader.judge(move |_| {
            let revisions = Revision::read(revisions.items);
            revision::taken_up(&revisions, &crd, &refused)
        });
        judged.await.ok()?
    }
}
