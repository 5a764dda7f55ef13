//! From what people write (`base`, `base@1.2.0`, a uid) to one profile that the caller may see.

use super::{
    Profile, Version,
    listing::{Listed, listed},
};
use crate::{
    Error, ErrorKind,
    answer::sanitise,
    nearest,
    palette::{
        Access, Ask, Fault, Place,
        api::profile::{ClusterProfile, ProfilesMetadata},
        find::{is_uid, named, project_names},
        version::order,
    },
    toolbox::Call,
};

/// Names that are offered instead of one that is not there.
const MOST_NEAREST: usize = 5;

/// A profile that was found, in one version.
#[derive(Clone, Debug)]
pub struct FoundProfile {
    /// Its environment.
    pub access: Access,
    /// The profile, with all versions that are known.
    pub profile: Profile,
    /// The version that was named; the latest where none was.
    pub version: Version,
    /// Whether a version was named.
    pub is_exact: bool,
    /// What could not be read on the way.
    pub gaps: Vec<String>,
}

impl FoundProfile {
    /// `name@version`
    pub fn label(&self) -> String {
        format!("{}@{}", self.profile.name, self.version.version)
    }

    /// `environment/scope/name`: what tells it from all others.
    pub fn qualified(&self) -> String {
        format!("{}/{}/{}", self.access.environment().name(), self.profile.scope(), self.profile.name)
    }

    /// The whole version, with packs and values.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn whole(&self) -> Result<ClusterProfile, Fault> {
        self.access.ask(&self.profile.place, Ask::get(&["clusterprofiles", &self.version.uid])).await
    }
}

/// Which places count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Those that the caller sees.
    Seen,
    /// Those, and the tenant, whose profiles the clusters of every project may use: what is shown of such a profile
    /// has to be decided by what uses it.
    SeenOrTenant,
}

/// The profile of this name (`name` or `name@version`) or uid, in the environments that the call reached.
///
/// # Errors
/// None, or several; or Palette could not be asked.
pub async fn profile(
    call: &Call,
    written: &str,
    project: Option<&str>,
    within: Within,
) -> Result<FoundProfile, Error> {
    let (mut found, mut failed, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    let (accesses, written, project) = spelled(call.environments(), written, project);
    for access in accesses {
        match in_environment(access, written, project, within).await {
            Ok(more) => {
                found.extend(more.found);
                versions.extend(more.other_versions);
            }
            Err(fault) => failed.push((access.environment().name().to_owned(), fault)),
        }
    }
    // what the caller sees comes before what only the clusters tell of
    if found.len() > 1 && found.iter().any(|one| one.access.sees(&one.profile.place)) {
        found.retain(|one| one.access.sees(&one.profile.place));
    }
    match (found.pop(), found.is_empty(), failed.pop()) {
        (Some(mut one), true, failed) => {
            one.gaps.extend(failed.map(|(environment, fault)| format!("environment {environment}: {fault}")));
            Ok(one)
        }
        (Some(one), false, _) => Err(ambiguous(written, found.iter().chain([&one]))),
        (None, _, Some((_, fault))) => Err(fault.into()),
        (None, _, None) if !versions.is_empty() => Err(no_version(written, &versions)),
        (None, _, None) => Err(not_found(call, written).await),
    }
}

fn no_version(written: &str, versions: &[String]) -> Error {
    let (name, version) = split(written);
    let version = sanitise::short(version.unwrap_or_default(), 40);
    Error::not_found(format!("the profile {:?} has no version {version:?}", sanitise::short(name, 80)))
        .candidates(versions.iter().rev().take(10))
        .next("write name@version with one of these, or the name alone for the latest")
}

/// The words for a profile that is not there, and for one that the caller may not see.
pub async fn not_found(call: &Call, written: &str) -> Error {
    let mut names = std::collections::BTreeSet::new();
    for access in call.environments() {
        let listed = listed(access, None).await.unwrap_or_default();
        let seen = listed.profiles.into_iter().filter(|profile| access.sees(&profile.place));
        names.extend(seen.map(|profile| profile.name));
    }
    let (name, _) = split(written);
    let near = nearest::names(name, names.iter().map(String::as_str), MOST_NEAREST);
    let message = format!("there is no cluster profile {:?} that you may see", sanitise::short(written, 80));
    let mut next = "call palette_profiles to see those that you may see".to_owned();
    // decided by the caller alone: it is the same whether there is one
    if !call.environments().iter().all(|access| access.sees(&Place::Tenant)) {
        let needed: Vec<&str> = call.requirement().permissions().iter().map(|one| one.name()).collect();
        next.push_str(&format!("; profiles of the tenant need {} outside of projects", needed.join(", ")));
    }
    Error::not_found(message).candidates(near).next(next)
}

fn ambiguous<'f>(written: &str, found: impl Iterator<Item = &'f FoundProfile>) -> Error {
    let message = format!("the profile name {:?} is ambiguous", sanitise::short(written, 80));
    Error::new(ErrorKind::Conflict, message)
        .candidates(found.map(FoundProfile::qualified))
        .next("pass one of these as profile")
}

#[derive(Default)]
struct Candidates {
    found: Vec<FoundProfile>,
    /// Of profiles that have the name, and not the version.
    other_versions: Vec<String>,
}

