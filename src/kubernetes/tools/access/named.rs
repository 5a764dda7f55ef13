//! [`Meant`]: the resource that a caller names, served or not.

use crate::{
    Error,
    answer::sanitise,
    kubernetes::{Access, Fault, Kind, NoKind, discovery},
    nearest,
};

/// What is only ever authorized, and served by no API (Kubernetes, "User impersonation", "Certificate Signing
/// Requests").
const VIRTUAL: [(&str, &str); 5] = [
    ("users", ""),
    ("groups", ""),
    ("userextras", "authentication.k8s.io"),
    ("uids", "authentication.k8s.io"),
    ("signers", "certificates.k8s.io"),
];
/// Subresources that discovery does not list: those of the kubelet's API and of the approval of certificates.
const UNLISTED: [&str; 10] = [
    "metrics",
    "stats",
    "log",
    "spec",
    "healthz",
    "configz",
    "pods",
    "nodeclient",
    "selfnodeclient",
    "selfnodeserver",
];
/// Names that an error suggests.
const NEAREST: usize = 5;

/// A resource as it was written.
pub(super) struct Meant<'m> {
    pub(super) resource: &'m str,
    pub(super) subresource: Option<&'m str>,
    /// Whether the verb is one that is asked on the way of others.
    pub(super) special: bool,
    pub(super) namespace: &'m Option<String>,
}

impl Meant<'_> {
    /// The kind, and why it is not known whether there is one, where the cluster does not say what it serves.
    ///
    /// # Errors
    /// There is none of that name, or no such subresource of it: with those that come near.
    pub(super) async fn kind(&self, access: &Access) -> Result<(Kind, Option<Fault>), Error> {
        if let Some(kind) = self.special.then(|| self.authorized()).flatten() {
            return Ok((kind, None));
        }
        match access.kind_named(self.resource).await {
            Ok(kind) => {
                self.check_subresource(access, &kind).await?;
                Ok((kind, None))
            }
            Err(NoKind::Unread(fault)) => Ok((self.written(), Some(fault))),
            // of what no API serves, RBAC may speak all the same
            Err(NoKind::Unknown { near, .. }) if self.special && near.is_empty() => {
                Ok((self.written(), None))
            }
            Err(none) => Err(none.of("resource")),
        }
    }

    fn authorized(&self) -> Option<Kind> {
        let written = self.written();
        let known = VIRTUAL.iter().find(|(plural, group)| {
            *plural == written.plural && (written.group.is_empty() || *group == written.group)
        });
        known.map(|(_, group)| Kind { group: (*group).to_owned(), namespaced: false, ..written })
    }

    /// What was written, taken by the letter.
    fn written(&self) -> Kind {
        let written = self.resource.to_lowercase();
        let (plural, group) = written.split_once('.').unwrap_or((&written, ""));
        Kind {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: plural.to_owned(),
            plural: plural.to_owned(),
            singular: String::new(),
            short_names: Vec::new(),
            namespaced: self.namespace.is_some(),
            listable: false,
        }
    }

    /// Whether the kind has the subresource, with one request; where that is not answered, it is taken to have.
    async fn check_subresource(&self, access: &Access, kind: &Kind) -> Result<(), Error> {
        let Some(written) = self.subresource.filter(|sub| !sub.contains('*')) else { return Ok(()) };
        if UNLISTED.contains(&written) && ["nodes", "certificatesigningrequests"].contains(&&*kind.plural) {
            return Ok(());
        }
        let Some(known) = discovery::subresources(access, kind).await else { return Ok(()) };
        if known.iter().any(|sub| sub == written) {
            return Ok(());
        }
        let shown = sanitise::short(written, 63);
        let error = Error::not_found(format!(
            "the argument \"resource\": {} have no subresource {shown:?}",
            sanitise::short(&kind.plural, 80)
        ));
        let near = nearest::names(written, known.iter().map(String::as_str), NEAREST);
        Err(error.candidates(near.iter().map(|sub| format!("{}/{sub}", kind.plural))))
    }
}
