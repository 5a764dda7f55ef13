//! What Backstage knows of a user: their ownership, as it was when they signed in
//! (`@backstage/plugin-auth-backend`, `GET /v1/userinfo`).

use std::collections::HashSet;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Backend, EntityReference};

/// Entities that one user may own.
const MOST: usize = 1_000;

#[derive(Deserialize)]
struct UserInfo {
    claims: Claims,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    ent: Vec<String>,
}

/// The entities that the user of a token owns, or is: users and groups, each once. One that cannot be read is an
/// error, as a rule may deny it.
///
/// # Errors
/// In words: Backstage did not say, or said it of another user.
pub async fn ownership(
    backend: &Backend,
    token: &SecretString,
    user: &EntityReference,
) -> Result<Vec<EntityReference>, String> {
    let url = backend.path("auth", ["v1", "userinfo"]);
    let asking = |client: reqwest::Client, url| client.get(url).bearer_auth(token.expose_secret());
    let info: UserInfo = backend.json(url, "user info", asking).await?;
    if EntityReference::canonical(&info.claims.sub).as_ref() != Some(user) {
        return Err("its user info is of another user".to_owned());
    }
    if info.claims.ent.len() > MOST {
        return Err(format!("its user info has more than {MOST} entities"));
    }
    let parse = |text: &String| {
        EntityReference::canonical(text)
            .ok_or_else(|| "its user info names an entity that is none".to_owned())
    };
    let mut known = HashSet::new();
    let mut entities = Vec::new();
    for entity in info.claims.ent.iter().map(parse) {
        let entity = entity?;
        if known.insert(entity.clone()) {
            entities.push(entity);
        }
    }
    Ok(entities)
}
