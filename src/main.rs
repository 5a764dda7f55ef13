//! The `platform-mcp` binary.

fn main() {}
