//! Signing in with `platform-mcp login`, at the real provider and at one that lies, and what then runs as that
//! person: stdio, the shell, and kubectl.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod browser;
mod faults;
mod keyring;
mod kubectl;
mod renewal;

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    forge::AUDIENCE,
    oidc::{APP, Provider},
    server::{Product, StdioServer},
};

const RULES: &str = "[{when: {groups: team-a}, roles: [viewer]}]";

/// The user's own folders, which several processes share.
pub(crate) struct Home {
    state: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { state: tempfile::tempdir().expect("a folder") }
    }

    /// The product with these arguments, for this user.
    pub(crate) fn product(&self, arguments: &[&str]) -> Product {
        Product::new(arguments).env("XDG_STATE_HOME", self.state.path())
    }

    /// Where sign-ins are kept.
    pub(crate) fn folder(&self) -> PathBuf {
        self.state.path().join("platform-mcp/sign-in")
    }

    /// The file of the only sign-in, if there is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.folder()).ok()?;
        let mut files = entries.map(|entry| entry.expect("an entry").path());
        files.find(|path| path.extension().is_some_and(|end| end == "json"))
    }

    /// What is kept in it.
    pub(crate) fn kept(&self) -> Value {
        let text = std::fs::read_to_string(self.file().expect("a sign-in")).expect("it can be read");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Changes what is kept.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut kept = self.kept();
        change(&mut kept["tokens"]);
        std::fs::write(self.file().expect("a sign-in"), kept.to_string()).expect("it can be written");
    }
}

/// A configuration with the real provider, whose people sign in with what is in `login`.
pub(crate) fn config(login: &Value) -> String {
    let mut whole = json!({"clientId": APP, "scopes": ["groups", "profile", "mcp"], "resource": AUDIENCE});
    for (name, value) in login.as_object().expect("an object") {
        whole[name] = value.clone();
    }
    let entry = Provider::shared().entry(RULES);
    let entry = entry.strip_suffix('}').expect("an entry");
    format!("issuers: [{entry}, login: {whole}}}]\n")
}

/// The URL that somebody who signs in has to open.
pub(crate) fn url(login: &StdioServer, start: &str) -> String {
    login.wait_for(|said| {
        let line = said.lines().find_map(|line| line.trim().strip_prefix(start).map(|_| line.trim()))?;
        Some(line.to_owned())
    })
}

