//! Clusters of a real Backstage's catalog, asked for with tokens of our own plugin: page by page, again and again.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::authority::Authority;
use crate::backstage::{Backstage, Fault, MACHINE_TOKEN, Options, PLUGIN};
use crate::catalog::{Catalog, TOKEN, entity};
use crate::catalog_source::within;
use crate::forge::part;
use crate::mcp::{Mcp, ToolAnswer};
use crate::reload::reload;
use crate::server::{Product, Server};

const EVERYBODY: &str = "group:default/all";
const SEAL_KEY: &str = "a seal key of the tests";
/// More than a page has.
const MANY: usize = 120;

fn config(backstage: &Backstage, catalog: &Value) -> Value {
    json!({
        // by our rules, since Backstage's policy cannot be asked while it does not reach us
        "backstage": {"url": backstage.url(), "permissions": "rules", "rules": [{"roles": ["viewer"]}]},
        "clusters": {"kubeconfig": {"enabled": false}, "backstage": catalog},
        "limits": {"requestsPerSecond": 100_000, "burst": 100_000},
        "sealKey": SEAL_KEY,
    })
}

fn serve(config: &Value) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config.to_string()).serve()
}

async fn client(backstage: &Backstage, server: &Server) -> Mcp {
    let token = backstage.user_token("user:default/alice", &[EVERYBODY]).await;
    Mcp::with_token(server.url("/mcp"), &token)
}

/// A file of a location with these clusters, and one entity that is none.
fn written(file: &Path, names: impl IntoIterator<Item = String>, authority: &str) {
    let describe = |name: String| {
        let mut entity = entity(&name, "https://127.0.0.1:6443", authority);
        entity["apiVersion"] = json!("backstage.io/v1alpha1");
        entity["spec"]["owner"] = json!(EVERYBODY);
        entity
    };
    let mut database = describe("database".to_owned());
    database["spec"]["type"] = json!("database");
    let entities = names.into_iter().map(describe).chain([database]);
    // what is JSON is YAML
    let documents: Vec<String> = entities.map(|entity| entity.to_string()).collect();
    fs::write(file, documents.join("\n---\n")).expect("the folder takes a file");
}

async fn until(client: &Mcp, what: &str, holds: impl Fn(&ToolAnswer) -> bool) -> ToolAnswer {
    within(Duration::from_secs(40), client, what, holds).await
}

fn counts(answer: &ToolAnswer, number: usize) -> bool {
    answer.text.starts_with(&format!("{number} clusters"))
}

