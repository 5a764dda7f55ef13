//! A real Kubernetes control plane with a real kro, shared by all tests of the binary.
//!
//! `control-plane/start.sh` starts it and ends it when its stdin ends. This process holds the other end of that
//! pipe, so nothing outlives a test run, however it ends. A test that cannot have the control plane fails.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::audit::{AuditLine, AuditLog};
use super::forge::AUDIENCE;
use super::kubectl::{Kubectl, Namespace};
use super::oidc::Provider;
use super::trust;

/// A running etcd, kube-apiserver, kube-controller-manager and kro.
pub(crate) struct ControlPlane {
    /// `https://127.0.0.1:PORT`
    pub(crate) server: String,
    /// The kubeconfig of `platform-admin`, a member of `system:masters`.
    pub(crate) kubeconfig: PathBuf,
    /// The CA of the API server's certificate, PEM.
    pub(crate) ca_file: PathBuf,
    /// The folder of the binaries, `kubectl` among them.
    pub(crate) bin: PathBuf,
    /// What kro's own module carries: `crds/`, `examples/`, `fixtures/`, `chainsaw/`.
    pub(crate) kro: PathBuf,
    /// The users' tokens.
    pub(crate) tokens: Tokens,
    audit: AuditLog,
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
    /// `platform-mcp`, the server's own: nothing but discovery, and on the shared control plane to impersonate
    /// the people of `people.rs` and their groups.
    pub(crate) server: String,
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
    /// The one control plane of this test binary, started by whoever asks first. It trusts
    /// [`Provider::shared`], for tokens with the audience [`AUDIENCE`](super::forge::AUDIENCE).
    ///
    /// # Panics
    /// Where it cannot be had, with what the scripts said; for every test that asks.
    #[track_caller]
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Self::try_trusting(Provider::shared(), &[])) {
            Ok(plane) => plane,
            Err(why) => panic!("there is no control plane to test against\n{why}"),
        }
    }

    /// One of its own that trusts what the shared one trusts.
    ///
    /// # Panics
    /// Where it cannot be had, with what the scripts said.
    #[track_caller]
    pub(crate) fn start_trusting(environment: &[(&str, &str)]) -> Self {
        Self::try_trusting(Provider::shared(), environment)
            .unwrap_or_else(|why| panic!("there is no control plane to test against\n{why}"))
    }

    fn try_trusting(provider: &Provider, environment: &[(&str, &str)]) -> Result<Self, String> {
        let ca_file = provider.ca_file();
        let ca_file = ca_file.to_str().ok_or("the provider's folder is not UTF-8")?;
        let trust =
            [("OIDC_ISSUER_URL", provider.issuer()), ("OIDC_CA_FILE", ca_file), ("OIDC_CLIENT_ID", AUDIENCE)];
        let plane = Self::try_start(&[&trust, environment].concat())?;
        plane.apply(&trust::impersonator());
        // The API server fetches the issuer's keys after it is ready.
        let review = trust::review(&provider.forge().good("alice"));
        plane.wait_for("trust in the OIDC provider", Duration::from_secs(30), || {
            let answer = plane.kubectl.checked(&["create", "-o", "json", "-f", "-"], &review);
            answer.contains("\"authenticated\": true").then_some(())
        });
        Ok(plane)
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
            .env_remove("WITHOUT_CONTROLLERS")
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
            audit: AuditLog::at(text("/audit_log")),
            ca_file: text("/ca_file").into(),
            kro: text("/kro").into(),
            tokens: Tokens {
                admin: text("/tokens/admin"),
                viewer: text("/tokens/viewer"),
                limited: text("/tokens/limited"),
                server: text("/tokens/server"),
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

    /// What `kubectl` prints with this on its standard input, as admin.
    ///
    /// # Panics
    /// Where it fails, with its stderr.
    #[track_caller]
    pub(crate) fn kubectl_with(&self, args: &[&str], stdin: &str) -> String {
        self.kubectl.checked(args, stdin)
    }

    /// What `kubectl` prints with this on its standard input, as admin, or its stderr where it fails.
    pub(crate) fn try_kubectl_with(&self, args: &[&str], stdin: &str) -> Result<String, String> {
        self.kubectl.run(args, stdin)
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
        self.audit.mark()
    }

    /// The finished requests since `mark` whose user agent contains the text, once no more of them have come for
    /// 300 ms. The API server writes a line when a request is over, so a watch shows only after its end; kro's
    /// own requests and the controller-manager's are not in the log.
    pub(crate) fn audit_since(&self, mark: u64, user_agent_contains: &str) -> Vec<AuditLine> {
        self.audit.since(mark, user_agent_contains)
    }

    /// The same, once there are lines enough.
    ///
    /// # Panics
    /// Where there never are, with those that came.
    #[track_caller]
    pub(crate) fn audit_until(
        &self,
        mark: u64,
        user_agent_contains: &str,
        enough: impl Fn(&[AuditLine]) -> bool,
    ) -> Vec<AuditLine> {
        self.audit.until(mark, user_agent_contains, enough)
    }
}
