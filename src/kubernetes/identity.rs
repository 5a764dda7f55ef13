//! How an API server is told on whose behalf a request is made (design section 6).

use std::collections::BTreeMap;

/// How the API server is told on whose behalf a request is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// The server's own credential: our permission set is then the only gate.
    #[default]
    Own,
    /// The server's own credential, and the caller's name and groups in `Impersonate-…`.
    Impersonate,
}

impl Identity {
    /// The word in configuration and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Impersonate => "impersonate",
        }
    }
}

/// Who the API server is asked to act as, with the configured prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// `Impersonate-User`.
    pub user: String,
    /// `Impersonate-Group`, each.
    pub groups: Vec<String>,
    /// `Impersonate-Uid`.
    pub uid: Option<String>,
    /// `Impersonate-Extra-…`, by the name of the extra.
    pub extra: BTreeMap<String, Vec<String>>,
}
