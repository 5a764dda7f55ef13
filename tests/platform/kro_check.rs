//! The static checks of `kro_apply_rgd` against the judgement of a real kro: what kro takes is taken, what is
//! wrong is named with its node and its rule before anything is sent, and kro does refuse it.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const GROUP: &str = "check.test.kro.run";
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of a manifest that the tool takes.
const LARGEST: usize = 256 << 10;

fn serve() -> (Server, Mcp) {
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config("local: {role: admin}\naudit: {to: audit.log}\n")
        .kubeconfig(&ControlPlane::shared().kubeconfig)
        .serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

async fn plan(mcp: &Mcp, rgd: &Value) -> ToolAnswer {
    mcp.call("kro_apply_rgd", json!({"manifest": rgd.to_string()})).await
}

/// Whether kro takes each RGD of these names; `None` for one that waits for a kind.
fn verdicts(names: &[String]) -> BTreeMap<String, Result<(), String>> {
    let plane = ControlPlane::shared();
    plane.wait_for("the verdict of kro", PATIENCE, || {
        let listed: Value = serde_json::from_str(&plane.kubectl(&["get", "rgd", "-o", "json"])).ok()?;
        let rgds = listed["items"].as_array()?;
        let verdict = |name: &String| {
            let rgd = rgds.iter().find(|rgd| rgd["metadata"]["name"] == name.as_str())?;
            let conditions = rgd["status"]["conditions"].as_array()?;
            let accepted = conditions.iter().find(|condition| condition["type"] == "GraphAccepted")?;
            match accepted["status"].as_str()? {
                "True" => Some((name.clone(), Ok(()))),
                "False" => Some((name.clone(), Err(accepted["message"].as_str()?.to_owned()))),
                _ => None,
            }
        };
        names.iter().map(verdict).collect()
    })
}

/// Takes RGDs away again, so that kro has less to do.
fn forget<'n>(names: impl Iterator<Item = &'n String>) {
    let delete = ["delete", "rgd", "--wait=false"].into_iter();
    ControlPlane::shared().kubectl(&delete.chain(names.map(String::as_str)).collect::<Vec<_>>());
}

/// The RGDs of kro's examples, in names and a group of this test's.
fn examples(folder: &Path, found: &mut BTreeMap<String, Value>) {
    for entry in
        std::fs::read_dir(folder).expect("kro's examples").map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            examples(&entry, found);
            continue;
        }
        let text = std::fs::read_to_string(&entry).unwrap_or_default();
        if !text.contains("kind: ResourceGraphDefinition") {
            continue;
        }
        // some files of the examples are templates of charts
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap_or_default();
        for mut rgd in documents.into_iter().filter(|document| document["kind"] == "ResourceGraphDefinition")
        {
            let name = format!("check-{}", found.len());
            rgd["metadata"] = json!({ "name": name });
            rgd["spec"]["schema"]["group"] = GROUP.into();
            for resource in rgd["spec"]["resources"].as_array_mut().into_iter().flatten() {
                let api = resource.pointer_mut("/template/apiVersion");
                if let Some(api) = api.filter(|api| *api == "kro.run/v1alpha1") {
                    *api = format!("{GROUP}/v1alpha1").into();
                }
            }
            found.insert(name, rgd);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_example_of_kro_that_the_controller_takes_is_called_wrong() {
    let plane = ControlPlane::shared();
    let mut all = BTreeMap::new();
    examples(&plane.kro.join("examples"), &mut all);
    assert!(all.len() > 50, "{} examples", all.len());
    let served: Value =
        serde_json::from_str(&plane.kubectl(&["get", "--raw", "/openapi/v3"])).expect("an index");
    let is_served = |resource: &Value| {
        let object = resource.get("template").or_else(|| resource.get("externalRef"));
        let api = object.and_then(|object| object["apiVersion"].as_str()).unwrap_or_default();
        let path = if api.contains('/') { format!("apis/{api}") } else { format!("api/{api}") };
        served["paths"].get(&path).is_some()
    };
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|_, rgd| {
        let kind = rgd["spec"]["schema"]["kind"].as_str().unwrap_or_default().to_owned();
        let resources = rgd["spec"]["resources"].as_array();
        rgd.to_string().len() < LARGEST && resources.into_iter().flatten().all(is_served) && seen.insert(kind)
    });
    let (_server, mcp) = serve();
    let mut ours: BTreeMap<&String, ToolAnswer> = BTreeMap::new();
    for (name, rgd) in &all {
        ours.insert(name, plan(&mcp, rgd).await);
    }
    let documents: Vec<String> = all.values().map(Value::to_string).collect();
    plane.apply(&documents.join("\n---\n"));
    let names: Vec<String> = all.keys().cloned().collect();
    let theirs = tokio::task::spawn_blocking(move || verdicts(&names)).await.expect("the verdicts");
    let (mut taken, mut refused) = (0, 0);
    for (name, answer) in ours {
        match &theirs[name] {
            Ok(()) => {
                assert!(!answer.is_error, "{name}, which kro takes: {}", answer.text);
                taken += 1;
            }
            Err(why) => {
                assert!(answer.is_error, "{name}, which kro refuses ({why}): {}", answer.text);
                refused += 1;
            }
        }
    }
    assert!(taken >= 15 && refused >= 1, "{taken} taken, {refused} refused");
    forget(all.keys());
}

/// A resource: a ConfigMap of that id, with more of it.
fn config(id: &str, metadata: &str, more: &str) -> String {
    format!("{{id: {id}, template: {{apiVersion: v1, kind: ConfigMap, metadata: {metadata}}}{more}}}")
}

