//! The variables of profiles and what a caller sets them to, checked as Palette would: required, format, pattern,
//! choice, and what must not be set any more. No message holds a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, Ipv6Addr},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regex::RegexBuilder;
use serde_json::{Value, json};

use super::hidden;
use crate::{
    Error,
    answer::{redact, sanitise},
    nearest,
    palette::{api::variable::Variable, version::Version},
    toolbox::Call,
};

/// A pattern when compiled.
const LARGEST_PATTERN: usize = 1 << 18;
/// Names that are offered instead of one that is not known, and choices that are told.
const MOST: usize = 10;
/// Characters of a value that is told.
const SHOWN: usize = 100;

/// The variables of one profile.
#[derive(Debug)]
pub struct Of<'p> {
    /// The profile's name.
    pub profile: &'p str,
    /// Its variables.
    pub variables: &'p [Variable],
    /// What the cluster has already, by name: nothing of one that is to be made.
    pub has: Option<&'p BTreeSet<String>>,
}

/// What is set for one profile. Its `Debug` tells no value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Set {
    values: BTreeMap<String, String>,
    secret: BTreeSet<String>,
    /// Names of those that keep their default.
    pub defaults: Vec<String>,
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Set {
    /// As it is sent (`v1SpectroClusterVariable`).
    pub fn sent(&self) -> Vec<Value> {
        self.values.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    }

    /// As it is told: without the values of sensitive ones.
    pub fn told(&self) -> Vec<String> {
        let shown = |(name, value): (&String, &String)| match self.secret.contains(name) {
            true => format!("{name} = (set, hidden)"),
            false => format!("{name} = {}", sanitise::short(&redact::text(value), SHOWN)),
        };
        self.values.iter().map(shown).collect()
    }

    /// The sensitive values.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        self.values.iter().filter(|(name, _)| self.secret.contains(*name)).map(|(_, value)| value.clone())
    }
}

