//! The conformance suite against the product binary. What it does not pass is in a baseline beside the
//! suite's other files, each with the reason; an entry that passes fails the run.

use std::process::Command;

use crate::{
    parts::{node, support},
    server::Server,
};

#[allow(clippy::print_stdout, reason = "the totals are what a reader of the run wants")]
fn conforms(revision: &str) {
    let server = Server::demo();
    let node = node();
    let baseline = support(&format!("conformance/expected-failures-{revision}.yaml"));
    let results = tempfile::tempdir().expect("a folder for the results");
    let output = Command::new(node.join("bin/node"))
        .arg(node.join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
        .args(["server", "--requirements", revision, "--url", &server.url("/mcp")])
        .arg("--expected-failures")
        .arg(&baseline)
        .arg("-o")
        .arg(results.path())
        .current_dir(results.path())
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let summary = said.find("=== SUMMARY ===").and_then(|at| said.get(at..)).unwrap_or(&said);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{summary}\n{errors}");

    let total = summary.lines().find(|line| line.starts_with("Total:")).expect("the suite says a total");
    println!("conformance {revision}: {total}");

    // The suite checks what it scores. What it does not score must be accounted for all the same.
    let reasons = std::fs::read_to_string(&baseline).expect("the baseline is there");
    let failing = summary.lines().filter_map(|line| line.strip_prefix("✗ ")?.split_once(':'));
    let unexplained: Vec<&str> =
        failing.map(|(scenario, _)| scenario).filter(|scenario| !explained(&reasons, scenario)).collect();
    assert_eq!(unexplained, [""; 0], "no reason in {}", baseline.display());
}

fn explained(reasons: &str, scenario: &str) -> bool {
    reasons.lines().any(|line| {
        let entry = line.trim_start_matches([' ', '#', '-']);
        entry.strip_prefix(scenario).is_some_and(|rest| rest.starts_with([':', ' ']))
    })
}

#[test]
fn with_2025_11_25() {
    conforms("2025-11-25");
}

#[test]
fn with_2026_07_28() {
    conforms("2026-07-28");
}
