//! [`Session`]: the sign-in of whoever started the process, as it is kept now, renewed before it ends.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{
    LoginSettings, Provider, Shown, SignInError, Store, Tokens, given::Given, provider::Failed, store::Kept,
    tokens::Held,
};
use crate::caller::oidc::Issuers;

/// How long a failure is answered without asking again.
const FAILED: Duration = Duration::from_secs(2);

/// The sign-in of whoever started the process. What is kept is read at each use: another process may have renewed
/// it, or its owner may have signed out.
#[derive(Debug)]
pub struct Session {
    settings: LoginSettings,
    store: Store,
    issuers: Issuers,
    failed: Mutex<Option<(Instant, SignInError)>>,
    /// One renewal at a time within this process.
    turn: tokio::sync::Mutex<()>,
}

impl Session {
    /// Of this client.
    ///
    /// # Errors
    /// There is no place where it could be kept.
    pub fn new(settings: LoginSettings) -> Result<Self, SignInError> {
        let store = Store::of(&settings)?;
        let issuers = Issuers::new(vec![settings.issuer.clone()], None);
        Ok(Self { settings, store, issuers, failed: Mutex::default(), turn: tokio::sync::Mutex::default() })
    }

    /// What it is for.
    pub fn settings(&self) -> &LoginSettings {
        &self.settings
    }

    /// Where it is kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The issuer, to judge ID tokens.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// The token, renewed where it ends soon.
    ///
    /// # Errors
    /// There is none, or none any more.
    pub async fn token(self: &Arc<Self>, which: Shown) -> Result<Held, SignInError> {
        let (_, tokens) = self.store.read().await?;
        if let Some(held) = tokens.fresh(which, Timestamp::now()) {
            return Ok(held.clone());
        }
        if let Some(failed) = self.just_failed() {
            return self.until_its_end(&tokens, which, failed);
        }
        let this = Arc::clone(self);
        // on its own: a renewal that the issuer has begun must be written down, whoever stops waiting for it
        let renewal = tokio::spawn(async move { this.renewed(which).await }).await;
        let renewed = renewal.unwrap_or_else(|_| Err(SignInError::Kept("the renewal broke off".to_owned())));
        match renewed {
            Ok(tokens) => self.of(&tokens, which),
            Err(error) => self.until_its_end(&tokens, which, error),
        }
    }

    fn of(&self, tokens: &Tokens, which: Shown) -> Result<Held, SignInError> {
        let held = tokens.usable(which, Timestamp::now()).cloned();
        held.ok_or_else(|| self.ended("the issuer gave no new token of the kind that is used here"))
    }

    /// A renewal that fails takes nothing away.
    fn until_its_end(&self, tokens: &Tokens, which: Shown, error: SignInError) -> Result<Held, SignInError> {
        tokens.usable(which, Timestamp::now()).cloned().ok_or(error)
    }

    fn just_failed(&self) -> Option<SignInError> {
        let failed = self.failed.lock();
        failed.as_ref().filter(|(since, _)| since.elapsed() < FAILED).map(|(_, error)| error.clone())
    }

    async fn renewed(&self, which: Shown) -> Result<Tokens, SignInError> {
        let _turn = self.turn.lock().await;
        let _lock = self.store.lock().await?;
        // another one may have been faster
        let (kept, tokens) = self.store.read().await?;
        if tokens.fresh(which, Timestamp::now()).is_some() {
            return Ok(tokens);
        }
        let renewed = self.renew(&kept, &tokens).await;
        *self.failed.lock() = renewed.as_ref().err().map(|error| (Instant::now(), error.clone()));
        renewed
    }

    async fn renew(&self, kept: &Kept, before: &Tokens) -> Result<Tokens, SignInError> {
        let refresh = before.refresh.as_ref();
        let refresh =
            refresh.ok_or_else(|| self.ended("it has no refresh token, so it cannot be renewed"))?;
        // before anything is asked: the old token may be worth nothing afterwards
        let place = self.store.place()?;
        let given = self.refresh(refresh).await?;
        let next = given.refresh.clone();
        match given.taken(&self.settings, &self.issuers, None, Some(before)).await {
            Ok(tokens) => self.store.write(place, kept, &tokens).map(|()| tokens),
            Err(error) => {
                let refresh = next.or_else(|| before.refresh.clone());
                self.store.write(place, kept, &Tokens { refresh, ..before.clone() })?;
                Err(error)
            }
        }
    }

    async fn refresh(&self, refresh: &SecretString) -> Result<Given, SignInError> {
        let settings = &self.settings;
        let provider = Provider::find(settings).await?;
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
        form.extend(settings.resource.as_deref().map(|resource| ("resource", resource)));
        match provider.ask(provider.token(), form, &[refresh]).await {
            Ok(body) => Given::read(&body),
            Err(Failed { code: Some(code), message, .. }) if code == "invalid_grant" => {
                Err(self.ended(&message))
            }
            Err(failed) => Err(failed.error(settings)),
        }
    }

    fn ended(&self, why: &str) -> SignInError {
        SignInError::Ended { issuer: self.settings.name().to_owned(), why: why.to_owned() }
    }

    /// Signs out: what is kept is revoked where the issuer does that (RFC 7009), and forgotten in any case.
    /// Whether anything was kept, and what went wrong at the issuer.
    ///
    /// # Errors
    /// It is still kept.
    pub async fn end(&self) -> Result<(bool, Option<String>), SignInError> {
        let _lock = self.store.lock().await?;
        let told = match self.store.read().await {
            Ok((_, tokens)) => self.revoke(&tokens).await.err(),
            Err(SignInError::NotSignedIn(_)) => None,
            Err(error) => Some(format!("{error}; so nothing was revoked")),
        };
        Ok((self.store.remove().await?, told))
    }

    async fn revoke(&self, tokens: &Tokens) -> Result<(), String> {
        let provider = Provider::find(&self.settings).await;
        let provider = provider.map_err(|error| format!("{error}; so nothing was revoked"))?;
        let Some(place) = provider.revocation() else {
            return Err("the issuer revokes no tokens: they hold until they end".to_owned());
        };
        let refresh = tokens.refresh.as_ref().map(|token| (token, "refresh_token"));
        let access = tokens.access.as_ref().map(|held| (&held.token, "access_token"));
        let mut told = Ok(());
        for (token, hint) in refresh.into_iter().chain(access) {
            let form = vec![("token", token.expose_secret()), ("token_type_hint", hint)];
            match provider.ask(&place, form, &[token]).await {
                Ok(_) => {}
                // one that is signed cannot be taken back everywhere (section 2.2.1)
                Err(failed) if failed.code.as_deref() == Some("unsupported_token_type") => {}
                Err(failed) => told = Err(format!("the {hint} could not be revoked: {}", failed.message)),
            }
        }
        told
    }
}
