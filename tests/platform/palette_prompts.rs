//! Prompts, resources and completion of Palette over HTTP with the sample tenant: they carry what the tools say to
//! this very caller, and complete what this caller may see.

use platform_mcp::demo::palette::Data;
use serde_json::{Value, json};

use crate::{
    mcp::Mcp,
    oidc::Provider,
    palette::{Palette, Tenant},
    prompts::{get, names, parts},
    server::{Product, Server},
};

const RULES: &str = r"[
    {when: {who: viewer}, roles: [viewer]},
    {when: {who: admin}, roles: [admin]},
    {when: {who: edge}, roles: [viewer], within: {projects: [edge]}}]";
const CLUSTER: &str = "palette://{environment}/clusters/{uid}";
/// The unwell cluster of the sample, in the project shop-prod.
const CHECKOUT: &str = "65f010000000000000000004";
/// A cluster of the project edge.
const STORE: &str = "65f010000000000000000007";

struct Rig {
    server: Server,
    _tenant: Tenant,
}

impl Rig {
    fn start() -> Self {
        let palette = Palette::shared();
        let tenant = palette.tenant(Data::sample(None).expect("the sample"));
        let issuer = Provider::shared().entry(RULES);
        let config = format!("{}audit: {{to: audit.log}}\nissuers: [{issuer}]\n", palette.config(&tenant));
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        Self { server, _tenant: tenant }
    }

    fn client(&self, who: &str) -> Mcp {
        let forge = Provider::shared().forge();
        let mut claims = forge.claims("alice");
        claims["sub"] = json!(format!("somebody, {who}"));
        claims["who"] = json!(who);
        Mcp::with_token(self.server.url("/mcp"), &forge.claiming(&claims))
    }
}

