//! `rbac`: manifests of the rights that a cluster must give, no wider than what is used.

mod impersonate;
mod knative;
mod kro;
mod reached;

use clap::{Args, Subcommand};

use super::{Failure, Global, out};
use crate::kubernetes::rights::{Account, Manifest, Rights, Token, is_name};

/// Where the server usually runs, as in `examples/rbac`.
const SERVER: &str = "platform-mcp";

/// Print the RBAC that a cluster needs, no wider than what is used.
#[derive(Debug, Args)]
#[command(
    after_help = "YAML for `kubectl apply -f -` goes to standard output, what could not be seen to standard error.\n\
                  Read it before you apply it: it was made from what the cluster says of itself."
)]
pub(super) struct Rbac {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// For reading the event mesh, over the kinds that it is made of and refers to.
    Knative(knative::Knative),
    /// For the tools of kro, over the kinds that the cluster's RGDs have to do with.
    Kro(kro::Kro),
    /// For showing callers to a cluster (`identity: impersonate`).
    Impersonate(impersonate::Impersonate),
}

/// Who gets the rights.
#[derive(Debug, Args)]
struct To {
    /// Namespace of the ServiceAccount, which must be there; otherwise platform-mcp.
    #[arg(long, value_name = "NS", value_parser = label)]
    namespace: Option<String>,
    /// Name of the ServiceAccount, with which those of the role and its binding begin; otherwise platform-mcp.
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
}

impl Rbac {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self.what {
            What::Knative(knative) => knative.run(global).await,
            What::Kro(kro) => kro.run(global).await,
            What::Impersonate(impersonate) => impersonate.run(global).await,
        }
    }
}

impl To {
    /// The account, of that name where none was given.
    fn account(&self, name: &str) -> Account {
        let or = |given: &Option<String>, usual: &str| given.clone().unwrap_or_else(|| usual.to_owned());
        Account { namespace: or(&self.namespace, SERVER), name: or(&self.name, name) }
    }
}

/// Prints the rights of the server's account, for `topic`.
fn print(to: &To, topic: &str, about: Vec<String>, rights: &Rights) -> Result<(), Failure> {
    let account = to.account(SERVER);
    let role = format!("{}-{topic}", account.name);
    Ok(out::text(&Manifest { about, account, role, token: Token::None, rights }.to_string())?)
}

/// Says what could not be seen, so that rights may be missing.
fn unseen(gaps: &[String]) {
    for gap in gaps {
        out::error_line(&format!("warning: {gap}; rights for it may be missing below"));
    }
}

/// A namespace.
fn label(text: &str) -> Result<String, String> {
    if is_name(text) && !text.contains('.') && text.len() <= 63 {
        return Ok(text.to_owned());
    }
    Err("a namespace has lower-case letters, digits and -, at most 63 of them, as platform-mcp".to_owned())
}

/// The name of a ServiceAccount.
fn name(text: &str) -> Result<String, String> {
    if is_name(text) && text.len() <= 200 {
        return Ok(text.to_owned());
    }
    Err("a name has lower-case letters, digits, - and ., at most 200 of them, as platform-mcp".to_owned())
}
