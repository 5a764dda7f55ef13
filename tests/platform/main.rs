//! Black-box tests: the product binary, seen through its doors, against real parts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/audit.rs"]
mod audit;
#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/backstage.rs"]
mod backstage;
#[path = "../support/catalog.rs"]
mod catalog;
#[path = "../support/collector.rs"]
mod collector;
#[path = "../support/control_plane.rs"]
mod control_plane;
#[path = "../support/faulty.rs"]
mod faulty;
#[path = "../support/forge.rs"]
mod forge;
#[path = "../support/issuer.rs"]
mod issuer;
#[path = "../support/issuer_http.rs"]
mod issuer_http;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../support/knative.rs"]
mod knative;
#[path = "../support/kubectl.rs"]
mod kubectl;
#[path = "../support/kubelet.rs"]
mod kubelet;
#[path = "../support/listen.rs"]
mod listen;
#[path = "../support/mcp.rs"]
mod mcp;
#[path = "../support/odd_keys.rs"]
mod odd_keys;
#[path = "../support/oidc.rs"]
mod oidc;
#[path = "../support/palette.rs"]
mod palette;
#[path = "../support/palette_book.rs"]
mod palette_book;
#[path = "../support/palette_prism.rs"]
mod palette_prism;
#[path = "../support/palette_wire.rs"]
mod palette_wire;
#[path = "../support/parts.rs"]
mod parts;
#[path = "../support/people.rs"]
mod people;
#[path = "../support/recorder.rs"]
mod recorder;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/shell.rs"]
mod shell;
#[path = "../support/short_lived.rs"]
mod short_lived;
#[path = "../support/sign_in.rs"]
mod sign_in;
#[path = "../support/silent.rs"]
mod silent;
#[path = "../support/small_rsa.rs"]
mod small_rsa;
#[path = "../support/trust.rs"]
mod trust;
#[path = "../support/upstream.rs"]
mod upstream;

mod audiences;
mod backstage_bridge;
mod backstage_callers;
mod backstage_catalog;
mod backstage_cli;
mod backstage_door;
mod backstage_door_proxies;
mod backstage_door_wire;
mod backstage_rig;
mod backstage_upstream;
mod caller_header;
mod callers;
mod catalog_source;
mod cli;
mod clients;
mod confirmation;
mod conformance;
mod credentials;
mod entities;
mod event_mesh_endpoint;
mod exchange;
mod explain;
mod faults;
mod forged_tokens;
mod hostile_requests;
mod impersonation;
mod impersonation_rights;
mod issuer_faults;
mod issuer_keys;
mod issuer_rig;
mod knative_mesh;
mod knative_mesh_size;
mod knative_rig;
mod kro_check;
mod kro_diagnose;
mod kro_events;
mod kro_graph;
mod kro_inventory;
mod kro_operations;
mod kro_rgd;
mod kro_watch;
mod kubernetes_access;
mod kubernetes_events;
mod kubernetes_investigate;
mod matrix;
mod oidc_cluster;
mod oidc_rig;
mod palette_changes;
mod palette_client;
mod palette_clusters;
mod palette_contract;
mod palette_faults;
mod palette_fleet;
mod palette_health;
mod palette_kubeconfig;
mod palette_onboarding;
mod palette_profiles;
mod palette_projects_scope;
mod palette_prompts;
mod palette_secrets;
mod palette_tokens;
mod palette_world;
mod prompts;
mod protection;
mod protocol;
mod proxy_endpoint;
mod proxy_faults;
mod proxy_kubectl;
mod proxy_secrets;
mod proxy_streams;
mod proxy_tool;
mod proxy_write;
mod rbac;
mod refused_bodies;
mod registry;
mod reload;
mod replicas;
mod resource_server;
mod resource_subscriptions;
mod resources;
mod rotation;
mod scopes;
mod secrets;
mod signing_in;
mod stdio;
mod stdio_token;
mod subscriptions;
mod traces;
