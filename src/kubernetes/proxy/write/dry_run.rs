//! Whether an API server tries a change where it is asked to. An aggregated API may know nothing of `dryRun` and
//! make the change at once, so what is not known to take it is not asked.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use http::Method;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::kubernetes::{Access, Fault, access::parse, proxy::Resource};

/// Groups that the API server itself serves (kubernetes `pkg/controlplane/instance.go`): all of them do dry runs.
const BUILT_IN: [&str; 23] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];
/// How long it is known for.
const FRESH: Duration = Duration::from_secs(300);
/// Operations that are known of one cluster.
const MOST: usize = 2_000;

/// Which operations of a cluster do dry runs, by its OpenAPI documents.
#[derive(Debug, Default)]
pub struct DryRuns(Mutex<HashMap<String, (bool, Instant)>>);

/// Whether this can be tried; if not, why.
///
/// # Errors
/// In words.
pub async fn is_tried(access: &Access, method: &Method, resource: &Resource) -> Result<(), String> {
    if BUILT_IN.contains(&resource.group.as_str()) {
        return Ok(());
    }
    let none = || Err("its API does not say that it does dry runs".to_owned());
    // of a collection the documents of custom resources do not say it, and its objects are deleted one by one
    let mut resource = resource.clone();
    if *method == Method::DELETE && resource.name.is_none() {
        resource.name = Some(String::new());
    }
    let path = template(&resource);
    let key = format!("{method} {path}");
    let known = &access.cluster().dry_runs().0;
    let held = known.lock().get(&key).filter(|(_, read)| read.elapsed() < FRESH).map(|(is, _)| *is);
    let is = match held {
        Some(is) => is,
        None => {
            let read = read(access, method, &resource, &path).await;
            let is =
                read.map_err(|fault| format!("whether its API does dry runs could not be read ({fault})"))?;
            let mut known = known.lock();
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(key, (is, Instant::now()));
            is
        }
    };
    if is { Ok(()) } else { none() }
}

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow, default)]
    paths: BTreeMap<String, &'d RawValue>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(default)]
    name: String,
}

async fn read(access: &Access, method: &Method, resource: &Resource, path: &str) -> Result<bool, Fault> {
    let document = format!("/openapi/v3/apis/{}/{}", resource.group, resource.version);
    let body = access.get_body(&document, &[], "application/json").await?;
    let document: Document<'_> = parse(&body)?;
    let Some(operations) = document.paths.get(path) else { return Ok(false) };
    #[derive(Deserialize)]
    struct Operations {
        put: Option<Operation>,
        post: Option<Operation>,
        patch: Option<Operation>,
        delete: Option<Operation>,
    }
    let operations: Operations = parse(operations.get().as_bytes())?;
    let operation = match *method {
        Method::PUT => operations.put,
        Method::POST => operations.post,
        Method::PATCH => operations.patch,
        _ => operations.delete,
    };
    let says = |operation: Operation| operation.parameters.iter().any(|parameter| parameter.name == "dryRun");
    Ok(operation.is_some_and(says))
}

/// Its path in an OpenAPI document.
fn template(resource: &Resource) -> String {
    let Resource { group, version, plural, .. } = resource;
    let namespace = if resource.namespace.is_some() { "/namespaces/{namespace}" } else { "" };
    let name = if resource.name.is_some() { "/{name}" } else { "" };
    let sub = resource.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
    format!("/apis/{group}/{version}{namespace}/{plural}{name}{sub}")
}

#[cfg(test)]
mod tests {
    use crate::kubernetes::proxy::Target;

    #[test]
    fn paths_are_found_in_documents() {
        for (path, template) in [
            (
                "/apis/a.b/v1/namespaces/x/things/y/scale",
                "/apis/a.b/v1/namespaces/{namespace}/things/{name}/scale",
            ),
            ("/apis/a.b/v1/things", "/apis/a.b/v1/things"),
        ] {
            let target = Target::parse(path).expect("a path");
            assert_eq!(super::template(target.resource().expect("a resource")), template);
        }
    }
}
