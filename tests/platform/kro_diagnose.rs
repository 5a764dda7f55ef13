//! `kro_diagnose` on a real kro: an instance made for each state, and what the first finding says of it.

mod own_kro;

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    kro_graph::reader,
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(100);
const GROUP: &str = "diagnose.test.kro.run";

/// The product on a control plane, with an audit log of its own.
struct Doctor {
    server: Server,
    mcp: Mcp,
}

impl Doctor {
    fn on(plane: &ControlPlane) -> Self {
        Self::with(&plane.kubeconfig)
    }

    fn with(kubeconfig: &std::path::Path) -> Self {
        let server = Product::new(["serve", "--http", "127.0.0.1:0"])
            .config("audit: {to: audit.log}\n")
            .kubeconfig(kubeconfig)
            .serve();
        let mcp = Mcp::new(server.url("/mcp"));
        Self { server, mcp }
    }

    async fn see(&self, kind: &str, namespace: &str, name: &str) -> ToolAnswer {
        self.mcp.call("kro_diagnose", json!({"kind": kind, "namespace": namespace, "name": name})).await
    }

    async fn rgd(&self, name: &str) -> ToolAnswer {
        self.mcp.call("kro_diagnose", json!({"kind": "rgd", "name": name})).await
    }

    /// Asks until the first finding has that code.
    async fn first(&self, [kind, namespace, name]: [&str; 3], code: &str) -> Value {
        let began = std::time::Instant::now();
        loop {
            let answer = self.see(kind, namespace, name).await;
            if !answer.is_error && first(&answer) == code {
                let line = answer.text.lines().next().unwrap_or_default().to_owned();
                let cause = answer.structure["findings"][0]["cause"].as_str().unwrap_or_default();
                assert!(line.contains(cause), "the first line is the cause: {}", answer.text);
                return answer.structure;
            }
            assert!(began.elapsed() < PATIENCE, "{kind} {name}: never {code}:\n{}", answer.text);
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    }

    /// The same of an RGD.
    async fn first_of_rgd(&self, name: &str, code: &str) -> Value {
        let began = std::time::Instant::now();
        loop {
            let answer = self.rgd(name).await;
            if !answer.is_error && first(&answer) == code {
                return answer.structure;
            }
            assert!(began.elapsed() < PATIENCE, "RGD {name}: never {code}:\n{}", answer.text);
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    }

    /// What each diagnosis took of the API server.
    fn requests(&self) -> Vec<u64> {
        let text = self.server.read("audit.log");
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of = lines.filter(|line| line["tool"] == "kro_diagnose" && line["outcome"] == "ok");
        // the first call reads discovery, which all callers share from then on
        of.filter_map(|line| line["upstream_requests"].as_u64()).skip(1).collect()
    }
}

fn first(answer: &ToolAnswer) -> &str {
    answer.structure["findings"][0]["code"].as_str().unwrap_or_default()
}

fn cause(structure: &Value) -> &str {
    structure["findings"][0]["cause"].as_str().unwrap_or_default()
}

fn codes(structure: &Value) -> Vec<&str> {
    let findings = structure["findings"].as_array().into_iter().flatten();
    findings.filter_map(|finding| finding["code"].as_str()).collect()
}

fn apply_rgd(plane: &ControlPlane, kind: &str, spec: &str, resources: &str) {
    plane.apply(&format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: {}}}\nspec:\n  schema: \
         {{apiVersion: v1alpha1, kind: {kind}, group: {GROUP}, spec: {spec}}}\n  resources:\n{resources}",
        kind.to_lowercase()
    ));
}

fn define(plane: &ControlPlane, kind: &str, spec: &str, resources: &str) {
    apply_rgd(plane, kind, spec, resources);
    let name = format!("rgd/{}", kind.to_lowercase());
    plane.kubectl(&["wait", &name, "--for=condition=Ready", "--timeout=90s"]);
}

