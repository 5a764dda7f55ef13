//! A prism process with the contract of `palette/contract.json`.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use super::parts;

/// What it says when it is ready.
const READY: &str = "Prism is listening on ";

/// Longer than it ever takes to load the contract.
const PATIENCE: Duration = Duration::from_secs(120);

/// Ends when it is dropped, or this process ends.
pub(crate) struct Prism {
    pub(crate) url: String,
    log: Arc<Mutex<Vec<String>>>,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Prism {
    /// A proxy before `upstream`.
    ///
    /// # Panics
    /// Where it does not start.
    pub(crate) fn start(upstream: &str) -> Self {
        let folder = parts::node();
        let mut child = Command::new(folder.join("bin/node"))
            .arg(parts::support("palette/prism.mjs"))
            .arg(folder)
            .arg(parts::support("palette/contract.json"))
            .arg(upstream)
            // Ctrl-C ends this process; prism then sees the end of its stdin.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it has a stdout");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (ready, address) = mpsc::channel();
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once(READY) {
                    let _ = ready.send(url.trim().to_owned());
                } else if !line.contains(" info ") {
                    kept.lock().expect("no holder panics").push(line);
                }
            }
        });
        let url = address.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = writeln!(std::io::stderr(), "{:?}", log.lock());
            panic!("prism does not start");
        });
        Self { url, log, child, stdin }
    }

    /// What it found wrong so far, in its own words: a line a violation or failure.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("no holder panics").clone()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
