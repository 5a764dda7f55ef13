//! Palette as a client of it: whose credential reaches whom, what is kept for whom, and what the operator is told.

use platform_mcp::demo::palette::{Data, Failure, Fault, User};
use serde_json::{Value, json};

use crate::{
    exchange::{OURS, client, issuer},
    impersonation::ours,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    palette::{Palette, Tenant, fresh},
    server::{Product, Server},
};

const HEADER: &str = "palette-authorization-mine";
const PLAIN: &str = "palette-authorization";
const PLUGIN: &str = "x-spectrocloud-token";
const PROJECTS: &str = "GET /v1/dashboard/projects/metadata";

/// A server of callers with tokens, for environments of this YAML.
fn serve(environments: &str) -> Server {
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}}}\naudit: {{to: audit.log}}\nissuers: [{}]\n\
         spectrocloud:\n  environments:\n{environments}",
        issuer(None)
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

fn by_callers(name: &str) -> String {
    format!("    - {{name: {name}, url: '{}'}}\n", Palette::shared().url())
}

async fn projects(mcp: &Mcp) -> ToolAnswer {
    mcp.call("palette_projects", json!({})).await
}

fn asked(tenant: &Tenant) -> u64 {
    tenant.requests().get(PROJECTS).copied().unwrap_or_default()
}

