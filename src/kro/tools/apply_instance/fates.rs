//! What becomes of the nodes of an instance that is changed.

use serde_json::Value;

use super::{
    Aim, Seen,
    operation::{self, shows_nodes},
    targets,
};
use crate::{
    Error,
    kro::{
        graph::Rgd,
        instance,
        operate::{
            observed::Part,
            risk::{self, Fate, Fates},
        },
    },
    kubernetes::{Object, difference::Difference},
};

impl Aim<'_> {
    /// What becomes of the nodes, and whether anybody acts on it.
    pub(super) async fn fates(
        &self,
        seen: &mut Seen,
        after: &Object,
        changes: &[Difference],
    ) -> Result<(), Error> {
        let (rgd, gap) = self.reader.rgd_of(seen.live.as_ref().unwrap_or(after)).await;
        let name = self.reader.names_rgds();
        let called = |rgd: &str| if name { format!("RGD {rgd}") } else { "its RGD".to_owned() };
        let definition = match rgd {
            Rgd::Read(definition) => {
                if let Some(trouble) = &definition.trouble {
                    let trouble = if name { format!(": {trouble}") } else { String::new() };
                    seen.notes.push(format!("{} is not in order{trouble}", called(&definition.rgd)));
                }
                Some(definition)
            }
            Rgd::Gone(rgd) => {
                let rgd = called(&rgd);
                seen.notes.push(format!("{rgd} does not exist: kro will not act on the change"));
                None
            }
            Rgd::Unread(rgd, why) => {
                seen.gaps.push(format!("{}: {why}; what becomes of the nodes is not known", called(&rgd)));
                None
            }
            Rgd::Unknown => {
                seen.gaps
                    .push("the RGD of this kind is not known; nor is what becomes of the nodes".to_owned());
                None
            }
        };
        if name {
            seen.gaps.extend(gap);
        }
        if let Some(live) = &seen.live {
            if instance::is_suspended(live) {
                let note = "it is suspended: kro acts on the change when it is resumed (kro_reconcile)";
                seen.notes.push(note.to_owned());
            }
            let standing = instance::Standing::read(live);
            seen.notes.extend(standing.frozen.map(|frozen| frozen.to_string()));
        }
        let Some(definition) = definition else { return Ok(()) };
        let (before, after) = (seen.live.clone(), after.clone());
        let instance = before.clone().unwrap_or_else(|| after.clone());
        let paths: Vec<String> = changes.iter().map(|change| change.path.clone()).collect();
        let judged =
            self.reader.judge(move |work| risk::fates(&definition, before.as_ref(), &after, &paths, work));
        let Fates { nodes, made, nameless } = judged.await?;
        let fates: Vec<String> = nodes.iter().map(Fate::told).collect();
        let targets = targets::look(self.call, self.reader, &instance, made).await;
        let there: Value = targets.found.iter().map(|(target, _)| target.identity.clone()).collect();
        seen.observed = std::mem::take(&mut seen.observed)
            .with(Part::Nodes, &operation::lines(&fates))
            .with(Part::Targets, &there);
        let shows = shows_nodes(self.call, self.reader.access(), self.namespace());
        seen.danger = targets.summary();
        seen.gaps.extend(targets.gaps);
        if !shows {
            seen.notes.push(
                "which nodes use what changes is not shown: that needs kro.resource-graph.show".to_owned(),
            );
            return Ok(());
        }
        let taken = |fate: &Fate| targets.found.iter().any(|(target, _)| target.made.node == fate.node);
        let told = |(fate, told): (&Fate, String)| match taken(fate) {
            true => format!("{told}, where an object is already (see risks)"),
            false => told,
        };
        seen.nodes = nodes.iter().zip(fates).map(told).collect();
        seen.risks = targets.found.into_iter().map(|(_, told)| told).collect();
        if !nameless.is_empty() {
            let nodes = nameless.join(", ");
            seen.notes
                .push(format!("only kro can tell the names of {nodes}: whether they exist is not known"));
        }
        Ok(())
    }
}
