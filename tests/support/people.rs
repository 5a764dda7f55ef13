//! Who the tests' people are: the one list that the OIDC provider and the cluster's RBAC are made from.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]

use serde_json::{Value, json};

use super::keys::Alg;

/// How many `caller-N` there are, from 1.
pub(crate) const CALLERS: usize = 64;

/// Somebody who can have a token; `sub` is the name.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// `sub`, `client_id` and `preferred_username`.
    pub(crate) name: String,
    /// The `groups` claim; absent where there are none.
    pub(crate) groups: Vec<String>,
    /// What their access tokens are signed with.
    pub(crate) alg: Alg,
}

impl Person {
    fn new(name: impl Into<String>, groups: &[&str], alg: Alg) -> Self {
        let groups = groups.iter().copied().map(str::to_owned).collect();
        Self { name: name.into(), groups, alg }
    }

    /// What a token says of them beyond `sub`.
    pub(crate) fn claims(&self) -> Value {
        let name = &self.name;
        let mut claims = json!({
            "preferred_username": name, "email": format!("{name}@platform.test"), "email_verified": true,
        });
        if !self.groups.is_empty() {
            claims["groups"] = json!(self.groups);
        }
        claims
    }
}

/// Everybody.
pub(crate) fn people() -> Vec<Person> {
    let mut people = vec![
        Person::new("alice", &["team-a"], Alg::Rs256),
        Person::new("bob", &["team-b"], Alg::Rs256),
        Person::new("carol", &["platform-admins"], Alg::Rs256),
        // in no group at all: the claim is not there
        Person::new("dave", &[], Alg::Rs256),
        Person::new("erin", &["team-a", "team-b"], Alg::Es256),
        Person::new("frank", &["team-a"], Alg::Ps256),
        Person::new("grace", &["team-b"], Alg::EdDsa),
        // no provider should say this of anybody; RBAC would believe it
        Person::new("mallory", &["team-a", "system:masters"], Alg::Rs256),
    ];
    people.extend((1..=CALLERS).map(|n| Person::new(format!("caller-{n}"), &["callers"], Alg::Rs256)));
    people
}

/// Who has this name.
///
/// # Panics
/// Where nobody has.
#[track_caller]
pub(crate) fn person(name: &str) -> Person {
    let found = people().into_iter().find(|person| person.name == name);
    found.unwrap_or_else(|| panic!("{name} is not in people.rs"))
}
