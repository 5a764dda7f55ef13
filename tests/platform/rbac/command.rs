//! The command line, and what is printed without a cluster.

use serde_json::{Value, json};

use super::applied::{documents, printed};
use crate::server::Product;

const ISSUER: &str = "issuers: [{url: 'https://i.example', audiences: [a], uid: true, extra: {email: email}, username: \
                      {prefix: 'oidc:'}, groups: {prefix: 'oidc:'}, rules: [{when: {groups: [team-a]}, roles: [viewer]}]}]\n";

fn rules(manifest: &str) -> Value {
    let role = documents(manifest).into_iter().find(|document| document["kind"] == "ClusterRole");
    role.unwrap()["rules"].clone()
}

#[test]
fn what_cannot_be_meant_is_answered_with_what_can() {
    let issuer = "issuers: [{url: 'https://i.example', audiences: [a], rules: [{roles: [viewer]}]}]\n";
    for (arguments, said) in [
        (&[][..], "knative"),
        (&["everything"], "'everything'"),
        (&["kro", "--cluster", "nowhere"], "there is no \"nowhere\"; none is configured"),
        (&["kro"], "which cluster? Give --cluster NAME; none is configured"),
        (&["kro", "--namespace", "Shop"], "a namespace has lower-case letters"),
        (&["kro", "--namespace", "a\nb"], "a namespace has lower-case letters"),
        (&["kro", "--name", "*"], "a name has lower-case letters"),
        (&["knative", "--for", "tools"], "[possible values: drop-in, tool]"),
        (&["knative", "--kinds", "Service.serving.knative.dev"], "in lower case and the plural"),
        (&["knative", "--kinds", "services,secrets"], "services alone take events"),
        (&["knative", "--kinds", "configmaps"], "services alone take events"),
        (&["knative", "--kinds", "deployments.apps"], "kinds of apps are Kubernetes's own"),
        (&["knative", "--kinds", "roles.rbac.authorization.k8s.io"], "Kubernetes's own and take no events"),
        (&["knative", "--kinds", "*.a.example"], "in lower case and the plural"),
        (&["impersonate", "--group", "system:masters"], "Kubernetes's own"),
        (&["impersonate", "--user", "system:kube-scheduler"], "Kubernetes's own"),
        (&["impersonate", "--user", "oidc:*"], "RBAC knows no patterns"),
        (&["impersonate", "--user", ""], "must not be empty"),
        (&["impersonate", "--group", "a", "--any-group"], "cannot be used with"),
        (&["impersonate", "--cluster", "nowhere"], "there is no \"nowhere\""),
    ] {
        let output = Product::new([&["rbac"], arguments].concat()).config(issuer).output();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn every_command_tells_what_it_prints_and_reads() {
    for (topic, said) in [("knative", "drop-in"), ("kro", "tools.readOnly"), ("impersonate", "--any-group")] {
        let (out, err) = printed("{}", &[topic, "--help"]);
        assert!(out.contains(said) && out.contains("--cluster") && err.is_empty(), "{topic}: {out}{err}");
    }
}

#[test]
fn whom_the_configuration_names_may_be_shown_and_nobody_else() {
    let (out, err) = printed(
        ISSUER,
        &["impersonate", "--user", "oidc:ann", "--group", "oidc:b \"c\"", "--namespace", "mcp"],
    );
    assert_eq!(err, "");
    let authentication = json!(["authentication.k8s.io"]);
    let verbs = json!(["impersonate"]);
    assert_eq!(
        rules(&out),
        json!([
            {"apiGroups": [""], "resources": ["users"], "verbs": verbs, "resourceNames": ["oidc:ann"]},
            {"apiGroups": [""], "resources": ["groups"], "verbs": verbs, "resourceNames": ["oidc:b \"c\"", "oidc:team-a"]},
            {"apiGroups": authentication, "resources": ["uids"], "verbs": verbs},
            {"apiGroups": authentication, "resources": ["userextras/email"], "verbs": verbs},
        ]),
        "{out}"
    );
    let kinds: Vec<Value> = documents(&out).iter().map(|document| document["kind"].clone()).collect();
    assert_eq!(kinds, ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"]);
    assert!(out.lines().any(|line| line == "  namespace: \"mcp\""), "{out}");
}

#[test]
fn a_right_that_is_the_whole_cluster_is_never_printed_unasked() {
    let nobody = "issuers: [{url: 'https://i.example', audiences: [a], rules: [{roles: [viewer]}]}]\n";
    let (out, _) = printed(nobody, &["impersonate"]);
    assert!(!rules(&out).to_string().contains("groups\""), "{out}");
    assert!(out.contains("# Left out: groups,") && out.contains("# ANY user:"), "{out}");
    let (out, _) = printed(nobody, &["impersonate", "--any-group"]);
    assert_eq!(rules(&out)[1]["resources"], json!(["groups"]), "{out}");
    assert!(out.contains("# ANY group, and system:masters is one"), "{out}");
    let (_, err) = printed("{}", &["impersonate"]);
    assert!(err.starts_with("warning: the configuration has no issuers"), "{err}");
}

#[test]
fn without_a_cluster_the_mesh_is_that_of_knative_as_it_comes() {
    let kinds = "services,services.serving.knative.dev,kafkachannels.messaging.knative.dev";
    let (out, err) = printed("{}", &["knative", "--kinds", kinds]);
    assert_eq!(err, "");
    let granted = rules(&out);
    let rule = |group: &str, resource: &str| -> Value {
        let has = |rule: &&Value| {
            rule["apiGroups"][0] == group && rule["resources"].as_array().unwrap().contains(&json!(resource))
        };
        granted.as_array().unwrap().iter().find(has).map_or(Value::Null, |rule| rule["verbs"].clone())
    };
    assert_eq!(rule("", "services"), json!(["get"]), "{out}");
    assert_eq!(rule("serving.knative.dev", "services"), json!(["get"]), "{out}");
    assert_eq!(rule("messaging.knative.dev", "kafkachannels"), json!(["list"]), "{out}");
    assert_eq!(rule("sources.knative.dev", "pingsources"), json!(["list"]), "{out}");
    assert_eq!(rule("messaging.knative.dev", "inmemorychannels"), Value::Null, "channels were named: {out}");
    let secret = documents(&out).into_iter().find(|document| document["kind"] == "Secret").expect("a token");
    assert_eq!(secret["type"], "kubernetes.io/service-account-token");
    assert_eq!(secret["metadata"]["annotations"]["kubernetes.io/service-account.name"], "knative-event-mesh");
    let (out, _) = printed("{}", &["knative", "--for", "tool", "--kinds", kinds]);
    assert!(!out.contains("kind: Secret") && !out.contains("\"get\""), "{out}");
    let again = printed("{}", &["knative", "--for", "tool", "--kinds", kinds]).0;
    assert_eq!(out, again, "the same text for the same rights");
}
