//! The protocol on the wire, over HTTP and stdio, as a client with no SDK sees it.

use crate::{mcp::Mcp, server::Server};

#[tokio::test]
async fn both_paths_answer() {
    let server = Server::start();
    for path in ["/mcp", "/mcp/"] {
        let tools = Mcp::new(server.url(path)).list_tools().await;
        assert!(tools.iter().any(|tool| tool["name"] == "whoami"), "{path}: {tools:?}");
    }
}
