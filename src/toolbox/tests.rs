//! The gate, with handlers that misbehave.

use std::{fs, path::Path, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{Call, Entry, Limits, Offer, Parts, Process, Reach, Request, Tool, Toolbox, reach::CallerView};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Finished, seal::Seal},
    audit::Audit,
    caller::{Caller, local},
    kubernetes::{Cluster, Clusters, Fault, Registry, Source, View as _},
    permission::{Extent, Grant, Permission, PermissionSet, Permissions, Requirement, Role, Roles, Within},
    telemetry::Spans,
};

/// Does what its argument says.
struct Odd;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    how: String,
    cluster: Option<String>,
    namespace: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Output {
    how: String,
}

impl Tool for Odd {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        let namespace = input.namespace.as_deref().map_or(Extent::Anywhere, Extent::named);
        Reach::Cluster { cluster: input.cluster.clone(), namespace }
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        match input.how.as_str() {
            "panic" => panic!("planted-panic-message"),
            "hang" => std::future::pending().await,
            "leak" => Err(Error::not_found("eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.c2ln \u{1b}[31mred")),
            "forbidden" => Err(Fault::Forbidden("User \"a\" cannot get".to_owned()).into()),
            "withheld" => {
                let secrets = Requirement::one(Permission::KubernetesSecretsRead);
                let view = CallerView::new(&call.0.caller, secrets, call.cluster()?.cluster());
                Err(view.withheld(Some("a")).into())
            }
            how => Ok(Answer::new("fine", "", Output { how: how.to_owned() })),
        }
    }
}

const CONTRACT: &str = "---\ntitle: Odd\npermission: kro.resource-graph.show\neffect: read\nidempotent: true\n\
    open_world: false\nbudget: { rows: 5, bytes: 5000 }\nsensitive: none\n---\nOdd.\n";

struct Rig {
    toolbox: Arc<Toolbox>,
    audit: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        Self::over(&[(Source::Static, "dev"), (Source::Static, "prod")])
    }

    fn over(clusters: &[(Source, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let audit = folder.path().join("audit.log");
        let cluster = |(source, name): &(Source, &str)| {
            Cluster::new(*name, *source, "default", || async { Err(Fault::Gone) })
        };
        let parts = Parts {
            registry: Arc::new(Registry::of(Clusters::new(clusters.iter().map(cluster).collect(), None))),
            environments: Arc::default(),
            catalog: Default::default(),
            process: Arc::new(Process::new(
                Seal::random().expect("randomness"),
                Audit::file(&audit).expect("a file"),
                Spans::default(),
            )),
            limits: Limits { call_time: Duration::from_millis(700) },
            offer: Offer::default(),
        };
        let odd = Entry::new::<Odd>("platform/odd", CONTRACT).expect("a contract");
        Self { toolbox: Toolbox::with_entries(parts, vec![Arc::new(odd)]), audit, _folder: folder }
    }

    async fn call(
        &self,
        caller: &Arc<Caller>,
        tool: &str,
        arguments: Value,
        cancel: &CancellationToken,
    ) -> Result<Finished, Error> {
        let arguments: Map<String, Value> = arguments.as_object().cloned().expect("an object");
        let request = Request {
            progress: crate::toolbox::Progress::default(),
            patience: None,
            handing: Default::default(),
            presented: Arc::default(),
            door: "test",
            caller: Arc::clone(caller),
            tool: tool.to_owned(),
            arguments,
            cancel: cancel.clone(),
            client: None,
            trace: None,
        };
        self.toolbox.call(request).await
    }

    /// The audit lines, once the toolbox is gone and everything is written.
    fn audited(self) -> Vec<Value> {
        drop(self.toolbox);
        read(&self.audit)
    }
}

fn read(audit: &Path) -> Vec<Value> {
    let text = fs::read_to_string(audit).expect("the audit log");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

fn caller(permission: &str, within: &Within) -> Arc<Caller> {
    let role = Role { allow: vec![permission.to_owned()], ..Role::default() };
    let roles = Roles::new([("test".to_owned(), role)].into());
    Arc::new(local::caller(&roles, &["test".to_owned()], within).expect("a role"))
}

#[tokio::test]
async fn a_panic_is_a_tool_error_and_an_audit_line() {
    let rig = Rig::new();
    let (caller, never) = (caller("kro.*", &Within::default()), CancellationToken::new());
    let error = rig
        .call(&caller, "odd", json!({"how": "panic", "cluster": "dev"}), &never)
        .await
        .expect_err("a panic");
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(!error.text().contains("planted-panic-message"), "{}", error.text());
    let fine =
        rig.call(&caller, "odd", json!({"how": "well", "cluster": "dev"}), &never).await.expect("goes on");
    assert_eq!(fine.structure, json!({"how": "well"}));
    let lines = rig.audited();
    assert_eq!((&lines[0]["outcome"], &lines[0]["decision"]), (&json!("internal"), &json!("allow")));
    assert_eq!(lines[1]["outcome"], "ok");
    assert!(error.message.contains(lines[0]["call"].as_str().expect("a number")), "the error names the call");
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_or_with_its_caller() {
    let rig = Rig::new();
    let caller = caller("kro.*", &Within::default());
    let hang = json!({"how": "hang", "cluster": "dev"});
    let never = CancellationToken::new();
    let error = rig.call(&caller, "odd", hang.clone(), &never).await.expect_err("a deadline");
    assert_eq!(error.kind, ErrorKind::Timeout);
    let cancel = CancellationToken::new();
    let canceller = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        canceller.cancel();
    });
    let error = rig.call(&caller, "odd", hang, &cancel).await.expect_err("cancelled");
    assert_eq!(error.kind, ErrorKind::Cancelled);
    let outcomes: Vec<Value> = rig.audited().into_iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, ["timeout", "cancelled"]);
}

