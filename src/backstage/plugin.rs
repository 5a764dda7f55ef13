//! [`Plugin`]: what this server is in Backstage: a plugin, whose tokens other plugins take.

use std::sync::Arc;

use aws_lc_rs::error::Unspecified;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::plugin_keys::PluginKeys;

/// `typ` of plugin tokens (`@backstage/plugin-auth-node`, `tokenTypes.plugin`).
pub const PLUGIN_TOKEN: &str = "vnd.backstage.plugin";

/// For how long a token of ours is good: each is made for one request.
const LIFE: SignedDuration = SignedDuration::from_mins(5);

/// A user on whose behalf another plugin is asked.
#[derive(Clone, Debug)]
pub struct OnBehalf {
    /// The limited user token.
    pub token: SecretString,
    /// Its end; ours is no later.
    pub expires: Timestamp,
}

/// This server as a plugin.
#[derive(Debug)]
pub struct Plugin {
    id: String,
    keys: PluginKeys,
}

impl Plugin {
    /// The plugin of that id, which signs with keys made of the secret.
    pub fn new(id: &str, secret: [u8; 32]) -> Self {
        Self { id: id.to_owned(), keys: PluginKeys::new(secret) }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What other plugins check its tokens with (`/.backstage/auth/v1/jwks.json`).
    ///
    /// # Errors
    /// When the system's cryptography does not work.
    pub fn public_keys(&self, now: Timestamp) -> Result<Arc<Value>, Unspecified> {
        self.keys.public(now)
    }

    /// A token for another plugin (`PluginTokenHandler.issueToken`), perhaps on behalf of a user.
    ///
    /// # Errors
    /// The same.
    pub fn token(
        &self,
        audience: &str,
        on_behalf: Option<&OnBehalf>,
        now: Timestamp,
    ) -> Result<SecretString, Unspecified> {
        let key = self.keys.current(now)?;
        let expires = on_behalf.map_or(now + LIFE, |user| user.expires.min(now + LIFE));
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), self.id.as_str().into());
        claims.insert("aud".to_owned(), audience.into());
        claims.insert("iat".to_owned(), now.as_second().into());
        claims.insert("exp".to_owned(), expires.as_second().into());
        if let Some(user) = on_behalf {
            claims.insert("obo".to_owned(), user.token.expose_secret().into());
        }
        let header = json!({"typ": PLUGIN_TOKEN, "alg": "ES256", "kid": key.id});
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&header), part(&Value::Object(claims)));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}").into())
    }
}
