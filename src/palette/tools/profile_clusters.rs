//! `palette_profile_clusters`: who uses a profile, in which version; and which profiles a cluster uses.

mod of_cluster;

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Access, Ask, Fault, Place,
        api::profile::{ClusterProfile, GroupsUsing},
        find::{is_uid, named, project_names},
        fleet::{self, Detail, Wanted},
        profiles::{
            Version,
            find::{self, FoundProfile, Within},
            usage::{self, Use, UserKind},
        },
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row},
    toolbox::{Call, Reach, Tool},
};

/// Versions read at once.
const PARALLEL: usize = 8;

/// The handler.
#[derive(Debug)]
pub struct ListProfileClusters;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// name, name@version or uid
    profile: Option<String>,
    version: Option<String>,
    /// Instead: the profiles of this one.
    cluster: Option<String>,
    /// Cluster groups too (default).
    groups: Option<bool>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// How many of those you see are on each version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<VersionCount>,
    /// Rows before paging.
    total: usize,
    rows: Vec<UseRow>,
}

/// A version, and how many use it.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionCount {
    version: String,
    uid: String,
    clusters: usize,
    #[serde(skip_serializing_if = "is_zero")]
    groups: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A use of a profile.
#[derive(Debug, Serialize, JsonSchema)]
struct UseRow {
    kind: UserKind,
    name: String,
    uid: String,
    profile: String,
    version: String,
    environment: String,
    /// Left out where it is the tenant's own, or not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
}

impl Row for UseRow {
    const COLUMNS: &'static [&'static str] = &["kind", "name", "profile", "version", "project", "uid"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.name().to_owned(),
            self.name.clone(),
            self.profile.clone(),
            self.version.clone(),
            self.project.clone().unwrap_or_default(),
            self.uid.clone(),
        ]
    }

    fn key(&self) -> String {
        let project = self.project.as_deref().unwrap_or_default();
        format!("{:?} {project} {} {} {} {}", self.kind, self.name, self.uid, self.profile, self.version)
    }
}

impl Tool for ListProfileClusters {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        match (&input.profile, &input.cluster) {
            (Some(profile), None) => of_profile(&call, profile, &input).await,
            (None, Some(cluster)) => of_cluster::answer(&call, cluster, &input).await,
            _ => {
                Err(Error::invalid_input("give either the argument \"profile\" or the argument \"cluster\"")
                    .next("palette_profiles lists profiles, palette_clusters clusters"))
            }
        }
    }
}

async fn of_profile(call: &Call, profile: &str, input: &Input) -> Result<Answer<Output>, Error> {
    let written = match &input.version {
        Some(version) if !is_uid(profile) => format!("{}@{version}", find::split(profile).0),
        _ => profile.to_owned(),
    };
    let project = input.project.as_deref();
    let mut found = find::profile(call, &written, project, Within::SeenOrTenant).await?;
    if let Some(version) = input.version.as_deref().filter(|_| is_uid(profile)) {
        found.version = found.profile.version(version).cloned().ok_or_else(|| {
            Error::not_found(format!("the profile {:?} has no such version", found.profile.name)).candidates(
                found.profile.versions.iter().rev().take(10).map(|version| version.version.as_str()),
            )
        })?;
    }
    let access = found.access.clone();
    // with a uid, it is that version that is meant
    let versions = match found.is_exact {
        true => vec![found.version.clone()],
        false => found.profile.versions.clone(),
    };
    let read = read(&found, &versions, input.groups.unwrap_or(true)).await?;
    let seen: Vec<Use> = read.uses.into_iter().filter(|user| user.is_seen(&access)).collect();
    if seen.is_empty() && !access.sees(&found.profile.place) {
        return Err(find::not_found(call, profile).await);
    }
    let counts = counts(&versions, &seen);
    let environment = access.environment().name().to_owned();
    let rows: Vec<UseRow> =
        seen.into_iter().map(|user| row(user, &found.profile.name, &environment)).collect();
    let mut summary = summary(&found, &counts, &rows, access.view().sees_all());
    if input.project.is_some() && !is_uid(profile) {
        summary.push_str("; the argument project picks the profile, not the clusters");
    }
    let (page, cut) = call.page(rows, input.cursor.as_deref(), "name one version")?;
    let body = format!("{}{}", counted(&counts), page.table);
    let output = Output { versions: counts, total: page.rows.total, rows: page.rows.rows };
    let gaps = found.gaps.into_iter().chain(read.gaps);
    Ok(Answer::new(summary, body, output).gaps(gaps).cut(cut))
}

struct Read {
    uses: Vec<Use>,
    gaps: Vec<String>,
}

