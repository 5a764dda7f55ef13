//! Finding clusters in the fleet index: which are taken, and what each is called.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Mode,
    ask::{Asker, plain},
    filter::Verdict,
    link::Link,
    onboarding::managed,
};
use crate::{
    answer::sanitise,
    kubernetes::{
        Cluster, Source, Trusting,
        cluster::Digest,
        sources::{Found, settings_of},
    },
    palette::{
        find,
        fleet::{self, ClusterRow, Detail, Stage, Wanted},
        place::Place,
    },
};

/// For all of a reading.
const WHOLE: Duration = Duration::from_secs(25);
/// What is broken is told of so many, one by one.
const MOST_PROBLEMS: usize = 20;
/// Clusters that a note names.
const NAMED: usize = 3;
/// Characters of a name.
const LONGEST_NAME: usize = 253;

/// What was read before, for what cannot be read now.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: Mutex<Known>,
    /// What sees to the clusters, and ends with it.
    seeing: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl Memory {
    /// Has the clusters seen to, unless that is still being done.
    pub(super) fn see_to(&self, asker: &Arc<Asker>, links: Vec<Arc<Link>>) {
        let mut seeing = self.seeing.lock();
        if seeing.as_ref().is_none_or(AbortOnDropHandle::is_finished) {
            *seeing = Some(AbortOnDropHandle::new(tokio::spawn(managed(Arc::clone(asker), links))));
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Known {
    rows: Vec<Arc<ClusterRow>>,
    /// Names of projects by uid.
    projects: BTreeMap<String, String>,
}

/// Reads the index: 1 request for all clusters and 1 for the names of projects, or 1 for each project where the key
/// is one of projects.
pub(super) async fn found(
    asker: &Arc<Asker>,
    memory: &Memory,
    made_of: &Digest,
) -> Result<(Found, Vec<Arc<Link>>), String> {
    let access = asker.access(WHOLE);
    let wanted = Wanted { fresh: true, ..Wanted::default() };
    let sweep = fleet::swept(&access, Detail::Names, wanted).await.map_err(|fault| plain(&fault))?;
    let before = memory.known.lock().clone();
    let mut known = Known { rows: sweep.rows.clone(), projects: sweep.projects.clone() };
    let mut found = Found::default();
    for (place, why) in sweep.gaps() {
        let Some(place) = place else { continue };
        let there = |row: &ClusterRow| row.place.project_uid() == place.project_uid();
        let read = |row: &ClusterRow| known.rows.iter().any(|other| other.uid == row.uid);
        let kept = before.rows.iter().filter(|row| there(row) && !read(row));
        let kept: Vec<Arc<ClusterRow>> = kept.cloned().collect();
        let served =
            if kept.is_empty() { "none of its clusters is known" } else { "those known so far are served" };
        found.problems.push(format!("{}: {place} cannot be read: {why}; {served}", place_of(asker)));
        known.rows.extend(kept);
    }
    for (uid, name) in before.projects {
        known.projects.entry(uid).or_insert(name);
    }
    let unnamed = |row: &Arc<ClusterRow>| match &row.place {
        Place::Project { uid, name: None } => !known.projects.contains_key(uid),
        _ => false,
    };
    if known.rows.iter().any(unnamed) {
        match find::project_names(&access).await {
            Ok(names) => known.projects.extend(names),
            // whose key may not know them goes by their uids
            Err(fault) if fault.is_forbidden() => {}
            Err(fault) => return Err(plain(&fault)),
        }
    }
    let mut links = take(asker, &known, made_of, &mut found);
    *memory.known.lock() = known;
    let mut found = found.without_doubles(&format!("{}: the cluster", place_of(asker)));
    let names: HashSet<&str> = found.clusters.iter().map(Cluster::name).collect();
    links.retain(|link| names.contains(link.name.as_str()));
    if found.problems.len() > MOST_PROBLEMS {
        let more = found.problems.split_off(MOST_PROBLEMS).len();
        found.problems.push(format!("{}: {more} more are left out", place_of(asker)));
    }
    Ok((found, links))
}

fn take(asker: &Arc<Asker>, known: &Known, made_of: &Digest, found: &mut Found) -> Vec<Arc<Link>> {
    let mut links = Vec::new();
    let (mut early, mut late, mut out, mut unjudged) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
    for row in &known.rows {
        match row.stage() {
            Stage::Provisioning => {
                early.push(row);
                continue;
            }
            Stage::Deleting => {
                late.push(row);
                continue;
            }
            Stage::Running | Stage::Failed | Stage::Unknown => {}
        }
        let place = find::named(row.place.clone(), &known.projects);
        match asker.settings.filter.judge(&place) {
            Verdict::Taken => {}
            Verdict::LeftOut => {
                out.push(row);
                continue;
            }
            Verdict::Unknown => {
                unjudged.insert(place.project_uid().unwrap_or_default().to_owned());
                continue;
            }
        }
        match cluster(asker, row, place, made_of) {
            Ok((cluster, link)) => {
                found.clusters.push(cluster);
                links.push(link);
            }
            Err(why) => {
                let name = sanitise::short(&row.name, 80);
                found.problems.push(format!("{}: cluster {name:?} is left out: {why}", place_of(asker)));
            }
        }
    }
    for uid in unjudged {
        let uid = sanitise::short(&uid, 40);
        found.problems.push(format!(
            "{}: the clusters of the project {uid:?} are left out: its name is not known, so includeProjects and \
             excludeProjects cannot be judged",
            place_of(asker)
        ));
    }
    for (rows, what) in
        [(early, "not there yet"), (late, "being deleted"), (out, "left out by the filters of projects")]
    {
        let some: Vec<String> = rows.iter().take(NAMED).map(|row| sanitise::short(&row.name, 80)).collect();
        let more = if rows.len() > NAMED { ", …" } else { "" };
        let note = || format!("{} {what} ({}{more})", rows.len(), some.join(", "));
        found.notes.extend((!rows.is_empty()).then(note));
    }
    links
}

fn cluster(
    asker: &Arc<Asker>,
    row: &ClusterRow,
    place: Place,
    made_of: &Digest,
) -> Result<(Cluster, Arc<Link>), String> {
    if !row.placed {
        return Err("Palette does not say where it is, or says two places".to_owned());
    }
    let project = place.shown().unwrap_or("-").to_owned();
    for (what, name) in [("its name", &row.name), ("the name of its project", &project)] {
        if !is_name(name) {
            return Err(format!("{what} is none: a / stands between environment, project and name"));
        }
    }
    if !find::is_uid(&row.uid) {
        return Err("its uid is none".to_owned());
    }
    let settings = &asker.settings;
    let mode = settings.modes.iter().find(|(name, _)| place != Place::Tenant && *name == project);
    let mode = mode.map_or(settings.mode, |(_, mode)| *mode);
    let name = format!("{}/{project}/{}", asker.environment.name(), row.name);
    let of = settings_of(&format!("{made_of:?} {} {:?} {mode:?}", row.uid, place.project_uid()));
    let link = Arc::new(Link::new(Arc::clone(asker), row.uid.clone(), place, name.clone(), mode));
    let shown = if mode == Mode::Oidc { &settings.oidc } else { &settings.own };
    let ways = Arc::clone(&link);
    let cluster = Cluster::leased(&name, Source::Palette, "default", move || ways.way())
        .in_short(&row.name)
        .made_of(Some(of));
    let cluster = shown.on(cluster);
    let cluster = match mode {
        Mode::Oidc => cluster.with_trusting(Arc::clone(&link) as Arc<dyn Trusting>),
        Mode::ServiceAccount => cluster,
    };
    Ok((cluster, link))
}

fn is_name(name: &str) -> bool {
    let trimmed = !name.is_empty() && name.trim() == name && name.chars().count() <= LONGEST_NAME;
    trimmed && !name.contains('/') && !name.chars().any(char::is_control)
}

fn place_of(asker: &Asker) -> String {
    format!("Palette environment {}", asker.environment.name())
}
