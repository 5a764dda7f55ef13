//! Standard input and output: one caller, for the life of the process.

use std::sync::Arc;

use rmcp::{ServiceExt as _, service::ServerInitializeError, transport::io::stdio_pipes};
use tokio_util::sync::CancellationToken;

use super::{
    mcp::{Mcp, Who},
    serving::Serving,
};
use crate::caller::Caller;

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum StdioProblem {
    /// The first messages were not those of an MCP client.
    #[error("the client on standard input does not speak MCP: {0}")]
    Handshake(String),
    /// The task that serves was lost.
    #[error("serving ended early: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

/// Serves until standard input ends or `cancel` fires.
///
/// # Errors
/// [`StdioProblem`].
pub async fn serve(
    serving: Arc<Serving>,
    caller: Arc<Caller>,
    cancel: CancellationToken,
) -> Result<(), StdioProblem> {
    let handler = Mcp::new(serving, Who::Always(caller), "stdio");
    let serving = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        serving = handler.serve_with_ct(stdio_pipes(), cancel.child_token()) => serving,
    };
    match serving {
        Ok(running) => {
            running.waiting().await?;
            Ok(())
        }
        // a host that starts us and goes away again is no failure
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(StdioProblem::Handshake(error.to_string())),
    }
}
