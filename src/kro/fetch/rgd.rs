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
}

impl Reader {
    /// The RGD of an instance: by its label, else by the label of its CRD, else by the RGD that
    /// generates its kind.
    pub(super) async fn rgd(&self, instance: &Object) -> Found {
        let name = match labels::rgd_name(instance) {
            Some(name) => Some(name.to_owned()),
            None => self.rgd_of_kind(&GroupKind::of(instance)).await,
        };
        let Some(name) = name else { return Found { rgd: Rgd::Unknown, gap: None } };
        let cell = Arc::clone(self.rgds.lock().entry(name.clone()).or_default());
        cell.get_or_init(|| self.read_rgd(name)).await.clone()
    }

    async fn read_rgd(&self, name: String) -> Found {
        let unread = |why: String| Found { rgd: Rgd::Unread(name.clone(), why), gap: None };
        let Some(kind) = self.rgd_kind().await else {
            return unread("the cluster does not serve ResourceGraphDefinition".to_owned());
        };
        // An RGD is in no namespace; what a caller may see of it here is the shape of a graph that
        // they may see.
        let rgd = match self.access.unfiltered().get(&kind, None, &name).await {
            Ok(rgd) => rgd,
            Err(Fault::NotFound(_)) => return Found { rgd: Rgd::Gone(name), gap: None },
            Err(fault) => return unread(fault.to_string()),
        };
        let (revisions, gap) =
            if needs_revision(&rgd) { self.revisions(&name).await } else { (Vec::new(), None) };
        Found { rgd: Rgd::Read(Box::new(Definition::read(&rgd, &revisions))), gap }
    }

    async fn revisions(&self, rgd: &str) -> (Vec<Object>, Option<String>) {
        let wanted = GroupKind::new(labels::INTERNAL_GROUP, "GraphRevision");
        let Some(kind) = self.kind(&wanted).await else { return (Vec::new(), None) };
        let selector = Selector::all().field("spec.snapshot.name", rgd);
        match self.access.unfiltered().list(&kind, None, &selector).await {
            Ok(listed) => (listed.items, None),
            Err(fault) => (Vec::new(), Some(format!("GraphRevisions of {rgd}: {fault}"))),
        }
    }

    /// The kind ResourceGraphDefinition, where the cluster has kro.
    pub async fn rgd_kind(&self) -> Option<Kind> {
        self.kind(&GroupKind::new(labels::GROUP, "ResourceGraphDefinition")).await
    }

    /// The name of the RGD that generates a kind.
    pub async fn rgd_of_kind(&self, of: &GroupKind) -> Option<String> {
        if let Some(name) = self.rgd_of_crd(of).await {
            return Some(name);
        }
        let kind = self.rgd_kind().await?;
        let listed = self.access.unfiltered().list(&kind, None, &Selector::all()).await.ok()?;
        listed.items.iter().find(|rgd| instance_kind(rgd) == *of).map(|rgd| rgd.name().to_owned())
    }

    /// The label that kro puts on the CRDs it generates. Their RGD is not their owner.
    async fn rgd_of_crd(&self, of: &GroupKind) -> Option<String> {
        let generated = self.kind(of).await?;
        let crds = self.kind(&GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition")).await?;
        let name = format!("{}.{}", generated.plural, generated.group);
        let crd = self.access.unfiltered().get(&crds, None, &name).await.ok()?;
        labels::rgd_name(&crd).map(str::to_owned)
    }
}
