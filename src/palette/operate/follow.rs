//! Following a cluster until what was asked for has come about: looking at its summary from time to time. However it
//! ends, what was asked for was done; this tells how far it is.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    caller::places::Most,
    palette::{
        Access, Ask, Fault, Place,
        api::summary::{ClusterSummary, Condition},
        said::said,
    },
    toolbox::Call,
};

/// Between the first two looks, and at most.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);
/// Looks in a row that may fail.
const FAILURES: u32 = 3;
/// What is kept of the call's time for its answer.
const TO_ANSWER: Duration = Duration::from_millis(500);
/// Calls that follow at a time.
pub const MOST_CALLS: Most = Most { all: 200, each: 8 };

/// What a look comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It has come about.
    Yes,
    /// It will not.
    Failed,
    /// Not yet.
    NotYet,
}

/// Why following ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It has come about.
    Reached,
    /// It will not.
    Failed,
    /// There was no more time.
    Time,
    /// The server stops.
    Server,
    /// It could not be looked at any more; why.
    Unseen(String),
    /// It was not followed; why.
    Never(String),
}

impl Ended {
    /// The word in structures.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Failed => "failed",
            Self::Time => "time",
            Self::Server => "server",
            Self::Unseen(_) => "unseen",
            Self::Never(_) => "not followed",
        }
    }
}

/// How it was last seen.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The last look.
    pub seen: Option<ClusterSummary>,
    /// Why it is over.
    pub ended: Ended,
    /// How long it took.
    pub time: Duration,
}

impl Followed {
    /// `Provisioning`, …; where it was never seen, nothing.
    pub fn state(&self) -> Option<&str> {
        self.seen.as_ref().map(|seen| seen.status.state.as_str()).filter(|state| !state.is_empty())
    }

    /// Conditions and packs that are not met, a line each.
    pub fn unmet(&self) -> Vec<String> {
        let Some(seen) = &self.seen else { return Vec::new() };
        let conditions = seen.status.conditions.iter().filter(|condition| is_unmet(condition)).map(line);
        let packs = seen.status.packs.iter().filter_map(|pack| {
            let condition = pack.condition.as_ref().filter(|condition| is_unmet(condition))?;
            Some(format!("pack {}: {}", said(&pack.name, 60), line(condition)))
        });
        conditions.chain(packs).take(20).collect()
    }

    /// How it ended, as a sentence; `goal` is what was waited for, as in `until it runs`.
    pub fn sentence(&self, goal: &str) -> String {
        let time = format!("{:.0} s", self.time.as_secs_f64());
        match &self.ended {
            Ended::Reached => format!("Followed for {time}, {goal}"),
            Ended::Failed => format!("It FAILED after {time}"),
            Ended::Time => {
                format!("After {time} not yet {}; it goes on by itself", goal.trim_start_matches("until "))
            }
            Ended::Server => format!("Following ended after {time}: the server stops; it goes on by itself"),
            Ended::Unseen(why) => format!("Following ended after {time}: it could not be looked at ({why})"),
            Ended::Never(why) => format!("It is not followed: {why}"),
        }
    }
}

fn is_unmet(condition: &Condition) -> bool {
    !condition.status.is_empty() && !condition.status.eq_ignore_ascii_case("true")
}

fn line(condition: &Condition) -> String {
    let text = match (condition.reason.as_str(), condition.message.as_str()) {
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    };
    format!("{} is {}: {}", said(&condition.kind, 60), said(&condition.status, 10), said(&text, 200))
}

/// Looks until `met`, for so long at most, and says each change to whoever listens.
pub async fn follow(
    call: &Call,
    (access, place, uid): (&Access, &Place, &str),
    time: Duration,
    met: impl Fn(&ClusterSummary) -> Met,
) -> Followed {
    let began = Instant::now();
    let never =
        |why: &str| Followed { seen: None, ended: Ended::Never(why.to_owned()), time: Duration::ZERO };
    if time.is_zero() {
        return never("seconds is 0");
    }
    let Ok(_place) = call.toolbox().process().following().place(call.caller(), MOST_CALLS) else {
        return never("too many calls follow something already");
    };
    let last = call.deadline().checked_sub(TO_ANSWER).unwrap_or(began);
    let end = began.checked_add(time).map_or(last, |end| end.min(last));
    let (mut pause, mut failures, mut seen, mut told) = (FIRST, 0, None, String::new());
    let ended = loop {
        let ask = Ask::get(&["dashboard", "spectroclusters", uid]).kept(Duration::ZERO);
        match timeout_at(end, access.ask::<ClusterSummary>(place, ask)).await {
            Ok(Ok(summary)) => {
                failures = 0;
                let line = progress(&summary);
                if line != told {
                    call.tell(&line);
                    told = line;
                }
                let is = met(&summary);
                seen = Some(summary);
                match is {
                    Met::Yes => break Ended::Reached,
                    Met::Failed => break Ended::Failed,
                    Met::NotYet => {}
                }
            }
            Ok(Err(fault @ Fault::Spent(_))) => break Ended::Unseen(fault.to_string()),
            Ok(Err(fault)) => {
                failures += 1;
                if failures >= FAILURES {
                    break Ended::Unseen(fault.to_string());
                }
            }
            Err(_) => break Ended::Time,
        }
        tokio::select! {
            () = call.toolbox().process().ending() => break Ended::Server,
            waited = timeout_at(end, sleep(pause)) => if waited.is_err() { break Ended::Time },
        }
        pause = pause.mul_f64(1.5).min(LONGEST);
    };
    Followed { seen, ended, time: began.elapsed() }
}

fn progress(summary: &ClusterSummary) -> String {
    let met = |condition: &&Condition| condition.status.eq_ignore_ascii_case("true");
    let conditions = &summary.status.conditions;
    let done = conditions.iter().filter(met).count();
    let waits = conditions.iter().find(|condition| is_unmet(condition)).map(line);
    let packs = summary.status.packs.iter();
    let left = packs.filter(|pack| pack.condition.as_ref().is_some_and(is_unmet)).count();
    let mut text =
        format!("{}: {done} of {} conditions met", said(&summary.status.state, 40), conditions.len());
    if left > 0 {
        text.push_str(&format!(", {left} packs not installed"));
    }
    text.extend(waits.map(|line| format!("; {line}")));
    text
}

/// Whether a cluster that is being made has come up, or will not.
pub fn made(summary: &ClusterSummary) -> Met {
    match summary.status.state.to_ascii_lowercase().as_str() {
        "running" => Met::Yes,
        "error" | "failed" | "deleting" | "deleted" => Met::Failed,
        _ => Met::NotYet,
    }
}
