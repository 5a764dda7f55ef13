//! The rights that the tools of the toolset `kro` take in a cluster with these RGDs. Pure.

use std::collections::BTreeSet;

use super::labels;
use crate::kubernetes::rights::{CREATE, DELETE, GET, LIST, PATCH, Rights, WATCH};

/// Group and plural.
pub type Resource = (String, String);

/// The kinds that the RGDs of a cluster have to do with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// What they generate.
    pub instances: BTreeSet<Resource>,
    /// What instances are made of.
    pub children: BTreeSet<Resource>,
    /// What they refer to.
    pub externals: BTreeSet<Resource>,
    /// Whether events are served.
    pub events: bool,
    /// Whether GraphRevisions are served (kro ≥ 0.9).
    pub revisions: bool,
}

/// What the rights are for.
#[derive(Clone, Copy)]
pub struct For<'a> {
    /// Whether a tool is offered.
    pub offered: &'a dyn Fn(&str) -> bool,
    /// Whether Secrets may be read that are children: with their values, in all namespaces.
    pub secrets: bool,
}

impl std::fmt::Debug for For<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("For").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

/// Group and plural.
type Known = (&'static str, &'static str);

/// What owns other objects that are looked at too, and which.
const OWNED: [(Known, &[Known]); 6] = [
    (("apps", "deployments"), &[("apps", "replicasets"), ("", "pods")]),
    (("apps", "replicasets"), &[("", "pods")]),
    (("apps", "statefulsets"), &[("", "pods")]),
    (("apps", "daemonsets"), &[("", "pods")]),
    (("batch", "jobs"), &[("", "pods")]),
    (("batch", "cronjobs"), &[("batch", "jobs"), ("", "pods")]),
];

