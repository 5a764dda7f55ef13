//! What an OAuth client must know of us: protected resource metadata (RFC 9728) and challenges (RFC 6750).

use std::collections::BTreeSet;

use http::{HeaderValue, Uri};
use serde_json::{Value, json};

use super::{Terms, serving::Served};
use crate::{
    caller::Caller,
    permission::{Permission, Policy, Requirement},
};

/// RFC 9728 section 3: in front of the resource's own path.
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of the resource at `url`.
pub(super) fn metadata(url: &str, served: &Served) -> Value {
    let issuers: Vec<&str> =
        served.callers.issuers().settings().map(|settings| settings.issuer.as_str()).collect();
    json!({
        "resource": url,
        "authorization_servers": issuers,
        "scopes_supported": served.terms.scopes,
        "bearer_methods_supported": ["header"],
        "resource_name": "platform-mcp",
    })
}

/// Whether there is somebody to ask for a token: users of Backstage get theirs there, by no metadata.
pub(super) fn has_metadata(served: &Served) -> bool {
    served.callers.issuers().settings().next().is_some()
}

/// Where the metadata of the resource at `url` is.
pub(super) fn metadata_url(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let (scheme, authority) = (url.scheme_str()?, url.authority()?);
    Some(format!("{scheme}://{authority}{WELL_KNOWN}{}", url.path().trim_end_matches('/')))
}

/// The challenge of a 401. It does not say what is wrong with a token.
pub(super) fn challenge(url: &str, served: &Served, sent: bool) -> Option<HeaderValue> {
    challenged(has_metadata(served).then_some(url), &served.terms, sent)
}

fn challenged(url: Option<&str>, terms: &Terms, sent: bool) -> Option<HeaderValue> {
    let error = sent.then_some(("error", "invalid_token".to_owned()));
    let scope = (!terms.scopes.is_empty()).then(|| ("scope", terms.scopes.join(" ")));
    bearer([url.and_then(metadata_url).map(|url| ("resource_metadata", url)), scope, error])
}

/// The challenge of a 403: a token with these scopes would do.
pub(super) fn step_up(url: &str, scopes: &[String]) -> Option<HeaderValue> {
    bearer([
        Some(("error", "insufficient_scope".to_owned())),
        Some(("scope", scopes.join(" "))),
        metadata_url(url).map(|url| ("resource_metadata", url)),
        Some(("error_description", "a token with these scopes may make this call".to_owned())),
    ])
}

fn bearer<const N: usize>(parameters: [Option<(&str, String)>; N]) -> Option<HeaderValue> {
    let parameters: Vec<String> = parameters
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}=\"{}\"", value.replace(['"', '\\'], "")))
        .collect();
    HeaderValue::from_str(format!("Bearer {}", parameters.join(", ")).trim_end()).ok()
}

/// The scopes that a token needs for what its owner lacks, beside those that it has. Nothing where no
/// scope would help: to ask for those that it has would send the client around in circles.
pub(super) fn scopes_for(policy: &Policy, lacking: &Requirement, caller: &Caller) -> Option<Vec<String>> {
    let had: BTreeSet<&str> = caller.scopes().iter().map(String::as_str).collect();
    let one = |permission: &Permission| {
        policy.scopes_giving(&[*permission]).into_iter().find(|scope| !had.contains(scope))
    };
    let more: BTreeSet<&str> = match lacking {
        Requirement::Nothing => return None,
        Requirement::Any(permissions) => [permissions.iter().find_map(one)?].into(),
        Requirement::All(permissions) => permissions.iter().map(one).collect::<Option<_>>()?,
    };
    Some(had.union(&more).map(|&scope| scope.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(scopes: &[&str]) -> Terms {
        Terms { scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(), ..Terms::default() }
    }

    #[test]
    fn metadata_stands_between_the_host_and_the_path() {
        for (resource, metadata) in [
            ("https://a.example/mcp", "https://a.example/.well-known/oauth-protected-resource/mcp"),
            (
                "https://a.example:8443/b/mcp/",
                "https://a.example:8443/.well-known/oauth-protected-resource/b/mcp",
            ),
            ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp"),
            ("https://a.example", "https://a.example/.well-known/oauth-protected-resource"),
        ] {
            assert_eq!(metadata_url(resource).as_deref(), Some(metadata), "{resource}");
        }
    }

    #[test]
    fn a_challenge_names_an_error_only_where_a_credential_came() {
        let said = |sent, scopes: &[&str]| {
            let challenge = challenged(Some("https://a.example/mcp"), &terms(scopes), sent).unwrap();
            challenge.to_str().unwrap().to_owned()
        };
        let place = r#"resource_metadata="https://a.example/.well-known/oauth-protected-resource/mcp""#;
        assert_eq!(said(false, &[]), format!("Bearer {place}"));
        assert_eq!(said(false, &["a", "b"]), format!(r#"Bearer {place}, scope="a b""#));
        let nobody = |sent| challenged(None, &terms(&[]), sent).unwrap();
        assert_eq!(
            (nobody(false), nobody(true)),
            ("Bearer".parse().unwrap(), r#"Bearer error="invalid_token""#.parse().unwrap())
        );
        assert_eq!(said(true, &["a"]), format!(r#"Bearer {place}, scope="a", error="invalid_token""#));
    }
}
