//! The service account of the server in clusters of Palette, on a real API server behind a simulated Palette.

use std::{
    process::Output,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use platform_mcp::demo::palette::{Cluster, Data, Kubeconfigs, Project};
use serde_json::json;

use crate::{
    control_plane::ControlPlane,
    exchange::upstream,
    mcp::Mcp,
    palette::{Palette, Tenant},
    palette_clusters::{cluster, config, environment, kubeconfig, serve},
    server::Product,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// What one test calls its objects, which no other one does.
pub(crate) struct Names {
    namespace: String,
    role: String,
    binding: String,
}

impl Names {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            namespace: format!("onboarded-{number}"),
            role: format!("onboarded-role-{number}"),
            binding: format!("onboarded-binding-{number}"),
        }
    }

    /// `rbac`, with more.
    pub(crate) fn rbac(&self, more: &str) -> String {
        let Self { namespace, role, binding } = self;
        format!(
            "{{namespace: {namespace}, clusterRoleName: {role}, clusterRoleBindingName: {binding}{more}}}"
        )
    }

    fn user(&self) -> String {
        format!("system:serviceaccount:{}:backstage-sa", self.namespace)
    }

    /// Those of the five objects that are there.
    fn there(&self, plane: &ControlPlane) -> Vec<&'static str> {
        let objects = [
            ("namespace", "namespace", self.namespace.as_str()),
            ("account", "serviceaccount", "backstage-sa"),
            ("secret", "secret", "backstage-sa-token"),
            ("role", "clusterrole", &self.role),
            ("binding", "clusterrolebinding", &self.binding),
        ];
        let there = objects.into_iter().filter(|(_, kind, name)| {
            plane.try_kubectl(&["get", kind, name, "-n", &self.namespace, "-o", "name"]).is_ok()
        });
        there.map(|(what, ..)| what).collect()
    }

    /// `kubectl auth can-i` as the service account.
    fn can(&self, plane: &ControlPlane, verb: &str, resource: &str) -> bool {
        // what stands behind a slash would be taken for a name
        let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
        let part = format!("--subresource={part}");
        plane.try_kubectl(&["auth", "can-i", verb, resource, &part, "--as", &self.user()]).is_ok()
    }
}

fn tenant(plane: &ControlPlane) -> Tenant {
    tenant_as(plane, &plane.tokens.admin)
}

/// Whose admin kubeconfig holds this token.
fn tenant_as(plane: &ControlPlane, token: &str) -> Tenant {
    let shop = Project::new("shop");
    let admin = kubeconfig(plane, &format!("{{token: {token}}}"));
    let kubeconfigs = Some(Kubeconfigs { admin: Some(admin), ..Kubeconfigs::default() });
    let web = Cluster { kubeconfigs, ..cluster("web", Some(&shop), "Running") };
    Palette::shared().tenant(Data { projects: vec![shop], clusters: vec![web], ..Data::default() })
}

pub(crate) fn palette(tenant: &Tenant, rbac: &str, arguments: &[&str]) -> Output {
    let config = config(&[environment("prod", tenant, &format!("{{rbac: {rbac}}}"))]);
    Product::new(["palette"].iter().chain(arguments)).config(&config).output()
}

