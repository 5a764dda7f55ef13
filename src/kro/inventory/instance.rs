//! A line's worth of an instance.

use jiff::Timestamp;

use crate::answer::sanitise;
use crate::kro::applyset;
use crate::kro::instance::Standing;
use crate::kro::labels;
use crate::kro::state::State;
use crate::kubernetes::{LabelSelector, Object};

/// Characters of a reason.
const LONGEST: usize = 200;

/// What lists keep of an instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// `kind`
    pub kind: String,
    /// `metadata.namespace`; none where it is cluster-scoped.
    pub namespace: Option<String>,
    /// `metadata.name`
    pub name: String,
    /// What kro says, corrected by what is nested in it.
    pub state: State,
    /// Why; none when ready.
    pub reason: Option<String>,
    /// The RGD that it says it belongs to.
    pub rgd: Option<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether its labels are those asked for.
    pub is_selected: bool,
    pub(super) uid: String,
    /// The id of its ApplySet, where it has one: computed, since anyone may write the label.
    pub(super) applyset: Option<String>,
    pub(super) part_of: Option<String>,
    pub(super) parent_uid: Option<String>,
    pub(super) additional_namespaces: Option<String>,
}

impl Instance {
    /// Reads an instance.
    pub fn read(instance: &Object, selector: &LabelSelector) -> Self {
        let Standing { state, reason, .. } = Standing::read(instance);
        let label = |name: &str| instance.label(name).map(str::to_owned);
        Self {
            kind: instance.kind().to_owned(),
            namespace: instance.namespace().map(str::to_owned),
            name: instance.name().to_owned(),
            state,
            reason: reason.map(|reason| sanitise::short(&reason, LONGEST)),
            rgd: labels::rgd_name(instance).map(str::to_owned),
            created: instance.created().and_then(|created| created.parse().ok()),
            is_selected: selector.matches(instance.at(&["metadata", "labels"])),
            uid: instance.uid().to_owned(),
            applyset: label(labels::APPLYSET_ID).map(|_| applyset::id(instance)),
            part_of: label(labels::PART_OF),
            parent_uid: label(labels::INSTANCE_ID),
            additional_namespaces: instance.annotation(labels::ADDITIONAL_NAMESPACES).map(str::to_owned),
        }
    }

    /// Its RGD does not exist: nothing reconciles it, and it keeps the last words that kro wrote.
    pub(super) fn bereft(&mut self, rgd: Option<&str>) {
        let name = rgd.map(|name| format!(" {name}")).unwrap_or_default();
        self.reason = Some(format!("its RGD{name} does not exist: nothing reconciles or deletes it"));
        if self.state != State::Deleting {
            self.state = State::Failing;
        }
    }
}
