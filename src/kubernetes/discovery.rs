//! Reading what an API server serves.

use kube::core::discovery::v2::{ACCEPT_AGGREGATED_DISCOVERY_V2, APIGroupDiscoveryList};
use serde_json::Value;

use super::{access::Access, fault::Fault, kind::Kind, kinds::Kinds};

/// Two requests on any server since 1.26; an older one is asked group by group.
pub(super) async fn read(access: &Access) -> Result<Kinds, Fault> {
    let (core, groups) = futures::try_join!(document(access, "/api"), document(access, "/apis"))?;
    match (aggregated(core)?, aggregated(groups)?) {
        (Some(core), Some(groups)) => Ok(Kinds::from_aggregated([core, groups])),
        _ => group_by_group(access).await,
    }
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

async fn group_by_group(access: &Access) -> Result<Kinds, Fault> {
    let client = access.cluster().client().await?.clone();
    let discovery = kube::Discovery::new(client)
        .run()
        .await
        .map_err(|error| Fault::Malformed(format!("discovery: {error}")))?;
    Ok(Kinds::from_kinds(discovery.groups().flat_map(kube::discovery::ApiGroup::recommended_resources).map(
        |(resource, capabilities)| Kind {
            listable: capabilities.supports_operation(kube::discovery::verbs::LIST),
            namespaced: capabilities.scope == kube::discovery::Scope::Namespaced,
            singular: resource.kind.to_lowercase(),
            short_names: Vec::new(),
            group: resource.group,
            version: resource.version,
            kind: resource.kind,
            plural: resource.plural,
        },
    )))
}
