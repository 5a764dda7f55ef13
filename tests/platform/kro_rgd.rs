//! `kro_rgd` and `kro_revision_diff` on a real kro: an RGD that grows, is refused, and is seen by people
//! with fewer rights; and the example of an instance, taken by a real API server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(90);
const GROUP: &str = "revision.test.kro.run";

fn serve(kubeconfig: &std::path::Path) -> (Server, Mcp) {
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).kubeconfig(kubeconfig).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

async fn rgd(mcp: &Mcp, name: &str) -> ToolAnswer {
    mcp.call("kro_rgd", json!({"name": name})).await
}

/// Asks until the RGD is as wanted; kro takes its time.
async fn until(mcp: &Mcp, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> ToolAnswer {
    let began = std::time::Instant::now();
    loop {
        let answer = rgd(mcp, name).await;
        if !answer.is_error && wanted(&answer.structure) {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{name}: never {what}:\n{}", answer.text);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn by<'v>(rows: &'v Value, key: &str, value: &str) -> &'v Value {
    let all = rows.as_array().into_iter().flatten();
    let found = all.into_iter().find(|row| row[key] == value);
    found.unwrap_or_else(|| panic!("no {key} {value} in {rows}"))
}

fn column<'v>(rows: &'v Value, key: &str) -> Vec<&'v str> {
    rows.as_array().into_iter().flatten().filter_map(|row| row[key].as_str()).collect()
}

/// What the server says of a dry run of the example.
fn tried(plane: &ControlPlane, answer: &ToolAnswer) -> String {
    let example =
        answer.structure["example"].as_str().unwrap_or_else(|| panic!("no example:\n{}", answer.text));
    let file =
        plane.dir().join(format!("example-{}.yaml", answer.structure["name"].as_str().unwrap_or_default()));
    std::fs::write(&file, example).expect("the folder takes a file");
    plane
        .try_kubectl(&["create", "--dry-run=server", "--validate=strict", "-f", &file.to_string_lossy()])
        .unwrap_or_else(|why| panic!("{why}\n{example}"))
}

const FIRST: &str = "{note: 'string | required=true', size: 'string | enum=\"s,m,l\" default=s', replicas: 'integer | default=1 minimum=0'}";
/// Breaks on purpose: an enum narrowed, a bound that is new, a field that goes.
const BREAKING: &str =
    "{size: 'string | enum=\"s,m\" default=s', replicas: 'integer | default=1 minimum=0 maximum=3'}";

const CONFIG: &str = r#"
    - id: config
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}"}, data: {size: "${schema.spec.size}", count: "${string(schema.spec.replicas)}"}}
"#;
const MORE: &str = r#"
    - id: config
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}"}, data: {size: "${schema.spec.size}", count: "twice"}}
    - id: copy
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${config.metadata.name}-copy"}, data: {size: "${config.data.size}"}}
"#;

