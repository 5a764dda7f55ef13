//! A real Backstage, told of us by two keys of its configuration, lists our tools for each of its users and calls
//! them: `examples/backstage` as it stands there.

use std::time::Duration;

use serde_json::{Value, json};

use crate::backstage::{Backstage, Fault, Options};
use crate::clients::{Sdk, session};
use crate::faulty::{Fault as Upstream, Faulty};
use crate::mcp::Mcp;
use crate::server::{Product, Server};

const ALICE: &str = "user:default/alice";
const VIEWERS: &str = "group:default/viewers";
const OPERATORS: &str = "group:default/operators";

/// A server of the sample platform behind this Backstage.
pub(crate) fn serve(backstage: &Backstage, platform: &Faulty) -> Server {
    let example = include_str!("../../examples/backstage/platform-mcp.yaml");
    let mut config: Value = serde_saphyr::from_str(example).unwrap();
    config["clusters"] = json!({"static": [{"name": "demo", "url": platform.url, "identity": "own"}]});
    config["limits"] = json!({"requestsPerSecond": 100_000, "burst": 100_000});
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config.to_string());
    let server = server.env("PLATFORM_MCP_SEAL_KEY", "a seal key of the tests");
    let server = server.env("BACKSTAGE_URL", backstage.url()).serve();
    backstage.front().to(server.address());
    server
}

/// Our tools, as Backstage names them.
async fn ours(client: &Mcp) -> Vec<String> {
    let tools = client.list_tools().await;
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap());
    names.filter_map(|name| name.strip_prefix("platform-mcp.")).map(str::to_owned).collect()
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

