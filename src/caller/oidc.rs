//! Tokens of OIDC issuers: the only place that makes a [`Verified`].

pub mod refusal;
pub mod settings;
pub mod verified;

pub use refusal::Refusal;
pub use settings::IssuerSettings;
pub use verified::Verified;

/// The issuers whose tokens are taken, with their keys.
#[derive(Debug)]
pub struct Issuers {
    settings: Vec<IssuerSettings>,
}

impl Issuers {
    /// Issuers with these settings. Nothing is fetched before the first token comes. The keys of issuers
    /// that `before` knows with the same settings are kept.
    pub fn new(settings: Vec<IssuerSettings>, _before: Option<&Self>) -> Self {
        Self { settings }
    }

    /// Their settings.
    pub fn settings(&self) -> impl Iterator<Item = &IssuerSettings> {
        self.settings.iter()
    }

    /// What a token says, if one of the issuers says so.
    ///
    /// # Errors
    /// Why it is refused: for logs, never for whoever sent it.
    pub async fn verify(&self, _token: &str) -> Result<Verified, Refusal> {
        Err(Refusal::Malformed("not built yet"))
    }
}
