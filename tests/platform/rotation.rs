//! Keys change while sixteen people call: no good token fails, no bad one passes, and the issuer is asked little.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::forge::{Forge, With, now};
use crate::issuer::Issuer;
use crate::keys::{Alg, Key};
use crate::mcp::Mcp;
use crate::oidc::{Old, Provider};
use crate::server::{Product, Server};

const CALLERS: usize = 16;
const FORGERS: usize = 4;

/// What happens to the keys, and when: sooner than any issuer would do it.
const ROTATIONS: [Old; 6] = [Old::Kept, Old::Kept, Old::Gone, Old::Kept, Old::Gone, Old::Gone];
const BETWEEN: Duration = Duration::from_millis(1_500);

/// Longer than the spacing of searches for keys that nobody has, and a fetch.
const PATIENCE: Duration = Duration::from_secs(12);

/// Whose keys they are.
enum Source {
    Real(Provider),
    Counting(Issuer),
}

impl Source {
    fn entry(&self) -> String {
        let rules = "[{roles: [viewer]}]";
        match self {
            Self::Real(provider) => provider.entry(rules),
            Self::Counting(issuer) => issuer.entry(rules),
        }
    }

    fn forge(&self) -> Forge {
        match self {
            Self::Real(provider) => provider.forge(),
            Self::Counting(issuer) => issuer.forge(),
        }
    }

    fn rotate(&self, old: Old) {
        match self {
            Self::Real(provider) => tokio::task::block_in_place(|| provider.rotate(old)),
            Self::Counting(issuer) => drop(tokio::task::block_in_place(|| issuer.rotate(old))),
        }
    }

    async fn token(&self, person: &str) -> String {
        match self {
            Self::Real(provider) => provider.token(person).await,
            Self::Counting(issuer) => issuer.forge().good(person),
        }
    }

    async fn tokens(&self) -> Vec<String> {
        let names: Vec<String> = (0..CALLERS).map(person).collect();
        join_all(names.iter().map(|name| self.token(name))).await
    }
}

fn person(index: usize) -> String {
    format!("caller-{}", index + 1)
}

struct Rig {
    source: Source,
    /// Signs with the keys of now; to ask the source would wait for the next ones.
    forge: RwLock<Forge>,
    server: Server,
    stranger: Key,
    /// The tokens of now. Whoever calls holds it; it is held for writing while keys go that calls rely on.
    tokens: RwLock<Vec<String>>,
    done: AtomicBool,
    calls: AtomicUsize,
    refused: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    slowest: Mutex<Duration>,
}

