//! What a token endpoint answers (RFC 8693 section 2.2), judged before any of it is used. Pure.

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::super::hash;
use crate::{
    answer::sanitise,
    kubernetes::{Fault, identity::is_b64token},
    presented::is_for,
    strict_json,
};

/// The longest token, in bytes.
pub(in crate::caller) const LONGEST: usize = 32 << 10;
/// The longest life that is believed.
const LONGEST_LIFE: i64 = 24 * 3_600;
/// Characters of what an issuer says of an error.
const LONGEST_SAID: usize = 200;
/// A word of it that is longer may be a token.
const LONGEST_WORD: usize = 40;

/// A token that was given.
pub(super) struct Given {
    pub(super) token: SecretString,
    /// From now; nothing where the issuer does not say it.
    pub(super) life: Option<SignedDuration>,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::caller) struct Failed {
    /// Of the issuer, in words that hold nothing secret.
    pub(in crate::caller) message: String,
    /// Whether the same may work later.
    pub(in crate::caller) retryable: bool,
}

impl Failed {
    pub(super) fn outage(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: true }
    }

    pub(super) fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: false }
    }

    pub(super) fn fault(self) -> Fault {
        Fault::NotExchanged { message: self.message, retryable: self.retryable }
    }
}

/// The token in the body of a 200. `subject` is the hash of what was exchanged, `ours` whom tokens for this
/// server name.
pub(super) fn given(body: &[u8], subject: &[u8; 32], ours: &[String]) -> Result<Given, Failed> {
    let members = strict_json::object(body).map_err(|why| Failed::lasting(format!("its answer: {why}")))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let token = text("access_token").ok_or_else(|| Failed::lasting("its answer has no access_token"))?;
    let wrong = match () {
        () if token.len() > LONGEST => "the token that it gave is longer than 32 KiB".to_owned(),
        () if !is_b64token(token) => "what it gave has characters that no bearer token has".to_owned(),
        () if hash(token.as_bytes()) == *subject => {
            "it gave your own token back, which is for this server and never passed on".to_owned()
        }
        () if is_for(token, ours) => {
            "the token that it gave is for this server too, so no cluster may have it; the issuer must leave \
             this server's audience out of what it exchanges"
                .to_owned()
        }
        () => match (text("token_type"), text("issued_token_type")) {
            (Some(kind), _) if !["bearer", "n_a"].iter().any(|known| kind.eq_ignore_ascii_case(known)) => {
                format!("it gave a token of the type {:?}, not Bearer", sanitise::short(kind, 40))
            }
            (None, _) => "its answer has no token_type".to_owned(),
            (_, None) => "its answer has no issued_token_type".to_owned(),
            (_, Some(kind)) if !is_access(kind) => {
                format!("it gave a {:?}, not an access token", sanitise::short(kind, 80))
            }
            _ => return Ok(Given { token: token.to_owned().into(), life: life(&members)? }),
        },
    };
    Err(Failed::lasting(wrong))
}

fn is_access(kind: &str) -> bool {
    let kind = kind.strip_prefix("urn:ietf:params:oauth:token-type:");
    matches!(kind, Some("access_token" | "jwt"))
}

/// Some issuers write the number as a text.
fn life(members: &Map<String, Value>) -> Result<Option<SignedDuration>, Failed> {
    let seconds = match members.get("expires_in") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_i64(),
    };
    match seconds {
        Some(seconds) if seconds > 0 => Ok(Some(SignedDuration::from_secs(seconds.min(LONGEST_LIFE)))),
        _ => {
            Err(Failed::lasting("the token that it gave has ended already, or it does not say when it ends"))
        }
    }
}

/// What an answer says that is no 200 (RFC 6749 section 5.2). `secrets` are not in what is told.
pub(in crate::caller) fn failed(status: u16, body: &[u8], secrets: &[&SecretString]) -> Failed {
    let members = strict_json::object(body).unwrap_or_default();
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = Some(text("error")).filter(|code| is_code(code));
    let holds = |said: &str| {
        secrets.iter().any(|secret| said.contains(secret.expose_secret()))
            || said
                .split(|c: char| c.is_whitespace() || "\"'`,;()<>".contains(c))
                .any(|word| word.len() > LONGEST_WORD)
    };
    let said = Some(text("error_description")).filter(|said| !said.is_empty() && !holds(said));
    let message = match (code, said) {
        (Some(code), Some(said)) => format!("{code}: {}", sanitise::short(said, LONGEST_SAID)),
        (Some(code), None) => format!("{code} ({status})"),
        (None, _) => format!("it answers {status}"),
    };
    let passing = matches!(code, Some("temporarily_unavailable" | "server_error"));
    Failed { message, retryable: passing || status >= 500 || status == 429 }
}

