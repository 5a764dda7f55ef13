//! Profiles, who uses them, and drift, through the HTTP door: the answers, and the requests they cost.

use std::collections::{BTreeMap, BTreeSet};

use platform_mcp::demo::palette::{
    Attached, Data, Failure, Fault, Manifest, Pack, Profile, Tenant, Variable,
};
use serde_json::{Value, json};

use crate::{
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    palette,
    server::{Product, Server},
};

/// A tenant, and the server over it.
struct Rig {
    server: Server,
    tenant: palette::Tenant,
}

impl Rig {
    fn start(data: Data) -> Self {
        let palette = palette::Palette::shared();
        let tenant = palette.tenant(data);
        let rules = json!([
            {"name": "all", "when": {"team": "all"}, "allow": ["spectrocloud.*"]},
            {"name": "viewer", "when": {"team": "viewer"},
             "allow": ["spectrocloud.cluster.view-info", "spectrocloud.profile.*"]},
            {"name": "values", "when": {"team": "values"},
             "allow": ["spectrocloud.cluster.view-info", "spectrocloud.profile.*", "spectrocloud.cluster.view-pack-values"]},
            {"name": "manifests", "when": {"team": "manifests"},
             "allow": ["spectrocloud.cluster.view-info", "spectrocloud.profile.*", "spectrocloud.cluster.view-pack-manifests"]},
            {"name": "one", "when": {"team": "one"}, "allow": ["spectrocloud.*"], "within": {"projects": ["project-00"]}},
        ]);
        let issuer = Provider::shared().entry(&rules.to_string());
        let config = format!("audit: {{to: 'off'}}\nissuers: [{issuer}]\n{}", palette.config(&tenant));
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        tenant.forget();
        Self { server, tenant }
    }

    fn client(&self, team: &str) -> Mcp {
        let forge = Provider::shared().forge();
        let mut claims = forge.claims("alice");
        claims["sub"] = json!(format!("of {team}"));
        claims["team"] = json!(team);
        Mcp::with_token(self.server.url("/mcp"), &forge.claiming(&claims))
    }

    async fn call(&self, team: &str, tool: &str, arguments: Value) -> ToolAnswer {
        self.client(team).call(tool, arguments).await
    }

    /// The answer, and how many requests it cost.
    async fn counted(&self, tool: &str, arguments: Value) -> (ToolAnswer, u64) {
        let before = self.tenant.count();
        let answer = self.call("all", tool, arguments).await;
        (answer, self.tenant.count() - before)
    }
}

/// Text and structure: what a model may be shown.
fn all_of(answer: &ToolAnswer) -> String {
    format!("{}\n{}", answer.text, answer.structure)
}

