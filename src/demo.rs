//! The sample platform: a small one, recorded from a real control plane, served read-only on loopback to the
//! client that talks to real clusters.
//!
//! `demo/` beside `src/` holds what was recorded, what it was made from, and how to record again.

mod accept;
mod ages;
mod collection;
mod discovery;
mod field_selector;
mod page;
pub mod palette;
mod recording;
mod refusal;
mod route;
mod sample;
mod serve;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, serve::ListenerExt as _};
use jiff::Timestamp;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::sample::Sample;
use self::{recording::Recording, serve::Platform};

/// A Kubernetes API over the recorded platform.
#[derive(Debug)]
pub struct Api;

/// The API while it is served; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: DropGuard,
    task: JoinHandle<io::Result<()>>,
}

impl Api {
    /// Reads the recording and serves it on a free loopback port.
    ///
    /// # Errors
    /// No port can be had, or the recording cannot be read.
    pub async fn start() -> io::Result<Running> {
        let recording = Arc::new(Recording::at(Timestamp::now())?);
        let stop = CancellationToken::new();
        let platform = Platform { recording, stop: stop.clone() };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Without it, answers of more than a packet wait for the client's delayed acknowledgement.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let router = Router::new().fallback(serve::answer).with_state(platform);
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future());
        Ok(Running { address, stop: stop.drop_guard(), task })
    }
}

impl Running {
    /// Where a client finds it, as it would stand in a kubeconfig's `server`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it, and returns when the answers under way are given.
    pub async fn shutdown(self) {
        drop(self.stop);
        // It ends with an error only where accepting does, and then it is over as well.
        let _ended = self.task.await;
    }
}