fn names(answer: &ToolAnswer) -> Vec<String> {
    let rows = answer.structure["rows"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> =
        rows.iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect();
    names.sort();
    names
}

#[track_caller]
fn tells_nothing_of(server: &Server, secrets: &[&str]) {
    for said in [server.said(), server.read("audit.log")] {
        for secret in secrets {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_palette_token_is_shown_to_its_environment_and_what_came_is_nobody_elses() {
    let (of_some, of_all) = (fresh("token"), fresh("token"));
    let mut data = Data::fleet(4, 0, 3, 1);
    let some = data.projects.iter().take(1).map(|project| project.uid.clone()).collect();
    data.users = vec![
        User { token: of_some.clone(), projects: some, tenant: false },
        User { token: of_all.clone(), tenant: true, ..User::default() },
    ];
    let tenant = Palette::shared().tenant(data);
    let server = serve(&by_callers("Mine"));
    let (alice, bob) = (client(&server, "alice").await, client(&server, "bob").await);
    let (alices, bobs) = (alice.clone().header(HEADER, &of_some), bob.clone().header(HEADER, &of_all));
    for _ in 0..2 {
        assert_eq!(names(&projects(&alices).await), ["project-00"]);
        assert_eq!(names(&projects(&bobs).await), ["project-00", "project-01", "project-02"]);
    }
    assert_eq!(asked(&tenant), 2, "each caller's second answer is the one that was kept for them");
    // the very token, and still another caller
    let borrowed = projects(&bob.clone().header(PLAIN, &format!("Bearer {of_some}"))).await;
    assert_eq!((names(&borrowed), asked(&tenant)), (vec!["project-00".to_owned()], 3));
    // the plugin's header means the same where one environment can be meant
    assert_eq!(names(&projects(&alice.clone().header(PLUGIN, &of_some)).await), ["project-00"]);
    assert_eq!(asked(&tenant), 3);
    let ours_of_alice = Provider::shared().token_for("alice", OURS).await;
    for (mcp, said) in [
        (alice.clone(), "no token of yours for it came in the header Palette-Authorization-mine"),
        (alice.clone().header("palette-authorization-other", &of_some), "no token of yours"),
        (alice.clone().header(HEADER, &ours_of_alice), "never passed on"),
        (alice.clone().header(PLAIN, &of_some).header(PLUGIN, &of_some), "came more than once"),
        (alice.clone().header(HEADER, "Basic cGxhbnRlZA=="), "something else than Bearer"),
    ] {
        let answer = projects(&mcp).await;
        assert!(answer.text.contains(said) && names(&answer).is_empty(), "{said}: {}", answer.text);
        assert!(!answer.text.contains(&of_some) && !answer.text.contains("eyJ"), "{}", answer.text);
    }
    assert_eq!(asked(&tenant), 3, "nothing was sent");
    tells_nothing_of(&server, &[&of_some, &of_all, "eyJ", "cGxhbnRlZA"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_tenants_a_token_without_a_name_reaches_neither() {
    let token = fresh("token");
    let mut data = Data::fleet(1, 0, 1, 1);
    data.users = vec![User { token: token.clone(), tenant: true, ..User::default() }];
    let tenant = Palette::shared().tenant(data);
    let server = serve(&format!("{}{}", by_callers("mine"), by_callers("theirs")));
    let alice = client(&server, "alice").await;
    let answer = projects(&alice.clone().header(PLAIN, &token)).await;
    assert!(answer.text.contains("Palette-Authorization-mine"), "{}", answer.text);
    assert_eq!(asked(&tenant), 0);
    let answer = projects(&alice.header(HEADER, &token)).await;
    assert_eq!((names(&answer), asked(&tenant)), (vec!["project-00".to_owned()], 1));
    assert!(answer.text.contains("Palette-Authorization-theirs"), "the other is a gap: {}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_environment_is_an_error_and_the_audit_line_says_what_was_asked() {
    let palette = Palette::shared();
    let (one, two) = (palette.tenant(Data::fleet(1, 0, 1, 1)), palette.tenant(Data::fleet(2, 0, 2, 1)));
    let server =
        serve(&format!("{}{}", palette.environment("production", &one), palette.environment("lab", &two)));
    let alice = client(&server, "alice").await;
    let answer = alice.call("palette_projects", json!({"environment": "prodution"})).await;
    assert!(answer.is_error && answer.text.contains("there is no Palette environment"), "{}", answer.text);
    assert!(answer.text.contains("production"), "{}", answer.text);
    assert_eq!((asked(&one), asked(&two)), (0, 0));
    let answer = alice.call("palette_projects", json!({"environment": "lab"})).await;
    assert_eq!((names(&answer).len(), asked(&one), asked(&two)), (2, 0, 1));
    let lines = ours(&server, 2);
    let scope = |line: &Value| line["scope"].as_str().unwrap_or_default().to_owned();
    assert!(scope(&lines[1]).contains("environment lab"), "{}", lines[1]);
    assert_eq!(lines[1]["upstream_requests"], 2, "projects, and clusters to count: {}", lines[1]);
    tells_nothing_of(&server, &[&one.key(), &two.key()]);
}

fn check(yaml: &str) -> (bool, String) {
    let config = format!("clusters: {{kubeconfig: {{enabled: false}}}}\naudit: {{to: 'off'}}\n{yaml}");
    let output = Product::new(["check"]).config(&config).output();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn check_says_what_each_environment_answers_and_how_to_mend_the_rest() {
    let palette = Palette::shared();
    let of_project = fresh("key");
    let mut data = Data { name: "acme".to_owned(), ..Data::fleet(1, 0, 3, 1) };
    data.project_keys.insert(of_project.clone(), data.projects[0].uid.clone());
    let good = palette.tenant(data);
    let [refusing, page] = [Failure::unauthorized(), Failure::Html(200)].map(|failure| {
        let tenant = palette.tenant(Data { name: "acme".to_owned(), ..Data::fleet(1, 0, 1, 1) });
        tenant.fail(Fault::everywhere(failure));
        tenant.lenient()
    });
    let url = palette.url();
    let entry = |name: &str, key: &str| format!("    - {{name: {name}, url: '{url}', apiToken: {key}}}\n");
    let (passed, said) = check(&format!(
        "spectrocloud:\n  enablePermissions: false\n  environments:\n{}{}{}{}{}{}",
        palette.environment("good", &good),
        entry("project", &of_project),
        entry("refused", &refusing.key()),
        entry("page", &page.key()),
        by_callers("Mine"),
        "    - {name: gone, url: 'http://127.0.0.1:9', apiToken: k}\n",
    ));
    assert!(!passed, "{said}");
    for words in [
        "warn  spectrocloud.enablePermissions: has no effect here → it is not followed: permissions are always enforced",
        "ok    environment good: tenant acme, 3 projects, answers in",
        "warn  environment project: answers in",
        "fail  environment refused: Palette refused the credential (401)",
        "fail  environment page: Palette's answer is not what its contract says: a page (HTML)",
        "ok    environment Mine: answers in",
        "bring their own token in the header Palette-Authorization-mine",
        "fail  environment gone: Palette: it cannot be reached",
    ] {
        assert!(said.contains(words), "{words}:\n{said}");
    }
    for key in [&good.key(), &of_project, &refusing.key(), &page.key()] {
        assert!(!said.contains(key.as_str()), "{said}");
    }
}
