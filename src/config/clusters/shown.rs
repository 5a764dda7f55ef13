//! `identity`, `audience` and `provider`: how clusters are shown who calls.

use super::super::problem::Wrong;
use crate::kubernetes::{Identity, sources::Shown};

pub(in crate::config) fn of(
    identity: Option<Identity>,
    audience: Option<&String>,
    provider: Option<&String>,
) -> Shown {
    Shown { identity, audience: audience.cloned(), provider: provider.map(|name| name.to_ascii_lowercase()) }
}

/// What no key can say alone.
pub(in crate::config) fn coherent(shown: &Shown) -> Result<(), Wrong> {
    let Shown { identity, audience, provider } = shown;
    let wrong = |key: &str, what: &str| Err(Wrong::new(what).below(key));
    match (identity, audience.as_deref()) {
        (_, Some("")) => return wrong("audience", "must not be empty"),
        (Some(Identity::Exchange), None) => {
            return wrong("audience", "identity: exchange needs the audience that the cluster's tokens name");
        }
        (identity, Some(_)) if *identity != Some(Identity::Exchange) => {
            return wrong("audience", "is of use with identity: exchange alone");
        }
        _ => {}
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match provider {
        Some(name) if name.is_empty() || !name.chars().all(fits) => wrong(
            "provider",
            "must be what can end the name of a header: letters, digits and - _ . as oidc-okta or google",
        ),
        Some(_) if *identity != Some(Identity::CallerHeader) => {
            wrong("provider", "is of use with identity: caller-header alone")
        }
        _ => Ok(()),
    }
}
