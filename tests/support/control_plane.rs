//! A real Kubernetes control plane with a real kro, shared by all tests of the binary.
//!
//! `control-plane/start.sh` starts it and ends it when its stdin ends. This process holds the other end of that
//! pipe, so nothing outlives a test run, however it ends. A test that cannot have the control plane fails.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A running etcd, kube-apiserver, kube-controller-manager and kro.
pub(crate) struct ControlPlane {
    /// `https://127.0.0.1:PORT`
    pub(crate) server: String,
    /// The kubeconfig of `platform-admin`, a member of `system:masters`.
    pub(crate) kubeconfig: PathBuf,
    /// The API server's audit log; [`ControlPlane::audit_since`] reads it.
    pub(crate) audit_log: PathBuf,
    /// The CA of the API server's certificate, PEM.
    pub(crate) ca_file: PathBuf,
    /// The folder of the binaries, `kubectl` among them.
    pub(crate) bin: PathBuf,
    /// What kro's own module carries: `crds/`, `examples/`, `fixtures/`, `chainsaw/`.
    pub(crate) kro: PathBuf,
    /// The users' tokens.
    pub(crate) tokens: Tokens,
    kubectl: Kubectl,
    script: Script,
}

/// A bearer token for each static user.
pub(crate) struct Tokens {
    /// `platform-admin`: everything.
    pub(crate) admin: String,
    /// `platform-viewer`: reads everything but `internal.kro.run`.
    pub(crate) viewer: String,
    /// `platform-limited`: nothing, until a test binds a role to it.
    pub(crate) limited: String,
}

/// `start.sh` as this process sees it. Dropping it ends the control plane; the shared one is never dropped, and
/// the end of this process closes the pipe.
struct Script {
    process: Child,
    stdin: Option<ChildStdin>,
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.wait();
    }
}

/// A number no other call in this process gets.
fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A file of the repository, from its root.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Passes a script's words on as they come (a cold build takes minutes) and keeps them for the panic message.
/// Written straight to stderr: what a test harness captures of the thread that started us is not for this.
fn follow(stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut said = String::new();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = writeln!(std::io::stderr(), "{line}");
            said.push_str(&line);
            said.push('\n');
        }
        said
    })
}

