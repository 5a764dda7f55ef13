//! Reading events: as many pages as the question needs, and where to go on.

use std::{cmp::Reverse, collections::HashSet};

use jiff::Timestamp;

use super::{Event, Severity};
use crate::palette::{Access, Ask, Fault, Place, api::event::Events};

/// Rows of one of Palette's pages: the vendor's most.
const PAGE: usize = 50;
/// Pages that are read for one answer.
const MOST_PAGES: usize = 10;

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this class.
    pub severity: Option<Severity>,
    /// Only with this reason, whatever its case.
    pub reason: Option<String>,
    /// Only those said after.
    pub since: Option<Timestamp>,
    /// So many.
    pub most: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// As Palette has them in order; those of one page newest first.
    pub events: Vec<Event>,
    /// Events there are in all, before any was sorted out.
    pub count: Option<u64>,
    /// Events that were looked through.
    pub seen: usize,
    /// Where to go on: Palette's token, and how many of that page were told.
    pub next: Option<(String, usize)>,
    /// What is missing, in words.
    pub gap: Option<String>,
}

impl Wanted {
    fn takes(&self, event: &Event) -> bool {
        self.severity.is_none_or(|severity| event.severity == severity)
            && self.reason.as_ref().is_none_or(|reason| event.reason.eq_ignore_ascii_case(reason))
            && self.since.is_none_or(|since| event.last.is_none_or(|last| last >= since))
    }
}

/// The events of a cluster, from where `after` says.
///
/// # Errors
/// [`Fault`], of the first page; of a later one a gap.
pub async fn read(
    access: &Access,
    (place, uid): (&Place, &str),
    wanted: &Wanted,
    after: Option<(String, usize)>,
) -> Result<Found, Fault> {
    let (mut token, mut skip) = after.unwrap_or_default();
    let (mut found, mut tokens) = (Found::default(), HashSet::new());
    let size = if wanted.most == 0 { PAGE } else { wanted.most.min(PAGE) };
    for page in 0..MOST_PAGES {
        let mut ask =
            Ask::get(&["events", "components", "spectrocluster", uid]).with("limit", size.to_string());
        if !token.is_empty() {
            ask = ask.with("continue", token.clone());
        }
        let events: Events = match access.ask(place, ask).await {
            Ok(events) => events,
            Err(fault) if page == 0 => return Err(fault),
            Err(fault) => {
                found.gap = Some(format!("older events: {fault}"));
                return Ok(found);
            }
        };
        found.count = found.count.or(events.listmeta.count);
        let mut told: Vec<Event> = events.items.iter().map(Event::from).collect();
        // no order is promised: only a list that has one can be left before its end
        let ordered = told.is_sorted_by(|one, other| one.last >= other.last);
        told.sort_by_key(|event| Reverse(event.last));
        found.seen += told.len();
        let oldest = told.last().and_then(|event| event.last);
        let older = ordered && wanted.since.zip(oldest).is_some_and(|(since, oldest)| oldest < since);
        for (at, event) in told.into_iter().enumerate().skip(skip) {
            if !wanted.takes(&event) {
                continue;
            }
            if found.events.len() == wanted.most {
                found.next = Some((token, at));
                return Ok(found);
            }
            found.events.push(event);
        }
        skip = 0;
        let next = events.listmeta.next.filter(|next| !next.is_empty() && !older);
        match next {
            None => return Ok(found),
            Some(next) if !tokens.insert(next.clone()) || next == token => {
                found.gap = Some("Palette's pages of events do not come to an end".to_owned());
                return Ok(found);
            }
            Some(next) if found.events.len() == wanted.most => {
                found.next = Some((next, 0));
                return Ok(found);
            }
            Some(next) => token = next,
        }
    }
    found.next = Some((token, 0));
    Ok(found)
}
