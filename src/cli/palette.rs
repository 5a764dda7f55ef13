//! `palette`: the service account of this server in clusters of Palette.

use std::io::{self, IsTerminal as _, Write as _};

use clap::{Args, Subcommand};
use futures::{StreamExt as _, stream};

use super::{Failure, Global, out};
use crate::{
    config::Built,
    nearest,
    palette::provider::{Aim, Target},
    permission::scope::matches,
};

/// Clusters that are asked at once.
const PARALLEL: usize = 16;
/// Names that an error suggests.
const NEAREST: usize = 3;

/// Give this server its service account in clusters of Palette, or take it away.
#[derive(Debug, Args)]
pub(super) struct Palette {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the namespace, the service account, its cluster role and its binding, as clusterProvider.rbac says.
    Onboard(Which),
    /// Take away what onboarding has made.
    Offboard(Which),
}

#[derive(Debug, Args)]
#[command(after_help = "The plan is shown first. Without a terminal, nothing is done unless --yes is given.")]
struct Which {
    /// A cluster by environment/project/name, or by name; * stands for any characters. Can be repeated.
    #[arg(long, required = true, value_name = "NAME")]
    cluster: Vec<String>,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl Palette {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let (aim, which) = match self.command {
            Command::Onboard(which) => (Aim::Onboard, which),
            Command::Offboard(which) => (Aim::Offboard, which),
        };
        let config = global.config()?.for_one_shot().without_clusters();
        let Built { toolbox, .. } = config.build()?;
        let mut known = Vec::new();
        for provider in config.spectrocloud.providers(toolbox.environments()) {
            let provider = if aim == Aim::Offboard { provider.unfiltered() } else { provider };
            match provider.targets().await {
                Ok(targets) => known.extend(targets),
                Err(why) => out::error_line(&format!("warning: {}: {why}", provider.environment())),
            }
        }
        let targets = meant(&known, &which.cluster, aim)?;
        let (planned, mut failed) = planned(&targets, aim).await;
        show(&planned)?;
        let open: Vec<(&Target, Vec<String>)> =
            planned.into_iter().filter(|(_, lines)| has_work(lines)).collect();
        if open.is_empty() {
            return verdict(failed, "nothing is to be done");
        }
        if !which.yes && !agreed(open.len())? {
            return Err(Failure::failed("nothing was done: agree to it, or give --yes"));
        }
        let doing = open
            .into_iter()
            .map(|(target, lines)| async move { (target, target.carry_out(aim, &lines).await) });
        let done: Vec<_> = stream::iter(doing).buffered(PARALLEL).collect().await;
        let mut said = String::new();
        for (target, outcome) in done {
            match outcome {
                Ok(()) if aim == Aim::Onboard => said.push_str(&format!("{}: onboarded\n", target.name)),
                Ok(()) => said.push_str(&format!("{}: offboarded\n", target.name)),
                Err(fault) => {
                    failed += 1;
                    out::error_line(&format!("{}: {fault}", target.name));
                }
            }
        }
        verdict(failed, &said)
    }
}

/// The clusters that are named.
fn meant<'t>(known: &'t [Target], names: &[String], aim: Aim) -> Result<Vec<&'t Target>, Failure> {
    let mut meant: Vec<&Target> = Vec::new();
    for name in names {
        let full: Vec<&Target> = known.iter().filter(|target| matches(name, &target.name)).collect();
        let short = || known.iter().filter(|target| target.short == *name).collect();
        let found: Vec<&Target> = if full.is_empty() { short() } else { full };
        let is_pattern = name.contains('*');
        match found.as_slice() {
            [] => {
                let all = known.iter().flat_map(|target| [target.name.as_str(), target.short.as_str()]);
                let near = nearest::names(name, all, NEAREST).join(", ");
                let near = if near.is_empty() { near } else { format!("; did you mean {near}?") };
                return Err(Failure::usage(format!(
                    "no cluster {name:?} is found in an environment with a clusterProvider{near}"
                )));
            }
            [first, _, ..] if !is_pattern && first.name != *name => {
                let all: Vec<&str> = found.iter().map(|target| target.name.as_str()).collect();
                return Err(Failure::usage(format!(
                    "several clusters are called {name:?}: {}",
                    all.join(", ")
                )));
            }
            _ => {}
        }
        for target in found {
            // who reaches a cluster otherwise by now may still have to be rid of it
            if !target.uses_account && aim == Aim::Onboard {
                if is_pattern {
                    continue;
                }
                return Err(Failure::usage(format!(
                    "{} is reached with callers' own tokens (authType: oidc), which needs no service account",
                    target.name
                )));
            }
            if meant.iter().all(|other| other.name != target.name) {
                meant.push(target);
            }
        }
    }
    Ok(meant)
}

async fn planned<'t>(targets: &[&'t Target], aim: Aim) -> (Vec<(&'t Target, Vec<String>)>, usize) {
    let planning = targets.iter().map(|target| async move { (*target, target.plan(aim).await) });
    let plans: Vec<_> = stream::iter(planning).buffered(PARALLEL).collect().await;
    let (mut planned, mut failed) = (Vec::new(), 0);
    for (target, plan) in plans {
        match plan {
            Ok(lines) => planned.push((target, lines)),
            Err(fault) => {
                failed += 1;
                out::error_line(&format!("{}: {fault}", target.name));
            }
        }
    }
    (planned, failed)
}

fn show(planned: &[(&Target, Vec<String>)]) -> Result<(), Failure> {
    let mut text = String::new();
    for (target, lines) in planned {
        text.push_str(&format!("{}\n", target.name));
        match lines.as_slice() {
            [] => text.push_str("  nothing is there\n"),
            lines => lines.iter().for_each(|line| text.push_str(&format!("  {line}\n"))),
        }
    }
    Ok(out::text(&text)?)
}

fn has_work(lines: &[String]) -> bool {
    lines.iter().any(|line| !line.starts_with("keep ") && !line.starts_with("leave "))
}

fn agreed(clusters: usize) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let what = if clusters == 1 { "1 cluster".to_owned() } else { format!("{clusters} clusters") };
    write!(io::stderr(), "Do this in {what}? Write yes: ")?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

fn verdict(failed: usize, said: &str) -> Result<(), Failure> {
    if !said.is_empty() {
        out::text(said)?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::failed("1 cluster failed")),
        many => Err(Failure::failed(format!("{many} clusters failed"))),
    }
}
