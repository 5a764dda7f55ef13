//! [`Named`]: a user of Backstage, and as whom each cluster knows them.

use std::{borrow::Cow, sync::Arc};

use crate::{
    backstage::{EntityReference, Names},
    caller::shown::Sight,
    kubernetes::{Cluster, Impersonation, identity::Unfit},
    permission::scope::matches,
};

/// A user and their groups, all from verified tokens and from Backstage itself, and the configured names for them.
#[derive(Debug)]
pub struct Named {
    pub(super) user: EntityReference,
    pub(super) groups: Vec<EntityReference>,
    pub(super) names: Arc<[Names]>,
}

impl Named {
    /// The place of the names that this cluster has: the first that are for it. Behind them all where none are.
    pub(in crate::caller) fn place(&self, cluster: &Cluster) -> usize {
        let is_for = |names: &Names| match &names.clusters {
            None => true,
            Some(patterns) => {
                cluster.names().iter().any(|name| patterns.iter().any(|pattern| matches(pattern, name)))
            }
        };
        self.names.iter().position(is_for).unwrap_or(self.names.len())
    }

    /// How many places there are: one more where some clusters have no names.
    pub(in crate::caller) fn places(&self) -> usize {
        let every = self.names.last().is_some_and(|names| names.clusters.is_none());
        self.names.len() + usize::from(!every)
    }

    pub(in crate::caller) fn at(&self, place: usize) -> Sight<'_> {
        let Some(names) = self.names.get(place) else {
            return Sight { clusters: None, who: Err(Unfit::NoTemplate), left_out: 0 };
        };
        let groups: Vec<String> = match &names.groups {
            Some(template) => self.groups.iter().filter_map(|group| template.name(group)).collect(),
            None => Vec::new(),
        };
        let left_out = self.groups.len() - groups.len();
        let who = match names.username.name(&self.user) {
            Some(user) => Ok(Cow::Owned(Impersonation { user, groups, ..Impersonation::default() })),
            None => Err(Unfit::Namespace(self.user.namespace.clone())),
        };
        Sight { clusters: names.clusters.as_deref(), who, left_out }
    }

    /// The bytes that it keeps in use beside what all users share, where a text alone needs so many.
    pub(in crate::caller) fn weight(&self, text: usize) -> usize {
        let parts = |one: &EntityReference| 3 * text + one.kind.len() + one.namespace.len() + one.name.len();
        parts(&self.user) + self.groups.iter().map(parts).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backstage::Template, caller::shown::Shown, kubernetes::Source};

    fn names(clusters: Option<&[&str]>, username: &str, groups: Option<&str>) -> Names {
        let template = |text: &str| Template::parse(text).expect("a template");
        let clusters = clusters.map(|patterns| patterns.iter().map(|one| (*one).to_owned()).collect());
        Names { clusters, username: template(username), groups: groups.map(template) }
    }

    fn user(reference: &str, groups: &[&str], names: Vec<Names>) -> Shown {
        let entity = |text: &str| EntityReference::parse(text).expect("a reference");
        let groups = groups.iter().map(|group| entity(group)).collect();
        Shown::Named(Arc::new(Named { user: entity(reference), groups, names: names.into() }))
    }

    fn seen(shown: &Shown, cluster: &str) -> Result<(String, Vec<String>, usize), Unfit> {
        let connect = || async { unreachable!("nobody connects") };
        let sight = shown.at(shown.place(&Cluster::new(cluster, Source::Static, "default", connect)));
        sight.who.map(|who| (who.user.clone(), who.groups.clone(), sight.left_out))
    }

    #[test]
    fn the_first_names_that_are_for_a_cluster_count() {
        let all = vec![
            names(
                Some(&["prod-*", "static/lab"]),
                "backstage:{namespace}/{name}",
                Some("{name}@{namespace}"),
            ),
            names(Some(&["prod-eu"]), "never:{name}", None),
            names(None, "{name}@example.com", Some("{name}")),
        ];
        let groups = ["group:default/team-a", "group:other/team-a"];
        let alice = user("user:default/alice", &groups, all.clone());
        let strings = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let told =
            Ok(("backstage:default/alice".to_owned(), strings(&["team-a@default", "team-a@other"]), 0));
        assert_eq!(seen(&alice, "prod-eu"), told);
        assert_eq!(seen(&alice, "lab"), told);
        let rest = Ok(("alice@example.com".to_owned(), strings(&["team-a"]), 1));
        assert_eq!(seen(&alice, "staging"), rest, "a group of another namespace would be taken for this one");
        assert_eq!(alice.all().count(), 3);

        let other = user("user:other/alice", &groups, all);
        assert_eq!(seen(&other, "prod-eu").map(|seen| seen.0), Ok("backstage:other/alice".to_owned()));
        assert_eq!(seen(&other, "staging"), Err(Unfit::Namespace("other".to_owned())));
    }

    #[test]
    fn clusters_without_names_see_nobody() {
        let alice = |all: Vec<Names>| user("user:default/alice", &["group:default/team-a"], all);
        assert_eq!(seen(&alice(Vec::new()), "prod"), Err(Unfit::NoTemplate));
        assert_eq!(alice(Vec::new()).all().count(), 1);
        let one = alice(vec![names(Some(&["prod"]), "{name}", None)]);
        assert_eq!(seen(&one, "prod"), Ok(("alice".to_owned(), Vec::new(), 1)));
        assert_eq!(seen(&one, "lab"), Err(Unfit::NoTemplate));
        assert_eq!(one.all().count(), 2, "and what all others see");
    }
}
