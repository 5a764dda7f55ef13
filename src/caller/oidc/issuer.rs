//! [`Issuer`]: one issuer, and the whole way of a token that names it.

use std::sync::Arc;

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{
    super::Token,
    claims,
    compact::Compact,
    discovery::Origin,
    exchange::Exchanger,
    header::Header,
    identity::Identity,
    keys::{Keys, Pace},
    refusal::Refusal,
    settings::IssuerSettings,
    signature,
    verified::{Standing, Verified},
};

/// For how long a result may be used again at the most, whatever the token's end.
const LONGEST_STANDING: SignedDuration = SignedDuration::from_hours(1);

/// An issuer with its keys.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) name: Arc<str>,
    pub(super) settings: IssuerSettings,
    pub(super) origin: Origin,
    pub(super) keys: Arc<Keys>,
    pub(super) exchanger: Option<Arc<Exchanger>>,
}

impl Issuer {
    /// With the keys of `before`, where that one asks at the same place, and with what was got in exchange.
    pub(super) fn new<'b>(settings: IssuerSettings, before: impl IntoIterator<Item = &'b Self>) -> Self {
        let origin = Origin { issuer: settings.issuer.clone(), ca_file: settings.ca_file.clone() };
        let before = before.into_iter().find(|before| before.origin == origin);
        let keys = before.map_or_else(|| fetched(&origin), |before| Arc::clone(&before.keys));
        let exchanger = before.and_then(|before| before.exchanger.as_ref());
        let exchanger = match exchanger.filter(|before| before.is_of(&settings, &origin)) {
            Some(before) => Some(Arc::clone(before)),
            None => Exchanger::new(&settings, &origin),
        };
        Self { name: settings.issuer.as_str().into(), settings, origin, keys, exchanger }
    }

    /// What a token that names this issuer says, at `now`. What needs no key is looked at first, so that
    /// what cannot be taken costs no fetch and does not look like an outage.
    pub(super) async fn verify(
        &self,
        token: Compact<'_>,
        hash: String,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let settings = &self.settings;
        let (expires, generation) = self.judged(&token, settings, now).await?;
        let identity = Identity::of(&token.claims, settings)?;
        let until = (expires + settings.leeway()).min(now + LONGEST_STANDING);
        Ok(Verified {
            issuer: Arc::clone(&self.name),
            subject: identity.subject,
            username: identity.username,
            groups: identity.groups,
            claims: token.claims,
            token: Token { hash, id: identity.token_id, expires },
            impersonation: identity.impersonation,
            standing: Standing { keys: Arc::clone(&self.keys), generation, until },
        })
    }

    /// What an ID token for this client says, and when it ends.
    pub(super) async fn id_token(
        &self,
        token: Compact<'_>,
        client: &str,
        now: Timestamp,
    ) -> Result<(Map<String, Value>, Timestamp), Refusal> {
        let settings = IssuerSettings {
            audiences: vec![client.to_owned()],
            id_tokens: true,
            types: vec![Some("jwt".to_owned()), None],
            ..self.settings.clone()
        };
        let (expires, _) = self.judged(&token, &settings, now).await?;
        Ok((token.claims, expires))
    }

    /// Its end, and the generation of the keys that it was checked with.
    async fn judged(
        &self,
        token: &Compact<'_>,
        settings: &IssuerSettings,
        now: Timestamp,
    ) -> Result<(Timestamp, u64), Refusal> {
        let (header, expires) = looked_at(token, settings, now)?;
        let generation = signature::signed(&self.keys, &self.name, token, &header).await?;
        Ok((expires, generation))
    }

    /// Whether [`Self::verify`] would come as far as the signature.
    pub(super) fn would_take(&self, token: &Compact<'_>, now: Timestamp) -> bool {
        looked_at(token, &self.settings, now).is_ok()
    }
}

/// All that needs no key.
fn looked_at<'t>(
    token: &'t Compact<'_>,
    settings: &IssuerSettings,
    now: Timestamp,
) -> Result<(Header<'t>, Timestamp), Refusal> {
    let is_taken = |kind: &Option<String>| settings.types.contains(kind);
    let header = Header::check(&token.header, &settings.algorithms, is_taken)?;
    Ok((header, claims::check(&token.claims, settings, now)?))
}

fn fetched(origin: &Origin) -> Arc<Keys> {
    let asked = origin.clone();
    let fetch = move || {
        let asked = asked.clone();
        async move { asked.fetch().await }.boxed()
    };
    Keys::new(&origin.issuer, Box::new(fetch), Pace::default())
}
