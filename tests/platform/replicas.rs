//! Several processes behind a round-robin serve one caller without knowing of each other: what a caller
//! carries between calls is sealed with a key that they share.

use serde_json::{Value, json};

use crate::{
    faulty::Faulty,
    issuer::Issuer,
    mcp::{Mcp, ToolAnswer},
    reload::{reload, serve},
    server::Server,
};

const KEY: &str = "one-key-of-all-replicas";

/// Two replicas with these keys, over the same cluster, and a client of each for alice and bob.
struct Replicas {
    _upstream: Faulty,
    issuer: Issuer,
    servers: [Server; 2],
    configs: [String; 2],
}

impl Replicas {
    async fn with(keys: [&str; 2]) -> Self {
        let (upstream, issuer) = (Faulty::start().await, Issuer::start());
        let rules = "[{roles: [viewer]}]";
        let configs = keys.map(|key| {
            format!(
                "clusters: {{static: [{{name: lab, url: \"{}\", token: sample}}]}}\nissuers: [{}]\nsealKey: {key}\n",
                upstream.url,
                issuer.entry(rules)
            )
        });
        let servers = [serve(&configs[0]), serve(&configs[1])];
        Self { _upstream: upstream, issuer, servers, configs }
    }

    fn clients(&self, name: &str) -> [Mcp; 2] {
        let token = self.issuer.forge().good(name);
        [0, 1].map(|at| Mcp::with_token(self.servers[at].url("/mcp"), &token))
    }
}

async fn page(client: &Mcp, cursor: Option<&Value>) -> ToolAnswer {
    let mut arguments = json!({"limit": 2});
    if let Some(cursor) = cursor {
        arguments["cursor"] = cursor.clone();
    }
    client.call("kro_instances", arguments).await
}

fn names(answer: &ToolAnswer) -> Vec<String> {
    let rows = answer.structure["rows"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
    rows.iter().map(|row| format!("{}/{}/{}", row["kind"], row["namespace"], row["name"])).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_turned_from_one_replica_to_the_other() {
    let replicas = Replicas::with([KEY, KEY]).await;
    let clients = replicas.clients("alice");
    let (mut seen, mut cursor, mut turns) = (Vec::new(), None, 0);
    loop {
        let answer = page(&clients[turns % 2], cursor.as_ref()).await;
        assert!(!answer.is_error, "{}", answer.text);
        seen.extend(names(&answer));
        let next = answer.structure["next_cursor"].clone();
        if turns == 1 {
            // a changed configuration changes nothing about what was handed out
            let more = format!("{}tools: {{readOnly: true}}\n", replicas.configs[0]);
            tokio::task::block_in_place(|| reload(&replicas.servers[0], &more));
        }
        if next.is_null() {
            break;
        }
        (cursor, turns) = (Some(next), turns + 1);
        assert!(turns < 50);
    }
    assert!(turns >= 3, "{turns} turns");
    let whole = clients[0].call("kro_instances", json!({"limit": 100})).await;
    assert_eq!(seen, names(&whole), "each row once, in the same order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_is_of_one_caller_and_one_key() {
    let replicas = Replicas::with([KEY, KEY]).await;
    let (alice, bob) = (replicas.clients("alice"), replicas.clients("bob"));
    let cursor = page(&alice[0], None).await.structure["next_cursor"].clone();
    assert!(cursor.is_string());
    let stolen = page(&bob[1], Some(&cursor)).await;
    assert!(stolen.is_error && stolen.text.contains("is not one that you got"), "{}", stolen.text);
    assert!(!page(&alice[1], Some(&cursor)).await.is_error);
    // another token of the same person is the same person
    assert!(!page(&replicas.clients("alice")[1], Some(&cursor)).await.is_error);

    let apart = Replicas::with([KEY, "another-key-of-the-second"]).await;
    let alice = apart.clients("alice");
    let cursor = page(&alice[0], None).await.structure["next_cursor"].clone();
    let foreign = page(&alice[1], Some(&cursor)).await;
    assert!(foreign.is_error, "{}", foreign.text);
    assert!(foreign.text.contains("call again without cursor"), "{}", foreign.text);
}