impl ControlPlane {
    /// The one control plane of this test binary, started by whoever asks first.
    ///
    /// # Panics
    /// Where it cannot be had, with what the scripts said; for every test that asks.
    #[track_caller]
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Self::try_start(&[])) {
            Ok(plane) => plane,
            Err(why) => panic!("there is no control plane to test against\n{why}"),
        }
    }

    /// A control plane for one test alone, gone when it is dropped: for tests that take rights from kro, or that
    /// need the environment `start.sh` documents (`OIDC_ISSUER_URL`, …).
    ///
    /// # Panics
    /// Where it cannot be had, with what the scripts said.
    #[track_caller]
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        Self::try_start(environment)
            .unwrap_or_else(|why| panic!("there is no control plane to test against\n{why}"))
    }

    fn try_start(environment: &[(&str, &str)]) -> Result<Self, String> {
        let script = repository("tests/support/control-plane/start.sh");
        let dir = std::env::temp_dir().join(format!("platform-mcp-{}-{}", process::id(), unique()));
        let mut process = Command::new("bash")
            .arg(&script)
            .arg(&dir)
            // What the shell around the tests has set for something else is not meant for this.
            .env_remove("OIDC_ISSUER_URL")
            .env_remove("OIDC_CA_FILE")
            .env_remove("OIDC_CLIENT_ID")
            .envs(environment.iter().copied())
            // Ctrl-C ends this process; the script then sees the end of its stdin and ends in its own order.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("bash {} could not be started: {error}", script.display()))?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().ok_or("start.sh has no stdout")?;
        let said = follow(process.stderr.take().ok_or("start.sh has no stderr")?);

        let mut ready = String::new();
        let read = BufReader::new(stdout).read_line(&mut ready);
        let script = Script { process, stdin };
        match serde_json::from_str::<Value>(&ready) {
            Ok(facts) => Ok(Self::from_facts(&facts, script)),
            Err(error) => {
                drop(script);
                let said = said.join().unwrap_or_default();
                Err(format!("start.sh ended without being ready ({read:?}, {error}): {ready}\n{said}"))
            }
        }
    }

    fn from_facts(facts: &Value, script: Script) -> Self {
        let text = |pointer: &str| {
            let found = facts.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_else(|| panic!("start.sh says nothing at {pointer}: {facts}")).to_owned()
        };
        let kubeconfig = PathBuf::from(text("/kubeconfig"));
        let bin = PathBuf::from(text("/bin"));
        Self {
            server: text("/server"),
            audit_log: text("/audit_log").into(),
            ca_file: text("/ca_file").into(),
            kro: text("/kro").into(),
            tokens: Tokens {
                admin: text("/tokens/admin"),
                viewer: text("/tokens/viewer"),
                limited: text("/tokens/limited"),
            },
            kubectl: Kubectl { program: bin.join("kubectl"), kubeconfig: kubeconfig.clone() },
            kubeconfig,
            bin,
            script,
        }
    }

    /// The folder of everything this control plane writes; it goes when the control plane goes.
    pub(crate) fn dir(&self) -> &Path {
        self.kubeconfig.parent().unwrap_or(Path::new("/"))
    }

    /// A new namespace, `PREFIX-N`; dropping it deletes it without waiting for the end.
    #[track_caller]
    pub(crate) fn namespace(&self, prefix: &str) -> Namespace {
        let name = format!("{prefix}-{}", unique());
        self.kubectl(&["create", "namespace", &name]);
        Namespace { name, kubectl: self.kubectl.clone() }
    }

    /// `kubectl apply` of YAML or JSON text.
    #[track_caller]
    pub(crate) fn apply(&self, yaml: &str) {
        self.kubectl.checked(&["apply", "-f", "-"], yaml);
    }

    /// `kubectl apply` of a file, or of a folder in file order.
    #[track_caller]
    pub(crate) fn apply_file(&self, path: impl AsRef<Path>) {
        self.kubectl(&["apply", "-f", &path.as_ref().to_string_lossy()]);
    }

    /// What `kubectl` prints, as admin.
    ///
    /// # Panics
    /// Where it fails, with its stderr.
    #[track_caller]
    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        self.kubectl.checked(args, "")
    }

    /// What `kubectl` prints, as admin, or its stderr where it fails.
    pub(crate) fn try_kubectl(&self, args: &[&str]) -> Result<String, String> {
        self.kubectl.run(args, "")
    }

    /// An object as the API server has it; `None` where it is not there, or its kind is not served yet.
    #[track_caller]
    pub(crate) fn get(&self, namespace: &str, object: &str) -> Option<Value> {
        match self.try_kubectl(&["get", object, "-n", namespace, "-o", "json"]) {
            Ok(text) => Some(serde_json::from_str(&text).expect("kubectl -o json prints JSON")),
            Err(why) if why.contains("NotFound") || why.contains("doesn't have a resource type") => None,
            Err(why) => panic!("kubectl get {object} -n {namespace}: {why}"),
        }
    }

    /// Gives `object` (`pod/name`) a status by a merge patch of its status subresource: here no kubelet does it.
    #[track_caller]
    pub(crate) fn patch_status(&self, namespace: &str, object: &str, status: &Value) {
        let patch = json!({ "status": status }).to_string();
        let patch = ["--subresource=status", "--type=merge", "-p", &patch];
        self.kubectl(&[["patch", object, "-n", namespace].as_slice(), &patch].concat());
    }

    /// Asks again and again until there is an answer.
    ///
    /// # Panics
    /// Where there is none after `limit`; `what` names it.
    #[track_caller]
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        limit: Duration,
        mut answer: impl FnMut() -> Option<T>,
    ) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = answer() {
                return found;
            }
            assert!(began.elapsed() < limit, "waited {limit:?} in vain for {what} at {}", self.server);
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// A kubeconfig for the bearer of `token`: one of [`Tokens`], a ServiceAccount's, or the OIDC provider's.
    pub(crate) fn kubeconfig_for(&self, token: &str) -> PathBuf {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "test", "cluster": {
                "server": self.server, "certificate-authority": self.ca_file } }],
            "users": [{ "name": "test", "user": { "token": token } }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "current-context": "test",
        });
        let path = self.dir().join(format!("user-{}.kubeconfig", unique()));
        fs::write(&path, config.to_string()).expect("the control plane's folder takes a kubeconfig");
        path
    }

    /// Where the audit log ends now, once it has been still for a moment. What is asked of the API server from
    /// here on is what [`ControlPlane::audit_since`] tells.
    pub(crate) fn audit_mark(&self) -> u64 {
        let length = || fs::metadata(&self.audit_log).map_or(0, |file| file.len());
        until_still(Duration::from_millis(100), Duration::from_secs(1), length)
    }

    /// The finished requests since `mark` whose user agent contains the text, once no more of them have come for
    /// 300 ms. The API server writes a line when a request is over, so a watch shows only after its end; kro's
    /// own requests and the controller-manager's are not in the log.
    pub(crate) fn audit_since(&self, mark: u64, user_agent_contains: &str) -> Vec<AuditLine> {
        let mut log = File::open(&self.audit_log).expect("the API server keeps an audit log");
        log.seek(SeekFrom::Start(mark)).expect("the mark is in the log");
        let mut log = BufReader::new(log);
        let mut line = Vec::new();
        let mut found = Vec::new();
        until_still(Duration::from_millis(300), Duration::from_secs(5), || {
            // A line without its end is still being written: the next round reads on.
            while log.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) && line.ends_with(b"\n") {
                let event = serde_json::from_slice(&line).expect("the audit log is JSON lines");
                line.clear();
                let entry = AuditLine::from_event(&event);
                if entry.user_agent.contains(user_agent_contains) {
                    found.push(entry);
                }
            }
            found.len()
        });
        found
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
    /// The client's own name.
    pub(crate) user_agent: String,
    /// The HTTP status of the answer.
    pub(crate) code: u16,
}

