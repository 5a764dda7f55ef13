//! [`Compact`]: a JWS in compact serialisation (RFC 7515 section 7.1), taken apart strictly.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::strict_json;

/// No token is longer, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// A token taken apart. Nothing of it is known to be true.
#[derive(Debug)]
pub(in crate::caller) struct Compact<'t> {
    /// What the signature is over.
    pub(in crate::caller) signed: &'t str,
    /// The signature, still encoded.
    pub(in crate::caller) signature: &'t str,
    pub(in crate::caller) header: Map<String, Value>,
    pub(in crate::caller) claims: Map<String, Value>,
}

impl<'t> Compact<'t> {
    pub(in crate::caller) fn parse(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > LONGEST {
            return Err(Refusal::Malformed("it is longer than 64 KiB"));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Refusal::Malformed("it is no JWT: it does not have three parts"));
        };
        if parts.next().is_some() {
            return Err(Refusal::Malformed("it has more than three parts, as an encrypted token has"));
        }
        if decoded(signature)?.is_empty() {
            return Err(Refusal::Malformed("it has no signature"));
        }
        let signed = token.get(..header.len() + 1 + claims.len()).unwrap_or_default();
        Ok(Self { signed, signature, header: object(header)?, claims: object(claims)? })
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Refusal> {
    strict_json::object(&decoded(part)?).map_err(Refusal::Malformed)
}

/// Without padding, without other alphabets, without stray bits: one token has one spelling.
pub(super) fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed("a part is not base64url without padding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(token: &str) -> Result<(), Refusal> {
        Compact::parse(token).map(|_| ())
    }

    #[test]
    fn only_three_parts_of_base64url_are_a_token() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"a"}"#);
        assert_eq!(parse(&format!("{header}.{claims}.AAAA")), Ok(()));
        for odd in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            format!("{header}.{claims}"),
            format!("{header}.{claims}."),
            format!("{header}..AAAA"),
            format!(".{claims}.AAAA"),
            format!("{header}.{claims}.AAAA."),
            format!("{header}.{claims}.AAAA.AAAA.AAAA"),
            format!("{header}.{claims}.AAA="),
            format!("{header}.{claims}.AA+/"),
            format!("{header}.{claims}.AAAB "),
            format!(" {header}.{claims}.AAAA"),
            format!("{header}.{claims}.AB"),
            format!("{header}=.{claims}.AAAA"),
            format!("{header}.{claims}.AA\nAA"),
            format!("{header}.{claims}.{}", "A".repeat(LONGEST)),
            "not a token".to_owned(),
            "ey\u{301}.a.b".to_owned(),
        ] {
            assert!(matches!(parse(&odd), Err(Refusal::Malformed(_))), "{odd:.80}");
        }
    }
}