fn instance(plane: &ControlPlane, kind: &str, namespace: &str, name: &str, spec: &str) {
    plane.apply(&format!(
        "apiVersion: {GROUP}/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    ));
}

/// ConfigMaps, a Deployment and a reference, each where the spec asks for it.
const WARD: &str = r#"
  - id: settings
    includeWhen: ["${schema.spec.external != ''}"]
    externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.spec.external}"}}
  - id: phase
    readyWhen: ["${phase.data.phase == 'done'}"]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.spec.shared == '' ? schema.metadata.name : schema.spec.shared}"}, data: {phase: "${schema.spec.phase}", extra: "${schema.spec.external}"}}
  - id: after
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-after"}, data: {of: "${phase.metadata.name}"}}
  - id: reader
    includeWhen: ["${schema.spec.read}"]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-reader"}, data: {x: "${after.data.nothing}"}}
  - id: user
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-user"}, data: {x: "${settings.data.x}"}}
  - id: web
    includeWhen: ["${schema.spec.web}"]
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: "${schema.metadata.name}"}
      spec:
        selector: {matchLabels: {app: "${schema.metadata.name}"}}
        template:
          metadata: {labels: {app: "${schema.metadata.name}"}}
          spec: {containers: [{name: app, image: nginx}]}
"#;

const WARD_SPEC: &str = "{external: 'string | default=\"\"', phase: 'string | default=done', shared: 'string | default=\"\"', \
                         read: 'boolean | default=false', web: 'boolean | default=false'}";