fn manifest(spec: &str, resources: &str) -> String {
    format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: revised}}\nspec:\n  schema: \
         {{apiVersion: v1alpha1, kind: Revised, group: {GROUP}, spec: {spec}, status: {{size: \"${{config.data.size}}\"}}}}\n  resources:\n{resources}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rgd_its_revisions_and_a_change_that_breaks() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("revised");
    plane.apply(&manifest(FIRST, CONFIG));
    let (_server, mcp) = serve(&plane.kubeconfig);
    let revision = |number: i64| {
        move |rgd: &Value| {
            rgd["revisions"][0]["number"] == number && rgd["revisions"][0]["state"] == "verified"
        }
    };
    let first = until(&mcp, "revised", "Active", |rgd| rgd["state"] == "Active" && revision(1)(rgd)).await;
    let said = &first.structure;
    assert_eq!(
        (&said["schema_from"], &said["kind"], &said["namespaced"]),
        (&json!("crd"), &json!("Revised"), &json!(true))
    );
    assert_eq!(
        said["fields"],
        json!([
            {"path": "spec.note", "type": "string", "required": true},
            {"path": "spec.replicas", "type": "integer", "default": 1, "rules": ["at least 0"]},
            {"path": "spec.size", "type": "string", "default": "s", "rules": ["one of s, m, l"]},
        ])
    );
    assert_eq!(said["status"], json!([{"path": "status.size", "type": "string", "from": ["config"]}]));
    assert!(tried(plane, &first).contains("created (server dry run)"));

    for (name, spec) in [("large", "{note: a, size: l}"), ("many", "{note: b, replicas: 5}")] {
        plane.apply(&format!(
            "apiVersion: {GROUP}/v1alpha1\nkind: Revised\nmetadata: {{name: {name}, namespace: {}}}\nspec: {spec}\n",
            &*ns
        ));
    }
    plane.apply(&manifest(FIRST, MORE));
    // the kind itself is known to the server ten seconds later at most
    let counted = |rgd: &Value| rgd["instances"]["total"] == 2;
    until(&mcp, "Revised", "revision 2 with two instances", |rgd| revision(2)(rgd) && counted(rgd)).await;
    let diff = mcp.call("kro_revision_diff", json!({"name": "revised"})).await;
    assert!(
        diff.text.starts_with("revised: revision 1 → revision 2: 1 node added; 1 node changed; 1 edge added"),
        "{}",
        diff.text
    );
    assert_eq!(column(&diff.structure["nodes"], "id"), ["copy", "config"]);
    assert_eq!(
        diff.structure["nodes"][1]["fields"],
        json!([{"path": "template.data.count", "before": "${string(schema.spec.replicas)}", "after": "twice"}])
    );
    assert_eq!(diff.structure["edges"], json!([{"how": "added", "from": "config", "to": "copy"}]));
    assert_eq!(diff.structure["schema"], Value::Null, "{}", diff.text);

    // Before it is applied: what kro will refuse, and whom it would break.
    let breaking = manifest(BREAKING, MORE);
    let planned = mcp.call("kro_revision_diff", json!({"name": "revised", "manifest": breaking})).await;
    let told: Vec<String> = planned.structure["schema"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|change| format!("{} {} {}", change["effect"], change["path"], change["what"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        ["breaking spec.note removed", "breaking spec.replicas maximum", "breaking spec.size enum"]
    );
    let judged = &planned.structure["instances"];
    assert_eq!((&judged["looked_at"], &judged["broken"]), (&json!(2), &json!(2)), "{}", planned.text);
    let large = by(&judged["first"], "name", "large");
    assert_eq!(column(&large["fields"], "path"), ["spec.note", "spec.size"], "{large}");
    assert_eq!(by(&judged["first"], "name", "many")["fields"][1]["problem"], "must be at most 3");
    assert!(planned.text.contains("kro refuses to change the CRD so"), "{}", planned.text);

    // And so it does.
    plane.apply(&breaking);
    let refused = until(&mcp, "revised", "refused", |rgd| {
        by(&rgd["conditions"], "type", "KindReady")["status"] == "False" && revision(3)(rgd)
    })
    .await;
    let kind = by(&refused.structure["conditions"], "type", "KindReady");
    assert!(kind["next"].as_str().is_some_and(|next| next.contains("allow-breaking-changes")), "{kind}");
    assert_eq!(refused.structure["schema_from"], "crd");
    assert_eq!(column(&refused.structure["fields"], "path"), ["spec.note", "spec.replicas", "spec.size"]);
    assert!(
        refused.text.contains("3 changes of the schema (3 breaking) that the CRD does not have"),
        "{}",
        refused.text
    );
    assert_eq!(refused.structure["instances"]["namespaces"], json!({&*ns: 2}));
    let after = mcp.call("kro_revision_diff", json!({"name": "revised", "from": 1, "to": 3})).await;
    assert_eq!(after.structure["schema"], planned.structure["schema"]);
    let none = mcp.call("kro_revision_diff", json!({"name": "revised", "from": 7})).await;
    assert!(none.is_error && none.text.contains("there is no revision 7"), "{}", none.text);

    with_fewer_rights(plane, &ns, &breaking).await;
}

/// 403 on GraphRevisions is normal, 403 on CRDs is common.
async fn with_fewer_rights(plane: &ControlPlane, ns: &str, breaking: &str) {
    let (_server, viewer) = serve(&plane.kubeconfig_for(&plane.tokens.viewer));
    let seen = rgd(&viewer, "revised").await;
    assert!(!seen.is_error && seen.structure["revisions"].is_null(), "{}", seen.text);
    let gaps = seen.structure["gaps"].to_string();
    assert!(gaps.contains("GraphRevisions: forbidden"), "{gaps}");
    assert_eq!(column(&seen.structure["nodes"], "id"), ["config", "copy"]);
    let refused = viewer.call("kro_revision_diff", json!({"name": "revised"})).await;
    assert!(refused.is_error && refused.text.contains("give the argument manifest"), "{}", refused.text);
    let back = manifest(FIRST, MORE);
    let diff = viewer.call("kro_revision_diff", json!({"name": "revised", "manifest": back})).await;
    assert!(!diff.is_error && diff.text.contains("the RGD as it is → the manifest"), "{}", diff.text);
    let same = viewer.call("kro_revision_diff", json!({"name": "revised", "manifest": breaking})).await;
    assert!(same.text.contains("nothing differs"), "{}", same.text);

    plane.kubectl(&["create", "serviceaccount", "reader", "-n", ns]);
    let api = "rbac.authorization.k8s.io";
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": ns},
         "rules": [{"apiGroups": ["kro.run"], "resources": ["resourcegraphdefinitions"], "verbs": ["get", "list"]}]},
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": ns},
         "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": ns},
         "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": ns}]}]}).to_string());
    let token = plane.kubectl(&["create", "token", "reader", "-n", ns]);
    let (_server, reader) = serve(&plane.kubeconfig_for(token.trim()));
    let seen = rgd(&reader, "revised").await;
    assert_eq!(seen.structure["schema_from"], "rgd", "{}", seen.text);
    // of the RGD's own schema, which the CRD has not become
    assert_eq!(column(&seen.structure["fields"], "path"), ["spec.replicas", "spec.size"]);
    assert!(seen.structure["instances"].is_null());
    let gaps = seen.structure["gaps"].to_string();
    for what in
        ["the CRD: forbidden", "GraphRevisions: forbidden", "Revised.revision.test.kro.run: forbidden"]
    {
        assert!(gaps.contains(what), "{gaps}");
    }
    let mark = plane.audit_mark();
    rgd(&reader, "revised").await;
    let asked = plane.audit_since(mark, "platform-mcp");
    let uris: Vec<&str> = asked
        .iter()
        .filter(|line| line.user.ends_with(&format!("{ns}:reader")))
        .map(|line| line.uri.as_str())
        .collect();
    assert_eq!(uris.len(), 4, "RGDs, CRD, revisions, instances: {uris:#?}");
}

