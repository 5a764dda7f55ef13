//! What stands behind the permissions of a caller, asked anew: for `check` alone. No call comes this way.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{Backstage, Compact, Kind, people, service_claims, token};
use crate::{
    backstage::{
        EntityReference,
        permissions::{self, Taken},
        user_info,
    },
    caller::Caller,
    permission::Policy,
};

/// The rules for a caller, and what they are held against.
#[derive(Debug)]
pub struct HeldAgainst<'b> {
    /// Our rules.
    pub policy: &'b Policy,
    /// The key of the configuration that they are written at.
    pub key: &'static str,
    /// As [`super::BackstageSettings`] names them.
    pub claims: Map<String, Value>,
}

impl Backstage {
    /// Whether Backstage takes the tokens of our plugin.
    ///
    /// # Errors
    /// In words: it cannot be said.
    pub async fn takes_ours(&self) -> Result<Taken, String> {
        permissions::taken(&self.settings.backend, &self.plugin, Timestamp::now()).await
    }

    /// The rules that gave this caller what they may do. The token is the one that they were known by: it is not
    /// verified again.
    ///
    /// # Errors
    /// In words: Backstage does not say what the user owns.
    pub async fn held_against(&self, token: &str, caller: &Caller) -> Result<HeldAgainst<'_>, String> {
        let unknown = || "the token does not say whose it is".to_owned();
        let parts = Compact::parse(token).map_err(|_| unknown())?;
        let limited: SecretString = match (Kind::of(&parts.header), parts.claims.get("obo")) {
            (Some(Kind::Plugin), None) => {
                let plugin = caller.subject().strip_prefix("plugin:").ok_or_else(unknown)?;
                let claims = service_claims(plugin);
                return Ok(HeldAgainst {
                    policy: &self.settings.services,
                    key: "backstage.services",
                    claims,
                });
            }
            (Some(Kind::Plugin), Some(Value::String(limited))) => limited.clone().into(),
            (Some(Kind::User), _) => token::limited(&parts).map_err(|_| unknown())?,
            _ => return Err(unknown()),
        };
        let user = EntityReference::canonical(caller.subject()).ok_or_else(unknown)?;
        let ownership = user_info::ownership(&self.settings.backend, &limited, &user).await?;
        let claims = people::claims(&user, &ownership);
        Ok(HeldAgainst { policy: &self.settings.rules, key: "backstage.rules", claims })
    }
}
