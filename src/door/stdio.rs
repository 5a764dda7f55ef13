//! Standard input and output: one caller, for the life of the process.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rmcp::{ServiceExt as _, service::ServerInitializeError, transport::io::stdio_pipes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::{
    mcp::{Mcp, Prepares},
    serving::Serving,
    who::Who,
};

/// What audit lines call it.
pub(super) const DOOR: &str = "stdio";

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
pub async fn serve(serving: Arc<Serving>, who: Who, cancel: CancellationToken) -> Result<(), StdioProblem> {
    let (input, output) = stdio_pipes();
    let input = UntilEnd { input, ended: serving.ending().clone() };
    let handler = Prepares(Mcp::new(serving, who, DOOR));
    let serving = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        serving = handler.serve_with_ct((input, output), cancel.child_token()) => serving,
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

/// Input that says when it has ended: calls under way are then waited for, and subscriptions must not be.
struct UntilEnd<R> {
    input: R,
    ended: CancellationToken,
}

impl<R: AsyncRead + Unpin> AsyncRead for UntilEnd<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.input).poll_read(context, buffer));
        if read.is_err() || (buffer.filled().len() == before && buffer.remaining() > 0) {
            self.ended.cancel();
        }
        Poll::Ready(read)
    }
}
