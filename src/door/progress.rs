//! What a call says while it runs, as MCP's `notifications/progress`: strictly increasing, not too often, and
//! on the stream of the answer, before it.

use std::time::Duration;

use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::{Peer, RequestContext},
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::toolbox::Progress;

/// Between two notifications of a call. What is said meanwhile is told by the last line of it.
const APART: Duration = Duration::from_millis(250);
/// How long a client may take to be told; then it is told no more of this call.
const TELLING: Duration = Duration::from_secs(10);
/// How long the answer waits for the last line.
const LAST: Duration = Duration::from_secs(1);

/// Somebody who wants to hear how far a call is.
pub(super) struct Listener {
    client: Peer<RoleServer>,
    token: ProgressToken,
    heard: mpsc::Receiver<String>,
    told: u32,
}

impl Listener {
    /// A progress for the call, and who hears of it, where the client asked for that.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> (Progress, Option<Self>) {
        let Some(token) = context.meta.get_progress_token() else { return (Progress::default(), None) };
        let (progress, heard) = Progress::heard();
        (progress, Some(Self { client: context.peer.clone(), token, heard, told: 0 }))
    }

    /// Tells the client while `call` runs; what it comes to.
    pub(super) async fn during<T>(mut self, call: impl Future<Output = T>) -> T {
        let result = tokio::select! {
            biased;
            result = call => result,
            () = self.tell() => std::future::pending().await,
        };
        if let Some(line) = last(&mut self.heard) {
            let _ = timeout(LAST, self.say(line)).await;
        }
        result
    }

    /// Never ends: the call does.
    async fn tell(&mut self) {
        while let Some(line) = self.heard.recv().await {
            let line = last(&mut self.heard).unwrap_or(line);
            if !matches!(timeout(TELLING, self.say(line)).await, Ok(true)) {
                break;
            }
            sleep(APART).await;
        }
        std::future::pending::<()>().await;
    }

    async fn say(&mut self, line: String) -> bool {
        self.told += 1;
        let said = ProgressNotificationParam::new(self.token.clone(), self.told.into()).with_message(line);
        self.client.notify_progress(said).await.is_ok()
    }
}

/// The last of the lines that wait.
fn last(heard: &mut mpsc::Receiver<String>) -> Option<String> {
    std::iter::from_fn(|| heard.try_recv().ok()).last()
}
