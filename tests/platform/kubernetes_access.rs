//! `kubernetes_access`: our permissions and the cluster's own answer, on a real API server whose RBAC knows the
//! callers, and over an API that does not answer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    faulty::{Fault, Faulty},
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::{Product, Server},
};

const RULES: &str = r"[
    {when: {who: both}, allow: [kubernetes.proxy, kubernetes.proxy.write, kubernetes.resources.read]},
    {when: {who: reader}, allow: [kubernetes.proxy], within: {namespaces: ['access-*']}},
    {when: {who: lister}, allow: [kubernetes.clusters.read, kro.rgds.list]}]";

fn serve(plane: &ControlPlane, credential: &str, identity: &str) -> Server {
    let clusters = json!({"kubeconfig": {"enabled": false}, "static": [{"name": "lab", "url": plane.server,
        "caFile": plane.ca_file, "token": credential, "identity": identity}]});
    let config = format!("clusters: {clusters}\nissuers: [{}]\n", Provider::shared().entry(RULES));
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

fn client(server: &Server, who: &str, name: &str) -> Mcp {
    let forge = Provider::shared().forge();
    let mut claims = forge.claims("alice");
    claims["sub"] = json!(name);
    claims["who"] = json!(who);
    Mcp::with_token(server.url("/mcp"), &forge.claiming(&claims))
}

fn verdict(answer: &ToolAnswer) -> String {
    assert!(!answer.is_error, "{}", answer.text);
    let verdict = answer.structure["verdict"].as_str().expect("a verdict").to_owned();
    assert_eq!(answer.text.lines().next(), Some(&*verdict), "the verdict is the first line");
    verdict
}

/// Lets `oidc:NAME` read Pods and make Deployments in a namespace.
fn bind(plane: &ControlPlane, ns: &str, name: &str) {
    let api = "rbac.authorization.k8s.io";
    let role = json!([
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]}]);
    let items = json!([
        {"apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": {"name": "some", "namespace": ns}, "rules": role},
        {"apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": {"name": "some", "namespace": ns},
         "roleRef": {"apiGroup": api, "kind": "Role", "name": "some"},
         "subjects": [{"apiGroup": api, "kind": "User", "name": format!("oidc:{name}")}]}]);
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn which_of_the_two_says_no_and_whom_to_ask() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("access");
    let ns = &*ns;
    let ann = format!("ann-{ns}");
    bind(plane, ns, &ann);
    let server = serve(plane, &plane.tokens.admin, "impersonate");
    // server, cluster, and what the verdict says
    for (who, arguments, ours, theirs, said) in [
        (
            "both",
            json!({"verb": "list", "resource": "pods"}),
            true,
            true,
            "list pods in namespace NS: yes, with kubernetes_proxy",
        ),
        (
            "both",
            json!({"verb": "GET", "resource": "po/log", "name": "web"}),
            true,
            true,
            "get pods/log web in namespace NS: yes",
        ),
        (
            "both",
            json!({"verb": "create", "resource": "deploy"}),
            true,
            true,
            "create deployments.apps in namespace NS: yes, with kubernetes_proxy_write",
        ),
        (
            "both",
            json!({"verb": "delete", "resource": "pods"}),
            true,
            false,
            "the cluster refuses you: ask whoever administers RBAC in lab, to let oidc:ANN delete pods in namespace NS",
        ),
        (
            "reader",
            json!({"verb": "create", "resource": "deployments.apps"}),
            false,
            true,
            "The cluster allows you, and this server refuses it (you need the permission kubernetes.proxy.write for cluster lab, namespace NS): ask whoever runs this server",
        ),
        (
            "reader",
            json!({"verb": "get", "resource": "pods/exec", "name": "web"}),
            false,
            false,
            "Both this server (you need the permission kubernetes.proxy.write",
        ),
        (
            "lister",
            json!({"verb": "list", "resource": "pods"}),
            false,
            true,
            "you need the permission kubernetes.proxy for",
        ),
        ("both", json!({"verb": "*", "resource": "*"}), true, false, "* * in namespace NS: no."),
        (
            "both",
            json!({"verb": "impersonate", "resource": "serviceaccounts"}),
            false,
            false,
            "The cluster refuses it: ask",
        ),
        (
            "both",
            json!({"verb": "create", "resource": "serviceaccounts/token", "name": "default"}),
            false,
            false,
            "kubernetes.secrets.read",
        ),
    ] {
        let mut asked = arguments.clone();
        asked["namespace"] = json!(ns);
        let answer = client(&server, who, &ann).call("kubernetes_access", asked).await;
        let said = said.replace("NS", ns).replace("ANN", &ann);
        assert!(verdict(&answer).contains(&said), "{who} {arguments}: {}", answer.text);
        let told = (&answer.structure["server_allows"], &answer.structure["cluster_allows"]);
        assert_eq!(told, (&json!(ours), &json!(theirs)), "{who} {arguments}: {}", answer.text);
        assert_eq!(answer.structure["cluster_user"], format!("oidc:{ann}"), "{}", answer.text);
        assert_eq!(answer.structure.get("partial"), None, "{}", answer.text);
    }

    // without a namespace: all of them, or what is in none
    let reader = client(&server, "reader", &ann);
    let wide = reader.call("kubernetes_access", json!({"verb": "list", "resource": "pods"})).await;
    assert!(
        verdict(&wide).contains("list pods in all namespaces: no. Both")
            && wide.text.contains("all of cluster lab"),
        "{}",
        wide.text
    );
    let lister = client(&server, "lister", &ann);
    let rgds = lister.call("kubernetes_access", json!({"verb": "list", "resource": "rgd"})).await;
    let ways = rgds.structure["tools"].as_array().expect("tools");
    assert_eq!(
        ways.iter().map(|way| (way["tool"].as_str(), way["allowed"].as_bool())).collect::<Vec<_>>(),
        [(Some("kubernetes_proxy"), Some(false)), (Some("kro_rgd"), Some(true))],
        "{}",
        rgds.text
    );
    let events = json!({"verb": "list", "resource": "events", "namespace": ns});
    let events = client(&server, "both", &ann).call("kubernetes_access", events).await;
    assert!(events.text.contains("kubernetes_events: yes"), "{}", events.text);

    // the credential of the server may not act for whom it does not know
    let server = serve(plane, &plane.tokens.server, "impersonate");
    let stranger = client(&server, "both", &ann);
    let refused = stranger
        .call("kubernetes_access", json!({"verb": "list", "resource": "pods", "namespace": ns}))
        .await;
    assert!(refused.text.contains("the cluster does not let this server act for you"), "{}", refused.text);
    assert_eq!(refused.structure["cluster_allows"], false, "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_caller_may_do_side_by_side() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("access");
    let ns = &*ns;
    let ben = format!("ben-{ns}");
    bind(plane, ns, &ben);
    let server = serve(plane, &plane.tokens.admin, "impersonate");
    let reader = client(&server, "reader", &ben);
    let all = reader.call("kubernetes_access", json!({"namespace": ns})).await;
    assert!(verdict(&all).starts_with("this server gives you 1 of "), "{}", all.text);
    assert_eq!(all.structure["permissions"], json!(["kubernetes.proxy"]), "{}", all.text);
    assert!(
        all.structure["permissions_lacking"].to_string().contains("kubernetes.proxy.write"),
        "{}",
        all.text
    );
    let rows = all.structure["rules"]["rows"].as_array().expect("rows");
    assert!(
        rows.iter().any(|row| row["resources"] == "pods pods/log" && row["verbs"] == "get list")
            && rows.iter().any(|row| row["resources"] == "deployments.apps" && row["verbs"] == "create"),
        "{}",
        all.text
    );
    assert!(all.text.contains("deployments.apps"), "text and structure stand alone: {}", all.text);

    // of the whole cluster: one namespace has to be named for the cluster's answer, where the default is not theirs
    let open = reader.call("kubernetes_access", json!({})).await;
    assert_eq!(open.structure["permissions_in_part"], json!(["kubernetes.proxy"]), "{}", open.text);
    assert!(
        open.structure.get("rules").is_none() && open.text.contains("partial: the cluster was not asked"),
        "{}",
        open.text
    );
    let both = client(&server, "both", &ben).call("kubernetes_access", json!({})).await;
    assert!(both.text.contains("in namespace default and of what is in none"), "{}", both.text);

    // a namespace of others, whether or not it is there
    let denied = async |namespace: &str| {
        let answer = reader.call("kubernetes_access", json!({"namespace": namespace})).await;
        assert!(verdict(&answer).starts_with("this server gives you 0 of "), "{}", answer.text);
        assert!(answer.text.contains("partial: the cluster was not asked"), "{}", answer.text);
        let one = json!({"namespace": namespace, "verb": "list", "resource": "pods"});
        let one = reader.call("kubernetes_access", one).await;
        let said = format!(
            "list pods in namespace {namespace}: no. This server refuses it (you need the permission kubernetes.proxy for "
        );
        assert!(verdict(&one).starts_with(&said), "{}", one.text);
        assert!(one.text.contains("ask whoever runs this server; the cluster was not asked"), "{}", one.text);
        assert_eq!(one.structure.get("cluster_allows"), None, "{}", one.text);
        format!("{}{}", answer.text, one.text).replace(namespace, "")
    };
    assert_eq!(denied("kube-system").await, denied("no-such-one").await);

    for (arguments, said) in [
        (json!({"verb": "list"}), "\"resource\" is missing"),
        (json!({"resource": "pods"}), "\"verb\" is missing"),
        (json!({"name": "web"}), "\"verb\" is missing"),
        (json!({"verb": "lst", "resource": "pods"}), "did you mean \"list\"?"),
        (json!({"verb": "list", "resource": "podds"}), "Nearest: Pod"),
        (json!({"verb": "get", "resource": "pods/lgo"}), "Nearest: pods/log"),
        (json!({"verb": "bind", "resource": "clusterrolse"}), "Nearest: ClusterRole.rbac"),
        (json!({"verb": "list", "resource": "/log"}), "resource/subresource"),
        (json!({"verb": "get", "resource": "pods/../x"}), "resource/subresource"),
        (json!({"verb": "get", "resource": "pods", "name": "a/../b"}), "not a valid Kubernetes name"),
    ] {
        let mut asked = arguments.clone();
        asked["namespace"] = json!(ns);
        let answer = reader.call("kubernetes_access", asked).await;
        assert!(answer.is_error && answer.text.contains(said), "{arguments}: {}", answer.text);
    }

    // an account that all share: the cluster's answer is about that
    let server = serve(plane, &plane.tokens.admin, "own");
    let shared = client(&server, "reader", &ben);
    let asked = json!({"namespace": ns, "verb": "delete", "resource": "pods"});
    let own = shared.call("kubernetes_access", asked).await;
    assert!(
        verdict(&own).contains("The cluster allows this server's credential, and this server refuses it"),
        "{}",
        own.text
    );
    assert!(own.text.contains("its answer is about this server's credential"), "{}", own.text);
    assert_eq!(own.structure.get("cluster_user"), None, "{}", own.text);
    // what no tool does, what is redacted, and what no API serves
    let all = client(&server, "both", &ben);
    for (verb, resource, said) in [
        (
            "get",
            "pods/exec",
            "yes, over the HTTP endpoint (http.proxy) with kubernetes.proxy.write, by no tool",
        ),
        (
            "create",
            "pods/portforward",
            "yes, over the HTTP endpoint (http.proxy) with kubernetes.proxy.write",
        ),
        ("watch", "pods", "yes, over the HTTP endpoint (http.proxy) with kubernetes.proxy, by no tool"),
        ("list", "secrets", "yes, with kubernetes_proxy. Values of Secrets are redacted where"),
        ("list", "configmaps", "yes, with kubernetes_proxy"),
        ("impersonate", "users", "the cluster allows this server's credential"),
        ("impersonate", "userextras/example.com/team", "the cluster allows this server's credential"),
        ("sign", "signers", "the cluster allows this server's credential"),
        ("use", "securitycontextconstraints.security.example", "the cluster allows this server's credential"),
    ] {
        let asked = json!({"namespace": ns, "verb": verb, "resource": resource});
        let answer = all.call("kubernetes_access", asked).await;
        assert!(verdict(&answer).contains(said), "{verb} {resource}: {}", answer.text);
        assert_eq!(said.ends_with("proxy"), verdict(&answer).ends_with("proxy"), "{}", answer.text);
        assert!(!answer.text.contains("kubernetes_proxy:") || resource.ends_with('s'), "{}", answer.text);
    }

    assert!(!own.text.contains("system:masters") && !own.text.contains("RBAC: allowed by"), "{}", own.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_brought_no_token_for_the_cluster_hears_our_half() {
    let plane = ControlPlane::shared();
    let clusters = json!({"kubeconfig": {"enabled": false}, "static": [{"name": "lab", "url": plane.server,
        "caFile": plane.ca_file, "identity": "caller-header"}]});
    let config = format!("clusters: {clusters}\nissuers: [{}]\n", Provider::shared().entry(RULES));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let both = client(&server, "both", "eve");
    for (arguments, said) in [
        (
            json!({"namespace": "shop", "verb": "list", "resource": "pods"}),
            "this server allows it; the cluster's",
        ),
        (json!({"namespace": "shop"}), "the cluster's own answer is not known"),
    ] {
        let answer = both.call("kubernetes_access", arguments.clone()).await;
        assert!(verdict(&answer).contains(said), "{arguments}: {}", answer.text);
        let why = "partial: the cluster's own answer could not be had: the cluster is to be shown who calls";
        assert!(answer.text.contains(why) && answer.text.contains("in the header"), "{}", answer.text);
        assert_eq!(answer.structure.get("cluster_allows"), None, "{}", answer.text);
    }
    let reader = client(&server, "reader", "eve");
    let asked = json!({"namespace": "access-1", "verb": "delete", "resource": "pods", "name": "web"});
    let answer = reader.call("kubernetes_access", asked).await;
    assert!(verdict(&answer).contains("no. This server refuses it (you need"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_say_leaves_our_half() {
    let upstream = Faulty::start().await;
    let config = format!(
        "limits: {{callSeconds: 3}}\nclusters: {{static: [{{name: lab, url: '{}'}}]}}\nlocal: {{role: viewer}}\n",
        upstream.url
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let one = json!({"namespace": "shop", "verb": "list", "resource": "pods"});
    for (fault, said) in [
        (Fault::Hang, "no answer within"),
        (Fault::Answer(404, "nothing"), "could not be had: not found"),
        (Fault::Answer(503, "<html>"), "an HTML page"),
        (Fault::Answer(200, "{"), "ends in the middle"),
        (Fault::Answer(201, r#"{"status":{}}"#), "without its verdict"),
        (Fault::Answer(201, r#"{"status":7}"#), "without a status"),
    ] {
        upstream.reset();
        upstream.when("/selfsubject", fault.clone());
        let started = Instant::now();
        let answer = mcp.call("kubernetes_access", one.clone()).await;
        assert!(started.elapsed() < Duration::from_secs(4), "{fault:?}");
        assert!(
            verdict(&answer).contains("this server allows it; the cluster's answer could not be had"),
            "{}",
            answer.text
        );
        assert!(
            answer.text.contains(said) && answer.structure["partial"] == true,
            "{fault:?}: {}",
            answer.text
        );
        assert_eq!(answer.structure.get("cluster_allows"), None, "{}", answer.text);
    }
    let rules: Vec<Value> = (0..900)
        .map(|number| json!({"apiGroups": ["g.example"], "resources": [format!("r{number}")], "verbs": ["get"]}))
        .collect();
    let many = json!({"status": {"incomplete": true, "resourceRules": rules, "nonResourceRules": [7, {"verbs": "x"}]}});
    let many: &'static str = Box::leak(many.to_string().into_boxed_str());
    upstream.reset();
    upstream.when("/selfsubjectrules", Fault::Answer(201, many));
    let answer = mcp.call("kubernetes_access", json!({"namespace": "shop"})).await;
    assert!(answer.text.contains("its list of rules is not complete"), "{}", answer.text);
    assert!(answer.text.contains("rows 1 to ") && !answer.text.contains("next_cursor"), "{}", answer.text);
    assert!(
        answer.text.len() <= 24_000 && answer.structure.to_string().len() <= 24_000,
        "{}",
        answer.text.len()
    );
}
