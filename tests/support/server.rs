//! The product binary as a process: over HTTP on a port of its own, over stdio, or run to its end.
//!
//! It sees nothing of the developer's machine (no kubeconfig, no configuration, no environment but what a test
//! gives it) and ends with the test, however that ends.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than any start or answer takes on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the product is started.
pub(crate) struct Product {
    command: Command,
    home: TempDir,
}

impl Product {
    /// The product with these arguments, and with an empty home.
    pub(crate) fn new<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let home = tempfile::tempdir().expect("a folder for the process");
        let mut command = Command::new(env!("CARGO_BIN_EXE_platform-mcp"));
        command.args(arguments).env_clear().env("HOME", home.path()).current_dir(home.path());
        Self { command, home }
    }

    /// Sets an environment variable.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The clusters it knows: those of this kubeconfig.
    #[must_use]
    pub(crate) fn kubeconfig(self, file: impl AsRef<Path>) -> Self {
        self.env("KUBECONFIG", file.as_ref())
    }

    /// Its configuration file, written for this process alone.
    #[must_use]
    pub(crate) fn config(mut self, yaml: &str) -> Self {
        let file = self.write("platform-mcp.yaml", yaml);
        self.command.arg("--config").arg(file);
        self
    }

    /// A file in the process's own folder, which is its home and where it starts.
    pub(crate) fn write(&self, name: &str, content: &str) -> std::path::PathBuf {
        let file = self.home.path().join(name);
        std::fs::write(&file, content).expect("the process's folder takes a file");
        file
    }

    /// Starts it and waits until it says where it serves MCP over HTTP.
    ///
    /// # Panics
    /// Where it ends, or says no address in time, with what it said.
    #[track_caller]
    pub(crate) fn serve(mut self) -> Server {
        let mut process = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the product starts");
        let said = Said::default();
        said.follow(process.stdout.take().expect("it has a stdout"));
        said.follow(process.stderr.take().expect("it has a stderr"));
        let process = Running(process);
        let address = said.until(|text| address_before(text, "/mcp"));
        let address = address.unwrap_or_else(|text| panic!("the product said no address:\n{text}"));
        Server { process, address, said, home: self.home }
    }

    /// Starts it and speaks with it over its standard input and output.
    #[track_caller]
    pub(crate) fn stdio(mut self) -> StdioServer {
        let mut process = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the product starts");
        let said = Said::default();
        said.follow(process.stderr.take().expect("it has a stderr"));
        let stdin = process.stdin.take();
        let stdout = BufReader::new(process.stdout.take().expect("it has a stdout"));
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        StdioServer { process: Running(process), stdin, lines, said, home: self.home }
    }

    /// Runs it to its end with nothing on standard input.
    pub(crate) fn output(mut self) -> Output {
        self.command.stdin(Stdio::null()).output().expect("the product starts")
    }
}

/// The product, serving HTTP.
pub(crate) struct Server {
    process: Running,
    address: SocketAddr,
    said: Said,
    home: TempDir,
}

impl Server {
    /// `platform-mcp serve` on a free loopback port, with no cluster.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Product::new(["serve", "--http", "127.0.0.1:0"]).serve()
    }

    /// `platform-mcp demo` on a free loopback port.
    #[track_caller]
    pub(crate) fn demo() -> Self {
        Product::new(["demo", "--http", "127.0.0.1:0"]).serve()
    }

    /// What it holds of memory now, in KiB (`VmRSS`).
    #[track_caller]
    pub(crate) fn resident_kib(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id()));
        let status = status.expect("it runs, on Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT` and this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where `/metrics` is served, once it has said so.
    #[track_caller]
    pub(crate) fn metrics_url(&self) -> String {
        let address = self.said.until(|text| address_before(text, "/metrics"));
        let address = address.unwrap_or_else(|text| panic!("the product said no metrics address:\n{text}"));
        format!("http://{address}/metrics")
    }

    /// What it has written to stdout and stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.text()
    }

    /// Waits until it has written a line in which `wanted` finds something.
    ///
    /// # Panics
    /// Where it never does.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let found = self.said.until(wanted);
        found.unwrap_or_else(|text| panic!("the product did not say what was waited for:\n{text}"))
    }

    /// Where a file of this name is in the process's own folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// A file in the process's own folder; nothing where there is none yet.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }

    /// Replaces its configuration as a Kubernetes `ConfigMap` is: at once, by another file.
    pub(crate) fn reconfigure(&self, yaml: &str) {
        replace(self.home.path(), "platform-mcp.yaml", yaml);
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.process.signal("-HUP");
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(&mut self, within: Duration) -> ExitStatus {
        self.process
            .ended(within)
            .unwrap_or_else(|| panic!("it still runs after {within:?}:\n{}", self.said()))
    }
}

/// The product, serving one client over stdio.
pub(crate) struct StdioServer {
    process: Running,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Said,
    home: TempDir,
}

