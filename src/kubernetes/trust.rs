//! [`Trust`]: whose tokens a cluster takes, by its own settings. A token of anybody else, or for anybody else, is not
//! sent to it: a cluster that had it could act with it elsewhere.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::time::Instant;

use super::{fault::Fault, identity::Unfit};

/// The issuer and the client that an API server is started with (`--oidc-issuer-url`, `--oidc-client-id`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// `iss` of its tokens, to the letter.
    pub issuer: String,
    /// One of their `aud`.
    pub client: String,
}

/// What knows whose tokens a cluster takes.
pub trait Trusting: std::fmt::Debug + Send + Sync {
    /// Whose they are, which may have to be asked for.
    fn trust(&self, deadline: Instant) -> BoxFuture<'_, Result<Trust, Fault>>;
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audiences,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

impl Trust {
    /// Whether the token says that it is one of these. Nobody verifies it here: whoever lies about it is told so by
    /// the API server.
    ///
    /// # Errors
    /// What it is instead.
    pub fn takes(&self, token: &str) -> Result<(), Unfit> {
        let claims = claims(token).ok_or(Unfit::NoIdToken)?;
        let is_for = match &claims.aud {
            Audiences::One(name) => *name == self.client,
            Audiences::Many(names) => names.contains(&self.client),
        };
        match () {
            () if claims.iss != self.issuer => Err(Unfit::OtherIssuer(self.issuer.clone())),
            () if !is_for => Err(Unfit::OtherAudience(self.client.clone())),
            () => Ok(()),
        }
    }
}

/// What a JWT says of itself (RFC 7519 section 3).
fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judged(claims: &Value) -> Result<(), Unfit> {
        let trust = Trust { issuer: "https://id.example".to_owned(), client: "kubernetes".to_owned() };
        trust.takes(&format!("eyJhbGciOiJSUzI1NiJ9.{}.AAAA", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    #[test]
    fn a_token_of_the_issuer_for_the_client_is_taken_and_no_other_one() {
        let of = |iss: &str, aud: Value| judged(&json!({"iss": iss, "aud": aud, "sub": "x"}));
        let (ours, issuer) = ("https://id.example", Err(Unfit::OtherIssuer("https://id.example".to_owned())));
        assert_eq!(of(ours, json!("kubernetes")), Ok(()));
        assert_eq!(of(ours, json!(["other", "kubernetes"])), Ok(()));
        for iss in ["https://id.example/", "https://ID.example", "", "https://other.example"] {
            assert_eq!(of(iss, json!("kubernetes")), issuer, "{iss}");
        }
        for aud in [json!("other"), json!("Kubernetes"), json!([]), json!(["kubernetes2"])] {
            let audience = Err(Unfit::OtherAudience("kubernetes".to_owned()));
            assert_eq!(of(ours, aud.clone()), audience, "{aud}");
        }
    }

    #[test]
    fn what_does_not_say_whose_it_is_is_not_taken() {
        for odd in [
            json!({"iss": "https://id.example"}),
            json!({"aud": "kubernetes"}),
            json!({"iss": "https://id.example", "aud": ["kubernetes", 7]}),
            json!({"iss": ["https://id.example"], "aud": "kubernetes"}),
            json!([]),
        ] {
            assert_eq!(judged(&odd), Err(Unfit::NoIdToken), "{odd}");
        }
        let trust = Trust { issuer: String::new(), client: String::new() };
        for odd in ["", "opaque", "a.b.c", "..", "a.e30.c.d", "a.e30"] {
            assert_eq!(trust.takes(odd), Err(Unfit::NoIdToken), "{odd}");
        }
    }
}