fn checkout() -> Value {
    json!({"kind": "WebService", "namespace": "payments", "name": "checkout"})
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_of_backstage_has_the_tools_that_the_policy_gives_to_their_groups() {
    let backstage = Backstage::start(Options::default());
    let platform = Faulty::start().await;
    let server = serve(&backstage, &platform);
    let operator = backstage.mcp(&backstage.user_token(ALICE, &[OPERATORS]).await);
    let viewer = backstage.mcp(&backstage.user_token("user:default/bob", &[VIEWERS]).await);
    let stranger = backstage.mcp(&backstage.user_token("user:default/carol", &[]).await);

    let (most, fewer, none) = (ours(&operator).await, ours(&viewer).await, ours(&stranger).await);
    assert!(has(&most, "kro_graph") && has(&most, "kro_yaml"), "{most:?}");
    assert!(has(&fewer, "kro_graph") && !has(&fewer, "kro_yaml"), "{fewer:?}");
    assert!(fewer.iter().all(|name| has(&most, name)), "{fewer:?} {most:?}");
    assert!(!has(&none, "kro_graph"), "{none:?}");

    let answer = viewer.call("platform-mcp.kro_graph", checkout()).await;
    assert!(!answer.is_error && answer.structure["nodes"].is_array(), "{answer:?}");
    let audited = |text: &str| {
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["tool"] == "kro_graph")
    };
    let line = server.wait_for(audited);
    assert_eq!(
        (&line["door"], &line["caller"]["subject"]),
        (&json!("backstage"), &json!("user:default/bob")),
        "{line}"
    );

    // what is hidden answers as what is not there
    let hidden = viewer.try_call("platform-mcp.kro_yaml", checkout()).await;
    let unknown = viewer.try_call("platform-mcp.kro_nothing", checkout()).await;
    let told = |answer: &Result<_, _>, name| format!("{answer:?}").replace(name, "NAME");
    assert_eq!(told(&hidden, "kro_yaml"), told(&unknown, "kro_nothing"));
    // one question for each of three users, whatever they did
    assert_eq!(backstage.between().count("/api/permission/authorize"), 3);
    assert_eq!(backstage.between().count("/api/auth/v1/userinfo"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_gets_the_graph_through_backstage_as_from_us() {
    let backstage = Backstage::start(Options::default());
    let platform = Faulty::start().await;
    let server = serve(&backstage, &platform);
    let direct = Mcp::new(server.url("/mcp")).token(&backstage.user_token(ALICE, &[OPERATORS]).await);
    let wanted = direct.call("kro_graph", checkout()).await;
    for sdk in [Sdk::TypeScript1, Sdk::TypeScript] {
        let token = backstage.user_token(ALICE, &[OPERATORS]).await;
        let calls = json!([{"tool": "platform-mcp.kro_graph", "arguments": checkout()}]);
        let http = backstage.direct("/api/mcp-actions/v1");
        let asked = json!({"http": http, "token": token, "mode": "legacy", "calls": calls});
        let seen = tokio::task::spawn_blocking(move || session(sdk, asked)).await.unwrap();
        let result = &seen["answers"][0]["result"];
        assert_eq!(result["structuredContent"], wanted.structure, "{sdk:?} {seen:#}");
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, wanted.structure, "{sdk:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_tools_of_backstage_work_while_ours_are_away() {
    let backstage = Backstage::start(Options::default());
    let platform = Faulty::start().await;
    let server = serve(&backstage, &platform);
    let client = backstage.mcp(&backstage.user_token(ALICE, &[OPERATORS]).await);
    assert!(has(&ours(&client).await, "kro_graph"));
    drop(server);
    assert!(ours(&client).await.is_empty());
    let asked = client.call("other-plugin.echo", json!({"text": "still here"}));
    let answer = tokio::time::timeout(Duration::from_secs(5), asked).await.expect("in time");
    assert_eq!(answer.structure, json!({"text": "still here"}));
    let gone = client.call("platform-mcp.kro_graph", checkout()).await;
    assert!(gone.is_error && gone.text.contains("NotFoundError"), "{gone:?}");
    // it comes back at another address, with nobody restarting Backstage
    let _server = serve(&backstage, &platform);
    assert!(has(&ours(&client).await, "kro_graph"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_tools_of_backstage_work_while_what_ours_need_hangs() {
    let backstage = Backstage::start(Options::default());
    let platform = Faulty::start().await;
    let _server = serve(&backstage, &platform);
    let client = backstage.mcp(&backstage.user_token(ALICE, &[OPERATORS]).await);
    assert!(has(&ours(&client).await, "kro_graph"));
    platform.when("payments", Upstream::Hang);
    let waiting = client.clone();
    let call = tokio::spawn(async move { waiting.call("platform-mcp.kro_graph", checkout()).await });
    let echo = async |client: &Mcp| {
        let answer = client.call("other-plugin.echo", json!({"text": "here"}));
        tokio::time::timeout(Duration::from_secs(10), answer).await.expect("in time").structure
    };
    assert_eq!(echo(&client).await, json!({"text": "here"}));
    assert!(has(&ours(&client).await, "kro_graph"));
    call.abort();

    // the permission backend hangs: somebody whom we do not know yet has no tool of ours
    backstage.between().when("/api/permission/authorize", Fault::Hang);
    let newcomer = backstage.mcp(&backstage.user_token("user:default/bob", &[OPERATORS]).await);
    assert_eq!(echo(&newcomer).await, json!({"text": "here"}));
    assert!(has(&ours(&client).await, "kro_graph"), "who is known has them still");
    backstage.between().heal();
    // and soon the newcomer has them, too
    let soon = async {
        while !has(&ours(&newcomer).await, "kro_graph") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), soon).await.expect("soon");
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_itself_works_through_the_proxy_and_the_actions_through_the_gateway() {
    let backstage = Backstage::start(Options::default());
    let platform = Faulty::start().await;
    let _server = serve(&backstage, &platform);
    let token = backstage.user_token("user:default/bob", &[VIEWERS]).await;
    let url = backstage.direct("/api/proxy/platform-mcp");
    for client in [Mcp::legacy_with_token(&url, &token), Mcp::with_token(&url, &token)] {
        let answer = client.call("kro_graph", checkout()).await;
        assert!(!answer.is_error && answer.structure["nodes"].is_array(), "{answer:?}");
    }
    let http = reqwest::Client::new();
    let list = backstage.direct("/api/platform-mcp/.backstage/actions/v1/actions");
    let listed: Value = http.get(&list).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    let ids: Vec<&str> =
        listed["actions"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"platform-mcp:kro_graph") && !ids.contains(&"platform-mcp:kro_yaml"), "{ids:?}");
    let invoke = format!("{list}/platform-mcp%3Akro_graph/invoke");
    let sent = http.post(invoke).bearer_auth(&token).json(&checkout()).send().await.unwrap();
    let answer: Value = sent.json().await.unwrap();
    assert!(answer["output"]["nodes"].is_array(), "{answer}");
    // the gateway lets in whoever comes; we do not
    assert_eq!(http.get(&list).send().await.unwrap().status(), 401);
}
