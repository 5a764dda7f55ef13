//! What each source of clusters has.

use std::time::Duration;

use super::{super::Failure, Report};
use crate::{
    config::Built,
    kubernetes::{Source, registry::State},
};

/// Longer than any source takes that answers.
const PATIENCE: Duration = Duration::from_secs(35);

/// Reads the sources that were not read yet, and says what they have: a line each, and one for each thing that
/// is broken.
pub(super) async fn tell(built: &Built, report: &mut Report) -> Result<(), Failure> {
    let registry = built.toolbox.registry();
    registry.settled(PATIENCE).await;
    let clusters = registry.now();
    for state in clusters.sources() {
        let mend = match state.source() {
            Source::Backstage => {
                "look at clusters.backstage (and at backstage, where it has no url): url, token, caFile, and whether it is \
                 reached from here"
            }
            Source::Palette => "look at the line of that environment below; everything else is served",
            _ => "mend that file; everything else is served",
        };
        if let Some(failure) = state.failure() {
            report.fail(&failure, mend)?;
        } else if let Some(said) = found(state) {
            report.ok(&said)?;
        }
        for problem in state.left_out() {
            report.fail(problem, "mend that part; everything else is served")?;
        }
    }
    match clusters.no_default() {
        Some(problem) => report.fail(problem, "mend that part of the file; everything else is served"),
        None => Ok(()),
    }
}

fn found(state: &State) -> Option<String> {
    let number = match state.clusters().len() {
        // the sources that are looked at without being configured
        0 if !matches!(state.source(), Source::Backstage | Source::Palette) => return None,
        1 => "1 cluster".to_owned(),
        many => format!("{many} clusters"),
    };
    let notes: String = state.notes().iter().map(|note| format!("; {note}")).collect();
    Some(format!("source {} ({}): {number}{notes}", state.source().name(), state.place()))
}