/// What `given` (`NAME`, or `profile/NAME` where several profiles have it) sets in each profile. The call takes what is
/// given for sensitive variables out of whatever it tells, also where it is no good.
///
/// # Errors
/// What is wrong with it.
pub fn taken(call: &Call, profiles: &[Of<'_>], given: &BTreeMap<String, String>) -> Result<Vec<Set>, Error> {
    hold(call, profiles, given)?;
    set(profiles, given).map_err(|wrong| {
        Error::invalid_input(format!("the argument \"variables\": {}", wrong.join("; ")))
            .next("palette_profile_variables lists them with what each has to be")
    })
}

/// The errors are a line each.
fn set(profiles: &[Of<'_>], given: &BTreeMap<String, String>) -> Result<Vec<Set>, Vec<String>> {
    let mut sets: Vec<Set> = profiles.iter().map(|_| Set::default()).collect();
    let mut wrong = Vec::new();
    for (written, value) in given {
        match meant(profiles, written) {
            Ok((at, variable)) => {
                let has = profiles.get(at).and_then(|of| of.has);
                if let Some(fault) = fault(variable, value, has) {
                    wrong.push(format!("{} {fault}", sanitise::short(written, 80)));
                }
                if let Some(set) = sets.get_mut(at) {
                    set.values.insert(variable.name.clone(), value.clone());
                    if is_secret(variable) {
                        set.secret.insert(variable.name.clone());
                    }
                }
            }
            Err(fault) => wrong.push(fault),
        }
    }
    for (of, set) in profiles.iter().zip(&mut sets) {
        for variable in of.variables.iter().filter(|variable| !set.values.contains_key(&variable.name)) {
            let kept = of.has.is_some_and(|has| has.contains(&variable.name));
            match variable.default_value.as_deref().unwrap_or_default().is_empty() {
                _ if kept => {}
                true if variable.required => {
                    let rule = rule(variable).map_or(String::new(), |rule| format!(" ({rule})"));
                    let name = sanitise::short(&variable.name, 80);
                    wrong.push(format!("{name} is missing: profile {} requires it{rule}", of.profile));
                }
                true => {}
                false => set.defaults.push(variable.name.clone()),
            }
        }
    }
    if wrong.is_empty() { Ok(sets) } else { Err(wrong) }
}

fn hold(call: &Call, profiles: &[Of<'_>], given: &BTreeMap<String, String>) -> Result<(), Error> {
    if given.values().any(|value| value.len() > hidden::MOST) {
        return Err(Error::invalid_input(format!(
            "a value of the argument \"variables\" has more than {} bytes",
            hidden::MOST
        ))
        .next("set a shorter one, or set the long one in Palette"));
    }
    let secret = profiles.iter().flat_map(|of| of.variables).filter(|variable| is_secret(variable));
    for variable in secret {
        let is = |written: &&String| written.rsplit('/').next() == Some(variable.name.as_str());
        given.iter().filter(|(written, _)| is(written)).for_each(|(_, value)| call.hold(value));
    }
    Ok(())
}

/// Whether its values are told to nobody.
pub fn is_secret(variable: &Variable) -> bool {
    variable.is_sensitive || redact::is_secret_text(&variable.name)
}

fn meant<'p>(profiles: &'p [Of<'p>], written: &str) -> Result<(usize, &'p Variable), String> {
    let (within, name) = match written.rsplit_once('/') {
        Some((profile, name)) => (Some(profile), name),
        None => (None, written),
    };
    let here = |of: &Of<'_>| within.is_none_or(|within| within == of.profile);
    let found: Vec<(usize, &Variable)> = profiles
        .iter()
        .enumerate()
        .filter(|(_, of)| here(of))
        .flat_map(|(at, of)| of.variables.iter().map(move |variable| (at, variable)))
        .filter(|(_, variable)| variable.name == name)
        .collect();
    let shown = sanitise::short(written, 80);
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let known = profiles.iter().flat_map(|of| of.variables).map(|variable| variable.name.as_str());
            let known: BTreeSet<&str> = known.collect();
            let near = nearest::meant(name, known.iter().copied(), MOST);
            let near = match (near.is_empty(), known.is_empty()) {
                (_, true) => "; the profiles have none".to_owned(),
                (true, false) => {
                    format!("; there are {}", known.into_iter().take(MOST).collect::<Vec<_>>().join(", "))
                }
                (false, false) => format!("; nearest: {}", near.join(", ")),
            };
            Err(format!("{shown} is no variable of these profiles{near}"))
        }
        several => {
            let names =
                several.iter().filter_map(|(at, _)| Some(format!("{}/{name}", profiles.get(*at)?.profile)));
            Err(format!(
                "{shown} is a variable of several profiles: write {}",
                names.collect::<Vec<_>>().join(" or ")
            ))
        }
    }
}

fn fault(variable: &Variable, value: &str, has: Option<&BTreeSet<String>>) -> Option<String> {
    if variable.hidden {
        return Some("cannot be set: the profile hides it and keeps its value".to_owned());
    }
    if variable.immutable && has.is_some_and(|has| has.contains(&variable.name)) {
        return Some("cannot be changed: it is immutable, and the cluster has a value".to_owned());
    }
    if value.is_empty() && variable.required {
        return Some("must not be empty".to_owned());
    }
    if value.is_empty() || keeps(variable, value) {
        return None;
    }
    Some(format!("must be {}", rule(variable).unwrap_or_else(|| "something else".to_owned())))
}

fn keeps(variable: &Variable, value: &str) -> bool {
    let chosen = variable.options.is_empty() || variable.options.iter().any(|option| option.value == value);
    let shaped =
        variable.regex.is_empty() || pattern_of(variable).is_none_or(|pattern| pattern.is_match(value));
    chosen && shaped && has_format(&variable.format, value)
}

/// Nothing where no regular expression of ours can be it: then Palette's own validation judges.
fn pattern_of(variable: &Variable) -> Option<regex::Regex> {
    RegexBuilder::new(&variable.regex).size_limit(LARGEST_PATTERN).build().ok()
}

/// `v1VariableFormat`
fn has_format(format: &str, value: &str) -> bool {
    let prefix = |value: &str| value.parse::<u8>().is_ok_and(|bits| bits <= 32);
    match format {
        "number" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "boolean" => matches!(value, "true" | "false"),
        "ipv4" => value.parse::<Ipv4Addr>().is_ok(),
        "ipv4cidr" => value
            .split_once('/')
            .is_some_and(|(address, bits)| address.parse::<Ipv4Addr>().is_ok() && prefix(bits)),
        "ipv6" => value.parse::<Ipv6Addr>().is_ok(),
        "version" => Version::parse(value).is_some(),
        "base64" => STANDARD.decode(value.trim()).is_ok(),
        _ => true,
    }
}

/// What a value has to be, as far as that may be told.
fn rule(variable: &Variable) -> Option<String> {
    let secret = is_secret(variable);
    let mut rules = Vec::new();
    if !variable.options.is_empty() && !secret {
        let options = variable.options.iter().take(MOST).map(|option| sanitise::short(&option.value, SHOWN));
        rules.push(format!("one of {}", redact::text(&options.collect::<Vec<_>>().join(", "))));
    } else if !variable.options.is_empty() {
        rules.push("one of the profile's choices".to_owned());
    }
    if !matches!(variable.format.as_str(), "" | "string") {
        rules.push(format!("of format {}", sanitise::short(&variable.format, 20)));
    }
    if !variable.regex.is_empty() {
        rules.push(match secret {
            true => "of the profile's pattern".to_owned(),
            false => format!("like {}", redact::text(&sanitise::short(&variable.regex, SHOWN))),
        });
    }
    (!rules.is_empty()).then(|| rules.join(", "))
}

#[cfg(test)]
mod tests;