impl Rig {
    async fn start(source: Source) -> Arc<Self> {
        let config = format!(
            "issuers: [{}]\nclusters: {{kubeconfig: {{enabled: false}}}}\n\
             limits: {{requestsPerSecond: 10000, burst: 10000, concurrentCalls: 1000}}\n",
            source.entry()
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        let tokens = RwLock::new(source.tokens().await);
        let forge = RwLock::new(source.forge());
        Arc::new(Self {
            source,
            forge,
            server,
            stranger: Key::new(Alg::Rs256, "stranger"),
            tokens,
            done: AtomicBool::default(),
            calls: AtomicUsize::default(),
            refused: AtomicUsize::default(),
            wrong: Mutex::default(),
            slowest: Mutex::default(),
        })
    }

    fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// One of those who call all the time.
    async fn call(&self, index: usize) {
        let (name, http) = (person(index), reqwest::Client::new());
        while !self.done.load(SeqCst) {
            let tokens = self.tokens.read().await;
            let mcp = Mcp::with_token(self.server.url("/mcp"), &tokens[index]).over(http.clone());
            let begun = Instant::now();
            let reply = mcp.request("tools/call", json!({"name": "whoami", "arguments": {}})).await;
            let took = begun.elapsed();
            drop(tokens);
            if reply.message["result"]["structuredContent"]["username"] != name.as_str() {
                self.wrong(format!("{name}: {} {} after {took:?}", reply.status, reply.text));
            }
            let mut slowest = self.slowest.lock().unwrap();
            *slowest = took.max(*slowest);
            drop(slowest);
            self.calls.fetch_add(1, SeqCst);
        }
    }

    async fn rotate(&self, old: Old) {
        let gone = if old == Old::Kept {
            self.source.rotate(old);
            let tokens = self.source.tokens().await;
            *self.tokens.write().await = tokens;
            Vec::new()
        } else {
            let mut tokens = self.tokens.write().await;
            self.source.rotate(old);
            std::mem::replace(&mut *tokens, self.source.tokens().await)
        };
        *self.forge.write().await = self.source.forge();
        // once everyone has come with a new key, those that were good a moment ago are not
        let calls = self.calls.load(SeqCst);
        while self.calls.load(SeqCst) < calls + 2 * CALLERS {
            sleep(Duration::from_millis(10)).await;
        }
        for token in gone.iter().take(2) {
            let reply =
                Mcp::with_token(self.server.url("/mcp"), token).request("tools/list", json!({})).await;
            if !matches!(reply.status, 401 | 429) {
                self.wrong(format!("its key is gone: {} {}", reply.status, reply.text));
            }
        }
    }

    /// Bad tokens of all kinds that could make the server look for keys, or pass while it does.
    async fn forge(&self, kind: usize) {
        let http = reqwest::Client::new();
        while !self.done.load(SeqCst) {
            let (forge, at) = (self.forge.read().await.clone(), self.refused.load(SeqCst));
            let name = person(at % CALLERS);
            let (mut header, mut claims) = (forge.header(Alg::Rs256), forge.claims(&name));
            match kind {
                // nobody has such a key, and nobody had it the last time
                0 => header["kid"] = json!(format!("random-{at}")),
                1 => {}
                2 => claims["exp"] = json!(now() - 3_600),
                _ => claims["aud"] = json!("https://elsewhere.test"),
            }
            let with = if kind < 2 { With::Key(&self.stranger, Alg::Rs256) } else { With::Own(Alg::Rs256) };
            let token = forge.sign(&header, &claims, with);
            let mcp = Mcp::with_token(self.server.url("/mcp"), &token).over(http.clone());
            let reply = mcp.request("tools/list", json!({})).await;
            if !matches!(reply.status, 401 | 429) {
                self.wrong(format!("forged {kind}: {} {}", reply.status, reply.text));
            }
            self.refused.fetch_add(1, SeqCst);
            sleep(Duration::from_millis(30)).await;
        }
    }
}

/// Rotates while people call, with forgers at it too.
async fn rotate_under_load(rig: &Arc<Rig>) {
    let mut others = JoinSet::new();
    for index in 0..CALLERS {
        let rig = Arc::clone(rig);
        others.spawn(async move { rig.call(index).await });
    }
    for kind in 0..FORGERS {
        let rig = Arc::clone(rig);
        others.spawn(async move { rig.forge(kind).await });
    }
    for old in ROTATIONS {
        sleep(BETWEEN).await;
        rig.rotate(old).await;
    }
    sleep(BETWEEN).await;
    rig.done.store(true, SeqCst);
    while let Some(ended) = others.join_next().await {
        ended.expect("nobody panics");
    }
}

/// The checks that hold whoever the issuer is.
fn nothing_went_wrong(rig: &Rig) {
    let (calls, refused) = (rig.calls.load(SeqCst), rig.refused.load(SeqCst));
    let slowest = *rig.slowest.lock().unwrap();
    let wrong = rig.wrong.lock().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {calls} calls and {refused} forged ones:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(calls > CALLERS * ROTATIONS.len() && refused > FORGERS, "{calls} {refused}");
    assert!(slowest < PATIENCE, "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn while_keys_change_and_forgers_are_at_it_no_good_token_fails_and_no_bad_one_passes() {
    let rig = Rig::start(Source::Real(Provider::start())).await;
    rotate_under_load(&rig).await;
    nothing_went_wrong(&rig);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn an_issuer_whose_keys_change_is_asked_about_as_often_as_they_do() {
    let rig = Rig::start(Source::Counting(Issuer::start())).await;
    let begun = Instant::now();
    rotate_under_load(&rig).await;
    nothing_went_wrong(&rig);
    let Source::Counting(issuer) = &rig.source else { unreachable!() };
    let (asked, spaced) = (issuer.count("/jwks"), 2 * (begun.elapsed().as_secs() as usize / 5));
    // the first; for each change two (one may have read the keys before it) and what forgers may cause anew; and what
    // forgers may cause at most
    assert!(asked <= 1 + 6 * ROTATIONS.len() + 4 + spaced, "{asked} fetches in {:?}", begun.elapsed());
}
