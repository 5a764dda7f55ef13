//! Reading all RGDs and the instances of each.

use futures::future::join_all;

use crate::{
    Error,
    kro::{
        definition::{instance_kind, needs_revision},
        fetch::Reader,
    },
    kubernetes::{Fault, Kind, Listed, Object, Selector},
};

use super::coverage::Seen;

/// All RGDs: one LIST.
pub(super) async fn all_rgds(reader: &Reader) -> Result<Listed, Error> {
    let kind = reader.rgd_kind().await.ok_or_else(|| {
        Error::not_found("this cluster has no kro: it serves no ResourceGraphDefinition")
            .next("kubernetes_clusters lists the others")
    })?;
    // An RGD is in no namespace. Its name and kind are used; more is for whoever may list RGDs.
    Ok(reader.access().unfiltered().list(&kind, None, &Selector::all()).await?)
}

/// The instances of all RGDs, each with its RGD's name.
#[derive(Default)]
pub(super) struct Read<'r> {
    pub(super) items: Vec<Object>,
    pub(super) of: Vec<&'r str>,
    pub(super) gaps: Vec<String>,
    /// What could be read of each RGD's kind, in their order.
    pub(super) seen: Vec<Seen>,
}

pub(super) async fn read<'r>(reader: &Reader, rgds: &'r [Object], namespace: Option<&str>) -> Read<'r> {
    let lists = rgds.iter().map(|rgd| instances_of(reader, rgd, namespace));
    let mut read = Read::default();
    for (rgd, listed) in rgds.iter().zip(join_all(lists).await) {
        read.gaps.extend(listed.gap);
        read.seen.push(listed.seen);
        read.of.extend(listed.items.iter().map(|_| rgd.name()));
        read.items.extend(listed.items);
    }
    read
}

struct Instances {
    items: Vec<Object>,
    gap: Option<String>,
    seen: Seen,
}

impl Instances {
    fn none(gap: Option<String>, seen: Seen) -> Self {
        Self { items: Vec::new(), gap, seen }
    }
}

async fn instances_of(reader: &Reader, rgd: &Object, namespace: Option<&str>) -> Instances {
    let of = instance_kind(rgd);
    let Some(kind) = reader.kind(&of).await else {
        // An RGD that kro has not accepted has no kind yet, and so no instances.
        let never = needs_revision(rgd) || rgd.text(&["status", "state"]) != Some("Active");
        // that there should be one is for whoever may list RGDs
        let told = !never && reader.names_rgds();
        let gap = told.then(|| format!("{of}: the cluster does not serve this kind (RGD {})", rgd.name()));
        let seen = if told { Seen::Failed } else { Seen::Whole };
        return Instances::none(gap, seen);
    };
    if namespace.is_some() && !kind.namespaced {
        return Instances::none(None, Seen::Whole);
    }
    match reader.access().list(&kind, namespace, &Selector::all()).await {
        Ok(listed) => {
            // how many are withheld is nobody's business but theirs
            let gap = listed.cut.map(|why| format!("{of}: {why}"));
            let seen = if gap.is_some() { Seen::Part } else { Seen::Whole };
            Instances { items: listed.items, gap, seen }
        }
        Err(fault) => {
            let seen = if fault.is_forbidden() { Seen::Forbidden } else { Seen::Failed };
            Instances::none(Some(unread(&kind, &fault, namespace)), seen)
        }
    }
}

fn unread(kind: &Kind, fault: &Fault, namespace: Option<&str>) -> String {
    let advice = if fault.is_forbidden() && namespace.is_none() && kind.namespaced {
        "; name a namespace"
    } else {
        ""
    };
    format!("{}: {fault}{advice}", kind.group_kind())
}
