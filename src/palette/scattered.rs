//! Lists of what is in a tenant: asked for in tenant scope, and project by project where the credential is one of
//! projects.

use futures::{StreamExt as _, stream};

use super::{access::Access, fault::Fault, find, place::Place};

/// Projects asked at once.
const PARALLEL: usize = 6;

/// What came, with the scope it was asked in; and what did not, as far as the caller may hear of it.
#[derive(Debug)]
pub(super) struct Scattered<T> {
    /// What each scope answered.
    pub(super) parts: Vec<(Place, T)>,
    /// Projects that the caller sees and that could not be read.
    pub(super) gaps: Vec<String>,
}

/// Asks in tenant scope; where that is forbidden, in each project that the caller sees.
///
/// # Errors
/// Nothing could be read at all.
pub(super) async fn all<T, F>(access: &Access, ask: impl Fn(Place) -> F) -> Result<Scattered<T>, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let refused = match ask(Place::Tenant).await {
        Ok(part) => return Ok(Scattered { parts: vec![(Place::Tenant, part)], gaps: Vec::new() }),
        Err(fault) if fault.is_forbidden() => fault,
        Err(fault) => return Err(fault),
    };
    let Ok(names) = find::project_names(access).await else { return Err(refused) };
    let places = names.into_iter().map(|(uid, name)| Place::Project { uid, name: Some(name) });
    let seen: Vec<Place> = places.filter(|place| access.sees(place)).collect();
    let answers: Vec<(Place, Result<T, Fault>)> = stream::iter(seen)
        .map(|place| {
            let asked = ask(place.clone());
            async move { (place, asked.await) }
        })
        .buffered(PARALLEL)
        .collect()
        .await;
    let (mut parts, mut gaps) = (Vec::new(), Vec::new());
    for (place, answer) in answers {
        match answer {
            Ok(part) => parts.push((place, part)),
            Err(fault) => gaps.push(format!("environment {}, {place}: {fault}", access.environment().name())),
        }
    }
    if parts.is_empty() { Err(refused) } else { Ok(Scattered { parts, gaps }) }
}
