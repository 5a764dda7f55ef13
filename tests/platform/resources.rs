//! Resources, their templates, and the completion of every segment, over HTTP with the sample platform: what
//! each caller may see, and nothing else.

use std::time::{Duration, Instant};

use platform_mcp::demo;
use serde_json::{Value, json};

use crate::{
    mcp::{Mcp, ProtocolError},
    oidc::Provider,
    server::{Product, Server},
    silent::Silent,
};

/// What a client that lists when it starts waits for a cluster that is down, and a bit.
const BOUNDED: Duration = Duration::from_millis(2_900);

const RULES: &str = r"[
    {when: {who: everybody}, roles: [viewer]},
    {when: {who: shop}, roles: [viewer], within: {namespaces: [shop]}},
    {when: {who: grapher}, allow: [kro.resource-graph.show]},
    {when: {who: lister}, allow: [kro.instances.list, kro.resource-graph.show]}]";

/// A server over the sample platform, with a rule for each sort of caller.
pub(crate) struct Rig {
    pub(crate) server: Server,
    _sample: demo::Running,
}

impl Rig {
    /// Over two clusters, both the sample platform.
    pub(crate) async fn start() -> Self {
        let sample = demo::Api::start().await.expect("the sample platform");
        let config = format!(
            "clusters:\n  default: lab\n  static:\n    - {{name: lab, url: '{url}', token: sample}}\n    \
             - {{name: 'other/one', url: '{url}', token: sample}}\naudit: {{to: audit.log}}\nissuers: [{entry}]\n",
            url = sample.url(),
            entry = Provider::shared().entry(RULES),
        );
        Self {
            server: Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve(),
            _sample: sample,
        }
    }

    /// A client whose token says who they are.
    pub(crate) fn client(&self, who: &str) -> Mcp {
        let forge = Provider::shared().forge();
        let mut claims = forge.claims("alice");
        claims["sub"] = json!(format!("somebody, {who}"));
        claims["who"] = json!(who);
        Mcp::with_token(self.server.url("/mcp"), &forge.claiming(&claims))
    }
}

