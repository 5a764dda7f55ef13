//! What a request for entities asks for: which form, and whether what its sender has is still so.

use http::{HeaderMap, header, request::Parts};

use crate::catalog::Format;

/// The form that `?format=` names, or that `Accept` has before any other; otherwise YAML.
pub(super) fn format(parts: &Parts) -> Result<Format, &'static str> {
    let query = parts.uri.query().unwrap_or_default();
    let mut named = query.split('&').filter_map(|pair| pair.strip_prefix("format="));
    match (named.next(), named.next()) {
        (None, _) => Ok(accepted(&parts.headers)),
        (Some("yaml"), None) => Ok(Format::Yaml),
        (Some("json"), None) => Ok(Format::Json),
        _ => Err("format is yaml or json, and named once"),
    }
}

fn accepted(headers: &HeaderMap) -> Format {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = values.flat_map(|value| value.split(',')).filter_map(|kind| {
        match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Format::Json),
            "application/yaml" | "text/yaml" | "application/x-yaml" | "text/*" | "application/*" | "*/*" => {
                Some(Format::Yaml)
            }
            _ => None,
        }
    });
    kinds.next().unwrap_or_default()
}

/// Whether `If-None-Match` has it (RFC 9110 section 13.1.2: the weak comparison).
pub(super) fn knows(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|known| {
        // some proxies say of what they compressed that it is not the same byte for byte
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&'static str, &'static str)]) -> Parts {
        let request = Request::builder().uri(uri);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_catalog_gets_yaml_and_whoever_asks_for_it_json() {
        for (uri, accept, wanted) in [
            ("/entities", "*/*", Ok(Format::Yaml)),
            ("/entities", "application/json", Ok(Format::Json)),
            ("/entities", "text/html, application/json;q=0.9, */*;q=0.8", Ok(Format::Json)),
            ("/entities", "application/yaml, application/json", Ok(Format::Yaml)),
            ("/entities", "image/png", Ok(Format::Yaml)),
            ("/entities?format=json", "*/*", Ok(Format::Json)),
            ("/entities?format=yaml", "application/json", Ok(Format::Yaml)),
            ("/entities?at=main&format=yaml", "*/*", Ok(Format::Yaml)),
            ("/entities?format=xml", "*/*", Err(())),
            ("/entities?format=yaml&format=json", "*/*", Err(())),
        ] {
            assert_eq!(format(&parts(uri, &[("accept", accept)])).map_err(|_| ()), wanted, "{uri} {accept}");
        }
        assert_eq!(format(&parts("/entities", &[])), Ok(Format::Yaml));
    }

    #[test]
    fn a_tag_is_known_where_it_is_named_whole() {
        for (sent, known) in [
            ("\"a\"", true),
            ("\"b\", \"a\"", true),
            ("W/\"a\"", true),
            ("*", true),
            ("a", false),
            ("\"ab\"", false),
            ("", false),
        ] {
            let parts = parts("/entities", &[("if-none-match", sent)]);
            assert_eq!(knows(&parts.headers, "\"a\""), known, "{sent}");
        }
    }
}
