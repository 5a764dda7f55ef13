//! A row of the list, and the line above all of them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    answer::Row,
    kro::{
        inventory::{Rgd, age::age},
        state::State,
    },
};

/// One RGD.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RgdRow {
    pub(super) name: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it generates, as Kind.group.
    pub(super) kind: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cluster_scoped: bool,
    nodes: usize,
    /// The newest that was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    /// That you may see; absent where they could not be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instances: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    age: String,
}

impl RgdRow {
    pub(super) fn of(rgd: &Rgd, now: Timestamp) -> Self {
        Self {
            name: rgd.name.clone(),
            state: rgd.state,
            reason: rgd.problem.clone(),
            kind: rgd.kind.to_string(),
            cluster_scoped: rgd.cluster_scoped,
            nodes: rgd.nodes,
            revision: rgd.revision,
            // as wide as it will be at most: it is counted when the page is known
            instances: Some(99_999),
            age: age(rgd.created, now),
        }
    }
}

impl Row for RgdRow {
    const COLUMNS: &'static [&'static str] =
        &["state", "name", "kind", "nodes", "revision", "instances", "reason", "age"];

    fn cells(&self) -> Vec<String> {
        let number = |number: Option<String>| number.unwrap_or_default();
        let scope = if self.cluster_scoped { " (cluster-scoped)" } else { "" };
        vec![
            self.state.to_string(),
            self.name.clone(),
            format!("{}{scope}", self.kind),
            self.nodes.to_string(),
            number(self.revision.map(|number| number.to_string())),
            number(self.instances.map(|number| number.to_string())),
            self.reason.clone().unwrap_or_default(),
            self.age.clone(),
        ]
    }

    fn key(&self) -> String {
        format!("{} {:02} {}", u8::from(!self.state.is_abnormal()), self.state as u8, self.name)
    }
}

/// `all`: how many there are, whatever was asked for.
pub(super) fn summary(rows: &[RgdRow], all: usize) -> String {
    let plural = |count: usize| format!("{count} RGD{}", if count == 1 { "" } else { "s" });
    let mut line = match rows.len() {
        0 if all == 0 => return "no RGDs".to_owned(),
        0 => return format!("none of {} fits", plural(all)),
        count if count == all => plural(all),
        count => format!("{count} of {}", plural(all)),
    };
    let mut states: Vec<State> = rows.iter().map(|row| row.state).collect();
    states.sort_unstable();
    states.dedup();
    let counted = |state: &State| {
        let count = rows.iter().filter(|row| row.state == *state).count();
        format!("{count} {state}")
    };
    let counts: Vec<String> = states.iter().map(counted).collect();
    line.push_str(&format!(": {}", counts.join(", ")));
    line
}
