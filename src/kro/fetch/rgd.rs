//! The RGD of an instance, read once per call.

use super::Reader;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::{Definition, instance_kind, needs_revision};
use crate::kro::graph::Rgd;
use crate::kro::labels;
use crate::kubernetes::{Fault, Kind, Object, Selector};
use std::sync::Arc;

/// An RGD, and what could not be seen of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) rgd: Rgd,
    pub(super) gap: Option<String>,
    /// The kind that it generates, where it was read.
    generates: Option<GroupKind>,
}

impl Found {
    fn without_definition(rgd: Rgd) -> Self {
        Self { rgd, gap: None, generates: None }
    }
}

impl Reader {
    /// The RGD of an instance: by its label, else by the label of its CRD, else by the RGD that
    /// generates its kind.
    pub(super) async fn rgd(&self, instance: &Object) -> Found {
        let kind = GroupKind::of(instance);
        if let Some(name) = labels::rgd_name(instance) {
            let found = self.rgd_named(name.to_owned()).await;
            // Anyone may put the label on an object of theirs, to be shown an RGD.
            let is_its = match &found.generates {
                Some(generated) => *generated == kind,
                None => may_be_generated(&kind),
            };
            if is_its {
                return found;
            }
        }
        match self.rgd_of_kind(&kind).await {
            Some(name) => self.rgd_named(name).await,
            None => Found::without_definition(Rgd::Unknown),
        }
    }

    async fn rgd_named(&self, name: String) -> Found {
        let cell = Arc::clone(self.rgds.lock().entry(name.clone()).or_default());
        cell.get_or_init(|| self.read_rgd(name)).await.clone()
    }

    async fn read_rgd(&self, name: String) -> Found {
        let unread = |why: String| Found::without_definition(Rgd::Unread(name.clone(), why));
        let Some(kind) = self.rgd_kind().await else {
            return unread("the cluster does not serve ResourceGraphDefinition".to_owned());
        };
        // An RGD is in no namespace; what a caller may see of it here is the shape of a graph that
        // they may see.
        let rgd = match self.access.unfiltered().get(&kind, None, &name).await {
            Ok(rgd) => rgd,
            Err(Fault::NotFound(_)) => return Found::without_definition(Rgd::Gone(name)),
            Err(fault) => return unread(fault.to_string()),
        };
        let (revisions, gap) =
            if needs_revision(&rgd) { self.revisions(&name).await } else { (Vec::new(), None) };
        let generates = Some(instance_kind(&rgd));
        match self.judge(move |work| Definition::read_within(&rgd, &revisions, work)).await {
            Ok(definition) => Found { rgd: Rgd::Read(Box::new(definition)), gap, generates },
            Err(error) => unread(error.to_string()),
        }
    }

    async fn revisions(&self, rgd: &str) -> (Vec<Object>, Option<String>) {
        match self.graph_revisions(rgd).await {
            Ok(listed) => (listed.map(|listed| listed.items).unwrap_or_default(), None),
            Err(fault) => (Vec::new(), Some(format!("GraphRevisions of {rgd}: {fault}"))),
        }
    }

    /// The kind ResourceGraphDefinition, where the cluster has kro.
    pub async fn rgd_kind(&self) -> Option<Kind> {
        self.kind(&GroupKind::new(labels::GROUP, "ResourceGraphDefinition")).await
    }

    /// All RGDs, for what the caller may hear of them; none where the cluster has no kro.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn all_rgds(&self) -> Result<Vec<Object>, Fault> {
        let Some(kind) = self.rgd_kind().await else { return Ok(Vec::new()) };
        Ok(self.access.unfiltered().list(&kind, None, &Selector::all()).await?.items)
    }

    /// The name of the RGD that generates a kind.
    pub async fn rgd_of_kind(&self, of: &GroupKind) -> Option<String> {
        self.generating(of).await.unwrap_or_default()
    }

    /// Whether an RGD generates a kind; `None` where that cannot be read, as where the caller's own rights
    /// in the cluster do not reach that far.
    pub async fn is_generated(&self, of: &GroupKind) -> Option<bool> {
        if !may_be_generated(of) {
            return Some(false);
        }
        self.generating(of).await.ok().map(|name| name.is_some())
    }

    async fn generating(&self, of: &GroupKind) -> Result<Option<String>, Fault> {
        let by_crd = self.rgd_of_crd(of).await;
        if let Ok(Some(name)) = by_crd {
            return Ok(Some(name));
        }
        let Some(kind) = self.rgd_kind().await else { return by_crd };
        let listed = self.access.unfiltered().list(&kind, None, &Selector::all()).await?;
        match listed.items.iter().find(|rgd| instance_kind(rgd) == *of) {
            Some(rgd) => Ok(Some(rgd.name().to_owned())),
            None if !listed.complete() => Err(Fault::Malformed("not all RGDs could be read".to_owned())),
            None => by_crd,
        }
    }

    /// The label that kro puts on the CRDs it generates. Their RGD is not their owner.
    async fn rgd_of_crd(&self, of: &GroupKind) -> Result<Option<String>, Fault> {
        let crds = GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition");
        let (Some(generated), Some(crds)) = (self.kind(of).await, self.kind(&crds).await) else {
            return Ok(None);
        };
        let name = format!("{}.{}", generated.plural, generated.group);
        match self.access.unfiltered().get(&crds, None, &name).await {
            Ok(crd) => Ok(labels::rgd_name(&crd).map(str::to_owned)),
            Err(Fault::NotFound(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// Whether objects of a kind can be instances of an RGD that is gone: not those of Kubernetes.
fn may_be_generated(kind: &GroupKind) -> bool {
    kind.group.contains('.') && !kind.group.ends_with(".k8s.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rgd_generates_kinds_of_kubernetes() {
        let may = |group| may_be_generated(&GroupKind::new(group, "X"));
        assert_eq!(["kro.run", "acme.example"].map(may), [true; 2]);
        assert_eq!(["", "apps", "networking.k8s.io"].map(may), [false; 3]);
    }
}
