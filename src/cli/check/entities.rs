//! Whether a catalog could read the exported entities with a token of its own.

use super::{super::Failure, Report};
use crate::config::Built;

/// A line, where a reader is configured.
pub(super) async fn tell(built: &Built, report: &mut Report) -> Result<(), Failure> {
    let Some(reader) = built.callers.reader() else { return Ok(()) };
    let file = reader.file().display();
    if let Err(why) = reader.token().await {
        let next = "put a token there, as from `openssl rand -hex 32`; until then nobody reads with it";
        return report.fail(&format!("entities.reader.tokenFile {file}: {why}"), next);
    }
    let (toolbox, catalog) = (&built.toolbox, built.toolbox.catalog());
    let exported = |name: &str| catalog.environments.contains_key(name);
    let by_callers = toolbox.environments().iter().filter(|one| one.settings().is_by_callers());
    for environment in by_callers.filter(|one| exported(one.name())) {
        report.warn(
            &format!(
                "environment {}: is exported, and callers bring their own token for it: what reads with \
                 entities.reader has none, and gets nothing at all",
                environment.name()
            ),
            "set apiToken, or catalogProvider: {enabled: false} in that environment",
        )?;
    }
    report.ok(&format!("entities: GET /entities, by the token in {file}, which opens nothing else"))
}
