//! `kro_instances`: the instances of every RGD of a cluster.

mod coverage;
mod read;
mod row;
mod trouble;

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{open, reach};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Rows},
    kro::{definition::instance_kind, fetch::Reader, nesting, state::State},
    kubernetes::Object,
    nearest,
    permission::{Extent, Permission},
    toolbox::{Call, Reach, Tool},
};

use coverage::{Coverage, Seen};
use read::{all_rgds, read};
use row::{InstanceRow, row, summary};
use trouble::{RgdTrouble, Troubles};

/// Namespaces that are named in place of one that has nothing.
const MOST_NAMESPACES: usize = 8;
const FILTERED: &str = "filtered to the namespaces that you may see";

/// The handler.
#[derive(Debug)]
pub struct ListInstances;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Only this kind.
    kind: Option<String>,
    /// Only of this RGD.
    rgd: Option<String>,
    namespace: Option<String>,
    state: Option<Standing>,
    /// Rows at most.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(rename = "limit")]
    _limit: Option<u32>,
    /// next_cursor of the page before.
    cursor: Option<String>,
}

// No comments on the variants: each would be a line in every tool list.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum Standing {
    Failing,
    Progressing,
    Deleting,
    Suspended,
    Ready,
}

impl Standing {
    fn state(self) -> State {
        match self {
            Self::Failing => State::Failing,
            Self::Progressing => State::Progressing,
            Self::Deleting => State::Deleting,
            Self::Suspended => State::Suspended,
            Self::Ready => State::Ready,
        }
    }
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    instances: Rows<InstanceRow>,
    /// RGDs that are not in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rgds: Vec<RgdTrouble>,
    /// Where the namespace asked for has nothing: the nearest that have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    namespaces: Vec<String>,
}

impl Tool for ListInstances {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let reader = open(&call).await?;
        // all kinds are read even where one is asked for: its health may lie in nested ones
        let rgds = all_rgds(&reader).await?;
        let chosen = chosen(&reader, &rgds.items, &input).await?;
        let read = read(&reader, &rgds.items, input.namespace.as_deref()).await;
        let now = Timestamp::now();
        let standings = nesting::standings(&read.items).into_iter();
        let mut rows: Vec<InstanceRow> = standings
            .zip(&read.items)
            .zip(&read.of)
            .filter(|(_, rgd)| chosen.contains(*rgd))
            .map(|((standing, instance), rgd)| row(rgd, instance, standing, now))
            .collect();
        let namespaces = match &input.namespace {
            Some(wanted) if rows.is_empty() => elsewhere(&reader, &rgds.items, &chosen, wanted).await,
            _ => Vec::new(),
        };
        // what failed is told; what the cluster forbids is not there for the caller
        let of_chosen = |rgd: &Object| chosen.contains(rgd.name());
        let unread = rgds.items.iter().zip(&read.seen).any(|(rgd, seen)| seen.may_hide() && of_chosen(rgd));
        let nothing = rows.is_empty() && namespaces.is_empty() && !unread;
        if input.is_narrowed() && nothing && !reader.names_rgds() {
            return Err(input.unseen());
        }
        rows.retain(|row| input.state.is_none_or(|wanted| row.state == wanted.state()));
        let troubles = match reader.names_rgds() {
            true => Troubles::of(rgds.items.iter().filter(|rgd| chosen.contains(rgd.name()))),
            false => Troubles::default(),
        };
        // said whether or not something is withheld: otherwise it would tell that something exists
        let cluster = Extent::Named(reader.access().cluster().names());
        let whole = call.caller().permissions().covers_cluster(Permission::KroInstancesList, &cluster);
        let filtered = (!whole && input.namespace.is_none()).then(|| FILTERED.to_owned());
        let unlisted = rgds.cut.map(|why| format!("ResourceGraphDefinitions: {why}"));
        let asked = rgds.items.iter().zip(&read.seen).filter(|(rgd, _)| chosen.contains(rgd.name()));
        let coverage =
            Coverage::of(asked.map(|(_, seen)| *seen), input.namespace.is_none(), unlisted.is_some());
        let all_read = unlisted.is_none() && read.seen.iter().all(|seen| *seen == Seen::Whole);
        let gaps = filtered.into_iter().chain(unlisted).chain(read.gaps);
        let summary = format!(
            "{}{}{}{}",
            summary(&rows, &coverage, all_read),
            nearest_words(&input, &namespaces),
            coverage.rest(!rows.is_empty()),
            troubles.count()
        );
        let narrow = "narrow it with kind, rgd, namespace or state";
        let (page, cut) = call.page(rows, input.cursor.as_deref(), narrow)?;
        let body = format!("{}{}", page.table.trim_end(), troubles.lines());
        let output = Output { instances: page.rows, rgds: troubles.rgds, namespaces };
        Ok(Answer::new(summary, body.trim_start_matches('\n'), output).gaps(gaps).cut(cut))
    }
}

