//! Who uses the kind: its instances, counted as far as the caller may see them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    kro::{definition::instance_kind, fetch::Reader, instance::Standing, state::State},
    kubernetes::{Object, Selector},
    permission::{Extent, Permission, Requirement, Scope},
    toolbox::Call,
};

/// Namespaces that are told by name, those with most instances first.
const MOST: usize = 20;

/// Instances by state and by namespace.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Usage {
    pub(super) total: usize,
    /// By kro's own conditions; kro_instances has the reasons.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) states: BTreeMap<State, usize>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) namespaces: BTreeMap<String, usize>,
    /// More namespaces than are named.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) more_namespaces: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The instances of an RGD that the caller may see.
#[derive(Debug, Default)]
pub(in crate::kro::tools) struct Instances {
    /// `None` where they could not be looked at.
    pub(in crate::kro::tools) items: Option<Vec<Object>>,
    /// Why some or all were not.
    pub(in crate::kro::tools) gaps: Vec<String>,
}

/// One LIST, as the caller; none where they may not list instances.
pub(in crate::kro::tools) async fn instances(call: &Call, reader: &Reader, rgd: &Object) -> Instances {
    let access = reader.access();
    let cluster = Extent::Named(access.cluster().names());
    let permissions = call.caller().permissions();
    let permission = Permission::KroInstancesList;
    let places = [Extent::Anywhere, Extent::None].map(|place| Scope::cluster(cluster.clone(), place));
    if !places.iter().any(|place| permissions.allows(permission, place)) {
        let gap = format!("its instances were not looked at: that needs {}", permission.name());
        return Instances { items: None, gaps: vec![gap] };
    }
    let of = instance_kind(rgd);
    let Some(kind) = reader.kind(&of).await else {
        // what kro has not made has no instances; what it has may be newer than what we know of the cluster
        let made = ["KindReady", "CustomResourceDefinitionSynced"];
        let made = made.iter().any(|kind| rgd.condition(kind).is_some_and(|condition| condition.is_true()));
        return match made {
            false => Instances { items: Some(Vec::new()), gaps: Vec::new() },
            true => {
                Instances { items: None, gaps: vec![format!("{of}: the cluster does not serve this kind")] }
            }
        };
    };
    let narrowed = call.narrowed(access, Requirement::one(permission));
    match narrowed.list(&kind, None, &Selector::all()).await {
        Ok(listed) => {
            let filtered = !permissions.covers_cluster(permission, &cluster);
            let filtered = filtered.then(|| format!("{of}: filtered to the namespaces that you may see"));
            let cut = listed.cut.map(|why| format!("{of}: {why}"));
            Instances { items: Some(listed.items), gaps: filtered.into_iter().chain(cut).collect() }
        }
        Err(fault) => Instances { items: None, gaps: vec![format!("{of}: {fault}")] },
    }
}

pub(super) fn usage(instances: &[Object]) -> Usage {
    let mut usage = Usage { total: instances.len(), ..Usage::default() };
    let mut namespaces: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in instances {
        *usage.states.entry(Standing::read(instance).state).or_default() += 1;
        if let Some(namespace) = instance.namespace() {
            *namespaces.entry(namespace).or_default() += 1;
        }
    }
    let mut most: Vec<(&str, usize)> = namespaces.into_iter().collect();
    most.sort_by_key(|(namespace, count)| (std::cmp::Reverse(*count), *namespace));
    usage.more_namespaces = most.len().saturating_sub(MOST);
    usage.namespaces =
        most.into_iter().take(MOST).map(|(namespace, count)| (namespace.to_owned(), count)).collect();
    usage
}
