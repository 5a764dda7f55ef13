//! Which attached profiles go where: to the version that was named, or to all that waits.

use super::super::super::{
    api::summary::Template,
    operate::{
        chosen::{self, Chosen},
        standing::Standing,
        update::Update,
    },
    profiles::find::{self, Within},
};
use crate::{Error, ErrorKind, answer::sanitise, toolbox::Call};

/// Profiles that are changed at once.
const MOST: usize = 20;

/// The updates; none where there is nothing to do.
pub(super) async fn of(
    call: &Call,
    standing: &Standing,
    profile: Option<&str>,
) -> Result<Vec<Update>, Error> {
    match profile {
        Some(written) => named(call, standing, written).await,
        None => pending(standing).await,
    }
}

async fn named(call: &Call, standing: &Standing, written: &str) -> Result<Vec<Update>, Error> {
    let found = &standing.found;
    let project = found.place.project_uid().unwrap_or("-");
    let profile = find::profile(call, written, Some(project), Within::SeenOrTenant).await?;
    let attached = &standing.summary.spec.cluster_profile_templates;
    let known = |uid: &str| profile.profile.versions.iter().any(|version| version.uid == uid);
    if !attached.iter().any(|template| known(&template.uid) || template.uid == profile.version.uid) {
        return Err(unattached(standing, written));
    }
    let to = chosen::of(&found.access, &found.place, &profile).await?;
    let Some(from) = replaced(attached, &to) else { return Err(unattached(standing, written)) };
    if from == to.uid && !standing.pending().await?.iter().any(|waits| waits.uid == to.uid) {
        return Ok(Vec::new());
    }
    Ok(vec![Update::new(standing, from, to).await?])
}

async fn pending(standing: &Standing) -> Result<Vec<Update>, Error> {
    let (found, attached) = (&standing.found, &standing.summary.spec.cluster_profile_templates);
    let waits = standing.pending().await?;
    if waits.len() > MOST {
        let message =
            format!("{} profiles of {} have updates: too many for one call", waits.len(), found.qualified());
        return Err(Error::new(ErrorKind::Conflict, message)
            .candidates(waits.iter().map(|of| format!("{}@{}", of.name, of.profile_version)))
            .next("name one as profile"));
    }
    let mut updates = Vec::new();
    for target in waits {
        let to = chosen::version(&found.access, &found.place, &target.uid).await?;
        let to = Chosen {
            name: if target.name.is_empty() { to.name } else { target.name },
            version: if target.profile_version.is_empty() { to.version } else { target.profile_version },
            ..to
        };
        if to.whole.is_draft() {
            return Err(Error::new(ErrorKind::Conflict, format!("{} waits and is a draft now", to.label()))
                .next("publish it in Palette, or name another version as profile"));
        }
        let Some(from) = replaced(attached, &to) else {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{} waits for {} and is of no attached profile", to.label(), found.qualified()),
            )
            .next("name what is meant as profile"));
        };
        updates.push(Update::new(standing, from, to).await?);
    }
    Ok(updates)
}

/// The uid of the attached version whose place that version takes: another one of its profile.
fn replaced<'a>(attached: &'a [Template], to: &Chosen) -> Option<&'a str> {
    let same = |template: &&Template| template.uid == to.uid;
    let version = |template: &&Template| to.whole.spec.versions.iter().any(|known| known.uid == template.uid);
    let found = attached.iter().find(same).or_else(|| attached.iter().find(version))?;
    Some(&found.uid)
}

fn unattached(standing: &Standing, written: &str) -> Error {
    let shown = sanitise::short(written, 80);
    let message = format!("the profile {shown:?} is not attached to {}", standing.found.qualified());
    let attached = &standing.summary.spec.cluster_profile_templates;
    Error::not_found(message)
        .candidates(attached.iter().map(|template| template.name.as_str()))
        .next("pass one that is attached, as name@version; attaching another is not done here")
}
