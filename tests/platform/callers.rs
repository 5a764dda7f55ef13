//! Callers with tokens of the real provider see what is theirs, each their own: in lists, totals, candidates
//! and clusters.

use serde_json::{Value, json};

use crate::{
    faulty::Faulty,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::{Product, Server},
};

/// The sample platform's namespaces and what is in them, but for `shop`.
const ELSEWHERE: [&str; 12] = [
    "payments",
    "media",
    "insights",
    "checkout",
    "ledger",
    "invoices",
    "dashboards",
    "uploads",
    "accounts",
    "archive",
    "weekly-churn",
    "partners",
];

/// Team a is at home in `shop`, and sees the manifests of RGDs; team b in `payments` of the cluster `lab`;
/// administrators everywhere but in the cluster `quiet`, and have no instances in some namespaces.
const RULES: &str = r#"[
    {name: a, when: {groups: team-a}, roles: [viewer], within: {namespaces: [shop]}},
    {name: a reads RGDs, when: {groups: team-a}, allow: [kro.rgds.view-yaml, kro.rgds.list]},
    {name: b, when: {groups: team-b}, allow: [kro.instances.list, kubernetes.clusters.read],
     within: {namespaces: [payments], clusters: [lab]}},
    {name: admins, when: {groups: platform-admins}, roles: [admin]},
    {name: some is nobody's, when: {groups: platform-admins}, deny: ["kro.instances.*", "kro.resource-graph.*"],
     within: {namespaces: [payments, "in*"]}},
    {name: no one, deny: ["*"], within: {clusters: [quiet]}},
]"#;

struct Rig {
    server: Server,
    upstream: Faulty,
}

impl Rig {
    async fn start() -> Self {
        let upstream = Faulty::start().await;
        let clusters: Vec<Value> = ["lab", "other", "quiet"]
            .iter()
            .map(|name| json!({"name": name, "url": upstream.url, "token": "sample"}))
            .collect();
        let config = format!(
            "clusters: {{static: {}, default: lab}}\naudit: {{to: 'off'}}\nissuers: [{}]\n",
            json!(clusters),
            Provider::shared().entry(RULES),
        );
        Self { server: Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve(), upstream }
    }

    /// A client with the provider's own token.
    async fn client(&self, person: &str) -> Mcp {
        Mcp::with_token(self.server.url("/mcp"), &Provider::shared().token(person).await)
    }
}

async fn tools(mcp: &Mcp) -> Vec<String> {
    mcp.list_tools().await.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
}

