//! What Palette environments answer, asked once each.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::time::Instant;

use super::{super::Failure, PARALLEL, Report};
use crate::{
    answer::redact::Learned,
    config::{Built, Config},
    kubernetes::{Budgeted, Meter},
    palette::{
        Environment, Fault,
        look::{Standing, look},
        presented::header,
    },
    telemetry::CallSpan,
};

/// One that does not answer in this time counts as unreachable here; calls may wait longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// One line for each environment, and one for each key of a pasted block that has no effect.
pub(super) async fn tell(config: &Config, built: &Built, report: &mut Report) -> Result<(), Failure> {
    for one in config.spectrocloud.ineffective() {
        let said = format!("spectrocloud.{}: has no effect here", one.key);
        report.warn(&said, one.why)?;
    }
    let environments = built.toolbox.environments();
    let looking = environments.iter().map(|environment| async move {
        let began = Instant::now();
        (environment, looked(environment, began).await, began.elapsed())
    });
    let looked: Vec<_> = stream::iter(looking).buffered(PARALLEL).collect().await;
    for (environment, found, took) in looked {
        let name = format!("environment {}", environment.name());
        let took = format!("answers in {} ms", took.as_millis());
        match found {
            Ok(Standing::Tenant { name: tenant, projects }) => tenant_key(
                &format!("{name}: tenant {tenant}, {projects} projects, {took}"),
                environment,
                &tenant,
                report,
            ),
            Ok(Standing::Project) => report.warn(
                &format!(
                    "{name}: {took}, and its API key is one of a project, which lists nothing of the tenant"
                ),
                "give it a tenant's API key; what a project's key sees is asked for with `project`",
            ),
            Ok(Standing::Callers) => report.ok(&format!(
                "{name}: {took}; callers bring their own token in the header {}",
                header(environment.name())
            )),
            Err(fault) => report.fail(&format!("{name}: {fault}"), mend(&fault)),
        }?;
    }
    Ok(())
}

fn tenant_key(
    said: &str,
    environment: &Environment,
    tenant: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    match &environment.settings().tenant {
        Some(configured) if configured != tenant => report.warn(
            &format!("{said}; `tenant` says {configured}"),
            "mend `tenant`, or use a key of that tenant: the key decides",
        ),
        _ => report.ok(said),
    }
}

async fn looked(environment: &Environment, began: Instant) -> Result<Standing, Fault> {
    let spent = Budgeted {
        meter: Arc::new(Meter::default()),
        learned: Arc::new(Learned::default()),
        deadline: began + PATIENCE,
        call_id: "check".into(),
        span: CallSpan::default(),
    };
    look(environment, &spent).await
}

fn mend(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unauthorized(_) => {
            "give it an API key of that tenant and host, and look whether the key has ended (`apiToken`)"
        }
        Fault::Unreachable(why) if why.contains("certificate") => {
            "give the authority that the server's certificate is of (`caFile`), and the host that it names (`url`)"
        }
        Fault::Unreachable(_) | Fault::Timeout(_) => {
            "check `url`, and that this machine reaches it (VPN, proxy, firewall)"
        }
        Fault::Configuration(_) => "mend `caFile`",
        Fault::Malformed(_) | Fault::Unserved { .. } | Fault::Status { status: 300..=499, .. } => {
            "check that `url` is Palette's API and no console, login page or proxy"
        }
        Fault::Throttled { .. } => "try again later: this address has used up the vendor's limit",
        _ => "try again; if it stays, ask whoever runs Palette",
    }
}
