//! Real Backstage backends from npm (`tests/backstage`), which all run in one process of Node.
//!
//! A test has one of its own in a third of a second, with its own policy, keys, catalog and log; those that only
//! ask about tokens share one. Of ours, Backstage is told what `examples/backstage` says:
//!
//! ```text
//! MCP client → Backstage → Front → the server under test → Between → Backstage
//! ```
//!
//! The [`Front`] has its address before the server under test has one. The [`Between`] is what that server takes
//! for Backstage: it counts, and misbehaves when it is told to.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use super::mcp::Mcp;

#[path = "backstage/between.rs"]
mod between;
#[path = "backstage/front.rs"]
mod front;
#[path = "backstage/mint.rs"]
mod mint;
#[path = "backstage/options.rs"]
mod options;
#[path = "backstage/process.rs"]
mod process;

pub(crate) use between::{Between, Fault};
pub(crate) use front::Front;
pub(crate) use mint::{Keys, Mint, Token, limited_of};
pub(crate) use options::Options;
pub(crate) use process::Process;

/// What the server under test is to Backstage.
pub(crate) const PLUGIN: &str = "platform-mcp";

/// The token of a caller without a user: `backend.auth.externalAccess`.
pub(crate) const MACHINE_TOKEN: &str = "static-token-of-machines";

/// The token with which it reads our entities.
pub(crate) const ENTITIES_TOKEN: &str = "token-of-the-tests-that-reads-entities";

/// Longer than a catalog takes to be loaded.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running backend. It ends when it is dropped.
pub(crate) struct Backstage {
    address: SocketAddr,
    between: Between,
    front: Front,
    home: TempDir,
    options: Options,
    keys: Mutex<Keys>,
    running: Mutex<Option<process::Backend>>,
}

