//! [`Login`]: how the users of a cluster log in themselves, as an `exec` entry for
//! `platform-mcp token`. It holds no secret.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{pem, server};
use crate::palette::api::oidc::OidcSpec;

/// Characters of an issuer or a client id.
const LONGEST: usize = 512;
/// Characters of a scope, and how many there may be.
const LONGEST_SCOPE: usize = 128;
const MOST_SCOPES: usize = 16;
/// Characters of a secret that is looked for within other texts.
const SHORTEST_SECRET: usize = 4;

/// A login with an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    issuer: String,
    client_id: String,
    scopes: Vec<String>,
    /// PEM.
    authorities: Option<String>,
    /// What whoever uses it has to know, a line each.
    pub notes: Vec<String>,
}

/// Why users cannot log in so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLogin {
    /// No issuer is configured.
    #[error("no OIDC issuer is configured for it")]
    Absent,
    /// What is configured is none.
    #[error("its OIDC configuration cannot be used: the {0}")]
    Odd(&'static str),
}

impl Login {
    /// Of what Palette tells, each part of it looked at.
    ///
    /// # Errors
    /// [`NoLogin`]
    pub fn of(spec: &OidcSpec) -> Result<Self, NoLogin> {
        let issuer = spec.issuer_url.trim();
        if issuer.is_empty() {
            return Err(NoLogin::Absent);
        }
        if !is_issuer(issuer) {
            return Err(NoLogin::Odd("issuer is no https:// URL without query and credentials"));
        }
        let client_id = spec.client_id.trim();
        if client_id.is_empty() || client_id.len() > LONGEST || !client_id.bytes().all(plain) {
            return Err(NoLogin::Odd("client id is none"));
        }
        let echoes = |text: &str| spec.client_secret.as_ref().is_some_and(|secret| holds(text, secret));
        if echoes(issuer) || echoes(client_id) {
            return Err(NoLogin::Odd("issuer or client id holds the client's secret"));
        }
        let mut notes = Vec::new();
        let fits = |scope: &&String| {
            !scope.is_empty()
                && !echoes(scope)
                && scope.len() <= LONGEST_SCOPE
                && scope.bytes().all(plain)
                && *scope != "openid"
        };
        let scopes: Vec<String> = spec.scopes.iter().filter(fits).take(MOST_SCOPES).cloned().collect();
        if spec.client_secret.is_some() {
            notes.push(
                "the OIDC client has a secret, which is not handed out: whoever has it writes it as \
                 issuers[].login.clientSecret, with this issuer and client"
                    .to_owned(),
            );
        }
        if spec.issuer_tls.insecure_skip_verify {
            notes.push("Palette says not to verify the issuer's certificate; it is verified here".to_owned());
        }
        let authorities = match spec.issuer_tls.ca_certificate_base64.as_str() {
            "" => None,
            encoded => {
                match server::authorities(encoded).or_else(|_| pem::certificates(encoded.as_bytes())) {
                    Ok(authorities) => Some(authorities),
                    Err(_) => return Err(NoLogin::Odd("issuer's certificate authority is none")),
                }
            }
        };
        Ok(Self { issuer: issuer.to_owned(), client_id: client_id.to_owned(), scopes, authorities, notes })
    }

    /// The issuer, to the letter.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The client that tokens are for.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// As the user of a kubeconfig: whoever holds it signs in once (`platform-mcp login`), and kubectl asks
    /// `platform-mcp token` for a token each time. Everything that it needs is in the arguments.
    pub(super) fn user(&self, context: &str) -> Value {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let mut client = vec![self.issuer.clone(), format!("--client-id={}", self.client_id)];
        client.extend(self.scopes.iter().map(|scope| format!("--scope={scope}")));
        let encoded = self.authorities.as_ref().map(|pem| STANDARD.encode(pem));
        client.extend(encoded.map(|encoded| format!("--certificate-authority-data={encoded}")));
        let hint =
            format!("put platform-mcp on the PATH, then sign in: platform-mcp login {}", client.join(" "));
        let mut args = vec!["token".to_owned(), format!("--cluster={context}")];
        args.extend(client);
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "platform-mcp",
            "args": args,
            "installHint": hint,
            "interactiveMode": "Never",
            "provideClusterInfo": false,
        }})
    }
}

