//! What issuers answer, asked once.

use super::{super::Failure, Report};
use crate::caller::oidc::{Issuers, Reached};

/// One line for each issuer.
pub(super) async fn tell(issuers: &Issuers, report: &mut Report) -> Result<(), Failure> {
    for (settings, reached) in issuers.reach().await {
        let name = format!("issuer {}", settings.issuer);
        let Reached { usable, skipped } = match reached {
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
    }
    Ok(())
}
