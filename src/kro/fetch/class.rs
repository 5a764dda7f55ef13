//! What an object is to kro: by its kind, its marks, or the instance that refers to it.

use super::Reader;
use crate::kro::applyset::GroupKind;
use crate::kro::class::{ByKind, Class, is_child};
use crate::kro::labels;
use crate::kubernetes::{Fault, Kind, Object, Reference};

/// Steps from an object to the child that owns it: Pod, ReplicaSet, Deployment, what an operator has.
const STEPS: usize = 5;

impl Reader {
    /// What objects of a kind are, before any of them is read.
    pub async fn class_of_kind(&self, kind: &Kind) -> ByKind {
        match (kind.group.as_str(), kind.kind.as_str()) {
            (labels::GROUP, "ResourceGraphDefinition") => return ByKind::Is(Class::Rgd),
            (labels::INTERNAL_GROUP, "GraphRevision") => return ByKind::Is(Class::Revision),
            _ => {}
        }
        match self.is_generated(&GroupKind::new(&kind.group, &kind.kind)).await {
            Some(true) => ByKind::Is(Class::Instance),
            Some(false) => ByKind::Belongs,
            None => ByKind::Unclear,
        }
    }

    /// What an object is: a child by its marks, an external reference by the instance that has it; `None`
    /// where it belongs to no instance that the caller may see.
    pub async fn class_of(&self, by_kind: ByKind, object: &Object) -> Option<Class> {
        match by_kind {
            ByKind::Is(class) => Some(class),
            ByKind::Unclear if labels::is_instance(object) => Some(Class::Instance),
            ByKind::Belongs | ByKind::Unclear if is_child(object) => Some(Class::Child),
            ByKind::Belongs | ByKind::Unclear => self.is_referenced(object).await.then_some(Class::External),
        }
    }

    /// The child that owns an object which kro did not make itself, as a Deployment owns Pods. One GET for
    /// each step.
    ///
    /// # Errors
    /// An owner could not be read, so that it is not known.
    pub async fn child_above(&self, object: &Object) -> Result<Option<Object>, Fault> {
        let mut owner = Reference::owners_of(object).into_iter().next();
        for _ in 0..STEPS {
            let Some(above) = owner else { return Ok(None) };
            let Some(kind) = self.kind(&GroupKind::new(&above.group, &above.kind)).await else {
                return Ok(None);
            };
            let namespace = above.namespace.as_deref().filter(|_| kind.namespaced);
            let read = match self.access().get(&kind, namespace, &above.name).await {
                Ok(read) if read.uid() == above.uid => read,
                // gone, perhaps another in its place, or where the caller sees nothing
                Ok(_) | Err(Fault::NotFound(_) | Fault::Withheld { .. }) => return Ok(None),
                Err(fault) => return Err(fault),
            };
            if is_child(&read) {
                return Ok(Some(read));
            }
            owner = Reference::owners_of(&read).into_iter().next();
        }
        Ok(None)
    }
}
