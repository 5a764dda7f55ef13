//! `kubernetes_clusters`: the clusters that the caller may see, and whether they answer.

use std::time::Duration;

use futures::{StreamExt as _, future::join, stream};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    Error,
    answer::{Answer, Row, Rows, Table},
    kubernetes::{
        Access, Endpoint, Fault, Source,
        access::{Ask, parse},
    },
    palette::same,
    permission::Extent,
    toolbox::{Call, Reach, Tool},
};

/// A cluster that does not answer in this time counts as unreachable here; calls to it may wait longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// With less of the call's time left, a cluster is not asked any more.
const LEAST: Duration = Duration::from_millis(500);
/// Clusters asked at once.
const PARALLEL: usize = 64;
/// Ways that are sought at once, how long each, and how long all of them.
const SOUGHT: usize = 8;
const EACH: Duration = Duration::from_millis(500);
const SEEKING: Duration = Duration::from_secs(2);

/// The handler.
#[derive(Debug)]
pub struct ListClusters;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Only this one (name or source/name).
    pub cluster: Option<String>,
    /// Rows at most.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    /// next_cursor of the page before.
    pub cursor: Option<String>,
}

/// One cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClusterRow {
    name: String,
    /// kubeconfig, in-cluster, static, backstage, palette
    source: &'static str,
    /// How you are shown to the API server: impersonate, exchange or caller-header (as yourself), own (as this
    /// server).
    identity: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    default: bool,
    /// Left out where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reachable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    /// Why it does not answer, or what it answered instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// environment/project/name of the Palette cluster that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    palette: Option<String>,
    #[serde(skip)]
    at: Option<Endpoint>,
}

impl Row for ClusterRow {
    const COLUMNS: &'static [&'static str] =
        &["name", "source", "identity", "version", "latency_ms", "problem"];

    fn cells(&self) -> Vec<String> {
        let name = if self.default { format!("{} (default)", self.name) } else { self.name.clone() };
        vec![
            name,
            self.source.to_owned(),
            self.identity.to_owned(),
            self.version.clone().unwrap_or_default(),
            self.latency_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            self.problem.clone().unwrap_or_default(),
        ]
    }

    fn key(&self) -> String {
        format!("{} {}", u8::from(self.problem.is_none()), self.name)
    }
}

impl Tool for ListClusters {
    type Input = Input;
    type Output = Rows<ClusterRow>;

    fn reach(input: &Input) -> Reach {
        let cluster = input.cluster.clone().or_else(|| Some("*".to_owned()));
        Reach::Clusters { cluster, namespace: Extent::Anywhere }
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let seeking = (call.clusters().len() > 1).then(Seeking::begin);
        let rows = stream::iter(call.clusters().to_vec())
            .map(|access| row(&call, access, seeking.as_ref()))
            .buffer_unordered(PARALLEL)
            .collect::<Vec<ClusterRow>>();
        let there: Vec<(String, Endpoint)> = call.clusters().iter().filter_map(place).collect();
        let (mut rows, twins) = join(rows, same::in_palette(&call, &there)).await;
        for row in &mut rows {
            if let Some(twin) = row.at.as_ref().and_then(|at| twins.by_endpoint.get(at)) {
                row.palette = Some(twin.clone());
            }
        }
        let summary = summary(&rows);
        // of all of them, it is said already
        let named = input.cluster.iter().any(|name| name != "*");
        let clusters = call.clusters().iter().map(|access| &**access.cluster());
        let gaps = if named { call.toolbox().clusters().gaps(clusters) } else { Vec::new() };
        let (page, cut) = call.page(rows, input.cursor.as_deref(), "name one with cluster")?;
        let table = if twins.by_endpoint.is_empty() { page.table } else { joined(&page.rows) };
        Ok(Answer::new(summary, table, page.rows).gaps(gaps).gaps(twins.gaps).cut(cut))
    }
}

/// What a cluster is called, and where it is.
fn place(access: &Access) -> Option<(String, Endpoint)> {
    let cluster = access.cluster();
    Some((cluster.name().to_owned(), cluster.endpoint()?.clone()))
}

