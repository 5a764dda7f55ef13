//! What issuers answer, asked once.

use super::{super::Failure, Report};
use crate::caller::oidc::{Issuers, Reached, exchange::GRANT};

/// One line for each issuer.
pub(super) async fn tell(issuers: &Issuers, report: &mut Report) -> Result<(), Failure> {
    for (settings, reached) in issuers.reach().await {
        let name = format!("issuer {}", settings.issuer);
        let Reached { usable, skipped, exchanges } = match reached {
            Ok(reached) => reached,
            Err(why) => {
                report.fail(
                    &format!("{name}: {why}"),
                    "its tokens are refused until then; check issuers.url against its discovery document, \
                     caFile, and that this machine reaches it",
                )?;
                continue;
            }
        };
        let left_out = match skipped.as_slice() {
            [] => String::new(),
            lines => format!("; left out: {}", lines.join("; ")),
        };
        let said =
            format!("{name}: {usable} usable keys, tokens for {}{left_out}", settings.audiences.join(", "));
        match usable {
            0 => report.fail(&said, "check issuers.algorithms against what it signs with")?,
            _ => report.ok(&said)?,
        }
        match exchanges {
            Some(false) => report.warn(
                &format!("{name}: grant_types_supported does not have {GRANT}, and exchange is configured"),
                "let the issuer exchange tokens (RFC 8693) for this server's client, or take out `exchange`",
            )?,
            Some(true) => report.ok(&format!("{name}: it says that it exchanges tokens"))?,
            None => {}
        }
    }
    Ok(())
}