const NAMED: &str = r#"{name: "${schema.spec.name}"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_static_error_is_named_with_its_node_and_rule_and_kro_refuses_it() {
    let plane = ControlPlane::shared();
    let data = |source: &str| {
        format!(
            r#"{{id: a, template: {{apiVersion: v1, kind: ConfigMap, metadata: {NAMED}, data: {{k: "{source}"}}}}}}"#
        )
    };
    let each = r#", forEach: [{n: "${schema.spec.names}"}]"#;
    let table: Vec<(&str, String, &str)> = vec![
        ("", config("my-id", NAMED, ""), "my-id id (id)"),
        ("", config("schema", NAMED, ""), "schema id (reserved-word)"),
        ("", format!("{}, {}", config("a", NAMED, ""), config("a", NAMED, "")), "a id (id)"),
        ("", "{id: a}".into(), "a template (resource)"),
        ("", "{id: a, externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {}}}".into(), "a externalRef.metadata (external-ref)"),
        ("", config("a", NAMED, each), "a forEach (for-each)"),
        ("", config("a", NAMED, r#", includeWhen: ["${schema.spec.name}"]"#), "a includeWhen[0] (include-when)"),
        ("", config("a", NAMED, r#", readyWhen: ["${schema.spec.on}"]"#), "a readyWhen[0] (unknown-reference)"),
        ("", data("${nope.metadata.name}"), "a template.data.k (unknown-reference)"),
        ("", data("${schema.spec.nam}"), "a template.data.k (unknown-field)"),
        ("", format!("{}, {}", data("${web.status.nope}"), r#"{id: web, template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}}"#), "a template.data.k (unknown-field)"),
        ("", data("${schema.spec.name +}"), "a template.data.k (expression)"),
        ("", data("${schema.spec.count}"), "a template.data.k (type)"),
        ("", data("n-${schema.spec.count}"), "a template.data.k (type)"),
        ("", r#"{id: web, template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: "${schema.spec.name}"}}}"#.into(), "web template.spec.replicas (type)"),
        ("", r#"{id: web, template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replica: 1}}}"#.into(), "web template.spec.replica (template-field)"),
        ("", format!("{}, {}", config("a", r#"{name: "${b.metadata.name}"}"#, ""), config("b", r#"{name: "${a.metadata.name}"}"#, "")), "a template (cycle)"),
        ("", "{id: a, template: {apiVersion: nowhere.io/v1, kind: Nothing, metadata: {name: x}}}".into(), "a template.kind (unknown-kind)"),
        ("", "{id: a, template: {apiVersion: v1, kind: Namespace, metadata: {name: x, namespace: y}}}".into(), "a template.metadata.namespace (namespace)"),
        ("scope: Cluster", config("a", NAMED, ""), "a template.metadata.namespace (namespace)"),
        ("", config("a", r#"{name: x, labels: {kro.run/mine: x}}"#, ""), "(reserved-prefix)"),
        ("status: {x: plain}", config("a", NAMED, ""), "schema.status.x (status)"),
        ("types: {T: strin}", config("a", NAMED, ""), "schema.types.T (schema-syntax)"),
    ];
    let (server, mcp) = serve();
    let mut names = Vec::new();
    for (index, (schema, resources, expected)) in table.iter().enumerate() {
        let name = format!("wrong-{index}");
        let yaml = format!(
            "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: {name}}}\nspec:\n  schema:\n    \
             apiVersion: v1alpha1\n    kind: Wrong{index}\n    group: {GROUP}\n    spec: {{name: string, count: integer, on: \
             boolean, names: \"[]string\"}}\n    {schema}\n  resources: [{resources}]\n"
        );
        let answer = mcp.call("kro_apply_rgd", json!({"manifest": yaml})).await;
        assert!(answer.is_error && answer.text.contains(expected), "{expected}: {}", answer.text);
        assert_eq!(plane.get("", &format!("rgd/{name}")), None, "{name} was sent");
        if *expected == "a template (resource)" {
            // the CRD of RGDs itself has this rule
            let file = server.path("wrong.yaml");
            std::fs::write(&file, &yaml).expect("a file");
            let sent = plane.try_kubectl(&["apply", "-f", &file.display().to_string()]);
            assert!(sent.is_err_and(|why| why.contains("exactly one of template")), "{name}");
            continue;
        }
        plane.apply(&yaml);
        names.push(name);
    }
    let asked = names.clone();
    let theirs = tokio::task::spawn_blocking(move || verdicts(&asked)).await.expect("the verdicts");
    for (name, verdict) in theirs {
        assert!(verdict.is_err(), "kro takes {name}");
    }
    forget(names.iter());
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_read_once_and_a_warm_plan_reads_none() {
    let (server, mcp) = serve();
    let rgd = json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "check-warm"},
        "spec": {"schema": {"apiVersion": "v1alpha1", "kind": "CheckWarm", "group": GROUP, "spec": {"name": "string"}},
            "resources": [
                {"id": "a", "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${schema.spec.name}"}}},
                {"id": "b", "template": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "${a.metadata.name}"}}}]}});
    for _ in 0..3 {
        let answer = plan(&mcp, &rgd).await;
        assert!(!answer.is_error, "{}", answer.text);
    }
    let spent: Vec<u64> = ControlPlane::shared().wait_for("the audit lines", PATIENCE, || {
        let log = server.read("audit.log");
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ours = lines.filter(|line| line["tool"] == "kro_apply_rgd");
        let spent: Vec<u64> = ours.filter_map(|line| line["upstream_requests"].as_u64()).collect();
        (spent.len() == 3).then_some(spent)
    });
    // discovery (2), the index and two documents
    assert!(
        matches!(spent.as_slice(), [cold, warm, again] if *cold >= warm + 3 && warm == again),
        "{spent:?}"
    );
}
