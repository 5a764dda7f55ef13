//! [`Question`]: the requests of one listing in one scope, and the rows they bring.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Detail, row::ClusterRow};
use crate::palette::{
    access::Access,
    api::{
        cluster::{ClustersMeta, MetadataSearch},
        search::ClusterSearch,
    },
    ask::Ask,
    fault::Fault,
    place::Place,
};

/// The answers of a sweep are not kept one by one: the sweep is.
const SWEEP: Duration = Duration::ZERO;
/// How long an answer about one name is.
const NAMED: Duration = Duration::from_secs(15);

/// What a sweep asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// All clusters, or all virtual ones.
    All(Detail),
    /// Those of exactly this name, with everything.
    Named(String),
}

/// What came in one scope.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) rows: Vec<ClusterRow>,
    /// What they tell, which may be more than was asked for.
    pub(super) detail: Detail,
    /// What is missing, in words.
    pub(super) gaps: Vec<String>,
}

impl Question {
    /// Asks in the scope of `place`.
    pub(super) async fn listed(&self, access: &Access, place: &Place) -> Result<Listed, Fault> {
        match self {
            Self::All(Detail::Names) => names(access, place).await,
            Self::All(Detail::Health) => health(access, place).await,
            Self::All(Detail::Triage) => triage(access, place).await,
            Self::All(Detail::Virtual) => {
                search(access, place, equals("environment", "nested"), Detail::Virtual, SWEEP).await
            }
            Self::All(Detail::Full) => search(access, place, everything(), Detail::Full, SWEEP).await,
            Self::Named(name) => {
                search(access, place, equals("clusterName", name), Detail::Full, NAMED).await
            }
        }
    }
}

async fn names(access: &Access, place: &Place) -> Result<Listed, Fault> {
    let ask = Ask::get(&["dashboard", "spectroclusters", "meta"]).kept(SWEEP);
    let listed: ClustersMeta = access.ask(place, ask).await?;
    let environment = environment(access);
    let mut seen = HashSet::new();
    let rows = listed.items.into_iter().filter(|row| seen.insert(row.metadata.uid.clone()));
    let rows = rows.map(|row| ClusterRow::of_meta(&environment, row, place)).collect();
    Ok(Listed { rows, detail: Detail::Names, gaps: Vec::new() })
}

/// The contract has no paging for this listing: where Palette counts more than came, the large one is asked.
async fn health(access: &Access, place: &Place) -> Result<Listed, Fault> {
    let ask = Ask::search(&["dashboard", "spectroclusters", "metadata", "search"], everything());
    let listed = access.whole::<MetadataSearch>(place, ask.kept(SWEEP)).await?;
    if listed.is_short() {
        return search(access, place, everything(), Detail::Full, SWEEP).await;
    }
    let environment = environment(access);
    let rows = listed.rows.into_iter();
    let rows = rows.map(|row| ClusterRow::of_metadata_search(&environment, row, place)).collect();
    Ok(Listed { rows, detail: Detail::Health, gaps: Vec::new() })
}

async fn triage(access: &Access, place: &Place) -> Result<Listed, Fault> {
    let ask = Ask::get(&["dashboard", "spectroclusters", "repaveStatus"])
        .with("repaveState", "Pending")
        .kept(SWEEP);
    let repaves = access.pages::<ClusterSearch>(place, ask);
    let (listed, repaves) = tokio::join!(health(access, place), repaves);
    let mut listed = listed?;
    if listed.detail == Detail::Full {
        return Ok(listed);
    }
    listed.detail = Detail::Triage;
    let gap = match repaves {
        Ok(repaves) => {
            let pending: HashSet<String> = repaves.rows.into_iter().map(|row| row.metadata.uid).collect();
            for row in &mut listed.rows {
                row.repave = match pending.contains(&row.uid) {
                    true => Some("Pending".to_owned()),
                    // what did not come may be pending
                    false => repaves.gap.is_none().then(String::new),
                };
            }
            repaves.gap
        }
        Err(fault) => Some(fault.to_string()),
    };
    listed.gaps.extend(gap.map(|gap| format!("pending repaves: {gap}")));
    Ok(listed)
}

async fn search(
    access: &Access,
    place: &Place,
    body: Value,
    detail: Detail,
    kept: Duration,
) -> Result<Listed, Fault> {
    let ask = Ask::search(&["dashboard", "spectroclusters", "search"], body).kept(kept);
    let paged = access.pages::<ClusterSearch>(place, ask).await?;
    let (environment, now) = (environment(access), Timestamp::now());
    let rows = paged.rows.into_iter();
    let rows = rows.map(|row| ClusterRow::of_search(&environment, row, place, now)).collect();
    Ok(Listed { rows, detail, gaps: paged.gap.into_iter().collect() })
}

fn environment(access: &Access) -> Arc<str> {
    access.environment().name().into()
}

/// `V1SearchFilterSummarySpec` of everything.
fn everything() -> Value {
    json!({"filter": {}, "sort": []})
}

/// `V1SearchFilterSummarySpec` of what has exactly this value.
fn equals(property: &str, value: &str) -> Value {
    let matches = json!({"conjunction": "or", "values": [value]});
    let condition = json!({"string": {
        "operator": "eq", "negation": false, "match": matches, "ignoreCase": false,
    }});
    let filter = json!({"property": property, "type": "string", "condition": condition});
    let groups = json!([{"conjunction": "and", "filters": [filter]}]);
    json!({"filter": {"conjunction": "and", "filterGroups": groups}, "sort": []})
}