/// Signs somebody in with the scripted browser; what is printed.
pub(crate) async fn sign_in(home: &Home, config: &str, person: &str) -> String {
    let provider = Provider::shared();
    let mut login = home.product(&["login", "--no-browser"]).config(config).stdio();
    let url = url(&login, provider.issuer());
    let back = provider.browse(&url, person).await;
    let page = reqwest::get(&back).await.expect("it waits there").text().await.expect("a page");
    assert!(page.contains("You are signed in"), "{page}: {}", login.said());
    let status = login.ended(Duration::from_secs(30));
    assert!(status.success(), "{}", login.said_at_end());
    let said = login.said_at_end();
    assert!(!said.contains("eyJ") && !back.contains("eyJ"), "nothing of a token is said: {said}");
    said
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn whoami(server: &mut StdioServer, id: u32) -> Value {
    server.request(id, "tools/call", &json!({"name": "whoami", "arguments": {}}))["result"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_in_is_who_calls_until_they_sign_out() {
    let (home, config) = (Home::new(), config(&json!({})));
    let before = home.product(&["whoami"]).config(&config).output();
    let error = text(&before.stderr);
    assert_eq!(before.status.code(), Some(2), "{error}");
    assert!(error.contains("`platform-mcp login`") && error.contains("PLATFORM_MCP_TOKEN"), "{error}");

    let said = sign_in(&home, &config, "alice").await;
    assert!(said.contains("which you alone may read (there is no keyring here)"), "{said}");
    let shell = home.product(&["whoami", "-o", "json"]).config(&config).output();
    assert!(shell.status.success(), "{}", text(&shell.stderr));
    let who: Value = serde_json::from_slice(&shell.stdout).expect("JSON");
    assert_eq!((&who["username"], &who["issuer"]), (&json!("alice"), &json!(Provider::shared().issuer())));
    let mut server = home.product(&[]).config(&config).stdio();
    assert_eq!(whoami(&mut server, 1)["structuredContent"]["username"], "alice");

    // what is given beside it is clear
    let role = home.product(&["whoami", "-o", "json", "--role", "viewer"]).config(&config).output();
    assert!(text(&role.stdout).contains("local"), "--role asks for the local user: {}", text(&role.stderr));
    let both =
        home.product(&["whoami", "--sign-in", "127.0.0.1", "--role", "viewer"]).config(&config).output();
    assert!(text(&both.stderr).contains("--sign-in for somebody else"), "{}", text(&both.stderr));
    let token = home.product(&["whoami", "-o", "json"]).config(&config);
    let token = token.env("PLATFORM_MCP_TOKEN", Provider::shared().token("bob").await).output();
    assert!(text(&token.stdout).contains("\"bob\""), "a token that is given wins: {}", text(&token.stdout));

    let out = home.product(&["logout"]).config(&config).output();
    assert!(out.status.success() && text(&out.stdout).contains("signed out at"), "{}", text(&out.stderr));
    assert!(home.file().is_none(), "nothing is kept");
    let after = whoami(&mut server, 2);
    assert_eq!(after["isError"], true, "{after}");
    let told = after["content"][0]["text"].as_str().expect("text");
    assert!(told.contains("you are not signed in") && told.contains("platform-mcp login"), "{told}");
    let again = home.product(&["logout"]).config(&config).output();
    assert!(text(&again.stdout).contains("you were not signed in"), "{}", text(&again.stdout));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_its_owner_may_read_what_is_kept_and_what_others_could_read_is_not_taken() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, config) = (Home::new(), config(&json!({})));
    sign_in(&home, &config, "alice").await;
    let mode = |path: PathBuf| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let file = home.file().expect("a sign-in");
    assert_eq!((mode(file.clone()), mode(home.folder())), (0o600, 0o700));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("changed");
    let output = home.product(&["whoami"]).config(&config).output();
    assert!(text(&output.stderr).contains("others may read"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_gets_the_url_as_its_one_argument() {
    let (home, config) = (Home::new(), config(&json!({})));
    let login = home.product(&["login"]).config(&config);
    let seen = login.write("seen", "");
    let browser = login.write("browser", &format!("#!/bin/sh\necho \"$#:$1\" > {}\n", seen.display()));
    std::process::Command::new("chmod").arg("+x").arg(&browser).status().expect("chmod");
    let mut login = login.env("BROWSER", &browser).stdio();
    let url = url(&login, Provider::shared().issuer());
    let back = Provider::shared().browse(&url, "alice").await;
    // whatever else comes to that port is nothing to it
    let (base, _) = back.split_once("/callback").expect("the callback");
    let other = reqwest::get(format!("{base}/favicon.ico")).await.expect("an answer");
    assert_eq!(other.status(), 404);
    let answer = reqwest::get(&back).await.expect("it waits there");
    assert!(
        answer.headers()["content-security-policy"].to_str().expect("text").contains("default-src 'none'")
    );
    assert!(login.ended(Duration::from_secs(30)).success(), "{}", login.said_at_end());
    let argument = std::fs::read_to_string(&seen).expect("the browser ran");
    assert_eq!(argument.trim(), format!("1:{url}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_browser_is_another_device_will_do() {
    let provider = Provider::shared();
    let home = Home::new();
    let config = config(&json!({"parameters": {"login_hint": "erin"}}));
    // nothing here could open a browser, so nothing has to be said
    let mut login = home.product(&["login"]).config(&config).stdio();
    let place = login.wait_for(|said| {
        let mut lines = said.lines().map(str::trim);
        lines
            .find(|line| line.starts_with(provider.issuer()) && line.contains("user_code="))
            .map(str::to_owned)
    });
    let page = provider.agree(&place).await;
    assert!(!page.contains("error"), "{page}");
    assert!(login.ended(Duration::from_secs(40)).success(), "{}", login.said_at_end());
    let shell = home.product(&["whoami", "-o", "json"]).config(&config).output();
    assert!(text(&shell.stdout).contains("\"erin\""), "{} {}", text(&shell.stderr), login.said_at_end());
}

#[tokio::test]
async fn at_which_issuer_is_clear_or_asked() {
    let home = Home::new();
    let issuer =
        |name: &str, more: &str| format!("{{url: 'https://{name}.example.com', audiences: [a]{more}}}");
    let login = ", login: {clientId: c}";
    let one = format!("issuers: [{}]\n", issuer("a", ""));
    let two = format!("issuers: [{}, {}]\n", issuer("a", login), issuer("b", login));
    for (arguments, config, said) in [
        (&["serve", "--http", "127.0.0.1:0", "--sign-in", "a"][..], &two, "--sign-in is for stdio"),
        (&["call", "whoami", "--demo", "--sign-in", "a"], &two, "--sign-in is of no use here"),
        (&["login"], &one, "no issuer of the configuration has `login`"),
        (&["login", "https://a.example.com"], &one, "has no `login` in the configuration"),
        (&["login"], &two, "say at which issuer: https://a.example.com, https://b.example.com"),
        (&["logout", "c.example.com"], &two, "none of the issuers that have `login`"),
        (&["token", "--cluster", "x"], &two, "say at which issuer"),
        (&["login", "--client-id", "x"], &two, "ISSUER"),
        (&["login", "http://a.example.com", "--client-id", "x"], &two, "https://"),
        (
            &["login", "https://x.example.com", "--client-id", "x", "--certificate-authority-data", "eA=="],
            &two,
            "no certificate",
        ),
    ] {
        let output = home.product(arguments).config(config).output();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    for (login, said) in [
        ("clientId: ''", "login.clientId: must not be empty"),
        ("clientId: a, clientSecret: ''", "login.clientSecret: must not be empty"),
        ("clientId: a, scopes: ['a b']", "login.scopes[0]: is no scope"),
        (
            "clientId: a, redirectUrl: 'https://example.com/'",
            "login.redirectUrl: must be http:// on a loopback",
        ),
        ("clientId: a, parameters: {state: x}", "login.parameters.state: is set by platform-mcp itself"),
        ("clientId: a, token: id", "login.token: is id, and ID tokens are not taken"),
        ("clientId: a, resource: x", "login.resource: must be a URI"),
        ("clientId: a, tokenEndpoint: 'http://example.com'", "login.tokenEndpoint: must begin with https://"),
        ("clientId: a, storage: cloud", "login.storage"),
    ] {
        let config = format!("issuers: [{}]\n", issuer("a", &format!(", login: {{{login}}}")));
        let output = home.product(&["login"]).config(&config).output();
        assert_eq!(output.status.code(), Some(2), "{login}");
        assert!(text(&output.stderr).contains(said), "{login}: {}", text(&output.stderr));
    }
}
