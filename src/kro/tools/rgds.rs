//! `kro_rgds`: the ResourceGraphDefinitions of a cluster.

mod count;
mod row;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{open, reach};
use crate::{
    Error,
    answer::{Answer, Row as _, Rows, Table},
    kro::{inventory::Rgd, state::State},
    kubernetes::Selector,
    toolbox::{Call, Reach, Tool},
};

use count::Counts;
use row::RgdRow;

/// The handler.
#[derive(Debug)]
pub struct ListRgds;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    state: Option<Standing>,
    /// Part of a name or kind.
    search: Option<String>,
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
    Ready,
}

impl Standing {
    fn state(self) -> State {
        match self {
            Self::Failing => State::Failing,
            Self::Progressing => State::Progressing,
            Self::Deleting => State::Deleting,
            Self::Ready => State::Ready,
        }
    }
}

impl Tool for ListRgds {
    type Input = Input;
    type Output = Rows<RgdRow>;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), None)
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let reader = open(&call).await?;
        let kind = reader.rgd_kind().await.ok_or_else(|| {
            Error::not_found("this cluster has no kro: it serves no ResourceGraphDefinition")
                .next("kubernetes_clusters lists the others")
        })?;
        let listed = reader.access().list_as(&kind, None, &Selector::all(), |rgd| Rgd::read(&rgd)).await?;
        let mut gaps: Vec<String> =
            listed.cut.map(|why| format!("ResourceGraphDefinitions: {why}")).into_iter().collect();
        let (counts, now) = (Counts::of(&listed.items), Timestamp::now());
        let wanted = input.search.as_deref().unwrap_or_default().trim().to_lowercase();
        let is_asked = |rgd: &&Rgd| {
            let named = rgd.name.to_lowercase().contains(&wanted)
                || rgd.kind.to_string().to_lowercase().contains(&wanted);
            named && input.state.is_none_or(|state| rgd.state == state.state())
        };
        let rows: Vec<RgdRow> =
            listed.items.iter().filter(is_asked).map(|rgd| RgdRow::of(rgd, now)).collect();
        let all = listed.items.len();
        let summary = row::summary(&rows, all);
        let (mut page, cut) = call.page(rows, input.cursor.as_deref(), "narrow it with state or search")?;
        // of the rows shown alone: each is a request
        gaps.extend(counts.fill(&call, &reader, &mut page.rows.rows).await);
        let mut table = Table::new(RgdRow::COLUMNS);
        page.rows.rows.iter().for_each(|row| table.row(row.cells()));
        let body = if page.rows.rows.is_empty() { String::new() } else { table.into_text() };
        Ok(Answer::new(summary, body, page.rows).gaps(gaps).cut(cut))
    }
}
