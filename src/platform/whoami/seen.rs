//! As whom clusters see the caller, as it is told.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    answer::sanitise,
    caller::{Caller, shown::Sight},
    kubernetes::Identity,
};

/// Groups that are told as clusters see them.
const MOST_GROUPS: usize = 10;

/// As whom some clusters see the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Seen {
    /// Patterns of names; absent: all others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clusters: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    /// How many of the caller's groups are not shown: they have no name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups_left_out: Option<usize>,
    /// Why nobody is shown, so that calls are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

impl Seen {
    /// What clusters see that configure nothing else; nothing where that is this server's own account.
    pub(super) fn all(caller: &Caller) -> Vec<Self> {
        match caller.identity() {
            Identity::Impersonate => caller.shown().all().map(Self::of).collect(),
            _ => Vec::new(),
        }
    }

    fn of(sight: Sight<'_>) -> Self {
        let clusters = sight.clusters.map(<[String]>::to_vec).unwrap_or_default();
        let who = sight.who.and_then(|who| who.unfit().map_or(Ok(who), Err));
        let nobody = Self { clusters, user: None, groups: Vec::new(), groups_left_out: None, refused: None };
        match who {
            Ok(who) => Self {
                user: Some(who.user.clone()),
                groups: who.groups.clone(),
                groups_left_out: Some(sight.left_out).filter(|number| *number > 0),
                ..nobody
            },
            Err(unfit) => Self { refused: Some(unfit.to_string()), ..nobody },
        }
    }

    /// Whether the name of the user says it all.
    pub(super) fn is_simple(&self) -> bool {
        self.clusters.is_empty()
            && self.groups.is_empty()
            && self.refused.is_none()
            && self.groups_left_out.is_none()
    }

    fn told(&self) -> String {
        let user = match (&self.user, &self.refused) {
            (Some(user), _) => sanitise::line(user).into_owned(),
            (None, why) => {
                return format!(
                    "nobody: calls are refused, since {}",
                    why.as_deref().unwrap_or("nobody fits")
                );
            }
        };
        let groups = if self.groups.is_empty() {
            String::new()
        } else {
            let more = self.groups.len().saturating_sub(MOST_GROUPS);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let shown: Vec<&str> = self.groups.iter().take(MOST_GROUPS).map(String::as_str).collect();
            format!(" in {}{more}", shown.join(" "))
        };
        let left_out =
            self.groups_left_out.map(|number| format!(" ({number} of your groups have no name there)"));
        format!("{user}{groups}{}", left_out.unwrap_or_default())
    }
}

/// As whom clusters see the caller that no pattern names.
pub(super) fn of_cluster(seen: &Seen) -> Option<String> {
    seen.user.clone().filter(|_| seen.clusters.is_empty())
}

/// A line for each.
pub(super) fn text(all: &[Seen]) -> String {
    let line = |seen: &Seen| {
        let which = match seen.clusters.as_slice() {
            [] if all.len() > 1 => "other clusters".to_owned(),
            [] => "clusters".to_owned(),
            patterns => format!("clusters {}", patterns.join(" ")),
        };
        format!("{which} see, if not configured otherwise: {}\n", seen.told())
    };
    match all {
        [] => "clusters see, if not configured otherwise: this server's own account\n".to_owned(),
        all => all.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(clusters: &[&str], user: Option<&str>, groups: &[&str]) -> Seen {
        let strings = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let refused = user.is_none().then(|| "the local user has no identity".to_owned());
        Seen {
            clusters: strings(clusters),
            user: user.map(str::to_owned),
            groups: strings(groups),
            groups_left_out: None,
            refused,
        }
    }

    #[test]
    fn what_clusters_see_is_told_for_each_that_sees_something_else() {
        let own = "clusters see, if not configured otherwise: this server's own account\n";
        assert_eq!(text(&[]), own);
        let alice = seen(&[], Some("alice"), &["team-a"]);
        assert_eq!(
            text(std::slice::from_ref(&alice)),
            "clusters see, if not configured otherwise: alice in team-a\n"
        );
        let some = Seen { groups_left_out: Some(2), ..seen(&["prod-*", "lab"], Some("b:alice"), &[]) };
        let told = text(&[some, seen(&[], None, &[])]);
        assert_eq!(
            told,
            "clusters prod-* lab see, if not configured otherwise: b:alice (2 of your groups have no name there)\n\
             other clusters see, if not configured otherwise: nobody: calls are refused, since the local user has no \
             identity\n"
        );
        let many: Vec<String> = (0..12).map(|number| format!("g{number}")).collect();
        let many = Seen { groups: many, ..alice };
        assert!(text(&[many]).ends_with("g9 and 2 more\n"));
    }
}
