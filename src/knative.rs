//! Knative Eventing: who emits events, what they pass through, and who gets them.
//!
//! [`fetch`] reads what there is as the caller; [`resource`] says what it is in our own types, whatever version it was
//! served in; [`mesh`] joins it (pure); [`published`] is the mesh in the form of the Backstage plugin's backend.

pub mod fetch;
pub mod filter;
pub mod mesh;
pub mod parse;
pub mod picture;
pub mod published;
pub mod resource;
pub mod rights;
pub mod tools;

/// The label by which Backstage knows an object (`@backstage/plugin-kubernetes`).
pub const BACKSTAGE_ID: &str = "backstage.io/kubernetes-id";

/// API groups of Knative Eventing.
pub mod group {
    /// Broker, Trigger, EventType, EventPolicy.
    pub const EVENTING: &str = "eventing.knative.dev";
    /// Channel, Subscription and most kinds of channels.
    pub const MESSAGING: &str = "messaging.knative.dev";
    /// Sequence and Parallel.
    pub const FLOWS: &str = "flows.knative.dev";
    /// The sources that Knative brings.
    pub const SOURCES: &str = "sources.knative.dev";
    /// JobSink, IntegrationSink.
    pub const SINKS: &str = "sinks.knative.dev";
}
