//! Which kinds a mesh has to do with, as whoever gives rights away sees it.

use std::collections::BTreeSet;

use super::{ADDRESSABLE, InUse, Reader};
use crate::{
    Error,
    knative::fetch::{self, Asked, Targets},
    kubernetes::{Access, Kind, Selector, Taking},
};

impl InUse {
    /// Reads it. With what could not be seen, a line each.
    ///
    /// # Errors
    /// The cluster cannot be read, does not serve Knative Eventing, or does not say which CRDs take events.
    pub async fn read(access: &Access, reader: Reader) -> Result<(Self, Vec<String>), Error> {
        let targets = match reader {
            Reader::DropIn => Targets::Each,
            Reader::Tool => Targets::ByKind,
        };
        let resources = fetch::read(access, Asked { namespace: None, targets }).await?;
        let kinds = access.kinds().await?;
        let crds = kinds.find("apiextensions.k8s.io", "CustomResourceDefinition").cloned();
        let addressable = match &crds {
            Some(crds) => addressable(access, crds).await?,
            None => BTreeSet::new(),
        };
        let (used, unserved) = Self::of(&resources, &kinds, &addressable);
        if used.parts.is_empty() {
            let error = Error::not_found(
                "this cluster has no Knative Eventing: it serves no kind that a mesh is made of",
            );
            return Err(error.next("with --kinds no cluster is looked at"));
        }
        let mut gaps: Vec<String> =
            resources.unread.iter().map(|unread| format!("{}: {}", unread.kind, unread.why)).collect();
        let missing = resources.not_installed.iter();
        gaps.extend(missing.map(|kind| format!("{kind}: the cluster does not serve this kind")));
        gaps.extend(
            unserved.iter().map(|kind| {
                format!("{kind}, which something refers to: the cluster does not serve this kind")
            }),
        );
        Ok((used, gaps))
    }
}

/// The CRDs whose objects take events, by `plural.group`.
async fn addressable(access: &Access, crds: &Kind) -> Result<BTreeSet<String>, Error> {
    let selector = Selector::all().label(ADDRESSABLE, "true");
    let listed = access.list_taking(crds, None, &selector, Taking::metadata(&|_| true)).await?;
    Ok(listed.items.iter().map(|crd| crd.name().to_owned()).collect())
}
