//! Palette for the tests: the simulator, with prism and the vendor's contract before it.
//!
//! One of each serves all tests of the binary, which tell their tenants apart by the API key. A tenant whose
//! requests broke the contract fails its test when it is dropped.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    fmt::Write as _,
    ops::Deref,
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
};

use platform_mcp::demo::palette::{Data, Running, Simulator, Tenant as Simulated};
use tokio::sync::oneshot;

use super::{palette_book::Violation, palette_prism::Prism, palette_wire::Wire};

/// The simulator and prism before it. It has its own threads, as a runtime ends with its test.
pub(crate) struct Palette {
    url: String,
    wire: Arc<Wire>,
    simulator: Arc<Running>,
    tenants: Arc<Mutex<Vec<Simulated>>>,
    prism: Arc<Prism>,
    _stop: oneshot::Sender<()>,
}

/// A tenant of the simulator under a key of its own.
pub(crate) struct Tenant {
    simulated: Simulated,
    wire: Arc<Wire>,
    all: Arc<Mutex<Vec<Simulated>>>,
    strict: bool,
}

impl Palette {
    /// The one of this test binary, started by whoever asks first.
    ///
    /// # Panics
    /// Where it cannot be had.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Palette> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One for a test alone, gone when it is dropped.
    ///
    /// # Panics
    /// Where it cannot be had.
    pub(crate) fn start() -> Self {
        let (stop, stopped) = oneshot::channel();
        let (ready, parts) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let simulator = Arc::new(Simulator::start().await.expect("the simulator"));
                let (back_end, back) = Wire::listener().await;
                let prism = tokio::task::spawn_blocking(move || Prism::start(&back)).await.expect("prism");
                let prism = Arc::new(prism);
                let (wire, url) = Wire::start(back_end, prism.url.clone(), simulator.url()).await;
                let _ = ready.send((url, wire, simulator, prism));
                let _ = stopped.await;
            });
        });
        let (url, wire, simulator, prism) = parts.recv().expect("the simulator and prism start");
        Self { url, wire, simulator, tenants: Arc::default(), prism, _stop: stop }
    }

    /// What platform-mcp is to be configured with.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Registers a tenant, under a fresh key instead of the one in `data`. Keys of projects and tokens of users
    /// stay as they are: [`fresh`] makes some that no other test has.
    pub(crate) fn tenant(&self, data: Data) -> Tenant {
        let simulated = Simulated::new(Data { key: fresh("key"), ..data });
        self.simulator.add(simulated.clone());
        self.tenants.lock().expect("no holder panics").push(simulated.clone());
        Tenant { simulated, wire: Arc::clone(&self.wire), all: Arc::clone(&self.tenants), strict: true }
    }

    /// The tenant as platform-mcp's configuration has it, under the name `demo`.
    pub(crate) fn config(&self, tenant: &Tenant) -> String {
        format!("spectrocloud:\n  environments:\n{}", self.environment("demo", tenant))
    }

    /// One entry of `spectrocloud.environments`, indented by four.
    pub(crate) fn environment(&self, name: &str, tenant: &Tenant) -> String {
        let (url, organisation, key) = (&self.url, &tenant.data().name, tenant.key());
        format!("    - name: {name}\n      url: {url}\n      tenant: {organisation}\n      apiToken: {key}\n")
    }

    /// What prism said, of all tests.
    pub(crate) fn log(&self) -> Vec<String> {
        self.prism.log()
    }
}

impl Deref for Tenant {
    type Target = Simulated;

    fn deref(&self) -> &Simulated {
        &self.simulated
    }
}

impl Tenant {
    /// Requests that broke the contract, in prism's words or the simulator's: what prism does not see are query
    /// parameters and fields that the contract does not have. Requests with a credential that nobody has count
    /// for every tenant.
    pub(crate) fn violations(&self) -> Vec<String> {
        let found = self.found();
        let requests = found.iter().filter(|violation| violation.location.starts_with("request"));
        requests.map(ToString::to_string).chain(self.simulated.refused()).collect()
    }

    /// Answers that are not as the contract has them: the simulator's own fault, or meant so.
    pub(crate) fn bad_answers(&self) -> Vec<String> {
        let found = self.found();
        let answers = found.iter().filter(|found| found.location.starts_with("response") && !found.warning);
        answers.map(ToString::to_string).collect()
    }

    /// # Panics
    /// Where a request so far broke the contract.
    #[track_caller]
    pub(crate) fn assert_kept(&self) {
        let mut violations = String::new();
        for violation in self.violations() {
            let _ = writeln!(violations, "  {violation}");
        }
        assert!(violations.is_empty(), "requests that break Palette's contract:\n{violations}");
    }

    /// For a test that breaks the contract on purpose.
    pub(crate) fn lenient(mut self) -> Self {
        self.strict = false;
        self
    }

    /// Of this tenant, and of nobody.
    #[track_caller]
    fn found(&self) -> Vec<Violation> {
        self.wire.book.settle(|credential| has(&self.simulated, credential));
        let all = self.all.lock().expect("no holder panics").clone();
        let mut found = self.wire.book.found();
        found.retain(|violation| {
            let credential = &violation.credential;
            has(&self.simulated, credential) || !all.iter().any(|tenant| has(tenant, credential))
        });
        found
    }
}

fn has(tenant: &Simulated, credential: &str) -> bool {
    let data = tenant.data();
    data.key == credential
        || data.project_keys.contains_key(credential)
        || data.users.iter().any(|user| user.token == credential)
}

impl Drop for Tenant {
    fn drop(&mut self) {
        if self.strict && !thread::panicking() {
            self.assert_kept();
        }
    }
}

/// A credential that no other test has.
pub(crate) fn fresh(kind: &str) -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("randomness");
    format!("test-palette-{kind}-{:032x}", u128::from_ne_bytes(bytes))
}
