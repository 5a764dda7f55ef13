//! [`User`]: the credential of a kubeconfig, where it holds one that stands for itself.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::config::AuthInfo;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::{
    pem,
    upstream::{Unusable, left_out},
};

/// Characters of a token.
const LONGEST_TOKEN: usize = 16 << 10;

/// Who an API server is asked as.
#[derive(Clone, Debug, Default)]
pub struct User {
    token: Option<SecretString>,
    /// Certificates and key, both PEM.
    certificate: Option<(String, SecretString)>,
    /// Whether it would start a program to get a credential: that is never passed on.
    pub starts: bool,
}

impl User {
    /// Reads the `user` of a kubeconfig.
    pub(super) fn read(user: &Map<String, Value>, dropped: &mut Vec<String>) -> Result<Self, Unusable> {
        let text = |member: &str| user.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        let token = text("token").map(token).transpose()?;
        let certificate = match (text("client-certificate-data"), text("client-key-data")) {
            (Some(certificate), Some(key)) => {
                let certificate = decoded(certificate, "client certificate")?;
                let certificate = pem::certificates(&certificate)
                    .map_err(|_| Unusable::Credential("client certificate"))?;
                let key = decoded(key, "client key")?;
                let key = pem::key(&key).map_err(|_| Unusable::Credential("client key"))?;
                Some((certificate, key.into()))
            }
            (None, None) => None,
            _ => return Err(Unusable::Credential("pair of client certificate and key")),
        };
        let starts =
            ["exec", "auth-provider"].iter().any(|member| user.get(*member).is_some_and(|v| !v.is_null()));
        left_out(user, &["token", "client-certificate-data", "client-key-data"], "user", dropped);
        Ok(Self { token, certificate, starts })
    }

    /// Whether it holds a credential.
    pub fn has_credential(&self) -> bool {
        self.token.is_some() || self.certificate.is_some()
    }

    /// For a client of this server's own.
    ///
    /// # Errors
    /// It is none: a defect.
    pub fn auth_info(&self) -> Result<AuthInfo, Unusable> {
        serde_json::from_value(self.exposed()).map_err(|_| Unusable::Credential("user"))
    }

    /// As a kubeconfig has it. For what is handed out, and nothing else.
    pub(super) fn exposed(&self) -> Value {
        let mut user = Map::new();
        if let Some(token) = &self.token {
            user.insert("token".to_owned(), token.expose_secret().into());
        }
        if let Some((certificate, key)) = &self.certificate {
            user.insert("client-certificate-data".to_owned(), STANDARD.encode(certificate).into());
            user.insert("client-key-data".to_owned(), STANDARD.encode(key.expose_secret()).into());
        }
        json!(user)
    }
}

fn token(written: &str) -> Result<SecretString, Unusable> {
    let token = written.trim();
    if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Unusable::Credential("token"));
    }
    Ok(token.to_owned().into())
}

fn decoded(encoded: &str, what: &'static str) -> Result<Vec<u8>, Unusable> {
    let compact: String = encoded.split_whitespace().collect();
    STANDARD.decode(compact).map_err(|_| Unusable::Credential(what))
}
