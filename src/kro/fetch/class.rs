//! What an object is to kro: by its kind, its marks, or the instance that refers to it.

use super::Reader;
use crate::kro::applyset::GroupKind;
use crate::kro::class::{ByKind, Class, is_child};
use crate::kro::labels;
use crate::kubernetes::{Kind, Object};

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
}