#[track_caller]
fn tells_nothing_of_elsewhere(answer: &ToolAnswer) {
    for elsewhere in ELSEWHERE {
        assert!(!answer.text.contains(elsewhere), "{elsewhere}: {}", answer.text);
        assert!(!answer.structure.to_string().contains(elsewhere), "{elsewhere}: {}", answer.structure);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_has_a_list_of_their_own() {
    let rig = Rig::start().await;
    let all = [
        "knative_event_mesh",
        "kro_diagnose",
        "kro_events",
        "kro_graph",
        "kro_instances",
        "kro_overview",
        "kro_resources",
        "kro_revision_diff",
        "kro_rgd",
        "kro_rgds",
        "kro_watch",
        "kro_yaml",
        "kubernetes_access",
        "kubernetes_clusters",
        "kubernetes_events",
        "kubernetes_proxy",
        "whoami",
    ];
    assert_eq!(tools(&rig.client("alice").await).await, all);
    let carols = tools(&rig.client("carol").await).await;
    assert!(all.iter().all(|tool| carols.iter().any(|own| own == tool)), "{carols:?}");
    assert!(
        carols.iter().any(|tool| tool == "kro_apply_rgd"),
        "an administrator may change things: {carols:?}"
    );
    assert_eq!(
        tools(&rig.client("bob").await).await,
        ["kro_instances", "kubernetes_access", "kubernetes_clusters", "whoami"]
    );
    assert_eq!(tools(&rig.client("dave").await).await, ["whoami"], "in no group, so about no rule");
    assert_eq!(tools(&rig.client("erin").await).await, all, "of both teams");
    let hidden = rig.client("bob").await.try_call("kro_graph", json!({})).await.expect_err("hidden");
    let unknown = rig.client("bob").await.try_call("kro_grasp", json!({})).await.expect_err("unknown");
    assert_eq!((hidden.code, hidden.status), (unknown.code, unknown.status));
    assert_eq!(hidden.message.replace("kro_graph", "kro_grasp"), unknown.message);
    assert_eq!(hidden.data, unknown.data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_one_namespace_sees_it_alone_in_every_tool() {
    let rig = Rig::start().await;
    let alice = rig.client("alice").await;
    let all = alice.call("kro_instances", json!({})).await;
    assert!(!all.is_error, "{}", all.text);
    assert_eq!(all.structure["total"], all.structure["rows"].as_array().expect("rows").len(), "{}", all.text);
    tells_nothing_of_elsewhere(&all);
    for (tool, arguments) in [
        ("kro_instances", json!({"namespace": "shopp"})),
        ("kro_graph", json!({"kind": "WebService", "name": "chekout"})),
        ("kro_graph", json!({"kind": "WebService", "namespace": "shop", "name": "storefront-wep"})),
        ("kro_yaml", json!({"kind": "WebService", "name": "chekcout"})),
        ("kro_yaml", json!({"kind": "WebService", "namespace": "shop", "name": "ledgr"})),
        ("kro_yaml", json!({"kind": "Service", "name": "chekcout"})),
        ("kro_yaml", json!({"kind": "Secret", "name": "acounts-credentials"})),
        ("kubernetes_clusters", json!({})),
        ("whoami", json!({})),
    ] {
        let answer = alice.try_call(tool, arguments.clone()).await.expect("an answer");
        tells_nothing_of_elsewhere(&answer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_in_some_namespaces_is_in_no_row_total_or_candidate() {
    let rig = Rig::start().await;
    let carol = rig.client("carol").await;
    let taken = ["payments", "insights", "checkout", "ledger", "dashboards", "weekly-churn"];
    let all = carol.call("kro_instances", json!({})).await;
    let rows = all.structure["rows"].as_array().expect("rows");
    assert!(
        rows.iter().any(|row| row["namespace"] == "media") && rows.iter().any(|row| row["kind"] == "Team")
    );
    assert_eq!(all.structure["total"], rows.len());
    assert!(all.text.contains("filtered to the namespaces that you may see"), "{}", all.text);
    let namespaced: Vec<&Value> = rows.iter().filter(|row| row["kind"] != "Team").collect();
    for name in taken {
        assert!(namespaced.iter().all(|row| !row.to_string().contains(name)), "{name}: {}", all.text);
    }
    let near = carol.call("kro_graph", json!({"kind": "WebService", "name": "chekcout"})).await;
    assert!(near.is_error && near.text.contains("Nearest: "), "{}", near.text);
    for name in taken {
        assert!(!near.text.contains(name), "{name}: {}", near.text);
    }
    for name in ["checkout", "no-such"] {
        let arguments = json!({"kind": "WebService", "namespace": "payments", "name": name});
        let graph = carol.call("kro_graph", arguments.clone()).await;
        assert!(graph.text.starts_with("you need the permission kro.resource-graph.show"), "{}", graph.text);
    }
    let team = carol.call("kro_graph", json!({"kind": "Team", "name": "payments"})).await;
    assert!(!team.is_error, "a Team is in no namespace: {}", team.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_elsewhere_is_not_found_by_its_name_alone() {
    let rig = Rig::start().await;
    let alice = rig.client("alice").await;
    // manifests of RGDs she may see anywhere, which must not help her to find anything else
    let rgd = alice.call("kro_yaml", json!({"kind": "ResourceGraphDefinition", "name": "webservice"})).await;
    assert!(!rgd.is_error, "{}", rgd.text);
    for kind in ["WebService", "Service", "Deployment"] {
        let ask = async |name: &str| alice.call("kro_yaml", json!({"kind": kind, "name": name})).await;
        let (exists, not) = (ask("checkout").await, ask("chexxout").await);
        assert!(exists.is_error, "{kind}: {}", exists.text);
        assert_eq!(exists.text.replace("checkout", "chexxout"), not.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_a_rule_takes_away_is_in_no_row_and_no_candidate() {
    let rig = Rig::start().await;
    for (person, clusters) in
        [("carol", &["lab", "other"][..]), ("alice", &["lab", "other"]), ("bob", &["lab"])]
    {
        let mcp = rig.client(person).await;
        let listed = mcp.call("kubernetes_clusters", json!({})).await;
        let rows = listed.structure["rows"].as_array().expect("rows").clone();
        let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
        assert_eq!(
            (names.as_slice(), &listed.structure["total"]),
            (clusters, &json!(clusters.len())),
            "{person}"
        );
        for asked in ["quite", "nowhere", "static/quite"] {
            let wrong = mcp.call("kro_instances", json!({"cluster": asked})).await;
            assert!(wrong.is_error && !wrong.text.contains("quiet"), "{person}: {}", wrong.text);
        }
        rig.upstream.reset();
        let (taken, by_source) = (
            mcp.call("kro_instances", json!({"cluster": "quiet"})).await,
            mcp.call("kro_instances", json!({"cluster": "static/quiet"})).await,
        );
        for answer in [taken, by_source] {
            assert!(
                answer.text.starts_with("you need the permission kro.instances.list for cluster"),
                "{}",
                answer.text
            );
        }
        assert!(rig.upstream.seen().is_empty(), "nothing is asked of it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoami_tells_who_by_which_rule_where_and_as_whom_clusters_see_them() {
    let rig = Rig::start().await;
    let bob = rig.client("bob").await.call("whoami", json!({})).await;
    let told = &bob.structure;
    assert_eq!(
        (&told["username"], &told["subject"], &told["groups"]),
        (&json!("bob"), &json!("bob"), &json!(["team-b"]))
    );
    assert_eq!(told["issuer"], Provider::shared().issuer());
    assert_eq!((&told["identity"], &told["cluster_user"]), (&json!("impersonate"), &json!("oidc:bob")));
    assert!(told["expires_at"].as_str().is_some_and(|time| time.starts_with("20")), "{told}");
    assert_eq!(told["tools"], json!(["kro_instances", "kubernetes_access", "kubernetes_clusters", "whoami"]));
    let rules = told["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 2, "{told}");
    let first = rules[0]["rule"].as_str().expect("a rule");
    assert!(first.ends_with("rule \"b\" (groups: team-b) → allow"), "{first}");
    assert_eq!(rules[0]["within"], json!({"clusters": ["lab"], "namespaces": ["payments"]}));
    assert_eq!((&rules[1]["effect"], &rules[1]["within"]), (&json!("deny"), &json!({"clusters": ["quiet"]})));
    for said in
        ["You are bob", "groups: team-b", "oidc:bob in oidc:team-b", "clusters lab and namespaces payments"]
    {
        assert!(bob.text.contains(said), "{said}: {}", bob.text);
    }
    assert!(!bob.text.contains("eyJ") && !bob.structure.to_string().contains("eyJ"), "{}", bob.text);
}
