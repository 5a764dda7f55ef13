//! A real OpenID provider (`oidc-provider` from npm) over https on loopback, with keys that the tests hold.
//!
//! `oidc/provider.mjs` is the process; it ends when its stdin does, so it never outlives the tests.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::authority::Authority;
use super::forge::{AUDIENCE, Forge};
use super::keys::{Alg, Key};
use super::parts;
use super::people::people;
use super::trust;

/// The `client_id` of the native app that people sign in with (`login`).
pub(crate) const APP: &str = "platform-mcp";

/// The client that may exchange tokens, and its secret.
pub(crate) const EXCHANGER: [&str; 2] = ["platform-mcp-server", "secret & of: the server"];

/// What the provider signs with; the first is what it signs ID tokens with too.
pub(crate) const ALGS: [Alg; 4] = [Alg::Rs256, Alg::Es256, Alg::Ps256, Alg::EdDsa];

/// The scopes that may be asked for at any resource.
pub(crate) const SCOPES: [&str; 6] = [
    "mcp",
    "kro.rgds.list",
    "kro.instances.list",
    "kro.resource-graph.show",
    "kubernetes.clusters.read",
    "kro.*",
];

/// A running provider.
pub(crate) struct Provider {
    issuer: String,
    home: PathBuf,
    process: Mutex<Process>,
    keys: Mutex<Arc<Vec<Key>>>,
    tokens: Mutex<HashMap<(String, String), String>>,
}

struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    generation: u32,
}

/// What a rotation does with the keys before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Old {
    /// They stay published and sign no more.
    Kept,
    /// They are gone.
    Gone,
}

impl Provider {
    /// The one provider of this test binary, which the shared API server trusts too. Its keys never change.
    ///
    /// # Panics
    /// Where it cannot be had.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Provider> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A provider for one test alone, gone when it is dropped.
    ///
    /// # Panics
    /// Where it cannot be had; it says why on stderr.
    pub(crate) fn start() -> Self {
        let authority = Authority::new();
        let identity = authority.loopback();
        // The shared one is never dropped: the process removes the folder.
        let home = TempDir::with_prefix("platform-mcp-oidc-").expect("a folder").keep();
        std::fs::write(home.join("ca.crt"), authority.pem()).expect("the folder takes a file");
        let folder = parts::node();
        let mut child = Command::new(folder.join("bin/node"))
            .arg(parts::support("oidc/provider.mjs"))
            .args([folder, &home])
            // Ctrl-C ends this process; the provider then sees the end of its stdin.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("it has a stdout"));
        let mut process = Process { child, stdin, stdout, generation: 1 };
        let keys = keys(process.generation);
        let people: Vec<Value> = people()
            .iter()
            .map(|person| {
                let (name, alg) = (&person.name, person.alg.name());
                json!({"name": name, "secret": secret(name), "alg": alg, "claims": person.claims()})
            })
            .collect();
        let said = process.ask(&json!({
            "certificate": identity.certificate, "key": identity.key, "keys": private(&keys),
            "people": people, "exchanger": {"name": EXCHANGER[0], "secret": EXCHANGER[1]}, "app": APP, "cluster": AUDIENCE, "scopes": SCOPES,
        }));
        let issuer = said["issuer"].as_str().expect("it says its issuer").to_owned();
        Self {
            issuer,
            home,
            process: Mutex::new(process),
            keys: Mutex::new(Arc::new(keys)),
            tokens: Mutex::default(),
        }
    }

