//! MCP through the proxies that a real Backstage has: its gateway, which finds us by our plugin's id, and
//! `proxy.endpoints` as `examples/backstage/mcp-proxy.yaml` has it. Both take POST alone, add slashes, and drop headers.

use serde_json::{Value, json};

use crate::{
    backstage::{Backstage, Options, PLUGIN},
    mcp::{Mcp, Reply},
    server::{Product, Server},
};

const ALICE: &str = "user:default/alice";
const TEAM_A: &str = "group:default/team-a";

fn serve(backstage: &Backstage) -> Server {
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}}}\nhttp: {{proxy: {{base: {PLUGIN}}}, trustedProxies: [127.0.0.1]}}\n\
         {}",
        backstage.entry("")
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    backstage.front().to(server.address());
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_is_spoken_through_both_of_backstages_proxies_with_a_users_own_token() {
    let backstage = Backstage::start(Options::default().group(TEAM_A, ["kubernetes.clusters.read"]));
    let server = serve(&backstage);
    let token = backstage.user_token(ALICE, &[TEAM_A]).await;
    let gateway = backstage.direct(&format!("/api/{PLUGIN}/mcp"));
    let with_slash = format!("{gateway}/");
    let proxy = backstage.direct("/api/proxy/platform-mcp");
    for url in [&gateway, &with_slash, &proxy] {
        for client in [Mcp::with_token(url, &token), Mcp::legacy_with_token(url, &token)] {
            let tools = client.list_tools().await;
            let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
            assert_eq!(names, ["kubernetes_access", "kubernetes_clusters", "whoami"], "{url}");
            let answer = client.call("whoami", json!({})).await;
            assert_eq!(answer.structure["subject"], ALICE, "{url}: {}", answer.text);
        }
        // as clients begin that know no version yet, with no header of MCP at all
        let post = |body: Value| {
            let request = reqwest::Client::new().post(url).bearer_auth(&token).body(body.to_string());
            request
                .header("content-type", "application/json")
                .header("accept", "application/json, text/event-stream")
        };
        let begin = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "tests", "version": "0"},
        }});
        let begun = Reply::read(post(begin).send().await.unwrap()).await;
        assert_eq!(begun.result().unwrap()["protocolVersion"], "2025-06-18", "{url}: {}", begun.text);
        assert_eq!(begun.header("mcp-session-id"), "", "{url}");
        let ready = post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert_eq!(ready.send().await.unwrap().status(), 202, "{url}");
        let listed = Reply::read(
            post(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).send().await.unwrap(),
        );
        assert_eq!(listed.await.result().unwrap()["tools"][2]["name"], "whoami", "{url}");
    }
    for url in [&gateway, &with_slash] {
        for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
            let request = reqwest::Client::new().request(method.clone(), url).bearer_auth(&token);
            let answer = request.header("accept", "text/event-stream").send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method} {url}");
        }
    }
    // the gateway lets everybody through, and we do not
    let nobody = Mcp::legacy(&gateway).request("tools/list", json!({})).await;
    assert_eq!(nobody.status, 401, "{}", nobody.text);
    assert_eq!(
        nobody.header("www-authenticate"),
        "Bearer",
        "nobody issues tokens to those who ask without Backstage"
    );

    // where a request comes from is not for its sender to say, though the gateway passes it on
    let forged = Mcp::with_token(&gateway, &token).header("x-forwarded-for", "203.0.113.7");
    forged.call("kubernetes_clusters", json!({"limit": 1})).await;
    let line = server.wait_for(|text| {
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["tool"] == "kubernetes_clusters")
    });
    assert_eq!(line["client"], "127.0.0.1", "{line}");

    // the endpoint for programs can be below the same path
    let client = reqwest::Client::new();
    let clusters = client.get(backstage.direct(&format!("/api/{PLUGIN}/clusters"))).bearer_auth(&token);
    assert_eq!(clusters.send().await.unwrap().status(), 200);
    for path in ["", "/mcp", "/api/platform-mcp/mcp"] {
        let url = server.url(&format!("/.well-known/oauth-protected-resource{path}"));
        assert_eq!(client.get(url).send().await.unwrap().status(), 404, "{path}");
    }
}
