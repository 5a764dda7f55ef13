//! Who the owner of a verified token is, for us and for clusters. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{refusal::Refusal, settings::IssuerSettings};
use crate::{
    answer::sanitise,
    kubernetes::Impersonation,
    permission::claims::{Found, find},
};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 256;

/// The longest value of an extra, in bytes.
const LONGEST_EXTRA: usize = 1024;

/// The most groups, and the most values of an extra.
const MOST: usize = 1000;

/// Who the owner of a token is. Says nothing of whether the token is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `sub`.
    pub subject: String,
    /// The configured claim.
    pub username: String,
    /// The configured claim, without prefix.
    pub groups: Vec<String>,
    pub(super) token_id: Option<String>,
    /// Who clusters are asked to act as.
    pub impersonation: Impersonation,
}

impl Identity {
    /// Reads it from the claims of a token, verified or not.
    ///
    /// # Errors
    /// What of them makes every token that says so refused.
    pub fn of(claims: &Map<String, Value>, settings: &IssuerSettings) -> Result<Self, Refusal> {
        let subject = required(claims, "sub")?;
        let username = required(claims, &settings.username_claim)?;
        if settings.username_claim == "email" && claims.get("email_verified").is_some_and(|said| said != true)
        {
            return Err(Refusal::claim("email_verified", "not true, and the email is the caller's name"));
        }
        let groups = groups(claims, &settings.groups_claim)?;
        let token_id = match claims.get("jti") {
            None => None,
            Some(Value::String(id)) => {
                let id = plain(id, LONGEST_NAME).map_err(|why| Refusal::claim("jti", why))?;
                // names nobody, so it need not be as the issuer wrote it
                Some(sanitise::line(id).into_owned()).filter(|id| !id.is_empty())
            }
            Some(_) => return Err(Refusal::claim("jti", "not a string")),
        };
        let impersonation = Impersonation {
            user: prefixed(&settings.username_prefix, username)?,
            groups: groups
                .iter()
                .map(|group| prefixed(&settings.groups_prefix, group))
                .collect::<Result<_, _>>()?,
            uid: settings.uid.then(|| subject.to_owned()),
            extra: extra(claims, &settings.extra)?,
        };
        Ok(Self {
            subject: subject.to_owned(),
            username: username.to_owned(),
            groups: groups.into_iter().map(str::to_owned).collect(),
            token_id,
            impersonation,
        })
    }
}

fn required<'c>(claims: &'c Map<String, Value>, claim: &str) -> Result<&'c str, Refusal> {
    match find(claims, claim) {
        Found::Nothing => Err(Refusal::claim(claim, "absent")),
        Found::Value(Value::String(value)) => {
            name(value, LONGEST_NAME).map_err(|why| Refusal::claim(claim, why))
        }
        _ => Err(Refusal::claim(claim, "not a string")),
    }
}

/// An absent claim is no groups. Anything that is not a plain list is refused, since a rule that denies
/// something to a group must not be dodged by a claim that cannot be read.
fn groups<'c>(claims: &'c Map<String, Value>, claim: &str) -> Result<Vec<&'c str>, Refusal> {
    match find(claims, claim) {
        Found::Value(Value::Array(groups)) => {
            list(groups, LONGEST_NAME).map_err(|why| Refusal::claim(claim, why))
        }
        Found::Value(_) => Err(Refusal::claim(claim, "not a list")),
        Found::Blocked => Err(Refusal::claim(claim, "not in the token, or not to be found in it")),
        Found::Nothing => Ok(Vec::new()),
    }
}

fn extra(
    claims: &Map<String, Value>,
    wanted: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let mut extra = BTreeMap::new();
    for (key, claim) in wanted {
        let wrong = |why| Refusal::claim(claim, why);
        let values = match find(claims, claim) {
            Found::Nothing => continue,
            Found::Value(Value::String(value)) => vec![name(value, LONGEST_EXTRA).map_err(wrong)?],
            Found::Value(Value::Array(values)) => list(values, LONGEST_EXTRA).map_err(wrong)?,
            _ => return Err(wrong("not a string or a list of strings")),
        };
        extra.insert(key.clone(), values.into_iter().map(str::to_owned).collect());
    }
    Ok(extra)
}

fn list(values: &[Value], longest: usize) -> Result<Vec<&str>, &'static str> {
    if values.len() > MOST {
        return Err("more than 1,000 entries");
    }
    values.iter().map(|value| name(value.as_str().ok_or("an entry is not a string")?, longest)).collect()
}

/// A name that means the same wherever it is written, and to whoever reads it. What nobody sees would make
/// two people look like one: in the audit log, in a cluster's rules.
fn name(value: &str, longest: usize) -> Result<&str, &'static str> {
    let value = plain(value, longest)?;
    if sanitise::is_readable(value) { Ok(value) } else { Err("has characters that cannot be seen") }
}

/// A text that is the same wherever it is written. HTTP drops white space around a header's value,
/// so `" system:masters"` would not stay what it is.
fn plain(value: &str, longest: usize) -> Result<&str, &'static str> {
    match value {
        "" => Err("empty"),
        long if long.len() > longest => Err("too long"),
        odd if odd.chars().any(char::is_control) => Err("has control characters"),
        padded if padded.trim() != padded => Err("has white space around it"),
        value => Ok(value),
    }
}

/// What clusters get. `system:` is the API server's own, before the prefix and after it.
fn prefixed(prefix: &str, name: &str) -> Result<String, Refusal> {
    let whole = format!("{prefix}{name}");
    match name.starts_with("system:") || whole.starts_with("system:") {
        true => Err(Refusal::System(name.to_owned())),
        false => Ok(whole),
    }
}
