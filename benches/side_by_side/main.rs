//! The numbers of the README, each beside its goal: `make bench`.
//!
//! Counts and sizes carry no noise. Times do on shared machines, so throughput is a ratio against a
//! bare rmcp server (this same program, started with `bare-server`) in the same run, measured in
//! alternating rounds by the same load generator (wrk) with the same request.

#![allow(clippy::print_stdout, reason = "printing figures is what it is for")]

mod backstage;
mod bare;
mod issuer;
mod load;
mod passed;
mod process;
#[path = "../../tests/support"]
#[allow(dead_code, unused_imports, reason = "helpers of the tests; this binary uses some of them")]
#[allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken rig ends the run and says why"
)]
mod rig {
    pub(crate) mod backstage;
    mod forge;
    mod keys;
    pub(crate) mod mcp;
    mod parts;
    mod people;
    mod small_rsa;
}
mod upstream;

use std::{error::Error, path::PathBuf, time::Duration};

use issuer::Issuer;
use process::Served;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const BINARY: &str = env!("CARGO_BIN_EXE_platform-mcp");
const COLD_STARTS: usize = 25;
const ROUNDS: usize = 4;
/// Whose memory is measured.
const CALLERS: usize = 10_000;
const ROUND: Duration = Duration::from_secs(4);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "bare-server") {
        return bare::serve(arguments.get(1).map(PathBuf::from).ok_or("bare-server FILE")?);
    }
    if arguments.first().is_some_and(|first| first == "upstream-server") {
        return upstream::serve();
    }
    // one part alone, while it is worked on
    if arguments.iter().any(|argument| argument == "passed") {
        return passed::measure();
    }
    if arguments.iter().any(|argument| argument == "backstage") {
        return backstage::measure();
    }
    let size = std::fs::metadata(BINARY)?.len();
    report("binary size", &format!("{:.1} MB", size as f64 / 1e6), "under 25 MB", size < 25_000_000);
    let cold = process::cold_starts(BINARY, COLD_STARTS)?;
    let median = cold.median.as_secs_f64() * 1e3;
    report("cold start to the first answer, stdio", &format!("{median:.1} ms"), "under 10 ms", median < 10.0);
    let idle = cold.idle_kib as f64 / 1024.0;
    report(
        "idle memory after the first answer, stdio",
        &format!("{idle:.1} MiB"),
        "under 20 MiB",
        idle < 20.0,
    );

    let ours = Served::product(BINARY, "")?;
    let list = load::tool_list(&ours.url)?;
    let each = list.bytes / list.tools.max(1);
    report(
        "tools/list of the viewer",
        &format!(
            "{} bytes, {} tools, {each} bytes a tool (schemas of answers included)",
            list.bytes, list.tools
        ),
        "name, description and input under 650 bytes a tool",
        list.read_by_model / list.tools.max(1) < 650,
    );
    println!(
        "  of these a model reads {} bytes ({} a tool)",
        list.read_by_model,
        list.read_by_model / list.tools.max(1)
    );
    against_bare("gated call without upstream", &ours, None)?;
    println!("  resident after the load: {:.1} MiB", ours.resident_mib()?);
    drop(ours);

    let issuer = Issuer::start()?;
    let trusted = format!(
        "issuers: [{{url: {:?}, audiences: [{:?}], rules: [{{when: {{groups: team-a}}, roles: [viewer]}}]}}]\n",
        issuer.url(),
        issuer::AUDIENCE
    );
    let ours = Served::product(BINARY, &trusted)?;
    let token = issuer.token("alice")?;
    against_bare("gated call with a token, bare rmcp without one", &ours, Some(&token))?;
    drop(ours);

    let ours = Served::product(BINARY, &trusted)?;
    load::call_as_each(&ours.url, std::iter::once(issuer.token("alice")))?;
    let before = ours.resident_mib()?;
    load::call_as_each(&ours.url, (0..CALLERS).map(|number| issuer.token(&format!("caller-{number}"))))?;
    let after = ours.resident_mib()?;
    println!("  resident after one caller: {before:.1} MiB; after {CALLERS} different ones: {after:.1} MiB");
    drop(ours);
    passed::measure()?;
    backstage::measure()
}

/// The product against a server that answers the same bytes, so that only the work in between differs.
fn against_bare(what: &str, ours: &Served, token: Option<&str>) -> Outcome<()> {
    let answer = load::answer_of(&ours.url, "whoami", token)?;
    let file = ours.folder.path().join("answer.json");
    std::fs::write(&file, answer)?;
    let bare = Served::bare(&file)?;
    for connections in [1, 16] {
        let (mut best_ours, mut best_bare) = (load::Rate::default(), load::Rate::default());
        for _ in 0..ROUNDS {
            best_bare = best_bare.better(load::drive(&bare.url, None, connections, ROUND)?);
            best_ours = best_ours.better(load::drive(&ours.url, token, connections, ROUND)?);
        }
        let ratio = best_ours.per_second / best_bare.per_second;
        report(
            &format!("{what}, {connections} connections"),
            &format!(
                "{:.0}/s, p50 {:.0} µs; bare rmcp {:.0}/s, p50 {:.0} µs; ratio {ratio:.2}",
                best_ours.per_second, best_ours.p50_micros, best_bare.per_second, best_bare.p50_micros
            ),
            "ratio at least 0.8",
            ratio >= 0.8,
        );
    }
    Ok(())
}

fn report(what: &str, figure: &str, goal: &str, met: bool) {
    println!("{} {what}: {figure}  (goal: {goal})", if met { "met " } else { "MISS" });
}
