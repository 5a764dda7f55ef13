//! The API server's audit log: what was asked of it, by whom and as whom.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, reason = "a broken rig must fail the test at once and say why")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than the API server takes to write a line, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(20);

/// The log of one API server.
pub(crate) struct AuditLog {
    file: PathBuf,
}

impl AuditLog {
    /// The one in this file.
    pub(crate) fn at(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// Where it ends now, once it has been still for a moment.
    pub(crate) fn mark(&self) -> u64 {
        let length = || fs::metadata(&self.file).map_or(0, |file| file.len());
        until_still(Duration::from_millis(100), Duration::from_secs(1), length)
    }

    /// The lines since `mark` whose user agent contains the text, once no more have come for 300 ms.
    pub(crate) fn since(&self, mark: u64, user_agent_contains: &str) -> Vec<AuditLine> {
        let mut tail = self.tail(mark, user_agent_contains);
        until_still(Duration::from_millis(300), Duration::from_secs(5), || tail.read());
        tail.found
    }

    /// The lines since `mark` whose user agent contains the text, once they are enough.
    ///
    /// # Panics
    /// Where they never are, with those that came.
    #[track_caller]
    pub(crate) fn until(
        &self,
        mark: u64,
        user_agent_contains: &str,
        enough: impl Fn(&[AuditLine]) -> bool,
    ) -> Vec<AuditLine> {
        let mut tail = self.tail(mark, user_agent_contains);
        let began = Instant::now();
        loop {
            tail.read();
            if enough(&tail.found) {
                return tail.found;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "not what was waited for in the audit log: {:#?}",
                tail.found
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn tail(&self, mark: u64, user_agent_contains: &str) -> Tail {
        let mut log = File::open(&self.file).expect("the API server keeps an audit log");
        log.seek(SeekFrom::Start(mark)).expect("the mark is in the log");
        Tail {
            log: BufReader::new(log),
            line: Vec::new(),
            wanted: user_agent_contains.to_owned(),
            found: Vec::new(),
        }
    }
}

/// The end of the log as it grows.
struct Tail {
    log: BufReader<File>,
    line: Vec<u8>,
    wanted: String,
    found: Vec<AuditLine>,
}

impl Tail {
    /// Reads what has come; how many lines there are now.
    fn read(&mut self) -> usize {
        // A line without its end is still being written: the next round reads on.
        while self.log.read_until(b'\n', &mut self.line).is_ok_and(|read| read > 0)
            && self.line.ends_with(b"\n")
        {
            let event = serde_json::from_slice(&self.line).expect("the audit log is JSON lines");
            self.line.clear();
            let entry = AuditLine::from_event(&event);
            if entry.user_agent.contains(&self.wanted) {
                self.found.push(entry);
            }
        }
        self.found.len()
    }
}

/// Reads a value until it has been the same for `still`, or `limit` has passed.
fn until_still<T: PartialEq>(still: Duration, limit: Duration, mut read: impl FnMut() -> T) -> T {
    let began = Instant::now();
    let mut value = read();
    let mut since = Instant::now();
    while since.elapsed() < still && began.elapsed() < limit {
        thread::sleep(Duration::from_millis(20));
        let now = read();
        if now != value {
            value = now;
            since = Instant::now();
        }
    }
    value
}

/// One finished request, as the API server's audit log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditLine {
    /// Its name: what the client sent in the header `Audit-ID`, or one that the API server made.
    pub(crate) id: String,
    /// `get`, `list`, `watch`, `create`, …
    pub(crate) verb: String,
    /// Path and query.
    pub(crate) uri: String,
    /// Who authenticated; empty where nobody did.
    pub(crate) user: String,
    /// The groups of `user`.
    pub(crate) groups: Vec<String>,
    /// As whom the request ran, where that was somebody else.
    pub(crate) impersonated_user: Option<String>,
    /// The groups of `impersonated_user`; the API server adds `system:authenticated`.
    pub(crate) impersonated_groups: Vec<String>,
    /// The UID of `impersonated_user`.
    pub(crate) impersonated_uid: Option<String>,
    /// What else is said of `impersonated_user`.
    pub(crate) impersonated_extra: BTreeMap<String, Vec<String>>,
    /// The client's own name.
    pub(crate) user_agent: String,
    /// The HTTP status of the answer.
    pub(crate) code: u16,
}

impl AuditLine {
    fn from_event(event: &Value) -> Self {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let extra = event.pointer("/impersonatedUser/extra").and_then(Value::as_object);
        Self {
            id: text("/auditID").unwrap_or_default(),
            verb: text("/verb").unwrap_or_default(),
            uri: text("/requestURI").unwrap_or_default(),
            user: text("/user/username").unwrap_or_default(),
            groups: texts(event.pointer("/user/groups")),
            impersonated_user: text("/impersonatedUser/username"),
            impersonated_groups: texts(event.pointer("/impersonatedUser/groups")),
            impersonated_uid: text("/impersonatedUser/uid"),
            impersonated_extra: extra
                .into_iter()
                .flatten()
                .map(|(name, values)| (name.clone(), texts(Some(values))))
                .collect(),
            user_agent: text("/userAgent").unwrap_or_default(),
            code: event
                .pointer("/responseStatus/code")
                .and_then(Value::as_u64)
                .and_then(|code| code.try_into().ok())
                .unwrap_or_default(),
        }
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