#[tokio::test]
async fn errors_and_audit_lines_hold_no_credential() {
    let rig = Rig::new();
    let (caller, never) = (caller("kro.*", &Within::default()), CancellationToken::new());
    let error = rig
        .call(&caller, "odd", json!({"how": "leak", "cluster": "dev"}), &never)
        .await
        .expect_err("not found");
    assert_eq!(error.message, "<redacted> red");
    let secret_argument =
        json!({"how": "well", "cluster": "dev", "namespace": "a", "tokken": "planted-value"});
    let error = rig.call(&caller, "odd", secret_argument, &never).await.expect_err("unknown argument");
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    let log = serde_json::to_string(&rig.audited()).expect("JSON");
    assert!(!log.contains("planted") && !log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn a_hidden_tool_is_an_unknown_tool() {
    let rig = Rig::new();
    let (caller, never) = (caller("kubernetes.clusters.read", &Within::default()), CancellationToken::new());
    let hidden = rig.call(&caller, "odd", json!({"how": "well"}), &never).await.expect_err("hidden");
    let unknown = rig.call(&caller, "even", json!({"how": "well"}), &never).await.expect_err("unknown");
    assert_eq!((hidden.kind, unknown.kind), (ErrorKind::UnknownTool, ErrorKind::UnknownTool));
    assert_eq!(hidden.text().replace("odd", "even"), unknown.text());
    assert_eq!(rig.toolbox.list(&caller).count(), 0);
    let lines = rig.audited();
    assert_eq!(
        (&lines[0]["tool"], &lines[0]["decision"]),
        (&json!("odd"), &json!("deny")),
        "the operator is told"
    );
    assert_eq!(lines[0]["rule"], "no rule grants it");
    assert_eq!(lines[0]["missing"], json!(["kro.resource-graph.show"]));
    assert_eq!((&lines[1]["tool"], &lines[1]["decision"]), (&json!("even"), &json!("")));
    assert!(lines.iter().all(|line| line["outcome"] == "unknown_tool"), "{lines:?}");
    assert!(lines[1].get("missing").is_none(), "{lines:?}");
}

#[tokio::test]
async fn what_hides_a_tool_stands_in_the_audit_line() {
    let rig = Rig::new();
    let grant = |deny: bool, rule: &str| Grant {
        deny,
        permissions: Permissions::all(),
        within: Arc::new(Within::default()),
        rule: rule.to_owned(),
    };
    let set = PermissionSet::new(vec![grant(false, "all"), grant(true, "contractors")]);
    let (caller, never) = (Arc::new(local::with_permissions(set)), CancellationToken::new());
    rig.call(&caller, "odd", json!({"how": "well"}), &never).await.expect_err("hidden");
    let line = rig.audited().remove(0);
    assert_eq!((&line["decision"], &line["rule"]), (&json!("deny"), &json!("contractors")), "{line}");
}

#[tokio::test]
async fn who_refuses_a_call_under_way_stands_in_its_line() {
    let rig = Rig::new();
    let (caller, never) = (caller("kro.*", &Within::default()), CancellationToken::new());
    for how in ["forbidden", "withheld"] {
        let arguments = json!({"how": how, "cluster": "dev"});
        let error = rig.call(&caller, "odd", arguments, &never).await.expect_err(how);
        assert_eq!(error.kind, ErrorKind::NotAllowed);
    }
    let lines = rig.audited();
    assert_eq!((&lines[0]["decision"], &lines[0]["refused_by"]), (&json!("allow"), &json!("cluster")));
    assert_eq!((&lines[1]["decision"], lines[1].get("refused_by")), (&json!("deny"), None), "{}", lines[1]);
    assert_eq!(lines[1]["missing"], json!(["kubernetes.secrets.read"]), "{}", lines[1]);
}

#[tokio::test]
async fn a_scoped_denial_says_what_is_missing_and_not_whether_it_exists() {
    let rig = Rig::new();
    let within = Within {
        clusters: Some(vec!["dev".to_owned()]),
        namespaces: Some(vec!["team-*".to_owned()]),
        ..Within::default()
    };
    let (caller, never) = (caller("kro.*", &within), CancellationToken::new());
    let ask =
        |cluster: &str, namespace: &str| json!({"how": "well", "cluster": cluster, "namespace": namespace});
    let fine = rig.call(&caller, "odd", ask("dev", "team-a"), &never).await;
    assert!(fine.is_ok(), "{fine:?}");
    let by_source = rig.call(&caller, "odd", ask("static/dev", "team-a"), &never).await;
    assert!(by_source.is_ok(), "the qualified name is the same cluster");
    let exists = rig.call(&caller, "odd", ask("prod", "team-a"), &never).await.expect_err("outside");
    let not = rig.call(&caller, "odd", ask("nope", "team-a"), &never).await.expect_err("outside");
    assert_eq!((exists.kind, not.kind), (ErrorKind::NotAllowed, ErrorKind::NotAllowed));
    assert_eq!(exists.text().replace("prod", "nope"), not.text());
    assert!(
        exists.text().contains("kro.resource-graph.show for cluster prod, namespace team-a"),
        "{}",
        exists.text()
    );
    let elsewhere = rig.call(&caller, "odd", ask("dev", "kube-system"), &never).await.expect_err("outside");
    assert!(elsewhere.text().contains("namespace kube-system"), "{}", elsewhere.text());
    // the only visible cluster is meant where none is named
    assert!(rig.call(&caller, "odd", json!({"how": "well", "namespace": "team-a"}), &never).await.is_ok());
    let line =
        rig.audited().into_iter().find(|line| line["decision"] == "deny").expect("denials are audited");
    assert_eq!(line["rule"], "no rule grants it");
    assert_eq!(line["missing"], json!(["kro.resource-graph.show"]));
}

/// Everything, given or taken in these clusters.
fn grant(deny: bool, clusters: &[&str]) -> Grant {
    Grant {
        deny,
        permissions: Permissions::all(),
        within: Arc::new(Within {
            clusters: Some(clusters.iter().map(ToString::to_string).collect()),
            ..Within::default()
        }),
        rule: "test".to_owned(),
    }
}

#[tokio::test]
async fn a_denial_names_a_cluster_as_the_arguments_do_whether_or_not_it_exists() {
    let rig = Rig::new();
    let never = CancellationToken::new();
    // a rule may know the cluster by a name that was not asked for
    for grants in [vec![grant(false, &["dev"])], vec![grant(false, &["dev"]), grant(true, &["prod"])]] {
        let caller = Arc::new(local::with_permissions(PermissionSet::new(grants)));
        let ask = async |cluster: &str| {
            let asked = json!({"how": "well", "cluster": cluster});
            rig.call(&caller, "odd", asked, &never).await.expect_err("outside")
        };
        let (exists, not) = (ask("static/prod").await, ask("static/nope").await);
        assert!(exists.text().contains("for cluster static/prod, namespace *"), "{}", exists.text());
        assert_eq!(exists.text().replace("static/prod", "static/nope"), not.text());
        assert_eq!((exists.kind, exists.lacking), (not.kind, not.lacking));
    }
    let lines = rig.audited();
    assert_eq!(lines[0]["scope"], "cluster prod, namespace *", "the log knows which one it is");
}

#[tokio::test]
async fn of_several_clusters_with_a_name_only_those_count_that_the_caller_may_see() {
    let rig = Rig::over(&[(Source::Static, "dev"), (Source::Kubeconfig, "dev"), (Source::InCluster, "dev")]);
    let never = CancellationToken::new();
    let ask = async |denied: &[&str]| {
        let set = PermissionSet::new(vec![grant(false, &["*"]), grant(true, denied)]);
        let caller = Arc::new(local::with_permissions(set));
        rig.call(&caller, "odd", json!({"how": "well", "cluster": "dev"}), &never).await
    };
    let two = ask(&["static/dev"]).await.expect_err("ambiguous");
    assert_eq!((two.kind, two.candidates.len()), (ErrorKind::Conflict, 2));
    assert!(!two.text().contains("static"), "{}", two.text());
    ask(&["static/dev", "kubeconfig/dev"]).await.expect("only one is left");
    let none = ask(&["*/dev"]).await.expect_err("none is left");
    assert_eq!((none.kind, none.candidates.len()), (ErrorKind::NotFound, 0), "{}", none.text());
}

#[tokio::test]
async fn a_call_that_is_dropped_under_way_is_audited_all_the_same() {
    let rig = Rig::new();
    let caller = caller("kro.*", &Within::default());
    let never = CancellationToken::new();
    let hangs = rig.call(&caller, "odd", json!({"how": "hang", "cluster": "dev"}), &never);
    tokio::time::timeout(Duration::from_millis(50), hangs).await.expect_err("it hangs");
    assert!(rig.toolbox.measure().text().contains(r#"outcome="cancelled""#), "counted too");
    let lines = rig.audited();
    assert_eq!(
        (lines.len(), &lines[0]["outcome"], &lines[0]["decision"]),
        (1, &json!("cancelled"), &json!("allow"))
    );
}
