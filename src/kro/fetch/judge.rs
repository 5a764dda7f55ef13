//! Where the slow and synchronous part of a call runs: beside the async tasks, at most two at once.

use super::Reader;
use crate::kro::expression::Work;
use crate::{Error, ErrorKind};
use tokio::sync::Semaphore;

/// The CEL of one tenant must not take the processors of all others.
static JUDGES: Semaphore = Semaphore::const_new(2);

impl Reader {
    /// Runs `work` on a thread where it keeps nobody waiting. It is asked to stop when this reader is
    /// dropped, which is when the call ends, in whatever way.
    ///
    /// # Errors
    /// It panicked, which is a defect.
    pub async fn judge<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Work) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let defect = || Error::new(ErrorKind::Internal, "the graph could not be judged");
        let permit = JUDGES.acquire().await.map_err(|_| defect())?;
        let shared = self.work.clone();
        let judged = tokio::task::spawn_blocking(move || {
            // held here: a call that ended early leaves its thread running for a moment
            let _permit = permit;
            shared.stretch(work)
        });
        judged.await.map_err(|_| defect())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.work.stop();
    }
}
