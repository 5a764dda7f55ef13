//! [`Endpoints`]: where clusters of an environment were found to be. Facts about uids, without anything that says who
//! may know of them: whoever asks has to see the cluster first.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::kubernetes::Endpoint;

/// An API server hardly ever moves.
const GOOD: Duration = Duration::from_secs(600);
/// Clusters that are remembered.
const MOST: usize = 10_000;

/// Where the API servers of clusters are, by uid; of some that they are nowhere yet.
#[derive(Debug, Default)]
pub struct Endpoints(Mutex<HashMap<String, (Instant, Vec<Endpoint>)>>);

impl Endpoints {
    /// Keeps where a cluster is.
    pub fn remember(&self, uid: &str, endpoints: Vec<Endpoint>) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.retain(|_, (learned, _)| learned.elapsed() < GOOD);
        }
        if known.len() < MOST {
            known.insert(uid.to_owned(), (Instant::now(), endpoints));
        }
    }

    /// Where a cluster is; nothing where nobody has asked of late.
    pub fn of(&self, uid: &str) -> Option<Vec<Endpoint>> {
        let known = self.0.lock();
        let (learned, endpoints) = known.get(uid)?;
        (learned.elapsed() < GOOD).then(|| endpoints.clone())
    }
}
