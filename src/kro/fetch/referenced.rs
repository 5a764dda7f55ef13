//! Whether some instance refers to an object: the way back from an external reference.

use super::Reader;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::{Definition, instance_kind};
use crate::kro::graph::{Collected, Observed, Reference, Rgd, unread_references};
use crate::kubernetes::{Object, Selector};

/// Instances that are asked before giving up.
const MOST: usize = 200;
/// Lists by selector that are made before giving up.
const LISTS: usize = 20;

impl Reader {
    /// Whether an instance that the caller may see refers to `object`. References whose name comes
    /// from another node are not followed.
    pub async fn is_referenced(&self, object: &Object) -> bool {
        let Some(kind) = self.rgd_kind().await else { return false };
        let of = GroupKind::of(object);
        let Ok(rgds) = self.access.unfiltered().list(&kind, None, &Selector::all()).await else {
            return false;
        };
        let (mut asked, mut lists) = (0, 0);
        for rgd in rgds.items {
            let generated = instance_kind(&rgd);
            let Ok(definition) = self.judge(move |work| Definition::read_within(&rgd, &[], work)).await
            else {
                continue;
            };
            let refers =
                |node: &crate::kro::definition::Node| node.external().is_some() && node.group_kind() == of;
            if !definition.nodes.iter().any(refers) {
                continue;
            }
            let Some(kind) = self.kind(&generated).await else { continue };
            let mut listed = self.access.list(&kind, None, &Selector::all()).await;
            if matches!(&listed, Err(fault) if fault.is_forbidden()) && object.namespace().is_some() {
                // who may not look everywhere may look where the object is
                listed = self.access.list(&kind, object.namespace(), &Selector::all()).await;
            }
            let Ok(instances) = listed else { continue };
            for instance in instances.items {
                asked += 1;
                if asked > MOST {
                    return false;
                }
                let own = instance.namespace().map(str::to_owned);
                let collected = Collected::new(instance, Rgd::Read(Box::new(definition.clone())));
                let references = self.judge(move |work| unread_references(&collected, work)).await;
                for (_, reference) in references.unwrap_or_default() {
                    if *reference.kind() != of {
                        continue;
                    }
                    lists += usize::from(matches!(reference, Reference::Selected { .. }));
                    if lists > LISTS {
                        return false;
                    }
                    if self.means(reference, own.as_deref(), object).await {
                        return true;
                    }
                }
            }
        }
        false
    }

    async fn means(&self, reference: Reference, own: Option<&str>, object: &Object) -> bool {
        if let Reference::Named { namespace, name, .. } = &reference {
            let there = namespace.as_deref().or(own);
            return name == object.name() && (object.namespace().is_none() || object.namespace() == there);
        }
        match self.external(reference, own).await {
            Observed::Many(objects) => objects.iter().any(|found| found.uid() == object.uid()),
            _ => false,
        }
    }
}