/// Whether it may be an error code of OAuth.
fn is_code(code: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=60).contains(&code.len()) && code.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    const URN: &str = "urn:ietf:params:oauth:token-type:access_token";

    fn judged(answer: &Value) -> Result<(String, Option<i64>), Failed> {
        let ours = ["https://mcp.example".to_owned()];
        let given = given(answer.to_string().as_bytes(), &hash(b"subject"), &ours)?;
        Ok((given.token.expose_secret().to_owned(), given.life.map(|life| life.as_secs())))
    }

    fn jwt(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.AAAA", part(&json!({"alg": "RS256"})), part(claims))
    }

    #[test]
    fn a_token_for_the_cluster_is_taken() {
        let ok = |answer: Value, life| assert_eq!(judged(&answer), Ok(("t".to_owned(), life)), "{answer}");
        ok(
            json!({"access_token": "t", "token_type": "Bearer", "issued_token_type": URN, "expires_in": 60}),
            Some(60),
        );
        ok(json!({"access_token": "t", "token_type": "bearer", "issued_token_type": URN}), None);
        ok(
            json!({"access_token": "t", "token_type": "N_A", "issued_token_type": URN, "expires_in": "7"}),
            Some(7),
        );
        let jwt_type = URN.replace("access_token", "jwt");
        ok(
            json!({"access_token": "t", "token_type": "Bearer", "issued_token_type": jwt_type, "expires_in": 9e5 as i64}),
            Some(86_400),
        );
        let theirs = jwt(&json!({"aud": ["https://cluster.example"]}));
        let answer = json!({"access_token": theirs, "token_type": "Bearer", "issued_token_type": URN});
        assert!(judged(&answer).is_ok());
    }

    #[test]
    fn everything_else_is_none_and_says_nothing_of_itself() {
        let whole = json!({"access_token": "planted", "token_type": "Bearer", "issued_token_type": URN, "expires_in": 60});
        let with = |name: &str, value: Value| {
            let mut answer = whole.clone();
            answer[name] = value;
            answer
        };
        let ours =
            [jwt(&json!({"aud": "https://mcp.example"})), jwt(&json!({"aud": ["a", "https://mcp.example"]}))];
        for (answer, why) in [
            (json!([]), "not an object"),
            (json!({}), "no access_token"),
            (with("access_token", json!(7)), "no access_token"),
            (with("access_token", json!("")), "characters"),
            (with("access_token", json!("planted token")), "characters"),
            (with("access_token", json!("planted\r\nx: y")), "characters"),
            (with("access_token", json!("x".repeat(LONGEST + 1))), "longer"),
            (with("access_token", json!("subject")), "your own token"),
            (with("access_token", json!(ours[0])), "for this server too"),
            (with("access_token", json!(ours[1])), "for this server too"),
            (with("token_type", Value::Null), "no token_type"),
            (with("token_type", json!("DPoP")), "not Bearer"),
            (with("issued_token_type", Value::Null), "no issued_token_type"),
            (with("issued_token_type", json!(URN.replace("access", "refresh"))), "not an access token"),
            (with("issued_token_type", json!("access_token")), "not an access token"),
            (with("expires_in", json!(0)), "ended already"),
            (with("expires_in", json!(-1)), "ended already"),
            (with("expires_in", json!("soon")), "ended already"),
            (with("expires_in", json!(1.5)), "ended already"),
        ] {
            let failed = judged(&answer).expect_err(why);
            assert!(failed.message.contains(why) && !failed.retryable, "{answer}: {failed:?}");
            assert!(!failed.message.contains("planted"), "{failed:?}");
        }
        let twice = br#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#;
        let failed = given(twice, &[0; 32], &[]).err().expect("two of them");
        assert!(failed.message.contains("twice"), "{failed:?}");
    }

    #[test]
    fn an_error_is_named_and_what_it_quotes_is_not() {
        let secret = SecretString::from("s3cret");
        let say = |status, body: Value| failed(status, body.to_string().as_bytes(), &[&secret]);
        for (status, body, message, retryable) in [
            (
                400,
                json!({"error": "invalid_target", "error_description": "unknown\u{1b}[31m audience\n x"}),
                "invalid_target: unknown audience x",
                false,
            ),
            (401, json!({"error": "invalid_client"}), "invalid_client (401)", false),
            (
                400,
                json!({"error": "invalid_grant", "error_description": "the secret is s3cret"}),
                "invalid_grant (400)",
                false,
            ),
            (
                400,
                json!({"error": "invalid_grant", "error_description": format!("token={}", "A".repeat(60))}),
                "invalid_grant (400)",
                false,
            ),
            (400, json!({"error": "no code at all"}), "it answers 400", false),
            (400, json!({"error": {"a": 1}}), "it answers 400", false),
            (404, json!("x"), "it answers 404", false),
            (503, json!({"error": "temporarily_unavailable"}), "temporarily_unavailable (503)", true),
            (400, json!({"error": "server_error"}), "server_error (400)", true),
            (429, json!({}), "it answers 429", true),
            (502, json!({}), "it answers 502", true),
        ] {
            assert_eq!(say(status, body), Failed { message: message.to_owned(), retryable });
        }
        assert_eq!(failed(500, b"<html>", &[]).message, "it answers 500");
    }
}
