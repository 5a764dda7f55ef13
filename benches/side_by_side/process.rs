//! Starting servers, timing their start, reading their memory.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::Outcome;

const DISCOVER: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    "\n"
);

/// What many starts showed.
pub(super) struct Cold {
    pub(super) median: Duration,
    pub(super) idle_kib: u64,
}

/// Starts the product over stdio again and again: from spawn to the first answer.
pub(super) fn cold_starts(binary: &str, times: usize) -> Outcome<Cold> {
    let mut taken = Vec::new();
    let mut idle_kib = 0;
    for _ in 0..times {
        let started = Instant::now();
        let mut child = Command::new(binary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut input = child.stdin.take().ok_or("stdin")?;
        input.write_all(DISCOVER.as_bytes())?;
        let mut answer = String::new();
        BufReader::new(child.stdout.take().ok_or("stdout")?).read_line(&mut answer)?;
        taken.push(started.elapsed());
        if !answer.contains("supportedVersions") {
            return Err(format!("not an answer to server/discover: {answer}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
        idle_kib = idle_kib.max(resident_kib(child.id())?);
        drop(input);
        child.wait()?;
    }
    taken.sort();
    Ok(Cold { median: *taken.get(times / 2).ok_or("no start")?, idle_kib })
}

/// Resident memory of a process, from the kernel's rollup.
pub(super) fn resident_kib(pid: u32) -> Outcome<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find(|line| line.starts_with("Rss:")).ok_or("no Rss line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}

/// A server that runs, until it is dropped.
pub(super) struct Served {
    child: Child,
    pub(super) url: String,
    pub(super) folder: tempfile::TempDir,
}

impl Served {
    /// The product, with its audit log in a file: the gate at its full cost. `more` is configuration.
    pub(super) fn product(binary: &str, more: &str) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("config.yaml");
        let audit = folder.path().join("audit.log");
        // what one caller may ask is the load of the bench
        let limits = "limits: {requestsPerSecond: 1000000, burst: 1000000, concurrentCalls: 10000}";
        let audit = format!("audit: {{to: {:?}}}", audit.display().to_string());
        fs::write(&config, format!("{audit}\n{limits}\n{more}"))?;
        let mut child = Command::new(binary)
            .args(["serve", "--http", "127.0.0.1:0", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("stderr")?).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let start = line.find("http://127.0.0.1:")?;
                let url = line.get(start..)?.split_whitespace().next()?;
                Some(format!("{}/mcp", url.trim_end_matches("/mcp").trim_end_matches('/')))
            })
            .ok_or("the server did not say where it listens")?;
        // nobody may stop reading, or the server waits
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, url, folder })
    }

    /// The bare server of this program.
    pub(super) fn bare(answer: &Path) -> Outcome<Self> {
        Self::own(Command::new(std::env::current_exe()?).arg("bare-server").arg(answer))
    }

    /// The API server of this program.
    pub(super) fn upstream() -> Outcome<Self> {
        Self::own(Command::new(std::env::current_exe()?).arg("upstream-server"))
    }

    fn own(command: &mut Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("stdout")?).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned(), folder: tempfile::tempdir()? })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Outcome<SocketAddr> {
        let address = self.url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp"));
        Ok(address.ok_or("no address")?.parse()?)
    }

    /// What it has in memory.
    pub(super) fn resident_mib(&self) -> Outcome<f64> {
        Ok(resident_kib(self.child.id())? as f64 / 1024.0)
    }

    /// The most that it has had in memory (`VmHWM`).
    pub(super) fn peak_mib(&self) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM line")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
