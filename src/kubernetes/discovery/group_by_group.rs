//! Discovery of servers before 1.26: a document for each version of each group.
//!
//! Not by `kube::Discovery`, whose requests have no bound in number, size or time and no name of the
//! call that they are made for.

use std::cmp::Reverse;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    APIGroup, APIGroupList, APIResource, APIResourceList, APIVersions,
};
use kube::core::Version;
use serde::de::DeserializeOwned;

use super::super::{access::Access, fault::Fault, kind::Kind, kinds::Kinds};

/// Documents that are read; a call has 300 requests for all it does.
const MOST: usize = 200;
/// Documents on their way at once.
const PARALLEL: usize = 8;

/// One version of a group (empty for core), by names that are safe in a path.
struct Served {
    group: String,
    version: String,
}

pub(super) async fn read(access: &Access) -> Result<Kinds, Fault> {
    let (core, groups) = futures::try_join!(
        document::<APIVersions>(access, "/api"),
        document::<APIGroupList>(access, "/apis")
    )?;
    let found: Vec<Vec<Kind>> = stream::iter(in_order(core, groups.groups).into_iter().take(MOST))
        .map(|served| kinds(access, served))
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    Ok(Kinds::from_kinds(found.into_iter().flatten()))
}

/// What each group prefers, then the other versions, which may have kinds that the preferred one has not.
fn in_order(core: APIVersions, groups: Vec<APIGroup>) -> Vec<Served> {
    let core = versions("", core.versions, Some("v1"));
    let groups = groups.into_iter().filter(|group| is_subdomain(&group.name)).map(|group| {
        let preferred = group.preferred_version.map(|preferred| preferred.version);
        let served = group.versions.into_iter().map(|served| served.version).collect();
        versions(&group.name, served, preferred.as_deref())
    });
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for group in std::iter::once(core).chain(groups) {
        let mut group = group.into_iter();
        first.extend(group.next());
        others.extend(group);
    }
    first.extend(others);
    first
}

/// The versions of a group: the preferred one, then the more stable before the less.
fn versions(group: &str, mut served: Vec<String>, preferred: Option<&str>) -> Vec<Served> {
    served.retain(|version| is_label(version) && version.len() <= 63);
    served.sort_by_cached_key(|version| {
        (Some(version.as_str()) != preferred, Reverse(Version::parse(version).priority()))
    });
    served.dedup();
    served.into_iter().map(|version| Served { group: group.to_owned(), version }).collect()
}

/// The kinds of one version. A group whose server does not answer for it (that of an aggregated API may be
/// down) has none; without the core group, and where the call or the connection ends, there is no answer.
async fn kinds(access: &Access, served: Served) -> Result<Vec<Kind>, Fault> {
    let Served { group, version } = &served;
    let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    match document::<APIResourceList>(access, &path).await {
        Ok(list) => {
            Ok(list.resources.into_iter().filter_map(|resource| described(&served, resource)).collect())
        }
        Err(
            fault @ (Fault::Status { .. } | Fault::NotFound(_) | Fault::Forbidden(_) | Fault::Malformed(_)),
        ) if !group.is_empty() => {
            tracing::debug!(%group, %version, %fault, "left out of discovery");
            Ok(Vec::new())
        }
        Err(fault) => Err(fault),
    }
}

async fn document<T: DeserializeOwned>(access: &Access, path: &str) -> Result<T, Fault> {
    let document = access.get_json(path, &[], "application/json").await?;
    serde_json::from_value(document).map_err(|error| Fault::Malformed(error.to_string()))
}

/// `None` for a subresource.
fn described(served: &Served, resource: APIResource) -> Option<Kind> {
    (!resource.name.contains('/')).then(|| Kind {
        group: served.group.clone(),
        version: served.version.clone(),
        kind: resource.kind,
        plural: resource.name,
        singular: resource.singular_name,
        short_names: resource.short_names.unwrap_or_default(),
        namespaced: resource.namespaced,
        listable: resource.verbs.iter().any(|verb| verb == "list"),
    })
}

/// RFC 1123, as Kubernetes wants the name of a group.
fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}
