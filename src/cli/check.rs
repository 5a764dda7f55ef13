//! `check`: what works, and how to mend the rest. One line each.

mod backstage;
mod cluster;
mod entities;
mod environment;
mod event_mesh;
mod explain;
mod identity;
mod issuer;
mod report;
mod sources;
mod tls;

use clap::Args;
use futures::{StreamExt as _, stream};

use super::{Failure, Global, out};
use crate::{
    caller::Caller,
    config::{Built, Config, server::AuditTo},
    demo::Sample,
    permission::{Policy, scope::matches},
    toolbox::Toolbox,
};
use report::Report;

/// Clusters asked at once.
const PARALLEL: usize = 64;

/// Say what of the configuration and the clusters works, and how to mend the rest.
#[derive(Debug, Args)]
#[command(after_help = "With --as or --claims: what a caller could do and why, instead.\n\n\
                  Exits with 1 where anything fails, or a token would be refused; a warning is no failure.")]
pub(super) struct Check {
    /// Print the JSON Schema of the configuration file instead.
    #[arg(long)]
    schema: bool,
    /// Over the embedded sample platform.
    #[arg(long, conflicts_with = "schema")]
    demo: bool,
    #[command(flatten)]
    explain: explain::Explain,
}

impl Check {
    pub(super) async fn run(&self, global: &Global) -> Result<(), Failure> {
        if self.schema {
            return Ok(out::json(&Config::schema())?);
        }
        if let Some(whom) = self.explain.whom() {
            return self.explain.run(whom, global).await;
        }
        let sample = match self.demo {
            true => Some(Sample::start().await.map_err(|error| Failure::failed(error.to_string()))?),
            false => None,
        };
        let mut report = Report::default();
        if let Some((config, built)) = configuration(global, sample.as_ref(), &mut report)? {
            caller(&config, &built, &mut report)?;
            sources::tell(&built, &mut report).await?;
            tls::tell(config.http_options().tls.as_ref(), &mut report).await?;
            issuer::tell(built.callers.issuers(), &mut report).await?;
            backstage::tell(&config, &built, &mut report).await?;
            rules(&built, &mut report)?;
            event_mesh::tell(&config, &built, &mut report)?;
            entities::tell(&built, &mut report).await?;
            clusters(&config, &built, &mut report).await?;
            environment::tell(&config, &built, &mut report).await?;
        }
        report.verdict()
    }
}

/// What the file and the flags make, or `None` where they make nothing.
fn configuration(
    global: &Global,
    sample: Option<&Sample>,
    report: &mut Report,
) -> Result<Option<(Config, Built)>, Failure> {
    let from = global.file().map_or("none; the defaults hold".to_owned(), |file| file.display().to_string());
    let config = match (global.config(), sample) {
        (Ok(config), Some(sample)) => {
            global.before_sample(&config)?;
            config.over_sample(sample)
        }
        (Ok(config), None) => config,
        (Err(wrong), _) => {
            report.fail(
                &format!("configuration: {wrong}"),
                "`platform-mcp check --schema` prints what may stand in it",
            )?;
            return Ok(None);
        }
    };
    match config.build() {
        Ok(built) => {
            report.ok(&format!("configuration: {from}"))?;
            Ok(Some((config, built)))
        }
        Err(wrong) => {
            report.fail(&format!("configuration: {wrong}"), "nothing is served until then")?;
            Ok(None)
        }
    }
}

fn caller(config: &Config, built: &Built, report: &mut Report) -> Result<(), Failure> {
    let toolbox = &built.toolbox;
    if let Some(caller) = built.callers.local() {
        local(config, toolbox, caller, report)?;
    }
    let audit = match &config.audit.to {
        None | Some(AuditTo::Stderr) => "standard error".to_owned(),
        Some(AuditTo::Off) => "off".to_owned(),
        Some(AuditTo::File(path)) => path.display().to_string(),
    };
    report.ok(&format!("audit log: {audit}"))?;
    if let Some(exposed) = config.metrics.exposed() {
        report.warn(&exposed, "let only the scraper reach it (a network policy), or listen on loopback")?;
    }
    let seal = if config.seal_key.is_some() {
        "as configured"
    } else {
        "random; cursors end with the process (set sealKey where replicas share them)"
    };
    report.ok(&format!("seal key: {seal}"))
}

fn local(config: &Config, toolbox: &Toolbox, caller: &Caller, report: &mut Report) -> Result<(), Failure> {
    let within = if config.local.within.is_everywhere() { "everywhere" } else { "within its scope" };
    let said = format!(
        "local user: role {}, {} permissions {within}, sees {} of {} tools",
        config.local.roles().join(", "),
        caller.permissions().somewhere().iter().count(),
        visible(toolbox, caller),
        toolbox.entries().len(),
    );
    if visible(toolbox, caller) == 0 {
        report.warn(&said, "give `local.role` a role that allows something")?;
    } else {
        report.ok(&said)?;
    }
    Ok(())
}

fn visible(toolbox: &Toolbox, caller: &Caller) -> usize {
    toolbox.list(caller).count()
}

/// Rules that are narrowed to clusters that nobody knows: one that denies would deny nothing.
fn rules(built: &Built, report: &mut Report) -> Result<(), Failure> {
    let known: Vec<String> = built.toolbox.clusters().iter().flat_map(|cluster| cluster.names()).collect();
    for issuer in built.callers.issuers().settings() {
        let patterns = built.callers.policy(&issuer.issuer).into_iter().flat_map(Policy::cluster_patterns);
        for (rule, pattern) in patterns {
            if !known.iter().any(|name| matches(pattern, name)) {
                report.warn(
                    &format!("{}, {rule}: within.clusters: no cluster is called {pattern:?}", issuer.issuer),
                    "look for a typing mistake; where it is meant for later, the rule does nothing yet",
                )?;
            }
        }
    }
    Ok(())
}

async fn clusters(config: &Config, built: &Built, report: &mut Report) -> Result<(), Failure> {
    let clusters = built.toolbox.clusters();
    if clusters.iter().next().is_none() {
        return report.warn(
            "clusters: none found",
            "set KUBECONFIG, give --kubeconfig, or add `clusters` to the configuration",
        );
    }
    identity::tell(config, &clusters, report)?;
    let needed = identity::needed(config);
    let reaching = clusters.iter().map(|cluster| cluster::reach(cluster, identity::mode(config, cluster)));
    let reached: Vec<_> = stream::iter(reaching).buffered(PARALLEL).collect().await;
    for (cluster, finding) in clusters.iter().zip(reached) {
        let default = if clusters.is_default(cluster) { " (default)" } else { "" };
        finding.tell(&format!("cluster {}{default}", clusters.shown_name(cluster)), &needed, report)?;
    }
    let several = clusters.iter().nth(1).is_some();
    if several && !clusters.iter().any(|cluster| clusters.is_default(cluster)) {
        report.warn(
            "clusters: several, and none is the default, so every call must name one",
            "set `clusters.default`, or the kubeconfig's current-context",
        )?;
    }
    Ok(())
}
