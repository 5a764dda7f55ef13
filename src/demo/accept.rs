//! What form of the answer the `Accept` header asks for.

use http::{HeaderMap, header::ACCEPT};

use super::refusal::Refusal;

/// The form of an object or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Whole,
    /// `PartialObjectMetadata`, or the list of it.
    Metadata,
}

/// The first form that the header names and this server has; tables are not among them.
pub(super) fn form(headers: &HeaderMap, list: bool) -> Result<Form, Refusal> {
    let partial = if list { "PartialObjectMetadataList" } else { "PartialObjectMetadata" };
    choices(headers)
        .into_iter()
        .find_map(|choice| {
            match (choice.kind.as_deref(), choice.group.as_deref(), choice.version.as_deref()) {
                (None, ..) => Some(Form::Whole),
                (Some(kind), Some("meta.k8s.io"), Some("v1")) if kind == partial => Some(Form::Metadata),
                _ => None,
            }
        })
        .ok_or_else(Refusal::not_acceptable)
}

/// Whether discovery is asked for in its aggregated form, ahead of the plain one.
pub(super) fn aggregated(headers: &HeaderMap) -> bool {
    choices(headers)
        .into_iter()
        .find(|choice| choice.kind.is_none() || choice.version.as_deref() == Some("v2"))
        .is_some_and(|choice| {
            choice.group.as_deref() == Some("apidiscovery.k8s.io")
                && choice.kind.as_deref() == Some("APIGroupDiscoveryList")
        })
}

#[derive(Default)]
struct Choice {
    kind: Option<String>,
    group: Option<String>,
    version: Option<String>,
}

/// The choices that JSON can serve, in the order of the header.
fn choices(headers: &HeaderMap) -> Vec<Choice> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let header = values.collect::<Vec<_>>().join(",");
    if header.trim().is_empty() {
        return vec![Choice::default()];
    }
    header.split(',').filter_map(choice).collect()
}

fn choice(text: &str) -> Option<Choice> {
    let mut parts = text.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let mut choice = Choice::default();
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        match key {
            "as" => choice.kind = Some(value.to_owned()),
            "g" => choice.group = Some(value.to_owned()),
            "v" => choice.version = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> HeaderMap {
        [(ACCEPT, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn the_first_form_that_is_had_wins() {
        assert_eq!(form(&HeaderMap::new(), true).unwrap(), Form::Whole);
        assert_eq!(form(&accept("*/*"), true).unwrap(), Form::Whole);
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        assert!(form(&accept(table), true).is_err());
        assert_eq!(form(&accept(&format!("{table},application/json")), true).unwrap(), Form::Whole);
        let partial = accept("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
        assert_eq!(form(&partial, true).unwrap(), Form::Metadata);
        assert!(form(&partial, false).is_err());
        assert!(form(&accept("application/vnd.kubernetes.protobuf"), true).is_err());
    }

    #[test]
    fn discovery_is_aggregated_where_v2_is_asked_for_first() {
        let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        assert!(aggregated(&accept(&format!("{v2},{beta},application/json"))));
        assert!(!aggregated(&accept(&format!("{beta},application/json"))));
        assert!(!aggregated(&accept("application/json")));
        assert!(!aggregated(&HeaderMap::new()));
    }
}
