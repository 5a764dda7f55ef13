//! [`Header`]: what a token says of itself, and what of it is refused whatever the signature.

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::{algorithm, refusal::Refusal};

/// Members that must not be there. A token that brings its key, or says where to get it, asks to be
/// believed for its own sake (RFC 8725 section 3.10); the others change what the bytes mean.
const FORBIDDEN: [(&str, &str); 9] = [
    ("crit", "its header has crit: extensions that must be understood"),
    ("b64", "its header has b64: an unencoded payload"),
    ("zip", "its header has zip: a compressed payload"),
    ("enc", "its header has enc: it is encrypted"),
    ("epk", "its header has epk: it is encrypted"),
    ("jku", "its header has jku: it says where its key is"),
    ("x5u", "its header has x5u: it says where its certificate is"),
    ("jwk", "its header has jwk: it brings its own key"),
    ("x5c", "its header has x5c: it brings its own certificate"),
];

/// What of a header is of use.
#[derive(Debug)]
pub(in crate::caller) struct Header<'t> {
    pub(in crate::caller) algorithm: Algorithm,
    pub(in crate::caller) key: Option<&'t str>,
}

impl<'t> Header<'t> {
    /// With one of these algorithms, and of a type that is taken: as [`media_type`] writes it.
    pub(in crate::caller) fn check(
        header: &'t Map<String, Value>,
        algorithms: &[Algorithm],
        is_taken: impl FnOnce(&Option<String>) -> bool,
    ) -> Result<Self, Refusal> {
        if let Some((_, why)) = FORBIDDEN.iter().find(|(name, _)| header.contains_key(*name)) {
            return Err(Refusal::Malformed(why));
        }
        if let Some(content) = header.get("cty") {
            let kind = content.as_str().ok_or(Refusal::Malformed("its header cty is not a string"))?;
            if media_type(kind) == "jwt" {
                return Err(Refusal::Malformed("its header cty is JWT: a token within a token"));
            }
        }
        let name = header.get("alg").and_then(Value::as_str).ok_or(Refusal::Algorithm)?;
        let algorithm = algorithm::named(name)
            .filter(|algorithm| algorithms.contains(algorithm))
            .ok_or(Refusal::Algorithm)?;
        let kind = match header.get("typ") {
            None => None,
            Some(Value::String(kind)) => Some(media_type(kind)),
            Some(_) => return Err(Refusal::Type),
        };
        if !is_taken(&kind) {
            return Err(Refusal::Type);
        }
        let key = match header.get("kid") {
            None => None,
            Some(Value::String(key)) => Some(key.as_str()),
            Some(_) => return Err(Refusal::Malformed("its header kid is not a string")),
        };
        Ok(Self { algorithm, key })
    }
}

/// A media type as the headers `typ` and `cty` write it, in one spelling (RFC 7515 section 4.1.9).
pub(crate) fn media_type(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        _ => lower,
    }
}