/// Schemas that ask for something hard, and kro's shipped examples under another group.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_taken_by_the_api_server() {
    let plane = ControlPlane::shared();
    let hard = r#"
      code: 'string | required=true pattern="^[A-Z]{2}-[0-9]{3}$"'
      region: 'string | required=true enum="eu-west-1,us-east-1"'
      weight: 'integer | required=true minimum=10 maximum=20'
      ratio: 'float | required=true minimum=0.25 maximum=0.5'
      zones: '[]string | required=true minItems=2 uniqueItems=true'
      labels: 'map[string]integer | required=true'
      long: 'string | required=true minLength=12 maxLength=12'
      on: 'boolean | required=true'
      ports: '[]Port | required=true minItems=1'
      nested: {deep: {must: 'string | required=true', may: 'string | default=x'}}
      free: object
      size: 'integer | default=3'
    types:
      Port: {number: 'integer | required=true minimum=1024', name: 'string | required=true maxLength=3'}"#;
    plane.apply(&format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: hard.{GROUP}}}\nspec:\n  schema:\n    \
         apiVersion: v1alpha1\n    kind: Hard\n    group: {GROUP}\n    spec:{hard}\n  resources: []\n",
    ));
    let mut names = vec![format!("hard.{GROUP}")];
    for file in [
        "kubernetes/job-example/rgd.yaml",
        "kubernetes/additionalPrinterColumns/rg.yaml",
        "kubernetes/dogsvscats/vote-app/rg.yaml",
        "kubernetes/webapp/rg.yaml",
    ] {
        names.push(shipped(plane, file));
    }
    let (_server, mcp) = serve(&plane.kubeconfig);
    for name in &names {
        let answer = until(&mcp, name, "Active with a CRD", |rgd| {
            rgd["state"] == "Active" && rgd["schema_from"] == "crd"
        })
        .await;
        assert!(tried(plane, &answer).contains("created (server dry run)"), "{}", answer.text);
        let again = rgd(&mcp, name).await;
        assert_eq!(again.structure["example"], answer.structure["example"], "the same each time");
    }
    // What no schema requires and a template reads: without it kro would wait for ever.
    let application = rgd(&mcp, &format!("application.{GROUP}")).await;
    assert_eq!(
        by(&application.structure["fields"], "path", "spec.name")["needed"],
        true,
        "{}",
        application.text
    );
    let ns = plane.namespace("example");
    let example = application.structure["example"].as_str().expect("an example");
    plane.apply(&example.replace("namespace: default", &format!("namespace: {}", &*ns)));
    plane.wait_for("the Deployment of the example", PATIENCE, || plane.get(&ns, "deployment/example"));
    plane.kubectl(&["delete", &format!("application.{GROUP}/example"), "-n", &ns, "--wait=false"]);
}

