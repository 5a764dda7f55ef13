//! [`IssuerSettings`]: what the verifier knows of an issuer before it asks it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use jsonwebtoken::Algorithm;

/// An issuer as configured, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuerSettings {
    /// `iss`, byte for byte.
    pub issuer: String,
    /// A token must name one of these in `aud`.
    pub audiences: Vec<String>,
    /// Whether ID tokens are taken beside access tokens.
    pub id_tokens: bool,
    /// Values of `typ` that are taken, in lower case and without `application/`; `None` for an absent one.
    pub types: Vec<Option<String>>,
    /// Asymmetric algorithms only.
    pub algorithms: Vec<Algorithm>,
    /// PEM file of the certificate authority.
    pub ca_file: Option<PathBuf>,
    /// By how much clocks may differ.
    pub leeway: Duration,
    /// The claim that is the name of a caller.
    pub username_claim: String,
    /// What clusters get in front of it.
    pub username_prefix: String,
    /// The claim that holds groups.
    pub groups_claim: String,
    /// What clusters get in front of each.
    pub groups_prefix: String,
    /// Claims that clusters get as extra, by the name of the extra.
    pub extra: BTreeMap<String, String>,
    /// Whether clusters get the subject as uid.
    pub uid: bool,
}

impl IssuerSettings {
    pub(super) fn leeway(&self) -> SignedDuration {
        SignedDuration::try_from(self.leeway).unwrap_or_default()
    }
}
