//! A token of Backstage: it is explained by asking there, as a call with it would.

use super::{super::super::Failure, findings::Findings};
use crate::{
    caller::{Refusal, backstage::Backstage},
    config::Built,
};

pub(super) async fn findings(token: &str, asked: &Backstage, built: &Built) -> Result<Findings, Failure> {
    match built.callers.token(token).await {
        Ok(caller) => Ok(Findings::of_caller(&caller, built)),
        Err(refusal) => {
            let next = match &refusal {
                Refusal::Undecided(_) => {
                    "; what it is asked is signed by us: sealKey must be set, and Backstage must reach a server that \
                     runs with it"
                        .to_owned()
                }
                Refusal::Issuer => format!("; its iss must be {}: see backstage.issuer", asked.backend().issuer),
                Refusal::Audience => format!(
                    "; a user's is for \"backstage\", a plugin's for {:?}: see backstage.pluginId",
                    asked.plugin().id()
                ),
                Refusal::Plugin => format!(" ({})", asked.settings().plugins.join(", ")),
                _ => String::new(),
            };
            Err(Failure::failed(format!("it would be refused: {refusal}{next}")))
        }
    }
}
