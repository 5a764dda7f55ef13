//! [`KeptClient`]: the HTTP client of a backend, kept for a while: to make one reads the system's authorities, which
//! costs more than all that a user is asked about.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use reqwest::{Client, Url};

use crate::remote::{self, Times};

/// After this long a changed authority is seen.
const KEPT: Duration = Duration::from_secs(60);
/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(2);
/// For one request.
const WHOLE: Duration = Duration::from_secs(5);

/// The client, where one was made of late.
#[derive(Clone, Debug, Default)]
pub struct KeptClient(Arc<Mutex<Option<(Client, Instant)>>>);

/// Two backends are the same whatever their clients.
impl PartialEq for KeptClient {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KeptClient {}

impl KeptClient {
    /// The client for this place.
    pub(super) async fn get(&self, ca_file: Option<PathBuf>, place: &Url) -> Result<Client, String> {
        let kept = self.0.lock().clone();
        if let Some((client, since)) = kept
            && since.elapsed() < KEPT
        {
            return Ok(client);
        }
        let client = remote::client(ca_file, place, Times { connect: CONNECT, whole: WHOLE }).await?;
        *self.0.lock() = Some((client.clone(), Instant::now()));
        Ok(client)
    }
}
