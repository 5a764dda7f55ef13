//! `logout`: forgetting a sign-in.

use clap::Args;

use super::{Failure, Global, login::Client, out};

/// Sign out: what `login` kept is revoked where the issuer does that, and forgotten.
#[derive(Debug, Args)]
pub(super) struct Logout {
    #[command(flatten)]
    client: Client,
}

impl Logout {
    pub(super) async fn run(&self, global: &Global) -> Result<(), Failure> {
        let session = self.client.session(&global.config()?)?;
        let name = session.settings().name();
        let (was, told) = session.end().await?;
        if let Some(told) = told {
            out::error_line(&format!("warning: {told}"));
        }
        let said = if was { "signed out at" } else { "you were not signed in at" };
        out::text(&format!("{said} {name}"))?;
        Ok(())
    }
}
