//! Where a large document is looked through: beside the async tasks, at most two at once.

use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::Redaction;
use crate::{Error, ErrorKind, kubernetes::Fault};

/// Documents of one caller must not take the processors of all others.
static READERS: Semaphore = Semaphore::const_new(2);
/// Bytes of a document that is read sooner than a thread is found for it.
const SMALL: usize = 64 << 10;

impl Redaction {
    /// A document as it came, and without the values that the caller may not read.
    ///
    /// # Errors
    /// Its turn did not come within the deadline.
    pub(super) async fn aside(self, whole: Vec<u8>) -> Result<(Vec<u8>, Result<Vec<u8>, Fault>), Error> {
        if whole.len() <= SMALL {
            let redacted = self.redacted(&whole);
            return Ok((whole, redacted));
        }
        let (began, deadline) = (Instant::now(), self.access.deadline());
        let defect =
            || Error::new(ErrorKind::Internal, "an answer about Secrets could not be looked through");
        let read = async {
            let permit = READERS.acquire().await.map_err(|_| defect())?;
            let read = spawn_blocking(move || {
                // held here: a call that ended early leaves its thread running for a moment
                let _permit = permit;
                let redacted = self.redacted(&whole);
                (whole, redacted)
            });
            read.await.map_err(|_| defect())
        };
        timeout_at(deadline, read).await.map_err(|_| Fault::Timeout(began.elapsed()))?
    }
}
