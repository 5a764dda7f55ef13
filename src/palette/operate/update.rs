//! [`Update`]: an attached profile that goes to a version, or gets what was edited in its own; and what a dry run says
//! of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    chosen::{self, Chosen},
    standing::Standing,
    variables::{self, Of, Set},
};
use crate::{
    Error,
    palette::{
        Ask, Fault,
        api::repave::RepaveAnswer,
        contract,
        said::said,
        upgrades::{self, Change},
        version::order,
    },
    toolbox::Call,
};

/// Reasons that are told.
const MOST: usize = 20;

/// An attached profile, and where it goes.
#[derive(Debug)]
pub struct Update {
    /// The uid of the version that is attached.
    pub from: String,
    /// Its version, where it is known.
    pub from_version: String,
    /// The version that it gets: the same where only edits of it are applied.
    pub to: Chosen,
    /// What is set.
    pub set: Set,
    /// The packs that differ.
    pub packs: Vec<Change>,
}

impl Update {
    /// From what is attached to that version.
    ///
    /// # Errors
    /// What is attached could not be read.
    pub async fn new(standing: &Standing, from: &str, to: Chosen) -> Result<Self, Error> {
        let known = to.whole.spec.versions.iter().find(|known| known.uid == from);
        let from_version = known.map(|known| known.version.clone()).unwrap_or_default();
        let packs = match from == to.uid {
            true => Vec::new(),
            false => {
                let (access, place) = (&standing.found.access, &standing.found.place);
                let before = chosen::version(access, place, from).await?;
                upgrades::changes(before.whole.packs(), to.whole.packs())
            }
        };
        Ok(Self { from: from.to_owned(), from_version, to, set: Set::default(), packs })
    }

    /// Whether only what was edited in the version that is attached is applied.
    pub fn is_edit(&self) -> bool {
        self.from == self.to.uid
    }

    /// As it is sent (`v1SpectroClusterProfileEntity`).
    fn sent(&self) -> Value {
        let mut sent = json!({"uid": self.to.uid});
        if let Value::Object(members) = &mut sent {
            if !self.is_edit() {
                members.insert("replaceWithProfile".to_owned(), self.from.as_str().into());
            }
            let variables = self.set.sent();
            if !variables.is_empty() {
                members.insert("variables".to_owned(), json!(variables));
            }
        }
        sent
    }

    /// In words, a line each.
    pub fn told(&self) -> Vec<String> {
        let Chosen { name, version, .. } = &self.to;
        let mut lines = Vec::new();
        if self.is_edit() {
            lines.push(format!("profile {name} {version}: what was edited in it since it was applied"));
        } else {
            let back = order(version, &self.from_version).is_lt() && !self.from_version.is_empty();
            let back = if back { ", which is OLDER" } else { "" };
            lines.push(format!("profile {name}: {} → {version}{back}", self.from_version));
        }
        let pack = |change: &Change| {
            let (from, to) = (change.from.as_deref(), change.to.as_deref());
            format!("pack {}: {} → {}", change.pack, from.unwrap_or("(added)"), to.unwrap_or("(removed)"))
        };
        lines.extend(self.packs.iter().map(pack));
        lines.extend(self.set.told().into_iter().map(|line| format!("variable of {name}: {line}")));
        lines
    }
}

/// The body (`v1SpectroClusterProfiles`).
///
/// # Errors
/// A defect of ours: it does not keep the contract.
pub fn body(updates: &[Update]) -> Result<Value, Error> {
    let body = json!({"profiles": updates.iter().map(Update::sent).collect::<Vec<_>>()});
    match contract::faults("profiles", &body).first() {
        None => Ok(body),
        Some(fault) => {
            Err(Error::new(crate::ErrorKind::Internal, format!("the change would not be sent: {fault}")))
        }
    }
}

/// Sets what was given.
///
/// # Errors
/// What is wrong with it; or the values that the cluster has could not be read.
pub async fn set(
    call: &Call,
    standing: &Standing,
    updates: &mut [Update],
    given: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let has = match updates.iter().any(|update| !update.to.variables.is_empty()) {
        true => standing.variables().await?,
        false => BTreeMap::new(),
    };
    let known: Vec<BTreeSet<String>> =
        updates.iter().map(|update| has.get(&update.from).cloned().unwrap_or_default()).collect();
    let all: Vec<Of<'_>> = updates
        .iter()
        .zip(&known)
        .map(|(update, has)| Of { profile: &update.to.name, variables: &update.to.variables, has: Some(has) })
        .collect();
    let sets = variables::taken(call, &all, given)?;
    for (update, set) in updates.iter_mut().zip(sets) {
        update.set = set;
    }
    Ok(())
}

/// What a dry run says.
#[derive(Clone, Debug, Default)]
pub struct DryRun {
    /// Whether machines would be replaced; nothing where Palette does not tell.
    pub required: Option<bool>,
    /// Why.
    pub reasons: Vec<String>,
    /// What could not be asked.
    pub gap: Option<String>,
}

/// Asks what the body would do. It changes nothing.
///
/// # Errors
/// [`Fault`]
pub async fn dry_run(standing: &Standing, body: &Value) -> Result<DryRun, Fault> {
    let found = &standing.found;
    let profiles = json!({"profiles": body.get("profiles")});
    let ask =
        Ask::search(&["spectroclusters", &found.uid, "validate", "repave"], profiles).kept(Duration::ZERO);
    let read: RepaveAnswer = match found.access.ask(&found.place, ask).await {
        Ok(read) => read,
        Err(fault @ Fault::Unserved { .. }) => {
            let gap = Some(format!("whether machines would be replaced: {fault}"));
            return Ok(DryRun { gap, ..DryRun::default() });
        }
        Err(fault) => return Err(fault),
    };
    let reasons = read.reasons.iter().take(MOST).map(|reason| {
        let text = if reason.message.is_empty() { &reason.code } else { &reason.message };
        said(text, 200)
    });
    let gap = read
        .is_repave_required
        .is_none()
        .then(|| "Palette does not say whether machines would be replaced".to_owned());
    Ok(DryRun { required: read.is_repave_required, reasons: reasons.collect(), gap })
}

impl DryRun {
    /// In words, a line each; `machines` are those of the cluster.
    pub fn told(&self, machines: &[String]) -> Vec<String> {
        let all = if machines.is_empty() { "its machines".to_owned() } else { machines.join(" and ") };
        match self.required {
            Some(true) => {
                let line = format!(
                    "MACHINES WOULD BE REPLACED ({all}; Palette does not tell which of them), once somebody approves it \
                     with palette_repave"
                );
                let because = self.reasons.iter().map(|reason| format!("because {reason}"));
                std::iter::once(line).chain(because).collect()
            }
            Some(false) => vec!["no machine would be replaced".to_owned()],
            None => vec!["whether machines would be replaced is NOT KNOWN".to_owned()],
        }
    }
}
