//! A node whose object exists.

use super::level::{Judged, Level, Made, graft};
use super::ready_when::{self, Inclusion, Verdict};
use super::{Node, Why};
use crate::kro::definition;
use crate::kro::health::Health;
use crate::kro::instance::{self, Trouble};
use crate::kro::state::State;
use crate::kubernetes::Object;

/// Judges a node by its one object.
pub(super) fn judge(level: &Level<'_>, node: &definition::Node, object: &Object) -> Made {
    let (health, settled, why) = health(level, node, object);
    let mut shown = level.blank(node);
    describe(&mut shown, level, object, health);
    shown.why = why;
    if let Inclusion::Out(why, _) = ready_when::inclusion(level, node)
        && level.collected.instance.deletion().is_none()
        && shown.state != State::Deleting
        && !shown.external
    {
        shown.state = State::Orphaned;
        shown.reason = Some(format!("to be pruned: {why}"));
        let judged = Judged { state: State::Skipped, settled: true };
        return Made { judged, nodes: vec![shown] };
    }
    let judged = Judged { state: shown.state, settled };
    let mut nodes = vec![shown];
    if let Some(branch) = level.nested.get(object.uid()) {
        nodes.extend(graft(&node.id, branch));
    }
    Made { judged, nodes }
}

/// Fills in what an object says of itself.
pub(super) fn describe(shown: &mut Node, level: &Level<'_>, object: &Object, health: Health) {
    shown.kind = object.kind().to_owned();
    shown.group = object.group().to_owned();
    shown.name = Some(object.name().to_owned());
    shown.namespace = object.namespace().map(str::to_owned);
    shown.created = object.created().map(str::to_owned);
    shown.state = health.state;
    shown.reason = health.reason;
    if let Some(branch) = level.nested.get(object.uid()) {
        shown.rgd = branch.root.rgd.clone();
        shown.kro_state = branch.root.kro_state.clone();
    } else if crate::kro::labels::is_instance(object) {
        shown.rgd = crate::kro::labels::rgd_name(object).map(str::to_owned);
        shown.kro_state = instance::Standing::read(object).word;
    }
}

/// The object's own health, its `readyWhen`, and what kro says of it, in this order of weight; and
/// whether kro lets dependents go ahead.
pub(super) fn health(level: &Level<'_>, node: &definition::Node, object: &Object) -> (Health, bool, Why) {
    let own = level.health(object);
    let ready = ready_when::ready(level, node, object);
    let settled = object.deletion().is_none()
        && match ready {
            Verdict::Holds => true,
            Verdict::Unknown(_) => level.kro_is_content(),
            _ => false,
        };
    if own.state == State::Deleting {
        return (own, settled, Why::Itself);
    }
    let complaint = level.complaint(node, &[object.name()]);
    if let Some(error) = complaint.filter(|complaint| complaint.is_error())
        && !instance::is_suspended(&level.collected.instance)
    {
        return (Health::failing(error.to_string()), settled, Why::Complaint(error.clone()));
    }
    let mut reason = match &ready {
        Verdict::False(why) | Verdict::Pending(why) => Why::NotReady(why.clone()),
        Verdict::Holds | Verdict::Unknown(_) => Why::Itself,
    };
    let health = match (own.state, ready) {
        (State::Ready, Verdict::Holds) => own,
        (State::Ready, Verdict::False(why) | Verdict::Pending(why)) => Health::progressing(why),
        (State::Ready, Verdict::Unknown(why)) => match complaint {
            _ if level.kro_is_content() => own,
            Some(complaint) if waits_for_readiness(&complaint.trouble) => {
                reason = Why::Complaint(complaint.clone());
                Health::progressing(complaint.to_string())
            }
            _ => Health { state: State::Unknown, reason: Some(why) },
        },
        (state, Verdict::False(why) | Verdict::Pending(why)) => {
            let reason = own.reason.map_or_else(|| why.clone(), |own| format!("{own}; {why}"));
            Health { state, reason: Some(reason) }
        }
        _ => own,
    };
    (health, settled, reason)
}

/// Whether kro judged an object and found it not ready.
pub(super) fn waits_for_readiness(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::ReadyWhenFalse(_) | Trouble::ReadyWhenPending(_))
}