#[track_caller]
pub(crate) fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onboarding_makes_five_objects_changes_what_is_otherwise_and_takes_them_away() {
    let (plane, names) = (ControlPlane::shared(), Names::new());
    let tenant = tenant(plane);
    let rules = |verbs: &str, more: &str| {
        names.rbac(&format!(
            ", clusterRoleRules: [{{apiGroups: [core], resources: [pods], verbs: [{verbs}]}}]{more}"
        ))
    };
    let first = rules("get", ", staticToken: true");
    let onboard = ["onboard", "--cluster", "web", "--yes"];

    // without a word that it is to be done, nothing is
    let asked = palette(&tenant, &first, &["onboard", "--cluster", "prod/shop/web"]);
    assert_eq!(asked.status.code(), Some(1));
    let said = String::from_utf8_lossy(&asked.stdout);
    for object in ["Namespace onboarded-", "ServiceAccount", "Secret", "ClusterRole ", "ClusterRoleBinding "]
    {
        assert!(said.contains(&format!("create  {object}")), "{said}");
    }
    // what is agreed to is said
    assert!(said.contains("(get of pods; no Secrets)"), "{said}");
    assert_eq!(names.there(plane), [""; 0]);

    assert!(done(&palette(&tenant, &first, &onboard)).contains("prod/shop/web: onboarded"));
    assert_eq!(names.there(plane), ["namespace", "account", "secret", "role", "binding"]);
    plane.wait_for("it may", PATIENCE, || names.can(plane, "get", "pods").then_some(()));
    assert!(!names.can(plane, "list", "pods"));
    let versions = || {
        let all = format!("clusterrole/{},clusterrolebinding/{}", names.role, names.binding);
        let (role, binding) = all.split_once(',').expect("two");
        let of_namespace = plane.kubectl(&[
            "get",
            "sa/backstage-sa",
            "-n",
            &names.namespace,
            "-o",
            "jsonpath={.metadata.resourceVersion}",
        ]);
        let of_cluster =
            plane.kubectl(&["get", role, binding, "-o", "jsonpath={.items[*].metadata.resourceVersion}"]);
        (of_namespace, of_cluster)
    };
    let before = versions();
    assert!(done(&palette(&tenant, &first, &onboard)).contains("nothing is to be done"));
    assert_eq!(versions(), before, "the second run changes nothing");

    // other rules, and no token that lasts any more
    let said = done(&palette(&tenant, &rules("get, list", ""), &onboard));
    assert!(said.contains(&format!("change  ClusterRole {}: its rules", names.role)), "{said}");
    assert!(said.contains("delete  Secret"), "{said}");
    assert_eq!(names.there(plane), ["namespace", "account", "role", "binding"]);
    plane.wait_for("it may more", PATIENCE, || names.can(plane, "list", "pods").then_some(()));
    assert!(!names.can(plane, "watch", "pods"));

    // what somebody else keeps in the namespace is not taken away with it
    plane.kubectl(&["create", "configmap", "keep", "-n", &names.namespace]);
    let offboard = ["offboard", "--cluster", "web", "--yes"];
    let said = done(&palette(&tenant, &first, &offboard));
    assert!(said.contains("there is more in it, as ConfigMap keep"), "{said}");
    assert_eq!(names.there(plane), ["namespace"]);
    plane.kubectl(&["delete", "configmap", "keep", "-n", &names.namespace]);
    done(&palette(&tenant, &first, &offboard));
    plane.wait_for("the namespace is gone", PATIENCE, || names.there(plane).is_empty().then_some(()));
    let said = done(&palette(&tenant, &first, &offboard));
    assert!(said.contains("nothing is there"), "{said}");

    // what is another's is not taken over
    plane.kubectl(&["create", "clusterrole", &names.role, "--verb=get", "--resource=nodes"]);
    let refused = palette(&tenant, &first, &onboard);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("is not of this server"), "{said}");
    assert_eq!(names.there(plane), ["role"], "{said}");
    plane.kubectl(&["delete", "clusterrole", &names.role]);

    // nor is anything done where the cluster refuses the first step
    let viewer = tenant_as(plane, &plane.tokens.viewer);
    let refused = palette(&viewer, &first, &onboard);
    let said = String::from_utf8_lossy(&refused.stderr);
    let stopped = format!("Namespace {}: forbidden by the cluster", names.namespace);
    assert!(said.contains(&stopped) && said.contains("nothing was changed"), "{said}");
    assert!(!refused.status.success() && names.there(plane).is_empty(), "{said}");
    assert!(!said.contains(&plane.tokens.admin) && !said.contains(&plane.tokens.viewer), "{said}");
    let unknown = palette(&tenant, &first, &["onboard", "--cluster", "wbe", "--yes"]);
    let said = String::from_utf8_lossy(&unknown.stderr);
    assert!(unknown.status.code() == Some(2) && said.contains("did you mean"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_used_with_the_account_which_reads_no_secrets() {
    crate::impersonation::lamps();
    let (plane, names) = (ControlPlane::shared(), Names::new());
    let tenant = tenant(plane);
    let rbac = names.rbac("");
    let server = serve(&[environment("prod", &tenant, &format!("{{rbac: {rbac}}}"))]);
    let mcp = Mcp::new(server.url("/mcp"));
    let lamp = json!({"cluster": "web", "kind": "Lamp", "namespace": "team-a", "name": "desk"});
    let before = mcp.call("kro_graph", lamp.clone()).await;
    let said = "platform-mcp palette onboard --cluster prod/shop/web";
    assert!(before.is_error && before.text.contains(said), "{}", before.text);
    assert_eq!(names.there(plane), [""; 0], "finding a cluster changes nothing");

    done(&palette(&tenant, &rbac, &["onboard", "--cluster", "web", "--yes"]));
    let mark = plane.audit_mark();
    // what was not there a moment ago is asked for again
    let began = Instant::now();
    let answer = loop {
        let answer = mcp.call("kro_graph", lamp.clone()).await;
        if !answer.is_error {
            break answer;
        }
        assert!(began.elapsed() < PATIENCE, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(answer.text.contains("desk"), "{}", answer.text);
    let row = mcp.call("kubernetes_clusters", json!({})).await.structure["rows"][0].clone();
    assert_eq!((&row["identity"], &row["reachable"]), (&json!("own"), &json!(true)), "{row}");
    let audited = crate::impersonation::ours(&server, 3).len();
    let lines = upstream(&server, mark, audited);
    assert!(!lines.is_empty() && lines.iter().all(|line| line.user == names.user()), "{lines:#?}");
    for (verb, resource, may) in [
        ("get", "pods", true),
        ("get", "pods/log", true),
        ("watch", "lamps.test.kro.run", true),
        ("list", "resourcegraphdefinitions.kro.run", true),
        ("get", "secrets", false),
        ("list", "secrets", false),
        ("get", "pods/exec", false),
        ("create", "pods/exec", false),
        ("get", "nodes/proxy", false),
        ("create", "serviceaccounts/token", false),
        ("delete", "pods", false),
    ] {
        assert_eq!(names.can(plane, verb, resource), may, "{verb} {resource}");
    }
    assert_eq!(names.there(plane), ["namespace", "account", "role", "binding"], "no token that lasts");
    let said = format!("{}{}", server.said(), server.read("audit.log"));
    assert!(!said.contains("eyJ") && !said.contains(&plane.tokens.admin), "{said}");
    done(&palette(&tenant, &rbac, &["offboard", "--cluster", "web", "--yes"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_that_manage_a_cluster_agree_and_mend_what_others_take_away() {
    let (plane, names) = (ControlPlane::shared(), Names::new());
    let tenant = tenant(plane);
    let rules = ", clusterRoleRules: [{apiGroups: [''], resources: [configmaps], verbs: [get, list]}]";
    let provider = format!("{{manage: true, refreshIntervalSeconds: 1, rbac: {}}}", names.rbac(rules));
    let mark = plane.audit_mark();
    let servers: Vec<_> = (0..2).map(|_| serve(&[environment("prod", &tenant, &provider)])).collect();
    for server in &servers {
        let answer =
            Mcp::new(server.url("/mcp")).call("kubernetes_clusters", json!({"cluster": "web"})).await;
        assert!(answer.structure["rows"][0]["reachable"] == true, "{}", answer.text);
    }
    let whole = ["namespace", "account", "role", "binding"];
    plane.wait_for("it is onboarded", PATIENCE, || (names.there(plane) == whole).then_some(()));
    let subjects =
        plane.kubectl(&["get", "clusterrolebinding", &names.binding, "-o", "jsonpath={.subjects[*].name}"]);
    assert_eq!(subjects, "backstage-sa", "once, whoever came first");

    let writes = |mark: u64| {
        let mut lines = plane.audit_since(mark, "platform-mcp/");
        lines.retain(|line| {
            line.uri.contains(&names.namespace)
                || line.uri.contains(&names.role)
                || line.uri.contains(&names.binding)
        });
        lines.retain(|line| line.verb == "patch" || line.verb == "delete");
        lines
    };
    let first = writes(mark);
    assert!(
        !first.is_empty() && first.iter().all(|line| line.code < 300),
        "nobody gets in another's way: {first:#?}"
    );
    let mark = plane.audit_mark();
    let read = || {
        plane
            .audit_since(mark, "platform-mcp/")
            .iter()
            .filter(|line| line.uri.contains(&names.binding))
            .count()
    };
    plane.wait_for("they look again", PATIENCE, || (read() > 3).then_some(()));
    assert_eq!(writes(mark).len(), 0, "what is as it should be is not written again");

    // half of it is taken away, and then the namespace with all that is in it
    plane.kubectl(&["delete", "clusterrolebinding", &names.binding]);
    plane.wait_for("it is bound again", PATIENCE, || (names.there(plane) == whole).then_some(()));
    plane.kubectl(&[
        "patch",
        "clusterrole",
        &names.role,
        "--type=json",
        "-p",
        r#"[{"op": "replace", "path": "/rules/0/verbs", "value": ["get"]}]"#,
    ]);
    plane.wait_for("its rules are back", PATIENCE, || names.can(plane, "list", "configmaps").then_some(()));
    plane.kubectl(&["delete", "namespace", &names.namespace, "--wait=true"]);
    plane.wait_for("it is made again", PATIENCE, || (names.there(plane) == whole).then_some(()));
    for server in servers {
        let said = server.said();
        assert!(!said.contains("eyJ") && !said.contains(&plane.tokens.admin), "{said}");
    }
    plane.kubectl(&["delete", "clusterrole", &names.role]);
    plane.kubectl(&["delete", "clusterrolebinding", &names.binding]);
    plane.kubectl(&["delete", "namespace", &names.namespace, "--wait=false"]);
}
