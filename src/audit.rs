//! The audit log: one JSON line for each call, whatever became of it. Holds names and numbers, never
//! an argument's value or a text from upstream.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::{Error, answer::Finished, kubernetes::Meter, toolbox::Request};

/// Lines that may wait for the disk; beyond it calls wait, because no line is dropped.
const WAITING: usize = 16_384;

/// How long a line may wait for others.
const GATHER: Duration = Duration::from_millis(2);

/// One call, as the log keeps it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    time: String,
    /// Number of the call; also in the `User-Agent` of its upstream requests.
    pub call: String,
    door: &'static str,
    caller: Who,
    /// The tool, or what was asked for instead of one.
    pub tool: String,
    /// allow, deny, or empty where it did not come to a decision.
    pub decision: &'static str,
    /// The rule that decided.
    pub rule: String,
    /// What the decision was about.
    pub scope: String,
    ms: f64,
    upstream_requests: u64,
    upstream_bytes: u64,
    answer_bytes: usize,
    /// `ok`, or the kind of error.
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Who {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    subject: String,
    username: String,
}

impl Line {
    pub(crate) fn new(request: &Request, call: String) -> Self {
        let caller = &request.caller;
        Self {
            time: Timestamp::now().to_string(),
            call,
            door: request.door,
            caller: Who {
                issuer: caller.issuer().map(str::to_owned),
                subject: caller.subject().to_owned(),
                username: caller.username().to_owned(),
            },
            ..Self::default()
        }
    }

    pub(crate) fn finish(&mut self, started: Instant, meter: &Meter, result: &Result<Finished, Error>) {
        self.ms = (started.elapsed().as_secs_f64() * 1e5).round() / 100.0;
        self.upstream_requests = meter.requests();
        self.upstream_bytes = meter.bytes();
        match result {
            Ok(finished) => {
                self.outcome = "ok";
                self.answer_bytes = finished.text.len();
                self.partial = finished.partial;
            }
            Err(error) => self.outcome = error.outcome(),
        }
    }

    /// Seconds the call took.
    pub fn seconds(&self) -> f64 {
        self.ms / 1e3
    }
}

/// Where lines go. Cheap to write to: a thread of its own does the I/O.
#[derive(Debug)]
pub struct Audit {
    lines: Option<SyncSender<String>>,
    writer: Option<thread::JoinHandle<()>>,
}

impl Audit {
    /// Nowhere: for one-shot commands of the local user.
    pub fn off() -> Self {
        Self { lines: None, writer: None }
    }

    /// To standard error.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn stderr() -> io::Result<Self> {
        Self::to(io::stderr())
    }

    /// Appended to a file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        Self::to(OpenOptions::new().create(true).append(true).open(path)?)
    }

    fn to(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        let writer = thread::Builder::new().name("audit".to_owned()).spawn(move || drain(&waiting, sink))?;
        Ok(Self { lines: Some(lines), writer: Some(writer) })
    }

    pub(crate) fn write(&self, line: &Line) {
        let Some(lines) = &self.lines else { return };
        let written = serde_json::to_string(line).is_ok_and(|text| lines.send(text).is_ok());
        if !written {
            tracing::error!(call = line.call, "an audit line was lost");
        }
    }
}

impl Drop for Audit {
    /// Waits until every line is written.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn drain(waiting: &Receiver<String>, sink: impl Write) {
    let mut sink = BufWriter::with_capacity(64 << 10, sink);
    while let Ok(line) = waiting.recv() {
        // Under load, one write for all lines of a moment: a thread that is woken for each line
        // costs the calls more than the lines do.
        thread::sleep(GATHER);
        let mut failed = writeln!(sink, "{line}").is_err();
        for line in waiting.try_iter() {
            failed |= writeln!(sink, "{line}").is_err();
        }
        failed |= sink.flush().is_err();
        if failed {
            tracing::error!("the audit log cannot be written");
        }
    }
}
