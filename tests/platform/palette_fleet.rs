//! The fleet's tools at 500 clusters and 60 virtual ones in 20 projects with 150 profiles: what they answer, and
//! what that costs in requests, as the simulator counts them.

use std::collections::BTreeMap;

use platform_mcp::demo::palette::{Data, Failure, Fault};
use serde_json::{Value, json};

use crate::{
    mcp::{Mcp, ToolAnswer},
    palette::{Palette, Tenant, fresh},
    server::{Product, Server},
};

const META: &str = "GET /v1/dashboard/spectroclusters/meta";
const SEARCH: &str = "POST /v1/dashboard/spectroclusters/search";
const METADATA: &str = "POST /v1/dashboard/spectroclusters/metadata/search";
const PAGES: u64 = 12;

/// What a model pays for a text is a little less than a token for three bytes.
const THREE_THOUSAND_TOKENS: usize = 9_000;

struct Rig {
    tenant: Tenant,
    server: Server,
    mcp: Mcp,
}

fn fleet() -> Data {
    Data::fleet(500, 60, 20, 150)
}

impl Rig {
    fn of(data: Data) -> Self {
        Self::with_key(data, None)
    }

    /// With another key than the tenant's.
    fn with_key(data: Data, key: Option<&str>) -> Self {
        let palette = Palette::shared();
        let tenant = palette.tenant(data);
        let mut environments = palette.environment("prod", &tenant);
        if let Some(key) = key {
            environments = environments.replace(&tenant.key(), key);
        }
        Self::over(tenant, &environments)
    }

