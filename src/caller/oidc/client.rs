//! What proves a client to its issuer, and what it sends there (RFC 6749 section 2.3).

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::{io::AsyncReadExt as _, time::timeout};

use super::settings::ClientSecret;

/// How long the file with the secret may take to be read, and what it may hold.
const READING: Duration = Duration::from_secs(2);
const LONGEST_SECRET: u64 = 4 << 10;

/// All but what is unreserved (RFC 3986 section 2.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as it stands in a form or a query.
pub(in crate::caller) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

/// Fields as a form or a query; their names stand as they are.
pub(in crate::caller) fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    fields.join("&")
}

/// Whether the secret goes into the form (`client_secret_post`), by the discovery document.
pub(in crate::caller) fn posts(document: &Map<String, Value>) -> Result<bool, String> {
    match document.get("token_endpoint_auth_methods_supported").and_then(Value::as_array) {
        // OpenID Connect Discovery section 3
        None => Ok(false),
        Some(methods) if methods.iter().any(|method| method == "client_secret_basic") => Ok(false),
        Some(methods) if methods.iter().any(|method| method == "client_secret_post") => Ok(true),
        Some(_) => Err("it takes no client secret (token_endpoint_auth_methods_supported)".to_owned()),
    }
}

/// The secret, of the client that is configured in `block`.
pub(in crate::caller) async fn secret(secret: &ClientSecret, block: &str) -> Result<SecretString, String> {
    let file = match secret {
        ClientSecret::Given(secret) => return Ok(secret.clone()),
        ClientSecret::File(file) => file,
    };
    let read = async {
        let mut text = String::new();
        tokio::fs::File::open(file).await?.take(LONGEST_SECRET).read_to_string(&mut text).await?;
        std::io::Result::Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
    };
    // where it is, is for whoever runs the server
    let unread = |why: &dyn std::fmt::Display| {
        tracing::error!("{block}.clientSecretFile {}: {why}", file.display());
        "the secret of this server's client cannot be read".to_owned()
    };
    match timeout(READING, read).await {
        Ok(Ok(secret)) if secret.expose_secret().is_empty() => Err(unread(&"it is empty")),
        Ok(Ok(secret)) => Ok(secret),
        Ok(Err(error)) => Err(unread(&error)),
        Err(_elapsed) => Err(unread(&"it takes too long")),
    }
}