/// One request a version, and one for the groups.
async fn read(found: &FoundProfile, versions: &[Version], with_groups: bool) -> Result<Read, Error> {
    let (access, place) = (&found.access, &found.profile.place);
    let mut gaps = Vec::new();
    // one version by its uid is one request: then names and kinds are told by a sweep that is there, or not
    let brief = found.is_exact && !with_groups;
    let wanted = Wanted::default();
    let sweep = match fleet::peek(access) {
        None if !brief => match fleet::swept(access, Detail::Names, wanted).await {
            Ok(sweep) => Some(sweep),
            Err(fault) => {
                gaps.push(format!("names of projects, and which clusters are virtual: {fault}"));
                None
            }
        },
        kept => kept,
    };
    let unnamed = gaps.len();
    let names = match (access.view().sees_all(), &sweep) {
        (true, Some(sweep)) => sweep.projects.clone(),
        (true, None) => BTreeMap::new(),
        // rules may know projects by name
        (false, _) => project_names(access).await?,
    };
    let one = |version: Version| async move {
        let asked = Ask::get(&["clusterprofiles", &version.uid]);
        let whole: Result<ClusterProfile, Fault> = access.ask(place, asked).await;
        (whole, version)
    };
    let answers = stream::iter(versions.to_vec()).map(one).buffered(PARALLEL);
    let groups = async {
        let asked = Ask::get(&["clustergroups", "hostCluster"]);
        if with_groups { Some(access.ask::<GroupsUsing>(place, asked).await) } else { None }
    };
    let (answers, groups): (Vec<_>, _) = tokio::join!(answers.collect(), groups);
    let (mut uses, mut first, read) = (Vec::new(), None, answers.len());
    for (whole, version) in answers {
        match whole {
            Ok(whole) => {
                uses.extend(usage::of_version(whole, &version.version, |place| named(place, &names)));
            }
            Err(fault) => {
                gaps.push(format!("version {}: {fault}", version.version));
                first.get_or_insert(fault);
            }
        }
    }
    if let Some(fault) = first.filter(|_| gaps.len() == unnamed + read) {
        return Err(fault.into());
    }
    match groups {
        Some(Ok(groups)) => uses.extend(usage::of_groups(groups, versions, |place| named(place, &names))),
        Some(Err(fault)) => gaps.push(format!("cluster groups: {fault}")),
        None => {}
    }
    for user in uses.iter_mut().filter(|user| user.kind == UserKind::Cluster) {
        let row = sweep.as_ref().and_then(|sweep| sweep.with_uid(&user.uid));
        if row.is_some_and(|row| row.is_virtual()) {
            user.kind = UserKind::VirtualCluster;
        }
    }
    Ok(Read { uses, gaps })
}

fn row(user: Use, profile: &str, environment: &str) -> UseRow {
    UseRow {
        kind: user.kind,
        name: user.name,
        uid: user.uid,
        profile: profile.to_owned(),
        version: user.version,
        environment: environment.to_owned(),
        project: user.place.as_ref().and_then(Place::shown).map(str::to_owned),
    }
}

fn counts(versions: &[Version], seen: &[Use]) -> Vec<VersionCount> {
    let count = |version: &Version, groups: bool| {
        let of_version = seen.iter().filter(|user| user.version == version.version);
        of_version
            .filter(|user| match user.kind {
                UserKind::Cluster | UserKind::VirtualCluster => !groups,
                UserKind::ClusterGroup => groups,
                UserKind::ClusterTemplate => false,
            })
            .count()
    };
    let newest_first = versions.iter().rev();
    newest_first
        .map(|version| VersionCount {
            version: version.version.clone(),
            uid: version.uid.clone(),
            clusters: count(version, false),
            groups: count(version, true),
        })
        .collect()
}

fn counted(counts: &[VersionCount]) -> String {
    let told = counts.iter().map(|count| match count.groups {
        0 => format!("{}: {} clusters", count.version, count.clusters),
        groups => format!("{}: {} clusters, {groups} groups", count.version, count.clusters),
    });
    format!("by version: {}\n", told.collect::<Vec<_>>().join("; "))
}

fn summary(found: &FoundProfile, counts: &[VersionCount], rows: &[UseRow], all: bool) -> String {
    let of = |kind: UserKind| rows.iter().filter(|row| row.kind == kind).count();
    let clusters = of(UserKind::Cluster) + of(UserKind::VirtualCluster);
    let used = counts.iter().filter(|count| count.clusters > 0).count();
    let clusters = match of(UserKind::VirtualCluster) {
        0 => format!("{clusters} clusters"),
        some => format!("{clusters} clusters ({some} virtual)"),
    };
    let mut summary = match found.is_exact {
        true => format!("{clusters} are on {}", found.label()),
        false => format!("{clusters} are on {used} of {} versions of {}", counts.len(), found.profile.name),
    };
    for (kind, word) in
        [(UserKind::ClusterGroup, "cluster groups"), (UserKind::ClusterTemplate, "cluster templates")]
    {
        let count = of(kind);
        if count > 0 {
            summary.push_str(&format!(", and {count} {word}"));
        }
    }
    let scope = found.profile.scope();
    let environment = found.access.environment().name();
    summary.push_str(&format!(" ({scope} profile, environment {environment}"));
    summary.push_str(if all { ")" } else { "; only those in projects that you may see)" });
    summary
}

/// The versions of all profiles of an environment, by uid.
pub(super) async fn version_names(access: &Access) -> Result<BTreeMap<String, String>, Fault> {
    use super::super::api::profile::ProfilesMetadata;
    let metadata: ProfilesMetadata =
        access.ask(&Place::Tenant, Ask::get(&["dashboard", "clusterprofiles", "metadata"])).await?;
    Ok(metadata.items.into_iter().map(|item| (item.metadata.uid, item.spec.version)).collect())
}
