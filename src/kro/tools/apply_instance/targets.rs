//! What is already where kro would make objects: read before a plan says that they are made.

use futures::future::join_all;

use super::super::SHOW_CHILDREN;
use crate::{
    kro::{
        fetch::{Parent, Reader},
        labels,
        operate::risk::{Clash, Made, Target, object},
    },
    kubernetes::{Access, Fault, Object},
    permission::{Permission, Requirement},
    toolbox::Call,
};

/// Objects that are looked at, one GET each.
const MOST: usize = 20;
/// Where a cluster-scoped instance has what its templates give no namespace.
const DEFAULT: &str = "default";

/// What is there already, and what could not be looked at.
#[derive(Default)]
pub(super) struct Targets {
    /// Those there are, those that end in kro's refusal first.
    pub(super) found: Vec<(Target, String)>,
    pub(super) gaps: Vec<String>,
}

impl Targets {
    /// How the first line ends.
    pub(super) fn summary(&self) -> String {
        let number = |clash| self.found.iter().filter(|(target, _)| target.clash == clash).count();
        let over = match number(Clash::TakenOver) {
            0 => String::new(),
            1 => "; RISK: 1 object exists already and kro would overwrite it".to_owned(),
            more => format!("; RISK: {more} objects exist already and kro would overwrite them"),
        };
        let refused = match number(Clash::Refused) {
            0 => String::new(),
            1 => "; RISK: 1 object belongs to another instance and kro will refuse it".to_owned(),
            more => format!("; RISK: {more} objects belong to other instances and kro will refuse them"),
        };
        over + &refused
    }
}

/// Looks at what `instance` would make. What the caller may not see of children is a gap.
pub(super) async fn look(call: &Call, reader: &Reader, instance: &Object, made: Vec<Made>) -> Targets {
    let access = call.narrowed(reader.access(), Requirement::Any(SHOW_CHILDREN.into()));
    let mut targets = Targets::default();
    let more = made.len().saturating_sub(MOST);
    if more > 0 {
        targets.gaps.push(format!("{more} more objects would be made; whether they exist was not looked at"));
    }
    let looks = made.into_iter().take(MOST).map(|made| one(reader, &access, instance, made));
    for looked in join_all(looks).await {
        match looked {
            Ok(None) => {}
            Ok(Some((target, there))) => {
                let owner = owner(call, reader, &there).await;
                let told = target.told(owner.as_deref());
                targets.found.push((target, told));
            }
            Err(gap) => targets.gaps.push(gap),
        }
    }
    targets.found.sort_by_key(|(target, _)| target.clash == Clash::TakenOver);
    targets
}

async fn one(
    reader: &Reader,
    access: &Access,
    instance: &Object,
    mut made: Made,
) -> Result<Option<(Target, Object)>, String> {
    // of a kind that is not served there is none
    let Some(kind) = reader.kind(&made.kind).await else { return Ok(None) };
    let own = || instance.namespace().unwrap_or(DEFAULT).to_owned();
    made.namespace = kind.namespaced.then(|| made.namespace.take().unwrap_or_else(own));
    match access.get(&kind, made.namespace.as_deref(), &made.name).await {
        Ok(there) => Ok(Target::of(made, &there, instance).map(|target| (target, there))),
        Err(Fault::NotFound(_)) => Ok(None),
        // neither the node nor its name are the caller's to hear
        Err(fault @ Fault::Withheld { .. }) => {
            Err(format!("could not look whether what it makes exists already: {fault}"))
        }
        Err(fault) if made.tellable => {
            Err(format!("could not look whether {} exists already: {fault}", object(&made)))
        }
        Err(_) => Err(format!("could not look whether the {} exists already", object(&made))),
    }
}

/// Whose it is, as the caller may hear.
async fn owner(call: &Call, reader: &Reader, there: &Object) -> Option<String> {
    let marked = there.label(labels::PART_OF).is_some() || labels::parent(there).is_some();
    if !marked {
        return None;
    }
    Some(match reader.parent(there).await {
        Parent::Found(parent)
            if call.allows(Permission::KroInstancesList, reader.access(), parent.namespace()) =>
        {
            match parent.namespace() {
                Some(namespace) => format!("{} {namespace}/{}", parent.kind(), parent.name()),
                None => format!("{} {}", parent.kind(), parent.name()),
            }
        }
        Parent::Gone => "an instance that is gone".to_owned(),
        Parent::None => "another ApplySet".to_owned(),
        Parent::Found(_) | Parent::Unclear(_) => "another instance".to_owned(),
    })
}
