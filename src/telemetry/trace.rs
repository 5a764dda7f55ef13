//! [`TraceContext`]: where a request stands in a trace that began elsewhere (W3C Trace Context, level 1).

use http::HeaderMap;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// A longer `tracestate` is left out: the recommendation asks to carry that much and no more (3.3.1.5).
const LONGEST_STATE: usize = 512;

/// The caller's span, of which what is done for them becomes a part. Says nothing about who they are.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceContext(SpanContext);

impl TraceContext {
    /// From `traceparent` and `tracestate`. `None` where the first is not valid; a state that is not is
    /// left out (section 4.3).
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let (trace, span, flags) = fields(parent)?;
        let trace = TraceId::from_hex(trace).ok()?;
        let span = SpanId::from_hex(span).ok()?;
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
        let state = state.filter(|state| state.len() <= LONGEST_STATE).and_then(|state| state.parse().ok());
        let context = SpanContext::new(trace, span, flags, true, state.unwrap_or(TraceState::NONE));
        context.is_valid().then_some(Self(context))
    }

    /// From the headers of a request. Two `traceparent`s are none.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all("traceparent").iter();
        let (Some(parent), None) = (parents.next(), parents.next()) else { return None };
        let states: Result<Vec<&str>, _> =
            headers.get_all("tracestate").iter().map(http::HeaderValue::to_str).collect();
        let state = states.unwrap_or_default().join(",");
        Self::parse(parent.to_str().ok()?, Some(&state))
    }

    /// The number of the whole trace, in hexadecimal.
    pub fn trace_id(&self) -> String {
        self.0.trace_id().to_string()
    }

    pub(super) fn span_context(&self) -> &SpanContext {
        &self.0
    }
}

/// Adds the headers that make what is asked a part of this span.
pub(super) fn inject(span: &SpanContext, headers: &mut HeaderMap) {
    let (trace, id) = (span.trace_id(), span.span_id());
    let parent = format!("00-{trace}-{id}-{:02x}", span.trace_flags() & TraceFlags::SAMPLED);
    let state = span.trace_state().header();
    let headers_of = [("traceparent", parent), ("tracestate", state)];
    for (name, value) in headers_of.into_iter().filter(|(_, value)| !value.is_empty()) {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
}

/// `version-traceid-parentid-flags`, in lower case. A later version may have more fields after these.
fn fields(parent: &str) -> Option<(&str, &str, &str)> {
    let mut parts = parent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let valid = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
    (valid && version != "ff" && (version != "00" || !more)).then_some((trace, span, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_read_to_the_letter() {
        let context = TraceContext::parse(PARENT, Some("vendor=1")).expect("valid");
        assert_eq!(context.0.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.0.is_sampled() && context.0.is_remote());
        let later = format!("{}-more", PARENT.replacen("00", "01", 1));
        assert!(TraceContext::parse(&later, None).is_some(), "a later version may say more");
        for wrong in [
            "",
            "00",
            &PARENT.to_uppercase(),
            &format!("{PARENT}-00"),
            &format!(" {PARENT}"),
            &PARENT.replacen("00", "ff", 1),
            &PARENT.replace('b', "+"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(wrong, None), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_came_is_passed_on() {
        let context = TraceContext::parse(PARENT, Some("a=1,b=2")).expect("valid");
        let mut headers = HeaderMap::new();
        inject(&context.0, &mut headers);
        assert_eq!(TraceContext::from_headers(&headers), Some(context));
        let bare = TraceContext::parse(PARENT, None).expect("valid");
        let mut headers = HeaderMap::new();
        inject(&bare.0, &mut headers);
        assert_eq!(headers.len(), 1, "no empty state");
    }

    #[test]
    fn a_state_that_is_not_one_costs_only_itself() {
        for state in ["no pair", &"a".repeat(600), "", "a=\r\nb=1"] {
            let context = TraceContext::parse(PARENT, Some(state)).expect("valid");
            assert!(!context.0.trace_state().header().contains("aa"), "{state:?}");
        }
    }

    #[test]
    fn two_parents_are_none_and_two_states_are_one() {
        let headers = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().expect("a value"));
            }
            TraceContext::from_headers(&headers)
        };
        let one = headers(&[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]);
        assert_eq!(one.map(|one| one.0.trace_state().header()), Some("a=1,b=2".to_owned()));
        assert_eq!(headers(&[("traceparent", PARENT), ("traceparent", PARENT)]), None);
        assert_eq!(headers(&[("tracestate", "a=1")]), None);
    }
}
