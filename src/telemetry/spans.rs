//! [`Spans`]: one span for each call, and one below it for each request to a cluster. Attributes follow
//! OpenTelemetry's conventions for MCP, gen_ai and HTTP; none holds an argument, a token or who calls.

use std::time::Duration;

use http::HeaderMap;
use opentelemetry::{
    Context, KeyValue,
    trace::{SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::trace::SdkTracer;

use super::{otlp, trace, trace::TraceContext};
use crate::{audit::Line, ending::at_end};

/// How long the last spans may take when the process ends.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// Makes the spans of calls. Without an exporter it makes none, and passes on what came.
#[derive(Debug, Default)]
pub struct Spans(Option<SdkTracer>);

/// The span of one call, or only its place in somebody else's trace.
#[derive(Clone, Debug, Default)]
pub struct CallSpan {
    context: Option<Context>,
    tracer: Option<SdkTracer>,
}

/// The span of one request to a cluster. Ends when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct RequestSpan(Option<Context>);

impl Spans {
    /// Exports to a collector for as long as the process lives; what is left at its end, then.
    ///
    /// # Errors
    /// What of the settings does not make an exporter.
    pub fn otlp(settings: &otlp::Otlp) -> Result<Self, otlp::OtlpProblem> {
        let provider = otlp::provider(settings)?;
        let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
        at_end(move || {
            if let Err(error) = provider.shutdown_with_timeout(LAST_SPANS) {
                tracing::warn!(%error, "the last spans were not exported");
            }
        });
        Ok(Self(Some(tracer)))
    }

    /// Begins the span of a call that is part of this trace, or of a new one.
    pub(crate) fn call(&self, incoming: Option<&TraceContext>) -> CallSpan {
        let parent = incoming.map(TraceContext::span_context);
        let Some(tracer) = &self.0 else {
            let context = parent.map(|parent| Context::new().with_remote_span_context(parent.clone()));
            return CallSpan { context, tracer: None };
        };
        let parent = parent
            .map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent.clone()));
        let span = tracer.span_builder("tools/call").with_kind(SpanKind::Server);
        let span = span.start_with_context(tracer, &parent);
        CallSpan { context: Some(parent.with_span(span)), tracer: Some(tracer.clone()) }
    }
}

impl CallSpan {
    fn span_context(&self) -> Option<SpanContext> {
        self.context.as_ref().map(|context| context.span().span_context().clone())
    }

    /// The number of the whole trace, in hexadecimal.
    pub(crate) fn trace_id(&self) -> Option<String> {
        self.span_context().map(|span| span.trace_id().to_string())
    }

    /// Begins the span of a request to a cluster's API server, and adds the headers that tell it so.
    pub(crate) fn request(
        &self,
        request: &mut HeaderMap,
        method: &'static str,
        server: &Server,
    ) -> RequestSpan {
        let Some(context) = &self.context else { return RequestSpan::default() };
        let Some(tracer) = &self.tracer else {
            trace::inject(context.span().span_context(), request);
            return RequestSpan::default();
        };
        let attributes = [
            KeyValue::new("http.request.method", method),
            KeyValue::new("server.address", server.host.clone()),
            KeyValue::new("server.port", i64::from(server.port)),
        ];
        let span = tracer.span_builder(method).with_kind(SpanKind::Client).with_attributes(attributes);
        let span = span.start_with_context(tracer, context);
        let context = context.with_span(span);
        trace::inject(context.span().span_context(), request);
        RequestSpan(Some(context))
    }

    /// Ends the span with what became of the call. `tool` is a known name, never what a client wrote.
    pub(crate) fn end(&self, tool: Option<&str>, line: &Line) {
        let (Some(context), Some(_)) = (&self.context, &self.tracer) else { return };
        let span = context.span();
        if let Some(tool) = tool {
            span.update_name(format!("tools/call {tool}"));
            span.set_attribute(KeyValue::new("gen_ai.tool.name", tool.to_owned()));
        }
        span.set_attributes([
            KeyValue::new("mcp.method.name", "tools/call"),
            KeyValue::new("gen_ai.operation.name", "execute_tool"),
            KeyValue::new(
                "network.transport",
                match line.door {
                    "http" | "backstage" | "event-mesh" => "tcp",
                    _ => "pipe",
                },
            ),
            KeyValue::new("platform_mcp.call", line.call.clone()),
            KeyValue::new("platform_mcp.decision", line.decision),
            KeyValue::new("platform_mcp.outcome", line.outcome),
        ]);
        if line.outcome != "ok" {
            span.set_attribute(KeyValue::new("error.type", line.outcome));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl RequestSpan {
    /// That an answer came whole, with this status.
    pub(crate) fn answered(mut self, status: u16) {
        let Some(context) = self.0.take() else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 400 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl Drop for RequestSpan {
    /// No answer came whole, in time.
    fn drop(&mut self) {
        let Some(context) = self.0.take() else { return };
        context.span().set_attribute(KeyValue::new("error.type", "unanswered"));
        context.span().set_status(Status::error(""));
        context.span().end();
    }
}

/// Whom a request is sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}
