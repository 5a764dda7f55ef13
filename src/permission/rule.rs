//! [`Rule`]: permissions bound to what a token says, as an operator writes it.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::scope::Within;

/// Binds roles and permissions to callers by their claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Rule {
    /// Its name in audit lines and explanations; otherwise its place in the list.
    pub name: Option<String>,
    /// Claims, and the values of which one must be there. All claims must match. A claim is meant by its
    /// name, or by a path with dots into nested ones, as `realm_access.roles`. In a value `*` stands for
    /// any characters. No claim at all: every caller of the issuer.
    pub when: BTreeMap<String, OneOrMore>,
    /// Roles that it gives.
    pub roles: Vec<String>,
    /// Permissions or patterns that it gives.
    pub allow: Vec<String>,
    /// Permissions or patterns that it takes away: wins over everything that gives them. A claim that
    /// cannot be judged, as an object where a list is expected, counts as a match for what is taken away.
    pub deny: Vec<String>,
    /// Where it holds; otherwise everywhere.
    pub within: Within,
}

/// A value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Any of them.
    More(Vec<String>),
}

impl OneOrMore {
    /// All of them.
    pub fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::More(values) => values,
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Not derived, so that a mistake keeps its line and says what is wanted.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = OneOrMore;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMore, E> {
        Ok(OneOrMore::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMore, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(OneOrMore::More(values))
    }
}
