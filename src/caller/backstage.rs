//! Callers from Backstage: users, inside the tokens of plugins or with their own, and plugins themselves.
//!
//! Three kinds of tokens, told apart by the JOSE header `typ` before anything else is looked at: `vnd.backstage.user`
//! of a user, `vnd.backstage.plugin` of a plugin, and within that, in the claim `obo`, `vnd.backstage.limited-user`
//! of the user it asks for (`@backstage/plugin-auth-node`, `tokenTypes`). The last one is taken nowhere else: any
//! plugin that gets one could send it on.

mod keys;
mod people;
mod settings;
mod token;

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

pub use settings::{BackstageSettings, Decides};

use self::{
    keys::Kept,
    people::{People, Person},
    token::Signed,
};
use super::{
    Caller, Token,
    oidc::{self, Refusal, Standing, compact::Compact, header::media_type},
};
use crate::{
    backstage::{Backend, EntityReference, Plugin, plugin::OnBehalf},
    kubernetes::Identity,
    permission::{PermissionSet, Policy},
};

const USER: &str = "vnd.backstage.user";
const LIMITED: &str = "vnd.backstage.limited-user";
const PLUGIN: &str = crate::backstage::plugin::PLUGIN_TOKEN;
/// `aud` of user tokens (`tokenTypes.user.audClaim`).
const AUDIENCE: &str = "backstage";

/// The verifier of Backstage's tokens, and what is known of its users.
#[derive(Debug)]
pub struct Backstage {
    settings: BackstageSettings,
    issuer: Arc<str>,
    plugin: Arc<Plugin>,
    keys: Kept,
    people: People,
    identity: Identity,
}

/// What kind of token it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Plugin,
    Limited,
}

impl Kind {
    /// That of a token with this header; nothing where it is none of Backstage's.
    pub(super) fn of(header: &Map<String, Value>) -> Option<Self> {
        match media_type(header.get("typ")?.as_str()?).as_str() {
            USER => Some(Self::User),
            PLUGIN => Some(Self::Plugin),
            LIMITED => Some(Self::Limited),
            _ => None,
        }
    }
}

impl Backstage {
    /// The verifier. `before` keeps its keys where it asks at the same place. Nothing is fetched.
    pub fn new(
        settings: BackstageSettings,
        plugin: Arc<Plugin>,
        identity: Identity,
        before: Option<&Self>,
    ) -> Self {
        let before = before.filter(|before| before.settings.backend == settings.backend);
        let keys = Kept::new(&settings, before.map(|before| &before.keys));
        let issuer = settings.backend.issuer.as_str().into();
        Self { settings, issuer, plugin, keys, people: People::default(), identity }
    }

    /// The backend that is asked.
    pub fn backend(&self) -> &Backend {
        &self.settings.backend
    }

    /// What this server is there.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// What it is configured to be.
    pub fn settings(&self) -> &BackstageSettings {
        &self.settings
    }

    /// Begins to fetch keys, so that the first token need not wait for them. Needs a runtime.
    pub fn warm(&self) {
        self.keys.warm();
    }

    /// The owner of a token of one of Backstage's kinds, and for how long that need not be asked again.
    pub(super) async fn caller(
        &self,
        kind: Kind,
        token: Compact<'_>,
        now: Timestamp,
    ) -> Result<(Arc<Caller>, Option<Standing>), Refusal> {
        match kind {
            Kind::Limited => {
                Err(Refusal::Kind("a limited user token, which is taken within a plugin's alone"))
            }
            Kind::User => {
                let signed = self.user_token(&token, now).await?;
                let limited = token::limited(&token)?;
                let person = self.person(&signed, limited, now).await?;
                Ok((person.caller, Some(person.standing)))
            }
            Kind::Plugin => {
                let plugin = token::plugin(&token, &self.settings.plugins)?;
                let signed = Signed::check(&token, PLUGIN, self.keys.of_plugin(plugin)?, now).await?;
                signed.is_for(self.plugin.id())?;
                let caller = match token.claims.get("obo") {
                    // what serialises undefined as null asks for nobody, too
                    None | Some(Value::Null) => self.service(plugin, &token, &signed)?,
                    Some(Value::String(limited)) => self.within(limited, now).await?.caller,
                    Some(_) => return Err(Refusal::claim("obo", "not a string")),
                };
                Ok((caller, None))
            }
        }
    }

    /// The user that a plugin asks for.
    async fn within(&self, limited: &str, now: Timestamp) -> Result<Person, Refusal> {
        // each of its requests brings another token, with the same one of the user inside
        if let Some(known) = self.people.known(limited, now) {
            return known;
        }
        let token = Compact::parse(limited)?;
        if Kind::of(&token.header) != Some(Kind::Limited) {
            return Err(Refusal::claim("obo", "not a limited user token"));
        }
        let signed = Signed::check(&token, LIMITED, self.keys.of_users(), now).await?;
        self.person(&signed, limited.to_owned().into(), now).await
    }

    async fn user_token<'t>(&self, token: &Compact<'t>, now: Timestamp) -> Result<Signed, Refusal> {
        if token.claims.get("iss").and_then(Value::as_str) != Some(&*self.issuer) {
            return Err(Refusal::Issuer);
        }
        let signed = Signed::check(token, USER, self.keys.of_users(), now).await?;
        signed.is_for(AUDIENCE)?;
        Ok(signed)
    }

    async fn person(
        &self,
        signed: &Signed,
        limited: SecretString,
        now: Timestamp,
    ) -> Result<Person, Refusal> {
        let user = EntityReference::parse(&signed.subject)
            .filter(|user| user.kind == "user")
            .ok_or(Refusal::claim("sub", "not the reference of a user"))?;
        let on_behalf = OnBehalf { token: limited, expires: signed.expires };
        self.people.learn(self, &user, &on_behalf, &signed.standing, now).await
    }

    /// A plugin that asks for nobody.
    fn service(&self, plugin: &str, token: &Compact<'_>, signed: &Signed) -> Result<Arc<Caller>, Refusal> {
        let subject = format!("plugin:{plugin}");
        let claims = json!({"sub": subject, "plugin": plugin});
        let permissions = bound(&self.settings.services, &claims);
        let caller = Caller {
            issuer: Some(Arc::clone(&self.issuer)),
            username: subject.clone(),
            subject,
            groups: Vec::new(),
            permissions: Arc::new(permissions),
            token: Some(Token {
                hash: oidc::named(token.signed.as_bytes()),
                id: None,
                expires: signed.expires,
            }),
            identity: self.identity,
            impersonation: None,
            scopes: Vec::new(),
            subject_token: None,
        };
        Ok(Arc::new(caller))
    }
}

fn bound(policy: &Policy, claims: &Value) -> PermissionSet {
    claims.as_object().map(|claims| policy.bind(claims)).unwrap_or_default()
}
