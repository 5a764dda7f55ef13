//! Reading one source again and again, for as long as its registry is in use.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::{sleep_until, timeout};

use super::{
    super::sources::Found,
    ClusterSource, Reading, Registry,
    source::{Content, content, of_files},
};

/// To read files. Where a disk hangs, that is said, and the same reading is waited for: with each further one,
/// another thread would hang.
const FILES: Duration = Duration::from_secs(5);
/// To ask elsewhere. A source has an end of its own before.
const ASKED: Duration = Duration::from_secs(30);

/// What a look at a source brought.
enum Look {
    Same,
    Found(Result<Found, String>, Option<Content>),
    Elsewhere(BoxFuture<'static, Result<Found, String>>),
}

pub(super) async fn keeping(registry: Weak<Registry>, index: usize) {
    loop {
        let Some(next) =
            registry.upgrade().and_then(|held| Some(held.now.load().sources().get(index)?.next()))
        else {
            return;
        };
        sleep_until(next).await;
        let Some(held) = registry.upgrade() else { return };
        let now = held.now();
        let (Some(source), Some(state)) = (held.sources.get(index), now.sources().get(index)) else { return };
        let (source, (files, seen)) = (Arc::clone(source), state.seen());
        drop((held, now));
        let mut looking = tokio::task::spawn_blocking(move || look(&*source, &files, seen));
        let look = loop {
            match timeout(FILES, &mut looking).await {
                Ok(Ok(look)) => break look,
                Ok(Err(_defect)) => break Look::Found(Err("a defect while it was read".to_owned()), None),
                Err(_elapsed) => {
                    let Some(held) = registry.upgrade() else { return };
                    held.settle(index, Err("the disk that it is on hangs".to_owned()), None);
                }
            }
        };
        let (found, content) = match look {
            Look::Same => {
                let Some(held) = registry.upgrade() else { return };
                held.settle_same(index);
                continue;
            }
            Look::Found(found, content) => (found, content),
            Look::Elsewhere(asked) => match timeout(ASKED, asked).await {
                Ok(found) => (found, None),
                Err(_elapsed) => (Err("it did not answer in time".to_owned()), None),
            },
        };
        let Some(held) = registry.upgrade() else { return };
        held.settle(index, found, content);
    }
}

fn look(source: &dyn ClusterSource, files: &[std::path::PathBuf], seen: Option<Content>) -> Look {
    if seen.is_some() && content(files) == seen {
        return Look::Same;
    }
    match of_files(source) {
        Some((found, content)) => Look::Found(found, content),
        None => match source.read() {
            Reading::Asked(asked) => Look::Elsewhere(asked),
            Reading::Files(found) => Look::Found(found, None),
        },
    }
}
