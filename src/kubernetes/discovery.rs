//! Reading what an API server serves.

mod group_by_group;
#[cfg(test)]
mod tests;

use kube::core::discovery::v2::{ACCEPT_AGGREGATED_DISCOVERY_V2, APIGroupDiscoveryList};
use serde_json::Value;

use super::{access::Access, fault::Fault, kind::Kind, kinds::Kinds};

/// Two requests on any server since 1.26; an older one is asked group by group.
pub(super) async fn read(access: &Access) -> Result<Kinds, Fault> {
    let (core, groups) = futures::try_join!(document(access, "/api"), document(access, "/apis"))?;
    match (aggregated(core)?, aggregated(groups)?) {
        (Some(core), Some(groups)) => Ok(Kinds::from_aggregated([core, groups])),
        _ => group_by_group::read(access).await,
    }
}

/// The subresources of a kind, with one request; nothing where it is not answered.
pub(super) async fn subresources(access: &Access, kind: &Kind) -> Option<Vec<String>> {
    let root = if kind.group.is_empty() { "/api" } else { "/apis" };
    let path = format!("{root}/{}", kind.api_version());
    let served = access.get_json(&path, &[], "application/json").await.ok()?;
    let names =
        served.get("resources")?.as_array()?.iter().filter_map(|resource| resource.get("name")?.as_str());
    let of_kind = names.filter_map(|name| name.split_once('/').filter(|(plural, _)| *plural == kind.plural));
    Some(of_kind.map(|(_, sub)| sub.to_owned()).collect())
}

async fn document(access: &Access, path: &'static str) -> Result<Value, Fault> {
    access.get_json(path, &[], ACCEPT_AGGREGATED_DISCOVERY_V2).await
}

/// `None` where the server answered with the older, unaggregated document.
fn aggregated(document: Value) -> Result<Option<APIGroupDiscoveryList>, Fault> {
    if document.get("kind").and_then(Value::as_str) != Some("APIGroupDiscoveryList") {
        return Ok(None);
    }
    serde_json::from_value(document).map(Some).map_err(|error| Fault::Malformed(error.to_string()))
}
