//! A row of the list, and the line above all of them.

use std::collections::BTreeSet;

use jiff::{SpanRound, Timestamp, Unit};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    answer::Row,
    kro::{instance, state::State},
    kubernetes::Object,
};

use super::coverage::Coverage;

/// One instance.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InstanceRow {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// By kro's conditions and the nested instances; kro_graph looks at the children.
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    rgd: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    age: String,
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
        format!("{order} {:02} {} {namespace} {}", self.state as u8, self.kind, self.name)
    }
}

pub(super) fn row(rgd: &str, object: &Object, standing: instance::Standing, now: Timestamp) -> InstanceRow {
    InstanceRow {
        kind: object.kind().to_owned(),
        namespace: object.namespace().map(str::to_owned),
        name: object.name().to_owned(),
        state: standing.state,
        reason: standing.reason.map(|reason| crate::answer::sanitise::short(&reason, 200)),
        rgd: rgd.to_owned(),
        age: age(object.created(), now),
    }
}

/// `3d`, `5h`, `12m`, as kubectl rounds it.
fn age(created: Option<&str>, now: Timestamp) -> String {
    let Some(created) = created.and_then(|created| created.parse::<Timestamp>().ok()) else {
        return String::new();
    };
    let seconds = now.since(created).ok().and_then(|span| {
        let span = span.round(SpanRound::new().largest(Unit::Second).smallest(Unit::Second)).ok()?;
        Some(span.get_seconds().max(0))
    });
    match seconds {
        None => String::new(),
        Some(seconds @ 0..60) => format!("{seconds}s"),
        Some(seconds @ 60..3600) => format!("{}m", seconds / 60),
        Some(seconds @ 3600..86400) => format!("{}h", seconds / 3600),
        Some(seconds) => format!("{}d", seconds / 86400),
    }
}

/// `all_read`: whether all kinds were, those of nested instances too.
pub(super) fn summary(rows: &[InstanceRow], coverage: &Coverage, all_read: bool) -> String {
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
