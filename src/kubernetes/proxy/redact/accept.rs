//! What of an `Accept` header is asked for where the answer has to be JSON.

use http::{HeaderMap, HeaderValue, header::ACCEPT};

/// The header with its JSON alone, tables and metadata included; `None` where it takes none. A client that
/// says nothing gets JSON.
pub(super) fn json_only(headers: &HeaderMap) -> Option<HeaderValue> {
    let written = headers.get_all(ACCEPT).iter();
    let written = written.map(|value| value.to_str().ok()).collect::<Option<Vec<_>>>()?.join(",");
    if written.trim().is_empty() {
        return Some(HeaderValue::from_static("application/json"));
    }
    let kept: Vec<String> = written.split(',').filter_map(json).collect();
    if kept.is_empty() { None } else { HeaderValue::try_from(kept.join(",")).ok() }
}

/// One choice as JSON, with its parameters.
fn json(choice: &str) -> Option<String> {
    let (kind, parameters) = choice.split_once(';').map_or((choice, None), |(kind, rest)| (kind, Some(rest)));
    let kind = kind.trim().to_ascii_lowercase();
    // a document of many lines could not be told from many documents
    let kept = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        !parameter.trim().is_empty() && !name.trim().eq_ignore_ascii_case("pretty")
    };
    let parameters = parameters.into_iter().flat_map(|rest| rest.split(';')).filter(kept);
    let parameters: String = parameters.map(|parameter| format!(";{}", parameter.trim())).collect();
    matches!(kind.as_str(), "application/json" | "application/*" | "*/*")
        .then(|| format!("application/json{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(accept: &str) -> Option<String> {
        let headers = [(ACCEPT, accept.parse().expect("a header"))].into_iter().collect();
        json_only(&headers).map(|value| value.to_str().expect("text").to_owned())
    }

    #[test]
    fn json_stays_in_its_forms_and_nothing_else() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        assert_eq!(kept(&format!("{table},application/json")), Some(format!("{table},application/json")));
        assert_eq!(
            kept(
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata, application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, Application/JSON"
            ),
            Some("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json".to_owned())
        );
        assert_eq!(
            kept("application/json; pretty=1;stream=watch"),
            Some("application/json;stream=watch".to_owned())
        );
        assert_eq!(kept("application/yaml, */*;q=0.1"), Some("application/json;q=0.1".to_owned()));
        assert_eq!(json_only(&HeaderMap::new()), Some(HeaderValue::from_static("application/json")));
        for none in ["application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor", "text/*"]
        {
            assert_eq!(kept(none), None, "{none}");
        }
    }
}
