//! A simulated SpectroCloud Palette: the read side of its API (4.8) over tenants that are plain data.
//!
//! It follows the contract's shapes and what is known of the service beyond the contract: scopes, request
//! limits, pages, both kinds of errors. It refuses what the contract does not have, counts what it is asked,
//! and can be told to fail. One serves many tenants; the key of a request tells which.

mod answers;
mod asked;
mod body;
mod data;
mod endpoint;
mod fault;
mod limits;
mod page;
mod refusal;
mod serve;
mod tenant;
#[cfg(test)]
mod tests;
mod view;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, serve::ListenerExt as _};
use parking_lot::RwLock;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::{
    data::{
        Attached, CloudAccount, Cluster, ClusterGroup, Condition, Credit, Data, Event, Health,
        HealthCondition, Kubeconfigs, Making, Manifest, Metrics, Notification, Oidc, Pace, Pack, Pool,
        Profile, Project, Repave, RepaveReason, Upgrade, Usage, User, Variable, Version, Virtual, uid,
    },
    fault::{Failure, Fault},
    limits::Limits,
    tenant::{Sent, Tenant},
};

/// The simulator.
#[derive(Debug)]
pub struct Simulator;

/// The simulator while it is served; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    tenants: Arc<RwLock<Vec<Tenant>>>,
    stop: DropGuard,
    task: JoinHandle<io::Result<()>>,
}

impl Simulator {
    /// Serves it, without a tenant as yet, on a free loopback port.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start() -> io::Result<Running> {
        let stop = CancellationToken::new();
        let tenants = Arc::<RwLock<Vec<Tenant>>>::default();
        let served = serve::Served { tenants: Arc::clone(&tenants), stop: stop.clone() };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Without it, answers of more than a packet wait for the client's delayed acknowledgement.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let router = Router::new().fallback(serve::answer).with_state(served);
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future());
        Ok(Running { address, tenants, stop: stop.drop_guard(), task })
    }
}

impl Running {
    /// Where a client finds it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves that tenant too.
    pub fn add(&self, tenant: Tenant) {
        self.tenants.write().push(tenant);
    }

    /// Stops it, and returns when the answers under way are given.
    pub async fn shutdown(self) {
        drop(self.stop);
        // It ends with an error only where accepting does, and then it is over as well.
        let _ended = self.task.await;
    }
}
