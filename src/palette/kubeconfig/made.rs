//! [`Made`]: a kubeconfig of ours: one cluster, one user, one context, by names of our own.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::{LARGEST_MADE, login::Login, server::Server, upstream::Unusable, user::User};

/// Characters of a part of a context's name.
const LONGEST_PART: usize = 60;

/// A kubeconfig as text.
#[derive(Clone, Debug)]
pub enum Made {
    /// It holds no secret.
    Open(String),
    /// It holds a credential.
    Secret(SecretString),
}

impl Made {
    /// For whoever logs in themselves.
    ///
    /// # Errors
    /// It would be too large.
    pub fn login(context: &str, server: &Server, login: &Login) -> Result<Self, Unusable> {
        text(context, server, &login.user(context)).map(Self::Open)
    }

    /// With a credential in it.
    ///
    /// # Errors
    /// It would be too large.
    pub fn credential(context: &str, server: &Server, user: &User) -> Result<Self, Unusable> {
        text(context, server, &user.exposed()).map(|text| Self::Secret(text.into()))
    }
}

fn text(context: &str, server: &Server, user: &Value) -> Result<String, Unusable> {
    let mut cluster = Map::new();
    cluster.insert("server".to_owned(), server.url.clone().into());
    if !server.authorities.is_empty() {
        let encoded = STANDARD.encode(&server.authorities);
        cluster.insert("certificate-authority-data".to_owned(), encoded.into());
    }
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    });
    let text = serde_saphyr::to_string(&kubeconfig).unwrap_or_else(|_| kubeconfig.to_string());
    if text.len() > LARGEST_MADE { Err(Unusable::Large(text.len())) } else { Ok(text) }
}

/// The name of a context: environment, project and cluster, as far as they can stand in one.
pub fn context_name<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let part = |part: &str| {
        let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
        let part: String = part.chars().take(LONGEST_PART).map(fits).collect();
        part.trim_matches('-').to_lowercase()
    };
    let parts: Vec<String> = parts.into_iter().map(part).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "palette".to_owned() } else { parts.join("-") }
}