/// The lines of the audit log of these tools, once there are so many.
pub(crate) fn audited(server: &Server, tools: &[&str], count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let log = server.read("audit.log");
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<Value> =
            lines.filter(|line| tools.iter().any(|tool| line["tool"] == **tool)).collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{log}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn read(mcp: &Mcp, uri: &str) -> Result<Value, ProtocolError> {
    let result = mcp.result("resources/read", json!({"uri": uri})).await?;
    assert_eq!(result["cacheScope"], "private", "{result}");
    assert_eq!(result["contents"].as_array().map(Vec::len), Some(1), "{result}");
    Ok(result["contents"][0].clone())
}

async fn templates(mcp: &Mcp) -> Vec<String> {
    let list = mcp.result("resources/templates/list", json!({})).await.expect("a list");
    let templates = list["resourceTemplates"].as_array().expect("templates");
    templates.iter().filter_map(|template| template["uriTemplate"].as_str()).map(str::to_owned).collect()
}

async fn listed(mcp: &Mcp) -> Vec<String> {
    let list = mcp.result("resources/list", json!({})).await.expect("a list");
    assert_eq!(list["cacheScope"], "private", "{list}");
    let resources = list["resources"].as_array().expect("resources");
    resources.iter().filter_map(|resource| resource["uri"].as_str()).map(str::to_owned).collect()
}

async fn complete(mcp: &Mcp, uri: &str, argument: &str, typed: &str, filled: Value) -> Vec<String> {
    let params = json!({"ref": {"type": "ref/resource", "uri": uri},
        "argument": {"name": argument, "value": typed}, "context": {"arguments": filled}});
    let result = mcp.result("completion/complete", params).await.expect("a completion");
    let completion = &result["completion"];
    let values: Vec<String> = serde_json::from_value(completion["values"].clone()).expect("values");
    if !values.is_empty() {
        assert_eq!(completion["total"], values.len(), "{result}");
        assert_eq!(completion["hasMore"], false, "{result}");
    }
    values
}

const OBJECT: &str = "kro://{cluster}/{namespace}/{kind}/{name}";
const GRAPH: &str = "kro://{cluster}/{namespace}/{kind}/{name}/graph";
const RGD: &str = "kro://{cluster}/rgds/{name}";

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_says_what_its_tool_says_and_is_audited_like_it() {
    let rig = Rig::start().await;
    let mcp = rig.client("everybody");
    for (uri, tool, arguments, mime) in [
        (
            "kro://lab/rgds/webservice",
            "kro_yaml",
            json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "webservice"}),
            "application/yaml",
        ),
        (
            "kro://lab/shop/Shop/outlet",
            "kro_yaml",
            json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet"}),
            "application/yaml",
        ),
        (
            "kro://lab/payments/WebService/checkout/events",
            "kro_events",
            json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": "checkout"}),
            "text/plain",
        ),
        (
            "kro://other%2Fone/-/Team/shop/graph",
            "kro_graph",
            json!({"cluster": "other/one", "kind": "Team", "name": "shop"}),
            "text/plain",
        ),
    ] {
        let content = read(&mcp, uri).await.expect(uri);
        let answer = mcp.call(tool, arguments).await;
        let text = content["text"].as_str().expect("a text").trim_start_matches("# ");
        assert_eq!(text, answer.text, "{uri}");
        assert_eq!((&content["uri"], &content["mimeType"]), (&json!(uri), &json!(mime)), "{uri}");
    }
    let lines = audited(&rig.server, &["kro_yaml", "kro_graph", "kro_events"], 8);
    for pair in lines.chunks(2) {
        for member in ["door", "tool", "decision", "scope", "outcome", "rule"] {
            assert_eq!(pair[0][member], pair[1][member], "{member}: {pair:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_may_not_see_is_no_resource() {
    let rig = Rig::start().await;
    let (all, shop, grapher) = (rig.client("everybody"), rig.client("shop"), rig.client("grapher"));
    assert_eq!(templates(&all).await.len(), 4);
    assert_eq!(templates(&grapher).await, [GRAPH]);
    assert!(templates(&rig.client("nobody")).await.is_empty());
    // RGDs are in no namespace
    assert!(!templates(&shop).await.contains(&RGD.to_owned()));

    // not there, not theirs, and of a template that they have not
    let words = async |mcp: &Mcp, uri: &str| {
        let error = read(mcp, uri).await.expect_err(uri);
        assert_eq!(error.code, -32602, "{error:?}");
        assert_eq!(error.data["uri"], uri);
        error.message.replace(uri, "URI")
    };
    let missing = words(&all, "kro://lab/shop/Shop/no-such").await;
    for (mcp, uri) in [
        (&shop, "kro://lab/shop/Shop/no-such"),
        (&shop, "kro://lab/payments/WebService/checkout"),
        (&shop, "kro://lab/payments/WebService/no-such"),
        (&shop, "kro://lab/rgds/webservice"),
        (&shop, "kro://nowhere/payments/WebService/checkout"),
        (&grapher, "kro://lab/shop/Shop/outlet"),
        (&grapher, "kro://lab/rgds/webservice"),
        (&all, "kro://nowhere/shop/Shop/outlet"),
        (&all, "kro://lab/rgds/no-such"),
    ] {
        assert_eq!(words(mcp, uri).await, missing, "{uri}");
    }
    assert!(read(&grapher, "kro://lab/shop/Shop/outlet/graph").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uri_of_no_form_is_told_the_forms() {
    let rig = Rig::start().await;
    let (all, grapher) = (rig.client("everybody"), rig.client("grapher"));
    for uri in ["kro://lab/Shop/outlet", "file:///etc/passwd", "kro://lab/rgds/a%2", "kro://lab/rgds/..", ""]
    {
        let error = read(&all, uri).await.expect_err(uri);
        assert_eq!(error.code, -32602, "{error:?}");
        assert!(error.message.contains(OBJECT) && error.message.contains(RGD), "{error:?}");
        let error = read(&grapher, uri).await.expect_err(uri);
        assert!(error.message.contains(GRAPH) && !error.message.contains(RGD), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_what_can_be_read_and_nothing_else() {
    let rig = Rig::start().await;
    let everybody = rig.client("everybody");
    let all = listed(&everybody).await;
    assert!(all.contains(&"kro://lab/shop/Shop/outlet".to_owned()), "{all:?}");
    assert!(all.iter().any(|uri| uri.starts_with("kro://lab/-/Team/")), "{all:?}");
    assert!(all.contains(&"kro://lab/rgds/webservice".to_owned()), "{all:?}");
    for uri in &all {
        assert!(read(&everybody, uri).await.is_ok(), "{uri}");
    }
    let shop = listed(&rig.client("shop")).await;
    assert!(!shop.is_empty() && shop.iter().all(|uri| uri.starts_with("kro://lab/shop/")), "{shop:?}");
    // who may not read manifests is given graphs
    let graphs = listed(&rig.client("lister")).await;
    assert!(!graphs.is_empty() && graphs.iter().all(|uri| uri.ends_with("/graph")), "{graphs:?}");
    for mcp in [rig.client("grapher"), rig.client("nobody")] {
        assert!(listed(&mcp).await.is_empty());
    }
    for cursor in ["x", "x.y", ".x"] {
        let error = everybody.result("resources/list", json!({"cursor": cursor})).await.expect_err(cursor);
        assert_eq!(error.code, -32602, "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_segment_is_completed_from_what_the_caller_may_see() {
    let rig = Rig::start().await;
    let (all, shop) = (rig.client("everybody"), rig.client("shop"));
    let lab = || json!({"cluster": "lab"});
    assert_eq!(complete(&all, OBJECT, "cluster", "", json!({})).await, ["lab", "other/one"]);
    assert_eq!(complete(&all, RGD, "cluster", "L", json!({})).await, ["lab"]);
    assert!(complete(&all, RGD, "name", "web", lab()).await.contains(&"webservice".to_owned()));
    let namespaces = complete(&all, OBJECT, "namespace", "", lab()).await;
    for namespace in ["-", "payments", "shop"] {
        assert!(namespaces.contains(&namespace.to_owned()), "{namespaces:?}");
    }
    assert_eq!(complete(&all, GRAPH, "namespace", "pay", lab()).await, ["payments"]);
    let kinds = complete(&all, GRAPH, "kind", "", lab()).await;
    assert!(kinds.contains(&"Shop".to_owned()) && kinds.contains(&"Team".to_owned()), "{kinds:?}");
    let kinds = complete(&all, GRAPH, "kind", "", json!({"cluster": "lab", "namespace": "-"})).await;
    assert!(kinds.contains(&"Team".to_owned()) && !kinds.contains(&"Shop".to_owned()), "{kinds:?}");
    let of = json!({"cluster": "lab", "namespace": "payments", "kind": "WebService"});
    let names = complete(&all, OBJECT, "name", "", of.clone()).await;
    assert!(names.contains(&"checkout".to_owned()) && !names.contains(&"outlet".to_owned()), "{names:?}");
    assert_eq!(complete(&all, OBJECT, "name", "CHECK", of.clone()).await, ["checkout"]);

    // theirs alone
    assert_eq!(complete(&shop, OBJECT, "namespace", "", lab()).await, ["shop"]);
    assert!(complete(&shop, OBJECT, "name", "", of).await.is_empty());
    assert!(complete(&shop, RGD, "name", "", lab()).await.is_empty());
    // what is not theirs, what there is not, and what cannot be read complete nothing
    for (mcp, uri, argument, filled) in [
        (&rig.client("grapher"), GRAPH, "name", lab()),
        (&rig.client("grapher"), OBJECT, "cluster", json!({})),
        (&rig.client("nobody"), GRAPH, "cluster", json!({})),
        (&all, "kro://{cluster}", "cluster", json!({})),
        (&all, OBJECT, "colour", lab()),
        (&all, OBJECT, "name", json!({"cluster": "nowhere"})),
        (&all, OBJECT, "name", json!({"cluster": "x".repeat(5_000)})),
    ] {
        assert!(complete(mcp, uri, argument, "", filled).await.is_empty(), "{uri} {argument}");
    }
    // audited like a call, though no caller can call it
    audited(&rig.server, &["kro_names"], 9);
    let error = all.try_call("kro_names", json!({"of": "names"})).await.expect_err("no tool");
    assert_eq!(error.message, "there is no tool \"kro_names\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_down_holds_no_client_that_lists() {
    let silent = Silent::start();
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config(&format!("{}audit: {{to: audit.log}}\n", silent.config()))
        .serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let began = Instant::now();
    assert!(listed(&mcp).await.is_empty());
    assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
    let why = audited(&server, &["kro_instances"], 1);
    assert_eq!((why.len(), &why[0]["outcome"]), (1, &json!("timeout")), "{why:?}");
    let began = Instant::now();
    assert!(complete(&mcp, OBJECT, "name", "", json!({"cluster": "silent"})).await.is_empty());
    assert!(began.elapsed() < BOUNDED, "{:?}", began.elapsed());
    // the names of clusters are known without asking them
    assert_eq!(complete(&mcp, OBJECT, "cluster", "si", json!({})).await, ["silent"]);
}