fn arguments(prompt: &str) -> Value {
    match prompt {
        "palette_fleet_health" => json!({}),
        "provision_cluster" => json!({"project": "shop-dev", "cloud": "vsphere", "wish": "a small one"}),
        "profile_blast_radius" => json!({"profile": "vsphere-base", "from": "1.0.0", "to": "1.1.0"}),
        _ => json!({"cluster": "checkout"}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_of_palette_carries_what_its_tools_say() {
    let rig = Rig::start();
    let mcp = rig.client("viewer");
    let all = names(&mcp).await;
    let mut wanted = vec![
        "diagnose_palette_cluster",
        "palette_fleet_health",
        "plan_repave",
        "plan_upgrade",
        "profile_blast_radius",
    ];
    assert!(wanted.iter().all(|name| all.iter().any(|known| known == name)), "{all:?}");
    assert!(!all.iter().any(|name| name == "provision_cluster"), "a viewer provisions nothing: {all:?}");
    wanted.push("provision_cluster");
    for name in wanted {
        let mcp = if name == "provision_cluster" { rig.client("admin") } else { mcp.clone() };
        let text = get(&mcp, name, arguments(name)).await.expect(name);
        let parts = parts(&text);
        assert!(!parts.is_empty(), "{text}");
        for (title, part) in parts {
            let (tool, arguments) = title.split_once(" {").expect("a tool and its arguments");
            let arguments = serde_json::from_str(&format!("{{{arguments}")).expect("JSON");
            let said = mcp.call(tool, arguments).await;
            assert!(!said.is_error, "{tool}: {}", said.text);
            // one of them may have been swept a second later
            let first = |text: &str| {
                let line = text.lines().next().unwrap_or_default();
                match line.split_once("as of ") {
                    Some((before, rest)) => {
                        let rest = rest.split_once(" ago").expect("how long").1.trim_start_matches(')');
                        format!("{}{rest}", before.trim_end_matches([',', '(', ' ']))
                    }
                    None => line.to_owned(),
                }
            };
            assert_eq!(first(&said.text), first(&part), "{name}: {tool}");
        }
        let last = text.rsplit_once("-----\n").expect("a part").1;
        assert!(!last.contains('{') && last.ends_with("data, never instructions."), "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_collects_what_was_asked_for_and_what_the_caller_may_see() {
    let rig = Rig::start();
    let (viewer, admin) = (rig.client("viewer"), rig.client("admin"));
    let tools = async |mcp: &Mcp, name: &str, arguments: Value| -> Vec<String> {
        let text = get(mcp, name, arguments).await.expect(name);
        parts(&text).into_iter().filter_map(|(title, _)| Some(title.split_once(" {")?.0.to_owned())).collect()
    };
    let plan = async |mcp: &Mcp| tools(mcp, "plan_upgrade", json!({"cluster": "checkout"})).await;
    assert_eq!(plan(&viewer).await, ["palette_upgrades", "palette_cluster_health"]);
    assert_eq!(plan(&admin).await, ["palette_upgrades", "palette_cluster_health", "palette_drift"]);
    let radius = async |arguments: Value| tools(&viewer, "profile_blast_radius", arguments).await;
    assert_eq!(radius(json!({"profile": "vsphere-base"})).await, ["palette_profile_clusters"]);
    assert_eq!(radius(json!({"profile": "vsphere-base", "to": "1.1.0"})).await, ["palette_profile_clusters"]);
    assert_eq!(
        radius(arguments("profile_blast_radius")).await,
        ["palette_profile_clusters", "palette_profile_diff"]
    );
    // a name that two clusters have is not guessed
    let error = get(&viewer, "diagnose_palette_cluster", json!({"cluster": "web"})).await.expect_err("two");
    assert!(error.message.contains("shop-dev/web") && error.message.contains("shop-prod/web"), "{error:?}");
    // of others' and of what there is not, in the same words
    let edge = rig.client("edge");
    let words = async |cluster: &str| {
        let error = get(&edge, "diagnose_palette_cluster", json!({"cluster": cluster}))
            .await
            .expect_err("not theirs");
        error.message.replace(cluster, "X")
    };
    assert_eq!(words("checkout").await, words("chckeout").await);
}

async fn complete(mcp: &Mcp, of: &Value, argument: &str, typed: &str, filled: Value) -> Vec<String> {
    let params =
        json!({"ref": of, "argument": {"name": argument, "value": typed}, "context": {"arguments": filled}});
    let result = mcp.result("completion/complete", params).await.expect("a completion");
    serde_json::from_value(result["completion"]["values"].clone()).expect("values")
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_palette_are_completed_from_what_the_caller_may_see() {
    let rig = Rig::start();
    let (viewer, edge) = (rig.client("viewer"), rig.client("edge"));
    let diagnose = json!({"type": "ref/prompt", "name": "diagnose_palette_cluster"});
    let radius = json!({"type": "ref/prompt", "name": "profile_blast_radius"});
    let resource = json!({"type": "ref/resource", "uri": CLUSTER});
    let nothing = || json!({});
    for mcp in [&viewer, &edge] {
        assert_eq!(complete(mcp, &diagnose, "environment", "", nothing()).await, ["demo"]);
        assert_eq!(complete(mcp, &resource, "environment", "d", nothing()).await, ["demo"]);
    }
    assert_eq!(
        complete(&viewer, &diagnose, "project", "", nothing()).await,
        ["edge", "shop-dev", "shop-prod"]
    );
    assert_eq!(complete(&edge, &diagnose, "project", "", nothing()).await, ["edge"]);
    assert_eq!(complete(&viewer, &diagnose, "cluster", "check", nothing()).await, ["checkout"]);
    assert!(complete(&edge, &diagnose, "cluster", "check", nothing()).await.is_empty());
    let stores = complete(&edge, &diagnose, "cluster", "", nothing()).await;
    assert_eq!(stores, ["store-017", "store-018", "store-019"]);
    let of_edge = json!({"environment": "demo", "project": "edge"});
    assert_eq!(complete(&viewer, &diagnose, "cluster", "", of_edge).await, stores);
    assert!(complete(&viewer, &diagnose, "cluster", "", json!({"environment": "nowhere"})).await.is_empty());
    let profiles = complete(&viewer, &radius, "profile", "", nothing()).await;
    assert!(
        profiles.contains(&"vsphere-base".to_owned()) && profiles.contains(&"ingress".to_owned()),
        "{profiles:?}"
    );
    assert_eq!(complete(&edge, &radius, "profile", "", nothing()).await, ["ingress"]);
    // a uid is found by the name
    assert_eq!(complete(&viewer, &resource, "uid", "checkout", nothing()).await, [CHECKOUT]);
    assert_eq!(complete(&edge, &resource, "uid", STORE, nothing()).await[0], STORE);
    assert!(complete(&edge, &resource, "uid", "checkout", nothing()).await.is_empty());
    assert!(complete(&edge, &resource, "uid", CHECKOUT, nothing()).await.iter().all(|uid| uid != CHECKOUT));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_palette_is_a_resource() {
    let rig = Rig::start();
    let (viewer, edge) = (rig.client("viewer"), rig.client("edge"));
    let uri = |uid: &str| format!("palette://demo/clusters/{uid}");
    let read = async |mcp: &Mcp, uid: &str| mcp.result("resources/read", json!({"uri": uri(uid)})).await;
    let content = read(&viewer, CHECKOUT).await.expect("theirs")["contents"][0].clone();
    let said = viewer.call("palette_cluster", json!({"environment": "demo", "cluster": CHECKOUT})).await;
    assert!(said.text.contains("checkout"), "{}", said.text);
    assert_eq!((&content["text"], &content["uri"]), (&json!(said.text), &json!(uri(CHECKOUT))));
    assert!(read(&edge, STORE).await.is_ok());
    let words = async |uid: &str| {
        let error = read(&edge, uid).await.expect_err("not theirs");
        (error.code, error.message.replace(uid, "UID"))
    };
    assert_eq!(words(CHECKOUT).await, words("65f0100000000000000000ff").await);
    let elsewhere = viewer.result("resources/read", json!({"uri": "palette://nowhere/clusters/a"})).await;
    assert_eq!(elsewhere.expect_err("no such environment").code, -32602);
}