/// It stands in an argument of a program, and is compared to the letter by who logs in.
fn is_issuer(written: &str) -> bool {
    let Ok(url) = Url::parse(written) else { return false };
    let same = url.as_str() == written || url.as_str().strip_suffix('/') == Some(written);
    let bare = url.username().is_empty() && url.password().is_none();
    let whole = url.query().is_none() && url.fragment().is_none();
    written.len() <= LONGEST && same && bare && whole && url.scheme() == "https" && written.bytes().all(plain)
}

/// Whether a text holds a secret, as it is or as URLs write it; a secret of a few letters is in many words.
fn holds(text: &str, secret: &SecretString) -> bool {
    let secret = secret.expose_secret().trim();
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let within = |form: &str| form.len() >= SHORTEST_SECRET && text.contains(form);
    !secret.is_empty() && (text == secret || within(secret) || within(&encoded))
}

/// Nothing that a shell, a quote or a terminal would take for its own.
fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/@+=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(change: impl FnOnce(&mut Value)) -> Result<Login, NoLogin> {
        let mut spec = json!({"clientId": "kubernetes", "issuerUrl": "https://id.example.com/realms/a",
            "clientSecret": "planted", "scopes": ["profile", "openid", "bad scope", "-x"]});
        change(&mut spec);
        Login::of(&serde_json::from_value(spec).expect("lenient"))
    }

    #[test]
    fn a_login_names_issuer_client_and_scopes_and_no_secret() {
        let login = login(|_| ()).expect("a login");
        let user = login.user("shop").to_string();
        for part in [
            "\"https://id.example.com/realms/a\"",
            "--client-id=kubernetes\"",
            "--cluster=shop\"",
            "scope=profile",
        ] {
            assert!(user.contains(part), "{part} in {user}");
        }
        assert!(
            !user.contains("planted") && !user.contains("bad scope") && !user.contains("=openid"),
            "{user}"
        );
        assert!(login.notes.concat().contains("login.clientSecret"));
    }

    #[test]
    fn an_issuer_is_told_to_the_letter() {
        for issuer in ["https://id.example.com", "https://id.example.com/", "https://id.example.com/a/"] {
            let user =
                login(|spec| spec["issuerUrl"] = issuer.into()).expect(issuer).user("shop").to_string();
            assert!(user.contains(&format!("\"{issuer}\"")), "{user}");
        }
    }

    #[test]
    fn a_secret_that_is_echoed_is_not_handed_out() {
        for member in ["issuerUrl", "clientId"] {
            let echo = if member == "issuerUrl" { "https://id.example.com/planted/a" } else { "x-planted" };
            assert!(matches!(login(|spec| spec[member] = echo.into()), Err(NoLogin::Odd(_))), "{member}");
        }
        let login =
            login(|spec| spec["scopes"] = json!(["planted", "a-planted-b", "groups"])).expect("a login");
        assert_eq!(login.scopes, ["groups"]);
    }

    #[test]
    fn what_is_odd_is_refused() {
        assert_eq!(login(|spec| spec["issuerUrl"] = "".into()), Err(NoLogin::Absent));
        assert_eq!(login(|spec| *spec = json!({})), Err(NoLogin::Absent));
        for issuer in [
            "http://id.example.com",
            "https://u:p@id.example.com",
            "https://id.example.com?x",
            "https://id.example.com/$(id)",
            "https://id.example.com/a b",
            "https://id.example.com/\" --insecure-skip-tls-verify",
            "https://ID.example.com",
            "id",
        ] {
            assert!(
                matches!(login(|spec| spec["issuerUrl"] = issuer.into()), Err(NoLogin::Odd(_))),
                "{issuer}"
            );
        }
        for client in ["", "a b", "a\nb", "a\"b", "a;b", "é"] {
            assert!(
                matches!(login(|spec| spec["clientId"] = client.into()), Err(NoLogin::Odd(_))),
                "{client}"
            );
        }
        let authority = |text: &str| login(|spec| spec["issuerTls"] = json!({"caCertificateBase64": text}));
        assert!(authority("bm9uZQ==").is_err() && authority("!").is_err());
    }
}
