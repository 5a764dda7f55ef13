//! Who may read the entities, what of them, and how often they are sent.

use platform_mcp::demo::palette::Data;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use super::{PATH, Rig, config, listed, names, of_type, sample, serve};
use crate::{
    backstage::{Backstage, MACHINE_TOKEN, PLUGIN},
    impersonation::ours,
    mcp::Mcp,
    oidc::Provider,
    palette::Palette,
    server::{Product, Server},
};

/// Of the reader that is configured.
const TOKEN: &str = "planted-token-of-the-reader-0123456789";

async fn ask(server: &Server, token: Option<&str>) -> Response {
    let request = reqwest::Client::new().get(server.url(PATH)).header("accept", "application/json");
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.unwrap()
}

async fn said(answer: Response, status: u16) -> String {
    assert_eq!(answer.status().as_u16(), status, "{:?}", answer.text().await);
    let body: Value = answer.json().await.expect("JSON");
    body["error"].as_str().expect("a reason").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_has_it_already_is_told_so() {
    let rig = Rig::of(sample());
    let first = rig.get().send().await.unwrap();
    assert_eq!(first.status(), 200);
    let header = |answer: &Response, name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let etag = header(&first, "etag");
    let formed =
        |format: &str| reqwest::Client::new().get(format!("{}?format={format}", rig.server.url(PATH)));
    assert!(etag.starts_with('"') && etag.len() > 20, "{etag}");
    assert_eq!(header(&first, "cache-control"), "private, no-cache");
    assert_eq!(header(&first, "vary"), "accept, authorization");
    let text = first.text().await.unwrap();

    let same = rig.get().header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((same.status(), header(&same, "etag")), (StatusCode::NOT_MODIFIED, etag.clone()));
    assert_eq!(same.text().await.unwrap(), "");
    for other in ["\"x\"", "", &etag.replace('"', "")] {
        let answer = rig.get().header("if-none-match", other).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, text.clone()), "{other}");
    }
    // the other form has another tag
    let json = formed("json").header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((json.status().as_u16(), header(&json, "content-type")), (200, "application/json".to_owned()));
    assert_ne!(header(&json, "etag"), etag);
    // another replica writes the same bytes
    let other = serve(&config(&rig.tenant, "", ""));
    let answer = reqwest::get(other.url(PATH)).await.unwrap();
    assert_eq!(header(&answer, "etag"), etag);
    // what changed is another thing
    rig.tenant.change(|data| data.clusters[0].state = "Deleting".into());
    let changed = serve(&config(&rig.tenant, "", ""));
    let request = reqwest::Client::new().get(changed.url(PATH)).header("if-none-match", &etag);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_ne!(header(&answer, "etag"), etag);

    let head = reqwest::Client::new().head(rig.server.url(PATH)).send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "etag")), (200, etag));
    let post =
        reqwest::Client::new().request(Method::POST, rig.server.url(PATH)).body("x").send().await.unwrap();
    assert_eq!(header(&post, "allow"), "GET, HEAD");
    assert_eq!(said(post, 405).await, "entities are read by GET");
    let odd = formed("xml").send().await.unwrap();
    assert!(said(odd, 400).await.contains("yaml or json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_gets_what_they_may_see_and_others_nothing() {
    let provider = Provider::shared();
    let rules = "[{when: {groups: [team-a]}, allow: [platform.entities.read], within: {projects: [Team A]}}, \
                 {when: {groups: [team-b]}, allow: [spectrocloud.cluster.view-info]}]";
    let more = format!("issuers: [{}]", provider.entry(rules));
    let rig = Rig::with(sample(), "", &more);
    let nobody = ask(&rig.server, None).await;
    assert!(nobody.headers().contains_key("www-authenticate"));
    said(nobody, 401).await;
    said(ask(&rig.server, Some("not.a.token")).await, 401).await;
    let in_query = reqwest::get(format!("{}?access_token=x", rig.server.url(PATH))).await.unwrap();
    said(in_query, 401).await;
    let denied = said(ask(&rig.server, Some(&provider.token("bob").await)).await, 403).await;
    assert_eq!(denied, "you need the permission platform.entities.read");
    assert_eq!(rig.tenant.count(), 0, "nothing was asked for any of them");

    let found = listed(ask(&rig.server, Some(&provider.token("alice").await)).await).await;
    assert_eq!(names(&found), ["demo-team-a", "demo-team-a-guest", "demo-team-a-prod-eu", "demo-team-a-web"]);
    super::assert_whole(&found);
    let lines = ours(&rig.server, 5);
    let told = |outcome: &str| lines.iter().find(|line| line["outcome"] == outcome).expect(outcome).clone();
    let ok = told("ok");
    assert_eq!(
        (&ok["door"], &ok["tool"], &ok["decision"]),
        (&"entities".into(), &"catalog_entities".into(), &"allow".into())
    );
    let denied = |line: &&Value| line["decision"] == "deny" && line["tool"] == "catalog_entities";
    let refused = lines.iter().find(denied).expect("bob's line");
    assert_eq!(refused["missing"][0], "platform.entities.read", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_with_a_token_of_its_own_reads_the_entities_and_nothing_else() {
    let tenant = Palette::shared().tenant(sample());
    let more = |within: &str| {
        format!(
            "issuers: [{}]\nentities: {{reader: {{tokenFile: reader-token, within: {within}}}}}",
            Provider::shared().entry("[{roles: [admin]}]")
        )
    };
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(&tenant, "", &more("{}")));
    product.write("reader-token", &format!("{TOKEN}\n"));
    let server = product.serve();
    let all = listed(ask(&server, Some(TOKEN)).await).await;
    assert_eq!(all.len(), 6);
    // the same where Backstage's reader for Bitbucket Server looks for a file
    let file = server.url("/entities/projects/platform/repos/catalog/raw/entities.yaml?at=");
    let answer = reqwest::Client::new().get(&file).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/yaml".parse().unwrap())
    );
    assert_eq!(reqwest::get(&file).await.unwrap().status(), 401);
    // nowhere else, with nothing near it, and in no other place
    let mcp = reqwest::Client::new().post(server.url("/mcp")).bearer_auth(TOKEN).body("{}");
    assert_eq!(mcp.send().await.unwrap().status(), 401);
    for other in ["", "planted", &TOKEN.to_uppercase(), &format!("{TOKEN}0"), &TOKEN[..TOKEN.len() - 1]] {
        said(ask(&server, Some(other)).await, 401).await;
    }
    let elsewhere = reqwest::Client::new().get(server.url(PATH)).header("palette-authorization-demo", TOKEN);
    assert_eq!(elsewhere.send().await.unwrap().status(), 401);
    // people go on as before
    let token = Provider::shared().token("alice").await;
    assert_eq!(listed(ask(&server, Some(&token)).await).await.len(), 6);
    assert!(!Mcp::with_token(server.url("/mcp"), &token).list_tools().await.is_empty());
    let line = ours(&server, 3).into_iter().find(|line| line["outcome"] == "ok").expect("its line");
    assert_eq!(
        (&line["caller"]["username"], &line["rule"]),
        (&"entities.reader".into(), &"entities.reader".into())
    );
    assert!(line["token"].is_null(), "{line}");
    assert!(!server.read("audit.log").contains("planted") && !server.said().contains("planted"));

    // narrowed, and with a token that anybody could guess
    let narrow = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(
        &tenant,
        "",
        &more("{projects: ['Team *'], environments: [demo]}"),
    ));
    let file = narrow.write("reader-token", TOKEN);
    let narrow = narrow.serve();
    let found = listed(ask(&narrow, Some(TOKEN)).await).await;
    assert_eq!((found.len(), of_type(&found, "spectrocloud-cluster-group").len()), (4, 0));
    for bad in ["short", "", "with spaces in it, and more than 32 characters"] {
        std::fs::write(&file, bad).unwrap();
        said(ask(&narrow, Some(bad)).await, 401).await;
        said(ask(&narrow, Some(TOKEN)).await, 401).await;
    }
    narrow.wait_for(|text| text.contains("entities.reader.tokenFile").then_some(()));
    std::fs::remove_file(&file).unwrap();
    said(ask(&narrow, Some(TOKEN)).await, 401).await;
    std::fs::write(&file, TOKEN).unwrap();
    assert_eq!(listed(ask(&narrow, Some(TOKEN)).await).await.len(), 4, "as soon as it is mended");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_of_backstage_read_them_as_far_as_services_says() {
    let backstage = Backstage::shared();
    let tenant = Palette::shared().tenant(Data::fleet(3, 1, 2, 1));
    let entry = |services: &str| config(&tenant, "", &backstage.entry(&format!("services: {services}")));
    let token = backstage.mint().plugin("mcp-actions", PLUGIN).sign();
    let closed = serve(&entry("[]"));
    assert_eq!(ask(&closed, Some(&token)).await.status(), 403);
    assert_eq!(ask(&closed, Some(MACHINE_TOKEN)).await.status(), 401, "that one is for Backstage alone");
    let open = serve(&entry("[{when: {plugin: mcp-actions}, allow: [platform.entities.read]}]"));
    let found = listed(ask(&open, Some(&token)).await).await;
    assert_eq!(of_type(&found, "spectrocloud-cluster").len(), 3);
    let other = backstage.mint().plugin("catalog", PLUGIN).sign();
    assert_eq!(ask(&open, Some(&other)).await.status(), 401, "no plugin that calls us");
}
