//! The instance that an object is a child of.

use super::Reader;
use crate::kro::applyset::{self, GroupKind};
use crate::kro::graph::{Home, Rgd};
use crate::kro::labels;
use crate::kubernetes::{Fault, Object};

/// What is known of the instance that an object belongs to.
#[derive(Clone, Debug)]
pub enum Parent {
    /// It belongs to none: it has no marks of a child, or they are not true.
    None,
    /// Its marks name an instance that is not there: nobody keeps it.
    Gone,
    /// Its marks name an instance that cannot be read: why.
    Unclear(String),
    /// It belongs to this one.
    Found(Box<Object>),
}

impl Reader {
    /// The instance that `child` is a child of. It is read as the caller, and shown only after another
    /// decision.
    pub async fn parent(&self, child: &Object) -> Parent {
        let Some(named) = labels::parent(child) else { return Parent::None };
        if named.kind.is_empty() {
            return Parent::Unclear("its kro is too old to tell the kind of its instance".to_owned());
        }
        let Some(kind) = self.kind(&GroupKind::new(named.group, named.kind)).await else {
            return Parent::Gone;
        };
        let parent = match self.access().unfiltered().get(&kind, named.namespace, named.name).await {
            Ok(parent) => parent,
            Err(Fault::NotFound(_)) => return Parent::Gone,
            Err(fault) => return Parent::Unclear(fault.to_string()),
        };
        let by_applyset = child.label(labels::PART_OF) == Some(applyset::id(&parent).as_str());
        let by_uid = child.label(labels::INSTANCE_ID) == Some(parent.uid());
        match (by_applyset || by_uid) && Home::of(&parent).has(child) {
            true => Parent::Found(Box::new(parent)),
            false => Parent::None,
        }
    }

    /// The RGD of an instance, or of one that does not exist yet; with what could not be seen of it.
    pub async fn rgd_of(&self, instance: &Object) -> (Rgd, Option<String>) {
        let found = self.rgd(instance).await;
        (found.rgd, found.gap)
    }
}
