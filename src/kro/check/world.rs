//! [`World`]: what of a cluster must be known to check an RGD.

use crate::kro::fetch::Reader;
use crate::kubernetes::Object;

/// The kinds that an RGD names, as the cluster serves them.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What could not be read, and is not checked: a line each.
    pub gaps: Vec<String>,
}

impl World {
    /// Reads what the templates and external references of `rgd` name. What cannot be read is a gap.
    pub async fn read(_reader: &Reader, _rgd: &Object) -> Self {
        Self::default()
    }
}
