//! A service account of the server's own in a cluster: the objects that it is made of, what has to be done to have
//! them or to be rid of them, and its tokens.

mod carry_out;
mod granted;
mod objects;
mod plan;
mod removal;
mod rules;
mod token;

pub use carry_out::Stopped;
pub use plan::{Change, Plan, Step};
pub use rules::Rule;
pub use token::{Given, Token, token};

/// What the objects are called, and what the account may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The namespace, which is made for it where it is not there.
    pub namespace: String,
    /// The service account.
    pub account: String,
    /// The secret of a token that does not end, where one is wanted.
    pub secret: String,
    /// The cluster role.
    pub role: String,
    /// What binds them.
    pub binding: String,
    /// What the account may do; nothing: read what the cluster serves, and no Secrets.
    pub rules: Option<Vec<Rule>>,
}

/// What the objects carry that are this server's own; whatever does not carry it is left alone.
const OURS: (&str, &str) = ("app.kubernetes.io/managed-by", "platform-mcp");
/// The field manager.
const MANAGER: &str = "platform-mcp";
