//! `kro_names`: the names that complete what somebody types. No tool of a model: doors call it for a
//! person who fills in a form, through the same gate.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{open, reach};
use crate::{
    Error,
    answer::Answer,
    kro::{applyset::GroupKind, definition::instance_kind, fetch::Reader},
    kubernetes::{Kind, Object, Selector},
    nearest,
    permission::{Permission, Requirement},
    toolbox::{Call, Reach, Tool, resources::NO_NAMESPACE},
};

/// As many as MCP takes.
const MOST: usize = 100;

/// What is in a contract file of a tool.
pub const CONTRACT: &str = "---\n\
    title: Names of KRO objects\n\
    permission: { any: [kro.instances.list, kro.rgds.list] }\n\
    effect: read\n\
    idempotent: true\n\
    open_world: true\n\
    budget: { rows: 100, bytes: 40000 }\n\
    sensitive: none\n\
    ---\n\
    Names that complete what is typed.\n";

/// The handler.
#[derive(Debug)]
pub struct ListNames;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    cluster: Option<String>,
    of: Of,
    /// The namespace of the instances; `-` for those in none.
    namespace: Option<String>,
    /// The kind of the instances.
    kind: Option<String>,
    /// What was typed.
    like: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Of {
    Rgds,
    Namespaces,
    Kinds,
    Names,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The best, best first.
    values: Vec<String>,
    /// How many there are.
    total: usize,
}

impl Tool for ListNames {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref().filter(|written| *written != NO_NAMESPACE))
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = open(&call).await?;
        if input.of == Of::Rgds {
            call.require(Permission::KroRgdsList, reader.access(), None)?;
        }
        let rgds = reader.all_rgds().await?;
        let kinds: Vec<GroupKind> = rgds.iter().map(instance_kind).collect();
        let known: BTreeSet<String> = match input.of {
            Of::Rgds => rgds.iter().map(|rgd| rgd.name().to_owned()).collect(),
            Of::Kinds if reader.names_rgds() && input.namespace.is_none() => short(&kinds, &kinds),
            _ => {
                let listed = Requirement::one(Permission::KroInstancesList);
                let reader = {
                    let narrowed = call.narrowed(reader.access(), listed);
                    reader.over(narrowed)
                };
                let instances = instances(&reader, &kinds, &input).await;
                match input.of {
                    Of::Namespaces => instances.iter().map(place).collect(),
                    Of::Kinds => short(&instances.iter().map(GroupKind::of).collect::<Vec<_>>(), &kinds),
                    Of::Rgds | Of::Names => {
                        instances.iter().map(|instance| instance.name().to_owned()).collect()
                    }
                }
            }
        };
        let like = input.like.as_deref().unwrap_or_default();
        let (values, total) = nearest::completions(like, known.iter().map(String::as_str), MOST);
        Ok(Answer::new(format!("{total} names"), values.join("\n"), Output { values, total }))
    }
}

/// What of the instances can be read: what cannot completes nothing.
async fn instances(reader: &Reader, kinds: &[GroupKind], input: &Input) -> Vec<Object> {
    let asked = kinds.iter().filter(|kind| input.kind.as_ref().is_none_or(|written| is(kind, written)));
    let nowhere = input.namespace.as_deref() == Some(NO_NAMESPACE);
    let namespace = input.namespace.as_deref().filter(|_| !nowhere);
    let fits = |kind: &Kind| match &input.namespace {
        None => true,
        Some(_) => kind.namespaced != nowhere,
    };
    let lists = asked.map(|kind| async move {
        let kind = reader.kind(kind).await.filter(fits)?;
        let listed = reader.access().list(&kind, namespace, &Selector::all()).await;
        listed.ok().map(|listed| listed.items)
    });
    join_all(lists).await.into_iter().flatten().flatten().collect()
}

/// `Kind`, `kind` or `Kind.group`.
fn is(kind: &GroupKind, written: &str) -> bool {
    kind.kind.eq_ignore_ascii_case(written) || kind.to_string().eq_ignore_ascii_case(written)
}

/// Kinds as they are written: with their group where there are several of the name.
fn short(kinds: &[GroupKind], all: &[GroupKind]) -> BTreeSet<String> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for kind in all {
        groups.entry(&kind.kind).or_default().insert(&kind.group);
    }
    let several = |kind: &GroupKind| groups.get(kind.kind.as_str()).is_some_and(|groups| groups.len() > 1);
    kinds.iter().map(|kind| if several(kind) { kind.to_string() } else { kind.kind.clone() }).collect()
}

fn place(instance: &Object) -> String {
    instance.namespace().unwrap_or(NO_NAMESPACE).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_its_group_where_it_needs_one() {
        let kinds = [("a.example", "Shop"), ("b.example", "Shop"), ("a.example", "Team")]
            .map(|(group, kind)| GroupKind::new(group, kind));
        let written = short(&kinds, &kinds);
        assert_eq!(written.iter().collect::<Vec<_>>(), ["Shop.a.example", "Shop.b.example", "Team"]);
        assert!(is(&kinds[0], "shop") && is(&kinds[0], "Shop.a.example") && !is(&kinds[0], "Shop.b.example"));
    }
}
