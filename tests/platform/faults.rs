//! An upstream that fails in every way: the answer is honest, in time, and partial where part is known.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    faulty::{Fault, Faulty},
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

/// What the product allows a call in these tests.
const CALL_SECONDS: u64 = 3;

struct Rig {
    upstream: Faulty,
    _server: Server,
    mcp: Mcp,
}

impl Rig {
    async fn start() -> Self {
        let upstream = Faulty::start().await;
        let server = serve(&upstream.url);
        let mcp = Mcp::new(server.url("/mcp"));
        let rig = Self { upstream, _server: server, mcp };
        // discovery is read once, so that each fault below meets the read it is meant for
        assert!(!rig.checkout().await.is_error);
        rig.upstream.reset();
        rig
    }

    /// The graph of a healthy instance with a Deployment, a Service, a ConfigMap and an Ingress.
    async fn checkout(&self) -> ToolAnswer {
        self.mcp
            .call("kro_graph", json!({"kind": "WebService", "namespace": "payments", "name": "checkout"}))
            .await
    }
}

fn serve(url: &str) -> Server {
    let config = format!(
        "limits: {{callSeconds: {CALL_SECONDS}}}\nclusters: {{static: [{{name: lab, url: \"{url}\"}}]}}\n"
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

fn gaps(answer: &ToolAnswer) -> String {
    let gaps = answer.structure["gaps"].as_array().cloned().unwrap_or_default();
    gaps.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_cannot_be_read_is_a_gap_and_the_rest_is_shown() {
    let rig = Rig::start().await;
    let services = "/api/v1/services";
    for (fault, said) in [
        (Fault::Answer(403, r#"{"kind":"Status","message":"services is forbidden: planted"}"#), "forbidden"),
        (Fault::Answer(401, r#"{"kind":"Status","message":"Unauthorized"}"#), "401"),
        (Fault::Answer(404, r#"{"kind":"Status","message":"the server could not find it"}"#), "Service"),
        (Fault::Answer(500, r#"{"kind":"Status","message":"etcd is unhappy"}"#), "500"),
        (Fault::Answer(502, "<html><body>Bad Gateway</body></html>"), "HTML page"),
        (Fault::Answer(200, "<html>please log in</html>"), "HTML page"),
        (Fault::Throttle(120), "429"),
        (Fault::Truncate, "Service"),
        (Fault::Huge(50 << 20), "MiB"),
        (Fault::Hang, "no answer within"),
    ] {
        rig.upstream.reset();
        // namespaced reads too: a forbidden cluster-wide list is tried by namespace
        rig.upstream.when(services, fault.clone()).when("payments/services", fault.clone());
        let started = Instant::now();
        let answer = rig.checkout().await;
        assert!(
            started.elapsed() < Duration::from_secs(CALL_SECONDS + 1),
            "{fault:?}: {:?}",
            started.elapsed()
        );
        assert!(!answer.is_error, "{fault:?}: {}", answer.text);
        assert_eq!(answer.structure["partial"], true, "{fault:?}: {}", answer.text);
        assert!(gaps(&answer).contains(said), "{fault:?}: {}", gaps(&answer));
        assert!(answer.text.contains("partial: "), "{fault:?}: {}", answer.text);
        let nodes = answer.structure["nodes"].as_array().expect("nodes");
        let state = |kind: &str| {
            let node = nodes.iter().find(|node| node["kind"] == kind);
            node.map_or(Value::Null, |node| node["state"].clone())
        };
        assert_eq!(state("Deployment"), "ready", "{fault:?}: {}", answer.text);
        // a kind that is gone has taken its objects with it; any other fault leaves open whether they are there
        let expected = if matches!(fault, Fault::Answer(404, _)) { "missing" } else { "unknown" };
        assert_eq!(state("Service"), expected, "{fault:?}: {}", answer.text);
        assert!(rig.upstream.seen().len() <= 12, "{fault:?}: bounded retries: {:?}", rig.upstream.seen());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_cannot_be_read_is_an_error_that_says_why() {
    let rig = Rig::start().await;
    let path = "/namespaces/payments/webservices/checkout";
    for (fault, said) in [
        (
            Fault::Answer(403, r#"{"kind":"Status","message":"webservices is forbidden"}"#),
            "webservices is forbidden",
        ),
        (Fault::Answer(401, r#"{"kind":"Status","message":"Unauthorized"}"#), "platform-mcp check"),
        (Fault::Answer(500, r#"{"kind":"Status","message":"etcd is unhappy"}"#), "etcd is unhappy"),
        (Fault::Answer(503, "<html>maintenance</html>"), "Retryable"),
        (Fault::Throttle(7), "try again in 7 s"),
        (Fault::Truncate, "Retryable"),
        (Fault::Hang, "Retryable"),
    ] {
        rig.upstream.reset();
        rig.upstream.when(path, fault.clone());
        let started = Instant::now();
        let answer = rig.checkout().await;
        assert!(started.elapsed() < Duration::from_secs(CALL_SECONDS + 1), "{fault:?}");
        assert!(answer.is_error, "{fault:?}: {}", answer.text);
        assert!(answer.text.contains(said), "{fault:?}: {}", answer.text);
        assert!(!answer.text.contains("<html"), "{fault:?}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_down_is_said_to_be() {
    let server = serve("http://127.0.0.1:1");
    let mcp = Mcp::new(server.url("/mcp"));
    let graph = mcp.call("kro_graph", json!({"kind": "WebService", "namespace": "a", "name": "b"})).await;
    assert!(graph.is_error && graph.text.contains("cannot reach the cluster"), "{}", graph.text);
    assert!(graph.text.contains("Retryable"), "{}", graph.text);
    let clusters = mcp.call("kubernetes_clusters", json!({})).await;
    assert!(!clusters.is_error && clusters.text.contains("1 unreachable"), "{}", clusters.text);
    assert_eq!(clusters.structure["rows"][0]["reachable"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_answered_with_what_does() {
    let rig = Rig::start().await;
    for (arguments, said) in [
        (json!({"kind": "WebService", "namespace": "payments", "name": "chekout"}), "checkout"),
        (json!({"kind": "WebService", "namespace": "paymnts", "name": "checkout"}), "payments"),
        (json!({"kind": "WebServcie", "namespace": "payments", "name": "checkout"}), "WebService"),
        (json!({"kind": "WebService", "namespace": "payments", "name": "checkout", "cluster": "lba"}), "lab"),
        (
            json!({"kind": "WebService", "namespace": "payments", "name": "../../secrets"}),
            "not a valid Kubernetes name",
        ),
        (
            json!({"kind": "WebService", "namespace": "payments/secrets?x=", "name": "checkout"}),
            "not a valid Kubernetes name",
        ),
        (
            json!({"kind": "WebService", "namespce": "payments", "name": "checkout"}),
            "did you mean \"namespace\"",
        ),
        (json!({"kind": "WebService", "namespace": "payments"}), "\"name\" is missing"),
        (json!({"kind": 7, "namespace": "payments", "name": "checkout"}), "\"kind\" must be a string"),
    ] {
        rig.upstream.reset();
        let answer = rig.mcp.call("kro_graph", arguments.clone()).await;
        assert!(answer.is_error, "{arguments}: {}", answer.text);
        assert!(answer.text.contains(said), "{arguments}: {}", answer.text);
        let secrets = rig.upstream.seen().into_iter().find(|path| path.contains("secrets"));
        assert_eq!(secrets, None, "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_says_that_there_are_no_instances_of_what_it_could_not_look_at() {
    let rig = Rig::start().await;
    let forbidden = Fault::Answer(403, r#"{"kind":"Status","message":"webservices is forbidden: planted"}"#);
    rig.upstream.when("/webservices", forbidden);
    let first = async |arguments: Value| {
        let answer = rig.mcp.call("kro_instances", arguments).await;
        assert_eq!(answer.structure["partial"], true, "{}", answer.text);
        answer.text.lines().next().unwrap_or_default().to_owned()
    };
    let none = first(json!({"kind": "WebService"})).await;
    assert!(none.starts_with("could not look at 1 of 1 kind: forbidden; name a namespace"), "{none}");
    let named = first(json!({"kind": "WebService", "namespace": "shop"})).await;
    assert!(named.starts_with("could not look at 1 of 1 kind: forbidden"), "{named}");
    assert!(!named.contains("name a namespace"), "{named}");
    let some = first(json!({})).await;
    assert!(some.contains("; 1 of ") && some.contains(" kinds could not be read (forbidden)"), "{some}");
    assert!(!some.contains("nested ones included"), "{some}");
}
