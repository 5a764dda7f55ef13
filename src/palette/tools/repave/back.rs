//! What a repave is taken back by: the versions of attached profiles that had the packs which run. The contract has a
//! state `Reverted` of repaves, and no request that leads to it but this.

use crate::{
    Error, ErrorKind,
    palette::{
        api::{pack::PackRef, repave::Reason},
        operate::{
            chosen::{self, Chosen},
            standing::Standing,
            update::Update,
        },
        version::order,
    },
};

/// Versions of one profile that are looked through.
const MOST: usize = 10;

/// The attached profiles that go back.
///
/// # Errors
/// No version of them had what runs; or Palette could not be asked.
pub(super) async fn updates(standing: &Standing, reasons: &[Reason]) -> Result<Vec<Update>, Error> {
    let (access, place) = (&standing.found.access, &standing.found.place);
    let mut left: Vec<&Reason> =
        reasons.iter().filter(|reason| !reason.pack.target.name.is_empty()).collect();
    let named = left.len();
    let mut updates = Vec::new();
    for template in &standing.summary.spec.cluster_profile_templates {
        if left.is_empty() {
            break;
        }
        let now = chosen::version(access, place, &template.uid).await?;
        let (theirs, others): (Vec<&Reason>, Vec<&Reason>) = left
            .iter()
            .copied()
            .partition(|reason| has(now.whole.packs(), &reason.pack.target.name, tag(reason).1));
        if theirs.is_empty() {
            continue;
        }
        if let Some(before) = before(standing, &now, &theirs).await? {
            updates.push(Update::new(standing, &template.uid, before).await?);
            left = others;
        }
    }
    if updates.is_empty() || !left.is_empty() || named < reasons.len() {
        return Err(impossible(standing));
    }
    Ok(updates)
}

/// The newest version of the same profile, other than the one that is attached, with the packs that run.
async fn before(standing: &Standing, now: &Chosen, reasons: &[&Reason]) -> Result<Option<Chosen>, Error> {
    let mut versions: Vec<_> = now.whole.spec.versions.iter().filter(|known| known.uid != now.uid).collect();
    versions.sort_by(|one, other| order(&other.version, &one.version));
    for known in versions.into_iter().take(MOST) {
        let version = chosen::version(&standing.found.access, &standing.found.place, &known.uid).await?;
        let fits = |reason: &&Reason| has(version.whole.packs(), &reason.pack.target.name, tag(reason).0);
        if !version.whole.is_draft() && reasons.iter().all(fits) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// The versions of a reason's pack: the one that runs, and the one that is to run.
fn tag<'r>(reason: &'r Reason) -> (&'r str, &'r str) {
    let of = |tag: &'r str, version: &'r str| if tag.is_empty() { version } else { tag };
    let (current, target) = (&reason.pack.current, &reason.pack.target);
    (of(&current.tag, &current.version), of(&target.tag, &target.version))
}

fn has(packs: &[PackRef], name: &str, tag: &str) -> bool {
    packs
        .iter()
        .any(|pack| pack.name == name && (pack.tag == tag || (pack.tag.is_empty() && pack.version == tag)))
}

fn impossible(standing: &Standing) -> Error {
    let message = format!(
        "the repave of {} cannot be refused from here: Palette's API has no request for it, and no version of an \
         attached profile is known that has the packs which run. Nothing is replaced as long as nobody approves it",
        standing.found.qualified()
    );
    Error::new(ErrorKind::Conflict, message)
        .next("put the profile back with palette_apply_updates and the version that it had, or revert it in Palette")
}
