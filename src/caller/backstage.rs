//! Callers from Backstage: users, inside the tokens of plugins or with their own, and plugins themselves.
//!
//! Three kinds of tokens, told apart by the JOSE header `typ` before anything else is looked at: `vnd.backstage.user`
//! of a user, `vnd.backstage.plugin` of a plugin, and within that, in the claim `obo`, `vnd.backstage.limited-user`
//! of the user it asks for (`@backstage/plugin-auth-node`, `tokenTypes`). The last one is taken nowhere else: any
//! plugin that gets one could send it on.

mod asking;
mod explained;
mod keys;
mod named;
mod people;
mod settings;
mod token;

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

pub use explained::HeldAgainst;
pub use keys::Published;
pub use named::Named;
pub use people::POLICY;
pub use settings::{BackstageSettings, Decides};

use self::{
    keys::Kept,
    people::{People, Person},
    token::{Expected, Signed},
};
use super::{
    Caller, Shown, Token,
    oidc::{self, Refusal, Standing, compact::Compact, header::media_type},
};
use crate::{
    backstage::{Backend, EntityReference, Plugin, plugin::OnBehalf},
    kubernetes::{Identity, identity::Unfit},
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
    people: Arc<People>,
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
    /// The verifier. `before` keeps its keys where it asks at the same place, and what it knows of users where nothing
    /// that they may do can have changed. Nothing is fetched.
    pub fn new(
        settings: BackstageSettings,
        plugin: Arc<Plugin>,
        identity: Identity,
        before: Option<&Self>,
    ) -> Self {
        let before = before.filter(|before| before.settings.backend == settings.backend);
        let keys = Kept::new(&settings, before.map(|before| &before.keys));
        let people = before.filter(|before| {
            before.settings == settings && before.identity == identity && before.plugin.id() == plugin.id()
        });
        let people = people.map_or_else(Arc::default, |before| Arc::clone(&before.people));
        let issuer = settings.backend.issuer.as_str().into();
        Self { settings, issuer, plugin, keys, people, identity }
    }

    /// The backend that is asked.
    pub fn backend(&self) -> &Backend {
        &self.settings.backend
    }

    /// What tokens name that count here: those of users count at Backstage, too.
    pub fn audiences(&self) -> [String; 2] {
        [AUDIENCE.to_owned(), self.plugin.id().to_owned()]
    }

    /// What this server is there.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// What it is configured to be.
    pub fn settings(&self) -> &BackstageSettings {
        &self.settings
    }

    /// Asks Backstage for its keys, once, beside the kept ones: those of its users, and of each plugin whose tokens are
    /// taken, or `None` where that plugin is not installed.
    pub async fn reach(&self) -> Vec<(Option<&str>, Result<Option<Published>, String>)> {
        let plugins = self.settings.plugins.iter().map(|plugin| Some(plugin.as_str()));
        let each = std::iter::once(None).chain(plugins).map(async |plugin| {
            (plugin, keys::published(&self.settings.backend, plugin, &self.settings.algorithms).await)
        });
        futures::future::join_all(each).await
    }

    /// Whether a token says that it is one of Backstage's kinds.
    pub fn is_of(token: &str) -> bool {
        Compact::parse(token).is_ok_and(|parts| Kind::of(&parts.header).is_some())
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
                let person = self.user(&token, now).await?;
                Ok((person.caller, Some(person.standing)))
            }
            Kind::Plugin => {
                let (place, plugin) = token::plugin(&token, &self.settings.plugins)?;
                let expected = self.expected(PLUGIN, Some(self.plugin.id()));
                let signed = Signed::check(&token, expected, self.keys.of_plugin(plugin)?, now).await?;
                let caller = match token.claims.get("obo") {
                    None => self.service(plugin, &token, &signed)?,
                    Some(Value::String(limited)) => self.within(limited, now).await?.through(place, plugin),
                    Some(_) => return Err(Refusal::claim("obo", "not a string")),
                };
                Ok((caller, None))
            }
        }
    }

    /// Forgets users whose tokens have ended.
    pub(super) fn forget(&self, now: Timestamp) {
        self.people.forget(now);
    }

    fn expected<'e>(&'e self, kind: &'e str, audience: Option<&'e str>) -> Expected<'e> {
        Expected { kind, audience, algorithms: &self.settings.algorithms }
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
        let signed = self.limited(&token, now).await?;
        self.person(&signed, limited.to_owned().into(), now).await
    }

    /// The user of a token of their own.
    async fn user(&self, token: &Compact<'_>, now: Timestamp) -> Result<Person, Refusal> {
        if token.claims.get("iss").and_then(Value::as_str) != Some(&*self.issuer) {
            return Err(Refusal::Issuer);
        }
        let expected = self.expected(USER, Some(AUDIENCE));
        Signed::check(token, expected, self.keys.of_users(), now).await?;
        let limited = token::limited(token)?;
        // users are known by it, and Backstage is asked with it: it has to be Backstage's own, too
        let within = Compact::parse(limited.expose_secret())?;
        let signed = self.limited(&within, now).await.map_err(|refusal| match refusal {
            Refusal::Signature => Refusal::claim("uip", "not the signature of the token's limited form"),
            other => other,
        })?;
        self.person(&signed, limited, now).await
    }

    async fn limited(&self, token: &Compact<'_>, now: Timestamp) -> Result<Signed, Refusal> {
        Signed::check(token, self.expected(LIMITED, None), self.keys.of_users(), now).await
    }

    async fn person(
        &self,
        signed: &Signed,
        limited: SecretString,
        now: Timestamp,
    ) -> Result<Person, Refusal> {
        let user = EntityReference::canonical(&signed.subject)
            .filter(|user| user.kind == "user")
            .ok_or(Refusal::claim("sub", "not the reference of a user"))?;
        let on_behalf = OnBehalf { token: limited, expires: signed.expires };
        self.people.learn(self, &user, &on_behalf, &signed.standing, now).await
    }

    /// A plugin that asks for nobody.
    fn service(&self, plugin: &str, token: &Compact<'_>, signed: &Signed) -> Result<Arc<Caller>, Refusal> {
        let subject = format!("plugin:{plugin}");
        let permissions = self.settings.services.bind(&service_claims(plugin));
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
            shown: Shown::Nobody(Unfit::Service),
            scopes: Vec::new(),
            subject_token: None,
            actor: None,
            verified: true,
        };
        Ok(Arc::new(caller))
    }
}

/// What rules for plugins that ask for nobody are held against.
fn service_claims(plugin: &str) -> Map<String, Value> {
    let claims = [("sub", format!("plugin:{plugin}")), ("plugin", plugin.to_owned())];
    claims.map(|(name, value)| (name.to_owned(), Value::String(value))).into_iter().collect()
}
