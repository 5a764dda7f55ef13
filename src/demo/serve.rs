//! From a request to the answer.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, Uri, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    accept::{self, Form},
    collection::{Collection, text, typed},
    discovery,
    field_selector::{self, FieldSelector},
    page::Page,
    recording::Recording,
    refusal::Refusal,
    route::{Objects, Route},
    watch,
};
use crate::kubernetes::LabelSelector;

/// What every request is answered from.
#[derive(Clone)]
pub(super) struct Platform {
    pub(super) recording: Arc<Recording>,
    /// Ends the watches.
    pub(super) stop: CancellationToken,
}

/// Answers any request.
pub(super) async fn answer(
    State(platform): State<Platform>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if method != Method::GET {
        return Err(Refusal::read_only());
    }
    let recording = &platform.recording;
    let core = |group: &str| if group.is_empty() { &recording.core } else { &recording.groups };
    match Route::parse(uri.path()).ok_or_else(Refusal::no_such_path)? {
        Route::Version => Ok(Json(&recording.version).into_response()),
        Route::Health => Ok("ok".into_response()),
        Route::Core if accept::aggregated(&headers) => Ok(aggregated(&recording.core)),
        Route::Groups if accept::aggregated(&headers) => Ok(aggregated(&recording.groups)),
        Route::Core => Ok(Json(discovery::versions()).into_response()),
        Route::Groups => Ok(Json(discovery::groups(&recording.groups)).into_response()),
        Route::Group(name) => Ok(Json(discovery::one_group(&recording.groups, &name)?).into_response()),
        Route::Resources { group, version } => {
            Ok(Json(discovery::resources(core(&group), &group, &version)?).into_response())
        }
        Route::Objects(objects) => platform.objects(&objects, &uri, &headers),
    }
}

fn aggregated(document: &Value) -> Response {
    const TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    ([(CONTENT_TYPE, TYPE)], document.to_string()).into_response()
}

impl Platform {
    fn objects(&self, wanted: &Objects, uri: &Uri, headers: &HeaderMap) -> Result<Response, Refusal> {
        let collection = self
            .recording
            .collection(&wanted.group, &wanted.version, &wanted.resource)
            // Only a list can do without the namespace of a kind that has one.
            .filter(|collection| match wanted.namespace {
                Some(_) => collection.namespaced,
                None => !collection.namespaced || wanted.name.is_none(),
            })
            .ok_or_else(Refusal::no_such_path)?;
        match &wanted.name {
            Some(name) => object(collection, wanted, name, headers),
            None => self.list(collection, wanted.namespace.as_deref(), uri, headers),
        }
    }

    fn list(
        &self,
        collection: &Collection,
        namespace: Option<&str>,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Response, Refusal> {
        let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
        let query =
            |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let form = accept::form(headers, true)?;
        let labels = LabelSelector::parse(query("labelSelector"))
            .map_err(|why| Refusal::bad_request(why.to_string()))?;
        let fields = FieldSelector::parse(query("fieldSelector"), || {
            let name = collection.full_name();
            field_selector::known(&name, collection.namespaced, self.recording.definition(&name))
        })?;
        let page = Page::parse(query("limit"), query("continue"))?;
        let within =
            |item: &&Value| namespace.is_none_or(|name| text(item, &["metadata", "namespace"]) == name);
        let items: Vec<&Value> = collection
            .items()
            .iter()
            .filter(within)
            .filter(|item| labels.matches(item.pointer("/metadata/labels")) && fields.matches(item))
            .collect();
        if matches!(query("watch"), "true" | "1") {
            let knows = !matches!(query("resourceVersion"), "" | "0");
            let objects =
                if knows { Vec::new() } else { items.iter().map(|item| collection.whole(item)).collect() };
            let bookmark = (query("sendInitialEvents") == "true").then(|| bookmark(collection));
            return Ok(watch::stream_of(objects, bookmark, query("timeoutSeconds"), self.stop.clone()));
        }
        let mut metadata = match form {
            Form::Whole => collection.list().get("metadata").cloned().unwrap_or_default(),
            Form::Metadata => json!({"resourceVersion": collection.resource_version()}),
        };
        let items = page.cut(items, !labels.is_empty() || !fields.is_empty(), &mut metadata);
        let (kind, api_version, items) = match form {
            Form::Whole => (
                text(collection.list(), &["kind"]),
                collection.api_version(),
                items.into_iter().cloned().collect(),
            ),
            Form::Metadata => (
                "PartialObjectMetadataList",
                "meta.k8s.io/v1".into(),
                items.into_iter().map(partial).collect(),
            ),
        };
        let items: Vec<Value> = items;
        let list = json!({"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items});
        Ok(Json(list).into_response())
    }
}

fn object(
    collection: &Collection,
    wanted: &Objects,
    name: &str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    if let Some(subresource) = &wanted.subresource
        && !collection.subresources.contains(subresource)
    {
        return Err(Refusal::no_such_path());
    }
    let form = accept::form(headers, false)?;
    let object = collection.object(wanted.namespace.as_deref(), name).ok_or_else(|| {
        Refusal::no_such_object(&collection.full_name(), &collection.group, &collection.resource, name)
    })?;
    Ok(match form {
        Form::Whole => Json(object).into_response(),
        Form::Metadata => Json(partial(&object)).into_response(),
    })
}

fn partial(item: &Value) -> Value {
    let metadata = item.get("metadata").cloned().unwrap_or_default();
    typed("PartialObjectMetadata", "meta.k8s.io/v1", &json!({"metadata": metadata}))
}

/// Says that all that is there has been told.
fn bookmark(collection: &Collection) -> Value {
    let metadata = json!({
        "resourceVersion": collection.resource_version(),
        "annotations": {"k8s.io/initial-events-end": "true"},
    });
    typed(&collection.kind, &collection.api_version(), &json!({"metadata": metadata}))
}
