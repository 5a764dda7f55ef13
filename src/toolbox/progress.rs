//! [`Progress`]: where a call that takes its time says how far it is.

use tokio::sync::mpsc;

/// Lines that wait for a client that reads slowly; later ones are left out.
const WAITING: usize = 64;

/// Where a call says how far it is. Nobody may listen.
#[derive(Clone, Debug, Default)]
pub struct Progress(Option<mpsc::Sender<String>>);

impl Progress {
    /// A progress, and where to hear of it.
    pub fn heard() -> (Self, mpsc::Receiver<String>) {
        let (tell, heard) = mpsc::channel(WAITING);
        (Self(Some(tell)), heard)
    }

    /// Says a line, unless nobody listens or the listener is behind. It is sent as it is: whoever tells
    /// must have scrubbed it ([`super::Call::tell`] does).
    pub(super) fn tell(&self, line: String) {
        if let Some(tell) = &self.0 {
            // a listener that is behind reads the whole story in the answer
            let _ = tell.try_send(line);
        }
    }
}
