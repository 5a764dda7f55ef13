//! [`Table`]: requests with tokens, each with what becomes of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::forge::{Forge, With};
use crate::keys::Alg;

/// The caller that a row is taken for: the tokens are good.
pub(super) const TAKEN: &str = "taken";

/// There is no credential where credentials are looked for.
pub(super) const NO_TOKEN: &str = "no_token";

/// A member that is to be left out. `null` is a value like any other.
pub(super) const ABSENT: &str = "\u{0}";

/// Stands in values that are made up, none of which may come back out.
pub(super) const PLANTED: &str = "planted";

/// A request, and what becomes of it.
#[derive(Debug)]
pub(super) struct Row {
    /// What it tries.
    pub(super) name: String,
    pub(super) sent: Sent,
    /// [`TAKEN`], or the reason that the audit line gives.
    pub(super) end: &'static str,
}

/// Where the credential is in a request.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Otherwise POST.
    pub(super) method: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, String)>,
    /// What follows `/mcp`.
    pub(super) path: String,
    /// Instead of the call.
    pub(super) form: Option<String>,
}

impl Sent {
    /// The token where it belongs.
    pub(super) fn bearer(token: &str) -> Self {
        Self::header("authorization", format!("Bearer {token}"))
    }

    pub(super) fn header(name: &'static str, value: impl Into<String>) -> Self {
        Self { headers: vec![(name, value.into())], ..Self::default() }
    }

    #[must_use]
    pub(super) fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The token of the one header there is, if it is one at all.
    pub(super) fn token(&self) -> Option<&str> {
        match self.headers.as_slice() {
            [("authorization", value)] => value.strip_prefix("Bearer ").filter(|token| !token.is_empty()),
            _ => None,
        }
    }

    /// What of this would show a token, wherever it stood.
    pub(super) fn telling(&self) -> impl Iterator<Item = &str> {
        let texts = self.headers.iter().map(|(_, value)| value).chain([&self.path]).chain(&self.form);
        texts
            .flat_map(|text| text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')))
            .filter(|piece| piece.len() >= 20)
    }
}

/// Rows about the tokens of one issuer.
pub(super) struct Table<'f> {
    /// Signs as that issuer.
    pub(super) forge: &'f Forge,
    pub(super) rows: Vec<Row>,
}

impl<'f> Table<'f> {
    pub(super) fn new(forge: &'f Forge) -> Self {
        Self { forge, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, name: impl Into<String>, sent: Sent, end: &'static str) {
        self.rows.push(Row { name: name.into(), sent, end });
    }

    pub(super) fn token(&mut self, name: impl Into<String>, token: &str, end: &'static str) {
        self.row(name, Sent::bearer(token), end);
    }

    /// A good token of alice, but for these members of its header.
    pub(super) fn header(&mut self, changes: Value, end: &'static str) {
        let name = format!("header {}", short(&changes));
        let header = changed(self.forge.header(Alg::Rs256), changes);
        let token = self.forge.sign(&header, &self.claims_of_alice(), With::Own(Alg::Rs256));
        self.token(name, &token, end);
    }

    /// A good token of alice, but for these claims.
    pub(super) fn claims(&mut self, changes: Value, end: &'static str) {
        let name = format!("claims {}", short(&changes));
        let token = self.forge.claiming(&changed(self.claims_of_alice(), changes));
        self.token(name, &token, end);
    }

    /// A good token of alice, but for this part of the text of its claims.
    pub(super) fn text(&mut self, name: &str, from: &str, to: &str, end: &'static str) {
        let claims = self.claims_of_alice().to_string();
        assert!(claims.contains(from), "{name}: {claims}");
        self.token(format!("claims {name}"), &self.forge.claiming(&claims.replacen(from, to, 1)), end);
    }

    pub(super) fn claims_of_alice(&self) -> Value {
        self.forge.claims("alice")
    }

    /// Header, claims and signature of a good token.
    pub(super) fn good(&self, alg: Alg) -> [String; 3] {
        let token = self.forge.sign(&self.forge.header(alg), &self.claims_of_alice(), With::Own(alg));
        let mut parts = token.split('.').map(str::to_owned);
        std::array::from_fn(|_| parts.next().expect("three parts"))
    }
}

/// With these members, and without those that are [`ABSENT`].
pub(super) fn changed(mut whole: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut whole, changes) else { panic!("objects") };
    for (name, value) in changes {
        if value == json!(ABSENT) {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    whole
}

fn short(changes: &Value) -> String {
    changes.to_string().replace("\"\\u0000\"", "absent").chars().take(90).collect()
}

pub(super) fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("base64")
}
