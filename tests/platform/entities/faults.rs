//! An outage is an error, and a file stays what it was: a shorter list would take entities out of a catalog.

use std::path::Path;

use platform_mcp::demo::palette::{Data, Failure, Fault, Project};
use serde_json::{Value, json};

use super::{PATH, Rig, config, names, of_type, sample, serve};
use crate::{
    palette::{Palette, fresh},
    server::Product,
};

const SEARCH: &str = "POST /v1/dashboard/spectroclusters/search";
const PROFILES: &str = "POST /v1/dashboard/clusterprofiles";
const PROJECTS: &str = "POST /v1/dashboard/projects";
const NAMES: &str = "GET /v1/dashboard/projects/metadata";
const GROUPS: &str = "GET /v1/clustergroups/hostCluster";

fn down() -> Failure {
    Failure::Coded(503, "Unavailable".into(), "out of service".into())
}

async fn refused(rig: &Rig) -> (u16, String) {
    let answer = rig.get().send().await.unwrap();
    let status = answer.status().as_u16();
    assert!(!answer.headers().contains_key("etag"), "{status}");
    assert_eq!(answer.headers().contains_key("retry-after"), status == 503, "{status}");
    let body: Value = answer.json().await.expect("JSON");
    (status, body["error"].as_str().expect("a reason").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_part_cannot_be_read_nothing_is_exported() {
    let failures = [down(), Failure::Truncated];
    let endpoints = [SEARCH, PROFILES, PROJECTS, NAMES, GROUPS];
    let all = endpoints.iter().flat_map(|endpoint| failures.iter().map(move |failure| (endpoint, failure)));
    let checks = all.map(async |(endpoint, failure)| {
        let rig = Rig::lenient(sample());
        rig.tenant.fail(Fault::at(endpoint, failure.clone()));
        let (status, why) = refused(&rig).await;
        assert_eq!(status, 503, "{endpoint} {failure:?}: {why}");
        assert!(why.contains("environment demo"), "{endpoint} {failure:?}: {why}");
    });
    futures::future::join_all(checks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_cut_short_is_not_exported() {
    for (endpoint, failure) in [
        (SEARCH, Failure::Count(3)),
        (SEARCH, Failure::Lost),
        (PROFILES, Failure::Count(1)),
        (PROJECTS, Failure::Count(1)),
        (SEARCH, Failure::RepeatedContinue),
    ] {
        let rig = Rig::lenient(Data::fleet(60, 2, 2, 3));
        rig.tenant.fail(Fault::at(endpoint, failure.clone()));
        let (status, why) = refused(&rig).await;
        assert!(
            status == 503 && why.contains("nothing is exported"),
            "{endpoint} {failure:?}: {status} {why}"
        );
        rig.tenant.heal();
    }
    // a page after the first one
    let rig = Rig::lenient(Data::fleet(60, 2, 2, 3));
    rig.tenant.fail(Fault::at(SEARCH, down()).after(1));
    let (status, why) = refused(&rig).await;
    assert!(status == 503 && why.contains("nothing is exported"), "{status} {why}");
    // rows that say not what they are
    let rig = Rig::lenient(Data::fleet(3, 0, 1, 1));
    let odd = json!({"items": [{"metadata": null}], "listmeta": {"count": 1}});
    rig.tenant.fail(Fault::at(SEARCH, Failure::Instead(odd)));
    let (status, why) = refused(&rig).await;
    assert!(status == 503 && why.contains("a cluster without a uid"), "{status} {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_project_that_is_refused_is_not_taken_for_one_that_is_empty() {
    let mut data = Data::fleet(6, 0, 3, 2);
    let mut token = String::new();
    let uids: Vec<String> = data.projects.iter().map(|project| project.uid.clone()).collect();
    data.users.push(platform_mcp::demo::palette::User {
        token: {
            token.push_str(&fresh("user"));
            token.clone()
        },
        projects: uids.clone(),
        tenant: false,
    });
    let tenant = Palette::shared().tenant(data).lenient();
    let open = config(&tenant, "", "").replace(&format!("      apiToken: {}\n", tenant.key()), "");
    let rig = Rig { server: serve(&open), tenant };
    let get = || rig.get().header("palette-authorization-demo", &token).header("accept", "application/json");
    let answer = get().send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.text().await);
    let found: Vec<Value> = answer.json().await.unwrap();
    assert_eq!(of_type(&found, "spectrocloud-cluster").len(), 6, "{:?}", names(&found));
    rig.tenant.change(|data| data.denied.push(uids[1].clone()));
    // another caller of the same: nothing is kept of the answers before
    let again = Rig { server: serve(&open), tenant: rig.tenant };
    let answer = again.get().header("palette-authorization-demo", &token).send().await.unwrap();
    let (status, why) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert!(
        status == 503 && why.contains("nothing is exported") && why.contains("project-01"),
        "{status} {why}"
    );
    // and who brings no token gets nothing of it
    let (status, why) = refused(&again).await;
    assert!(status == 503 && why.contains("Palette-Authorization-demo"), "{status} {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_at_all_is_an_error_too() {
    let rig = Rig::of(Data::default());
    let (status, why) = refused(&rig).await;
    assert!(status == 404 && why.contains("an empty export would empty a catalog"), "{status} {why}");
    let off = Rig::with(sample(), "catalogProvider: {enabled: false}", "");
    assert_eq!(refused(&off).await.0, 404);
    assert_eq!(off.tenant.count(), 0);
}

/// Runs `platform-mcp entities` in a folder of its own.
fn run(config: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Product::new([&["entities"], arguments].concat()).config(config).output();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_writes_all_or_leaves_the_file_as_it_was() {
    let tenant = Palette::shared().tenant(sample()).lenient();
    let config = config(&tenant, "", "");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entities.yaml");
    let path = file.to_str().unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();

    let (code, out, said) = run(&config, &["--output", path]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("6 entities written to"), "{said}");
    let written = read(&file);
    let served = serve(&config);
    let answer = reqwest::get(served.url(PATH)).await.unwrap().text().await.unwrap();
    assert_eq!(written, answer, "the command and the endpoint say the same");
    let (code, out, said) = run(&config, &["--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(serde_json::from_str::<Vec<Value>>(&out).unwrap().len(), 6);

    tenant.fail(Fault::everywhere(down()));
    let (code, out, said) = run(&config, &["--output", path]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{said}");
    assert!(said.contains("environment demo") && said.contains("503"), "{said}");
    assert_eq!(read(&file), written);
    let (code, out, _) = run(&config, &[]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    tenant.heal();

    tenant.change(|data| data.projects.push(Project::new("late")));
    assert_eq!(run(&config, &["--output", path]).0, Some(0));
    assert!(read(&file).contains("demo-late"));
    let nobody =
        format!("{config}\nlocal: {{roles: [nobody]}}\nroles: {{nobody: {{allow: [kro.rgds.list]}}}}\n");
    let (code, _, said) = run(&nobody, &["--output", path]);
    assert!(code == Some(1) && said.contains("platform.entities.read"), "{said}");
    let (code, _, said) = run(&config, &["--output", "/no/such/folder/x"]);
    assert!(code == Some(1) && said.contains("/no/such/folder/x"), "{said}");
}
