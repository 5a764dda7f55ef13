//! [`Presented`]: the tokens that came with a request for others than us: for clusters and for Palette. Each is shown
//! to whom it came for and to nobody else; a token for this server is shown to nobody.

mod audience;

use std::sync::Arc;

use aws_lc_rs::digest::{self, SHA256, digest};
use http::{HeaderMap, HeaderValue, header};
use secrecy::SecretString;

pub(crate) use audience::is_for;

use crate::{
    kubernetes::{self, identity::is_b64token},
    palette,
};

/// The longest token, in bytes.
const LONGEST: usize = 16 << 10;

/// What came with a request. Its `Debug` says nothing of the tokens.
#[derive(Clone, Debug, Default)]
pub struct Presented {
    /// The tokens for clusters.
    pub clusters: kubernetes::Presented,
    /// The tokens for Palette environments.
    pub environments: palette::Presented,
}

impl Presented {
    /// Of the headers of a request. Tokens for this server name one of `ours` as audience.
    pub fn from_headers(headers: &HeaderMap, ours: &[String]) -> Arc<Self> {
        let token = |value| token(value).and_then(|token| not_ours(token, headers, ours));
        Arc::new(Self {
            clusters: kubernetes::Presented::from_headers(headers, token),
            environments: palette::Presented::from_headers(headers, token),
        })
    }

    /// This token alone, for whatever cluster is asked.
    pub fn for_clusters(token: SecretString) -> Arc<Self> {
        Arc::new(Self { clusters: kubernetes::Presented::of(token), ..Self::default() })
    }

    /// What tells these tokens from others, and tells nothing of them.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut digest = digest::Context::new(&SHA256);
        self.clusters.add_to(&mut digest);
        digest.update(b"palette");
        self.environments.add_to(&mut digest);
        digest.finish().as_ref().try_into().unwrap_or_default()
    }
}

/// The token in a header's value, with `Bearer` before it or without.
fn token(value: &HeaderValue) -> Result<&str, &'static str> {
    let value = value.to_str().map_err(|_| "is not ASCII")?.trim();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        Some(_) => return Err("holds something else than Bearer and a token"),
        None if value.eq_ignore_ascii_case("bearer") => "",
        None => value,
    };
    match () {
        () if token.is_empty() => Err("is empty"),
        () if token.len() > LONGEST => Err("is longer than 16 KiB"),
        () if !is_b64token(token) => Err("has characters that no bearer token has"),
        () => Ok(token),
    }
}

/// The token, unless it is the one that whoever sent it shows us, or another that they or somebody else could:
/// a cluster that had one could act as them here.
fn not_ours<'t>(token: &'t str, headers: &HeaderMap, ours: &[String]) -> Result<&'t str, &'static str> {
    // the hashes are compared, so that the time it takes says nothing of the tokens
    let hash = digest(&SHA256, token.as_bytes());
    let is_same = |value: &HeaderValue| {
        let value = value.as_bytes();
        let whole = value.split(|byte| *byte == b' ').rfind(|part| !part.is_empty()).unwrap_or_default();
        digest(&SHA256, whole).as_ref() == hash.as_ref()
    };
    match () {
        () if headers.get_all(header::AUTHORIZATION).iter().any(is_same) => {
            Err("holds your token for this server, which is never passed on")
        }
        () if is_for(token, ours) => Err("holds a token for this server, which is never passed on"),
        () => Ok(token),
    }
}
