//! What is asked for, and which part of it the caller may see.

use super::Input;
use crate::{
    Error, ErrorKind,
    answer::sanitise,
    palette::{
        Access, Ask, Place,
        api::pack::{AttachedProfiles, Manifest, PackEntity, PackSpec, ProfilePacks, Text},
        find::is_uid,
        profiles::find::{self, Within},
        tools::attached,
    },
    permission::Permission,
    toolbox::Call,
};

const VALUES: Permission = Permission::SpectrocloudClusterViewPackValues;
const MANIFESTS: Permission = Permission::SpectrocloudClusterViewPackManifests;

/// The texts that were asked for and may be shown.
pub(super) struct Found {
    pub(super) access: Access,
    pub(super) of: String,
    pub(super) parts: Vec<Part>,
    pub(super) gaps: Vec<String>,
}

/// Values, or a manifest.
pub(super) struct Part {
    pub(super) pack: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) text: Text,
}

/// Where the packs are.
struct Target {
    access: Access,
    place: Place,
    of: String,
    uid: String,
    is_cluster: bool,
    gaps: Vec<String>,
}

pub(super) async fn parts(call: &Call, input: &Input) -> Result<Found, Error> {
    if input.pack.is_none() && input.manifest.is_none() {
        return Err(Error::invalid_input(
            "name a pack with the argument \"pack\", or a manifest with \"manifest\"",
        )
        .next("palette_cluster_profiles and palette_profile_packs list both"));
    }
    let target = target(call, input).await?;
    let may = |permission| call.allows_place(permission, &target.access, &target.place);
    if input.manifest.is_some() {
        call.require_place(MANIFESTS, &target.access, &target.place)?;
    }
    if let (Some(uid), None, true) =
        (input.manifest.as_deref().filter(|name| is_uid(name)), &input.pack, target.is_cluster)
    {
        let asked = Ask::get(&["spectroclusters", &target.uid, "pack", "manifests", uid]);
        let manifest: Manifest = target.access.ask(&target.place, asked).await?;
        let name = manifest.metadata.name;
        let text = manifest.spec.published.content;
        let part = Part { pack: String::new(), name, uid: uid.to_owned(), text };
        return Ok(Found { access: target.access, of: target.of, parts: vec![part], gaps: target.gaps });
    }
    let packs = packs(&target).await?;
    let meant = |pack: &PackSpec| input.pack.as_ref().is_none_or(|name| *name == pack.name);
    if let Some(name) = input.pack.as_ref().filter(|_| !packs.iter().any(meant)) {
        let known: Vec<String> = packs.into_iter().map(|pack| pack.name).collect();
        return Err(super::super::profile_packs::no_pack(&target.of, name, known.iter()));
    }
    let (mut parts, mut gaps, mut others) = (Vec::new(), target.gaps.clone(), Vec::new());
    for pack in packs.into_iter().filter(meant) {
        if input.manifest.is_none() && !pack.values.0.is_empty() {
            if may(VALUES) {
                let name = "values".to_owned();
                parts.push(Part { pack: pack.name.clone(), name, uid: String::new(), text: pack.values });
            } else {
                gaps.push(lacking("values", VALUES, &target.place));
            }
        }
        for manifest in pack.manifests {
            let asked = input.manifest.as_ref();
            if asked.is_some_and(|asked| *asked != manifest.name && *asked != manifest.uid) {
                others.push(manifest.name);
            } else if !may(MANIFESTS) {
                gaps.push(lacking(&format!("manifest {}", manifest.name), MANIFESTS, &target.place));
            } else if let Some(text) = manifest.content {
                parts.push(Part { pack: pack.name.clone(), name: manifest.name, uid: manifest.uid, text });
            } else {
                gaps.push(format!("manifest {}: Palette told no content", manifest.name));
            }
        }
    }
    if let Some(name) = &input.manifest {
        one(&target.of, name, &parts, &others, &gaps)?;
    }
    Ok(Found { access: target.access, of: target.of, parts, gaps })
}

/// That the name stands for one manifest.
fn one(of: &str, name: &str, parts: &[Part], others: &[String], gaps: &[String]) -> Result<(), Error> {
    let short = sanitise::short(name, 80);
    match parts {
        [] if gaps.is_empty() => {
            let near = crate::nearest::names(name, others.iter().map(String::as_str), 8);
            Err(Error::not_found(format!("{of} has no manifest {short:?}")).candidates(near))
        }
        [] | [_] => Ok(()),
        several => Err(Error::new(ErrorKind::Conflict, format!("the manifest name {short:?} is ambiguous"))
            .candidates(several.iter().map(|part| format!("{} in pack {}", part.uid, part.pack)))
            .next("name the pack too, or pass the uid as manifest")),
    }
}

fn lacking(what: &str, permission: Permission, place: &Place) -> String {
    format!("{what}: you need the permission {} for {place}", permission.name())
}

async fn target(call: &Call, input: &Input) -> Result<Target, Error> {
    let project = input.project.as_deref();
    match (&input.cluster, &input.profile) {
        (Some(cluster), None) => {
            let found = attached::cluster(call, cluster, project).await?;
            let of = found.qualified();
            let (access, place, uid) = (found.access, found.place, found.uid);
            Ok(Target { access, place, of, uid, is_cluster: true, gaps: found.gaps })
        }
        (None, Some(profile)) => {
            let found = find::profile(call, profile, project, Within::Seen).await?;
            let of = found.label();
            let (access, place, uid) = (found.access, found.profile.place, found.version.uid);
            Ok(Target { access, place, of, uid, is_cluster: false, gaps: found.gaps })
        }
        _ => Err(Error::invalid_input("give either the argument \"cluster\" or the argument \"profile\"")),
    }
}

async fn packs(target: &Target) -> Result<Vec<PackSpec>, Error> {
    let (access, place, uid) = (&target.access, &target.place, target.uid.as_str());
    let entities: Vec<PackEntity> = if target.is_cluster {
        let asked = Ask::get(&["spectroclusters", uid, "profiles", "packs", "manifests"]);
        let attached: AttachedProfiles = access.ask(place, asked).await?;
        attached.profiles.into_iter().flat_map(|profile| profile.spec.packs).collect()
    } else {
        let asked = Ask::get(&["clusterprofiles", uid, "packs", "manifests"]);
        access.ask::<ProfilePacks>(place, asked).await?.spec.packs
    };
    Ok(entities.into_iter().map(|pack| pack.spec).collect())
}
