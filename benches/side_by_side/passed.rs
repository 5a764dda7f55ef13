//! Requests that are passed on: what one costs more than the same straight at the cluster, and what many large
//! ones take in memory.

use std::time::{Duration, Instant};

use super::{
    BINARY, Outcome, ROUND, ROUNDS,
    issuer::{self, Issuer},
    load,
    process::Served,
    report,
    upstream::{POD, PODS},
};

/// Who reads at a time.
const CALLERS: usize = 16;
/// What each of them reads, one after the other.
const READS: usize = 20;

/// Measures all of it.
pub(super) fn measure() -> Outcome<()> {
    let (upstream, issuer) = (Served::upstream()?, Issuer::start()?);
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}, static: [{{name: bench, url: {:?}, token: bench-bench}}]}}\n\
         http: {{proxy: {{base: kubernetes}}}}\nroles: {{all: {{allow: ['*']}}}}\n\
         issuers: [{{url: {:?}, audiences: [{:?}], rules: [{{roles: [all]}}]}}]\n",
        upstream.url,
        issuer.url(),
        issuer::AUDIENCE
    );
    let ours = Served::product(BINARY, &config)?;
    let mount = format!("{}/api/kubernetes/proxy", ours.url.trim_end_matches("/mcp"));
    let token = issuer.token("alice")?;
    for connections in [1, 16] {
        let (mut best_raw, mut best_ours) = (load::Rate::default(), load::Rate::default());
        for _ in 0..ROUNDS {
            let raw = load::drive_get(&format!("{}{POD}", upstream.url), None, connections, ROUND)?;
            let passed = load::drive_get(&format!("{mount}{POD}"), Some(&token), connections, ROUND)?;
            (best_raw, best_ours) = (best_raw.better(raw), best_ours.better(passed));
        }
        let more = (best_ours.p50_micros - best_raw.p50_micros) / 1e3;
        let what = format!("a Pod through the endpoint, as the caller, {connections} connections");
        let figures = format!(
            "{:.0}/s, p50 {:.0} µs; straight at the cluster {:.0}/s, p50 {:.0} µs; {more:.2} ms more",
            best_ours.per_second, best_ours.p50_micros, best_raw.per_second, best_raw.p50_micros
        );
        match connections {
            1 => report(&what, &figures, "p50 under 1 ms more", more < 1.0),
            // there the cores are what is waited for
            _ => println!("  {what}: {figures}"),
        }
    }
    drop(ours);

    let ours = Served::product(BINARY, &config)?;
    let mount = format!("{}/api/kubernetes/proxy", ours.url.trim_end_matches("/mcp"));
    let tokens: Vec<String> =
        (0..CALLERS).map(|n| issuer.token(&format!("reader-{n}"))).collect::<Outcome<_>>()?;
    let streamed = load::read_as_each(&tokens, READS, |http, token| {
        http.get(format!("{mount}{PODS}")).bearer_auth(token)
    })?;
    told("lists of 1 MB through the endpoint", &ours, &streamed)?;
    let arguments = serde_json::json!({"path": PODS});
    let answer = load::result_of(&ours.url, "kubernetes_proxy", &arguments, Some(&token))?;
    if answer.get("isError") == Some(&true.into()) {
        return Err(format!("kubernetes_proxy failed: {answer}").into());
    }
    let call = load::tool_call("kubernetes_proxy", &arguments);
    let tools = load::read_as_each(&tokens, READS, |http, token| call(http, &ours.url, token))?;
    told("lists of 1 MB by kubernetes_proxy", &ours, &tools)?;
    let discovered = load::text(&format!("{}/discovered", upstream.url))?;
    // of the two servers' readings the second alone had a reason for one: /api and /apis
    report(
        "requests for discovery, all callers",
        &discovered,
        "one reading: 2 at most",
        discovered.parse::<u32>()? <= 2,
    );
    Ok(())
}

fn told(what: &str, ours: &Served, taken: &[Duration]) -> Outcome<()> {
    let mut taken: Vec<f64> = taken.iter().map(|time| time.as_secs_f64() * 1e3 / READS as f64).collect();
    taken.sort_by(f64::total_cmp);
    let at = |index: usize| taken.get(index).copied().unwrap_or_default();
    let (median, slowest) = (at(taken.len() / 2), at(taken.len() - 1));
    let peak = ours.peak_mib()?;
    report(
        &format!("{CALLERS} callers, {READS} {what} each"),
        &format!(
            "peak {peak:.1} MiB; {median:.1} ms a list for the median caller, {slowest:.1} ms for the slowest"
        ),
        "under 64 MiB, the slowest under twice the median",
        peak < 64.0 && slowest < median * 2.0,
    );
    Ok(())
}

/// How long something took.
pub(super) async fn timed<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<Duration> {
    let began = Instant::now();
    work.await?;
    Ok(began.elapsed())
}