/// The table with what each cluster is called in Palette.
fn joined(rows: &Rows<ClusterRow>) -> String {
    let mut table = Table::new(&[ClusterRow::COLUMNS, &["palette"]].concat());
    for row in &rows.rows {
        table.row(row.cells().into_iter().chain([row.palette.clone().unwrap_or_default()]));
    }
    table.into_text()
}

fn summary(rows: &[ClusterRow]) -> String {
    let count = |wanted: fn(&ClusterRow) -> bool| rows.iter().filter(|row| wanted(row)).count();
    let mut parts = match rows.len() {
        0 => return "no clusters that you may see".to_owned(),
        1 => vec!["1 cluster".to_owned()],
        all => vec![format!("{all} clusters")],
    };
    for (number, what) in [
        (count(|row| row.reachable == Some(false)), "unreachable"),
        (
            count(|row| row.reachable == Some(true) && row.problem.is_some()),
            "refusing the credential or failing",
        ),
        (count(|row| row.reachable.is_none()), "not asked"),
    ] {
        parts.extend((number > 0).then(|| format!("{number} {what}")));
    }
    if parts.len() == 1 {
        parts.push("all reachable".to_owned());
    }
    parts.join(", ")
}

/// Finding the way to clusters that nobody used yet, where many are asked for: only so many at once and for so long,
/// since whoever knows the ways is asked by others too.
struct Seeking {
    places: Semaphore,
    until: Instant,
}

impl Seeking {
    fn begin() -> Self {
        Self { places: Semaphore::new(SOUGHT), until: Instant::now() + SEEKING }
    }

    async fn seek(&self, access: &Access) {
        let sought = async {
            let _place = self.places.acquire().await;
            // whatever comes of it is told when the cluster is asked
            let _found = timeout(EACH, access.connect()).await;
        };
        let _late = timeout_at(self.until, sought).await;
    }
}

async fn row(call: &Call, access: Access, seeking: Option<&Seeking>) -> ClusterRow {
    let unsought = || Fault::NoWay {
        message: "not connected yet: Palette is asked for the way when it is used, or named here".to_owned(),
        retryable: true,
    };
    if let Some(seeking) = seeking.filter(|_| access.cluster().is_sought()) {
        seeking.seek(&access).await;
    }
    let waits = seeking.is_some() && access.cluster().is_sought();
    let started = Instant::now();
    let ask = Ask { method: Method::GET, uri: "/version", accept: "application/json", body: None };
    let left = call.deadline().saturating_duration_since(started);
    // once: whoever waits for 200 clusters does not wait for second tries
    let version = match left < LEAST {
        true => Err(Fault::Spent("time".to_owned())),
        false if waits => Err(unsought()),
        false => match timeout(PATIENCE, access.once(ask)).await {
            Ok(answered) => answered.and_then(|answered| parse::<Value>(&answered.body)),
            Err(_) if access.cluster().is_sought() => Err(Fault::NoWay {
                message: "Palette is still being asked for the way to it; ask again".to_owned(),
                retryable: true,
            }),
            Err(_) => Err(Fault::Timeout(started.elapsed())),
        },
    };
    let reachable = match &version {
        Err(Fault::Unreachable(_) | Fault::Timeout(_)) => Some(false),
        // nothing was sent
        Err(
            Fault::Configuration(_)
            | Fault::Unfit(_)
            | Fault::NotExchanged { .. }
            | Fault::NoWay { .. }
            | Fault::Spent(_),
        ) => None,
        // an answer that is an error is an answer
        _ => Some(true),
    };
    let answered = reachable == Some(true);
    let clusters = call.toolbox().clusters();
    let cluster = access.cluster();
    ClusterRow {
        name: clusters.shown_name(cluster),
        source: cluster.source().name(),
        identity: access.identity().name(),
        default: clusters.is_default(cluster),
        reachable,
        latency_ms: answered.then(|| u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)),
        problem: version.as_ref().err().map(ToString::to_string),
        palette: (cluster.source() == Source::Palette).then(|| cluster.name().to_owned()),
        at: cluster.endpoint().cloned(),
        version: version.ok().and_then(|version| Some(version.get("gitVersion")?.as_str()?.to_owned())),
    }
}
