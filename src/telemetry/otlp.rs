//! Spans to a collector: OTLP over HTTP, protobuf.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Runtime;

/// How long one export may take; spans that come meanwhile wait, up to 2,048.
const PATIENCE: Duration = Duration::from_secs(5);
/// A collector says less.
const MOST_SAID: usize = 64 << 10;

/// Where spans go.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// The whole URL that they are posted to.
    pub url: String,
    /// The part of traces that is kept where whoever called did not decide; from 0 to 1.
    pub ratio: f64,
    /// Headers of each post.
    pub headers: BTreeMap<String, SecretString>,
    /// PEM file of the collector's certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
}

/// Why there is no exporter.
#[derive(Debug, thiserror::Error)]
pub enum OtlpProblem {
    /// The file of the certificate authority.
    #[error("{0}: {1}")]
    CaFile(PathBuf, String),
    /// The HTTP client.
    #[error("no client for the collector: {0}")]
    Client(String),
}

pub(super) fn provider(otlp: &Otlp) -> Result<SdkTracerProvider, OtlpProblem> {
    let secret = |(name, value): (&String, &SecretString)| (name.clone(), value.expose_secret().to_owned());
    let headers: HashMap<String, String> = otlp.headers.iter().map(secret).collect();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&otlp.url)
        .with_timeout(PATIENCE)
        .with_headers(headers)
        .with_http_client(Post::new(otlp)?)
        .build()
        .map_err(|error| OtlpProblem::Client(error.to_string()))?;
    let mut resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    // what a deployment says in OpenTelemetry's own variable is there already
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
    }
    Ok(SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(otlp.ratio))))
        .with_resource(resource.build())
        .build())
}

/// Posts from the exporter's own thread, which is not one of a runtime. So it has a small one of its own,
/// made and dropped on that thread.
#[derive(Debug)]
struct Post {
    client: reqwest::Client,
    runtime: OnceLock<Result<Runtime, String>>,
    failing: AtomicBool,
}

impl Post {
    fn new(otlp: &Otlp) -> Result<Self, OtlpProblem> {
        let mut builder = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            // its runtime runs only while it posts, so it would not see that a kept connection is closed
            .pool_max_idle_per_host(0);
        if let Some(file) = &otlp.ca_file {
            let problem = |why: String| OtlpProblem::CaFile(file.clone(), why);
            let pem = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| problem(error.to_string()))?;
            builder = builder.tls_certs_only(certificates);
        }
        let client = builder.build().map_err(|error| OtlpProblem::Client(error.to_string()))?;
        Ok(Self { client, runtime: OnceLock::new(), failing: AtomicBool::new(false) })
    }

    async fn post(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        // the address is no secret, but the library's log need not have it
        let mut answer = self.client.execute(request).await.map_err(reqwest::Error::without_url)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + chunk.len() > MOST_SAID {
                return Err("the collector says too much".into());
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(answer.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        Ok(response.body(Bytes::from(body))?)
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

type Sent<'p> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'p>>;

impl HttpClient for Post {
    fn send_bytes<'life0, 'async_trait>(&'life0 self, request: Request<Bytes>) -> Sent<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let runtime = self.runtime.get_or_init(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(|error| error.to_string())
            });
            let answer = match runtime {
                Ok(runtime) => runtime.block_on(self.post(request)),
                Err(error) => Err(error.clone().into()),
            };
            let problem = match &answer {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(format!("the collector answered {}", answer.status())),
                Err(error) => Some(innermost(&**error)),
            };
            let failed_before = self.failing.swap(problem.is_some(), Ordering::Relaxed);
            // the exporter itself says nothing, and would say it every few seconds
            if let Some(problem) = problem.filter(|_| !failed_before) {
                tracing::warn!("spans cannot be exported, and are lost until they can: {problem}");
            }
            answer
        })
    }
}
