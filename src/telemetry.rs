//! Logs, metrics and traces. Names of metrics and attributes follow OpenTelemetry's MCP and gen_ai conventions.

mod otlp;
mod spans;
pub mod trace;

use std::{fmt::Write as _, io::IsTerminal as _};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use tracing_subscriber::{
    EnvFilter, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

pub use otlp::{Otlp, OtlpProblem};
pub(crate) use spans::Server;
pub use spans::{CallSpan, Spans};
pub use trace::TraceContext;

use crate::{audit::Line, kubernetes::Meter};

/// Bounds in seconds: from answers without upstream to the deadline of a call.
const SECONDS: [f64; 10] = [0.0005, 0.002, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tool {
    gen_ai_tool_name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    gen_ai_tool_name: String,
    decision: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// What is measured.
#[derive(Debug)]
pub struct Measure {
    registry: Registry,
    duration: Family<Tool, Histogram>,
    calls: Family<Outcome, Counter>,
    refusals: Family<Reason, Counter>,
    upstream_requests: Counter,
    upstream_bytes: Counter,
    known: Known,
}

/// What is measured of the sources of clusters.
#[derive(Clone, Debug, Default)]
pub struct Known {
    clusters: Gauge,
    failing: Family<From, Gauge>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct From {
    source: &'static str,
}

impl Known {
    /// How many clusters there are.
    pub(crate) fn clusters(&self, known: usize) {
        self.clusters.set(i64::try_from(known).unwrap_or(i64::MAX));
    }

    /// Whether a source cannot be read.
    pub(crate) fn source(&self, source: &'static str, failing: bool) {
        self.failing.get_or_create(&From { source }).set(failing.into());
    }
}

impl Default for Measure {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("mcp_server");
        let duration = Family::<Tool, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let calls = Family::<Outcome, Counter>::default();
        let (upstream_requests, upstream_bytes) = (Counter::default(), Counter::default());
        let known = Known::default();
        registry.register_with_unit(
            "operation_duration",
            "Duration of tools/call",
            Unit::Seconds,
            duration.clone(),
        );
        registry.register("calls", "Calls by tool, decision and outcome", calls.clone());
        let refusals = Family::<Reason, Counter>::default();
        registry.register("refusals", "Requests that a door refused, by reason", refusals.clone());
        registry.register("upstream_requests", "Requests sent to clusters", upstream_requests.clone());
        registry.register(
            "upstream_received_bytes",
            "Body bytes received from clusters",
            upstream_bytes.clone(),
        );
        registry.register("clusters", "Clusters that are known", known.clusters.clone());
        registry.register(
            "cluster_source_failing",
            "Whether a source of clusters cannot be read (1) or can (0)",
            known.failing.clone(),
        );
        Self { registry, duration, calls, refusals, upstream_requests, upstream_bytes, known }
    }
}

impl Measure {
    /// Counts one call. `tool` is a known name, never what a client wrote.
    pub(crate) fn call(&self, tool: &str, line: &Line, meter: &Meter) {
        let tool = tool.to_owned();
        self.duration.get_or_create(&Tool { gen_ai_tool_name: tool.clone() }).observe(line.seconds());
        let (decision, outcome) = (line.decision, line.outcome);
        self.calls.get_or_create(&Outcome { gen_ai_tool_name: tool, decision, outcome }).inc();
        self.upstream_requests.inc_by(meter.requests());
        self.upstream_bytes.inc_by(meter.bytes());
    }

    /// Counts what came from a cluster after a call had its line.
    pub(crate) fn brought(&self, bytes: u64) {
        self.upstream_bytes.inc_by(bytes);
    }

    /// Counts a request that a door refused. `reason` is a word of ours, never what a client wrote.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// Counts the audit lines that are lost.
    pub(crate) fn audit(&mut self, lost: &Counter) {
        self.registry.register("audit_lines_lost", "Lines that the audit log could not keep", lost.clone());
    }

    /// What is measured of the sources of clusters.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The Prometheus text of all of it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
            let _ = writeln!(text, "# EOF");
        }
        text
    }
}

/// Logs by `filter`, but for the MCP library: below info it logs whole requests and answers, credentials in them.
fn logs<W>(filter: EnvFilter, writer: W, ansi: bool) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let capped = |metadata: &tracing::Metadata<'_>| {
        *metadata.level() <= tracing::Level::INFO || !metadata.target().starts_with("rmcp")
    };
    let logs = tracing_subscriber::fmt().with_writer(writer).with_ansi(ansi).with_env_filter(filter);
    logs.finish().with(filter_fn(capped))
}

/// Sends logs to standard error; `PLATFORM_MCP_LOG` filters them (default: warnings and our own info).
/// A panic is logged by place only: its message can hold anything.
pub fn start() {
    let filter = EnvFilter::try_from_env("PLATFORM_MCP_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,platform_mcp=info,rmcp=error,kube_client=off"));
    let _ = logs(filter, std::io::stderr, std::io::stderr().is_terminal()).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a defect: this should not happen, please report it");
    }));
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_filter_has_the_mcp_library_log_what_it_answers() {
        for filter in ["trace", "debug,rmcp=trace", "rmcp::service=debug,platform_mcp=debug"] {
            let written = Written::default();
            let writer = written.clone();
            let logs = logs(EnvFilter::new(filter), move || writer.clone(), false);
            tracing::subscriber::with_default(logs, || {
                tracing::debug!(target: "rmcp::service", answer = "planted", "new event");
                tracing::trace!(target: "rmcp", answer = "planted", "received");
                tracing::info!(target: "rmcp::service", "started");
                tracing::debug!(target: "platform_mcp", "ours");
            });
            let text = String::from_utf8(written.0.lock().clone()).expect("text");
            assert!(!text.contains("planted"), "{filter}: {text}");
            assert!(text.contains("started") && text.contains("ours"), "{filter}: {text}");
        }
    }
}
