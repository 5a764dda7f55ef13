//! [`Class`]: what an object is to kro. Each class has permissions of its own.

use schemars::JsonSchema;
use serde::Serialize;

use crate::kro::labels;
use crate::kubernetes::Object;

/// What an object is to kro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A ResourceGraphDefinition.
    Rgd,
    /// A GraphRevision.
    Revision,
    /// An instance.
    Instance,
    /// Made by kro for an instance.
    Child,
    /// Read by kro for an instance.
    External,
}

/// What objects of a kind are by their kind alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByKind {
    /// This.
    Is(Class),
    /// Children or external references, if anything of kro's.
    Belongs,
    /// It cannot be read whether an RGD generates the kind.
    Unclear,
}

/// Whether kro made an object for an instance, by its marks.
pub fn is_child(object: &Object) -> bool {
    let owned = object.label("kro.run/owned").or_else(|| object.label("internal.kro.run/owned"));
    let marked = object.label(labels::PART_OF).is_some() || object.label(labels::INSTANCE_ID).is_some();
    owned == Some("true") && marked
}
