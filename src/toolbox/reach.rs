//! From what the arguments name to clusters that were decided for.

pub(super) mod palette;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use super::{entry::Entry, tool::Reach};
use crate::{
    Error, ErrorKind,
    caller::{Caller, Shown},
    kubernetes::{Access, As, Budgeted, Cluster, Clusters, Fault, Identity, View, clusters::Lookup},
    palette::Environments,
    permission::{Decision, Extent, Permission, Requirement, Scope, decide},
    presented::Presented,
};

/// What names every cluster that the caller may see.
pub(super) const EVERY: &str = "*";

/// Wherever.
pub(super) const ANYWHERE: Scope = Scope::ANYWHERE;

/// The gate's decision, what it was about, and the clusters it opened.
pub(super) struct Reached {
    pub(super) decision: Decision,
    pub(super) scope: String,
    pub(super) clusters: Result<Vec<Access>, Error>,
    /// The Palette environments, where it is about those.
    pub(super) environments: Vec<crate::palette::Access>,
}

impl Reached {
    fn new(decision: Decision, scope: String, clusters: Result<Vec<Access>, Error>) -> Self {
        Self { decision, scope, clusters, environments: Vec::new() }
    }
}

/// Decides for the scope that the arguments name. A name that no cluster has is decided on like any
/// other first, so that a denial does not tell whether it exists.
pub(super) fn reach(
    (known, environments): (&Clusters, &Environments),
    (caller, presented): (&Arc<Caller>, &Presented),
    entry: &Entry,
    asked: Reach,
    spent: &Budgeted,
) -> Reached {
    let requirement = &entry.contract.front.permission;
    let one = |scope: &Scope| decide(caller.permissions(), requirement, scope);
    let (name, namespace, many) = match asked {
        Reach::Nowhere => {
            // a tool about the caller: having the permission anywhere is enough
            let decision = one(&ANYWHERE);
            let clusters = denied(&decision, &ANYWHERE, requirement).map_or(Ok(Vec::new()), Err);
            return Reached::new(decision, "none".to_owned(), clusters);
        }
        Reach::Environments { environment, project } => {
            let named = (environment.as_deref(), project.as_deref());
            return palette::reach(environments, (caller, presented), requirement, named, spent);
        }
        Reach::Cluster { cluster, namespace } => (cluster, namespace, false),
        Reach::Clusters { cluster, namespace } => (cluster, namespace, true),
    };
    let as_caller = AsCaller::new(caller);
    let open = |cluster: Arc<Cluster>| {
        let acting = match caller.identity_on(&cluster) {
            Identity::Own => As::Server,
            Identity::Impersonate => as_caller.on(&cluster),
            Identity::Exchange => match (cluster.audience(), cluster.trusting()) {
                (None, Some(asked)) => caller.exchanged_for(asked),
                (audience, _) => caller.exchanged(audience),
            },
            Identity::CallerHeader => presented.clusters.acting(cluster.provider()),
        };
        let view = CallerView::new(caller, requirement.clone(), &cluster);
        Access::new(cluster, Arc::new(view), acting, spent.clone())
    };
    if many && name.as_deref() == Some(EVERY) {
        let scope = Scope::cluster(Extent::Anywhere, namespace.clone());
        let decision = one(&scope);
        let clusters = denied(&decision, &scope, requirement).map_or_else(
            || {
                Ok(visible(known, |c| one(&scope_of(c, &namespace)).is_allowed())
                    .into_iter()
                    .map(open)
                    .collect())
            },
            Err,
        );
        return Reached::new(decision, scope.to_string(), clusters);
    }
    let sees = |cluster: &Cluster| one(&scope_of(cluster, &Extent::Anywhere)).is_allowed();
    let found = match &name {
        Some(name) => seen(known, known.lookup(name), &sees),
        None => known.default_for(&sees),
    };
    let written = name.as_ref().map(|name| Scope::cluster(Extent::named(name), namespace.clone()));
    let scope = match (&found, &written) {
        // in the audit log, a name that several have says nothing
        (Lookup::One(cluster), _) => match known.own_name(cluster) {
            shown if shown == cluster.name() => scope_of(cluster, &namespace),
            shown => Scope::cluster(Extent::Named(vec![shown, cluster.name().to_owned()]), namespace.clone()),
        },
        (_, Some(written)) => written.clone(),
        (_, None) => Scope::cluster(Extent::Anywhere, namespace),
    };
    let decision = one(&scope);
    let denial = match &written {
        Some(written) if !decision.is_allowed() => as_written(&decision, &one(written), written, requirement),
        _ => denied(&decision, &scope, requirement),
    };
    let clusters = match denial {
        Some(error) => Err(error),
        None => match found {
            Lookup::One(cluster) => Ok(vec![open(cluster)]),
            Lookup::Several(names) => Err(Error::new(
                ErrorKind::Conflict,
                format!("the cluster name {:?} is ambiguous", name.unwrap_or_default()),
            )
            .candidates(names)
            .next("name it as source/name")),
            Lookup::None => Err(no_cluster(known, name.as_deref(), &sees)),
        },
    };
    Reached::new(decision, scope.to_string(), clusters)
}

/// Of several clusters with a name, those that the caller may see: the others are nobody's candidates.
fn seen(known: &Clusters, found: Lookup, sees: &impl Fn(&Cluster) -> bool) -> Lookup {
    let Lookup::Several(names) = found else { return found };
    let mut left: Vec<(String, Arc<Cluster>)> = names
        .into_iter()
        .filter_map(|name| match known.lookup(&name) {
            Lookup::One(cluster) if sees(&cluster) => Some((name, cluster)),
            _ => None,
        })
        .collect();
    match left.len() {
        0 => Lookup::None,
        1 => left.pop().map_or(Lookup::None, |(_, cluster)| Lookup::One(cluster)),
        _ => Lookup::Several(left.into_iter().map(|(name, _)| name).collect()),
    }
}

