//! From what the arguments name to Palette environments that were decided for.

use std::sync::Arc;

use super::{ANYWHERE, EVERY, Reached, denied, lacking};
use crate::{
    Error,
    answer::sanitise,
    caller::Caller,
    kubernetes::Budgeted,
    palette::{self, Environment, Environments, Fault, Place},
    permission::{Extent, Requirement, Scope, decide},
    presented::Presented,
};

/// Decides for the environment that the arguments name. A name that none has is decided on like any other first.
/// Projects are left open: what a name or uid stands for comes out once they were read.
pub(in crate::toolbox) fn reach(
    known: &Environments,
    (caller, presented): (&Arc<Caller>, &Presented),
    requirement: &Requirement,
    (environment, project): (Option<&str>, Option<&str>),
    spent: &Budgeted,
) -> Reached {
    let environment = environment.filter(|name| *name != EVERY);
    let named = environment.map_or(Extent::Anywhere, Extent::named);
    let scope = Scope { environment: named, project: Extent::Anywhere, ..Scope::default() };
    let decision = decide(caller.permissions(), requirement, &scope);
    let said = match project {
        Some(project) => format!("{scope}, project {project}"),
        None => scope.to_string(),
    };
    let opened = match (denied(&decision, &scope, requirement), environment) {
        (Some(denial), _) => Err(denial),
        (None, None) if known.is_empty() => Err(Error::not_found("no Palette environment is configured")
            .next("set `spectrocloud.environments` in the configuration")),
        (None, None) => Ok(visible(known, (caller, presented), requirement, spent)),
        (None, Some(name)) => match known.named(name) {
            Some(environment) => Ok(vec![open(known, environment, (caller, presented), requirement, spent)]),
            None => Err(unknown(known, caller, requirement, name)),
        },
    };
    let (environments, failed) = match opened {
        Ok(opened) => (opened, Ok(Vec::new())),
        Err(error) => (Vec::new(), Err(error)),
    };
    Reached { decision, scope: said, clusters: failed, environments }
}

/// The environments of which the caller may see something with this requirement.
pub(in crate::toolbox) fn visible(
    known: &Environments,
    (caller, presented): (&Arc<Caller>, &Presented),
    requirement: &Requirement,
    spent: &Budgeted,
) -> Vec<palette::Access> {
    let seen = known.iter().filter(|environment| sees(environment, caller, requirement));
    seen.map(|environment| open(known, environment, (caller, presented), requirement, spent)).collect()
}

fn sees(environment: &Environment, caller: &Caller, requirement: &Requirement) -> bool {
    let scope = Scope { environment: Extent::named(environment.name()), ..ANYWHERE };
    decide(caller.permissions(), requirement, &palette_only(scope)).is_allowed()
}

/// No cluster and no namespace: Palette has none of either.
fn palette_only(scope: Scope) -> Scope {
    Scope { cluster: Extent::None, namespace: Extent::None, ..scope }
}

fn open(
    known: &Environments,
    environment: &Arc<Environment>,
    (caller, presented): (&Arc<Caller>, &Presented),
    requirement: &Requirement,
    spent: &Budgeted,
) -> palette::Access {
    let acting = presented.environments.acting(environment, known, caller);
    let view = EnvironmentView::new(caller, requirement.clone(), environment.name());
    palette::Access::new(Arc::clone(environment), Arc::new(view), acting, spent.clone())
}

fn unknown(known: &Environments, caller: &Caller, requirement: &Requirement, name: &str) -> Error {
    let seen = known.iter().filter(|environment| sees(environment, caller, requirement));
    Error::not_found(format!("there is no Palette environment {:?}", sanitise::short(name, 80)))
        .candidates(seen.map(|environment| environment.name()))
        .next("name one of these as environment, or none for all")
}

/// One caller's view of one environment, through one tool or one class of what it shows.
pub(in crate::toolbox) struct EnvironmentView {
    caller: Arc<Caller>,
    requirement: Requirement,
    environment: Extent,
}

impl EnvironmentView {
    pub(in crate::toolbox) fn new(caller: &Arc<Caller>, requirement: Requirement, environment: &str) -> Self {
        Self { caller: Arc::clone(caller), requirement, environment: Extent::named(environment) }
    }

    fn scope(&self, place: &Place) -> Scope {
        Scope { environment: self.environment.clone(), project: place.extent(), ..Scope::default() }
    }
}

impl palette::View for EnvironmentView {
    fn sees(&self, place: &Place) -> bool {
        match place {
            // a rule that knows the project by its name cannot be judged without it
            Place::Project { name: None, .. } => self.sees_all(),
            place => decide(self.caller.permissions(), &self.requirement, &self.scope(place)).is_allowed(),
        }
    }

    fn sees_all(&self) -> bool {
        let covers = |permission| self.caller.permissions().covers_environment(permission, &self.environment);
        self.requirement.permissions().iter().all(|permission| covers(*permission))
    }

    fn withheld(&self, place: &Place) -> Fault {
        let scope = self.scope(place);
        let decision = decide(self.caller.permissions(), &self.requirement, &scope);
        let needs = self.requirement.to_string();
        Fault::Withheld { needs, place: scope.to_string(), decision: Box::new(decision) }
    }
}

/// The denial of one permission in one place of an environment, where it is one.
pub(in crate::toolbox) fn required(
    caller: &Arc<Caller>,
    requirement: &Requirement,
    environment: &str,
    place: &Place,
) -> Result<(), Error> {
    use palette::View as _;
    let view = EnvironmentView::new(caller, requirement.clone(), environment);
    if view.sees(place) {
        return Ok(());
    }
    let decision = decide(caller.permissions(), requirement, &view.scope(place));
    let lacking = lacking(&decision, requirement);
    Err(Error::from(view.withheld(place)).lacking(lacking))
}
