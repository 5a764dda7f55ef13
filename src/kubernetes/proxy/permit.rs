//! Whether a caller may send a request, by its method and path, before anything is sent.

use http::Method;

use super::{Target, Touched};
use crate::{
    Error,
    kubernetes::Access,
    permission::{Extent, Permission, Scope},
    toolbox::Call,
};

/// Lets a request through that the caller's permissions cover as a whole: what comes back is not looked
/// through object by object.
///
/// # Errors
/// [`crate::ErrorKind::NotAllowed`], with the permission and the scope, whether or not the target exists.
pub fn permit(call: &Call, access: &Access, method: &Method, target: &Target) -> Result<(), Error> {
    let require = |permission: Permission| match target.touches(method) {
        Touched::Discovery => call.require_in(permission, access, Extent::Anywhere),
        Touched::Namespace(namespace) => call.require_in(permission, access, Extent::named(namespace)),
        Touched::ClusterScoped => call.require_in(permission, access, Extent::None),
        Touched::Everything => everything(call, access, permission),
    };
    require(Permission::KubernetesProxy)?;
    if target.changes(method) {
        require(Permission::KubernetesProxyWrite)?;
    }
    if target.is_credential() {
        require(Permission::KubernetesSecretsRead)?;
    }
    Ok(())
}

fn everything(call: &Call, access: &Access, permission: Permission) -> Result<(), Error> {
    // names the permission where it is missing altogether
    call.require_in(permission, access, Extent::Anywhere)?;
    let cluster = Extent::Named(access.cluster().names());
    if call.caller().permissions().covers_cluster(permission, &cluster) {
        return Ok(());
    }
    let scope = Scope::cluster(cluster, Extent::Anywhere);
    Err(Error::denied(permission.name(), &format!("all of {scope}"))
        .next("name a namespace in the path, as /api/v1/namespaces/NAMESPACE/pods"))
}
