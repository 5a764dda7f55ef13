//! One MCP server for a Kubernetes platform.

pub mod kubernetes;
