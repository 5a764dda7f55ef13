//! [`State`]: what is known of one source: what it held when it was read last, and why it cannot be read now.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    super::{
        cluster::{Cluster, Digest, Source},
        clusters::{Clusters, kept},
        sources::Found,
    },
    ClusterSource,
    source::Content,
};

/// From a failed reading to the next: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What is known of one source.
#[derive(Clone, Debug)]
pub struct State {
    source: Source,
    part: Option<String>,
    place: String,
    settings: Digest,
    clusters: Vec<Arc<Cluster>>,
    default: Option<String>,
    problems: Vec<String>,
    notes: Vec<String>,
    files: Vec<PathBuf>,
    content: Option<Content>,
    /// When it was read last.
    read: Option<Instant>,
    /// Why it could not be read since.
    failing: Option<String>,
    failures: u32,
    /// When it is to be read next.
    next: Instant,
}

impl State {
    pub(super) fn unread(source: &dyn ClusterSource) -> Self {
        Self {
            source: source.source(),
            part: source.part(),
            place: source.place(),
            settings: source.settings(),
            clusters: Vec::new(),
            default: None,
            problems: Vec::new(),
            notes: Vec::new(),
            files: Vec::new(),
            content: None,
            read: None,
            failing: None,
            failures: 0,
            next: Instant::now(),
        }
    }

    /// Whether it is of a source that is configured as this one.
    pub(super) fn is_of(&self, source: &dyn ClusterSource) -> bool {
        self.source == source.source() && self.settings == source.settings()
    }

    /// As it is after a reading. Clusters of `known` that are as they were keep their connections.
    pub(super) fn after(
        &self,
        found: Result<Found, String>,
        content: Option<Content>,
        source: &dyn ClusterSource,
        known: &Clusters,
    ) -> Self {
        let found = match found {
            Ok(found) if found.vacant && !self.clusters.is_empty() => {
                Err("it is empty, or not there any more".to_owned())
            }
            found => found,
        };
        match found {
            Ok(found) => Self {
                clusters: found.clusters.into_iter().map(|cluster| kept(cluster, known)).collect(),
                default: found.default,
                problems: found.problems,
                notes: found.notes,
                files: found.files,
                content,
                read: Some(Instant::now()),
                failing: None,
                failures: 0,
                next: Instant::now() + source.every(),
                ..self.clone()
            },
            Err(why) => Self {
                failing: Some(why),
                failures: self.failures.saturating_add(1),
                // what the files hold now is not what is known
                content: None,
                next: Instant::now() + rest(self.failures).min(source.every()),
                ..self.clone()
            },
        }
    }

    /// As it is after its files were seen to hold what they held.
    pub(super) fn again(&self, source: &dyn ClusterSource) -> Self {
        let now = Instant::now();
        Self { read: Some(now), next: now + source.every(), ..self.clone() }
    }

    /// Which source it is of.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Where that reads, for whoever runs the server.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The clusters that it held when it was read last.
    pub fn clusters(&self) -> &[Arc<Cluster>] {
        &self.clusters
    }

    /// The qualified name of the one that it means where none is named.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Whether it cannot be read.
    pub fn is_failing(&self) -> bool {
        self.failing.is_some()
    }

    /// Whether it was never read: it may hold clusters that nobody knows of.
    pub fn is_unread(&self) -> bool {
        self.read.is_none()
    }

    /// Whether a reading has ended, well or not.
    pub(super) fn was_tried(&self) -> bool {
        self.read.is_some() || self.failing.is_some()
    }

    /// When it is to be read next.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// The files that were read, and what they held.
    pub(super) fn seen(&self) -> (Vec<PathBuf>, Option<Content>) {
        (self.files.clone(), self.content)
    }

    /// What it lacks, for callers who may know of it.
    pub fn gap(&self) -> Option<String> {
        // that there is such a part is known to who sees what it holds
        let source = match self.part.as_ref().filter(|_| self.read.is_some()) {
            Some(part) => format!("{} ({part})", self.source.name()),
            None => self.source.name().to_owned(),
        };
        match (&self.read, &self.failing) {
            (Some(read), Some(why)) => {
                Some(format!("source {source}: not read for {}: {why}", age(read.elapsed())))
            }
            (None, Some(why)) => Some(format!("source {source}: could not be read yet: {why}")),
            (None, None) => Some(format!("source {source}: not read yet: it is being asked")),
            (Some(_), None) => None,
        }
    }

    /// Why it cannot be read, for whoever runs the server.
    pub fn failure(&self) -> Option<String> {
        self.failing.as_ref().map(|why| match self.read {
            Some(read) if self.clusters.is_empty() => {
                format!("{}: {why} (last read {} ago)", self.place, age(read.elapsed()))
            }
            Some(read) => format!(
                "{}: {why}; its {} of {} ago are served",
                self.place,
                counted(self.clusters.len()),
                age(read.elapsed())
            ),
            None => format!("{}: {why}", self.place),
        })
    }

    /// What else it has to say, for whoever runs the server.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What is broken in it and was left out, a line each.
    pub fn left_out(&self) -> &[String] {
        &self.problems
    }

    /// Says in the log what is otherwise than before: once when it begins to fail, once when it is over.
    pub(super) fn tell(&self, before: &Self) {
        match (&self.failing, before.is_failing()) {
            (Some(why), false) => {
                let meanwhile = match self.clusters.len() {
                    0 => "no cluster of it is known".to_owned(),
                    known => format!("its {} known so far are served", counted(known)),
                };
                tracing::warn!(
                    source = self.source.name(),
                    "{}: it cannot be read: {why}; meanwhile {meanwhile}",
                    self.place
                );
            }
            (None, true) => tracing::info!(
                source = self.source.name(),
                "{}: it is read again, with {}",
                self.place,
                counted(self.clusters.len())
            ),
            _ => {}
        }
        for new in self.problems.iter().filter(|problem| !before.problems.contains(problem)) {
            tracing::warn!(source = self.source.name(), "{new}");
        }
    }
}

fn counted(clusters: usize) -> String {
    if clusters == 1 { "1 cluster".to_owned() } else { format!("{clusters} clusters") }
}

/// In the one unit that says enough.
fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Twice as long each time, and never the same for two processes.
fn rest(failures: u32) -> Duration {
    let (first, last) = RETRY;
    let whole = first.saturating_mul(1 << failures.min(16)).min(last);
    let share = getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
    whole.mul_f64(0.75 + share / 2.0)
}
