//! A row of the list, and the line above all of them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    answer::Row,
    kro::{
        inventory::{Coverage, Instance, age::age},
        state::State,
    },
};

/// One instance.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::kro::tools) struct InstanceRow {
    /// Where several were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::kro::tools) cluster: Option<String>,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// By kro's conditions and the nested instances; kro_graph looks at the children.
    pub(in crate::kro::tools) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    rgd: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    age: String,
}

impl InstanceRow {
    pub(in crate::kro::tools) fn of(instance: Instance, now: Timestamp) -> Self {
        Self {
            cluster: None,
            kind: instance.kind,
            namespace: instance.namespace,
            name: instance.name,
            state: instance.state,
            reason: instance.reason,
            rgd: instance.rgd.unwrap_or_default(),
            age: age(instance.created, now),
        }
    }
}

impl Row for InstanceRow {
    const COLUMNS: &'static [&'static str] = &["state", "kind", "namespace", "name", "reason", "rgd", "age"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.state.to_string(),
            self.kind.clone(),
            self.namespace.clone().unwrap_or_default(),
            self.name.clone(),
            self.reason.clone().unwrap_or_default(),
            self.rgd.clone(),
            self.age.clone(),
        ]
    }

    fn key(&self) -> String {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        let order = u8::from(!self.state.is_abnormal());
        // kinds of one name in two groups are of two RGDs
        format!("{order} {:02} {} {namespace} {} {}", self.state as u8, self.kind, self.name, self.rgd)
    }
}

/// One instance of one of several clusters.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::kro::tools) struct Placed(pub(in crate::kro::tools) InstanceRow);

impl Row for Placed {
    const COLUMNS: &'static [&'static str] =
        &["cluster", "state", "kind", "namespace", "name", "reason", "rgd", "age"];

    fn cells(&self) -> Vec<String> {
        let mut cells = self.0.cells();
        cells.insert(0, self.0.cluster.clone().unwrap_or_default());
        cells
    }

    fn key(&self) -> String {
        format!("{} {}", self.0.key(), self.0.cluster.as_deref().unwrap_or_default())
    }
}

/// `all`: how many there are, whatever their state, labels and age; `all_read`: whether all kinds were, those
/// of nested instances too.
pub(in crate::kro::tools) fn summary(
    rows: &[InstanceRow],
    all: usize,
    coverage: &Coverage,
    all_read: bool,
) -> String {
    let abnormal: Vec<&InstanceRow> = rows.iter().filter(|row| row.state.is_abnormal()).collect();
    let mut states: Vec<State> = abnormal.iter().map(|row| row.state).collect();
    states.sort_unstable();
    states.dedup();
    let counted =
        |state: &State| format!("{} {state}", abnormal.iter().filter(|row| row.state == *state).count());
    let counts: Vec<String> = states.iter().map(counted).collect();
    let rgds: BTreeSet<&str> = rows.iter().map(|row| row.rgd.as_str()).collect();
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let all = match rows.len() {
        0 if all > 0 => format!("none of {} fits", plural(all, "instance")),
        0 => coverage.nothing(),
        count => format!("{} of {}", plural(count, "instance"), plural(rgds.len(), "RGD")),
    };
    match counts.as_slice() {
        [] if rows.is_empty() => all,
        [] if all_read => format!("{all}, all ready by kro's word, nested ones included"),
        [] => format!("{all}, all ready by kro's word, nested ones as far as they could be read"),
        counts => format!("{all}: {}, {} ready", counts.join(", "), rows.len() - abnormal.len()),
    }
}
