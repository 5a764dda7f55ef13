//! An issuer that misbehaves on demand: a discovery document and a key set, over TLS or plain, each with its
//! own fault. It has a thread and a runtime of its own, so a test that blocks does not stop it.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, reason = "a broken rig must fail the test at once and say why")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedSender;

use super::authority::Authority;
use super::forge::Forge;
use super::issuer_http;
use super::keys::{Alg, Key};
use super::oidc::Old;
use super::trust;

/// How a document is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// As it should be.
    Good,
    /// This JSON instead of it.
    Json(Value),
    /// These bytes instead of it, as `application/json`.
    Bytes(Vec<u8>),
    /// 200 and a page, as a captive portal does it.
    Html,
    /// This status, with JSON that says so.
    Status(u16),
    /// As it should be, after this time.
    Slow(Duration),
    /// Never.
    Hang,
    /// The head and half the body; the rest never comes.
    Stall,
    /// The head and half the body, and then the connection ends.
    Cut,
    /// Good JSON whose last member fills it up to this many bytes, of a length that is not told before.
    Huge(usize),
    /// 302 to this URL.
    Redirect(String),
}

/// A running issuer; it ends when it is dropped.
pub(crate) struct Issuer {
    url: String,
    home: Arc<TempDir>,
    authority: Arc<Authority>,
    state: Arc<State>,
    listener: UnboundedSender<Listen>,
}

/// Whether connections are taken; the sender hears when it is so.
pub(super) enum Listen {
    Down(mpsc::Sender<()>),
    Up(mpsc::Sender<()>),
}

/// What the connections share.
pub(super) struct State {
    now: Mutex<Now>,
}

struct Now {
    document: Value,
    discovery: Answer,
    jwks: Answer,
    token: Answer,
    published: Vec<Value>,
    keys: Arc<Vec<Key>>,
    generation: u32,
    seen: Vec<String>,
}

/// What its keys are for.
const ALGS: [Alg; 2] = [Alg::Rs256, Alg::Es256];

impl Issuer {
    /// Over https, with a CA of its own; keys for RS256 and ES256.
    pub(crate) fn start() -> Self {
        Self::start_at("")
    }

    /// The same, with a name that has a path: `/realms/test`.
    pub(crate) fn start_at(path: &str) -> Self {
        let authority = Arc::new(Authority::new());
        let home = TempDir::with_prefix("platform-mcp-issuer-").expect("a folder");
        std::fs::write(home.path().join("ca.crt"), authority.pem()).expect("the folder takes a file");
        Self::serve(path, true, authority, Arc::new(home))
    }

    /// Another issuer with other keys at another origin, whose certificate is of the same CA: where an
    /// attacker would like to send us.
    pub(crate) fn neighbour(&self) -> Self {
        Self::serve("", true, Arc::clone(&self.authority), Arc::clone(&self.home))
    }

    /// The same over plain http.
    pub(crate) fn plain_neighbour(&self) -> Self {
        Self::serve("", false, Arc::clone(&self.authority), Arc::clone(&self.home))
    }

    fn serve(path: &str, tls: bool, authority: Arc<Authority>, home: Arc<TempDir>) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let url = format!("{}://{address}{path}", if tls { "https" } else { "http" });
        let document = json!({
            "issuer": url, "jwks_uri": format!("{url}/jwks"),
            "authorization_endpoint": format!("{url}/auth"), "token_endpoint": format!("{url}/token"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        });
        let keys = Arc::new(keys(1));
        let published = keys.iter().map(Key::jwk).collect();
        let now = Now {
            document,
            discovery: Answer::Good,
            jwks: Answer::Good,
            token: Answer::Status(404),
            published,
            keys,
            generation: 1,
            seen: Vec::new(),
        };
        let state = Arc::new(State { now: Mutex::new(now) });
        let identity = tls.then(|| authority.loopback());
        let listener = issuer_http::serve(listener, identity, Arc::clone(&state));
        Self { url, home, authority, state, listener }
    }