impl Backstage {
    /// The one of this test binary, with the policy of `examples/backstage` as it stands there. It knows no
    /// server: who needs one that Backstage reaches starts a backend of their own.
    ///
    /// # Panics
    /// Where it cannot be had.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Backstage> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Options::default()))
    }

    /// A backend for one test.
    ///
    /// # Panics
    /// Where it does not start; it says why.
    pub(crate) fn start(options: Options) -> Self {
        Self::start_in(Process::shared(), options)
    }

    /// A backend in this process of Node.
    ///
    /// # Panics
    /// Where it does not start; it says why.
    pub(crate) fn start_in(process: &'static Process, options: Options) -> Self {
        let home = tempfile::Builder::new().prefix("platform-mcp-backstage-").tempdir().expect("a folder");
        let front = Front::new();
        let keys = Keys::new(1);
        // Between the choice of a port and its use somebody else may have taken it.
        for _ in 0..5 {
            let address = free_port();
            let between = Between::before(address);
            let files = options.write(home.path(), address, &between.url(), &keys);
            match process.start(&files, &front.url(), &home.path().join("log"), options.is_conditional()) {
                Ok(backend) => {
                    let (keys, running) = (Mutex::new(keys), Mutex::new(Some(backend)));
                    return Self { address, between, front, home, options, keys, running };
                }
                Err(why) if why.contains("EADDRINUSE") => {}
                Err(why) => panic!("Backstage does not start: {why}"),
            }
        }
        panic!("every port that was free is taken");
    }

    /// `http://127.0.0.1:PORT` of the way that the server under test takes, which is Backstage's
    /// `backend.baseUrl` too, so that tokens of users come from `URL/api/auth`.
    pub(crate) fn url(&self) -> String {
        self.between.url()
    }

    /// `http://127.0.0.1:PORT` of Backstage itself, and this path.
    pub(crate) fn direct(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The `iss` of users' tokens.
    pub(crate) fn issuer(&self) -> String {
        format!("{}/api/auth", self.url())
    }

    /// What the server under test is told of it in its configuration, with more of the same (YAML in one line).
    pub(crate) fn entry(&self, more: &str) -> String {
        format!("backstage: {{url: '{}', {more}}}\n", self.url())
    }

    /// The way from the server under test to Backstage.
    pub(crate) fn between(&self) -> &Between {
        &self.between
    }

    /// The way from Backstage to the server under test.
    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    /// Signs tokens as this backend does now. One taken before new keys keeps the old ones.
    pub(crate) fn mint(&self) -> Mint {
        Mint::new(self.issuer(), self.keys.lock().expect("no holder panics").clone())
    }

    /// A real token of this user, who owns what these references name: as after a sign-in, and from Backstage.
    ///
    /// # Panics
    /// Where Backstage gives none.
    pub(crate) async fn user_token(&self, user: &str, ownership: &[&str]) -> String {
        let answer = reqwest::Client::new()
            .get(self.direct("/api/auth/headers/refresh"))
            .header("x-user", user)
            .header("x-ownership", ownership.join(","))
            .send()
            .await
            .expect("Backstage answers");
        let answer: Value = answer.json().await.expect("JSON");
        let token = answer["backstageIdentity"]["token"].as_str();
        token.unwrap_or_else(|| panic!("no token for {user}: {answer}")).to_owned()
    }

    /// The token with which Backstage's MCP server would call the server under test for this user, who is signed
    /// in first: only so does Backstage know their groups.
    pub(crate) async fn plugin_token(&self, user: &str, ownership: &[&str]) -> String {
        let token = self.user_token(user, ownership).await;
        self.mint().plugin("mcp-actions", PLUGIN).obo(&limited_of(&token)).sign()
    }

    /// A client of Backstage's MCP server. Tools are called `PLUGIN.TOOL`.
    pub(crate) fn mcp(&self, token: &str) -> Mcp {
        Mcp::legacy_with_token(self.direct("/api/mcp-actions/v1"), token)
    }

    /// What Backstage has logged so far: a JSON object a line.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// A file in the folder of this backend.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Waits until the catalog has so many entities of this filter (`kind=resource,spec.type=…`).
    ///
    /// # Panics
    /// Where it never has.
    pub(crate) async fn wait_for_entities(&self, filter: &str, wanted: usize) {
        let url = self.direct("/api/catalog/entities/by-query?limit=0&filter=");
        let url = format!("{url}{}", utf8_percent_encode(filter, NON_ALPHANUMERIC));
        let began = Instant::now();
        loop {
            let asked = reqwest::Client::new().get(&url).bearer_auth(MACHINE_TOKEN).send().await;
            let answer: Value = asked.expect("Backstage answers").json().await.expect("JSON");
            if answer["totalItems"].as_u64() == Some(wanted as u64) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the catalog has {answer}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it, as when its process is killed: every connection breaks off. Users are forgotten with it.
    ///
    /// # Panics
    /// Where it does not end.
    pub(crate) fn stop(&self) {
        let running = self.running.lock().expect("no holder panics").take();
        running.expect("it runs").stop();
    }

    /// Starts it again at the same address, with the same keys or with new ones. Nobody is signed in any more.
    ///
    /// # Panics
    /// Where it does not start.
    pub(crate) fn start_again(&self, new_keys: bool) {
        let mut keys = self.keys.lock().expect("no holder panics");
        if new_keys {
            *keys = keys.next();
        }
        let files = self.options.write(self.home.path(), self.address, &self.url(), &keys);
        let (log, conditional) = (self.home.path().join("log"), self.options.is_conditional());
        let mut running = self.running.lock().expect("no holder panics");
        assert!(running.is_none(), "it still runs");
        let started = Process::shared().start(&files, &self.front.url(), &log, conditional);
        *running = Some(started.unwrap_or_else(|why| panic!("Backstage does not start again: {why}")));
    }
}

/// A file of `tests/backstage`.
fn part(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backstage").join(name)
}

/// A file of `examples/backstage`.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/backstage").join(name)
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address")
}

/// Where what stands between the parts runs: longer than the runtime of any test.
fn runtime() -> &'static tokio::runtime::Handle {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let start = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    };
    RUNTIME.get_or_init(start).handle()
}