/// Applies an RGD that kro ships, with a name and a group of this test's; its name.
fn shipped(plane: &ControlPlane, file: &str) -> String {
    let path = plane.kro.join("examples").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rgd: Value =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = rgd["metadata"]["name"].as_str().expect("a name").trim_end_matches(".kro.run");
    let name = format!("{name}.{GROUP}");
    rgd["metadata"] = json!({"name": name});
    rgd["spec"]["schema"]["group"] = json!(GROUP);
    plane.apply(&rgd.to_string());
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_and_manifests_of_something_else() {
    let plane = ControlPlane::shared();
    let (_server, mcp) = serve(&plane.kubeconfig);
    plane.apply(&format!(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: misnamed}}\nspec: {{schema: {{apiVersion: v1alpha1, kind: Misnamed, group: {GROUP}, spec: {{a: string}}}}, resources: [{{id: a, template: {{apiVersion: v1, kind: NoSuchKindAtAll}}}}]}}\n"
    ));
    let unknown = rgd(&mcp, "misnamd").await;
    assert!(unknown.is_error && unknown.text.contains("misnamed"), "{}", unknown.text);
    let never = until(&mcp, "misnamed", "refused", |rgd| rgd["state"] == "Inactive").await;
    assert_eq!(never.structure["schema_from"], "rgd");
    assert!(
        never.structure["problem"].as_str().is_some_and(|why| why.contains("GraphAccepted")),
        "{}",
        never.text
    );
    assert!(never.text.contains("there is no CRD"), "{}", never.text);
    assert_eq!(column(&never.structure["nodes"], "kind"), ["NoSuchKindAtAll"]);
    for (arguments, said) in [
        (json!({"name": "misnamed"}), "has no revision yet"),
        (json!({"name": "misnamed", "manifest": "a: [1"}), "is not valid YAML"),
        (json!({"name": "misnamed", "manifest": "kind: A\n---\nkind: B\n"}), "holds 2 documents"),
        (json!({"name": "misnamed", "manifest": "x".repeat(300_000)}), "at most 262144 bytes"),
        (
            json!({"name": "misnamed", "manifest": "apiVersion: v1\nkind: Pod\nmetadata: {name: misnamed}"}),
            "is a Pod",
        ),
        (json!({"name": "misnamed", "to": 1, "manifest": "{}"}), "manifest"),
        (json!({"name": "misnamed", "from": 0}), "at least 1"),
        (json!({"name": "misnamed", "from": 1, "to": 1}), "the same revision"),
    ] {
        let answer = mcp.call("kro_revision_diff", arguments.clone()).await;
        assert!(answer.is_error && answer.text.contains(said), "{arguments}: {}", answer.text);
    }
    let field = mcp.call("kro_rgd", json!({"name": "misnamed", "field": "spec.b"})).await;
    assert!(field.is_error && field.text.contains("spec.a"), "{}", field.text);
    plane.kubectl(&["delete", "rgd/misnamed", "--wait=false"]);
}