/// Those that the offered tools take. Every one of them is used by some call; only what it takes to tell whose an
/// event is cannot be known before.
pub fn rights(used: &Used, purpose: For<'_>) -> Rights {
    let offered = purpose.offered;
    let any = |tools: &[&str]| tools.iter().any(|tool| offered(tool));
    let mut rights = Rights::default();
    // what can be subscribed to is what these answer
    let followed = any(&["kro_graph", "kro_yaml", "kro_watch"]);
    let reading: &[&'static str] = if followed { &[GET, LIST, WATCH] } else { &[GET, LIST] };
    let rgds = "resourcegraphdefinitions";
    rights.allow(
        "Every tool: which kinds are instances, and the nodes and edges of a graph. Watched for subscriptions.",
        reading,
        labels::GROUP,
        rgds,
    );
    if used.revisions {
        rights.allow(
            "Graphs of instances that run on an older revision; kro_rgd, kro_yaml and kro_revision_diff.",
            if any(&["kro_yaml"]) { reading } else { &[LIST] },
            labels::INTERNAL_GROUP,
            "graphrevisions",
        );
    }
    rights.allow(
        "Whose kind it is, also where its RGD is gone; the schema in kro_rgd.",
        &[GET, LIST],
        "apiextensions.k8s.io",
        "customresourcedefinitions",
    );
    for (group, resource) in &used.instances {
        rights.allow("Instances. Watched by kro_watch and subscriptions.", reading, group, resource);
    }
    for (group, resource) in &used.children {
        let why = "What instances are made of.";
        reads(&mut rights, (why, reading), (group, resource), purpose);
    }
    for (group, resource) in &used.externals {
        let why = "What RGDs refer to without making it.";
        reads(&mut rights, (why, &[GET, LIST]), (group, resource), purpose);
    }
    if any(&["kro_diagnose", "kro_events", "kro_yaml"]) {
        let owned = OWNED.iter().filter(|((group, plural), _)| {
            let owner = ((*group).to_owned(), (*plural).to_owned());
            used.children.contains(&owner)
        });
        for (group, resource) in owned.flat_map(|(_, owned)| owned.iter()) {
            let why = "What these own: the Pods of a workload in kro_diagnose, and whose an event is in kro_events.";
            reads(&mut rights, (why, &[GET, LIST]), (group, resource), purpose);
        }
    }
    if any(&["kro_diagnose"]) {
        rights.allow("kro_diagnose: whether kro itself runs.", &[LIST], "apps", "deployments");
    }
    if used.events && any(&["kro_diagnose", "kro_events"]) {
        let verbs: &[&'static str] = if offered("kro_events") { &[LIST, WATCH] } else { &[LIST] };
        rights.allow(
            "kro_events, and the warnings in kro_diagnose. Watched for subscriptions.",
            verbs,
            "",
            "events",
        );
    }
    changes(&mut rights, used, offered);
    rights
}

/// Reading a kind, unless it is one whose every object is a credential.
fn reads(
    rights: &mut Rights,
    (why, verbs): (&str, &[&'static str]),
    (group, resource): (&str, &str),
    purpose: For<'_>,
) {
    if (group, resource) == ("", "secrets") && !purpose.secrets {
        rights.leave_out(
            "secrets, which RGDs make or refer to: the right to list them is the right to read all of the cluster. Such \
             nodes are shown as unknown; --with-secrets gives it"
                .to_owned(),
        );
        return;
    }
    rights.allow(why, verbs, group, resource);
}

fn changes(rights: &mut Rights, used: &Used, offered: &dyn Fn(&str) -> bool) {
    let mut verbs = Vec::new();
    let applies = offered("kro_apply_instance");
    verbs.extend(applies.then_some(CREATE));
    verbs.extend((applies || offered("kro_reconcile")).then_some(PATCH));
    verbs.extend(offered("kro_delete_instance").then_some(DELETE));
    for (group, resource) in &used.instances {
        let why = "Changing instances, as a plan (a dry run) takes too: kro_apply_instance (create, patch), \
                   kro_reconcile (patch), kro_delete_instance (delete).";
        rights.allow(why, &verbs, group, resource);
    }
    if offered("kro_apply_rgd") {
        rights.allow(
            "kro_apply_rgd. Whoever writes an RGD has kro make whatever kro may make: leave this out where nobody should.",
            &[CREATE, PATCH],
            labels::GROUP,
            "resourcegraphdefinitions",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used() -> Used {
        let of = |resources: &[(&str, &str)]| {
            resources.iter().map(|(group, plural)| ((*group).to_owned(), (*plural).to_owned())).collect()
        };
        Used {
            instances: of(&[("kro.run", "shops")]),
            children: of(&[("apps", "deployments"), ("", "secrets"), ("kro.run", "shops")]),
            externals: of(&[("", "configmaps")]),
            events: true,
            revisions: true,
        }
    }

    fn has(rights: &Rights, verb: &str, group: &str, resource: &str) -> bool {
        rights.allows(verb, group, resource)
    }

    #[test]
    fn changes_take_rights_only_where_their_tools_are_offered() {
        let reads = |tool: &str| !["apply", "reconcile", "delete"].iter().any(|word| tool.contains(word));
        let some = rights(&used(), For { offered: &reads, secrets: false });
        let all = rights(&used(), For { offered: &|_| true, secrets: false });
        for (verb, resource) in
            [(CREATE, "shops"), (PATCH, "shops"), (DELETE, "shops"), (PATCH, "resourcegraphdefinitions")]
        {
            assert!(!has(&some, verb, "kro.run", resource), "{verb} {resource}");
            assert!(has(&all, verb, "kro.run", resource), "{verb} {resource}");
        }
        assert!(!has(&all, DELETE, "kro.run", "resourcegraphdefinitions"));
        let reconciles = rights(&used(), For { offered: &|tool| tool == "kro_reconcile", secrets: false });
        assert!(has(&reconciles, PATCH, "kro.run", "shops") && !has(&reconciles, CREATE, "kro.run", "shops"));
        assert!(!has(&reconciles, WATCH, "kro.run", "shops") && !has(&reconciles, LIST, "", "events"));
    }

    #[test]
    fn secrets_are_read_only_where_somebody_says_so() {
        let without = rights(&used(), For { offered: &|_| true, secrets: false });
        assert!(!has(&without, LIST, "", "secrets") && !has(&without, GET, "", "secrets"));
        assert!(without.left_out()[0].starts_with("secrets, which RGDs make"), "{without:?}");
        let with = rights(&used(), For { offered: &|_| true, secrets: true });
        assert!(has(&with, LIST, "", "secrets") && with.left_out().is_empty());
    }

    #[test]
    fn what_a_workload_owns_is_read_and_what_others_own_is_not() {
        let rights = rights(&used(), For { offered: &|_| true, secrets: false });
        assert!(has(&rights, LIST, "", "pods") && has(&rights, GET, "apps", "replicasets"));
        assert!(!has(&rights, LIST, "batch", "jobs") && !has(&rights, WATCH, "", "configmaps"));
    }
}