fn crash(plane: &ControlPlane, namespace: &str, selector: &str) {
    let pod = plane.wait_for("a Pod", PATIENCE, || {
        let pods = plane.kubectl(&["get", "pods", "-n", namespace, "-l", selector, "-o", "name"]);
        pods.lines().next().map(str::to_owned)
    });
    let status = json!({"phase": "Running", "containerStatuses": [{"name": "app", "ready": false, "restartCount": 9,
        "image": "nginx", "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}]});
    plane.patch_status(namespace, &pod, &status);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_finding_names_the_cause_in_every_state() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("ward");
    let full = plane.namespace("ward-full");
    define(plane, "Ward", WARD_SPEC, WARD);
    plane.apply(&format!(
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: few, namespace: {}}}\nspec: {{hard: {{count/configmaps: '1'}}}}\n",
        &*full
    ));
    // the ConfigMap that every namespace has takes the one place
    plane.wait_for("the quota to count", PATIENCE, || {
        let quota = plane.get(&full, "quota/few")?;
        (quota["status"]["used"]["count/configmaps"] == "1").then_some(())
    });
    for (name, spec) in [
        ("fine", "{}"),
        ("waits", "{phase: working}"),
        ("lost", "{external: nowhere}"),
        ("reads", "{read: true}"),
        ("owner", "{shared: common}"),
        ("crashes", "{web: true}"),
        ("twice", "{shared: twice-after}"),
        ("leaves", "{}"),
    ] {
        instance(plane, "Ward", &ns, name, spec);
    }
    instance(plane, "Ward", &full, "over", "{}");
    let doctor = Doctor::on(plane);
    let of = |name: &'static str| ["Ward", &*ns, name];

    // ACTIVE, with nodes that are left out
    let fine = doctor.first(of("fine"), "left-out").await;
    assert_eq!((&fine["healthy"], &fine["kro_state"]), (&json!(true), &json!("ACTIVE")), "{fine}");
    assert!(codes(&fine).contains(&"left-out-with"), "user goes with settings: {fine}");
    assert!(cause(&fine).contains("includeWhen schema.spec.external != '' is false"), "{fine}");

    // IN_PROGRESS
    let waits = doctor.first(of("waits"), "ready-when-false").await;
    assert!(cause(&waits).contains("readyWhen phase.data.phase == 'done' is false"), "{waits}");
    assert!(codes(&waits).contains(&"waits"), "{waits}");

    let lost = doctor.first(of("lost"), "external-missing").await;
    assert!(cause(&lost).contains(&format!("ConfigMap {}/nowhere", &*ns)), "{lost}");
    assert!(codes(&lost).contains(&"waits"), "{lost}");

    let reads = doctor.first(of("reads"), "data-pending").await;
    assert!(cause(&reads).contains("after.data.nothing has no value yet"), "{reads}");
    assert_eq!(reads["findings"][0]["evidence"][0], "${after.data.nothing}");

    let twice = doctor.first(of("twice"), "duplicate-object").await;
    assert!(cause(&twice).starts_with("the nodes after and phase make one"), "{twice}");

    instance(plane, "Ward", &ns, "taker", "{shared: common}");
    let taker = doctor.first(of("taker"), "applyset-conflict").await;
    assert!(cause(&taker).ends_with(&format!("another instance already: Ward/owner in {}", &*ns)), "{taker}");

    let over = doctor.first(["Ward", &full, "over"], "quota-exceeded").await;
    assert!(cause(&over).contains("ResourceQuota few"), "{over}");
    assert_eq!(over["kro_state"], "ERROR");

    crash(plane, &ns, "app=crashes");
    let crashes = doctor.first(of("crashes"), "pods-crashing").await;
    assert!(cause(&crashes).contains("1 of 1 Pods of Deployment/crashes"), "{crashes}");
    assert!(
        cause(&crashes).contains("container app: CrashLoopBackOff, exit code 3, 9 restarts"),
        "{crashes}"
    );
    assert_eq!(crashes["kro_state"], "ACTIVE", "and kro says that all is well");

    // Who may read neither Pods nor events is told so, and of the workload what it says itself.
    let rights = ["/configmaps", "apps/deployments", &format!("{GROUP}/*"), "kro.run/*"];
    let blind = Doctor::with(&reader(plane, &ns, &rights)).see("Ward", &ns, "crashes").await;
    assert_eq!(first(&blind), "child-progressing", "{}", blind.text);
    let gaps: Vec<&str> =
        blind.structure["gaps"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let pods = gaps.iter().any(|gap| gap.starts_with("Pods in ") && gap.contains("forbidden"));
    let events = gaps.iter().any(|gap| gap.starts_with("Warning events in ") && gap.contains("forbidden"));
    assert!(pods && events, "{gaps:?}");

    plane.kubectl(&["annotate", "ward/fine", "-n", &ns, "kro.run/reconcile=suspended"]);
    let suspended = doctor.first(of("fine"), "suspended").await;
    assert_eq!(suspended["state"], "suspended");

    let hold = |finalizers: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{finalizers}}}}}"#);
        plane.kubectl(&["patch", "cm/leaves-after", "-n", &ns, "--type=merge", "-p", &patch]);
    };
    plane.wait_for("the child", PATIENCE, || plane.get(&ns, "cm/leaves-after"));
    hold(r#"["test.kro.run/hold"]"#);
    plane.kubectl(&["delete", "ward/leaves", "-n", &ns, "--wait=false"]);
    let leaves = doctor.first(of("leaves"), "deletion-blocked").await;
    assert!(cause(&leaves).contains("the finalizer test.kro.run/hold keeps it"), "{leaves}");
    assert_eq!((&leaves["findings"][0]["node"], &leaves["state"]), (&json!("after"), &json!("deleting")));
    hold("null");

    // Two kinds of children at most: the instance, its RGD, a list of each, a reference or two more.
    let requests = doctor.requests();
    assert!(requests.len() > 8 && requests.iter().all(|count| *count <= 2 + 2 + 2), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rgds_that_are_refused_and_what_becomes_of_their_instances() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("clinic");
    let spec = "{size: 'string | default=a'}";
    let one = |name: &str| {
        format!(
            "\n  - id: conf\n    template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: \"{name}\"}}, data: {{a: \"${{schema.spec.size}}\"}}}}\n"
        )
    };
    define(plane, "Clinic", spec, &one("${schema.metadata.name}"));
    instance(plane, "Clinic", &ns, "one", "{}");
    // its inner instance is of a kind that is not there yet
    apply_rgd(
        plane,
        "Hospital",
        spec,
        &format!(
            "\n  - id: clinic\n    template: {{apiVersion: {GROUP}/v1alpha1, kind: Pharmacy, metadata: {{name: \"${{schema.metadata.name}}\"}}, spec: {{size: \"${{schema.spec.size}}\"}}}}\n"
        ),
    );
    // a kind that is taken
    plane.apply(&format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: clinic-too}}\nspec:\n  schema: \
         {{apiVersion: v1alpha1, kind: Clinic, group: {GROUP}, spec: {spec}}}\n  resources:{}",
        one("${schema.metadata.name}-too")
    ));
    let doctor = Doctor::on(plane);
    let taken = doctor.first_of_rgd("clinic-too", "kind-taken").await;
    assert!(cause(&taken).contains(&format!("Clinic.{GROUP} belongs to RGD clinic,")), "{taken}");
    plane.kubectl(&["delete", "rgd/clinic-too", "--wait=false"]);
    let lacks = doctor.first_of_rgd("hospital", "kind-not-served").await;
    assert!(codes(&lacks).contains(&"rgd-invalid"), "{lacks}");

    // nested, and not well under an ACTIVE parent
    define(plane, "Pharmacy", spec, "
  - id: shelf
    readyWhen: [\"${shelf.data.a == 'full'}\"]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"${schema.metadata.name}-shelf\"}, data: {a: \"${schema.spec.size}\"}}
");
    plane.kubectl(&["wait", "rgd/hospital", "--for=condition=Ready", "--timeout=90s"]);
    instance(plane, "Hospital", &ns, "big", "{}");
    let nested = doctor.first(["Hospital", &ns, "big"], "ready-when-false").await;
    assert_eq!(nested["findings"][0]["node"], "clinic/shelf", "{nested}");
    let below =
        nested["findings"].as_array().expect("findings").iter().find(|f| f["code"] == "nested-unhealthy");
    assert!(below.is_some(), "{nested}");

    // an update that is not valid: the instance goes on, and is told of
    plane.wait_for("the child", PATIENCE, || plane.get(&ns, "cm/one"));
    apply_rgd(plane, "Clinic", spec, &one("${schema.spec.nosuch}"));
    let invalid = doctor.first(["Clinic", &ns, "one"], "rgd-invalid").await;
    assert_eq!((&invalid["healthy"], &invalid["findings"][0]["weight"]), (&json!(true), &json!("warning")));
    assert!(cause(&invalid).contains("nosuch"), "{invalid}");
    let of_rgd = doctor.first_of_rgd("clinic", "rgd-invalid").await;
    assert_eq!((&of_rgd["healthy"], &of_rgd["findings"][0]["weight"]), (&json!(false), &json!("error")));

    // a change that would break what exists
    apply_rgd(
        plane,
        "Clinic",
        "{other: 'string'}",
        "\n  - id: conf\n    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: \"${schema.metadata.name}\"}}\n",
    );
    let breaking = doctor.first_of_rgd("clinic", "breaking-change").await;
    assert!(cause(&breaking).contains("size"), "{breaking}");

    // no RGD any more, and a deletion that hangs on kro's finalizer
    plane.kubectl(&["delete", "rgd/clinic"]);
    let gone = doctor.first(["Clinic", &ns, "one"], "rgd-gone").await;
    assert!(cause(&gone).contains("RGD clinic does not exist"), "{gone}");
    plane.kubectl(&["delete", "clinic/one", "-n", &ns, "--wait=false"]);
    let hangs = doctor.see("Clinic", &ns, "one").await;
    assert!(cause(&hangs.structure).contains("does not end"), "{}", hangs.text);
    // one kind, and one nested instance with one
    assert!(doctor.requests().iter().all(|count| *count <= 2 + 1 + 2 + 2), "{:?}", doctor.requests());
    define(plane, "Clinic", spec, &one("${schema.metadata.name}"));
}

/// What a caller with these permissions is told of the instance of the sample platform whose Pods crash.
async fn triage(permissions: &str) -> Value {
    let role = format!("roles: {{triage: {{allow: [{permissions}]}}}}\nlocal: {{role: triage}}\n");
    let server = Product::new(["demo", "--http", "127.0.0.1:0"]).config(&role).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let storefront = json!({"kind": "Shop", "namespace": "shop", "name": "storefront"});
    mcp.call("kro_diagnose", storefront).await.structure
}

#[tokio::test(flavor = "multi_thread")]
async fn each_class_of_evidence_needs_its_permission() {
    let gaps = |structure: &Value| structure["gaps"].as_array().map_or(0, Vec::len);
    let evidence = |structure: &Value| structure["findings"][0]["evidence"].to_string();
    let all = triage("kro.resource-graph.show, kro.resources.list, kro.resources.show-events").await;
    assert_eq!((codes(&all)[0], gaps(&all)), ("pods-crashing", 0), "{all}");
    assert!(evidence(&all).contains("BackOff ×23"), "{all}");
    let eventless = triage("kro.resource-graph.show, kro.resources.list").await;
    assert_eq!((codes(&eventless)[0], gaps(&eventless)), ("pods-crashing", 1), "{eventless}");
    assert!(!evidence(&eventless).contains("event of"), "{eventless}");
    let least = triage("kro.resource-graph.show").await;
    assert_eq!((codes(&least)[0], gaps(&least)), ("ready-when-false", 2), "{least}");
    assert!(least["gaps"].to_string().contains("it needs the permission kro.resources.list"), "{least}");
    // steps that this caller cannot take are not named
    for tool in ["kro_apply", "kro_reconcile", "kro_overview", "kro_revision_diff"] {
        assert!(!all.to_string().contains(tool), "{all}");
    }
}