    fn over(tenant: Tenant, environments: &str) -> Self {
        let config = format!(
            "clusters: {{kubeconfig: {{enabled: false}}}}\nspectrocloud:\n  environments:\n{environments}"
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        let mcp = Mcp::new(server.url("/mcp"));
        Self { tenant, server, mcp }
    }

    async fn call(&self, tool: &str, arguments: Value) -> ToolAnswer {
        self.mcp.call(tool, arguments).await
    }

    /// The answer, and the requests it took.
    async fn counted(&self, tool: &str, arguments: Value) -> (ToolAnswer, u64) {
        let before = self.tenant.count();
        let answer = self.call(tool, arguments).await;
        assert!(!answer.is_error, "{tool}: {}", answer.text);
        (answer, self.tenant.count() - before)
    }

    fn asked(&self, endpoint: &str) -> u64 {
        self.tenant.requests().get(endpoint).copied().unwrap_or_default()
    }
}

#[track_caller]
fn small(answer: &ToolAnswer) {
    let structure = answer.structure.to_string().len();
    assert!(answer.text.len() < THREE_THOUSAND_TOKENS, "text of {}", answer.text.len());
    assert!(structure < THREE_THOUSAND_TOKENS, "structure of {structure}");
}

fn rows(answer: &ToolAnswer) -> Vec<Value> {
    answer.structure["rows"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fleet_is_told_in_two_requests_with_state_and_health_apart() {
    let rig = Rig::of(fleet());
    let (answer, cold) = rig.counted("palette_fleet", json!({})).await;
    assert!(cold <= PAGES + 2, "{cold} requests");
    assert_eq!((cold, rig.asked(METADATA), rig.asked(SEARCH)), (2, 1, 0), "{:?}", rig.tenant.requests());
    small(&answer);
    let told = &answer.structure;
    let data = rig.tenant.data();
    let count = |wanted: &dyn Fn(&platform_mcp::demo::palette::Cluster) -> bool| {
        data.clusters.iter().filter(|cluster| wanted(cluster)).count()
    };
    let unhealthy = |cluster: &platform_mcp::demo::palette::Cluster| {
        cluster.health.state.eq_ignore_ascii_case("unhealthy")
    };
    assert_eq!((told["clusters"].as_u64(), told["virtual_clusters"].as_u64()), (Some(560), Some(60)));
    assert_eq!(told["health"]["unhealthy"], count(&unhealthy), "both spellings are one: {told}");
    let running = count(&|cluster| unhealthy(cluster) && cluster.state == "Running");
    assert!(running > 0);
    assert_eq!(told["unhealthy_but_running"], running);
    for state in ["Running", "Pending", "Error", "Deleting"] {
        assert_eq!(told["states"][state], count(&|cluster| cluster.state == state), "{state}");
    }
    assert_eq!(told["problems"]["updates pending"], count(&|cluster| !cluster.updates.is_empty()));
    let worst = &told["attention"]["rows"][0];
    assert_eq!(worst["problems"][0], "in error", "the worst first: {worst}");
    let next = format!("palette_cluster_health cluster={}", worst["uid"].as_str().expect("a uid"));
    assert!(told["next"] == next.as_str() && answer.text.contains(&next), "{}", answer.text);
    // one cluster is not told in two ways
    let listed = rig.call("palette_clusters", json!({"limit": 1000})).await;
    for row in told["attention"]["rows"].as_array().expect("rows") {
        let listed = listed.structure["rows"].as_array().expect("rows").iter();
        let same: Vec<_> = listed.filter(|other| other["uid"] == row["uid"]).collect();
        assert!(same.iter().all(|other| other["problems"] == row["problems"]), "{row}: {same:?}");
    }
    assert!(answer.text.contains("unhealthy though Running"), "{}", answer.text);
    assert!(answer.text.contains("in 20 projects and the tenant itself"), "{}", answer.text);
    // page by page to the end, every cluster that wants attention once
    let (mut seen, mut cursor) = (BTreeMap::new(), None::<String>);
    loop {
        let asked = cursor.map_or(json!({"limit": 200}), |cursor| json!({"limit": 200, "cursor": cursor}));
        let (page, cost) = rig.counted("palette_fleet", asked).await;
        assert_eq!(cost, 0, "the index is warm");
        for row in page.structure["attention"]["rows"].as_array().expect("rows") {
            *seen.entry(row["uid"].as_str().expect("a uid").to_owned()).or_insert(0) += 1;
        }
        match page.structure["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(Some(seen.len() as u64), told["attention"]["total"].as_u64());
    assert!(seen.values().all(|times| *times == 1));
    let (_, fresh) = rig.counted("palette_fleet", json!({"fresh": true})).await;
    assert_eq!(fresh, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_cut_short_is_not_taken_for_the_whole() {
    let rig = Rig::of(Data { metadata_search_cut: true, ..fleet() });
    let (answer, cold) = rig.counted("palette_fleet", json!({})).await;
    assert!(cold <= PAGES + 2, "{cold}: {:?}", rig.tenant.requests());
    assert_eq!((answer.structure["clusters"].as_u64(), rig.asked(SEARCH)), (Some(560), PAGES));
    assert!(answer.structure["partial"].is_null(), "{}", answer.text);
    let (_, warm) = rig.counted("palette_clusters", json!({})).await;
    assert_eq!(warm, 0, "the larger sweep answers the smaller question");
    // what does not come, and is counted, is told
    rig.tenant.fail(Fault::at(SEARCH, Failure::Count(7)));
    let (answer, _) = rig.counted("palette_fleet", json!({"fresh": true})).await;
    assert!(answer.text.contains("567") && answer.text.contains("partial"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_of_all_clusters_cost_the_sweep_and_two_and_of_one_only_what_is_missing() {
    let rig = Rig::of(fleet());
    let (answer, cold) = rig.counted("palette_upgrades", json!({})).await;
    assert!(cold <= PAGES + 2, "{cold}: {:?}", rig.tenant.requests());
    assert_eq!(rig.asked(SEARCH), PAGES);
    small(&answer);
    let data = rig.tenant.data();
    let attached = data.clusters.iter().flat_map(|cluster| &cluster.profiles);
    let behind = attached
        .filter(|attached| {
            let (profile, version) = data.version(&attached.version).expect("a version");
            profile.versions.last().expect("one").uid != version.uid
        })
        .count();
    let pending = |line: &str| line.contains("have an update pending in Palette");
    assert!(answer.text.lines().next().is_some_and(pending), "{}", answer.text);
    // 1.9.0 is older than 1.10.0, and two profiles called web are two
    let (all, warm) = rig.counted("palette_upgrades", json!({"limit": 1000})).await;
    assert_eq!(warm, 0, "{:?}", rig.tenant.requests());
    assert_eq!(all.structure["unknown"], Value::Null, "{}", all.text);
    let mut upgrades = 0;
    let mut cursor = Some(all);
    while let Some(page) = cursor.take() {
        for row in rows(&page).iter().filter(|row| row["to"].is_string()) {
            upgrades += 1;
            assert_eq!(row["to"], "1.10.0", "{row}");
            assert_ne!(row["from"], "1.10.0", "{row}");
        }
        if let Some(next) = page.structure["next_cursor"].as_str() {
            cursor = Some(rig.call("palette_upgrades", json!({"limit": 1000, "cursor": next})).await);
        }
    }
    assert_eq!(upgrades, behind, "every attached version that is not the newest, and no other");
    let one = data.clusters.iter().filter(|cluster| cluster.updates.is_empty()).find(|cluster| {
        cluster
            .profiles
            .iter()
            .any(|attached| data.version(&attached.version).expect("one").1.version != "1.10.0")
    });
    let name = &one.expect("one is behind").name;
    let project = one.and_then(|one| one.project.clone()).expect("in a project");
    let arguments = json!({"cluster": name, "project": project, "repave": true});
    let (answer, cost) = rig.counted("palette_upgrades", arguments).await;
    let upgraded = rows(&answer).len() as u64;
    assert!(upgraded > 0 && cost <= 2 * upgraded + 1 + 1, "{cost} requests for {upgraded}");
    let packs = answer.structure["packs"].as_array().expect("packs that change");
    assert!(packs.iter().all(|pack| pack["from"] != pack["to"]), "{packs:?}");
    assert!(answer.structure["repave"]["required"].is_boolean(), "{}", answer.text);
    let refused = rig.call("palette_upgrades", json!({"repave": true})).await;
    assert!(refused.is_error && refused.text.contains("needs \"cluster\""), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_profiles_of_one_name_each_cluster_is_offered_the_versions_of_its_own() {
    let mut data = Data::fleet(2, 0, 2, 2);
    let mut newest = data.profiles[1].versions[2].clone();
    (newest.uid, newest.version) = ("0123456789abcdef01234567".to_owned(), "2.0.0".to_owned());
    data.profiles[1].versions.push(newest);
    let oldest = data.profiles[0].versions[0].uid.clone();
    let tenants = data.clusters[0]
        .profiles
        .iter_mut()
        .find(|attached| data.profiles[0].versions.iter().any(|version| version.uid == attached.version));
    tenants.expect("one of the tenant's").version = oldest;
    let rig = Rig::of(data);
    let (answer, cost) = rig.counted("palette_upgrades", json!({})).await;
    assert_eq!(cost, 3, "the sweep, the index, and which web is which: {:?}", rig.tenant.requests());
    let mut scopes = Vec::new();
    for row in rows(&answer).iter().filter(|row| row["to"].is_string()) {
        let to = if row["scope"] == "project" { "2.0.0" } else { "1.10.0" };
        assert_eq!((&row["profile"], &row["to"]), (&json!("web"), &json!(to)), "{}", answer.text);
        scopes.push(row["scope"].clone());
    }
    assert!(scopes.contains(&json!("tenant")) && scopes.contains(&json!("project")), "{}", answer.text);
}

/// From and to of the rows that are upgrades, by cluster.
fn targets(answer: &ToolAnswer) -> BTreeMap<String, (String, String)> {
    let text = |row: &Value, member: &str| row[member].as_str().unwrap_or_default().to_owned();
    let upgrades = rows(answer).into_iter().filter(|row| row["to"].is_string());
    upgrades.map(|row| (text(&row, "cluster"), (text(&row, "from"), text(&row, "to")))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_and_pre_releases_are_no_upgrades() {
    let mut data = Data::fleet(6, 0, 1, 3);
    data.clusters.iter_mut().for_each(|cluster| cluster.updates.clear());
    for (number, profile) in data.profiles.iter_mut().enumerate() {
        let newest = profile.versions.last().expect("a version").clone();
        let more = |version: &str, draft: bool| {
            let mut made = newest.clone();
            made.uid = format!("{:0>24x}", 0xd0_0000 + number * 16 + usize::from(draft));
            (made.version, made.draft) = (version.to_owned(), draft);
            made
        };
        profile.versions.extend([more("3.0.0-rc.1", false), more("2.0.0", true)]);
    }
    let rig = Rig::of(data);
    let upgrade = |cluster: &str, from: &str, to: &str| {
        (format!("prod/project-00/{cluster}"), (from.to_owned(), to.to_owned()))
    };
    let (behind, _) = rig.counted("palette_upgrades", json!({"cluster": "cluster-005"})).await;
    assert_eq!(targets(&behind), [upgrade("cluster-005", "1.0.0", "1.10.0")].into(), "{}", behind.text);
    assert!(behind.structure["note"].is_null(), "{}", behind.text);
    let (newest, _) = rig.counted("palette_upgrades", json!({"cluster": "cluster-002"})).await;
    assert!(targets(&newest).is_empty() && newest.text.contains("newest version"), "{}", newest.text);
    // as few targets as these are read
    let (all, _) = rig.counted("palette_upgrades", json!({"limit": 1000})).await;
    let expected = [upgrade("cluster-005", "1.0.0", "1.10.0")];
    assert_eq!(targets(&all), expected.into(), "{}", all.text);
    assert!(all.structure["note"].is_null(), "{}", all.text);
}

/// Cluster, profile, from, to and pending of each row.
fn told(answer: &ToolAnswer) -> Vec<[String; 5]> {
    let text = |row: &Value, member: &str| row[member].as_str().unwrap_or_default().to_owned();
    let columns = ["cluster", "profile", "from", "to", "pending"];
    rows(answer).iter().map(|row| columns.map(|column| text(row, column))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pending_is_named_and_not_offered_again_and_so_is_a_repave() {
    let rig = Rig::of(Data::sample(None).expect("the sample"));
    let (all, _) = rig.counted("palette_upgrades", json!({})).await;
    let row = |cluster: &str, profile: &str, from: &str, to: &str, pending: &str| {
        [format!("prod/{cluster}"), profile.into(), from.into(), to.into(), pending.into()]
    };
    let pending = [
        row("shop-prod/payments", "vsphere-base", "1.0.0", "1.2.0", "1.1.0"),
        row("shop-prod/web", "vsphere-base", "1.1.0", "", "1.2.0"),
    ];
    assert_eq!(told(&all)[..2], pending, "{}", all.text);
    let first = all.text.lines().next().unwrap_or_default();
    for named in
        ["2 have an update pending in Palette: ", "vsphere-base 1.1.0 (prod/shop-prod/payments)", "repave"]
    {
        assert!(first.contains(named), "{named}: {first}");
    }
    assert_eq!(all.structure["repaves_pending"], json!(["prod/shop-prod/payments"]), "{}", all.text);
    let offered = told(&all);
    assert!(offered.iter().all(|[_, profile, ..]| profile != "observability"), "a draft: {}", all.text);
    // nothing of it is the other profile's
    let (other, _) = rig.counted("palette_upgrades", json!({"profile": "shop"})).await;
    assert!(told(&other).iter().all(|[.., pending]| pending.is_empty()), "{}", other.text);
    assert!(!other.text.contains("pending in Palette"), "{}", other.text);
    let arguments = json!({"cluster": "prod/shop-prod/payments", "profile": "vsphere-base"});
    let (one, _) = rig.counted("palette_upgrades", arguments).await;
    assert_eq!(told(&one), pending[..1], "{}", one.text);
    assert!(one.text.contains("an update is pending in Palette: vsphere-base 1.1.0"), "{}", one.text);
    assert!(one.text.contains("a repave waits to be approved"), "{}", one.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_profile_is_offered_its_own_versions_whatever_the_filter() {
    let rig = Rig::of(Data::sample(None).expect("the sample"));
    for arguments in [json!({}), json!({"project": "edge"}), json!({"cluster": "store-017"})] {
        let (answer, _) = rig.counted("palette_upgrades", arguments.clone()).await;
        let stores = told(&answer)
            .into_iter()
            .filter(|[cluster, profile, ..]| cluster.starts_with("prod/edge/") && profile == "ingress");
        assert_eq!(stores.count(), 0, "{arguments}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_none_is_an_error_with_the_nearest_and_one_of_two_a_question() {
    let rig = Rig::of(Data::sample(None).expect("the sample"));
    for (tool, arguments, told) in [
        ("palette_upgrades", json!({"profile": "vsphere-bas"}), "vsphere-base"),
        ("palette_upgrades", json!({"profile": "ingress"}), "prod/edge/ingress"),
        ("palette_upgrades", json!({"profile": "vsphere-bas", "cluster": "payments"}), "vsphere-base"),
        ("palette_upgrades", json!({"profile": "edge-base", "cluster": "payments"}), "not attached"),
        ("palette_virtual_clusters", json!({"cluster_group": "sandboxs"}), "sandboxes"),
        ("palette_profiles", json!({"project": "edeg"}), "edge"),
    ] {
        let answer = rig.call(tool, arguments.clone()).await;
        assert!(answer.is_error && answer.text.contains(told), "{tool} {arguments}: {}", answer.text);
    }
    let (tenants, _) = rig.counted("palette_upgrades", json!({"profile": "prod/tenant/ingress"})).await;
    let upgraded = told(&tenants);
    let tenants_own =
        |[cluster, profile, ..]: &[String; 5]| profile == "ingress" && !cluster.contains("/edge/");
    assert!(!upgraded.is_empty() && upgraded.iter().all(tenants_own), "{}", tenants.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_another_profile_of_that_name_is_not_offered_to_a_cluster() {
    let mut data = Data::fleet(6, 0, 1, 3);
    data.clusters.iter_mut().for_each(|cluster| cluster.updates.clear());
    let mut other = data.profiles[2].clone();
    other.project = Some(data.projects[0].uid.clone());
    other.versions = vec![other.versions.pop().expect("a version")];
    (other.versions[0].uid, other.versions[0].version) = ("0123456789abcdef01234567".into(), "5.0.0".into());
    data.profiles.push(other);
    let rig = Rig::of(data);
    let (answer, _) = rig.counted("palette_upgrades", json!({"cluster": "cluster-005"})).await;
    let to: Vec<String> = targets(&answer).into_values().map(|(_, to)| to).collect();
    assert_eq!(to, ["1.10.0"], "{}", answer.text);
    assert!(answer.text.contains("another profile of that name"), "{}", answer.text);
    let (all, _) = rig.counted("palette_upgrades", json!({})).await;
    assert!(targets(&all).into_values().all(|(_, to)| to == "1.10.0"), "{}", all.text);
    assert_eq!(targets(&all).get("prod/project-00/cluster-005").map(|of| of.1.as_str()), Some("1.10.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_below_a_version_are_found_by_number_in_one_sweep() {
    let rig = Rig::of(fleet());
    let (answer, cold) =
        rig.counted("palette_pack_exposure", json!({"pack": "nginx", "below": "1.11.2"})).await;
    assert_eq!(cold, PAGES, "{:?}", rig.tenant.requests());
    small(&answer);
    let data = rig.tenant.data();
    let runs = |below: bool| {
        let has = |cluster: &&platform_mcp::demo::palette::Cluster| {
            cluster.profiles.iter().any(|attached| {
                let packs = &data.version(&attached.version).expect("a version").1.packs;
                packs.iter().any(|pack| pack.name == "nginx" && !(below && pack.tag == "1.11.2"))
            })
        };
        data.clusters.iter().filter(has).count()
    };
    assert_eq!(answer.structure["exposed"], runs(true));
    assert_eq!(answer.structure["clusters"], runs(false));
    let (_, warm) = rig.counted("palette_pack_exposure", json!({"pack": "cni-*", "layer": "cni"})).await;
    assert_eq!(warm, 0);
    let wrong = rig.call("palette_pack_exposure", json!({"pack": "nginx", "layer": "kubernetes"})).await;
    assert!(wrong.is_error, "{}", wrong.text);
    assert!(wrong.text.contains("\"layer\"") && wrong.text.contains("k8s"), "{}", wrong.text);
    let attached = &data.clusters[0].profiles[0].version;
    let profile = data.version(attached).expect("a version").0.name.clone();
    let wrong = rig.call("palette_pack_exposure", json!({"pack": profile})).await;
    assert!(wrong.is_error && wrong.text.contains("is a cluster profile, and no pack"), "{}", wrong.text);
    let several = rig.call("palette_pack_exposure", json!({"pack": "*", "below": "1.27.5"})).await;
    assert!(several.text.contains("different packs are compared with it"), "{}", several.text);
    assert!(!answer.text.contains("different packs"), "{}", answer.text);
    let wrong = rig.call("palette_pack_exposure", json!({"pack": "ngnix"})).await;
    assert!(wrong.is_error && wrong.text.contains("Nearest: nginx"), "{}", wrong.text);
    let wrong = rig.call("palette_pack_exposure", json!({"pack": "nginx", "below": "latest"})).await;
    assert!(wrong.is_error && wrong.text.contains("\"below\""), "{}", wrong.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn virtual_clusters_are_told_with_their_pressure_for_a_request_for_each_fifty() {
    let rig = Rig::of(fleet());
    let (answer, cold) = rig.counted("palette_virtual_clusters", json!({})).await;
    assert_eq!((cold, rig.asked(SEARCH)), (2, 2), "60 of them are two pages");
    small(&answer);
    assert_eq!(answer.structure["total"], 60);
    let first = &rows(&answer)[0];
    assert_eq!(first["pressure"], "high", "{first}");
    assert_eq!((&first["cpu_cores"]["limit"], &first["cpu_cores"]["percent"]), (&json!(4.0), &json!(93)));
    assert_eq!(first["memory_gib"]["limit"], 8.0, "{first}");
    assert!(answer.text.contains("of 4 cores (93 %)") && answer.text.contains("of 8 GiB"), "{}", answer.text);
    let (pressed, warm) = rig.counted("palette_virtual_clusters", json!({"pressed": true})).await;
    assert_eq!((pressed.structure["total"].as_u64(), warm), (Some(10), 0));
    let none = rig.call("palette_virtual_clusters", json!({"cluster_group": "nowhere"})).await;
    assert!(none.is_error && none.text.contains("Nearest: sandboxes"), "{}", none.text);
    let (one, _) = rig.counted("palette_virtual_clusters", json!({"cluster": "virtual-006"})).await;
    assert_eq!(one.structure["sizing"]["max_memory_mib"], 8192, "{}", one.text);
    let host = rig.call("palette_virtual_clusters", json!({"cluster": "cluster-005"})).await;
    assert!(host.is_error && host.text.contains("is no virtual cluster"), "{}", host.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_filtered_and_the_words_of_the_filter_have_no_case() {
    let rig = Rig::of(fleet());
    let (all, cold) = rig.counted("palette_clusters", json!({})).await;
    assert_eq!((cold, rig.asked(METADATA)), (1, 1));
    small(&all);
    assert_eq!(all.structure["total"], 560);
    for (arguments, total) in [
        (json!({"virtual": true}), 60),
        (json!({"virtual": false, "project": "project-03"}), 25),
        (json!({"state": "error"}), 12),
        (json!({"name": "CLUSTER-01"}), 10),
        (json!({"health": "unhealthy", "virtual": false}), 50),
    ] {
        let (answer, cost) = rig.counted("palette_clusters", arguments.clone()).await;
        assert_eq!(cost, 0, "{arguments}");
        assert_eq!(answer.structure["total"], total, "{arguments}: {}", answer.text);
    }
    let none = rig.call("palette_clusters", json!({"state": "Runing"})).await;
    assert!(
        none.text.contains("none in state \"Runing\" of 560") && none.text.contains("Running"),
        "{}",
        none.text
    );
    let none = rig.call("palette_clusters", json!({"cloud_type": "azzure"})).await;
    assert!(none.text.contains("cloud type \"azzure\"; their cloud types: "), "{}", none.text);
    assert!(none.text.contains("nested") && !none.text.contains("Running"), "{}", none.text);
    let none = rig.call("palette_clusters", json!({"name": "clutser-017"})).await;
    assert!(none.text.contains("nearest: cluster-017, "), "{}", none.text);
    let nowhere = rig.call("palette_clusters", json!({"project": "project-3"})).await;
    assert!(nowhere.is_error && nowhere.text.contains("project-03"), "{}", nowhere.text);
    let (projects, cost) = rig.counted("palette_projects", json!({})).await;
    assert!(cost <= 1 && projects.structure["total"] == 20, "{cost}: {}", projects.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_in_two_projects_or_environments_is_a_question_and_never_a_guess() {
    let palette = Palette::shared();
    let (one, two) = (palette.tenant(Data::fleet(4, 0, 2, 2)), palette.tenant(Data::fleet(4, 1, 2, 2)));
    let environments = format!("{}{}", palette.environment("prod", &one), palette.environment("lab", &two));
    let rig = Rig::over(one, &environments);
    let both = rig.call("palette_upgrades", json!({"cluster": "web"})).await;
    for candidate in
        ["prod/project-00/web", "prod/project-01/web", "lab/project-00/web", "lab/project-01/web"]
    {
        assert!(both.is_error && both.text.contains(candidate), "{candidate}: {}", both.text);
    }
    for arguments in [
        json!({"cluster": "web", "environment": "prod", "project": "project-01"}),
        json!({"cluster": "prod/project-01/web"}),
        json!({"cluster": "project-01/web", "environment": "prod"}),
    ] {
        let answer = rig.call("palette_upgrades", arguments).await;
        assert!(!answer.is_error && answer.text.contains("prod/project-01/web"), "{}", answer.text);
    }
    let near = rig.call("palette_upgrades", json!({"cluster": "cluster-02"})).await;
    assert!(near.is_error && near.text.contains("cluster-002"), "{}", near.text);
    let far = rig.call("palette_upgrades", json!({"cluster": "zzzzzz"})).await;
    assert!(far.is_error && !far.text.contains("web"), "what is far off was not meant: {}", far.text);
    let unknown = rig.call("palette_clusters", json!({"environment": "prd"})).await;
    assert!(unknown.is_error && unknown.text.contains("prod"), "{}", unknown.text);
    // an environment that cannot be asked is not one that has none
    two.fail(Fault::everywhere(Failure::unauthorized()));
    for name in ["virtual-000", "virtual-777"] {
        let unsure = rig.call("palette_virtual_clusters", json!({"cluster": name})).await;
        let text = &unsure.text;
        assert!(
            unsure.is_error && text.contains("environment lab") && !text.contains("there is no"),
            "{text}"
        );
    }
    let partial = rig.call("palette_clusters", json!({"fresh": true})).await;
    assert!(!partial.is_error && partial.text.contains("partial: environment lab"), "{}", partial.text);
    assert_eq!(partial.structure["total"], 4);
    rig.tenant.fail(Fault::everywhere(Failure::Html(502)));
    let down = rig.call("palette_clusters", json!({"fresh": true})).await;
    assert!(down.is_error, "all that fails is no empty list: {}", down.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_name_a_cluster_costs_one_request_cold_and_none_warm() {
    let rig = Rig::of(fleet());
    let (_, cold) = rig.counted("palette_virtual_clusters", json!({"cluster": "virtual-007"})).await;
    assert_eq!(cold, 2, "the search, and how it was sized: {:?}", rig.tenant.requests());
    rig.counted("palette_pack_exposure", json!({"pack": "nginx"})).await;
    let (_, warm) = rig.counted("palette_virtual_clusters", json!({"cluster": "virtual-008"})).await;
    assert_eq!(warm, 1, "how it was sized: {:?}", rig.tenant.requests());
    assert_eq!(rig.asked(META), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_projects_is_asked_project_by_project_and_one_refused_is_a_gap() {
    let token = fresh("token");
    let mut data = fleet();
    let refused = data.projects[7].uid.clone();
    data.users = vec![platform_mcp::demo::palette::User {
        token: token.clone(),
        projects: data.projects.iter().map(|project| project.uid.clone()).collect(),
        tenant: false,
    }];
    data.denied = vec![refused.clone()];
    let palette = Palette::shared();
    let tenant = palette.tenant(data);
    let environments = format!("    - {{name: mine, url: '{}'}}\n", palette.url());
    let mut rig = Rig::over(tenant, &environments);
    rig.mcp = rig.mcp.clone().header("palette-authorization-mine", &token);
    let (answer, _) = rig.counted("palette_clusters", json!({})).await;
    let data = rig.tenant.data();
    let seen = data
        .clusters
        .iter()
        .filter(|cluster| cluster.project.as_ref().is_some_and(|project| *project != refused))
        .count();
    assert_eq!(answer.structure["total"], seen);
    let gaps = answer.structure["gaps"].to_string();
    assert!(gaps.contains("project-07") && gaps.contains("403"), "{gaps}");
    assert!(rig.server.said().lines().all(|line| !line.contains(&token)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_project_answers_where_the_project_is_named_by_uid() {
    let key = fresh("key");
    let mut data = fleet();
    let project = data.projects[3].uid.clone();
    data.project_keys.insert(key.clone(), project.clone());
    let rig = Rig::with_key(data, Some(&key));
    let (answer, _) = rig.counted("palette_clusters", json!({"project": project})).await;
    assert_eq!(answer.structure["total"], 28, "25 clusters and 3 virtual ones: {}", answer.text);
    let nothing = rig.call("palette_clusters", json!({})).await;
    assert!(nothing.is_error && nothing.text.contains("403"), "{}", nothing.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_who_ask_at_once_share_one_sweep() {
    let rig = Rig::of(fleet());
    let asked = (0..8).map(|_| rig.call("palette_pack_exposure", json!({"pack": "nginx"})));
    for answer in futures::future::join_all(asked).await {
        assert!(!answer.is_error, "{}", answer.text);
    }
    assert_eq!((rig.tenant.count(), rig.tenant.answered(429)), (PAGES, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_group_is_told_with_its_settings_and_values_that_are_no_yaml_are_said() {
    let mut data = fleet();
    let group = &mut data.groups[0];
    group.values = "sync:\n  toHost:\n    ingresses: {enabled: true}\n".to_owned();
    group.limits = json!({"cpu": 4, "memoryMiB": 8192, "storageGiB": 20, "overSubscription": 150});
    let rig = Rig::of(data);
    let (list, _) = rig.counted("palette_cluster_groups", json!({})).await;
    assert_eq!(rows(&list)[0]["virtual_clusters"], 60, "{}", list.text);
    assert!(list.text.starts_with("1 cluster group with 60 virtual clusters"), "{}", list.text);
    let cores = &rows(&list)[0]["cpu_cores"];
    assert!(cores["used"].is_number() && cores["limit"].is_number(), "{}", list.structure);
    let (one, _) = rig.counted("palette_cluster_groups", json!({"cluster_group": "sandboxes"})).await;
    let details = &one.structure["details"];
    assert_eq!(details["settings"]["sync_to_host"], json!(["ingresses"]), "{}", one.text);
    assert_eq!(details["limits"]["over_subscription_percent"], 150);
    let wrong = rig.call("palette_cluster_groups", json!({"cluster_group": "sandboxs"})).await;
    assert!(wrong.is_error && wrong.text.contains("Nearest: sandboxes"), "{}", wrong.text);
    let mut data = Data::fleet(3, 1, 1, 2);
    data.groups[0].values = "planted-secret: [".to_owned();
    let rig = Rig::of(data);
    let (one, _) = rig.counted("palette_cluster_groups", json!({"cluster_group": "sandboxes"})).await;
    assert!(one.text.contains("are not YAML") && !one.text.contains("planted"), "{}", one.text);
}
