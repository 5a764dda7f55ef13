//! What a diagnosis reads besides the graph, one request each.

use super::Reader;
use crate::kro::applyset::GroupKind;
use crate::kro::diagnose::Look;
use crate::kubernetes::{Access, Fault, Kind, Listed, Selector};

/// kro's chart names its Deployment by the release, and labels it so (kro v0.9.4 `helm/templates/_helpers.tpl`).
const CONTROLLER: (&str, &str) = ("app.kubernetes.io/name", "kro");

impl Reader {
    /// What there is to be seen there, through `access`, which shows what the caller may see of it.
    ///
    /// # Errors
    /// It could not be read; [`Fault::NotFound`] for a kind that the cluster does not serve.
    pub async fn look(&self, look: &Look, access: &Access) -> Result<Listed, Fault> {
        match look {
            Look::Owner { kind, namespace, name } => {
                let kind = self.looked_at(kind).await?;
                let namespace = namespace.as_deref().filter(|_| kind.namespaced);
                let object = access.get(&kind, namespace, name).await?;
                Ok(Listed { items: vec![object], ..Listed::default() })
            }
            Look::Controllers => {
                let kind = self.looked_at(&GroupKind::new("apps", "Deployment")).await?;
                access.list(&kind, None, &Selector::all().label(CONTROLLER.0, CONTROLLER.1)).await
            }
            Look::Siblings(kind) => {
                let kind = self.looked_at(kind).await?;
                access.list(&kind, None, &Selector::all()).await
            }
            Look::Pods(namespace, requirement) => {
                let kind = self.looked_at(&GroupKind::new("", "Pod")).await?;
                let selector = match requirement {
                    Some(requirement) => Selector::all().label_requirement(requirement),
                    None => Selector::all(),
                };
                access.list(&kind, Some(namespace), &selector).await
            }
            Look::Warnings(namespace) => {
                let kind = self.looked_at(&GroupKind::new("", "Event")).await?;
                access.list(&kind, Some(namespace), &Selector::all().field("type", "Warning")).await
            }
        }
    }

    async fn looked_at(&self, wanted: &GroupKind) -> Result<Kind, Fault> {
        let missing = || Fault::NotFound(format!("the cluster does not serve {wanted}"));
        self.kind(wanted).await.ok_or_else(missing)
    }
}
