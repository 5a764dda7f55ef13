//! Whether a caller may send a request, by its method and path, before anything is sent.

use http::Method;

use super::{Target, Touched};
use crate::{
    Error, RefusedBy,
    kubernetes::Access,
    permission::{Decision, Extent, Permission, Scope},
    toolbox::Call,
};

/// What API servers have an answer to. TRACE, CONNECT and what nobody knows reach none.
const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Lets a request through that the caller's permissions cover as a whole: what comes back is not looked
/// through object by object.
///
/// # Errors
/// [`crate::ErrorKind::NotAllowed`], with the permission and the scope, whether or not the target exists;
/// [`crate::ErrorKind::InvalidInput`] for a method that is not passed on.
pub fn permit(call: &Call, access: &Access, method: &Method, target: &Target) -> Result<(), Error> {
    if !METHODS.contains(method) {
        return Err(Error::invalid_input("this method is not passed on")
            .candidates(METHODS.iter().map(ToString::to_string)));
    }
    require(call, access, (method, target), Permission::KubernetesProxy)?;
    if target.changes(method) {
        permit_change(call, access, method, target)?;
    }
    if target.is_credential() {
        require(call, access, (method, target), Permission::KubernetesSecretsRead)?;
    }
    Ok(())
}

/// What it needs beyond that to change something.
pub(super) fn permit_change(
    call: &Call,
    access: &Access,
    method: &Method,
    target: &Target,
) -> Result<(), Error> {
    require(call, access, (method, target), Permission::KubernetesProxyWrite)
}

fn require(
    call: &Call,
    access: &Access,
    (method, target): (&Method, &Target),
    permission: Permission,
) -> Result<(), Error> {
    match target.touches(method) {
        Touched::Discovery => call.require_in(permission, access, Extent::Anywhere),
        Touched::Namespace(namespace) => call.require_in(permission, access, Extent::named(namespace)),
        Touched::ClusterScoped => call.require_in(permission, access, Extent::None),
        Touched::Everything => everything(call, access, target, permission),
    }
}

fn everything(call: &Call, access: &Access, target: &Target, permission: Permission) -> Result<(), Error> {
    // names the permission where it is missing altogether
    call.require_in(permission, access, Extent::Anywhere)?;
    let cluster = Extent::Named(access.cluster().names());
    if call.caller().permissions().covers_cluster(permission, &cluster) {
        return Ok(());
    }
    let scope = Scope::cluster(cluster, Extent::Anywhere);
    let decision = Decision::Deny { missing: vec![permission], hidden: false, rule: None };
    let denied =
        Error::denied(permission.name(), &format!("all of {scope}")).refused_by(RefusedBy::Gate(decision));
    Err(match target.resource().filter(|one| one.name.is_none() && one.plural != "namespaces") {
        Some(resource) => denied.next(format!(
            "name a namespace in the path, as {}",
            within(&resource.group, &resource.version, &resource.plural)
        )),
        None => denied,
    })
}

/// The path of the same objects in one namespace.
fn within(group: &str, version: &str, plural: &str) -> String {
    let prefix = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
    format!("{prefix}/{version}/namespaces/NAMESPACE/{plural}")
}
