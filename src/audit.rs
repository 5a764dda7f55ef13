//! The audit log: one JSON line for each decision, whatever became of it. Holds names and numbers, never
//! an argument's value, a token or a text from upstream.
//!
//! A call is made only once there is a [`Place`] for its line, so no line of a call is lost to a log that
//! is slow: calls wait a moment for it, and are then refused. What a door refuses does nothing and waits for
//! nothing: its line is counted as lost where there is no place. A log that cannot be written at all (a full
//! disk) ends no service: the lines that it costs are counted, and the error is logged once.

mod line;
#[cfg(test)]
mod tests;

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc::{Permit, Receiver, Sender, channel};

pub use line::{Line, Refused};

use crate::ending::at_end;

/// Lines that may wait for the disk.
const WAITING: usize = 16_384;

/// How long a line may wait for others.
const GATHER: Duration = Duration::from_millis(2);

/// How long a call waits for a place in a full log.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the last lines may take when the log is closed.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Where lines go. Cheap to write to: a thread of its own does the I/O.
#[derive(Debug)]
pub struct Audit {
    lines: Option<Sender<Entry>>,
    /// Says something, or closes, when everything is written.
    written: Mutex<Option<mpsc::Receiver<()>>>,
    lost: Counter,
    patience: Duration,
}

/// What waits for the thread.
#[derive(Debug)]
enum Entry {
    Line(String),
    /// Says something when all lines before it are written.
    Mark(mpsc::Sender<()>),
}

/// Room for one line, held from before a call is made until its line is written.
#[derive(Debug)]
pub(crate) struct Place<'a>(Option<Permit<'a, Entry>>);

/// The log has been full for longer than a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is not being written fast enough")]
pub(crate) struct Full;

impl Audit {
    /// Nowhere: for one-shot commands of the local user.
    pub fn off() -> Self {
        Self { lines: None, written: Mutex::new(None), lost: Counter::default(), patience: PATIENCE }
    }

    /// To standard error.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn stderr() -> io::Result<Self> {
        Self::to(io::stderr(), WAITING, PATIENCE)
    }

    /// Appended to a file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        Self::to(OpenOptions::new().create(true).append(true).open(path)?, WAITING, PATIENCE)
    }

    fn to(sink: impl Write + Send + 'static, room: usize, patience: Duration) -> io::Result<Self> {
        let (lines, waiting) = channel(room);
        let (ended, written) = mpsc::channel();
        let lost = Counter::default();
        let counted = lost.clone();
        thread::Builder::new().name("audit".to_owned()).spawn(move || {
            drain(waiting, sink, &counted);
            drop(ended);
        })?;
        let weak = lines.downgrade();
        at_end(move || {
            let (mark, written) = mpsc::channel();
            let Some(lines) = weak.upgrade() else { return };
            let sent = lines.try_send(Entry::Mark(mark));
            if sent.is_err() || written.recv_timeout(LAST_LINES).is_err() {
                tracing::error!("the audit log hangs: its last lines may be lost");
            }
        });
        Ok(Self { lines: Some(lines), written: Mutex::new(Some(written)), lost, patience })
    }

    /// Lines that were lost.
    pub(crate) fn lost(&self) -> &Counter {
        &self.lost
    }

    /// Room for the line of a call that is about to be made.
    ///
    /// # Errors
    /// [`Full`], after two seconds.
    pub(crate) async fn place(&self) -> Result<Place<'_>, Full> {
        let Some(lines) = &self.lines else { return Ok(Place(None)) };
        let permit = tokio::time::timeout(self.patience, lines.reserve()).await;
        permit.map_err(|_| Full)?.map(|permit| Place(Some(permit))).map_err(|_| Full)
    }

    /// Writes that something has ended which has a line of its beginning. It waits for nothing.
    pub(crate) fn ended(&self, line: &Line) {
        let Some(lines) = &self.lines else { return };
        let text = serde_json::to_string(line);
        if !text.is_ok_and(|text| lines.try_send(Entry::Line(text)).is_ok()) {
            self.lost.inc();
        }
    }

    /// Writes that a request was refused.
    pub(crate) fn refused(&self, refused: &Refused<'_>) {
        let Some(lines) = &self.lines else { return };
        let text = serde_json::to_string(&line::RefusedLine::from(refused));
        if !text.is_ok_and(|text| lines.try_send(Entry::Line(text)).is_ok()) {
            self.lost.inc();
        }
    }
}

impl Place<'_> {
    /// Writes the line that it was kept for.
    pub(crate) fn write(self, line: &Line) {
        let Some(permit) = self.0 else { return };
        match serde_json::to_string(line) {
            Ok(text) => permit.send(Entry::Line(text)),
            Err(_) => tracing::error!(call = line.call, "a defect: an audit line is not JSON"),
        }
    }
}

impl Drop for Audit {
    /// Waits until every line is written, or two seconds where the sink hangs.
    fn drop(&mut self) {
        self.lines = None;
        let written = self.written.get_mut().take().map(|written| written.recv_timeout(LAST_LINES));
        if written == Some(Err(mpsc::RecvTimeoutError::Timeout)) {
            tracing::error!("the audit log hangs: its last lines may be lost");
        }
    }
}

fn drain(mut waiting: Receiver<Entry>, sink: impl Write, lost: &Counter) {
    let mut sink = BufWriter::with_capacity(64 << 10, sink);
    let mut failing = false;
    while let Some(first) = waiting.blocking_recv() {
        // Under load, one write for all lines of a moment: a thread that is woken for each line
        // costs the calls more than the lines do.
        thread::sleep(GATHER);
        let (mut lines, mut marks): (u64, Vec<mpsc::Sender<()>>) = (0, Vec::new());
        let mut result = Ok(());
        let mut next = Some(first);
        while let Some(entry) = next {
            match entry {
                Entry::Line(mut line) => {
                    // with its end in one piece: another process may append to the same file
                    line.push('\n');
                    lines += 1;
                    result = result.and_then(|()| sink.write_all(line.as_bytes()));
                }
                Entry::Mark(mark) => marks.push(mark),
            }
            next = waiting.try_recv().ok();
        }
        let failed = result.and_then(|()| sink.flush()).err();
        if let Some(error) = &failed {
            lost.inc_by(lines);
            if !failing {
                tracing::error!(%error, "the audit log cannot be written; lines are lost until it can");
            }
        }
        failing = failed.is_some();
        for mark in marks {
            let _ = mark.send(());
        }
    }
}