impl AuditLine {
    fn from_event(event: &Value) -> Self {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let groups = event.pointer("/user/groups").and_then(Value::as_array);
        Self {
            verb: text("/verb").unwrap_or_default(),
            uri: text("/requestURI").unwrap_or_default(),
            user: text("/user/username").unwrap_or_default(),
            groups: groups.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            impersonated_user: text("/impersonatedUser/username"),
            user_agent: text("/userAgent").unwrap_or_default(),
            code: event
                .pointer("/responseStatus/code")
                .and_then(Value::as_u64)
                .and_then(|code| code.try_into().ok())
                .unwrap_or_default(),
        }
    }
}

/// A namespace of one test; reads as its name.
pub(crate) struct Namespace {
    name: String,
    kubectl: Kubectl,
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The control plane may be on its way out, and a failing test must show its own failure.
        let _ = self.kubectl.run(&["delete", "namespace", &self.name, "--wait=false"], "");
    }
}

/// The `kubectl` of the same version as the API server, as admin.
#[derive(Clone)]
struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    fn run(&self, args: &[&str], stdin: &str) -> Result<String, String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.output(args, stdin) {
            Ok(output) if output.status.success() => Ok(text(&output.stdout)),
            Ok(output) => Err(text(&output.stderr)),
            Err(error) => Err(format!("{} could not be run: {error}", self.program.display())),
        }
    }

    fn output(&self, args: &[&str], stdin: &str) -> std::io::Result<Output> {
        let mut process = Command::new(&self.program)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            // Neither what the developer's kubectl remembers nor how it is set up belongs in a test.
            .env("KUBECACHEDIR", self.kubeconfig.with_file_name("kubectl"))
            .env("KUBERC", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = process.stdin.take() {
            // kubectl may end before it has read all of it; its stderr says why, not the broken pipe.
            let _ = input.write_all(stdin.as_bytes());
        }
        process.wait_with_output()
    }

    #[track_caller]
    fn checked(&self, args: &[&str], stdin: &str) -> String {
        self.run(args, stdin).unwrap_or_else(|why| panic!("kubectl {} failed: {why}", args.join(" ")))
    }
}
