//! A caller whose role holds only within some namespaces sees those in every tool, totals and
//! candidates included, and is told what is missing elsewhere in the same words whether it exists or not.

use serde_json::json;

use crate::{
    faulty::{Fault, Faulty},
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

/// The demo platform, for a viewer within the namespace `shop` alone.
async fn shop_viewer() -> (Faulty, Server, Mcp) {
    let upstream = Faulty::start().await;
    let config = format!(
        "clusters: {{static: [{{name: lab, url: \"{}\"}}]}}\nlocal: {{role: viewer, within: {{namespaces: [shop]}}}}\n",
        upstream.url
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (upstream, server, mcp)
}

fn denied(answer: &ToolAnswer, permission: &str) {
    assert!(answer.is_error, "{}", answer.text);
    assert!(
        answer.text.contains("you need the permission") && answer.text.contains(permission),
        "{}",
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_what_is_theirs_and_say_that_they_are_filtered() {
    let (_upstream, _server, mcp) = shop_viewer().await;
    let all = mcp.call("kro_instances", json!({})).await;
    let rows = all.structure["rows"].as_array().expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row["namespace"] == "shop"), "{}", all.text);
    assert_eq!(all.structure["total"], rows.len());
    assert!(all.text.contains("filtered to the namespaces that you may see"), "{}", all.text);
    for elsewhere in ["payments", "media", "insights", "platform"] {
        assert!(!all.text.contains(elsewhere), "{elsewhere}: {}", all.text);
        assert!(!all.structure.to_string().contains(elsewhere), "{elsewhere}: {}", all.structure);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_elsewhere_is_denied_in_the_same_words_whether_it_exists_or_not() {
    let (upstream, _server, mcp) = shop_viewer().await;
    let graph = async |name: &str| {
        mcp.call("kro_graph", json!({"kind": "WebService", "namespace": "payments", "name": name})).await
    };
    let (exists, not) = (graph("checkout").await, graph("no-such").await);
    denied(&exists, "kro.resource-graph.show");
    assert_eq!(exists.text, not.text);
    let yaml = async |name: &str| {
        mcp.call("kro_yaml", json!({"kind": "Secret", "namespace": "payments", "name": name})).await
    };
    let (exists, not) = (yaml("accounts-credentials").await, yaml("no-such").await);
    denied(&exists, "view-yaml");
    assert_eq!(exists.text, not.text);
    let rgd = mcp.call("kro_yaml", json!({"kind": "ResourceGraphDefinition", "name": "webservice"})).await;
    denied(&rgd, "kro.rgds.view-yaml");
    let asked: Vec<String> = upstream.seen().into_iter().filter(|path| path.contains("payments")).collect();
    assert!(asked.is_empty(), "nothing is asked for what is denied: {asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_theirs_too() {
    let (_upstream, _server, mcp) = shop_viewer().await;
    for arguments in [
        json!({"kind": "WebService", "namespace": "shop", "name": "chekout"}),
        json!({"kind": "WebService", "name": "chekout"}),
        json!({"kind": "WebService", "name": "checkout"}),
    ] {
        let answer = mcp.call("kro_graph", arguments.clone()).await;
        assert!(answer.is_error, "{arguments}: {}", answer.text);
        for elsewhere in ["payments", "ledger", "invoices", "dashboards", "uploads"] {
            assert!(!answer.text.contains(elsewhere), "{arguments}: {}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rgd_or_kind_of_others_is_one_that_does_not_exist() {
    let (upstream, _server, mcp) = shop_viewer().await;
    let all = mcp.call("kro_instances", json!({})).await;
    // the sample's reports and teams are none of the shop's
    for (argument, exists, not) in [
        ("rgd", "report", "reporx"),
        ("rgd", "team", "teax"),
        ("kind", "Report", "Reporx"),
        ("kind", "reports.platform.example.com", "reporx.platform.example.com"),
        ("kind", "Team", "Teax"),
        ("kind", "Deployment", "Deploymenx"),
    ] {
        assert!(!all.text.contains(exists), "{exists}: {}", all.text);
        for more in [json!({}), json!({"namespace": "shop"}), json!({"state": "ready"}), json!({"kind": "X"})]
        {
            let ask = async |name: &str| {
                let mut asked = more.clone();
                asked[argument] = json!(name);
                mcp.call("kro_instances", asked).await
            };
            let (there, missing) = (ask(exists).await, ask(not).await);
            assert!(there.is_error, "{exists} {more}: {}", there.text);
            assert_eq!(there.text.replace(exists, not), missing.text, "{more}");
            assert_eq!(there.structure, missing.structure);
        }
    }
    let theirs = mcp.call("kro_instances", json!({"kind": "WebService", "state": "deleting"})).await;
    assert!(!theirs.is_error, "a kind that they see: {}", theirs.text);
    upstream.when("/reports", Fault::Answer(503, "{}"));
    let unread = mcp.call("kro_instances", json!({"kind": "Report"})).await;
    assert!(!unread.is_error && unread.text.contains("503"), "what failed is not absent: {}", unread.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_kind_brings_forth_no_kind_of_others() {
    let (upstream, _server, mcp) = shop_viewer().await;
    for tool in ["kro_graph", "kro_yaml", "kro_instances"] {
        let mut asked = json!({"kind": "Reporx"});
        if tool != "kro_instances" {
            asked["name"] = json!("x");
        }
        let answer = mcp.call(tool, asked).await;
        assert!(answer.is_error && !answer.text.contains("Report"), "{tool}: {}", answer.text);
    }
    let config = format!("clusters: {{static: [{{name: lab, url: \"{}\"}}]}}\n", upstream.url);
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let near = Mcp::new(server.url("/mcp")).call("kro_graph", json!({"kind": "Reporx", "name": "x"})).await;
    assert!(
        near.text.contains("Nearest: Report.platform.example.com"),
        "who may list RGDs is helped: {}",
        near.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_shows_that_something_is_withheld_and_not_what() {
    let (_upstream, _server, mcp) = shop_viewer().await;
    // the team is cluster-scoped, and so in no namespace that this caller has
    let team = mcp.call("kro_graph", json!({"kind": "Team", "name": "shop"})).await;
    denied(&team, "kro.resource-graph.show");
    let shop =
        mcp.call("kro_graph", json!({"kind": "Shop", "namespace": "shop", "name": "storefront"})).await;
    assert!(!shop.is_error, "{}", shop.text);
    let nodes = shop.structure["nodes"].as_array().expect("nodes");
    assert!(
        nodes.iter().any(|node| node["id"] == "api/deployment" && node["state"] == "progressing"),
        "{}",
        shop.text
    );
    assert_eq!(nodes.iter().filter(|node| node["state"] == "withheld").count(), 0, "{}", shop.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_cannot_be_read_what_a_kind_is_everything_is_needed_that_it_may_be() {
    let upstream = Faulty::start().await;
    for path in ["/customresourcedefinitions", "/resourcegraphdefinitions"] {
        upstream.when(path, Fault::Answer(403, r#"{"kind": "Status", "message": "forbidden"}"#));
    }
    let ask = async |allow: &str| {
        let config = format!(
            "clusters: {{static: [{{name: lab, url: \"{}\"}}]}}\nlocal: {{role: one}}\nroles: {{one: {{allow: {allow}}}}}\n",
            upstream.url
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        let mcp = Mcp::new(server.url("/mcp"));
        let named = |kind: &str, name: &str| json!({"kind": kind, "namespace": "shop", "name": name});
        // a nested instance has the marks of a child too
        let instance = mcp.call("kro_yaml", named("WebService", "storefront-api")).await;
        (instance, mcp.call("kro_yaml", named("Service", "storefront-api")).await)
    };
    let (instance, child) = ask("[kro.resources.view-yaml]").await;
    denied(&instance, "kro.instances.view-yaml");
    assert!(!child.is_error, "{}", child.text);
    let (instance, child) = ask("[kro.instances.view-yaml]").await;
    denied(&instance, "kro.resources.view-yaml");
    denied(&child, "kro.resources.view-yaml");
    let (instance, _) = ask("[kro.*.view-yaml]").await;
    assert!(!instance.is_error, "{}", instance.text);
    assert_eq!(instance.structure["class"], "instance", "{}", instance.text);
}
