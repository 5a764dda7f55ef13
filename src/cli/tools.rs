//! `tools`: the contract.

mod json;
mod markdown;

use std::sync::Arc;

use clap::Args;

use super::{Failure, Global, out, setup};
use crate::{config::Built, toolbox::Entry};

/// Show the tools: what each needs, takes and answers.
#[derive(Debug, Args)]
#[command(after_help = "With --role NAME: only what exists for a local user with that role.")]
pub(super) struct Tools {
    /// The whole contract as JSON: descriptions, schemas, permissions and hints.
    #[arg(long)]
    json: bool,
    /// The Markdown tables of tools and permissions, as in the README.
    #[arg(long, conflicts_with = "json")]
    readme: bool,
}

impl Tools {
    pub(super) fn run(&self, global: &Global) -> Result<(), Failure> {
        let built = global.config()?.for_one_shot().without_clusters().for_contract().build()?;
        let Built { toolbox, .. } = &built;
        let entries: Vec<Arc<Entry>> = match global.role {
            Some(_) => toolbox.list(setup::local(&built.callers)?.as_ref()).cloned().collect(),
            None => toolbox.entries().to_vec(),
        };
        if self.json {
            let tools: Vec<_> = entries.iter().map(|entry| json::tool(entry)).collect();
            return Ok(out::json(&tools)?);
        }
        Ok(out::text(&if self.readme { markdown::tables(&entries)? } else { table(&entries) })?)
    }
}

fn table(entries: &[Arc<Entry>]) -> String {
    let rows: Vec<[String; 4]> = entries
        .iter()
        .map(|entry| {
            let front = &entry.contract.front;
            [
                entry.contract.name.clone(),
                front.effect.name().to_owned(),
                front.permission.to_string(),
                front.title.clone(),
            ]
        })
        .collect();
    out::columns(&["TOOL", "EFFECT", "PERMISSION", "TITLE"], &rows)
}
