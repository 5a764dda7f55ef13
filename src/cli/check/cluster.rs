//! Reaching one cluster, as the server would for a call.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    super::{Failure, upstream::as_server},
    Report,
};
use crate::kubernetes::{Cluster, Fault, Identity, MayImpersonate, cluster::Source};

/// A cluster that does not answer in this time counts as unreachable here; calls may wait longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same where Palette is asked for the way first, which it tells of some ten clusters a second.
const PATIENCE_WITH_PALETTE: Duration = Duration::from_secs(60);

/// What was found.
pub(super) struct Finding {
    took: Duration,
    source: Source,
    version: Result<String, Fault>,
    /// Whether kro's kinds are served, where it can be asked with the server's own credential.
    kro: Result<Option<bool>, Fault>,
    /// What the server may impersonate there, where it has to.
    rights: Option<Result<MayImpersonate, Fault>>,
}

/// Asks for the version, for what is served, and for the right to impersonate where that is needed.
pub(super) async fn reach(cluster: &Arc<Cluster>, mode: Identity) -> Finding {
    let started = Instant::now();
    let patience = match cluster.source() {
        Source::Palette => PATIENCE_WITH_PALETTE,
        _ => PATIENCE,
    };
    let access = as_server(cluster, "check", patience);
    let by_callers = matches!(mode, Identity::Exchange | Identity::CallerHeader);
    let version = access.get_json("/version", &[], "application/json").await;
    let took = started.elapsed();
    let version = match version {
        // it answers, and whom it lets in is between it and the callers
        Err(Fault::Unauthorized(_) | Fault::Forbidden(_)) if by_callers => Ok(Value::Null),
        version => version,
    };
    let kro = match &version {
        Ok(_) if by_callers => Ok(None),
        Ok(_) => {
            access.kinds().await.map(|kinds| Some(kinds.find("kro.run", "ResourceGraphDefinition").is_some()))
        }
        Err(_) => Ok(None),
    };
    let version = version.map(|version| {
        version
            .get("gitVersion")
            .and_then(|version| version.as_str())
            .unwrap_or("of unknown version")
            .to_owned()
    });
    let rights = match mode == Identity::Impersonate && version.is_ok() {
        true => Some(cluster.may_impersonate(started + patience).await),
        false => None,
    };
    Finding { took, source: cluster.source(), version, kro, rights }
}

impl Finding {
    pub(super) fn tell(self, name: &str, needed: &[String], report: &mut Report) -> Result<(), Failure> {
        let version = match self.version {
            Ok(version) => version,
            Err(fault) => return report.fail(&format!("{name}: {fault}"), mend(&fault, self.source)),
        };
        let reached = format!("{name}: {version}, answers in {} ms", self.took.as_millis());
        let rights = self.rights;
        match self.kro {
            Ok(None) => report.ok(&format!("{reached}; what it serves is asked as each caller")),
            Ok(Some(true)) => report.ok(&format!("{reached}, serves kro")),
            Ok(Some(false)) => report.warn(
                &format!("{reached}, does not serve kro"),
                "install kro there, or ignore this if the cluster has no resource graphs",
            ),
            Err(fault) => report.fail(
                &format!("{reached}, but what it serves cannot be read: {fault}"),
                mend(&fault, self.source),
            ),
        }?;
        match rights {
            None => Ok(()),
            Some(rights) => impersonation(name, self.source, rights, needed, report),
        }
    }
}

fn impersonation(
    name: &str,
    source: Source,
    rights: Result<MayImpersonate, Fault>,
    needed: &[String],
    report: &mut Report,
) -> Result<(), Failure> {
    let rights = match rights {
        Ok(rights) => rights,
        // nothing was asked: there is no credential to impersonate with
        Err(fault @ Fault::Configuration(_)) if source == Source::Static => {
            return report.fail(
                &format!("{name}: {fault}"),
                "set the cluster's `token` or `tokenFile` to the server's own credential, or `identity: own`",
            );
        }
        Err(fault @ Fault::Configuration(_)) => {
            return report.fail(&format!("{name}: {fault}"), mend(&fault, source));
        }
        Err(fault) => {
            return report.fail(
                &format!(
                    "{name}: asked what the server may impersonate (SelfSubjectRulesReview), and: {fault}"
                ),
                mend(&fault, source),
            );
        }
    };
    let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
    let missing = rights.missing(&needed).join(", ");
    let bind = "bind examples/rbac/impersonate.yaml to the user of the server's credential";
    match (missing.is_empty(), rights.complete) {
        (true, _) => report.ok(&format!("{name}: the server may impersonate callers")),
        (false, true) => report.fail(&format!("{name}: the server may not impersonate {missing}"), bind),
        (false, false) => report.warn(
            &format!("{name}: the API server does not say whether the server may impersonate {missing}"),
            bind,
        ),
    }
}

fn mend(fault: &Fault, source: Source) -> &'static str {
    match fault {
        Fault::Unauthorized(_) => "renew the credential: log in again, or replace the token",
        Fault::Forbidden(_) => "let the credential read /version and /apis (ClusterRole system:discovery)",
        Fault::Unreachable(why) if why.contains("certificate") => {
            "give the authority that the server's certificate is of, and the address that it names"
        }
        Fault::Unreachable(_) | Fault::Timeout(_) => {
            "check the server's address, and that this machine reaches it (VPN, proxy, firewall)"
        }
        Fault::NoWay { .. } => {
            "look at the cluster in Palette, and at spectrocloud.environments[].clusterProvider; `platform-mcp palette \
             onboard` gives this server its service account"
        }
        Fault::Configuration(_) if source == Source::Static => {
            "mend the cluster's entry: `url`, `caFile`, `token` or `tokenFile`"
        }
        Fault::Configuration(_) => {
            "mend the cluster's and user's entries: certificates, files, the exec command"
        }
        Fault::Malformed(_) | Fault::NotFound(_) => {
            "check that the address is an API server's, not a login page's"
        }
        _ => "try again; if it stays, ask whoever runs the cluster",
    }
}
