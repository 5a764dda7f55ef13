//! What Backstage waits for at each of its users' calls: our list of actions, beside the list of a plugin of its
//! own, and whole calls of both through its MCP server. A real Backstage, as `examples/backstage` configures it.

use std::time::{Duration, Instant};

use platform_mcp::demo;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{
    BINARY, Outcome, ROUNDS,
    process::Served,
    report,
    rig::{
        backstage::{Backstage, Mint, Options, PLUGIN, limited_of},
        mcp::Mcp,
    },
};

/// A plugin of Backstage's own, with one action (`tests/backstage/other-plugin.js`).
const OTHER: &str = "other-plugin";
const USER: &str = "user:default/alice";
const GROUP: &str = "group:default/everything";
/// Of each kind in a round, one after the other.
const LISTS: usize = 250;
const CALLS: usize = 50;

/// Measures all of it.
pub(super) fn measure() -> Outcome<()> {
    let backstage = Backstage::start(Options::default().group(GROUP, ["*"]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // with Palette: only then are all tools in the list
        let sample = demo::Sample::start().await?;
        let (palette, key) = sample.palette();
        let clusters = json!([{"name": "demo", "url": sample.kubernetes(), "identity": "own"}]);
        let environments = json!([{"name": "demo", "url": palette, "apiToken": key.expose_secret()}]);
        let more = format!(
            "clusters: {{kubeconfig: {{enabled: false}}, static: {clusters}}}\n\
             spectrocloud: {{environments: {environments}}}\n"
        );
        let ours = Served::product(BINARY, &format!("{}{more}", backstage.entry("")))?;
        backstage.front().to(ours.address()?);
        let token = backstage.user_token(USER, &[GROUP]).await;
        lists(&backstage, &ours, &limited_of(&token)).await?;
        calls(&backstage.mcp(&token)).await?;
        asked(&backstage);
        Ok(())
    })
}

/// A list of actions, asked for with the tokens of Backstage's MCP server for one user.
struct List<'b> {
    plugin: &'b str,
    url: String,
    mint: Mint,
    limited: &'b str,
    http: reqwest::Client,
}

impl<'b> List<'b> {
    fn new(backstage: &Backstage, plugin: &'b str, below: &str, limited: &'b str) -> Self {
        let url = format!("{below}/api/{plugin}/.backstage/actions/v1/actions");
        Self { plugin, url, mint: backstage.mint(), limited, http: reqwest::Client::new() }
    }

    /// Backstage makes another one for each request.
    fn token(&self) -> String {
        self.mint.plugin("mcp-actions", self.plugin).obo(self.limited).sign()
    }

    async fn get(&self, token: &str) -> Outcome<String> {
        Ok(self.http.get(&self.url).bearer_auth(token).send().await?.error_for_status()?.text().await?)
    }

    /// Bytes and actions, from the first request of this user: nothing is known of them before it.
    async fn first(&self) -> Outcome<(Duration, usize, usize)> {
        let (token, began) = (self.token(), Instant::now());
        let text = self.get(&token).await?;
        let taken = began.elapsed();
        let list: Value = serde_json::from_str(&text)?;
        let actions = list.get("actions").and_then(Value::as_array).ok_or("no actions")?.len();
        Ok((taken, text.len(), actions))
    }

    /// How long each of a round's requests took, with these tokens in turn.
    async fn round(&self, tokens: &[String]) -> Outcome<Taken> {
        let mut taken = Taken::default();
        for token in tokens.iter().cycle().take(LISTS) {
            let began = Instant::now();
            self.get(token).await?;
            taken.0.push(began.elapsed());
        }
        Ok(taken)
    }
}

async fn lists(backstage: &Backstage, ours: &Served, limited: &str) -> Outcome<()> {
    let below = ours.url.trim_end_matches("/mcp");
    let our = List::new(backstage, PLUGIN, below, limited);
    let other = List::new(backstage, OTHER, &backstage.direct(""), limited);
    let (first, bytes, actions) = our.first().await?;
    let (_, other_bytes, other_actions) = other.first().await?;
    let same = [our.token()];
    let (mut new, mut kept, mut theirs) = (Taken::default(), Taken::default(), Taken::default());
    for _ in 0..ROUNDS {
        let tokens: Vec<String> = (0..LISTS).map(|_| our.token()).collect();
        let other_tokens: Vec<String> = (0..LISTS).map(|_| other.token()).collect();
        theirs = theirs.better(other.round(&other_tokens).await?);
        new = new.better(our.round(&tokens).await?);
        kept = kept.better(our.round(&same).await?);
    }
    report(
        "actions for Backstage, warm, a new token each time, 1 connection",
        &format!(
            "{}, {actions} actions, {bytes} bytes; of {OTHER}, Backstage's own: {}, {other_actions} action, \
             {other_bytes} bytes; ratio {:.2}",
            new.told(),
            theirs.told(),
            new.at(50) / theirs.at(50)
        ),
        "p95 under 5 ms",
        new.at(95) < 5.0,
    );
    println!("  the same with one token: {}; the first of a user: {}", kept.told(), told(first));
    Ok(())
}

async fn calls(client: &Mcp) -> Outcome<()> {
    let (whoami, echo) = (format!("{PLUGIN}.whoami"), format!("{OTHER}.echo"));
    let (mut ours, mut theirs) = (Taken::default(), Taken::default());
    for _ in 0..ROUNDS {
        theirs = theirs.better(call(client, &echo, &json!({"text": "hello"})).await?);
        ours = ours.better(call(client, &whoami, &json!({})).await?);
    }
    println!(
        "  whole calls through Backstage's MCP server, which lists all plugins at each: {whoami} {}; {echo} {}",
        ours.told(),
        theirs.told()
    );
    Ok(())
}

async fn call(client: &Mcp, tool: &str, arguments: &Value) -> Outcome<Taken> {
    let mut taken = Taken::default();
    for _ in 0..CALLS {
        let began = Instant::now();
        let answer = client.call(tool, arguments.clone()).await;
        taken.0.push(began.elapsed());
        if answer.is_error {
            return Err(format!("{tool} failed: {}", answer.text).into());
        }
    }
    Ok(taken)
}

/// What we asked of Backstage, all in all.
fn asked(backstage: &Backstage) {
    let count = |path| backstage.between().count(path);
    let (decided, known) = (count("/api/permission/authorize"), count("/api/auth/v1/userinfo"));
    let (all, lists) = (count(""), ROUNDS * (2 * LISTS + 2 * CALLS) + ROUNDS * CALLS + 1);
    report(
        &format!(
            "requests to Backstage's permission backend and for userinfo, one user, {lists} requests of theirs"
        ),
        &format!("{decided} and {known}; {all} with those for keys"),
        "1 and 1",
        (decided, known) == (1, 1),
    );
}

/// How long each request of a round took.
#[derive(Default)]
struct Taken(Vec<Duration>);

impl Taken {
    /// The round with the higher rate, as with wrk's.
    fn better(self, other: Self) -> Self {
        let total = |round: &Self| round.0.iter().sum::<Duration>();
        if self.0.is_empty() || total(&other) < total(&self) { other } else { self }
    }

    /// The percentile, in milliseconds.
    fn at(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * percent / 100).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }

    fn told(&self) -> String {
        format!("p50 {:.2} ms, p95 {:.2} ms", self.at(50), self.at(95))
    }
}

fn told(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
