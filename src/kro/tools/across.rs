//! The same question asked of several clusters: one that cannot be reached is a gap, unless it is the only one.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use crate::{
    Error, ErrorKind,
    kubernetes::{Access, Fault},
    toolbox::Call,
};

/// Clusters asked at once.
const PARALLEL: usize = 8;
/// One of several that has not answered by then keeps the others waiting no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was found in each cluster.
pub(super) struct Across<T> {
    /// The clusters by the names that people give them, in the order of these names.
    pub(super) found: Vec<(String, T)>,
    /// Those that could not be asked, and why.
    pub(super) gaps: Vec<String>,
    /// Those that have nothing of the kind.
    pub(super) without: Vec<String>,
}

/// Asks each cluster of the call.
///
/// # Errors
/// The only one's, or what the first says where all say that there is nothing such.
pub(super) async fn across<T, F>(call: &Call, ask: impl Fn(Access) -> F) -> Result<Across<T>, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut across = Across { found: Vec::new(), gaps: Vec::new(), without: Vec::new() };
    let name = |access: &Access| call.toolbox().clusters().shown_name(access.cluster());
    if let [only] = call.clusters() {
        across.found.push((name(only), ask(only.clone()).await?));
        return Ok(across);
    }
    let until = call.deadline().min(Instant::now() + PATIENCE);
    let asked: Vec<_> = call
        .clusters()
        .iter()
        .map(|access| {
            let (cluster, answer) = (name(access), ask(access.clone()));
            async move {
                let began = Instant::now();
                let late = |_| Err(Error::from(Fault::Timeout(began.elapsed())));
                (cluster, timeout_at(until, answer).await.unwrap_or_else(late))
            }
        })
        .collect();
    let mut answers = stream::iter(asked).buffered(PARALLEL);
    let mut first = None;
    while let Some((cluster, answer)) = answers.next().await {
        match answer {
            Ok(found) => across.found.push((cluster, found)),
            Err(error) if is_absence(error.kind) => {
                across.without.push(cluster);
                first.get_or_insert(error);
            }
            Err(error) => across.gaps.push(format!("cluster {cluster}: {}", error.message)),
        }
    }
    match first {
        Some(error) if across.found.is_empty() && across.gaps.is_empty() => Err(error),
        _ => Ok(across),
    }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Conflict)
}
