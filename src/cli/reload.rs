//! Takes up a changed configuration file while serving: when it is another one, and at SIGHUP. What is
//! wrong with a new one is logged, and what held before goes on.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{Failure, Global, setup};
use crate::{
    config::{Before, Built, Config, watch::Watch},
    door::serving::{Served, Serving},
};

/// To read the configuration, and the files that it names.
const READ: Duration = Duration::from_secs(10);
/// Reads that hang, each with a thread of its own, before there are no more attempts until one ends.
const HUNG: usize = 16;

/// The configuration that is served, and what it was read from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    global: Global,
    http: bool,
    config: Arc<Config>,
}

impl Source {
    /// Reads the file and the flags. `http`: for callers over HTTP.
    pub(super) fn read(global: &Global, http: bool) -> Result<Self, Failure> {
        let config = global.config()?;
        let config = if http { config.for_http() } else { config };
        Ok(Self { global: global.clone(), http, config: Arc::new(config) })
    }

    /// What was read.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// What is there now, and what is made of it in place of what is served.
    fn again(&self, served: &Served) -> Result<(Self, Built), Failure> {
        // a pipe would be waited for, though at the start it is a way to hand a configuration over
        if let Some(file) = self.global.file()
            && std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file())
        {
            return Err(unreadable("it is not a regular file"));
        }
        let next = Self::read(&self.global, self.http)?;
        let before = Before { toolbox: &served.toolbox, callers: &served.callers };
        let built = next.config.rebuild(before)?;
        if served.callers.need_token() && !built.callers.need_token() {
            return Err(Failure::usage(
                "issuers: there are none any more, so callers would need no token; that takes a restart",
            ));
        }
        Ok((next, built))
    }
}

/// A configuration file that is followed.
#[derive(Debug)]
pub(super) struct Reload {
    watch: Watch,
    asked: Asked,
}

impl Reload {
    /// Follows the file from now on, if there is one. To be called before it is read, so that no change is
    /// missed. Without a file SIGHUP keeps its usual meaning, which is the end.
    pub(super) fn begin(global: &Global) -> Option<Self> {
        let watch = Watch::new(global.file()?);
        Asked::listen().map(|asked| Self { watch, asked }).ok()
    }

    /// Replaces what is served at each change that makes sense. Never ends.
    pub(super) async fn follow(mut self, mut source: Source, serving: Arc<Serving>) {
        let started = Arc::clone(&source.config);
        let threads = Arc::new(Semaphore::new(HUNG));
        loop {
            tokio::select! {
                () = self.watch.changed() => {}
                () = self.asked.next() => self.watch.seen().await,
            }
            let file = self.watch.path().display();
            let (before, served) = (source.clone(), Arc::clone(&serving.now()));
            match within(READ, &threads, move || before.again(&served)).await {
                Ok((next, built)) => {
                    for key in next.config.needs_restart(&started) {
                        tracing::warn!("{file}: {key} is not what it was at the start; that needs a restart");
                    }
                    setup::log(&built);
                    built.callers.warm();
                    built.toolbox.registry().keep();
                    let ended = Arc::clone(serving.now().toolbox.registry());
                    serving.replace(Served::new(built.toolbox, built.callers, built.terms));
                    ended.end();
                    source = next;
                    tracing::info!("{file}: read again; it holds from now on");
                }
                Err(failure) => kept(&named(&self.watch, &failure)),
            }
        }
    }
}

/// Does what reads files, one of which may be on a disk that hangs: its thread is then left to itself.
async fn within<T: Send + 'static>(
    time: Duration,
    threads: &Arc<Semaphore>,
    read: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let Ok(thread) = Arc::clone(threads).try_acquire_owned() else {
        return Err(unreadable("earlier attempts still hang"));
    };
    let reading = tokio::task::spawn_blocking(move || {
        let _thread = thread;
        read()
    });
    match tokio::time::timeout(time, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err(unreadable("a defect while it was read")),
        Err(_elapsed) => Err(unreadable(&format!("it, or a file that it names, hangs for {time:?}"))),
    }
}

fn unreadable(why: &str) -> Failure {
    Failure::failed(format!("the configuration cannot be read: {why}"))
}

fn kept(why: &str) {
    tracing::error!("{why}; the configuration before it goes on");
}

/// With the file in front, where the failure does not say it itself.
fn named(watch: &Watch, failure: &Failure) -> String {
    let (file, said) = (watch.path().display().to_string(), failure.to_string());
    if said.starts_with(&file) { said } else { format!("{file}: {said}") }
}

/// Someone who asks for it with SIGHUP.
#[derive(Debug)]
struct Asked {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Asked {
    #[cfg(unix)]
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signal: signal(SignalKind::hangup())? })
    }

    #[cfg(not(unix))]
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_read_that_hangs_is_given_up_and_further_ones_go_on_while_there_are_threads() {
        let threads = Arc::new(Semaphore::new(2));
        let time = Duration::from_millis(50);
        let (end, hangs) = std::sync::mpsc::channel::<()>();
        let hung = within(time, &threads, move || Ok(hangs.recv().is_err())).await;
        let why = hung.expect_err("it hangs").to_string();
        assert!(
            why.starts_with("the configuration cannot be read: ") && why.ends_with("hangs for 50ms"),
            "{why}"
        );
        let minute = Duration::from_secs(60);
        assert_eq!(within(minute, &threads, || Ok(1)).await.expect("another thread"), 1);
        let (other, hangs) = std::sync::mpsc::channel::<()>();
        assert!(within(time, &threads, move || Ok(hangs.recv().is_err())).await.is_err());
        let why = within(minute, &threads, || Ok(1)).await.expect_err("no thread is left").to_string();
        assert!(why.ends_with("earlier attempts still hang"), "{why}");
        drop((end, other));
        let both = tokio::time::timeout(minute, threads.acquire_many(2)).await;
        drop(both.expect("they end").expect("it is open"));
        assert_eq!(within(minute, &threads, || Ok(1)).await.expect("a thread again"), 1);
    }
}
