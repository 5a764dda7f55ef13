//! Triggers that nothing can match.

use std::collections::HashMap;

use super::is_whole_but_for;
use crate::{
    answer::sanitise,
    knative::{
        filter::{Attributes, Verdict},
        mesh::{Finding, Mesh, walk::Work},
        resource::{Resources, Trigger},
    },
};

/// Characters of a filter that are shown.
const FILTER: usize = 200;

/// Filters that contradict themselves.
pub(super) fn never<'a>(mesh: &'a Mesh, resources: &'a Resources) -> impl Iterator<Item = Finding> + 'a {
    let shown = resources.triggers.iter().filter(|trigger| !mesh.is_part(&trigger.resource));
    shown.filter_map(|trigger| {
        let why = trigger.filter.contradiction()?;
        let what = format!("no event can pass its filter, {why}: correct spec.filters");
        Some(Finding { code: "trigger-never-matches", about: trigger.resource.reference.clone(), what })
    })
}

/// Filters that no event which is known to come by passes.
pub(super) fn nothing_known(mesh: &Mesh, resources: &Resources, work: &mut Work) -> Vec<Finding> {
    if !is_whole_but_for(resources, &[]) {
        return Vec::new();
    }
    let entering = mesh.entering(resources, work);
    if work.ran_out() {
        return Vec::new();
    }
    let mut brokers: HashMap<usize, Known<'_>> = HashMap::new();
    let shown = resources.triggers.iter().filter(|trigger| !mesh.is_part(&trigger.resource));
    let mut found = Vec::new();
    for trigger in shown {
        let Some(node) = mesh.node(&trigger.broker) else { continue };
        let known =
            brokers.entry(node).or_insert_with(|| Known::of(entering.at(node).map(|(event, _)| event)));
        if trigger.filter.contradiction().is_none() && known.all_fail(trigger, work) {
            let filter = sanitise::short(&trigger.filter.to_string(), FILTER);
            let what = format!(
                "none of the {} kinds of events known to enter {} passes its filter ({filter}): correct the filter, or declare the EventType",
                known.count(),
                trigger.broker,
            );
            let about = trigger.resource.reference.clone();
            found.push(Finding { code: "trigger-matches-nothing-known", about, what });
        }
    }
    if work.ran_out() { Vec::new() } else { found }
}

/// The events that come by a broker, by type.
struct Known<'a> {
    typed: HashMap<&'a str, Vec<&'a Attributes>>,
    others: Vec<&'a Attributes>,
}

impl<'a> Known<'a> {
    fn of(events: impl Iterator<Item = &'a Attributes>) -> Self {
        let mut known = Self { typed: HashMap::new(), others: Vec::new() };
        for event in events {
            match event.get("type").and_then(Option::as_deref) {
                Some(name) => known.typed.entry(name).or_default().push(event),
                None => known.others.push(event),
            }
        }
        known
    }

    fn count(&self) -> usize {
        self.typed.values().map(Vec::len).sum::<usize>() + self.others.len()
    }

    /// Whether there are any, and none of them can pass.
    fn all_fail(&self, trigger: &Trigger, work: &mut Work) -> bool {
        let wanted = trigger.filter.pins().remove("type").flatten();
        let typed: Box<dyn Iterator<Item = &&Attributes>> = match &wanted {
            Some(wanted) => Box::new(self.typed.get(wanted.as_str()).into_iter().flatten()),
            None => Box::new(self.typed.values().flatten()),
        };
        let mut each = typed.chain(&self.others);
        self.count() > 0 && each.all(|event| work.take() && trigger.filter.verdict(event) == Verdict::No)
    }
}