async fn as_a_machine(backstage: &Backstage, method: &str, path: &str, body: Option<Value>) -> Value {
    let request = reqwest::Client::new().request(method.parse().unwrap(), backstage.direct(path));
    let request = request.bearer_auth(MACHINE_TOKEN);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
    answer.json().await.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_catalog_is_read_in_pages_as_our_plugin_and_followed() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new().pem());
    let file = folder.path().join("clusters.yaml");
    let names = |number: usize| (0..number).map(|number| format!("c-{number:03}"));
    written(&file, names(MANY), &authority);
    let locations = json!({"catalog": {"locations": [{"type": "file", "target": file}]}});
    let backstage = Backstage::start(Options::default().config(locations));
    let source = json!({"hosts": ["127.0.0.1"], "refreshSeconds": 1});
    let mut ruled = config(&backstage, &source);
    let server = serve(&ruled);
    let alice = client(&backstage, &server).await;
    let answer = until(&alice, "it is not taken", |answer| answer.text.contains("token of our plugin")).await;
    for words in ["(401)", "discovery.endpoints of \"platform-mcp\"", "sealKey"] {
        assert!(answer.text.contains(words), "{words}: {}", answer.text);
    }

    backstage.front().to(server.address());
    backstage.wait_for_entities("kind=resource,spec.type=kubernetes-cluster", MANY).await;
    let answer = until(&alice, "all of them", |answer| counts(answer, MANY)).await;
    assert!(
        !answer.text.contains("source backstage:") && !answer.text.contains("database"),
        "{}",
        answer.text
    );
    backstage.between().take();
    until(&alice, "it is read again", |_| backstage.between().count("cursor=") > 1).await;
    let asked: Vec<_> = backstage.between().take();
    let mut tokens: Vec<&str> = Vec::new();
    for request in asked.iter().filter(|request| request.path.starts_with("/api/catalog/")) {
        let (header, claims) = (part(request.bearer(), 0), part(request.bearer(), 1));
        assert_eq!(header["typ"], "vnd.backstage.plugin");
        assert_eq!((&claims["sub"], &claims["aud"]), (&json!(PLUGIN), &json!("catalog")), "{claims}");
        assert!(claims.get("obo").is_none(), "nobody is asked for: {claims}");
        tokens.push(request.bearer());
    }
    tokens.dedup();
    assert!(
        tokens.len() > 1 && tokens.len() <= asked.len() / 2 + 1,
        "one for each reading: {}",
        tokens.len()
    );

    // one more; and one fewer, once Backstage sweeps up what no file has any more, or somebody does
    written(&file, names(MANY + 1).skip(1), &authority);
    let refresh = json!({"entityRef": "resource:default/c-001"});
    as_a_machine(&backstage, "POST", "/api/catalog/refresh", Some(refresh)).await;
    until(&alice, "one more", |answer| counts(answer, MANY + 1)).await;
    let gone = "/api/catalog/entities/by-name/resource/default/c-000";
    let uid = as_a_machine(&backstage, "GET", gone, None).await["metadata"]["uid"].clone();
    let gone = format!("/api/catalog/entities/by-uid/{}", uid.as_str().unwrap());
    as_a_machine(&backstage, "DELETE", &gone, None).await;
    until(&alice, "one fewer", |answer| counts(answer, MANY)).await;
    let named = alice.call("kubernetes_clusters", json!({"cluster": "c-000"})).await;
    assert!(named.is_error && named.text.contains("there is no cluster \"c-000\""), "{}", named.text);

    // another configuration, and the same catalog: what is known stays, and nobody asks anew
    let patient = json!({"hosts": ["127.0.0.1"], "refreshSeconds": 3600});
    ruled["clusters"]["backstage"] = patient;
    reload(&server, &ruled.to_string());
    until(&alice, "it was read", |answer| counts(answer, MANY) && !answer.text.contains("source backstage"))
        .await;
    backstage.between().when("/api/catalog", Fault::Hang);
    ruled["limits"]["callSeconds"] = json!(7);
    backstage.between().take();
    reload(&server, &ruled.to_string());
    let answer = alice.call("kubernetes_clusters", json!({})).await;
    assert!(counts(&answer, MANY) && !answer.text.contains("source backstage"), "{}", answer.text);
    assert_eq!(backstage.between().count("/api/catalog"), 0);
    backstage.between().heal();
    backstage.between().when("/api/catalog", Fault::Html(200));

    // commands ask as the server does, with the keys that it serves
    let check = |config: &Value| {
        let product = Product::new(["check"]).config(&config.to_string());
        let ran = tokio::task::spawn_blocking(move || product.output());
        async { String::from_utf8_lossy(&ran.await.unwrap().stdout).into_owned() }
    };
    let said = check(&ruled).await;
    assert!(said.contains("is a page (HTML)") && said.contains("clusters.backstage"), "{said}");
    backstage.between().heal();
    let said = check(&ruled).await;
    let place = format!("source backstage (Backstage catalog {}): {MANY} clusters", backstage.url());
    assert!(said.contains(&place), "{place}: {said}");
    ruled["sealKey"] = json!("a seal key of another server");
    let said = check(&ruled).await;
    assert!(said.contains("does not take the token of our plugin (401)"), "{said}");
    let logged = server.said() + &backstage.log();
    assert!(tokens.iter().all(|token| !logged.contains(&token[token.len() - 40..])), "{logged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_catalog_never_gets_a_token_of_our_plugin() {
    let backstage = Backstage::shared();
    let authority = Authority::new().pem();
    let catalog = Catalog::start(vec![entity("one", "https://127.0.0.1:6443", &authority)]).await;
    let check = async |more: Value| {
        let mut source = json!({"url": catalog.url, "hosts": ["127.0.0.1"]});
        source.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let product = Product::new(["check"]).config(&config(backstage, &source).to_string());
        let ran = tokio::task::spawn_blocking(move || product.output()).await.unwrap();
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let said = check(json!({})).await;
    assert!(said.contains("the catalog wants a token (401)") && said.contains("leave out its url"), "{said}");
    let asked = catalog.asked();
    assert!(asked > 0 && catalog.headers().iter().all(|headers| !headers.contains_key("authorization")));
    let said = check(json!({"token": TOKEN})).await;
    assert!(said.contains("1 cluster"), "{said}");
    for headers in catalog.headers().iter().skip(asked) {
        assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    }
}
