//! [`Presented`]: the tokens for clusters that came with a request, beside the caller's own for us
//! (`Backstage-Kubernetes-Authorization` and its forms for providers).

use std::sync::Arc;

use http::HeaderMap;

use super::identity::{As, Unfit};

/// The header for whatever cluster is asked.
const HEADER: &str = "Backstage-Kubernetes-Authorization";

/// What came with a request. Its `Debug` says nothing of the tokens.
#[derive(Clone, Default)]
pub struct Presented;

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Presented")
    }
}

impl Presented {
    /// Of the headers of a request.
    pub fn from_headers(_headers: &HeaderMap) -> Arc<Self> {
        Arc::new(Self)
    }

    /// As whom a cluster is asked whose callers bring their token in the header of `provider`, or in the one
    /// for all.
    pub fn acting(&self, provider: Option<&str>) -> As {
        let header = provider.map_or_else(|| HEADER.to_owned(), |provider| format!("{HEADER}-{provider}"));
        As::nobody(Unfit::NoToken(header))
    }
}