    /// Its name.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where its discovery document is.
    pub(crate) fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url)
    }

    /// Where its keys are.
    pub(crate) fn jwks_url(&self) -> String {
        format!("{}/jwks", self.url)
    }

    /// Where its keys are too, whatever [`Issuer::jwks`] says: to redirect to within its origin.
    pub(crate) fn moved_jwks_url(&self) -> String {
        format!("{}/moved/jwks", self.url)
    }

    /// The CA of its certificate, PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.home.path().join("ca.crt")
    }

    /// The entry of it in the `issuers` of a configuration; see [`trust::entry`].
    pub(crate) fn entry(&self, rules: &str) -> String {
        trust::entry(&self.url, &self.ca_file(), rules)
    }

    /// Its true discovery document, to be changed and given to [`Issuer::discovery`].
    pub(crate) fn document(&self) -> Value {
        self.state.with(|now| now.document.clone())
    }

    /// From now on, the discovery document is answered so.
    pub(crate) fn discovery(&self, answer: Answer) -> &Self {
        self.state.with(|now| now.discovery = answer);
        self
    }

    /// From now on, the key set is answered so.
    pub(crate) fn jwks(&self, answer: Answer) -> &Self {
        self.state.with(|now| now.jwks = answer);
        self
    }

    /// From now on, whoever redeems a code or refreshes is answered so.
    pub(crate) fn token(&self, answer: Answer) -> &Self {
        self.state.with(|now| now.token = answer);
        self
    }

    /// Publishes these entries instead of its keys, whatever they are.
    pub(crate) fn publish(&self, entries: Vec<Value>) -> &Self {
        self.state.with(|now| now.published = entries);
        self
    }

    /// Publishes these entries before its keys.
    pub(crate) fn publish_before(&self, entries: Vec<Value>) -> &Self {
        self.state.with(|now| {
            now.published = entries;
            now.published.extend(now.keys.iter().map(Key::jwk));
        });
        self
    }

    /// New keys under new names. A [`Forge`] taken before keeps the old ones.
    pub(crate) fn rotate(&self, old: Old) -> &Self {
        self.state.with(|now| {
            now.generation += 1;
            let new = keys(now.generation);
            let before = std::mem::take(&mut now.published);
            now.published = new.iter().map(Key::jwk).collect();
            if old == Old::Kept {
                now.published.extend(before);
            }
            now.keys = Arc::new(new);
        });
        self
    }

    /// Refuses connections.
    pub(crate) fn down(&self) -> &Self {
        self.listen(Listen::Down)
    }

    /// Takes connections again, at the same port.
    pub(crate) fn up(&self) -> &Self {
        self.listen(Listen::Up)
    }

    fn listen(&self, what: fn(mpsc::Sender<()>) -> Listen) -> &Self {
        let (done, heard) = mpsc::channel();
        self.listener.send(what(done)).expect("its thread runs");
        heard.recv().expect("its thread runs");
        self
    }

    /// The paths asked for so far, in their order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.state.with(|now| now.seen.clone())
    }

    /// How often a path that ends so was asked for.
    pub(crate) fn count(&self, end: &str) -> usize {
        self.seen().iter().filter(|path| path.ends_with(end)).count()
    }

    /// Signs as this issuer does now.
    pub(crate) fn forge(&self) -> Forge {
        Forge::new(&self.url, self.state.with(|now| Arc::clone(&now.keys)))
    }
}

impl State {
    fn with<T>(&self, change: impl FnOnce(&mut Now) -> T) -> T {
        change(&mut self.now.lock().expect("no holder panics"))
    }

    /// How a path is answered, and the good document of it.
    pub(super) fn answer(&self, path: &str) -> (Answer, Value) {
        self.with(|now| {
            now.seen.push(path.to_owned());
            let keys = json!({"keys": now.published});
            if path.ends_with("/.well-known/openid-configuration") {
                (now.discovery.clone(), now.document.clone())
            } else if path.ends_with("/moved/jwks") {
                (Answer::Good, keys)
            } else if path.ends_with("/jwks") {
                (now.jwks.clone(), keys)
            } else if path.ends_with("/token") {
                (now.token.clone(), Value::Null)
            } else {
                (Answer::Status(404), Value::Null)
            }
        })
    }
}

fn keys(generation: u32) -> Vec<Key> {
    ALGS.iter().map(|alg| Key::new(*alg, format!("{}-{generation}", alg.name().to_lowercase()))).collect()
}