/// The namespaces nearest to `wanted` in which the caller may see instances; what cannot be read
/// is nobody's candidate.
async fn elsewhere(reader: &Reader, rgds: &[Object], chosen: &BTreeSet<&str>, wanted: &str) -> Vec<String> {
    let read = read(reader, rgds, None).await;
    let of_chosen = read.items.iter().zip(&read.of).filter(|(_, rgd)| chosen.contains(*rgd));
    let known: BTreeSet<&str> = of_chosen
        .filter_map(|(instance, _)| instance.namespace())
        .filter(|namespace| *namespace != wanted)
        .collect();
    nearest::names(wanted, known, MOST_NAMESPACES)
}

fn nearest_words(input: &Input, namespaces: &[String]) -> String {
    match &input.namespace {
        Some(wanted) if !namespaces.is_empty() => format!(
            " in namespace {:?}; nearest namespaces that have some: {}",
            crate::answer::sanitise::short(wanted, 80),
            namespaces.join(", ")
        ),
        _ => String::new(),
    }
}

/// The names of the RGDs asked for.
async fn chosen<'r>(reader: &Reader, rgds: &'r [Object], input: &Input) -> Result<BTreeSet<&'r str>, Error> {
    let near = |wanted: &str, known: Vec<String>| nearest::names(wanted, known.iter().map(String::as_str), 8);
    let names = reader.names_rgds();
    let mut chosen: Vec<&Object> = rgds.iter().collect();
    if let Some(wanted) = &input.rgd {
        chosen.retain(|rgd| rgd.name() == wanted);
        if chosen.is_empty() && names {
            let known = rgds.iter().map(|rgd| rgd.name().to_owned()).collect();
            return Err(Error::not_found(format!("the argument \"rgd\": there is no RGD {wanted:?}"))
                .candidates(near(wanted, known)));
        }
    }
    if let Some(written) = &input.kind {
        let kinds = match reader.named_kind(written).await {
            Ok(kind) => vec![kind.group_kind()],
            // the groups may be of RGDs that they do not see
            Err(error) if !names && error.kind == ErrorKind::Conflict => error.candidates,
            Err(error) if !names && error.kind == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        chosen.retain(|rgd| kinds.contains(&instance_kind(rgd).to_string()));
        if chosen.is_empty() && names {
            let message = format!("the argument \"kind\": no RGD generates {}", kinds.join(", "));
            let known = rgds.iter().map(|rgd| instance_kind(rgd).to_string()).collect();
            return Err(Error::invalid_input(message).candidates(near(written, known)));
        }
    }
    if chosen.is_empty() && input.is_narrowed() {
        return Err(input.unseen());
    }
    Ok(chosen.into_iter().map(Object::name).collect())
}

impl Input {
    fn is_narrowed(&self) -> bool {
        self.rgd.is_some() || self.kind.is_some()
    }

    /// For callers who may not list RGDs: the same words where there is no such RGD or kind and where they
    /// may see none of its instances.
    fn unseen(&self) -> Error {
        let asked: Vec<(&str, &str, &String)> = [("rgd", "RGD", &self.rgd), ("kind", "kind", &self.kind)]
            .into_iter()
            .filter_map(|(argument, what, written)| Some((argument, what, written.as_ref()?)))
            .collect();
        let of = |(_, what, written): &(&str, &str, &String)| {
            format!("{what} {:?}", crate::answer::sanitise::short(written, 80))
        };
        let what = asked.iter().map(of).collect::<Vec<_>>().join(" and ");
        let arguments = asked.iter().map(|(argument, ..)| *argument).collect::<Vec<_>>().join(" and ");
        let (place, name) = match self.namespace {
            Some(_) => ("in a namespace ", ""),
            None => ("", "name a namespace, or "),
        };
        Error::not_found(format!(
            "the argument {arguments}: there is no instance of {what} {place}that you may see"
        ))
        .next(format!("{name}call again without {arguments} to list all that you may see"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_told_by_its_own_name_alone() {
        let input: Input = serde_json::from_str(r#"{"rgd": "a", "kind": "B"}"#).expect("arguments");
        assert_eq!(
            input.unseen().text(),
            "the argument rgd and kind: there is no instance of RGD \"a\" and kind \"B\" that you may see. \
             Next: name a namespace, or call again without rgd and kind to list all that you may see."
        );
    }
}
