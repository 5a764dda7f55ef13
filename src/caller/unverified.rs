//! Whoever holds a token that we cannot verify, since it is for a cluster: the cluster judges it, and is asked by it
//! and by nothing else.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Caller, Shown, Token, oidc};
use crate::{
    kubernetes::{Identity, identity::Unfit},
    permission::{Grant, Permission, PermissionSet, Within},
};

/// Whom audit lines name: what the token says of its owner is nobody's word yet.
const USERNAME: &str = "unverified";

/// The holder of `token`, who may do this one thing in one cluster, as that cluster lets them. `rule` is the
/// configuration that says so.
pub fn caller(token: &str, permission: Permission, cluster: &str, rule: &str) -> Caller {
    let hash = oidc::named(token.as_bytes());
    let grant = Grant {
        deny: false,
        permissions: [permission].into_iter().collect(),
        within: Arc::new(Within { clusters: Some(vec![cluster.to_owned()]), ..Within::default() }),
        rule: rule.to_owned(),
    };
    Caller {
        issuer: Some(format!("cluster {cluster}").into()),
        subject: hash.clone(),
        username: USERNAME.to_owned(),
        groups: Vec::new(),
        permissions: Arc::new(PermissionSet::new(vec![grant])),
        // when it ends is for the cluster to know
        token: Some(Token { hash, id: None, expires: Timestamp::MAX }),
        identity: Identity::CallerHeader,
        shown: Shown::Nobody(Unfit::Nameless),
        scopes: Vec::new(),
        subject_token: None,
        actor: None,
        verified: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kubernetes::{Cluster, Fault, Source},
        permission::{Extent, Requirement, Scope},
    };

    #[test]
    fn who_holds_a_token_for_a_cluster_may_do_one_thing_there_and_nothing_else_anywhere() {
        let caller = caller("planted", Permission::KnativeEventMeshView, "dev", "http.eventMesh");
        let permissions = caller.permissions();
        let scope = |cluster: &str| Scope::cluster(Extent::named(cluster), Extent::Anywhere);
        assert!(permissions.allows(Permission::KnativeEventMeshView, &scope("dev")));
        assert!(!permissions.allows(Permission::KnativeEventMeshView, &scope("prod")));
        assert_eq!(permissions.somewhere().iter().count(), 1);
        assert!(!permissions.shows(&Requirement::one(Permission::KubernetesClustersRead)));
        assert!(!format!("{caller:?}").contains("planted"));
        assert_eq!(caller.subject(), oidc::named(b"planted"), "as logs call it");
    }

    #[test]
    fn no_configuration_of_a_cluster_shows_it_somebody_else_instead() {
        let caller = caller("planted", Permission::KnativeEventMeshView, "dev", "http.eventMesh");
        let cluster = |identity| {
            Cluster::new("dev", Source::Static, "default", || async { Err(Fault::Gone) })
                .with_identity(identity)
        };
        for identity in [None, Some(Identity::Own), Some(Identity::Impersonate), Some(Identity::Exchange)] {
            assert_eq!(caller.identity_on(&cluster(identity)), Identity::CallerHeader, "{identity:?}");
        }
        let known = super::super::local::with_permissions(PermissionSet::default());
        assert_eq!(known.identity_on(&cluster(Some(Identity::Impersonate))), Identity::Impersonate);
        assert_eq!(known.identity_on(&cluster(None)), Identity::Own);
    }
}