impl StdioServer {
    /// Writes one line as it is.
    pub(crate) fn send_line(&mut self, line: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("stdin is still open");
        stdin.write_all(line.as_ref()).and_then(|()| stdin.write_all(b"\n")).expect("it reads its stdin");
        stdin.flush().expect("it reads its stdin");
    }

    /// Sends a JSON-RPC request of 2026-07-28 and waits for the answer to it.
    #[track_caller]
    pub(crate) fn request(&mut self, id: u32, method: &str, params: &Value) -> Value {
        self.send_line(super::mcp::stateless(&json!(id), method, params).to_string());
        self.answer_to(&json!(id))
    }

    /// The next message with this id; others are passed over.
    #[track_caller]
    pub(crate) fn answer_to(&self, id: &Value) -> Value {
        loop {
            let message =
                self.receive(PATIENCE).unwrap_or_else(|| panic!("no answer to {id}: {}", self.said()));
            if message.get("id") == Some(id) {
                return message;
            }
        }
    }

    /// The next message on its stdout, if one comes in time.
    ///
    /// # Panics
    /// Where it is not JSON: nothing else may be on stdout.
    #[track_caller]
    pub(crate) fn receive(&self, within: Duration) -> Option<Value> {
        match self.lines.recv_timeout(within) {
            Ok(line) => Some(
                serde_json::from_str(&line)
                    .unwrap_or_else(|error| panic!("not JSON on stdout ({error}): {line}")),
            ),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Puts a file into its folder, in place of one that may be there.
    pub(crate) fn write(&self, name: &str, content: &str) -> std::path::PathBuf {
        replace(self.home.path(), name, content);
        self.home.path().join(name)
    }

    /// Waits until it has written a line in which `wanted` finds something.
    ///
    /// # Panics
    /// Where it never does.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let found = self.said.until(wanted);
        found.unwrap_or_else(|text| panic!("the product did not say what was waited for:\n{text}"))
    }

    /// Ends its standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Replaces its configuration as a Kubernetes `ConfigMap` is: at once, by another file.
    pub(crate) fn reconfigure(&self, yaml: &str) {
        replace(self.home.path(), "platform-mcp.yaml", yaml);
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.process.signal("-HUP");
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(&mut self, within: Duration) -> ExitStatus {
        self.process
            .ended(within)
            .unwrap_or_else(|| panic!("it still runs after {within:?}:\n{}", self.said()))
    }

    /// What it has written to stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.text()
    }

    /// All that it has written to stderr, once it has ended.
    pub(crate) fn said_at_end(&self) -> String {
        self.said.until(|_| None::<()>).err().unwrap_or_default()
    }
}

/// A process that does not outlive this.
struct Running(Child);

impl Running {
    fn terminate(&self) {
        self.signal("-TERM");
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{signal} could not be sent to {pid}");
    }

    fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            match self.0.try_wait().expect("it is our child") {
                Some(status) => return Some(status),
                None if began.elapsed() > within => return None,
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Puts another file in the place of one, which is never half written.
fn replace(folder: &Path, name: &str, content: &str) {
    let new = folder.join(format!(".{name}.new"));
    std::fs::write(&new, content).expect("the process's folder takes a file");
    std::fs::rename(&new, folder.join(name)).expect("one file takes the place of another");
}

/// What a process writes, as it comes.
#[derive(Clone, Default)]
struct Said(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Default)]
struct Heard {
    text: String,
    streams: usize,
}

impl Said {
    fn follow(&self, stream: impl Read + Send + 'static) {
        let said = self.clone();
        said.change(|heard| heard.streams += 1);
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                said.change(|heard| {
                    let _ = writeln!(heard.text, "{}", String::from_utf8_lossy(&line));
                });
            }
            said.change(|heard| heard.streams -= 1);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Heard)) {
        let (heard, changed) = &*self.0;
        change(&mut heard.lock().expect("no holder panics"));
        changed.notify_all();
    }

    fn text(&self) -> String {
        self.0.0.lock().expect("no holder panics").text.clone()
    }

    /// What `wanted` finds, or all that was said where it finds nothing in time or before the end.
    fn until<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let began = Instant::now();
        let (heard, changed) = &*self.0;
        let mut heard = heard.lock().expect("no holder panics");
        loop {
            if let Some(found) = wanted(&heard.text) {
                return Ok(found);
            }
            let left = PATIENCE.saturating_sub(began.elapsed());
            if left.is_zero() || heard.streams == 0 {
                return Err(heard.text.clone());
            }
            heard = changed.wait_timeout(heard, left).expect("no holder panics").0;
        }
    }
}

/// The address in the first `http://ADDRESS` or `https://ADDRESS` that `path` follows.
fn address_before(text: &str, path: &str) -> Option<SocketAddr> {
    text.split("://").skip(1).find_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_hexdigit() || "[]:.".contains(c)))?;
        let (address, after) = rest.split_at(end);
        if after.starts_with(path) { address.parse().ok() } else { None }
    })
}
