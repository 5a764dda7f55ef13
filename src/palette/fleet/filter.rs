//! [`Filter`]: which clusters of a list are asked for.

use super::{health::Health, row::ClusterRow};

/// What a cluster has to be; what is not set is not asked for. Words are compared without case.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A part of its name.
    pub name: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// Its health.
    pub health: Option<Health>,
    /// Its cloud; `virtual` is `nested`.
    pub cloud_type: Option<String>,
    /// One of its tags, whole, or the key of a `key:value`.
    pub tag: Option<String>,
    /// Whether it is virtual.
    pub is_virtual: Option<bool>,
}

impl Filter {
    /// Whether this one is asked for.
    pub fn takes(&self, row: &ClusterRow) -> bool {
        let part = |part: &String| row.name.to_lowercase().contains(&part.to_lowercase());
        let cloud = |cloud: &String| match cloud.eq_ignore_ascii_case("virtual") {
            true => row.is_virtual(),
            false => row.cloud_type.eq_ignore_ascii_case(cloud),
        };
        let tag = |wanted: &String| {
            row.tags.iter().any(|tag| {
                let key = tag.split(':').next().unwrap_or_default();
                tag.eq_ignore_ascii_case(wanted) || key.eq_ignore_ascii_case(wanted)
            })
        };
        self.name.as_ref().is_none_or(part)
            && self.state.as_ref().is_none_or(|state| row.state.eq_ignore_ascii_case(state))
            && self.health.as_ref().is_none_or(|health| row.health == *health)
            && self.cloud_type.as_ref().is_none_or(cloud)
            && self.tag.as_ref().is_none_or(tag)
            && self.is_virtual.is_none_or(|wanted| row.is_virtual() == wanted)
    }
}
