//! `kro_instances`: the instances of every RGD of a cluster, or of all clusters.

pub(super) mod asked;
pub(super) mod found;
pub(super) mod row;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{across::across, reach_all};
use crate::{
    Error,
    answer::{Answer, Cut, Page, Rows},
    kro::{
        inventory::{Coverage, RgdTrouble, Troubles},
        state::State,
    },
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

use asked::Asked;
use found::{Found, find};
use row::{InstanceRow, Placed, summary};

pub(super) const FILTERED: &str = "filtered to the namespaces that you may see";
const NARROW: &str = "narrow it with kind, rgd, namespace, state, labels, older or newer";

/// The handler.
#[derive(Debug)]
pub struct ListInstances;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name, or * for all.
    cluster: Option<String>,
    /// Only this kind.
    kind: Option<String>,
    /// Only of this RGD.
    rgd: Option<String>,
    namespace: Option<String>,
    state: Option<Standing>,
    /// Label selector.
    labels: Option<String>,
    /// Than this: 30m, 2h, 3d.
    older: Option<String>,
    newer: Option<String>,
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
        reach_all(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let asked = Asked::read(&input)?;
        let now = Timestamp::now();
        let across =
            across(&call, |access| find(&call, access, &asked, Permission::KroInstancesList, now)).await?;
        let several = call.clusters().len() > 1;
        let all_asked = across.gaps.is_empty();
        let mut all = Found::default();
        let (mut troubles, mut gaps) = (Troubles::default(), across.gaps);
        for (cluster, mut found) in across.found {
            let named = several.then_some(cluster.as_str());
            found.place(named, &mut gaps);
            troubles.add(named, &std::mem::take(&mut found.rgds));
            all.add(found);
        }
        // said whether or not something is withheld: otherwise it would tell that something exists
        if all.is_filtered && input.namespace.is_none() {
            gaps.insert(0, FILTERED.to_owned());
        }
        let coverage = Coverage::of(all.seen, input.namespace.is_none(), all.is_cut);
        all.rows.retain(|row| input.state.is_none_or(|wanted| row.state == wanted.state()));
        let summary = format!(
            "{}{}{}{}{}",
            summary(&all.rows, all.all, &coverage, all.is_whole && all_asked),
            nearest_words(&input, &all.namespaces),
            coverage.rest(!all.rows.is_empty()),
            troubles.count(),
            if several { format!("; {} clusters", call.clusters().len()) } else { String::new() },
        );
        let (rows, table, cut) = page(&call, all.rows, several, input.cursor.as_deref())?;
        let body = format!("{}{}", table.trim_end(), troubles.lines());
        let output = Output { instances: rows, rgds: troubles.rgds, namespaces: all.namespaces };
        Ok(Answer::new(summary, body.trim_start_matches('\n'), output).gaps(gaps).cut(cut))
    }
}

type Paged = (Rows<InstanceRow>, String, Option<Cut>);

/// The page asked for, with a column more where there are several clusters.
fn page(call: &Call, rows: Vec<InstanceRow>, several: bool, cursor: Option<&str>) -> Result<Paged, Error> {
    if !several {
        let (Page { rows, table, .. }, cut) = call.page(rows, cursor, NARROW)?;
        return Ok((rows, table, cut));
    }
    let placed = rows.into_iter().map(Placed).collect();
    let (Page { rows, table, .. }, cut) = call.page(placed, cursor, NARROW)?;
    let rows = Rows { total: rows.total, rows: rows.rows.into_iter().map(|placed| placed.0).collect() };
    Ok((rows, table, cut))
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
