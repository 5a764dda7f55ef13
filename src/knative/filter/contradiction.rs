//! Whether no event at all can pass a filter. Only what is certain is said: what is not evaluated may pass, and so may
//! everything where there are too many ways to try.

use std::collections::BTreeMap;

use super::{Filter, REQUIRED};
use crate::answer::sanitise;

/// Ways through lists of which one is enough that are tried.
const WAYS: usize = 200;

/// Characters of a value that are shown.
const VALUE: usize = 60;

/// Why no event can pass all of `filters`.
pub(super) fn of(filters: &[&Filter]) -> Option<String> {
    let mut search = Search { ways: WAYS, why: None };
    let pending = filters.iter().map(|filter| Goal::Filter(filter, true)).collect();
    if search.is_possible(pending, Vec::new(), Facts::default()) { None } else { search.why }
}

/// What an event must be: pass a filter (or not), or be as claimed (or not).
#[derive(Clone, Copy)]
enum Goal<'a> {
    Filter(&'a Filter, bool),
    Claim(&'a str, Claim<'a>, bool),
}

/// What may hold of an attribute.
#[derive(Clone, Copy)]
enum Claim<'a> {
    Is(&'a str),
    Begins(&'a str),
    Ends(&'a str),
    There,
}

struct Search {
    ways: usize,
    why: Option<String>,
}

impl Search {
    /// Whether an event that is as `facts` say can meet each goal that is pending, and one of each of `choices`.
    fn is_possible<'a>(
        &mut self,
        mut pending: Vec<Goal<'a>>,
        mut choices: Vec<Vec<Goal<'a>>>,
        mut facts: Facts<'a>,
    ) -> bool {
        while let Some(goal) = pending.pop() {
            match goal {
                Goal::Claim(name, claim, holds) => {
                    if let Err(why) = facts.take(name, claim, holds) {
                        return self.not(why);
                    }
                }
                Goal::Filter(filter, passes) => match (filter, passes) {
                    (Filter::Cesql(_) | Filter::Unknown(_), _) | (Filter::Everything, true) => {}
                    (Filter::Everything, false) => {
                        return self.not("nothing fails a filter without conditions".into());
                    }
                    (Filter::Not(filter), _) => pending.push(Goal::Filter(filter, !passes)),
                    (Filter::All(filters), true) | (Filter::Any(filters), false) => {
                        pending.extend(filters.iter().map(|filter| Goal::Filter(filter, passes)));
                    }
                    (Filter::Any(filters), true) | (Filter::All(filters), false) => {
                        choices.push(filters.iter().map(|filter| Goal::Filter(filter, passes)).collect());
                    }
                    (filter, true) => pending.extend(claims(filter, true)),
                    (filter, false) => choices.push(claims(filter, false).collect()),
                },
            }
        }
        let Some(ways) = choices.pop() else { return true };
        if ways.is_empty() {
            return self.not("none of an empty list of filters can pass".into());
        }
        for way in ways {
            // too many to try them all: it may pass
            let Some(left) = self.ways.checked_sub(1) else { return true };
            self.ways = left;
            if self.is_possible(vec![way], choices.clone(), facts.clone()) {
                return true;
            }
        }
        false
    }

    fn not(&mut self, why: String) -> bool {
        self.why.get_or_insert(why);
        false
    }
}

fn claims<'a>(filter: &'a Filter, hold: bool) -> impl Iterator<Item = Goal<'a>> {
    let (wanted, claim): (_, fn(&'a str) -> Claim<'a>) = match filter {
        Filter::Attributes(wanted) => {
            (Some(wanted), |value| if value.is_empty() { Claim::There } else { Claim::Is(value) })
        }
        Filter::Exact(wanted) => (Some(wanted), Claim::Is),
        Filter::Prefix(wanted) => (Some(wanted), Claim::Begins),
        Filter::Suffix(wanted) => (Some(wanted), Claim::Ends),
        _ => (None, |_| Claim::There),
    };
    wanted.into_iter().flatten().map(move |(name, value)| Goal::Claim(name, claim(value), hold))
}

/// What an event must be to have come so far, by attribute.
#[derive(Clone, Default)]
struct Facts<'a>(BTreeMap<&'a str, Vec<(Claim<'a>, bool)>>);

impl<'a> Facts<'a> {
    /// Adds a claim.
    ///
    /// # Errors
    /// It contradicts another, in words.
    fn take(&mut self, name: &'a str, claim: Claim<'a>, holds: bool) -> Result<(), String> {
        if !holds && matches!(claim, Claim::There) && REQUIRED.contains(&name) {
            return Err(format!("every event has {name}"));
        }
        let facts = self.0.entry(name).or_default();
        if let Some((other, held)) =
            facts.iter().find(|(other, held)| excludes((*other, *held), (claim, holds)))
        {
            let name = sanitise::short(name, VALUE);
            return Err(format!("{name} cannot {} and {}", words(*other, *held), words(claim, holds)));
        }
        facts.push((claim, holds));
        Ok(())
    }
}

/// Whether no value can be both. An attribute that is not there is none of what may be claimed of it.
fn excludes(one: (Claim<'_>, bool), other: (Claim<'_>, bool)) -> bool {
    match (one, other) {
        ((one, true), (other, true)) => match (one, other) {
            (Claim::Is(value), other) | (other, Claim::Is(value)) => !implies(value, other),
            (Claim::Begins(one), Claim::Begins(other)) => !one.starts_with(other) && !other.starts_with(one),
            (Claim::Ends(one), Claim::Ends(other)) => !one.ends_with(other) && !other.ends_with(one),
            _ => false,
        },
        ((one, true), (other, false)) | ((other, false), (one, true)) => match (one, other) {
            (_, Claim::There) => true,
            (Claim::Is(value), other) => implies(value, other),
            (Claim::Begins(value), Claim::Begins(other)) => value.starts_with(other),
            (Claim::Ends(value), Claim::Ends(other)) => value.ends_with(other),
            _ => false,
        },
        ((_, false), (_, false)) => false,
    }
}

fn implies(value: &str, claim: Claim<'_>) -> bool {
    match claim {
        Claim::Is(wanted) => value == wanted,
        Claim::Begins(wanted) => value.starts_with(wanted),
        Claim::Ends(wanted) => value.ends_with(wanted),
        Claim::There => !value.is_empty(),
    }
}

fn words(claim: Claim<'_>, holds: bool) -> String {
    let not = if holds { "" } else { "not " };
    match claim {
        Claim::Is(value) => format!("{not}be {}", sanitise::short(value, VALUE)),
        Claim::Begins(value) => format!("{not}begin with {}", sanitise::short(value, VALUE)),
        Claim::Ends(value) => format!("{not}end with {}", sanitise::short(value, VALUE)),
        Claim::There => format!("{not}be there"),
    }
}
