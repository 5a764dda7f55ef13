//! What a user may do, by Backstage's own policy (`@backstage/plugin-permission-backend`, `POST /authorize`): asked
//! for all permissions at once, and taken as a denial wherever it is anything but `ALLOW`.

use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Backend, Plugin, backend, metadata, plugin::OnBehalf};
use crate::permission::{Permission, Permissions};

/// The plugin that decides.
pub const PLUGIN: &str = "permission";

/// What it takes that Backstage takes our tokens.
pub const TRUSTED_WHERE: &str = "discovery.endpoints in Backstage's configuration must lead to this server, which must \
                                 be running, with the same sealKey";

const ANSWER: &str = "permission decision";

/// What became of a token of our plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Backstage knows it as ours.
    Yes,
    /// It does not.
    No,
    /// The permission plugin, which would say it, is not installed.
    Nowhere,
}

/// Whether Backstage takes the tokens of our plugin. A plugin that asks for no user gets no decision, but is told so
/// only after its token was found good (`@backstage/backend-defaults`, `DefaultHttpAuthService.credentials`).
///
/// # Errors
/// In words: it did not answer in time, or as no permission backend does.
pub async fn taken(backend: &Backend, plugin: &Plugin, now: Timestamp) -> Result<Taken, String> {
    let some = Permission::ALL.iter().take(1);
    let asking = asking(plugin, None, &question(some), now)?;
    let answer = backend.sent(backend.path(PLUGIN, ["authorize"]), asking).await?;
    match answer.status().as_u16() {
        401 => Ok(Taken::No),
        404 | 508 => Ok(Taken::Nowhere),
        403 => match backend::error_name(answer, ANSWER).await.as_deref() {
            Some("NotAllowedError") => Ok(Taken::Yes),
            _ => Err("answers 403, and not in the form of Backstage: perhaps a proxy's error".to_owned()),
        },
        status => Err(format!("answers {status} to a plugin that asks for no user, and not 403")),
    }
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    /// `ALLOW`, `DENY` or `CONDITIONAL`; anything else is a denial, too.
    #[serde(default)]
    result: Value,
}

/// The permissions that Backstage's policy gives to a user.
///
/// # Errors
/// In words: Backstage did not decide, or not on each of them.
pub async fn allowed(
    backend: &Backend,
    plugin: &Plugin,
    user: &OnBehalf,
    now: Timestamp,
) -> Result<Permissions, String> {
    let asking = asking(plugin, Some(user), &question(Permission::ALL.iter()), now)?;
    let answer = backend.sent(backend.path(PLUGIN, ["authorize"]), asking).await?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Err(format!(
            "its {ANSWER} answers 401, so it does not take our plugin's token: {TRUSTED_WHERE}"
        ));
    }
    judged(&backend::json(answer, ANSWER).await?)
}

fn asking(
    plugin: &Plugin,
    user: Option<&OnBehalf>,
    question: &Value,
    now: Timestamp,
) -> Result<impl FnOnce(reqwest::Client, reqwest::Url) -> RequestBuilder + use<>, String> {
    let token = plugin.token(PLUGIN, user, now).map_err(|_| "no token for it could be made")?;
    let body = question.to_string();
    Ok(move |client: reqwest::Client, url| {
        client
            .post(url)
            .bearer_auth(token.expose_secret())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    })
}

/// These permissions; the name of each is its id in the batch.
fn question<'p>(permissions: impl Iterator<Item = &'p Permission>) -> Value {
    let items = permissions
        .map(|permission| json!({"id": permission.name(), "permission": metadata::permission(*permission)}));
    json!({"items": items.collect::<Vec<_>>()})
}

/// Each must have been decided on once: a list that lacks some, or has some twice, is no decision.
fn judged(answer: &Answer) -> Result<Permissions, String> {
    let decided = |permission: &Permission| {
        let mut of_it = answer.items.iter().filter(|item| item.id == permission.name());
        match (of_it.next(), of_it.next()) {
            (Some(item), None) => Ok(item.result == "ALLOW"),
            _ => Err("its permission decision does not decide on each permission once".to_owned()),
        }
    };
    if answer.items.len() != Permission::ALL.len() {
        return Err("its permission decision is of other permissions than were asked for".to_owned());
    }
    let mut allowed = Vec::new();
    for permission in Permission::ALL {
        if decided(permission)? {
            allowed.push(*permission);
        }
    }
    Ok(allowed.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(change: impl Fn(&mut Vec<Value>)) -> Result<Permissions, String> {
        let mut items: Vec<Value> =
            Permission::ALL.iter().map(|one| json!({"id": one.name(), "result": "ALLOW"})).collect();
        change(&mut items);
        judged(&serde_json::from_value(json!({ "items": items })).expect("an answer"))
    }

    #[test]
    fn anything_but_allow_is_a_denial() {
        assert_eq!(answer(|_| ()).expect("decided"), Permissions::all());
        for other in
            [json!("DENY"), json!("CONDITIONAL"), json!("allow"), json!(true), json!(["ALLOW"]), json!(null)]
        {
            let allowed = answer(|items| items[0]["result"] = other.clone()).expect("decided");
            assert!(!allowed.contains(Permission::ALL[0]) && allowed.contains(Permission::ALL[1]), "{other}");
        }
        let allowed = answer(|items| {
            items[3].as_object_mut().expect("an item").remove("result");
        });
        assert!(!allowed.expect("decided").contains(Permission::ALL[3]));
    }

    #[test]
    fn a_list_of_other_permissions_decides_nothing() {
        assert!(answer(|items| drop(items.pop())).is_err(), "shorter");
        assert!(answer(|items| items.push(json!({"id": "x", "result": "ALLOW"}))).is_err(), "longer");
        assert!(answer(|items| items[0]["id"] = items[1]["id"].clone()).is_err(), "one twice");
        assert!(answer(|items| items[0]["id"] = "x".into()).is_err(), "another");
        assert!(answer(Vec::clear).is_err(), "none");
    }
}
