//! Where something is made: one environment, and a project of it or the tenant itself.

use crate::{
    Error, ErrorKind,
    palette::{Access, Place, find, fleet},
    permission::Permission,
    toolbox::Call,
};

/// The project that stands for the tenant itself.
const TENANT: &str = "-";
/// Names that an error suggests.
const MOST: usize = 20;

/// The one environment that the call reached.
///
/// # Errors
/// Several, and none was named.
pub fn environment(call: &Call) -> Result<&Access, Error> {
    match call.environments() {
        [one] => Ok(one),
        several => {
            let names = several.iter().map(|access| access.environment().name().to_owned());
            let message = "the argument \"environment\" is missing: there are several";
            Err(Error::invalid_input(message).candidates(names))
        }
    }
}

/// Where it is to be, in which the caller has `permission`.
///
/// # Errors
/// No project was named where there are several, there is none of that name, or the caller lacks the permission there:
/// the last two are answered alike.
pub async fn project(
    call: &Call,
    access: &Access,
    project: Option<&str>,
    permission: Permission,
) -> Result<Place, Error> {
    let place = match project {
        Some(TENANT) => Place::Tenant,
        Some(project) => named(access, project).await?,
        None => only(access).await?,
    };
    call.require_place(permission, access, &place)?;
    Ok(place)
}

async fn named(access: &Access, project: &str) -> Result<Place, Error> {
    let place = |uid: &str, name: Option<String>| Place::Project { uid: uid.to_owned(), name };
    let by_uid = find::is_uid(project);
    let names = match find::project_names(access).await {
        Ok(names) => names,
        // a credential of one project lists none
        Err(fault) if by_uid && fault.is_forbidden() && access.sees(&place(project, None)) => {
            return Ok(place(project, None));
        }
        Err(fault) => return Err(fault.into()),
    };
    let mut meant = names.iter().map(|(uid, name)| place(uid, Some(name.clone())));
    match meant.find(|place| place.is_called(project) && access.sees(place)) {
        Some(place) => Ok(place),
        None => {
            fleet::exists(std::slice::from_ref(access), project).await?;
            Err(Error::not_found("there is no such Palette project"))
        }
    }
}

async fn only(access: &Access) -> Result<Place, Error> {
    let names = find::project_names(access).await?;
    let places = names.into_iter().map(|(uid, name)| Place::Project { uid, name: Some(name) });
    let mut seen: Vec<Place> = places.filter(|place| access.sees(place)).collect();
    if let ([_], false) = (seen.as_slice(), access.sees(&Place::Tenant)) {
        return seen.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "one is none"));
    }
    let names = seen.iter().filter_map(Place::shown).take(MOST);
    let message = "the argument \"project\" is missing: a project, or - for the tenant itself";
    Err(Error::invalid_input(message).candidates(names))
}
