//! [`Requirement`]: what a tool needs.

use std::borrow::Cow;

use serde::Deserialize;

use super::name::Permission;

/// The permissions that a tool, or one class of what it shows, needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// None: for tools about the caller themself.
    Nothing,
    /// At least one; the call decides which by what it finds.
    Any(Cow<'static, [Permission]>),
    /// Every one.
    All(Cow<'static, [Permission]>),
}

impl Requirement {
    /// Exactly this one.
    pub fn one(permission: Permission) -> Self {
        Self::All(Cow::Owned(vec![permission]))
    }

    /// The permissions it names.
    pub fn permissions(&self) -> &[Permission] {
        match self {
            Self::Nothing => &[],
            Self::Any(permissions) | Self::All(permissions) => permissions,
        }
    }

    pub(super) fn met_by(&self, has: impl FnMut(Permission) -> bool) -> bool {
        match self {
            Self::Nothing => true,
            Self::Any(permissions) => permissions.iter().copied().any(has),
            Self::All(permissions) => permissions.iter().copied().all(has),
        }
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let join = |permissions: &[Permission], word: &str| {
            permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Nothing => f.write_str("none"),
            Self::Any(permissions) => f.write_str(&join(permissions, " or ")),
            Self::All(permissions) => f.write_str(&join(permissions, " and ")),
        }
    }
}

/// The forms of `permission:` in a contract file: a name, `none`, `{any: […]}` or `{all: […]}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(String),
    Any { any: Vec<String> },
    All { all: Vec<String> },
}

impl<'de> Deserialize<'de> for Requirement {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = |names: Vec<String>| {
            names
                .iter()
                .map(|name| {
                    Permission::named(name)
                        .ok_or_else(|| serde::de::Error::custom(format!("unknown permission {name:?}")))
                })
                .collect::<Result<Vec<_>, D::Error>>()
                .map(Cow::Owned)
        };
        match Written::deserialize(deserializer)? {
            Written::One(name) if name == "none" => Ok(Self::Nothing),
            Written::One(name) => Ok(Self::All(known(vec![name])?)),
            Written::Any { any } => Ok(Self::Any(known(any)?)),
            Written::All { all } => Ok(Self::All(known(all)?)),
        }
    }
}