async fn in_environment(
    access: &Access,
    written: &str,
    project: Option<&str>,
    within: Within,
) -> Result<Candidates, Fault> {
    if is_uid(written)
        && let Some(found) = by_uid(access, written, project, within).await?
    {
        return Ok(Candidates { found: vec![found], ..Candidates::default() });
    }
    let (name, version) = split(written);
    let Listed { profiles, gaps } = listed(access, Some(name)).await?;
    let mut meant: Vec<Profile> =
        profiles.into_iter().filter(|profile| counts(access, &profile.place, within)).collect();
    if let Some("tenant" | "system" | "-") = project {
        meant.retain(|profile| profile.place == Place::Tenant);
    } else if let Some(project) = project {
        let in_project = |profile: &Profile| profile.place.is_called(project);
        // the tenant's profiles are used in projects: one is meant where the project has none of that name
        let own = meant.iter().any(in_project);
        meant.retain(|profile| if own { in_project(profile) } else { profile.place == Place::Tenant });
    }
    let mut candidates = Candidates::default();
    for profile in meant {
        let chosen = match version {
            Some(version) => profile.version(version),
            None => profile.latest(),
        };
        match chosen.cloned() {
            Some(chosen) => {
                let (access, gaps, is_exact) = (access.clone(), gaps.clone(), version.is_some());
                candidates.found.push(FoundProfile { access, profile, version: chosen, is_exact, gaps });
            }
            // the versions of what the caller does not see are not told
            None if access.sees(&profile.place) => {
                candidates.other_versions.extend(profile.versions.into_iter().map(|version| version.version));
            }
            None => {}
        }
    }
    Ok(candidates)
}

/// The version of this uid. The tenant's scope is asked first; a profile of a project refuses that, and is looked up
/// by the name that its uid has.
async fn by_uid(
    access: &Access,
    uid: &str,
    project: Option<&str>,
    within: Within,
) -> Result<Option<FoundProfile>, Fault> {
    let asked = Ask::get(&["clusterprofiles", uid]);
    let whole: ClusterProfile = match access.ask(&Place::Tenant, asked).await {
        Ok(whole) => whole,
        Err(fault) if fault.is_forbidden() || fault.is_not_found() => {
            return by_index(access, uid, project, within).await;
        }
        Err(fault) => return Err(fault),
    };
    let mut place = whole.metadata.place();
    if place != Place::Tenant && !access.view().sees_all() {
        place = named(place, &project_names(access).await?);
    }
    if !counts(access, &place, within) {
        return Ok(None);
    }
    Ok(Some(of_whole(access, &whole, uid, place)))
}

async fn by_index(
    access: &Access,
    uid: &str,
    project: Option<&str>,
    within: Within,
) -> Result<Option<FoundProfile>, Fault> {
    let metadata: Result<ProfilesMetadata, Fault> =
        access.ask(&Place::Tenant, Ask::get(&["dashboard", "clusterprofiles", "metadata"])).await;
    let known = metadata.ok().and_then(|metadata| {
        metadata
            .items
            .into_iter()
            .map(|item| item.metadata)
            .find(|item| item.uid == uid)
            .map(|item| item.name)
    });
    let Listed { profiles, gaps } = listed(access, known.as_deref()).await?;
    let found = profiles.into_iter().find_map(|profile| {
        let version = profile.version(uid).filter(|_| {
            let meant = project.is_none_or(|project| profile.place.is_called(project));
            meant && counts(access, &profile.place, within)
        })?;
        let (access, version) = (access.clone(), version.clone());
        Some(FoundProfile { access, version, profile, is_exact: true, gaps: gaps.clone() })
    });
    Ok(found)
}

fn of_whole(access: &Access, whole: &ClusterProfile, uid: &str, place: Place) -> FoundProfile {
    let template = whole.spec.published.as_ref().or(whole.spec.draft.as_ref());
    let version =
        |uid: &str, version: &str| Version { uid: uid.to_owned(), version: version.to_owned(), told: None };
    let mut versions: Vec<Version> =
        whole.spec.versions.iter().map(|known| version(&known.uid, &known.version)).collect();
    let own = versions.iter().find(|known| known.uid == uid).map(|known| known.version.clone());
    let own = version(uid, own.as_deref().unwrap_or(&whole.spec.version));
    if !versions.contains(&own) {
        versions.push(own.clone());
    }
    versions.sort_by(|one, other| order(&one.version, &other.version));
    let profile = Profile {
        name: whole.metadata.name.clone(),
        place,
        is_system: whole.metadata.annotations.get("scope").is_some_and(|scope| scope == "system"),
        kind: template.map(|template| template.kind.clone()).unwrap_or_default(),
        cloud_type: template.map(|template| template.cloud_type.clone()).unwrap_or_default(),
        overlord: whole.metadata.annotations.get("overlordUid").cloned().unwrap_or_default(),
        versions,
    };
    FoundProfile { access: access.clone(), profile, version: own, is_exact: true, gaps: Vec::new() }
}

fn counts(access: &Access, place: &Place, within: Within) -> bool {
    access.sees(place) || (within == Within::SeenOrTenant && *place == Place::Tenant)
}

/// `environment/scope/name`, as candidates are written, taken apart; anything else stays as it is.
fn spelled<'a>(
    accesses: &'a [Access],
    written: &'a str,
    project: Option<&'a str>,
) -> (Vec<&'a Access>, &'a str, Option<&'a str>) {
    if let [environment, scope, name] = written.split('/').collect::<Vec<_>>().as_slice()
        && let Some(access) = accesses.iter().find(|access| access.environment().name() == *environment)
    {
        return (vec![access], name, Some(scope));
    }
    (accesses.iter().collect(), written, project)
}

/// `name@version`; no name of a profile has an `@`.
pub fn split(written: &str) -> (&str, Option<&str>) {
    match written.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => (name, Some(version)),
        _ => (written, None),
    }
}
