//! [`Upstream`]: a kubeconfig as Palette sends it, taken apart. Nothing in it is to be believed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{LARGEST, server::Server, user::User};
use crate::{answer::sanitise, kubernetes::written};

/// Names of what was left out that are told.
const MOST_DROPPED: usize = 20;

/// What one context of a kubeconfig names, and what was left out.
#[derive(Debug)]
pub struct Upstream {
    /// The API server.
    pub server: Server,
    /// Who it would be asked as, or what is wrong with that.
    pub user: Result<User, Unusable>,
    /// What was not taken, by its place.
    pub dropped: Vec<String>,
}

/// Why what Palette sent is no kubeconfig to hand on. Quotes nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// More than is read.
    #[error("it has {0} bytes")]
    Large(usize),
    /// Neither YAML nor base64 of it.
    #[error("it is not YAML, or too large, deep or repetitive to be read")]
    NotYaml,
    /// YAML of something else.
    #[error("it is YAML and no kubeconfig: {0}")]
    Other(&'static str),
    /// It does not say which of several it means.
    #[error("it has {0} clusters and {1} contexts, and does not say which of them is meant")]
    Several(usize, usize),
    /// What it names is not there, or twice.
    #[error("its context names a {0} that it does not have, or has twice")]
    Dangling(&'static str),
    /// Not an address that a credential may be sent to.
    #[error("the address of its API server {0}")]
    Server(&'static str),
    /// No certificate authority.
    #[error("its certificate authority is none: {0}")]
    Authority(&'static str),
    /// No credential.
    #[error("its {0} is not one")]
    Credential(&'static str),
}

impl Upstream {
    /// Reads what Palette sent: YAML, or base64 of it. `local`: whether an API server on this very machine may be
    /// meant.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn read(bytes: &[u8], local: bool) -> Result<Self, Unusable> {
        let text = text(bytes)?;
        let Ok(Value::Object(root)) = written::document("kubeconfig", &text) else {
            return Err(Unusable::NotYaml);
        };
        if root.get("kind").is_some_and(|kind| kind != "Config") {
            return Err(Unusable::Other("its kind is not Config"));
        }
        let list = |member| Listed::of(&root, member);
        let (clusters, contexts, users) = (list("clusters"), list("contexts"), list("users"));
        if clusters.all.is_empty() {
            return Err(Unusable::Other("it has no clusters"));
        }
        let (cluster, user) = chosen(&root, &clusters, &contexts, &users)?;
        let cluster = clusters.named(cluster, "cluster").ok_or(Unusable::Dangling("cluster"))?;
        let user = match user {
            Some(name) => users.named(name, "user").ok_or(Unusable::Dangling("user"))?,
            None => &Map::new(),
        };
        let mut dropped = Vec::new();
        let server = Server::read(cluster, local, &mut dropped)?;
        let user = User::read(user, &mut dropped);
        for (listed, used, what) in
            [(&clusters, 1, "clusters"), (&contexts, 1, "contexts"), (&users, 1, "users")]
        {
            let others = listed.all.len().saturating_sub(used);
            dropped.extend((others > 0).then(|| format!("{others} other {what}")));
        }
        dropped.truncate(MOST_DROPPED);
        Ok(Self { server, user, dropped })
    }
}

/// The YAML, out of base64 where it came so.
fn text(bytes: &[u8]) -> Result<String, Unusable> {
    if bytes.len() > LARGEST {
        return Err(Unusable::Large(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unusable::NotYaml)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    // some servers write a file as a JSON string
    let text = match text.starts_with('"') {
        true => serde_json::from_str::<String>(text).map_err(|_| Unusable::NotYaml)?,
        false => text.to_owned(),
    };
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
    if text.is_empty() || !text.bytes().all(base64) {
        return Ok(text);
    }
    let compact: String = text.split_whitespace().collect();
    let decoded = STANDARD.decode(compact).map_err(|_| Unusable::NotYaml)?;
    String::from_utf8(decoded).map_err(|_| Unusable::NotYaml)
}

/// The named members of a list.
struct Listed<'v> {
    all: Vec<(&'v str, &'v Map<String, Value>)>,
}

impl<'v> Listed<'v> {
    fn of(root: &'v Map<String, Value>, member: &str) -> Self {
        let items = root.get(member).and_then(Value::as_array).into_iter().flatten();
        let named = items.filter_map(|item| Some((item.get("name")?.as_str()?, item.as_object()?)));
        Self { all: named.collect() }
    }

    /// The body of the one of this name, if it is one.
    fn named(&self, name: &str, body: &str) -> Option<&'v Map<String, Value>> {
        let mut same = self.all.iter().filter(|(known, _)| *known == name);
        match (same.next(), same.next()) {
            (Some((_, item)), None) => item.get(body)?.as_object(),
            _ => None,
        }
    }
}

/// The names of the cluster and the user that are meant: those of the current context, or the only ones.
fn chosen<'v>(
    root: &'v Map<String, Value>,
    clusters: &Listed<'v>,
    contexts: &Listed<'v>,
    users: &Listed<'v>,
) -> Result<(&'v str, Option<&'v str>), Unusable> {
    let current = root.get("current-context").and_then(Value::as_str).filter(|name| !name.is_empty());
    let context = match (current, contexts.all.as_slice()) {
        (Some(current), _) => contexts.named(current, "context").ok_or(Unusable::Dangling("context"))?,
        (None, [(only, _)]) => contexts.named(only, "context").ok_or(Unusable::Dangling("context"))?,
        (None, []) => {
            return match (clusters.all.as_slice(), users.all.as_slice()) {
                ([(cluster, _)], []) => Ok((cluster, None)),
                ([(cluster, _)], [(user, _)]) => Ok((cluster, Some(user))),
                _ => Err(Unusable::Several(clusters.all.len(), 0)),
            };
        }
        (None, several) => return Err(Unusable::Several(clusters.all.len(), several.len())),
    };
    let text = |member: &str| context.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    Ok((text("cluster").ok_or(Unusable::Dangling("cluster"))?, text("user")))
}

/// Keeps the names of members that say something and are none of `taken`.
pub(super) fn left_out(object: &Map<String, Value>, taken: &[&str], place: &str, dropped: &mut Vec<String>) {
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let rest = object.iter().filter(|(key, value)| !taken.contains(&key.as_str()) && says(value));
    dropped.extend(rest.map(|(key, _)| format!("{place}.{}", sanitise::short(key, 60))));
}

#[cfg(test)]
mod tests;
