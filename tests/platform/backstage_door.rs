//! Our tools as actions of a real Backstage, for MCP clients of its own MCP server: each user's own, as they are at
//! `/mcp`, with errors in words; and Backstage's other tools go on whatever becomes of us.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    backstage::{Backstage, MACHINE_TOKEN, Options, PLUGIN},
    faulty::{self, Faulty},
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const ALICE: &str = "user:default/alice";
const BOB: &str = "user:default/bob";
const TEAM_A: &str = "group:default/team-a";
const TEAM_B: &str = "group:default/team-b";

/// A Backstage, the server behind it, and the sample platform behind that.
struct Rig {
    backstage: Backstage,
    server: Server,
    upstream: Faulty,
}

impl Rig {
    async fn start() -> Self {
        let kro = ["kro.instances.*", "kro.resources.*", "kro.resource-graph.show", "kro.overview.view"];
        let options = Options::default()
            .group(TEAM_A, kro.into_iter().chain(["kro.rgds.list", "kubernetes.clusters.read"]))
            .group(TEAM_B, ["kubernetes.clusters.read"]);
        let backstage = Backstage::start(options);
        let upstream = Faulty::start().await;
        let cluster = json!({"name": "lab", "url": upstream.url, "token": "sample", "identity": "own"});
        let config = format!(
            "clusters: {{static: [{cluster}], default: lab}}\naudit: {{to: 'off'}}\n{}\
             limits: {{requestsPerSecond: 100000, burst: 100000}}\n",
            backstage.entry(""),
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        backstage.front().to(server.address());
        Self { backstage, server, upstream }
    }

    /// The same user at Backstage's MCP server and at ours.
    async fn clients(&self, user: &str, group: &str) -> (Mcp, Mcp) {
        let token = self.backstage.user_token(user, &[group]).await;
        (self.backstage.mcp(&token), Mcp::with_token(self.server.url("/mcp"), &token))
    }
}

fn named(tool: &Value) -> &str {
    tool["name"].as_str().unwrap()
}

/// Those of ours among Backstage's, by our own names.
fn ours(tools: &[Value]) -> Vec<&str> {
    tools.iter().filter_map(|tool| named(tool).strip_prefix(PLUGIN)?.strip_prefix('.')).collect()
}

async fn call(client: &Mcp, tool: &str, arguments: Value) -> ToolAnswer {
    client.call(&format!("{PLUGIN}.{tool}"), arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_of_backstage_is_listed_what_its_policy_allows_and_nothing_else_exists_for_them() {
    let rig = Rig::start().await;
    let (alice, alice_direct) = rig.clients(ALICE, TEAM_A).await;
    let (bob, bob_direct) = rig.clients(BOB, TEAM_B).await;
    let (all, fewer) = (alice.list_tools().await, bob.list_tools().await);
    for (through, direct) in [(&all, &alice_direct), (&fewer, &bob_direct)] {
        let direct = direct.list_tools().await;
        assert_eq!(ours(through), direct.iter().map(named).collect::<Vec<_>>());
        assert!(through.iter().any(|tool| named(tool) == "other-plugin.echo"));
        for tool in &direct {
            let same = through.iter().find(|one| named(one) == format!("{PLUGIN}.{}", named(tool))).unwrap();
            assert_eq!(same["description"], tool["description"]);
            assert_eq!(same["annotations"]["title"], tool["title"]);
            for hint in ["readOnlyHint", "destructiveHint", "idempotentHint"] {
                assert_eq!(same["annotations"][hint], tool["annotations"][hint], "{hint} of {}", named(tool));
            }
            let mut schema = same["inputSchema"].clone();
            schema.as_object_mut().unwrap().shift_remove("$schema");
            assert_eq!(schema, tool["inputSchema"]);
        }
    }
    assert_eq!(ours(&fewer), ["kubernetes_access", "kubernetes_clusters", "whoami"]);
    assert!(ours(&all).contains(&"kro_graph") && ours(&all).len() > 8, "{:?}", ours(&all));
    // whoever calls without a user may nothing, where nothing is configured
    let machine = rig.backstage.mcp(MACHINE_TOKEN).list_tools().await;
    assert_eq!(ours(&machine), ["whoami"]);

    let said = |tool: &str| format!("NotFoundError: Action \"{PLUGIN}.{tool}\" not found");
    for (tool, arguments) in [
        ("kro_graph", json!({"kind": "Shop", "namespace": "shop", "name": "storefront"})),
        ("kro_graph", json!({})),
        ("kro_grape", json!({})),
    ] {
        let answer = call(&bob, tool, arguments).await;
        assert_eq!((answer.is_error, answer.text), (true, said(tool)));
    }
    assert!(rig.upstream.seen().iter().all(|path| !path.contains("shop")), "{:?}", rig.upstream.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_reaches_the_client_of_backstage_by_name_and_in_words() {
    let rig = Rig::start().await;
    let (alice, _) = rig.clients(ALICE, TEAM_A).await;
    rig.upstream.when("/namespaces/broken/", faulty::Fault::Answer(500, "<html>secret-of-a-proxy</html>"));
    for (tool, arguments, name, said) in [
        ("kro_graph", json!({"kin": "Shop"}), "InputError", "\"kin\""),
        ("kro_graph", json!({}), "InputError", "\"kind\""),
        ("kro_graph", json!({"kind": 7, "name": "x"}), "InputError", "\"kind\""),
        (
            "kro_graph",
            json!({"kind": "Shop", "namespace": "shop", "name": "storefrond"}),
            "NotFoundError",
            "storefront",
        ),
        ("kro_instances", json!({"cluster": "lap"}), "NotFoundError", "lab"),
        (
            "kro_yaml",
            json!({"kind": "ResourceGraphDefinition", "name": "shop.kro.run"}),
            "NotAllowedError",
            "kro.rgds.view-yaml",
        ),
        (
            "kro_graph",
            json!({"kind": "Shop", "namespace": "broken", "name": "x"}),
            "ServiceUnavailableError",
            "etryable",
        ),
    ] {
        let answer = call(&alice, tool, arguments.clone()).await;
        assert!(answer.is_error, "{tool} {arguments}: {}", answer.text);
        assert!(answer.text.starts_with(&format!("{name}: ")), "{tool} {arguments}: {}", answer.text);
        assert!(answer.text.contains(said), "{tool} {arguments}: {}", answer.text);
        assert!(!answer.text.contains("secret-of-a-proxy"), "{}", answer.text);
    }
    // a call without arguments has an empty body
    let reply = alice.request("tools/call", json!({"name": format!("{PLUGIN}.whoami")})).await;
    let answer = &reply.result().unwrap()["structuredContent"];
    assert_eq!(answer["subject"], ALICE, "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn backstage_waits_for_a_server_that_hangs_and_no_longer_than_its_connection() {
    let rig = Rig::start().await;
    let (alice, _) = rig.clients(ALICE, TEAM_A).await;
    assert!(!ours(&alice.list_tools().await).is_empty());
    // it has no deadline of its own: why every answer of ours has one
    rig.backstage.front().to_silence();
    let listing = alice.clone();
    let waiting = tokio::spawn(async move { listing.list_tools().await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "if Backstage has a deadline now, say so in the README");
    rig.backstage.front().to_nothing();
    assert!(waiting.await.unwrap().iter().any(|tool| named(tool) == "other-plugin.echo"));
    rig.backstage.front().to(rig.server.address());
    assert!(!ours(&alice.list_tools().await).is_empty());
}
