//! `palette_drift`: where a cluster is not what its profiles say.

use std::collections::HashMap;

use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Ask, Fault, Place,
        api::{
            ObjectMeta,
            pack::{AttachedProfiles, ClusterHistory, ProfilePacks, Upgrade},
        },
        find::FoundCluster,
        packs::{
            PackState,
            change::{self, Parts},
        },
        said::said,
    },
    attached,
    change_row::{ChangeRow, lines},
    pack_row::in_the_background,
    profile_diff::withheld,
    reach,
};
use crate::{
    Error,
    answer::Answer,
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

/// Profiles read at once.
const PARALLEL: usize = 8;
/// Changes of the history that are told.
const MOST_UPGRADES: usize = 10;
/// Characters of a reason of one.
const LONGEST_REASON: usize = 300;

/// The handler.
#[derive(Debug)]
pub struct ShowDrift;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    cluster: String,
    /// Only this one.
    pack: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    uid: String,
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// name@version (uid) of those that were compared.
    profiles: Vec<String>,
    /// Packs that were compared.
    packs: usize,
    /// Packs that differ, before paging.
    total: usize,
    /// Before: the profile; after: the cluster.
    rows: Vec<ChangeRow>,
    /// What Palette changed on the cluster, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<Past>,
}

/// A change of the past.
#[derive(Debug, Serialize, JsonSchema)]
struct Past {
    at: String,
    changes: Vec<String>,
}

impl Tool for ShowDrift {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let found = attached::cluster(&call, &input.cluster, input.project.as_deref()).await?;
        let parts = Parts {
            values: call.allows_place(
                Permission::SpectrocloudClusterViewPackValues,
                &found.access,
                &found.place,
            ),
            manifests: call.allows_place(
                Permission::SpectrocloudClusterViewPackManifests,
                &found.access,
                &found.place,
            ),
        };
        let Read { pairs, upgrades, mut gaps } = read(&found).await?;
        gaps.extend(withheld(parts));
        let profiles: Vec<String> =
            pairs.iter().map(|pair| format!("{} ({})", pair.label, pair.uid)).collect();
        let only = input.pack.clone();
        if let Some(name) = &only
            && !pairs.iter().any(|pair| pair.cluster.iter().any(|pack| pack.name == *name))
        {
            let known: Vec<&String> =
                pairs.iter().flat_map(|pair| pair.cluster.iter().map(|pack| &pack.name)).collect();
            return Err(super::profile_packs::no_pack(&found.name, name, known.into_iter()));
        }
        let alone = only.is_some();
        let (rows, packs) = in_the_background(move || {
            let (mut rows, mut packs) = (Vec::new(), 0);
            for pair in pairs {
                let meant = |pack: &PackState| only.as_ref().is_none_or(|name| *name == pack.name);
                let keep =
                    |packs: Vec<PackState>| -> Vec<PackState> { packs.into_iter().filter(meant).collect() };
                let (profile, cluster) = (keep(pair.profile), keep(pair.cluster));
                packs += cluster.len();
                for change in change::compare(&profile, &cluster, parts) {
                    rows.push(ChangeRow::new(rows.len(), &pair.label, change, alone));
                }
            }
            (rows, packs)
        })
        .await?;
        let summary = match rows.len() {
            0 => format!(
                "{}: no drift; its {packs} packs are as its {} profiles say",
                found.qualified(),
                profiles.len()
            ),
            drifted => format!(
                "{}: {drifted} of {packs} packs differ from its {} profiles (before: the profile, after: the cluster)",
                found.qualified(),
                profiles.len()
            ),
        };
        let (page, cut) = call.page(rows, input.cursor.as_deref(), "name one with pack")?;
        let history = history(upgrades);
        let mut body = lines(&page.rows.rows);
        if !history.is_empty() {
            body.push_str("\nhistory");
            history
                .iter()
                .for_each(|past| body.push_str(&format!("\n  {}\t{}", past.at, past.changes.join("; "))));
        }
        let output = Output {
            cluster: found.name.clone(),
            uid: found.uid.clone(),
            environment: found.access.environment().name().to_owned(),
            project: found.place.shown().map(str::to_owned),
            profiles,
            packs,
            total: page.rows.total,
            rows: page.rows.rows,
            history,
        };
        Ok(Answer::new(summary, body, output).gaps(gaps).cut(cut))
    }
}