fn scope_of(cluster: &Cluster, namespace: &Extent) -> Scope {
    Scope::cluster(Extent::Named(cluster.names()), namespace.clone())
}

fn visible(known: &Clusters, sees: impl Fn(&Cluster) -> bool) -> Vec<Arc<Cluster>> {
    known.iter().filter(|cluster| sees(cluster)).cloned().collect()
}

fn no_cluster(known: &Clusters, name: Option<&str>, sees: &impl Fn(&Cluster) -> bool) -> Error {
    let names: Vec<String> = visible(known, sees).iter().map(|cluster| known.shown_name(cluster)).collect();
    let error = match name {
        Some(name) if !known.unread().is_empty() => {
            let why = known.unread().join("; ");
            let name = crate::answer::sanitise::short(name, 80);
            let unsure = ErrorKind::Upstream { status: None, retryable: true };
            return Error::new(unsure, format!("no cluster {name:?} is known so far; {why}"))
                .next("call kubernetes_clusters to see those that are known");
        }
        Some(name) => {
            let near = crate::nearest::names(name, names.iter().map(String::as_str), 10);
            return Error::not_found(format!(
                "there is no cluster {:?}",
                crate::answer::sanitise::short(name, 80)
            ))
            .candidates(near)
            .next("call kubernetes_clusters to see all");
        }
        None if names.is_empty() => Error::not_found("no cluster is configured that you may see").next(
            "set KUBECONFIG, or `clusters` in the configuration; `platform-mcp check` says what was found",
        ),
        None => Error::invalid_input("the argument \"cluster\" is missing, and no cluster is the default"),
    };
    error.candidates(names)
}

fn denied(decision: &Decision, scope: &Scope, requirement: &Requirement) -> Option<Error> {
    match decision {
        Decision::Allow { .. } => None,
        Decision::Deny { missing, .. } => {
            let word = if matches!(requirement, Requirement::Any(_)) { " or " } else { " and " };
            let needs = missing.iter().map(|permission| permission.name()).collect::<Vec<_>>().join(word);
            Some(Error::denied(&needs, &scope.to_string()).lacking(lacking(decision, requirement)))
        }
    }
}

/// The denial of a cluster by the name in the arguments. Its other names, and rules that know it by one of
/// them, would tell that it exists.
fn as_written(
    decision: &Decision,
    by_name: &Decision,
    written: &Scope,
    requirement: &Requirement,
) -> Option<Error> {
    let told = if by_name.is_allowed() { decision } else { by_name };
    denied(told, written, requirement)
}

/// What more permissions would have to give; nothing where a rule takes it away, since more would not help.
pub(super) fn lacking(decision: &Decision, requirement: &Requirement) -> Option<Requirement> {
    match (decision, requirement) {
        (Decision::Deny { missing, rule: None, .. }, Requirement::Any(_)) => {
            Some(Requirement::Any(missing.clone().into()))
        }
        (Decision::Deny { missing, rule: None, .. }, _) => Some(Requirement::All(missing.clone().into())),
        _ => None,
    }
}

/// Why a tool does not exist for the caller: it is a denial, even where a grant gives what can never be in
/// the grant's place.
pub(super) fn hides(caller: &Caller, requirement: &Requirement) -> Decision {
    match decide(caller.permissions(), requirement, &ANYWHERE) {
        Decision::Allow { .. } => {
            let had = caller.permissions().somewhere();
            let missing = requirement.permissions().iter().copied().filter(|one| !had.contains(*one));
            Decision::Deny { missing: missing.collect(), hidden: true, rule: None }
        }
        denied => denied,
    }
}

/// One caller, as the clusters of one call see them: what several see is made once.
struct AsCaller<'c> {
    shown: &'c Shown,
    made: RefCell<BTreeMap<usize, As>>,
}

impl<'c> AsCaller<'c> {
    fn new(caller: &'c Caller) -> Self {
        Self { shown: caller.shown(), made: RefCell::default() }
    }

    fn on(&self, cluster: &Cluster) -> As {
        let place = self.shown.place(cluster);
        let make = || match self.shown.at(place).who {
            Ok(who) => As::impersonated(&who),
            Err(unfit) => As::nobody(unfit),
        };
        self.made.borrow_mut().entry(place).or_insert_with(make).clone()
    }
}

/// One caller's view of one cluster, through one tool or one class of what it shows.
pub(super) struct CallerView {
    caller: Arc<Caller>,
    requirement: Requirement,
    cluster: Vec<String>,
}

impl CallerView {
    pub(super) fn new(caller: &Arc<Caller>, requirement: Requirement, cluster: &Cluster) -> Self {
        Self { caller: Arc::clone(caller), requirement, cluster: cluster.names() }
    }

    fn scope(&self, namespace: Option<&str>) -> Scope {
        Scope::cluster(Extent::Named(self.cluster.clone()), Extent::of(namespace))
    }
}

impl View for CallerView {
    fn sees(&self, namespace: Option<&str>) -> bool {
        decide(self.caller.permissions(), &self.requirement, &self.scope(namespace)).is_allowed()
    }

    fn reveals(&self, namespace: Option<&str>) -> bool {
        self.caller.permissions().allows(Permission::KubernetesSecretsRead, &self.scope(namespace))
    }

    fn withheld(&self, namespace: Option<&str>) -> Fault {
        let scope = self.scope(namespace);
        let decision = Box::new(decide(self.caller.permissions(), &self.requirement, &scope));
        Fault::Withheld { needs: self.requirement.to_string(), place: scope.to_string(), decision }
    }
}
