//! `completion/complete`: what a segment of a resource's URI, or an argument of a prompt, may be, from what
//! the caller may see.

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
    service::RequestContext,
};
use serde_json::{Map, Value};

use super::{Mcp, asked::Asked};
use crate::{
    nearest,
    permission::{Permission, Requirement},
};

/// How long somebody who types waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is to be completed.
#[derive(Clone, Debug)]
enum Blank {
    /// A cluster in which the caller has this.
    Cluster(Requirement),
    /// A Palette environment of which the caller may see something with this.
    Environment(Requirement),
    /// In the words of [`Names::tool`].
    Names(Names),
}

/// What an unlisted tool knows the names of.
#[derive(Clone, Copy, Debug)]
struct Names {
    tool: &'static str,
    of: &'static str,
    needs: Permission,
    /// What is filled in already and narrows it.
    narrowed_by: &'static [&'static str],
}

impl Mcp {
    pub(super) async fn completion(
        &self,
        params: CompleteRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let asked = self.known(context).await?;
        let Some(blank) = asked.blank(&params.r#ref, &params.argument.name) else {
            // as for what there is not
            return Ok(CompleteResult::default());
        };
        let typed = params.argument.value.as_str();
        let (values, total) = match blank {
            Blank::Cluster(needs) => {
                let names = asked.served.toolbox.cluster_names(&asked.caller, &needs);
                nearest::completions(typed, names.iter().map(String::as_str), CompletionInfo::MAX_VALUES)
            }
            Blank::Environment(needs) => {
                let names = asked.served.toolbox.environment_names(&asked.caller, &needs);
                nearest::completions(typed, names, CompletionInfo::MAX_VALUES)
            }
            Blank::Names(names) => {
                let filled = params.context.and_then(|context| context.arguments).unwrap_or_default();
                let mut arguments = Map::new();
                for name in names.narrowed_by {
                    let value = filled.get(*name).filter(|value| !value.is_empty());
                    arguments.extend(value.map(|value| ((*name).to_owned(), value.as_str().into())));
                }
                asked.names(names, typed, arguments).await
            }
        };
        let more = total > values.len();
        let total = u32::try_from(total).ok();
        let completion = CompletionInfo::with_pagination(values, total, more);
        Ok(completion.map_or_else(|_| CompleteResult::default(), CompleteResult::new))
    }
}

impl Asked<'_> {
    fn blank(&self, of: &Reference, argument: &str) -> Option<Blank> {
        match of {
            Reference::Resource(of) => {
                let template = self.templates().find(|template| template.uri == of.uri)?;
                if !template.variables().any(|variable| variable == argument) {
                    return None;
                }
                let rgd = argument == "name" && !template.variables().any(|variable| variable == "kind");
                let named = if rgd { "rgd" } else { argument };
                blank(named, &Requirement::Any(template.needs.into()))
            }
            Reference::Prompt(of) => {
                let mut offered = self.served.toolbox.prompts(&self.caller);
                let prompt = offered.find(|prompt| prompt.name == of.name)?;
                prompt.front.arguments.iter().find(|known| known.name == argument)?;
                // of KRO and Palette it is known what there is
                let any_object = prompt.needs().permissions().contains(&Permission::KubernetesResourcesRead);
                blank(argument, prompt.needs()).filter(|_| argument == "cluster" || !any_object)
            }
            _ => None,
        }
    }

    /// What cannot be read, or not in time, completes nothing; the audit log says why.
    async fn names(
        &self,
        names: Names,
        typed: &str,
        mut arguments: Map<String, Value>,
    ) -> (Vec<String>, usize) {
        if !self.caller.permissions().shows(&Requirement::one(names.needs)) {
            return Default::default();
        }
        arguments.insert("of".to_owned(), names.of.into());
        if !typed.trim().is_empty() {
            arguments.insert("like".to_owned(), typed.into());
        }
        let mut request = self.request(names.tool, arguments);
        request.patience = Some(PATIENCE);
        let Ok(finished) = self.served.toolbox.ask(request).await else { return Default::default() };
        let values = finished.structure.get("values").and_then(Value::as_array);
        let values = values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let total = finished.structure.get("total").and_then(Value::as_u64).unwrap_or_default();
        (values.collect(), usize::try_from(total).unwrap_or(usize::MAX))
    }
}

/// What an argument of that name is, wherever it stands for what these permissions show.
fn blank(argument: &str, needs: &Requirement) -> Option<Blank> {
    let palette = needs.permissions().iter().any(|one| one.name().starts_with("spectrocloud."));
    if palette { in_palette(argument, needs) } else { in_cluster(argument, needs) }
}

fn in_cluster(argument: &str, needs: &Requirement) -> Option<Blank> {
    let names = |of, needs| {
        let narrowed_by = &["cluster", "namespace", "kind"];
        Some(Blank::Names(Names { tool: "kro_names", of, needs, narrowed_by }))
    };
    match argument {
        "cluster" => Some(Blank::Cluster(needs.clone())),
        "rgd" => names("rgds", Permission::KroRgdsList),
        "namespace" => names("namespaces", Permission::KroInstancesList),
        "kind" => names("kinds", Permission::KroInstancesList),
        "name" => names("names", Permission::KroInstancesList),
        _ => None,
    }
}

fn in_palette(argument: &str, needs: &Requirement) -> Option<Blank> {
    let names = |of, needs| {
        let narrowed_by = &["environment", "project"];
        Some(Blank::Names(Names { tool: "palette_names", of, needs, narrowed_by }))
    };
    match argument {
        "environment" => Some(Blank::Environment(needs.clone())),
        "project" => names("projects", Permission::SpectrocloudClusterViewInfo),
        "cluster" => names("clusters", Permission::SpectrocloudClusterViewInfo),
        "profile" => names("profiles", Permission::SpectrocloudProfileViewInfo),
        "uid" => names("uids", Permission::SpectrocloudClusterViewInfo),
        _ => None,
    }
}
