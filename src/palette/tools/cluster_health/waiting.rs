//! What waits for somebody: read where something says that there is something, and where nothing would tell.

use futures::future::OptionFuture;

use crate::palette::{
    Access, Ask, Fault, Place,
    api::{
        notification::Notifications,
        repave::{Repave, RepaveStatus},
        summary::ClusterSummary,
    },
    events::Found,
    find::FoundCluster,
    health::Waiting,
};

/// What is known of a cluster's repave.
#[derive(Debug)]
pub(super) struct Repaves {
    /// Of listings: empty where none waits, nothing where they do not tell.
    known: Option<String>,
    /// A listing told of the cluster.
    listed: bool,
    /// Whether more than the summary may be asked for.
    more: bool,
    wanted: bool,
    asked: Option<Result<Option<Repave>, Fault>>,
}

impl Repaves {
    /// Asks where a repave waits, and where no listing told of the cluster at all. One that was listed without its
    /// repave is not worth a request each time: the note says so.
    pub(super) fn new(known: Option<String>, listed: bool, more: bool) -> Self {
        let wanted = more && known.as_deref().map_or(!listed, |state| !state.is_empty());
        Self { known, listed, more, wanted, asked: None }
    }

    /// Where something else mentions one.
    pub(super) fn mentioned(self) -> Self {
        Self { wanted: true, ..self }
    }

    /// Reads the repave, if it is to be read and was not: at most 1 request.
    pub(super) async fn read(self, access: &Access, (place, uid): (&Place, &str)) -> Self {
        if !self.wanted || self.asked.is_some() {
            return self;
        }
        let ask = Ask::get(&["spectroclusters", uid, "repave", "status"]);
        Self { asked: Some(some(access.ask::<Repave>(place, ask).await)), ..self }
    }

    fn waits(&self) -> bool {
        self.known.as_deref().is_some_and(|state| !state.is_empty())
    }

    /// What was not looked at, and who tells it.
    pub(super) fn note(&self) -> Option<&'static str> {
        match (&self.asked, &self.known) {
            (None, Some(_)) if self.waits() => {
                Some("why the repave waits was not looked at: ask without events=false")
            }
            (None, None) if !self.more && !self.listed => {
                Some("repaves were not looked at: ask without events=false")
            }
            (None, None) => Some("repaves were not looked at: palette_fleet tells those that wait"),
            _ => None,
        }
    }

    /// The repave; what listings tell of it where it was not, or could not be, read.
    fn settle(self, gaps: &mut Vec<String>) -> Option<Repave> {
        let known = self.known.filter(|state| !state.is_empty());
        let listed = known.map(|state| {
            let status = RepaveStatus { state, ..RepaveStatus::default() };
            Repave { status, ..Repave::default() }
        });
        match self.asked {
            Some(Ok(repave)) => repave,
            Some(Err(fault)) => {
                gaps.push(format!("repave: {fault}"));
                listed
            }
            None => listed,
        }
    }
}

/// Whether the summary or the events speak of a repave.
pub(super) fn mentions_repave(summary: &ClusterSummary, events: &Found) -> bool {
    let mentioned = |text: &str| text.to_lowercase().contains("repave");
    events.events.iter().any(|event| mentioned(&event.reason) || mentioned(&event.message))
        || summary.status.conditions.iter().any(|condition| mentioned(&condition.kind))
}

/// What waits: the notifications are read where the summary says that there are some, at most 1 request.
pub(super) async fn read(
    found: &FoundCluster,
    summary: &ClusterSummary,
    repaves: Repaves,
    gaps: &mut Vec<String>,
) -> Waiting {
    let (access, place) = (&found.access, &found.place);
    let wanted = repaves.more && summary.status.notifications.is_available;
    let notifications = wanted.then_some(async {
        let ask = Ask::get(&["notifications", "spectrocluster", &found.uid]);
        some(access.ask::<Notifications>(place, ask.with("isDone", "false").with("limit", "50")).await)
    });
    let repave = repaves.settle(gaps);
    let notifications = match OptionFuture::from(notifications).await {
        Some(Err(fault)) => {
            gaps.push(format!("notifications: {fault}"));
            None
        }
        read => read.and_then(Result::ok).flatten(),
    };
    Waiting { repave, notifications }
}

/// What is not there is nothing.
fn some<T>(asked: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match asked {
        Ok(told) => Ok(Some(told)),
        Err(fault) if fault.is_not_found() => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(known: Option<&str>, listed: bool, more: bool) -> (bool, bool) {
        let repaves = Repaves::new(known.map(str::to_owned), listed, more);
        (repaves.wanted, repaves.note().is_some())
    }

    #[test]
    fn a_repave_is_read_or_known_to_be_none_or_the_note_says_that_it_was_not_looked_at() {
        for more in [true, false] {
            assert_eq!(of(Some(""), true, more), (false, false));
            assert_eq!(of(None, true, more), (false, true));
        }
        assert!(of(Some("Pending"), true, true).0 && of(None, false, true).0);
        assert_eq!(of(Some("Pending"), true, false), (false, true));
        assert_eq!(of(None, false, false), (false, true));
    }

    #[test]
    fn a_repave_that_could_not_be_read_is_still_told_as_listed() {
        let mut repaves = Repaves::new(Some("Pending".to_owned()), true, true);
        repaves.asked = Some(Err(Fault::Malformed("broken".to_owned())));
        let mut gaps = Vec::new();
        let repave = repaves.settle(&mut gaps).expect("it is known");
        assert_eq!((repave.status.state.as_str(), gaps.len()), ("Pending", 1));
    }
}
