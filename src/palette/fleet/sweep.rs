//! [`Sweep`]: everything that one credential sees, in tenant scope, or project by project where the credential is
//! one of projects.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::time::Instant;

use super::{
    Detail,
    listing::{Listed, Question},
    row::ClusterRow,
};
use crate::palette::{access::Access, fault::Fault, find, place::Place};

/// Projects asked at once, where each is asked for itself.
const PARALLEL: usize = 6;

/// What one credential sees. More than a caller may: see [`ClusterRow::is_seen`] and [`Sweep::told`].
#[derive(Debug)]
pub(in crate::palette) struct Sweep {
    pub(in crate::palette) rows: Vec<Arc<ClusterRow>>,
    /// Names of projects by uid.
    pub(in crate::palette) projects: BTreeMap<String, String>,
    pub(super) detail: Detail,
    gaps: Vec<Gap>,
    asked: Instant,
}

/// What could not be read.
#[derive(Debug)]
struct Gap {
    /// Of which project, where it is of one.
    place: Option<Place>,
    why: String,
}

impl Sweep {
    pub(in crate::palette) fn age(&self) -> Duration {
        self.asked.elapsed()
    }

    pub(super) fn is_partial(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// What could not be read, and of which project where it is of one.
    pub(in crate::palette) fn gaps(&self) -> impl Iterator<Item = (Option<&Place>, &str)> {
        self.gaps.iter().map(|gap| (gap.place.as_ref(), gap.why.as_str()))
    }

    pub(in crate::palette) fn with_uid(&self, uid: &str) -> Option<Arc<ClusterRow>> {
        self.rows.iter().find(|row| row.uid == uid).cloned()
    }

    /// The gaps, as far as the caller may hear of them: a refused project is told to who sees it, and the words of
    /// a gap of everything, which may count, to who sees everything.
    pub(in crate::palette) fn told(&self, access: &Access) -> Vec<String> {
        let environment = access.environment().name();
        let told = |gap: &Gap| match &gap.place {
            Some(place) => {
                access.sees(place).then(|| format!("environment {environment}, {place}: {}", gap.why))
            }
            None if access.view().sees_all() => Some(format!("environment {environment}: {}", gap.why)),
            None => Some(format!("environment {environment}: not everything could be read")),
        };
        self.gaps.iter().filter_map(told).collect()
    }
}

/// Asks `question` in tenant scope, and project by project where that is forbidden; or in `only` one project.
pub(super) async fn sweep(
    access: &Access,
    question: &Question,
    only: Option<&Place>,
) -> Result<Sweep, Fault> {
    let access = &access.unfiltered();
    let asked = Instant::now();
    let scope = only.unwrap_or(&Place::Tenant);
    let whole = question.listed(access, scope);
    let (whole, mut projects) = match question {
        Question::All(Detail::Names) => {
            let (whole, projects) = tokio::join!(whole, find::names_of_projects(access, scope));
            (whole, Some(projects))
        }
        _ => (whole.await, None),
    };
    let (detail, mut rows, mut gaps) = match whole {
        Ok(listed) => {
            let gaps = listed.gaps.into_iter().map(|why| Gap { place: None, why });
            (listed.detail, listed.rows, gaps.collect())
        }
        Err(fault) if fault.is_forbidden() && only.is_none() => {
            let known = match projects {
                Some(projects) => projects,
                None => find::project_names(access).await,
            };
            // whoever may not even list projects is told what was refused first
            let known = known.map_err(|_| fault.clone())?;
            let place = |(uid, name): (&String, &String)| Place::Project {
                uid: uid.clone(),
                name: Some(name.clone()),
            };
            let places: Vec<Place> = known.iter().map(place).collect();
            projects = Some(Ok(known));
            each(access, question, places).await?.ok_or(fault)?
        }
        Err(fault) => return Err(fault),
    };
    let unnamed = rows.iter().any(|row| matches!(row.place, Place::Project { name: None, .. }));
    if projects.is_none() && unnamed {
        projects = Some(find::names_of_projects(access, scope).await);
    }
    let mut names = BTreeMap::new();
    match projects {
        Some(Ok(known)) => names = known,
        Some(Err(fault)) if unnamed => {
            gaps.push(Gap { place: None, why: format!("names of projects: {fault}") });
        }
        _ => {}
    }
    rows.iter_mut().for_each(|row| row.name_place(&names));
    for row in &rows {
        if let Place::Project { uid, name: Some(name) } = &row.place {
            names.entry(uid.clone()).or_insert_with(|| name.clone());
        }
    }
    let rows = rows.into_iter().map(Arc::new).collect();
    Ok(Sweep { rows, projects: names, detail, gaps, asked })
}

/// Asks each project; one that fails is a gap, all that fail a fault. Nothing where there is none.
async fn each(
    access: &Access,
    question: &Question,
    places: Vec<Place>,
) -> Result<Option<(Detail, Vec<ClusterRow>, Vec<Gap>)>, Fault> {
    let ask = async |place: Place| (question.listed(access, &place).await, place);
    let answers: Vec<(Result<Listed, Fault>, Place)> =
        stream::iter(places).map(ask).buffered(PARALLEL).collect().await;
    let (mut rows, mut gaps, mut details, mut failed) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (answer, place) in answers {
        match answer {
            Ok(listed) => {
                details.push(listed.detail);
                rows.extend(listed.rows);
                gaps.extend(listed.gaps.into_iter().map(|why| Gap { place: Some(place.clone()), why }));
            }
            Err(fault) => {
                gaps.push(Gap { place: Some(place), why: fault.to_string() });
                failed.get_or_insert(fault);
            }
        }
    }
    match (details.into_iter().min(), failed) {
        (Some(detail), _) => Ok(Some((detail, rows, gaps))),
        (None, Some(fault)) => Err(fault),
        (None, None) => Ok(None),
    }
}
