//! Palette that misbehaves: answers are honest, in time, and hold no key, whatever comes.

use std::time::{Duration, Instant};

use platform_mcp::demo::palette::{Data, Failure, Fault};
use serde_json::json;

use crate::{
    mcp::Mcp,
    palette::{Palette, Tenant},
    server::{Product, Server},
};

/// Seconds of a call.
const TIME: u64 = 3;

fn serve(tenant: &Tenant) -> (Server, Mcp) {
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}}}\naudit: {{to: audit.log}}\nlimits: {{callSeconds: {TIME}}}\n{}",
        Palette::shared().config(tenant)
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_is_said_in_time_and_the_key_is_in_no_answer_or_log() {
    let cases = [
        ("storm", Failure::too_many(), "rate limit"),
        ("refused", Failure::unauthorized(), "refused the credential (401)"),
        ("forbidden", coded(403, "OperationForbidden", "needs project.list"), "project.list"),
        ("down", coded(503, "Unavailable", "maintenance"), "503: Unavailable: maintenance"),
        ("router", Failure::Numeric(404, "path not found".to_owned()), "does not serve what was asked (404)"),
        ("proxy", Failure::Html(502), "502: a page (HTML)"),
        ("login", Failure::Html(200), "a page (HTML)"),
        ("half", Failure::Truncated, "ends in the middle"),
        ("cut", Failure::Cut, "cannot be reached"),
        ("odd", Failure::Instead(json!([1])), "of another shape"),
        ("hang", Failure::Hang, "no answer from Palette within"),
        ("late", Failure::Slow(Duration::from_secs(20)), "no answer from Palette within"),
    ];
    // started before anything is measured: to start one blocks
    let rigs = cases.map(|(name, failure, words)| {
        let tenant = Palette::shared().tenant(Data::fleet(2, 0, 2, 1)).lenient();
        // an API that is careless with what it was sent
        tenant.change(|data| data.echo = format!("you sent {}", data.key));
        tenant.fail(Fault::everywhere(failure));
        let (server, mcp) = serve(&tenant);
        (name, words, tenant, server, mcp)
    });
    let checks = rigs.map(|(name, words, tenant, server, mcp)| async move {
        let began = Instant::now();
        let answer = mcp.call("palette_projects", json!({})).await;
        let took = began.elapsed();
        assert!(answer.text.contains(words), "{name}: {}", answer.text);
        assert!(took < Duration::from_secs(TIME + 2), "{name}: {took:?}");
        let key = tenant.key();
        let said =
            format!("{} {} {} {}", answer.text, answer.structure, server.said(), server.read("audit.log"));
        assert!(!said.contains(&key), "{name}: {said}");
        // projects, and the clusters that are counted: three tries of each
        assert!(tenant.count() <= 6, "{name}: {} requests", tenant.count());
        // and once it is over, it is over
        tenant.heal();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let answer = mcp.call("palette_projects", json!({})).await;
        assert_eq!(answer.structure["rows"].as_array().map(Vec::len), Some(2), "{name}: {}", answer.text);
    });
    futures::future::join_all(checks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_by_is_not_even_seen() {
    for failure in [Failure::too_many(), coded(500, "Internal", "oops"), Failure::Cut] {
        let tenant = Palette::shared().tenant(Data::fleet(2, 0, 2, 1)).lenient();
        tenant.fail(Fault::everywhere(failure.clone()).times(1));
        let (_server, mcp) = serve(&tenant);
        let answer = mcp.call("palette_projects", json!({})).await;
        assert_eq!(
            answer.structure["rows"].as_array().map(Vec::len),
            Some(2),
            "{failure:?}: {}",
            answer.text
        );
        assert!(answer.structure["partial"].is_null(), "{failure:?}: {}", answer.structure);
        assert_eq!(tenant.count(), 3, "{failure:?}: projects, clusters, and one of them again");
    }
}

fn coded(status: u16, code: &str, message: &str) -> Failure {
    Failure::Coded(status, code.to_owned(), message.to_owned())
}
