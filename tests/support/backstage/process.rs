//! The process of Node that backends run in: `tests/backstage/index.js`.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::parts;
use super::{ENTITIES_TOKEN, MACHINE_TOKEN, part};

/// Longer than a start takes on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(90);

/// Ends with this process, at the end of its stdin.
pub(crate) struct Process {
    stdin: Mutex<ChildStdin>,
    waiting: Arc<Mutex<HashMap<String, Sender<Value>>>>,
    said: Arc<Mutex<String>>,
    _child: Child,
}

/// A backend in a process. Dropped, it is told to end, and not waited for.
pub(super) struct Backend {
    id: String,
    process: &'static Process,
}

impl Process {
    /// The one of this test binary.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Process> = OnceLock::new();
        SHARED.get_or_init(Self::start_node)
    }

    /// One for a single backend, to be measured.
    pub(crate) fn own() -> &'static Self {
        Box::leak(Box::new(Self::start_node()))
    }

    fn start_node() -> Self {
        let folder = parts::backstage();
        let mut child = Command::new(folder.join("bin/node"))
            .arg(part("index.js"))
            .env_clear()
            // where the packages are: not beside those who ask for them
            .env("NODE_PATH", folder.join("node_modules"))
            .env("PATH", folder.join("bin"))
            .current_dir(folder)
            // Ctrl-C ends this process; Backstage then sees the end of its stdin.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("node starts");
        let stdin = Mutex::new(child.stdin.take().expect("it has a stdin"));
        let stdout = BufReader::new(child.stdout.take().expect("it has a stdout"));
        let stderr = BufReader::new(child.stderr.take().expect("it has a stderr"));
        let waiting = Arc::new(Mutex::new(HashMap::<String, Sender<Value>>::new()));
        let answers = Arc::clone(&waiting);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let answer: Value = serde_json::from_str(&line).unwrap_or_default();
                let id = answer["id"].as_str().unwrap_or_default();
                let waits = answers.lock().expect("no holder panics").remove(id);
                waits.map(|waits| waits.send(answer));
            }
            // nobody waits for a process that has ended
            answers.lock().expect("no holder panics").clear();
        });
        let said = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&said);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut kept = kept.lock().expect("no holder panics");
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { stdin, waiting, said, _child: child }
    }

    /// Starts a backend with these configuration files, in this order.
    ///
    /// # Errors
    /// Why it does not start, in Backstage's words.
    pub(super) fn start(
        &'static self,
        configs: &[PathBuf],
        platform_mcp: &str,
        log: &Path,
        conditional: bool,
    ) -> Result<Backend, String> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = format!("backend-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let environment = json!({
            "PLATFORM_MCP_URL": platform_mcp,
            "PLATFORM_MCP_HOST": platform_mcp.trim_start_matches("http://"),
            "PLATFORM_MCP_ENTITIES_TOKEN": ENTITIES_TOKEN, "MACHINE_TOKEN": MACHINE_TOKEN, "CATALOG_FILE": part("catalog.yaml"),
        });
        let start =
            json!({"configs": configs, "environment": environment, "log": log, "conditional": conditional});
        let answer = self.ask(&id, &json!({"id": id, "start": start}));
        match answer["failed"].as_str() {
            None => Ok(Backend { id, process: self }),
            Some(why) => Err(why.to_owned()),
        }
    }

    /// The memory that all of its backends hold, in bytes (resident set size), and the time of a request that
    /// does nothing.
    pub(crate) fn resident(&self) -> u64 {
        let answer = self.ask("nothing", &json!({"id": "nothing"}));
        answer["resident"].as_u64().expect("a number")
    }

    fn ask(&self, id: &str, message: &Value) -> Value {
        let (send, answer) = channel();
        self.waiting.lock().expect("no holder panics").insert(id.to_owned(), send);
        self.tell(message);
        answer.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            panic!("Backstage's process does not answer ({error}): {}", self.said.lock().expect("kept"))
        })
    }

    fn tell(&self, message: &Value) {
        let mut stdin = self.stdin.lock().expect("no holder panics");
        // where it has ended, nothing answers, and what it said is shown then
        let _ = writeln!(stdin, "{message}");
    }
}

impl Backend {
    pub(super) fn stop(self) {
        let answer = self.process.ask(&self.id, &json!({"id": self.id, "stop": true}));
        assert!(answer.get("failed").is_none(), "{answer}");
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.process.tell(&json!({"id": self.id, "stop": true}));
    }
}
