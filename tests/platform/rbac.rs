//! `platform-mcp rbac`: what it prints is enough, and no more than that, on the real API server; and it is what
//! whoever applies it would want to have applied.

mod applied;
mod command;
mod impersonate;
mod knative;
mod kro;