    /// `https://127.0.0.1:PORT`
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The CA of its certificate, PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.home.join("ca.crt")
    }

    /// The entry of it in the `issuers` of a configuration, with these rules (YAML in one line, as all of it);
    /// names and groups reach clusters as the API server itself would make them.
    pub(crate) fn entry(&self, rules: &str) -> String {
        trust::entry(&self.issuer, &self.ca_file(), rules)
    }

    /// An HTTP client that trusts it, for the runtime it is made in.
    pub(crate) fn http(&self) -> reqwest::Client {
        client(&self.ca_file())
    }

    /// An access token of a person in `people.rs`, for [`AUDIENCE`].
    pub(crate) async fn token(&self, person: &str) -> String {
        self.token_for(person, AUDIENCE).await
    }

    /// An access token for another audience; always the same one until the keys change.
    pub(crate) async fn token_for(&self, person: &str, audience: &str) -> String {
        let wanted = (person.to_owned(), audience.to_owned());
        let cached = self.tokens.lock().expect("no holder panics").get(&wanted).cloned();
        if let Some(token) = cached {
            return token;
        }
        let token = self.new_token(person, audience, None).await;
        self.tokens.lock().expect("no holder panics").insert(wanted, token.clone());
        token
    }

    /// An access token fresh from the token endpoint, with `scope` from [`SCOPES`] if any.
    ///
    /// # Panics
    /// Where the provider gives none.
    pub(crate) async fn new_token(&self, person: &str, audience: &str, scope: Option<&str>) -> String {
        let mut form = vec![("grant_type", "client_credentials"), ("resource", audience)];
        form.extend(scope.map(|scope| ("scope", scope)));
        let answer = self.ask_for_tokens(Some(person), &form).await;
        answer["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token for {person}: {answer}"))
            .to_owned()
    }

    /// What the token endpoint answers to this form, from a person or from the app.
    pub(crate) async fn ask_for_tokens(&self, person: Option<&str>, form: &[(&str, &str)]) -> Value {
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        let mut request = self
            .http()
            .post(format!("{}/token", self.issuer))
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(person) = person {
            request = request.basic_auth(person, Some(secret(person)));
        }
        let answer = request.body(body.join("&")).send().await.expect("the provider answers");
        answer.json().await.expect("the token endpoint speaks JSON")
    }

    /// Whose tokens were exchanged for this audience, each time.
    pub(crate) fn exchanged(&self, audience: &str) -> Vec<String> {
        let mut process = self.process.lock().expect("no holder panics");
        let said = process.ask(&json!({ "exchanged": audience }));
        serde_json::from_value(said["subjects"].clone()).expect("it says whose")
    }

    /// Signs as the provider does now.
    pub(crate) fn forge(&self) -> Forge {
        let keys = self.keys.lock().expect("no holder panics");
        Forge::new(&self.issuer, Arc::clone(&keys))
    }

    /// New keys under new names, with which it signs from now on. A [`Forge`] taken before keeps the old ones.
    pub(crate) fn rotate(&self, old: Old) {
        let mut process = self.process.lock().expect("no holder panics");
        let mut current = self.keys.lock().expect("no holder panics");
        process.generation += 1;
        let new = keys(process.generation);
        let mut all = private(&new);
        if old == Old::Kept {
            all.extend(private(&current));
        }
        process.ask(&json!({"keys": all}));
        *current = Arc::new(new);
        self.tokens.lock().expect("no holder panics").clear();
    }
}

impl Process {
    fn ask(&mut self, message: &Value) -> Value {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        // where it has ended, its own words on stderr say why
        let _ = writeln!(stdin, "{message}");
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("the provider ended ({read:?}, {error}): {line}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// An HTTP client that trusts this CA alone.
pub(crate) fn client(ca_file: &Path) -> reqwest::Client {
    let pem = std::fs::read(ca_file).expect("a CA file");
    let authority = reqwest::Certificate::from_pem(&pem).expect("a CA");
    reqwest::Client::builder()
        .tls_certs_only([authority])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

fn keys(generation: u32) -> Vec<Key> {
    ALGS.iter().map(|alg| Key::new(*alg, format!("{}-{generation}", alg.name().to_lowercase()))).collect()
}

fn private(keys: &[Key]) -> Vec<Value> {
    let one =
        |key: &Key| json!({"kid": key.kid, "alg": key.alg.name(), "pkcs8": STANDARD.encode(key.pkcs8())});
    keys.iter().map(one).collect()
}

fn secret(person: &str) -> String {
    format!("secret-of-{person}")
}

/// A value as it stands in a query or a form.
pub(crate) fn percent(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}
