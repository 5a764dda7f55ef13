//! Whether an environment answers, and what its credential is good for: for whoever runs this server.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::{
    api::{project::ProjectsMetadata, user::UserInfo},
    ask::Ask,
    environment::{Acting, Environment},
    fault::Fault,
    place::Place,
    session::By,
};
use crate::kubernetes::Budgeted;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The key is of the whole tenant.
    Tenant {
        /// The tenant's name.
        name: String,
        /// How many projects it lists.
        projects: usize,
    },
    /// The key is of a project: Palette lets it ask for nothing in the tenant's scope.
    Project,
    /// Callers bring their tokens; it answers that it wants one.
    Callers,
}

/// Asks who asks, and for the projects.
///
/// # Errors
/// It does not answer, or does not take the credential.
pub async fn look(environment: &Environment, spent: &Budgeted) -> Result<Standing, Fault> {
    let acting = match &environment.settings().api_token {
        Some(key) => Acting::Key(key.clone()),
        None => Acting::Anonymous,
    };
    acting.teach(&spent.learned);
    let parallel = Semaphore::new(1);
    let by = By { acting: &acting, place: &Place::Tenant, spent, parallel: &parallel, since: None };
    let ask = |segments: &[&str]| Ask::get(segments).kept(Duration::ZERO);
    let session = environment.session();
    let user: UserInfo = match session.json(by, &ask(&["users", "info"])).await {
        Ok((user, _)) => user,
        Err(Fault::Unauthorized(_)) if environment.settings().is_by_callers() => {
            return Ok(Standing::Callers);
        }
        Err(Fault::Forbidden(_)) => return Ok(Standing::Project),
        Err(fault) => return Err(fault),
    };
    if environment.settings().is_by_callers() {
        let odd = "it answers without a credential, which Palette does not";
        return Err(Fault::Malformed(odd.to_owned()));
    }
    let projects = session.json::<ProjectsMetadata>(by, &ask(&["dashboard", "projects", "metadata"])).await;
    match projects {
        Ok((listed, _)) => {
            let name = if user.org_name.is_empty() { user.tenant_uid } else { user.org_name };
            Ok(Standing::Tenant { name, projects: listed.items.len() })
        }
        Err(Fault::Forbidden(_)) => Ok(Standing::Project),
        Err(fault) => Err(fault),
    }
}
