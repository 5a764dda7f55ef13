//! One virtual cluster: the row, and how it was sized.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Line, Output};
use crate::{
    Error,
    answer::{Answer, Row, Rows, Table, sanitise},
    palette::{
        api::group::VirtualCloudConfig,
        ask::Ask,
        find,
        fleet::{self, More},
        said::said,
    },
    toolbox::Call,
};

/// What a virtual cluster was sized to.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sizing {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cpu: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_memory_mib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_storage_gib: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    kubernetes_version: String,
}

impl Sizing {
    fn line(&self) -> String {
        let part = |number: Option<u64>, unit: &str| number.map(|number| format!("{number} {unit}"));
        let version = &self.kubernetes_version;
        let version = (!version.is_empty()).then(|| format!("Kubernetes {version}"));
        let parts = [
            part(self.max_cpu, "cores"),
            part(self.max_memory_mib, "MiB memory"),
            part(self.max_storage_gib, "GiB storage"),
            version,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Answers for the one of this name or uid. A cluster that is not virtual is none.
pub(super) async fn of(call: &Call, written: &str, project: Option<&str>) -> Result<Answer<Output>, Error> {
    let found = find::cluster(call, written, project).await?;
    let row = fleet::full(&found).await?;
    if !row.is_virtual() {
        let shown = sanitise::short(written, 80);
        let cloud = sanitise::short(&row.cloud_type, 40);
        return Err(Error::invalid_input(format!("{shown:?} is no virtual cluster but one of {cloud}"))
            .next("call palette_cluster for it, or palette_virtual_clusters without cluster for all virtual ones"));
    }
    let line = Line::of(&row, Some(&found.access));
    let nothing = More::default();
    let more = row.more.as_deref().unwrap_or(&nothing);
    let mut gaps = found.gaps;
    let sizing = match more.cloud_config.is_empty() {
        true => None,
        false => {
            let ask = Ask::get(&["cloudconfigs", "virtual", &more.cloud_config]);
            match found.access.ask::<VirtualCloudConfig>(&row.place, ask).await {
                Ok(config) => Some(sizing(config)),
                Err(fault) => {
                    gaps.push(format!("how it was sized: {fault}"));
                    None
                }
            }
        }
    };
    let mut summary = format!("virtual cluster {}: {}, {}", line.cluster, line.state, line.health);
    if let Some(pressure) = line.pressure {
        summary.push_str(&format!("; pressure: {pressure}"));
    }
    if !more.virtual_info.message.is_empty() {
        summary.push_str(&format!("; {}", said(&more.virtual_info.message, 200)));
    }
    let mut table = Table::new(Line::COLUMNS);
    table.row(line.cells());
    let mut body = table.into_text();
    if let Some(sizing) = sizing.as_ref().map(Sizing::line).filter(|line| !line.is_empty()) {
        body.push_str(&format!("\nsized to {sizing}"));
    }
    let output = Output { rows: Rows { total: 1, rows: vec![line] }, sizing };
    Ok(Answer::new(summary, body, output).gaps(gaps))
}

fn sizing(config: VirtualCloudConfig) -> Sizing {
    let kubernetes_version = config.spec.cluster_config.kubernetes_version;
    let size = config.spec.machine_pool_config.into_iter().next().unwrap_or_default().instance_type;
    Sizing {
        max_cpu: size.max_cpu,
        max_memory_mib: size.max_memory,
        max_storage_gib: size.max_storage,
        kubernetes_version,
    }
}
