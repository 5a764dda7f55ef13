//! `kro_overview`, `kro_rgds`, `kro_instances` and `kro_resources`: lists of thousands, clusters that fail, and
//! what a real kro makes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    faulty::{Fault, Faulty},
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(90);

/// The sample platform's API, and the product over it and another that nobody answers.
struct Rig {
    upstream: Faulty,
    server: Server,
    mcp: Mcp,
}

impl Rig {
    async fn start() -> Self {
        let upstream = Faulty::start().await;
        let config = format!(
            "audit: {{to: audit.log}}\nclusters: {{static: [{{name: lab, url: \"{}\"}}, {{name: down, url: \"http://127.0.0.1:1\"}}]}}\n",
            upstream.url
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        let mcp = Mcp::new(server.url("/mcp"));
        let rig = Self { upstream, server, mcp };
        // discovery is read once, so that what is counted below are the tool's own requests
        rig.lab("kro_instances", json!({})).await;
        rig.upstream.reset();
        rig
    }

    async fn lab(&self, tool: &str, mut arguments: Value) -> ToolAnswer {
        arguments["cluster"] = json!("lab");
        self.mcp.call(tool, arguments).await
    }

    /// What the only call of a tool took of the API server, by the audit line, which may be on its way.
    fn requests(&self, tool: &str) -> u64 {
        let began = std::time::Instant::now();
        loop {
            let text = self.server.read("audit.log");
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let line = lines.find(|line| line["tool"] == tool);
            if let Some(requests) = line.and_then(|line| line["upstream_requests"].as_u64()) {
                return requests;
            }
            assert!(began.elapsed() < PATIENCE, "no audit line of {tool}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn rows(answer: &ToolAnswer) -> &[Value] {
    answer.structure["rows"].as_array().unwrap_or_else(|| panic!("no rows: {}", answer.text))
}

fn first(answer: &ToolAnswer) -> &str {
    answer.text.lines().next().unwrap_or_default()
}

fn gaps(answer: &ToolAnswer) -> String {
    let gaps = answer.structure["gaps"].as_array().into_iter().flatten();
    gaps.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_instances_are_a_page_of_three_thousand_tokens_and_little_memory() {
    let rig = Rig::start().await;
    let with = async |count: usize| {
        rig.upstream.reset();
        rig.upstream.when("/webservices", Fault::Instances(count));
        let mut page = rig.lab("kro_instances", json!({})).await;
        for _ in 0..4 {
            page = rig.lab("kro_instances", json!({})).await;
            rig.lab("kro_overview", json!({})).await;
        }
        (page, rig.server.resident_kib())
    };
    let (_, few) = with(200).await;
    let (page, many) = with(2_000).await;
    let (text, structure) = (page.text.len(), page.structure.to_string().len());
    eprintln!("first page: {text} bytes of text, {structure} of structure; RSS {few} KiB, then {many} KiB");
    assert!(text <= 12_000 && structure <= 12_000, "{text} and {structure}");
    // a page as it comes is some 1.6 MiB, and the allocator keeps one in the arena of each thread
    assert!(many < few + 24 * 1024, "from {few} to {many} KiB");
    assert_eq!(page.structure["total"], 2_020, "{}", first(&page));
    assert!(first(&page).starts_with("2020 instances of 8 RGDs: 20 failing, "), "{}", first(&page));
    assert_eq!(rows(&page)[0]["state"], "failing", "the worst first");

    let mut names = std::collections::BTreeSet::new();
    let mut cursor = Value::Null;
    loop {
        let mut asked = json!({"kind": "WebService", "limit": 1000});
        asked["cursor"] = cursor;
        let page = rig.lab("kro_instances", asked).await;
        assert!(page.text.len() <= 100_000 && page.structure.to_string().len() <= 100_000);
        names.extend(rows(&page).iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()));
        cursor = page.structure["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(names.len(), 2_000, "every page together");

    for (filter, total) in [
        (json!({"labels": "tier in (t1)"}), 667),
        (json!({"labels": "tier notin (t1,t0)", "state": "failing"}), 7),
        (json!({"older": "1h"}), 2_000),
    ] {
        let mut asked = filter.clone();
        asked["kind"] = json!("WebService");
        let answer = rig.lab("kro_instances", asked).await;
        assert_eq!(answer.structure["total"], total, "{filter}");
    }
    let none = rig.lab("kro_instances", json!({"kind": "WebService", "newer": "1h"})).await;
    assert!(first(&none).starts_with("none of 2000 instances fits"), "{}", none.text);
    let counted = rig.lab("kro_rgds", json!({"search": "webservice"})).await;
    assert_eq!(rows(&counted)[0]["instances"], 2_000, "{}", counted.text);
    assert_eq!(rig.requests("kro_rgds"), 2, "one for the RGDs, one for the number");

    // the list goes stale again and again while it is read
    rig.upstream.reset();
    rig.upstream.when("continue=", Fault::Answer(410, "{}")).when("/webservices", Fault::Instances(2_000));
    let stale = rig.lab("kro_instances", json!({"kind": "WebService"})).await;
    assert_eq!((&stale.structure["total"], &stale.structure["partial"]), (&json!(500), &json!(true)));
    assert!(
        gaps(&stale).contains("only the first 500 were read") && gaps(&stale).contains("410"),
        "{}",
        gaps(&stale)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_takes_one_request_a_kind_and_two_more() {
    let rig = Rig::start().await;
    let rgds = rig.lab("kro_rgds", json!({})).await;
    let kinds = rows(&rgds).iter().filter(|row| !row["instances"].is_null()).count() as u64;
    let overview = rig.lab("kro_overview", json!({})).await;
    assert_eq!(rig.requests("kro_overview"), 2 + kinds, "{}", overview.text);
    assert_eq!(overview.structure["instances"]["failing"], 1);
    assert_eq!(overview.structure["broken"][0]["name"], "invoices", "{}", overview.text);
    let listed = rig.lab("kro_instances", json!({})).await;
    let sum: u64 =
        overview.structure["instances"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(listed.structure["total"], sum);
    assert_eq!(overview.structure["rgds"][0]["name"], "cache", "{}", overview.text);

    // one that does not answer is a gap, unless it is the only one
    let all = rig.mcp.call("kro_overview", json!({"cluster": "*"})).await;
    assert!(!all.is_error && first(&all).starts_with("2 clusters: 29 instances"), "{}", all.text);
    assert!(first(&all).contains("1 of 2 clusters could not be asked"), "{}", all.text);
    assert!(gaps(&all).contains("cluster down: "), "{}", gaps(&all));
    assert_eq!(all.structure["broken"][0]["cluster"], "lab");
    let instances = rig.mcp.call("kro_instances", json!({"cluster": "*", "kind": "Shop"})).await;
    assert!(
        !instances.is_error && rows(&instances).iter().all(|row| row["cluster"] == "lab"),
        "{}",
        instances.text
    );
    let down = rig.mcp.call("kro_overview", json!({"cluster": "down"})).await;
    assert!(down.is_error && down.text.contains("cannot reach the cluster"), "{}", down.text);

    for (path, fault, said) in [
        (
            "/webservices",
            Fault::Answer(403, r#"{"kind":"Status","message":"webservices is forbidden"}"#),
            "forbidden",
        ),
        (
            "/webservices",
            Fault::Answer(404, r#"{"kind":"Status","message":"gone meanwhile"}"#),
            "gone meanwhile",
        ),
        (
            "/customresourcedefinitions",
            Fault::Answer(403, r#"{"kind":"Status","message":"no"}"#),
            "whose RGD is gone",
        ),
    ] {
        rig.upstream.reset();
        rig.upstream.when(path, fault);
        let partial = rig.lab("kro_overview", json!({})).await;
        assert!(!partial.is_error && gaps(&partial).contains(said), "{path}: {}", partial.text);
        assert!(
            partial.structure["instances"]["ready"].as_u64() > Some(5),
            "the rest is there: {}",
            partial.text
        );
    }
    rig.upstream.reset();
    rig.upstream.when("/webservices", Fault::Answer(403, r#"{"kind":"Status","message":"no"}"#));
    let uncounted = rig.lab("kro_rgds", json!({"search": "webservice"})).await;
    assert!(rows(&uncounted)[0]["instances"].is_null(), "{}", uncounted.text);
    assert!(gaps(&uncounted).contains("forbidden by the cluster to count: WebService"), "{}", uncounted.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_counted_that_the_caller_may_not_see() {
    let upstream = Faulty::start().await;
    let rules = json!([
        {"name": "counts", "when": {"set": "counts"}, "allow": ["kro.rgds.list"]},
        {"name": "its instances", "when": {"set": "counts"}, "allow": ["kro.instances.list", "kro.overview.view"],
         "within": {"namespaces": ["shop"]}},
        {"name": "names", "when": {"set": "names"}, "allow": ["kro.rgds.list"]},
        {"name": "sums", "when": {"set": "sums"}, "allow": ["kro.overview.view"], "within": {"namespaces": ["shop"]}},
    ]);
    let config = format!(
        "clusters: {{static: [{{name: lab, url: \"{}\", token: sample}}]}}\nissuers: [{}]\n",
        upstream.url,
        Provider::shared().entry(&rules.to_string())
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let client = |set: &str| {
        let forge = Provider::shared().forge();
        let mut claims = forge.claims("alice");
        claims["sub"] = json!(format!("somebody of {set}"));
        claims["set"] = json!(set);
        Mcp::with_token(server.url("/mcp"), &forge.claiming(&claims))
    };
    let counts = client("counts");
    let theirs = counts.call("kro_instances", json!({})).await;
    let rgds = counts.call("kro_rgds", json!({})).await;
    for row in rows(&rgds) {
        let of = rows(&theirs).iter().filter(|instance| instance["rgd"] == row["name"]).count();
        assert_eq!(
            row["instances"].as_u64().unwrap_or_default(),
            of as u64,
            "{}: {}",
            row["name"],
            rgds.text
        );
    }
    assert!(gaps(&rgds).contains("in the namespaces that you may see"), "{}", rgds.text);
    let overview = counts.call("kro_overview", json!({})).await;
    let sum: u64 =
        overview.structure["instances"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(theirs.structure["total"], sum, "{}", overview.text);

    let names = client("names").call("kro_rgds", json!({})).await;
    assert!(rows(&names).iter().all(|row| row["instances"].is_null()), "{}", names.text);
    assert!(gaps(&names).contains("needs kro.instances.list"), "{}", names.text);

    let sums = client("sums").call("kro_overview", json!({})).await;
    assert!(!sums.is_error && sums.structure["rgds"].is_null(), "who may not list RGDs: {}", sums.text);
    for elsewhere in ["payments", "media", "insights", "Team", "Report", "cache", "stream"] {
        assert!(!sums.text.contains(elsewhere), "{elsewhere}: {}", sums.text);
        assert!(!sums.structure.to_string().contains(elsewhere), "{elsewhere}: {}", sums.structure);
    }
}

const DEPOT: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: depot}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Depot
    group: inventory.test.kro.run
    spec: {bays: '[]string', phase: 'string | default=open'}
    status:
      conditions:
        - "${runtime.newCondition({type: 'Stocked', status: schema.spec.phase == 'open' ? 'True' : 'False', reason: 'Author', message: ''})}"
  resources:
    - id: bays
      forEach: [{bay: "${schema.spec.bays}"}]
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-bay-${bay}"}, data: {a: b}}
    - id: one
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-one"}, data: {phase: "${schema.spec.phase}"}}
    - id: two
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-two"}, data: {a: b}}
    - id: three
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-three"}, data: {a: b}}
    - id: four
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${one.metadata.name}-four"}, data: {a: b}}
    - id: five
      readyWhen: ["${five.data.phase == 'open'}"]
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-five"}, data: {phase: "${schema.spec.phase}"}}
    - id: goods
      template:
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: goods.depot.test}
        spec:
          group: depot.test
          scope: Namespaced
          names: {plural: goods, singular: good, kind: Good}
          versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"#;

const YARD: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: yard}
spec:
  schema: {apiVersion: v1alpha1, kind: Yard, group: inventory.test.kro.run, scope: Cluster, spec: {home: string}}
  resources:
    - id: sign
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-sign", namespace: "${schema.spec.home}"}, data: {a: b}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_real_kro_makes_is_in_the_rows_as_it_is() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("depot");
    plane.apply(DEPOT);
    plane.apply(YARD);
    plane.kubectl(&["wait", "rgd/depot", "rgd/yard", "--for=condition=Ready", "--timeout=90s"]);
    let bays: Vec<String> = (0..25).map(|bay| format!("b{bay}")).collect();
    plane.apply(&format!(
        "apiVersion: inventory.test.kro.run/v1alpha1\nkind: Depot\nmetadata: {{name: main, namespace: {ns}, labels: {{tier: gold}}}}\n\
         spec: {{bays: [{}]}}\n---\napiVersion: inventory.test.kro.run/v1alpha1\nkind: Yard\nmetadata: {{name: {ns}}}\nspec: {{home: {ns}}}\n",
        bays.join(", "),
        ns = &*ns
    ));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).kubeconfig(&plane.kubeconfig).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let until = async |tool: &str, arguments: Value, what: &str, wanted: &dyn Fn(&ToolAnswer) -> bool| {
        let began = std::time::Instant::now();
        loop {
            let answer = mcp.call(tool, arguments.clone()).await;
            if !answer.is_error && wanted(&answer) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "{tool} {arguments}: never {what}:\n{}", answer.text);
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    };
    let depot = json!({"kind": "Depot", "namespace": &*ns, "name": "main"});
    let with = |more: Value| {
        let mut asked = depot.clone();
        asked.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        asked
    };

    // no Ready, since the author declares conditions: kro's state decides
    let whole =
        until("kro_resources", depot.clone(), "ready", &|answer| answer.structure["state"] == "ready").await;
    assert_eq!(whole.structure["total"], 31, "{}", whole.text);
    assert!(
        rows(&whole).iter().all(|row| row["state"] == "ready" && row["age"].is_string()),
        "{}",
        whole.text
    );
    let of = |answer: &ToolAnswer, id: &str| rows(answer).iter().find(|row| row["id"] == id).cloned();
    assert_eq!(of(&whole, "bays[main-bay-b24]").map(|row| row["name"].clone()), Some(json!("main-bay-b24")));
    assert_eq!(of(&whole, "four").map(|row| row["name"].clone()), Some(json!("main-one-four")));
    let crds = mcp.call("kro_resources", with(json!({"child_kind": "customresourcedefinition"}))).await;
    assert_eq!((rows(&crds).len(), &rows(&crds)[0]["id"]), (1, &json!("goods")), "{}", crds.text);
    let wrong = mcp.call("kro_resources", with(json!({"child_kind": "ConfigMaps"}))).await;
    assert!(wrong.is_error && wrong.text.contains("Possible: ConfigMap"), "{}", wrong.text);
    let paged = mcp.call("kro_resources", with(json!({"limit": 10}))).await;
    assert_eq!((rows(&paged).len(), &paged.structure["total"]), (10, &json!(31)));
    assert!(paged.structure["next_cursor"].is_string());

    plane.kubectl(&["patch", "depot/main", "-n", &ns, "--type=merge", "-p", r#"{"spec":{"phase":"shut"}}"#]);
    let shut = until("kro_resources", with(json!({"state": "abnormal"})), "shut", &|answer| {
        answer.structure["rows"][0]["id"] == "five"
    })
    .await;
    assert_eq!((rows(&shut).len(), &rows(&shut)[0]["state"]), (1, &json!("progressing")), "{}", shut.text);
    let listed = async |arguments: Value| mcp.call("kro_instances", arguments).await;
    let gold = listed(json!({"kind": "Depot", "labels": "tier=gold", "newer": "1h"})).await;
    assert_eq!(gold.structure["total"], 1, "{}", gold.text);
    assert_eq!(rows(&gold)[0]["state"], "progressing", "{}", gold.text);
    assert_eq!(listed(json!({"kind": "Depot", "labels": "tier!=gold"})).await.structure["total"], 0);
    assert_eq!(listed(json!({"kind": "Depot", "older": "1h"})).await.structure["total"], 0);

    let yard = until("kro_resources", json!({"kind": "Yard", "name": &*ns}), "made", &|answer| {
        answer.structure["rows"][0]["state"] == "ready"
    })
    .await;
    assert_eq!(rows(&yard)[0]["namespace"], *ns, "{}", yard.text);
    let rgds = mcp.call("kro_rgds", json!({"search": "inventory.test"})).await;
    assert_eq!(rgds.structure["total"], 2, "{}", rgds.text);
    let row = |name: &str| rows(&rgds).iter().find(|row| row["name"] == name).cloned().expect(name);
    assert_eq!((&row("yard")["cluster_scoped"], &row("yard")["instances"]), (&json!(true), &json!(1)));
    assert_eq!((&row("depot")["nodes"], &row("depot")["revision"]), (&json!(7), &json!(1)), "{}", rgds.text);

    // its kind and the instance stay, and nothing looks after them
    plane.kubectl(&["delete", "rgd/yard"]);
    let gone = until("kro_instances", json!({"kind": "Yard"}), "without its RGD", &|answer| {
        answer.structure["rows"][0]["state"] == "failing"
    })
    .await;
    let reason = rows(&gone)[0]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("its RGD yard does not exist"), "{}", gone.text);
    let overview = mcp.call("kro_overview", json!({})).await;
    let broken = overview.structure["broken"].as_array().expect("broken");
    assert!(broken.iter().any(|row| row["kind"] == "Yard"), "{}", overview.text);
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    plane.kubectl(&["patch", "yard", &ns, "--type=merge", "-p", patch]);
    plane.kubectl(&["delete", "crd/yards.inventory.test.kro.run", "--wait=false"]);
}
