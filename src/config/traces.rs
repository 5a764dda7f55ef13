//! `traces`: where spans go.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use http::{HeaderName, HeaderValue, Uri};
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::problem::Wrong;
use crate::telemetry::Otlp;

/// What a collector's URL ends with (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// Spans of calls and of their requests to clusters, for OpenTelemetry. Trace context of callers (W3C) is
/// passed on to clusters without it too.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Traces {
    /// URL of a collector that takes OTLP over HTTP, as `http://localhost:4318`; `/v1/traces` is added where
    /// it does not end so. Otherwise there are no spans.
    pub otlp: Option<String>,
    /// The part of traces that is kept, from 0 to 1, where the caller's trace does not say; otherwise 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_ratio: Option<f64>,
    /// Headers of each export, as a collector's API key.
    #[schemars(with = "BTreeMap<String, String>", extend("writeOnly" = true))]
    pub headers: BTreeMap<String, SecretString>,
    /// PEM file of the collector's certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
}

impl Traces {
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        let Some(url) = &self.otlp else {
            let lost = self.sample_ratio.is_some() || !self.headers.is_empty() || self.ca_file.is_some();
            let wrong = || Wrong::new("is missing, and without it the other keys mean nothing").below("otlp");
            return if lost { Err(wrong()) } else { Ok(()) };
        };
        // a URL may hold a password, so it is not repeated
        let parsed: Option<Uri> = url.parse().ok();
        let usable = parsed.is_some_and(|url| {
            let authority = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
            matches!(url.scheme_str(), Some("http" | "https")) && authority && url.query().is_none()
        });
        if !usable {
            let wrong = "must be http://HOST:PORT or https://…, without credentials (those go under headers)";
            return Err(Wrong::new(wrong).below("otlp"));
        }
        if self.sample_ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
            return Err(Wrong::new("must be from 0 to 1").below("sampleRatio"));
        }
        for (name, value) in &self.headers {
            let fits =
                HeaderName::try_from(name).is_ok() && HeaderValue::from_str(value.expose_secret()).is_ok();
            if !fits {
                return Err(Wrong::new("is not a header that HTTP carries").below(name).below("headers"));
            }
        }
        Ok(())
    }

    pub(super) fn otlp(&self, resolved: impl Fn(&Path) -> PathBuf) -> Option<Otlp> {
        let url = self.otlp.as_deref()?.trim_end_matches('/');
        let url = if url.ends_with(PATH) { url.to_owned() } else { format!("{url}{PATH}") };
        Some(Otlp {
            url,
            ratio: self.sample_ratio.unwrap_or(1.0),
            headers: self.headers.clone(),
            ca_file: self.ca_file.as_deref().map(resolved),
        })
    }

    /// By the headers' values too.
    pub(super) fn differs(&self, before: &Self) -> bool {
        let whole = |traces: &Self| {
            let Self { otlp, sample_ratio, headers, ca_file } = traces.clone();
            let headers: Vec<_> =
                headers.into_iter().map(|(name, value)| (name, value.expose_secret().to_owned())).collect();
            (otlp, sample_ratio, headers, ca_file)
        };
        whole(self) != whole(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(otlp: &str) -> Traces {
        Traces { otlp: Some(otlp.to_owned()), ..Traces::default() }
    }

    #[test]
    fn a_collector_is_found_by_its_base_or_its_whole_url() {
        for (written, meant) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("https://otel.example/", "https://otel.example/v1/traces"),
            ("https://otel.example/v1/traces", "https://otel.example/v1/traces"),
            ("https://otel.example/tenant/a", "https://otel.example/tenant/a/v1/traces"),
        ] {
            assert_eq!(traces(written).coherent(), Ok(()));
            assert_eq!(traces(written).otlp(Path::to_path_buf).map(|otlp| otlp.url), Some(meant.to_owned()));
        }
        assert!(Traces::default().otlp(Path::to_path_buf).is_none());
    }

    #[test]
    fn mistakes_are_named_and_no_secret_is_told() {
        let secret = |name: &str, value: &str| Traces {
            headers: [(name.to_owned(), value.to_owned().into())].into(),
            ..traces("http://localhost:4318")
        };
        for (wrong, at) in [
            (traces("localhost:4318"), "otlp"),
            (traces("https://user:planted@otel.example"), "otlp"),
            (traces("grpc://localhost:4317"), "otlp"),
            (Traces { sample_ratio: Some(1.5), ..traces("http://localhost:4318") }, "sampleRatio"),
            (Traces { sample_ratio: Some(f64::NAN), ..traces("http://localhost:4318") }, "sampleRatio"),
            (Traces { sample_ratio: Some(0.5), ..Traces::default() }, "otlp"),
            (secret("api-key", "plan\nted"), "headers.api-key"),
            (secret("api key", "planted"), "headers.api key"),
        ] {
            let said = wrong.coherent().expect_err(at).to_string();
            assert!(said.starts_with(&format!("{at}: ")) && !said.contains("planted"), "{said}");
        }
        assert!(!format!("{:?}", secret("api-key", "planted")).contains("planted"));
        assert!(secret("api-key", "a").differs(&secret("api-key", "b")));
    }
}
