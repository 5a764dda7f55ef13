//! Profiles as Palette lists them, with the place each is in.
//!
//! Whether the tenant's scope lists profiles of projects too is not documented: one that it lists proves that it
//! does. Where none proves it, each project is asked.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{Profile, grouped};
use crate::palette::{
    Access, Ask, Fault, Place,
    api::profile::{ProfileSummaries, ProfileSummary},
    find::{named, project_names},
};

/// Projects asked at once.
const PARALLEL: usize = 8;

/// Profiles that the caller's credential sees; what our caller sees has yet to be decided.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// By name and place.
    pub profiles: Vec<Profile>,
    /// What could not be read.
    pub gaps: Vec<String>,
}

/// All profiles of an environment, or those of exactly this name.
///
/// # Errors
/// [`Fault`], where nothing could be read.
pub async fn listed(access: &Access, name: Option<&str>) -> Result<Listed, Fault> {
    let (mut rows, mut gaps) = (Vec::new(), Vec::new());
    let refused = match in_place(access, &Place::Tenant, name).await {
        Ok((found, gap)) => {
            rows = found;
            gaps.extend(gap.map(|gap| format!("profiles: {gap}")));
            None
        }
        // a credential of a project
        Err(fault) if fault.is_forbidden() => Some(fault),
        Err(fault) => return Err(fault),
    };
    let told = rows.iter().any(is_in_project);
    let covered = told || (refused.is_none() && name.is_some() && tenant_tells_projects(access).await);
    let names = if covered && !told { BTreeMap::new() } else { names(access, &mut gaps).await };
    if !covered {
        let places =
            names.iter().map(|(uid, name)| Place::Project { uid: uid.clone(), name: Some(name.clone()) });
        let places: Vec<Place> = places.filter(|place| access.sees(place)).collect();
        if let (Some(fault), true) = (refused, places.is_empty()) {
            return Err(fault);
        }
        let asked = |place: Place| async move { (in_place(access, &place, name).await, place) };
        let answers: Vec<_> = stream::iter(places).map(asked).buffered(PARALLEL).collect().await;
        for (answer, place) in answers {
            match answer {
                Ok((found, gap)) => {
                    rows.extend(found);
                    gaps.extend(gap.map(|gap| format!("profiles of {place}: {gap}")));
                }
                Err(fault) => gaps.push(format!("profiles of {place}: {fault}")),
            }
        }
    }
    let profiles = grouped(rows, |place| named(place, &names));
    Ok(Listed { profiles, gaps })
}

async fn names(access: &Access, gaps: &mut Vec<String>) -> BTreeMap<String, String> {
    match project_names(access).await {
        Ok(names) => names,
        Err(fault) => {
            gaps.push(format!("names of projects: {fault}"));
            BTreeMap::new()
        }
    }
}

async fn in_place(
    access: &Access,
    place: &Place,
    name: Option<&str>,
) -> Result<(Vec<ProfileSummary>, Option<String>), Fault> {
    let filter = name.map_or_else(|| json!({}), |name| json!({"profileName": {"eq": name}}));
    let paged = access.pages::<ProfileSummaries>(place, ask(&filter)).await?;
    // a filter that Palette did not know would let all pass
    let meant = |row: &ProfileSummary| name.is_none_or(|name| row.metadata.name == name);
    Ok((paged.rows.into_iter().filter(meant).collect(), paged.gap))
}

/// Whether the tenant's scope is known to list profiles of projects.
async fn tenant_tells_projects(access: &Access) -> bool {
    let one = ask(&json!({"scope": "project"})).with("limit", "1");
    let page: Result<ProfileSummaries, Fault> = access.ask(&Place::Tenant, one).await;
    page.is_ok_and(|page| page.items.iter().any(is_in_project))
}

fn ask(filter: &Value) -> Ask {
    Ask::search(&["dashboard", "clusterprofiles"], json!({"filter": filter, "sort": []}))
}

fn is_in_project(row: &ProfileSummary) -> bool {
    row.metadata.place() != Place::Tenant
}