fn names(answer: &ToolAnswer) -> BTreeSet<String> {
    let rows = answer.structure["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

/// Who is on each version of a profile, by the data.
fn users(tenant: &Tenant, profile: usize) -> BTreeMap<String, BTreeSet<String>> {
    let data = tenant.data();
    let versions = data.profiles[profile].versions.iter();
    versions
        .map(|version| {
            let on = data
                .clusters
                .iter()
                .filter(|cluster| cluster.profiles.iter().any(|attached| attached.version == version.uid));
            (version.version.clone(), on.map(|cluster| cluster.uid.clone()).collect())
        })
        .collect()
}

fn found(answer: &ToolAnswer) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for row in answer.structure["rows"].as_array().expect("rows") {
        let text = |name: &str| row[name].as_str().expect("text").to_owned();
        if row["kind"] == "cluster" || row["kind"] == "virtual_cluster" {
            found.entry(text("version")).or_default().insert(text("uid"));
        }
    }
    found
}

fn without_empty(users: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    users.into_iter().filter(|(_, users)| !users.is_empty()).collect()
}

#[tokio::test]
async fn the_reverse_lookup_finds_every_version_virtual_clusters_and_groups_in_a_few_requests() {
    let rig = Rig::start(Data::fleet(500, 60, 20, 150));
    let data = rig.tenant.data();
    // one of which several versions are in use
    let several = |profile: &usize| without_empty(users(&rig.tenant, *profile)).len() > 1;
    let number = (2..data.profiles.len()).find(several).expect("one is on an older version");
    let (profile, version) = (&data.profiles[number], &data.profiles[number].versions[2]);
    let arguments = json!({"profile": version.uid, "groups": false, "limit": 1000});
    let (answer, requests) = rig.counted("palette_profile_clusters", arguments).await;
    assert_eq!(requests, 1, "{:?}", rig.tenant.requests());
    assert_eq!(found(&answer).get("1.10.0"), users(&rig.tenant, number).get("1.10.0"), "{}", answer.text);

    let arguments = json!({"profile": profile.name, "limit": 1000});
    let (answer, requests) = rig.counted("palette_profile_clusters", arguments).await;
    assert_eq!(found(&answer), without_empty(users(&rig.tenant, number)), "{}", answer.text);
    // the name, and whether projects may have it too; the versions; the groups; what is virtual, and projects' names
    assert!(requests <= 2 + 3 + 1 + 1, "{requests}: {:?}", rig.tenant.requests());

    for row in answer.structure["rows"].as_array().expect("rows") {
        let cluster = data.clusters.iter().find(|cluster| row["uid"] == cluster.uid.as_str());
        let Some(cluster) = cluster else { continue };
        let kind = if cluster.virtual_cluster.is_some() { "virtual_cluster" } else { "cluster" };
        let project = data.projects.iter().find(|project| cluster.project.as_ref() == Some(&project.uid));
        assert_eq!(row["kind"], kind, "{row}");
        assert_eq!(row["project"].as_str(), project.map(|project| project.name.as_str()), "{row}");
    }

    let of_group = data.version(&data.groups[0].profiles[0]).expect("a version").0;
    let arguments = json!({"profile": format!("demo/{}/{}", "project-00", of_group.name), "limit": 1000});
    let answer = rig.call("all", "palette_profile_clusters", arguments).await;
    assert!(answer.text.contains("sandboxes"), "{}", answer.text);
    assert!(all_of(&answer).contains("virtual-"), "{}", answer.text);
}

#[tokio::test]
async fn one_name_in_two_scopes_is_settled_by_its_place_and_never_guessed() {
    for tenant_profiles_only in [false, true] {
        let rig = Rig::start(Data { tenant_profiles_only, ..Data::fleet(40, 2, 3, 4) });
        let answer = rig.call("all", "palette_profile_packs", json!({"profile": "web"})).await;
        assert!(answer.is_error, "{}", answer.text);
        for candidate in ["demo/tenant/web", "demo/project-00/web"] {
            assert!(answer.text.contains(candidate), "{candidate}: {}", answer.text);
        }
        let scope = |answer: &ToolAnswer| answer.structure["scope"].clone();
        for (arguments, expected) in [
            (json!({"profile": "web", "project": "project-00"}), "project-00"),
            (json!({"profile": "demo/project-00/web"}), "project-00"),
            (json!({"profile": "demo/tenant/web@1.9.0"}), "tenant"),
            (json!({"profile": rig.tenant.data().profiles[0].versions[0].uid}), "tenant"),
        ] {
            let answer = rig.call("all", "palette_profile_packs", arguments.clone()).await;
            assert_eq!(scope(&answer), expected, "{arguments}: {}", answer.text);
        }
        // a uid of a project's profile is refused in the tenant's scope
        let uid = rig.tenant.data().profiles[1].versions[0].uid.clone();
        let answer = rig.call("all", "palette_profile_variables", json!({"profile": uid})).await;
        assert!(!answer.is_error, "{}", answer.text);
    }
}

#[tokio::test]
async fn profiles_are_a_row_each_whether_or_not_palette_lists_versions_or_projects() {
    for (one_row_per_profile, tenant_profiles_only) in [(false, false), (true, false), (false, true)] {
        let rig = Rig::start(Data { one_row_per_profile, tenant_profiles_only, ..Data::fleet(30, 2, 3, 60) });
        let answer = rig.call("all", "palette_profiles", json!({"limit": 1000})).await;
        assert_eq!(answer.structure["total"], 60, "{}", answer.text);
        let row = &answer.structure["rows"][0];
        assert_eq!(row["versions"].as_array().map(Vec::len), Some(3), "{row}");
        assert_eq!(row["latest"], "1.10.0", "{row}");
        let answer =
            rig.call("all", "palette_profiles", json!({"names": ["FILE-01"], "profile_type": "infra"})).await;
        assert_eq!(
            names(&answer),
            ["profile-010", "profile-015"].map(str::to_owned).into(),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn who_is_bound_to_a_project_sees_its_users_alone() {
    let rig = Rig::start(Data::fleet(60, 4, 3, 4));
    let data = rig.tenant.data();
    let project = &data.projects[0].uid;
    let own: BTreeSet<String> = data
        .clusters
        .iter()
        .filter(|cluster| cluster.project.as_ref() == Some(project))
        .map(|cluster| cluster.uid.clone())
        .collect();
    let arguments = json!({"profile": "profile-003", "limit": 1000});
    let answer = rig.call("one", "palette_profile_clusters", arguments).await;
    let shown: BTreeSet<String> = found(&answer).into_values().flatten().collect();
    assert!(!shown.is_empty() && shown.is_subset(&own), "{}", answer.text);
    let counted: u64 = answer.structure["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .filter_map(|version| version["clusters"].as_u64())
        .sum();
    assert_eq!(counted, shown.len() as u64, "counts are of what is seen: {}", answer.text);
    assert!(!all_of(&answer).contains("project-01"), "{}", answer.text);
    // the project's own profile, and none of the tenant's
    let answer = rig.call("one", "palette_profiles", json!({})).await;
    assert_eq!((answer.structure["total"].as_u64(), names(&answer)), (Some(1), ["web".to_owned()].into()));
    // one that is not there, and one that may not be seen
    let words = |answer: ToolAnswer| answer.text.replace("profile-003", "X").replace("profile-999", "X");
    let hidden = rig.call("one", "palette_profile_packs", json!({"profile": "profile-003"})).await;
    let missing = rig.call("one", "palette_profile_packs", json!({"profile": "profile-999"})).await;
    assert!(hidden.is_error);
    let told = "need spectrocloud.profile.view-info outside of projects";
    assert!(hidden.text.contains("\"profile-003\" that you may see"), "{}", hidden.text);
    assert!(hidden.text.contains(told), "{}", hidden.text);
    assert_eq!(words(hidden), words(missing));
    let missing = rig.call("all", "palette_profile_packs", json!({"profile": "profile-999"})).await;
    assert!(missing.is_error && !missing.text.contains("outside of projects"), "{}", missing.text);
}

/// A profile with every kind of text that may hold a secret, and a cluster that overrides some of it.
fn drifted() -> Data {
    let mut data = Data::fleet(1, 0, 1, 0);
    let manifest = Manifest::new(
        "secrets",
        "# planted-comment-7f3a\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {any: planted-own-19ab}\n---\n\
         kind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: fast}\n",
    );
    let mut values = Pack::new(
        "addon",
        "app",
        "1.2.0",
        "# planted-comment-2c1d\nreplicas: 1\nadminPassword: planted-old-55e0\nextra: |\n  token: planted-inner-8d2f\n  size: 1\n",
    );
    values.manifests.push(manifest);
    let odd =
        Pack::new("addon", "odd", "1.0.0", "port: {{ .spectro.var.port }}\n\tpassword: planted-odd-77aa\n");
    let same = Pack::new("cni", "cni-calico", "3.27.0", "a: 1\n");
    let newer = Pack {
        values: values.values.replace("replicas: 1", "replicas: 3"),
        tag: "1.3.0".into(),
        ..values.clone()
    };
    let mut profile = Profile::new("app", None)
        .with("1.0.0", vec![same.clone(), values, odd.clone()])
        .with("1.1.0", vec![same, newer, Pack::new("addon", "added", "0.1.0", "")]);
    profile.versions[0].variables = vec![
        Variable {
            name: "size".into(),
            default_value: "small".into(),
            required: true,
            ..Variable::default()
        },
        Variable {
            name: "key".into(),
            default_value: "planted-default-31cc".into(),
            sensitive: true,
            ..Variable::default()
        },
    ];
    let mut attached = Attached::new(&profile.versions[0].uid);
    attached.values.insert(
        "app".into(),
        "replicas: 5\nadminPassword: planted-new-91bd\nextra: |\n  token: planted-inner-0e4c\n  size: 2\n"
            .into(),
    );
    attached.manifests.insert(
        "secrets".into(),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {any: planted-own-66fe}\n---\nkind: ConfigMap\n\
         metadata: {name: settings}\ndata: {mode: slow}\n"
            .into(),
    );
    data.profiles.push(profile);
    data.clusters[0].profiles = vec![attached];
    data
}

#[tokio::test]
async fn drift_is_shown_field_by_field_and_secrets_are_not() {
    let rig = Rig::start(drifted());
    let (answer, requests) = rig.counted("palette_drift", json!({"cluster": "web"})).await;
    assert!(!answer.is_error, "{}", answer.text);
    for line in
        ["1 of 3 packs differ", "app@1.0.0", "~ replicas: 1 → 5", "~ extra.size: 1 → 2", "mode: fast → slow"]
    {
        assert!(answer.text.contains(line), "{line}: {}", answer.text);
    }
    assert!(answer.text.contains("~ adminPassword: <redacted> → <redacted>"), "{}", answer.text);
    // one to find the cluster by its name
    assert!(requests <= 1 + 2 + 1, "{requests}: {:?}", rig.tenant.requests());
    // who may not see manifests is told that they differ
    let answer = rig.call("values", "palette_drift", json!({"cluster": "web"})).await;
    assert!(answer.text.contains("~ manifest secrets") && !answer.text.contains("fast"), "{}", answer.text);
    assert!(answer.text.contains("partial: manifests are only said to differ"), "{}", answer.text);
}

#[tokio::test]
async fn no_tool_tells_a_planted_secret() {
    let rig = Rig::start(drifted());
    let data = rig.tenant.data();
    let manifest = &data.profiles[0].versions[0].packs[1].manifests[0].uid;
    for (tool, arguments) in [
        ("palette_drift", json!({"cluster": "web"})),
        ("palette_drift", json!({"cluster": "web", "pack": "app"})),
        ("palette_profile_packs", json!({"profile": "app@1.0.0", "values": true})),
        ("palette_cluster_profiles", json!({"cluster": "web", "values": true})),
        ("palette_profile_variables", json!({"profile": "app@1.0.0"})),
        ("palette_profile_diff", json!({"profile": "app"})),
        ("palette_pack_manifest", json!({"cluster": "web", "manifest": manifest})),
        ("palette_pack_manifest", json!({"cluster": "web", "pack": "app"})),
        ("palette_pack_manifest", json!({"profile": "app@1.0.0", "pack": "app"})),
        ("palette_pack_manifest", json!({"profile": "app@1.0.0", "pack": "odd"})),
        ("palette_profiles", json!({})),
    ] {
        let answer = rig.call("all", tool, arguments.clone()).await;
        assert!(!answer.is_error, "{tool} {arguments}: {}", answer.text);
        assert!(!all_of(&answer).contains("planted"), "{tool} {arguments}: {}", all_of(&answer));
    }
}

#[tokio::test]
async fn values_and_manifests_each_have_their_own_permission() {
    let rig = Rig::start(drifted());
    let pack = json!({"cluster": "web", "pack": "app"});
    let values = rig.call("values", "palette_pack_manifest", pack.clone()).await;
    assert!(values.text.contains("replicas: 5") && !values.text.contains("mode:"), "{}", values.text);
    assert!(values.text.contains("spectrocloud.cluster.view-pack-manifests"), "{}", values.text);
    let manifests = rig.call("manifests", "palette_pack_manifest", pack).await;
    assert!(
        manifests.text.contains("mode: slow") && !manifests.text.contains("replicas"),
        "{}",
        manifests.text
    );
    assert!(manifests.text.contains("spectrocloud.cluster.view-pack-values"), "{}", manifests.text);
    for (tool, arguments) in [
        ("palette_profile_packs", json!({"profile": "app@1.0.0", "values": true})),
        ("palette_cluster_profiles", json!({"cluster": "web", "values": true})),
        ("palette_profile_diff", json!({"profile": "app"})),
    ] {
        let answer = rig.call("viewer", tool, arguments).await;
        assert!(!answer.is_error && !answer.text.contains("replicas"), "{tool}: {}", answer.text);
        assert!(answer.text.contains("spectrocloud.cluster.view-pack-values"), "{tool}: {}", answer.text);
    }
}

#[tokio::test]
async fn two_versions_differ_in_packs_versions_values_and_variables() {
    let rig = Rig::start(drifted());
    let answer = rig.call("all", "palette_profile_diff", json!({"profile": "app", "from": "1.0.0"})).await;
    for line in [
        "app@1.0.0 → app@1.1.0: 1 pack added, 1 removed, 1 changed (1 in version, 1 in values or manifests); 2 variables differ",
        "+ added (addon) 0.1.0",
        "- odd (addon) 1.0.0",
        "1.2.0 → 1.3.0",
        "~ replicas: 1 → 3",
        "  - size\n    - default: small\n",
        "    - required: true",
        "  - key\n    - default: <redacted>\n    - format: string\n",
        "    - sensitive: true",
    ] {
        assert!(answer.text.contains(line), "{line}: {}", answer.text);
    }
    let answer = rig.call("viewer", "palette_profile_diff", json!({"profile": "app"})).await;
    assert!(answer.text.contains("in manifests, values not compared); "), "{}", answer.text);
    assert!(!answer.text.contains("in values"), "{}", answer.text);
    let answer = rig.call("all", "palette_profile_diff", json!({"profile": "app", "from": "9.9.9"})).await;
    assert!(answer.is_error && answer.text.contains("1.1.0"), "{}", answer.text);
}

#[tokio::test]
async fn a_profile_of_three_hundred_packs_keeps_the_budget_and_says_how_to_ask_for_one() {
    let mut data = Data::fleet(1, 0, 1, 0);
    let values = |number: usize| -> String {
        (0..150)
            .map(|line| format!("key{line}: value {number} of a text that is some forty bytes long\n"))
            .collect()
    };
    let packs: Vec<Pack> = (0..300)
        .map(|number| Pack::new("addon", &format!("pack-{number:03}"), "1.0.0", &values(number)))
        .collect();
    let bytes: usize = packs.iter().map(|pack| pack.values.len()).sum();
    assert!(bytes > 2_000_000, "{bytes}");
    data.profiles.push(Profile::new("large", None).with("1.0.0", packs));
    let rig = Rig::start(data);
    let mut arguments = json!({"profile": "large", "values": true});
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let answer = rig.call("all", "palette_profile_packs", arguments.clone()).await;
        let structure = answer.structure.to_string();
        assert!(
            answer.text.len() <= 24_000 && structure.len() <= 24_000,
            "{} {}",
            answer.text.len(),
            structure.len()
        );
        assert_eq!(answer.structure["total"], 300);
        assert!(answer.text.contains("name one with pack"), "{}", answer.text);
        let before = seen.len();
        seen.extend(names(&answer));
        assert!(seen.len() > before, "each page goes on");
        arguments["cursor"] = answer.structure["next_cursor"].clone();
    }
    let answer = rig
        .call("all", "palette_profile_packs", json!({"profile": "large", "pack": "pack-299", "values": true}))
        .await;
    assert!(answer.text.contains("key149: value 299"), "{}", answer.text);
}

#[tokio::test]
async fn what_could_not_be_read_is_said_beside_what_was() {
    let rig = Rig::start(Data::fleet(60, 4, 3, 4));
    let broken = Failure::Coded(500, "Broken".into(), "broken".into());
    rig.tenant.fail(Fault::at("GET /v1/clustergroups/hostCluster", broken.clone()));
    let answer = rig.call("all", "palette_profile_clusters", json!({"profile": "profile-003"})).await;
    assert!(!answer.is_error && answer.text.contains("partial: cluster groups:"), "{}", answer.text);
    rig.tenant.heal();
    rig.tenant.fail(Fault::at("GET /v1/clusterprofiles/{uid}/packs", Failure::Html(502)));
    let answer = rig.call("all", "palette_profile_packs", json!({"profile": "profile-003"})).await;
    assert!(!answer.is_error && answer.text.contains("partial: end of life of packs:"), "{}", answer.text);
}