/// A profile as it is attached, and as it says itself.
struct Pair {
    label: String,
    uid: String,
    cluster: Vec<PackState>,
    profile: Vec<PackState>,
}

struct Read {
    pairs: Vec<Pair>,
    upgrades: Vec<Upgrade>,
    gaps: Vec<String>,
}

/// Two requests, and one a profile.
async fn read(found: &FoundCluster) -> Result<Read, Error> {
    let (access, place) = (&found.access, &found.place);
    let attached = Ask::get(&["spectroclusters", &found.uid, "profiles", "packs", "manifests"]);
    let (attached, history) = tokio::join!(
        access.ask::<AttachedProfiles>(place, attached),
        access.ask::<ClusterHistory>(place, Ask::get(&["spectroclusters", &found.uid])),
    );
    let mut gaps = found.gaps.clone();
    let history = history.unwrap_or_else(|fault| {
        gaps.push(format!("history and versions of profiles: {fault}"));
        ClusterHistory::default()
    });
    let versions: HashMap<String, String> = history
        .spec
        .cluster_profile_templates
        .into_iter()
        .map(|template| (template.uid, template.profile_version))
        .collect();
    let one = |attached: ProfilePacks| async move {
        let own = of_profile(found, &attached.metadata).await;
        (attached, own)
    };
    let answers: Vec<_> = stream::iter(attached?.profiles).map(one).buffered(PARALLEL).collect().await;
    let mut pairs = Vec::new();
    for (attached, own) in answers {
        let ObjectMeta { name, uid, .. } = attached.metadata;
        let label = match versions.get(&uid).filter(|version| !version.is_empty()) {
            Some(version) => format!("{name}@{version}"),
            None => name,
        };
        let states =
            |packs: ProfilePacks| packs.spec.packs.into_iter().map(PackState::from).collect::<Vec<_>>();
        match own.map(states) {
            Ok(profile) if !profile.is_empty() => {
                let cluster = attached.spec.packs.into_iter().map(PackState::from).collect();
                pairs.push(Pair { label, uid, cluster, profile });
            }
            Ok(_) => gaps.push(format!("profile {label} ({uid}) tells no packs: not compared")),
            Err(fault) => gaps.push(format!("profile {label} ({uid}), not compared: {fault}")),
        }
    }
    Ok(Read { pairs, upgrades: history.status.upgrades, gaps })
}

/// The profile's own packs. Where it is, is not always told: it is the cluster's place or the tenant.
async fn of_profile(found: &FoundCluster, metadata: &ObjectMeta) -> Result<ProfilePacks, Fault> {
    let mut places = Vec::new();
    if metadata.annotations.contains_key("scope") {
        places.push(metadata.place());
    }
    // what is attached may say that it is anywhere
    places.retain(|place| found.access.sees(place));
    places.extend([found.place.clone(), Place::Tenant]);
    let mut seen = std::collections::HashSet::new();
    places.retain(|place| seen.insert(place.project_uid().map(str::to_owned)));
    let mut last = Fault::NotFound("profile".to_owned());
    for place in &places {
        let asked = Ask::get(&["clusterprofiles", &metadata.uid, "packs", "manifests"]);
        match found.access.ask(place, asked).await {
            Err(fault) if fault.is_forbidden() || fault.is_not_found() => last = fault,
            answer => return answer,
        }
    }
    Err(last)
}

fn history(mut upgrades: Vec<Upgrade>) -> Vec<Past> {
    upgrades.sort_by(|one, other| other.timestamp.cmp(&one.timestamp));
    let told = |upgrade: Upgrade| Past {
        at: upgrade.timestamp,
        changes: upgrade.reason.iter().map(|reason| said(reason, LONGEST_REASON)).collect(),
    };
    upgrades.into_iter().take(MOST_UPGRADES).map(told).collect()
}
