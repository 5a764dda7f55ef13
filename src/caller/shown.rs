//! [`Shown`]: as whom clusters see a caller, where they are to see who calls (`identity: impersonate`).

use std::{borrow::Cow, sync::Arc};

use super::backstage::Named;
use crate::kubernetes::{Cluster, Impersonation, identity::Unfit};

/// As whom clusters see a caller.
#[derive(Clone, Debug)]
pub enum Shown {
    /// As nobody, and why: what would show them is refused.
    Nobody(Unfit),
    /// As the same everywhere.
    Everywhere(Arc<Impersonation>),
    /// As each cluster knows users of Backstage.
    Named(Arc<Named>),
}

/// As whom some clusters see a caller.
#[derive(Debug)]
pub struct Sight<'c> {
    /// Patterns of their names; `None`: all others.
    pub clusters: Option<&'c [String]>,
    /// As whom, or why as nobody.
    pub who: Result<Cow<'c, Impersonation>, Unfit>,
    /// How many of the caller's groups have no name there.
    pub left_out: usize,
}

impl Shown {
    /// How this cluster sees the caller, among [`Self::all`].
    pub fn place(&self, cluster: &Cluster) -> usize {
        match self {
            Self::Nobody(_) | Self::Everywhere(_) => 0,
            Self::Named(named) => named.place(cluster),
        }
    }

    /// The sight at a place.
    pub fn at(&self, place: usize) -> Sight<'_> {
        let everywhere = |who| Sight { clusters: None, who, left_out: 0 };
        match self {
            Self::Nobody(unfit) => everywhere(Err(unfit.clone())),
            Self::Everywhere(who) => everywhere(Ok(Cow::Borrowed(&**who))),
            Self::Named(named) => named.at(place),
        }
    }

    /// Every one there is, in the order in which they count.
    pub fn all(&self) -> impl Iterator<Item = Sight<'_>> {
        let places = match self {
            Self::Nobody(_) | Self::Everywhere(_) => 1,
            Self::Named(named) => named.places(),
        };
        (0..places).map(|place| self.at(place))
    }
}
