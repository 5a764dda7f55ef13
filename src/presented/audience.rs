//! Whether a token is for this server, however it is spelled.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

/// Whoever gets the token may take more spellings than we do, or mend one.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the types of Backstage's tokens begin with, which act as a user there and perhaps here: never a cluster's.
const BACKSTAGE: &str = "vnd.backstage.";

/// What a header or the claims may say.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    aud: Option<Audiences>,
    #[serde(default)]
    typ: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<serde_json::Value>),
    /// Of no use, and no reason to overlook the rest.
    Other(serde::de::IgnoredAny),
}

/// Whether one of the parts of a token says that it is for one of `ours`. What is no JWT says nothing.
pub(crate) fn is_for(token: &str, ours: &[String]) -> bool {
    let ours = |name: &str| ours.iter().any(|our| our == name);
    let of_backstage = |kind: &str| kind.to_ascii_lowercase().contains(BACKSTAGE);
    token.split('.').filter_map(claims).any(|claims| {
        claims.typ.as_str().is_some_and(of_backstage)
            || match claims.aud {
                None => false,
                Some(Audiences::One(name)) => ours(&name),
                Some(Audiences::Many(names)) => names.iter().any(|name| name.as_str().is_some_and(ours)),
                Some(Audiences::Other(_)) => false,
            }
    })
}

fn claims(part: &str) -> Option<Claims> {
    let part = part.trim_end_matches('=').replace('+', "-").replace('/', "_");
    // six bits alone are no byte
    let whole = if part.len() % 4 == 1 { part.len() - 1 } else { part.len() };
    serde_json::from_slice(&LENIENT.decode(part.get(..whole)?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    const OURS: &str = "https://mcp.example";

    fn judged(token: &str) -> bool {
        is_for(token, &["spare".to_owned(), OURS.to_owned()])
    }

    fn jwt(claims: &Value) -> String {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.AAAA", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn a_jwt_for_one_of_ours_is_ours() {
        for audience in [json!(OURS), json!("spare"), json!(["a", OURS]), json!([7, OURS])] {
            assert!(judged(&jwt(&json!({"aud": audience}))), "{audience}");
        }
        for audience in [json!("https://cluster.example"), json!([]), json!(["a"]), json!(7), Value::Null] {
            assert!(!judged(&jwt(&json!({"aud": audience, "azp": OURS}))), "{audience}");
        }
        assert!(!judged(&jwt(&json!({"sub": OURS}))));
        assert!(!is_for(&jwt(&json!({"aud": OURS})), &[]));
    }

    #[test]
    fn tokens_of_backstage_are_nobody_elses() {
        for kind in ["vnd.backstage.user", "vnd.backstage.limited-user", "application/vnd.Backstage.plugin"] {
            let header = URL_SAFE_NO_PAD.encode(json!({"typ": kind, "alg": "ES256", "aud": 7}).to_string());
            assert!(judged(&format!("{header}.{}.AAAA", URL_SAFE_NO_PAD.encode("{}"))), "{kind}");
        }
    }

    #[test]
    fn another_spelling_is_the_same_token() {
        // of each length, so that there are spare bits and padding
        for name in ["a", "ab", "abc", "\u{ff}\u{3fe}>>??"] {
            let token = jwt(&json!({"sub": name, "aud": OURS}));
            let mut parts = token.split('.');
            let [head, claims, signature] = [(); 3].map(|()| parts.next().expect("a part"));
            let standard = STANDARD.encode(json!({"sub": name, "aud": OURS}).to_string());
            for other in [
                format!("{token}="),
                format!("{head}.{claims}.AAAB"),
                format!("{head}.{claims}==.{signature}"),
                format!("{head}.{standard}.{signature}"),
                format!("{head}.{claims}"),
                format!("{head}.{claims}."),
                format!("{head}.{claims}.{signature}.more"),
                format!(".{token}"),
            ] {
                assert!(judged(&other), "{other}");
            }
            if claims.len() % 4 != 0 {
                let last = claims.chars().next_back().expect("one");
                let spare = char::from(u8::try_from(last).expect("ASCII") + 1);
                let other = format!("{head}.{}{spare}.{signature}", &claims[..claims.len() - 1]);
                assert!(judged(&other), "{other}");
            }
        }
    }

    #[test]
    fn what_is_no_jwt_says_nothing() {
        for token in
            ["", ".", "..", "opaque", "a.b.c", "https://mcp.example", "eyJhbGciOiJSUzI1NiJ9.W10.AAAA"]
        {
            assert!(!judged(token), "{token}");
        }
    }
}
