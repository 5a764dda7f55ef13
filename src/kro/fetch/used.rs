//! The kinds that the RGDs of a cluster have to do with, for the rights that it takes to look at them.

use std::collections::BTreeSet;

use super::Reader;
use crate::{
    Error,
    kro::{applyset::GroupKind, definition::Definition, inventory::inventory, rights::Used},
};

impl Reader {
    /// The kinds in use: of instances, those whose RGD is gone among them; of what RGDs make; of what they refer to.
    /// With what could not be seen, a line each.
    ///
    /// # Errors
    /// There is no kro, or RGDs cannot be listed.
    pub async fn used(&self) -> Result<(Used, Vec<String>), Error> {
        let inventory = inventory(self).await?;
        let mut gaps: Vec<String> = inventory.unlisted.iter().chain(&inventory.blind).cloned().collect();
        gaps.extend(inventory.gaps);
        let mut used = Used::default();
        for generated in inventory.generated {
            match self.kind(&generated.kind).await {
                Some(kind) => drop(used.instances.insert((kind.group, kind.plural))),
                None => gaps.push(format!("{}: the cluster does not serve this kind yet", generated.kind)),
            }
        }
        let rgds = self.all_rgds().await?;
        let mut read = BTreeSet::new();
        for rgd in rgds {
            let definition = self.judge(move |work| Definition::read_within(&rgd, &[], work)).await?;
            let kinds = definition.nodes.iter().map(|node| (node.group_kind(), node.external().is_some()));
            read.extend(kinds.filter(|(of, _)| !of.kind.is_empty()));
        }
        for (of, external) in read {
            let Some(kind) = self.kind(&of).await else {
                gaps.push(format!("{of}, which an RGD names: the cluster does not serve this kind"));
                continue;
            };
            let kinds = if external { &mut used.externals } else { &mut used.children };
            kinds.insert((kind.group, kind.plural));
        }
        used.events = self.kind(&GroupKind::new("", "Event")).await.is_some();
        used.revisions =
            self.kind(&GroupKind::new(crate::kro::labels::INTERNAL_GROUP, "GraphRevision")).await.is_some();
        Ok((used, gaps))
    }
}
