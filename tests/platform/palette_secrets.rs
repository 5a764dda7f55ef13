//! A tenant with a secret in every field that can carry one: it leaves in no answer, error, prompt, log or audit
//! line, whoever asks; but a kubeconfig that was asked for with its content, where the door allows that.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use platform_mcp::demo::palette::{Data, Failure, Fault};
use serde_json::{Value, json};

use crate::{
    matrix::all_tools,
    mcp::Mcp,
    palette::{Palette, Tenant},
    palette_world::Names,
    server::{Product, Server},
};

/// In every secret, as it is or in capitals; and in nothing else.
const MARKER: &str = "qzhunterqz";
const PARALLEL: usize = 4;

/// Names of everything there is.
fn names(data: &Data) -> Names {
    let mut clusters: Vec<String> = data.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    clusters.extend(data.clusters.iter().map(|cluster| cluster.uid.clone()));
    let mut profiles: Vec<String> = data.profiles.iter().map(|profile| profile.name.clone()).collect();
    let versions = || data.profiles.iter().flat_map(|profile| &profile.versions);
    profiles.extend(versions().map(|version| version.uid.clone()));
    let project = data.projects.first().expect("a project");
    let packs = || versions().flat_map(|version| &version.packs);
    let pack = packs().find(|pack| !pack.manifests.is_empty()).or(packs().next()).expect("a pack");
    let compared = data.profiles.iter().find(|profile| profile.versions.len() > 1);
    let compared = compared
        .map_or(["1.0.0", "1.0.0"], |of| [of.versions[0].version.as_str(), of.versions[1].version.as_str()]);
    Names {
        environment: "demo".into(),
        project: project.name.clone(),
        project_uid: project.uid.clone(),
        clusters,
        profiles,
        groups: data.groups.iter().map(|group| group.name.clone()).collect(),
        versions: compared.map(str::to_owned),
        pack: pack.name.clone(),
        manifest: pack.manifests.first().map_or("none", |manifest| &manifest.name).to_owned(),
    }
}

/// A server for each role, so that each has its own log.
fn serve(tenant: &Tenant, role: &str, more: &str, seconds: u64) -> Server {
    let palette = Palette::shared();
    let environment = palette.environment("demo", tenant).trim_end().to_owned();
    let config = format!(
        "spectrocloud:\n  environments:\n{environment}\n      adminKubeconfig: true\nlocal: {{role: {role}}}\n\
         audit: {{to: audit.log}}\n{more}limits: {{callSeconds: {seconds}, requestsPerSecond: 100000, burst: 100000}}\n"
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).env("RUST_LOG", "debug").config(&config).serve()
}

async fn palette_tools(mcp: &Mcp) -> Vec<Value> {
    let tools = mcp.list_tools().await;
    tools
        .into_iter()
        .filter(|tool| tool["name"].as_str().is_some_and(|name| name.starts_with("palette_")))
        .collect()
}

/// Everything that a caller can be shown, with what was asked for it.
async fn shown(mcp: &Mcp, names: &Names) -> Vec<(String, String)> {
    let mut calls = Vec::new();
    for tool in palette_tools(mcp).await {
        let name = tool["name"].as_str().expect("a name").to_owned();
        calls.extend(names.calls(&tool).into_iter().map(|arguments| (name.clone(), arguments)));
    }
    let answered = stream::iter(calls).map(|(tool, arguments)| async move {
        let answer = mcp.call(&tool, arguments.clone()).await;
        let said = if answer.is_error { "refused" } else { "answered" };
        (format!("{tool} {arguments}"), format!("{said}: {}\n{}", answer.text, answer.structure))
    });
    let mut shown: Vec<(String, String)> = answered.buffer_unordered(PARALLEL).collect().await;
    let list = mcp.result("prompts/list", json!({})).await.expect("a list");
    for prompt in list["prompts"].as_array().expect("prompts") {
        let mut arguments = json!({});
        for argument in prompt["arguments"].as_array().into_iter().flatten() {
            let name = argument["name"].as_str().expect("a name");
            if let Some(value) = names.values(name).first().filter(|_| argument["required"] == true) {
                arguments[name] = value.clone();
            }
        }
        let asked = json!({"name": prompt["name"], "arguments": arguments});
        let said = match mcp.result("prompts/get", asked.clone()).await {
            Ok(result) => result.to_string(),
            Err(error) => error.message,
        };
        shown.push((format!("prompts/get {asked}"), said));
    }
    for cluster in &names.clusters {
        let uri = json!({"uri": format!("palette://demo/clusters/{cluster}")});
        let said = match mcp.result("resources/read", uri.clone()).await {
            Ok(result) => result.to_string(),
            Err(error) => error.message,
        };
        shown.push((format!("resources/read {uri}"), said));
    }
    shown
}

/// What of the planted is in a text: the marker tells more than the whole secrets do, but base64 hides it.
fn found<'s>(said: &str, secrets: &'s [String]) -> Option<&'s str> {
    if said.to_lowercase().contains(MARKER) {
        return Some(MARKER);
    }
    secrets.iter().map(String::as_str).find(|secret| said.contains(secret))
}

