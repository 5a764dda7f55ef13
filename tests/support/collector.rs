//! An OpenTelemetry collector that keeps what it gets: OTLP over HTTP, protobuf.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message as _;
use tokio::net::TcpListener;

/// Longer than spans wait to be sent together.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running collector. It ends with the runtime that it was started in.
#[derive(Clone)]
pub(crate) struct Collector {
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    spans: Vec<Span>,
    headers: Vec<HeaderMap>,
    bodies: Vec<Bytes>,
    hangs: bool,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, kept }
    }

    /// From now on it takes what comes and never answers.
    pub(crate) fn hang(&self) {
        self.kept.lock().expect("not poisoned").hangs = true;
    }

    /// The spans, once they are enough.
    ///
    /// # Panics
    /// Where they never are.
    pub(crate) async fn until(&self, enough: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let began = Instant::now();
        loop {
            let spans = self.spans();
            if enough(&spans) {
                return spans;
            }
            assert!(began.elapsed() < PATIENCE, "not the spans that were waited for: {spans:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The spans so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.kept.lock().expect("not poisoned").spans.clone()
    }

    /// The headers of each export.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.kept.lock().expect("not poisoned").headers.clone()
    }

    /// Whether the text is anywhere in what came.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let kept = self.kept.lock().expect("not poisoned");
        kept.bodies.iter().any(|body| body.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}

async fn take(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let hangs = {
        let mut kept = kept.lock().expect("not poisoned");
        let export = ExportTraceServiceRequest::decode(body.clone()).expect("OTLP");
        let scopes = export.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        kept.spans.extend(scopes.flat_map(|scope| scope.spans));
        kept.headers.push(headers);
        kept.bodies.push(body);
        kept.hangs
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    StatusCode::OK
}

/// An attribute as text; nothing where there is none.
pub(crate) fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

/// An id in hexadecimal.
pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