/// The line in which it is.
fn around<'t>(said: &'t str, secret: &str) -> Vec<&'t str> {
    let holds = |line: &&str| line.contains(secret) || line.to_lowercase().contains(secret);
    said.lines().filter(holds).map(|line| &line[..line.len().min(1_500)]).take(3).collect()
}

#[track_caller]
fn assert_clean(shown: &[(String, String)], secrets: &[String]) {
    let leaks: Vec<String> = shown
        .iter()
        .filter_map(|(what, said)| {
            let secret = found(said, secrets)?;
            Some(format!("{what} shows {secret}: {:#?}", around(said, secret)))
        })
        .collect();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

async fn tried(role: &str) {
    let (data, mut secrets) = Data::planted(MARKER);
    let tenant = Palette::shared().tenant(data);
    secrets.push(tenant.key());
    let names = names(&tenant.data());
    let server = serve(&tenant, role, "", 20);
    let mcp = Mcp::new(server.url("/mcp"));
    let mut shown = shown(&mcp, &names).await;
    shown.push(("the log".to_owned(), server.said()));
    shown.push(("the audit log".to_owned(), server.read("audit.log")));
    assert_clean(&shown, &secrets);
    let tried: BTreeSet<&str> = shown
        .iter()
        .filter(|(_, said)| said.starts_with("answered"))
        .filter_map(|(asked, _)| asked.split(' ').next())
        .collect();
    let missing: Vec<String> = all_tools()
        .into_iter()
        .filter(|tool| tool.starts_with("palette_") && role == "admin" && !tried.contains(tool.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_gets_no_planted_secret_from_any_tool() {
    tried("viewer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gets_no_planted_secret_from_any_tool() {
    tried("operator").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_gets_no_planted_secret_from_any_tool() {
    tried("admin").await;
}

/// Where the door allows it, and the caller asks for the content: the credentials of a kubeconfig, in the answer to
/// that and nowhere else. What else stands in Palette's file (a proxy with a password, here) does not come along.
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_leaves_in_a_kubeconfig_that_was_asked_for_and_nowhere_else() {
    let (data, secrets) = Data::planted(MARKER);
    let files: Vec<String> = data
        .clusters
        .iter()
        .filter_map(|cluster| cluster.kubeconfigs.clone())
        .flat_map(|files| [files.user, files.client, files.frp, files.admin].into_iter().flatten())
        .collect();
    let tenant = Palette::shared().tenant(data);
    let names = names(&tenant.data());
    let server = serve(&tenant, "admin", "http: {kubeconfigs: true}\n", 20);
    let mcp = Mcp::new(server.url("/mcp"));
    let mut shown = shown(&mcp, &names).await;
    let asked_for =
        |asked: &str| asked.starts_with("palette_kubeconfig ") && asked.contains("\"content\":true");
    let (files_shown, rest): (Vec<_>, Vec<_>) = shown.drain(..).partition(|(asked, _)| asked_for(asked));
    assert_clean(&rest, &secrets);
    let own: Vec<&String> =
        secrets.iter().filter(|secret| files.iter().any(|file| file.contains(*secret))).collect();
    let mut credentials = 0;
    for (asked, said) in &files_shown {
        assert!(
            !secrets.iter().any(|secret| secret.ends_with("-proxy") && said.contains(secret)),
            "{asked}: {said}"
        );
        for secret in secrets.iter().filter(|secret| said.contains(*secret)) {
            assert!(own.contains(&secret), "{asked} shows {secret}");
            credentials += 1;
        }
    }
    assert!(credentials > 0, "none of {} is given: {files_shown:#?}", files_shown.len());
    let logs = [("the log", server.said()), ("the audit log", server.read("audit.log"))];
    assert_clean(&logs.map(|(name, said)| (name.to_owned(), said)), &secrets);
}

/// An API that is careless: whatever goes wrong, it says what key it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_quotes_the_api_key_is_not_passed_on() {
    let tenant = Palette::shared().tenant(Data::fleet(6, 2, 2, 4));
    let key = tenant.key();
    let names = names(&tenant.data());
    let quote = format!("no: ApiKey: {key} is not welcome, nor is apikey={key}");
    for failure in [
        Failure::Coded(500, "InternalServerError".into(), quote.clone()),
        Failure::Coded(403, "OperationForbidden".into(), quote.clone()),
        Failure::Coded(400, key.clone(), quote.clone()),
        Failure::Numeric(404, quote.clone()),
    ] {
        tenant.heal();
        tenant.fail(Fault::everywhere(failure));
        let server = serve(&tenant, "admin", "", 5);
        let mcp = Mcp::new(server.url("/mcp"));
        let mut shown = Vec::new();
        for tool in palette_tools(&mcp).await {
            let name = tool["name"].as_str().expect("a name");
            let arguments = names.few(&tool)[0].clone();
            let answer = mcp.call(name, arguments.clone()).await;
            shown.push((format!("{name} {arguments}"), format!("{}\n{}", answer.text, answer.structure)));
        }
        shown.push(("the log".to_owned(), server.said()));
        shown.push(("the audit log".to_owned(), server.read("audit.log")));
        let leaks: Vec<&(String, String)> = shown.iter().filter(|(_, said)| said.contains(&key)).collect();
        assert!(leaks.is_empty(), "{leaks:#?}");
    }
}
