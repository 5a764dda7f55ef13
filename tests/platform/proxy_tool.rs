//! `kubernetes_proxy` over a real API server: every form of a read, page by page, and what never comes out.

use std::{collections::BTreeSet, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    faulty::{Fault, Faulty},
    kubectl::Namespace,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(60);
const PLANTED: &str = "planted-hunter2-value";

/// The product over the control plane as its administrator: what a caller may, we decide alone.
struct Rig {
    server: Server,
}

impl Rig {
    /// For the local user with these roles.
    fn local(roles: &str) -> Self {
        Self::with(&format!("local: {{roles: [{roles}]}}"))
    }

    /// For people with tokens, by these rules.
    fn ruled(rules: &str) -> Self {
        Self::with(&format!("issuers: [{}]", Provider::shared().entry(rules)))
    }

    fn with(who: &str) -> Self {
        let plane = ControlPlane::shared();
        let clusters = json!({
            "kubeconfig": {"enabled": false},
            "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.admin, "identity": "own"}],
        });
        let config = format!("clusters: {clusters}\naudit: {{to: audit.log}}\n{who}\n");
        Self { server: Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve() }
    }

    fn mcp(&self) -> Mcp {
        Mcp::new(self.server.url("/mcp"))
    }

    async fn person(&self, name: &str) -> Mcp {
        Mcp::with_token(self.server.url("/mcp"), &Provider::shared().token(name).await)
    }

    /// Our audit lines of the tool, once there are so many.
    fn lines(&self, wanted: usize) -> Vec<Value> {
        let began = std::time::Instant::now();
        loop {
            let text = self.server.read("audit.log");
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let lines: Vec<Value> = lines.filter(|line| line["tool"] == "kubernetes_proxy").collect();
            if lines.len() >= wanted {
                return lines;
            }
            assert!(began.elapsed() < PATIENCE, "{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

async fn read(mcp: &Mcp, arguments: Value) -> ToolAnswer {
    mcp.call("kubernetes_proxy", arguments).await
}

async fn good(mcp: &Mcp, arguments: Value) -> ToolAnswer {
    let answer = read(mcp, arguments.clone()).await;
    assert!(!answer.is_error, "{arguments}: {}", answer.text);
    answer
}

fn config_maps(namespace: &str, count: usize, value: &str) -> String {
    let one = |n| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: 'c{n:03}', namespace: {namespace}, labels: {{number: '{n}'}}}}\ndata: {{v: '{value}'}}\n"
        )
    };
    (0..count).map(one).collect::<Vec<_>>().join("---\n")
}

fn names(items: &Value) -> Vec<String> {
    let name = |item: &Value| item["metadata"]["name"].as_str().map(str::to_owned);
    items.as_array().into_iter().flatten().filter_map(name).collect()
}

/// All pages of a list: the names, and how many pages it took.
async fn all(mcp: &Mcp, arguments: Value) -> (Vec<String>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut asked = arguments;
    loop {
        let page = good(mcp, asked.clone()).await;
        let items = names(&page.structure["items"]);
        assert!(!items.is_empty(), "{}", page.text);
        found.extend(items);
        pages += 1;
        assert!(pages < 100, "it does not end: {found:?}");
        match page.structure["next_cursor"].as_str() {
            Some(cursor) => asked["cursor"] = json!(cursor),
            None => return (found, pages),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_comes_whole_or_by_its_fields_with_one_request() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("read");
    let ns: &str = &namespace;
    plane.apply(&config_maps(ns, 1, "hello"));
    let rig = Rig::local("viewer");
    let mcp = rig.mcp();
    let path = format!("/api/v1/namespaces/{ns}/configmaps/c000");
    let whole = good(&mcp, json!({"path": path})).await;
    assert!(
        whole.text.starts_with(&format!("ConfigMap c000 in {ns}\napiVersion: v1\nkind: ConfigMap\n")),
        "{}",
        whole.text
    );
    assert_eq!(
        (&whole.structure["status"], &whole.structure["object"]["data"]),
        (&json!(200), &json!({"v": "hello"}))
    );
    for gone in ["managedFields", "last-applied-configuration"] {
        assert!(!format!("{}{}", whole.text, whole.structure).contains(gone), "{}", whole.text);
    }
    let fields =
        good(&mcp, json!({"path": path, "fields": ["data.v", "metadata.labels.number", "spec.none"]})).await;
    assert_eq!(
        fields.structure["object"],
        json!({"data": {"v": "hello"}, "metadata": {"labels": {"number": "0"}}})
    );
    assert!(
        fields.text.contains("it has no spec.none") && !fields.text.contains("apiVersion"),
        "{}",
        fields.text
    );
    let head = good(&mcp, json!({"path": "/healthz", "method": "HEAD"})).await;
    assert_eq!(head.structure, json!({"status": 200, "content_type": "text/plain; charset=utf-8"}));
    let table = good(&mcp, json!({"path": path, "as": "table"})).await;
    assert_eq!(table.structure["rows"][0][0], "c000", "{}", table.text);
    let groups = good(&mcp, json!({"path": "/apis", "fields": ["groups[].name"]})).await;
    assert!(groups.text.contains("name: apps"), "{}", groups.text);
    let openapi = good(&mcp, json!({"path": "/openapi/v3", "fields": ["paths.version"]})).await;
    assert!(
        openapi.structure["object"]["paths"]["version"].is_object(),
        "plain text by its type: {}",
        openapi.text
    );
    let openapi = good(&mcp, json!({"path": "/openapi/v3/api/v1"})).await;
    assert!(openapi.text.contains("paths:") && openapi.text.contains("truncated: "), "{}", openapi.text);
    assert!(openapi.structure["truncated"].as_str().is_some_and(|cut| cut.contains("fields")));
    assert!(
        openapi.text.len() <= 24_000 && openapi.structure.to_string().len() <= 24_000,
        "the budget holds"
    );
    let metrics = good(&mcp, json!({"path": "/metrics"})).await;
    assert!(metrics.structure["content_type"].as_str().is_some_and(|kind| kind.starts_with("text/plain")));
    assert!(metrics.text.contains("# HELP") && metrics.text.len() <= 24_000, "{} bytes", metrics.text.len());
    let more = good(&mcp, json!({"path": "/metrics", "cursor": metrics.structure["next_cursor"]})).await;
    assert!(
        more.text.starts_with("/metrics: lines ") && !more.text.starts_with("/metrics: lines 1 "),
        "{}",
        more.text
    );
    for line in rig.lines(9) {
        assert_eq!(line["upstream_requests"], 1, "no discovery, and nothing twice: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_page_by_page_with_nothing_lost_and_nothing_twice() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("pages");
    let ns: &str = &namespace;
    plane.apply(&config_maps(ns, 37, "x"));
    let expected: Vec<String> = (0..37).map(|n| format!("c{n:03}")).collect();
    let rig = Rig::local("viewer");
    let mcp = rig.mcp();
    let query = json!({"fieldSelector": "metadata.name!=kube-root-ca.crt"});
    let path = format!("/api/v1/namespaces/{ns}/configmaps");
    let (found, pages) = all(&mcp, json!({"path": path, "query": query, "limit": 13})).await;
    assert_eq!((found, pages), (expected.clone(), 3));
    let first = good(&mcp, json!({"path": path, "limit": 10, "fields": ["metadata.name"]})).await;
    assert!(first.text.starts_with(&format!("configmaps in {ns}: 1 to 10 of 38\n")), "{}", first.text);
    assert_eq!((&first.structure["remaining"], &first.structure["kind"]), (&json!(28), &json!("ConfigMap")));
    let none = good(&mcp, json!({"path": path, "query": {"labelSelector": "number=none"}})).await;
    assert!(
        none.text.contains(": none")
            && !none.text.contains("no namespace")
            && none.structure["items"] == json!([]),
        "{}",
        none.text
    );
    let one = good(&mcp, json!({"path": path, "query": {"labelSelector": "number=7"}})).await;
    assert_eq!(names(&one.structure["items"]), ["c007"]);

    let gone = "/api/v1/namespaces/no-such-place/configmaps";
    for form in ["json", "table"] {
        let nowhere = good(&mcp, json!({"path": gone, "as": form})).await;
        let said = "configmaps in no-such-place: none; there is no namespace no-such-place";
        assert_eq!(nowhere.text.lines().next(), Some(said), "{}", nowhere.text);
    }
    let misspelled =
        good(&mcp, json!({"path": path, "query": {"labelSelectr": "number=7"}, "limit": 3})).await;
    let said = "partial: the key \"labelSelectr\" in \"query\" is known to no API server and has no effect; did you mean \"labelSelector\"?";
    assert!(misspelled.text.contains(said), "{}", misspelled.text);
    let nothing = good(&mcp, json!({"path": path, "fields": ["spec.a.b/c"], "limit": 3})).await;
    assert!(
        !nothing.text.contains("{}") && nothing.text.contains("none of them has spec.a.b/c"),
        "{}",
        nothing.text
    );

    // an answer holds less than a page: what did not fit is not passed over, though the list changes meanwhile
    plane.apply(&config_maps(ns, 37, &"long ".repeat(800)));
    let asked = json!({"path": path, "query": query, "limit": 30});
    let first = good(&mcp, asked.clone()).await;
    let shown = names(&first.structure["items"]).len();
    assert!((2..8).contains(&shown), "{shown} of 4 KB each in 24 KB");
    assert!(first.text.len() <= 24_000 && first.structure.to_string().len() <= 24_000);
    plane.kubectl(&["delete", "configmap", "-n", ns, "c000", "c036"]);
    plane.apply(&config_maps(ns, 1, "new").replace("c000", "b999"));
    let mut rest = asked;
    rest["cursor"] = first.structure["next_cursor"].clone();
    let (found, pages) = all(&mcp, rest.clone()).await;
    assert_eq!(
        [names(&first.structure["items"]), found].concat(),
        expected,
        "of the version that it began with"
    );
    assert!(pages > 3, "{pages}");

    rest["path"] = json!("/api/v1/namespaces/default/configmaps");
    let other = read(&mcp, rest).await;
    assert!(
        other.is_error && other.text.contains("\"cursor\" is not one that you got for these arguments"),
        "{}",
        other.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_the_printer_columns_of_a_kind() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("table");
    let ns: &str = &namespace;
    plane.apply(&config_maps(ns, 5, "x"));
    plane.apply(
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {name: tabled}\nspec:\n  schema: {apiVersion: v1alpha1, \
         kind: Tabled, group: table.test.kro.run, spec: {colour: 'string | default=red'}}\n  resources:\n  - id: c\n    template: \
         {apiVersion: v1, kind: ConfigMap, metadata: {name: '${schema.metadata.name}'}, data: {c: '${schema.spec.colour}'}}\n",
    );
    plane.kubectl(&["wait", "rgd/tabled", "--for=condition=Ready", "--timeout=60s"]);
    let rig = Rig::local("viewer");
    let mcp = rig.mcp();
    let rgds = good(&mcp, json!({"path": "/apis/kro.run/v1alpha1/resourcegraphdefinitions", "as": "table", "query": {"fieldSelector": "metadata.name=tabled"}})).await;
    let columns: Vec<&str> =
        rgds.structure["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for column in ["Name", "Kind", "State", "Age"] {
        assert!(columns.iter().any(|one| one.eq_ignore_ascii_case(column)), "{column} in {columns:?}");
    }
    assert!(rgds.text.contains("tabled\t"), "{}", rgds.text);
    assert_eq!(rgds.structure["rows"][0].as_array().map(Vec::len), Some(columns.len()));
    let here = format!("/api/v1/namespaces/{ns}/configmaps");
    let in_one = good(&mcp, json!({"path": here, "as": "table", "limit": 3})).await;
    assert_eq!(in_one.structure["columns"], json!(["Name", "Data", "Age"]), "{}", in_one.text);
    assert!(in_one.text.contains("1 to 3 of 6"), "{}", in_one.text);
    let next = json!({"path": here, "as": "table", "limit": 3, "cursor": in_one.structure["next_cursor"]});
    let next = good(&mcp, next).await;
    assert_eq!(next.structure["rows"].as_array().map(Vec::len), Some(3), "{}", next.text);
    let everywhere =
        json!({"path": "/api/v1/configmaps", "as": "table", "query": {"labelSelector": "number=3"}});
    let everywhere = good(&mcp, everywhere).await;
    assert_eq!(everywhere.structure["columns"], json!(["Namespace", "Name", "Data", "Age"]));
    assert!(everywhere.text.contains(&format!("{ns}\tc003\t1\t")), "{}", everywhere.text);
    let both = read(&mcp, json!({"path": here, "as": "table", "fields": ["metadata.name"]})).await;
    assert!(both.is_error && both.text.contains("exclude each other"), "{}", both.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_refuses_is_told_with_its_status_reason_and_the_next_step() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("refusals");
    let ns: &str = &namespace;
    plane.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: idle, namespace: {ns}}}\nspec: {{containers: [{{name: c, image: none}}]}}\n"
    ));
    let rig = Rig::local("viewer");
    let mcp = rig.mcp();
    let at = |rest: &str| format!("/api/v1/namespaces/{ns}/{rest}");
    let apps = format!("/apis/apps/v1/namespaces/{ns}/deployments/web;");
    let app = format!("/apis/app/v1/namespaces/{ns}/deployments/web");
    for (arguments, status, reason, next) in [
        (json!({"path": at("configmaps/none")}), 404, "NotFound", "as: table"),
        (json!({"path": at("nothings")}), 404, "NotFound", "GET /apis"),
        (json!({"path": at("configmap")}), 404, "NotFound", &*at("configmaps;")),
        (json!({"path": at("pod/idle")}), 404, "NotFound", &*at("pods/idle;")),
        (json!({"path": at("deployments/web")}), 404, "NotFound", &*apps),
        (json!({"path": at("pods/idle/logs")}), 404, "NotFound", "come near: log"),
        (
            json!({"path": at("pods/none/log")}),
            404,
            "NotFound",
            &*format!("(path: {}, as: table)", at("pods")),
        ),
        (
            json!({"path": "/api/v1/namespaces/none"}),
            404,
            "NotFound",
            "(path: /api/v1/namespaces, as: table)",
        ),
        (json!({"path": app}), 404, "NotFound", &*apps),
        (json!({"path": "/apis/app/v1"}), 404, "NotFound", "GET /"),
        (json!({"path": "/apis/no.such/v1/things"}), 404, "NotFound", "GET /apis"),
        (json!({"path": at("pods/idle/log"), "query": {"container": "none"}}), 400, "BadRequest", "query"),
        (json!({"path": at("pods"), "query": {"labelSelector": "a in"}}), 400, "BadRequest", "query"),
        (json!({"path": at("pods/idle/eviction")}), 405, "MethodNotAllowed", "verbs"),
    ] {
        let answer = read(&mcp, arguments.clone()).await;
        assert!(answer.is_error, "{arguments}: {}", answer.text);
        assert_eq!(
            (&answer.structure["status"], &answer.structure["reason"]),
            (&json!(status), &json!(reason)),
            "{arguments}: {}",
            answer.text
        );
        let message = answer.structure["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty() && answer.text.contains(message), "{arguments}: {}", answer.text);
        assert!(
            answer.text.starts_with(&format!("the cluster answered {status} {reason}: ")),
            "{}",
            answer.text
        );
        assert!(answer.text.contains("Next: ") && answer.text.contains(next), "{arguments}: {}", answer.text);
        let group = arguments["path"].as_str().is_some_and(|path| path.starts_with("/apis/app/"));
        let said = "the API group \"app\" is not served (nearest: apps)";
        assert_eq!(answer.text.contains(said), group, "{}", answer.text);
        assert!(!answer.text.contains("is this the URL"), "{}", answer.text);
    }
    let head = read(&mcp, json!({"path": at("configmaps/none"), "method": "HEAD"})).await;
    assert!(head.is_error && head.structure["status"] == 405, "{}", head.text);
    assert!(head.text.contains("GET with fields"), "{}", head.text);
    for (arguments, said) in [
        (json!({"path": format!("{}?limit=1", at("pods"))}), "give the query apart"),
        (json!({"path": "api/v1/pods"}), "must begin with one /"),
        (json!({"path": "/api/v1/../../x"}), "a segment that is . or"),
        (json!({"path": "/api/v1/namespaces/a%2fb/pods"}), "encoded separator"),
        (json!({"path": at("pods"), "query": {"watch": "true"}}), "a tool answers once"),
        (json!({"path": at("pods/idle/log"), "query": {"follow": true}}), "a tool answers once"),
        (json!({"path": at("pods"), "query": {"limit": 5}}), "the argument \"limit\""),
        (json!({"path": at("pods"), "query": {"continue": "x"}}), "the argument \"cursor\""),
        (json!({"path": at("pods/idle/exec")}), "kubernetes.proxy.write"),
        (json!({"path": at("services/x/proxy/y")}), "kubernetes.proxy.write"),
        (json!({"path": at("pods"), "fields": ["a..b"]}), "spec.containers[].image"),
        (json!({"path": at("pods"), "method": "POST"}), "Possible: GET, HEAD"),
        (json!({"path": at("pods"), "cursor": "nonsense"}), "\"cursor\""),
        (json!({"path": at("pods"), "query": {"labelSelector": "x".repeat(20_000)}}), "16 KiB"),
    ] {
        let answer = read(&mcp, arguments.clone()).await;
        assert!(answer.is_error && answer.text.contains(said), "{arguments}: {}", answer.text);
    }
    let surplus = read(&mcp, json!({"path": at("pods/")})).await;
    assert!(surplus.is_error && surplus.text.ends_with("leave the surplus / out."), "{}", surplus.text);

    let lines = rig.lines(30);
    let lost = |line: &Value| line["status"] == 404 || line["request"]["status"] == 404;
    let lines: Vec<&Value> = lines.iter().filter(|line| !lost(line)).collect();
    let sent: u64 = lines.iter().filter_map(|line| line["upstream_requests"].as_u64()).sum();
    assert_eq!(sent, 4, "what is wrong in itself is not sent");
}

/// A Secret with the value in every place that one has, and two objects that hold another.
fn vault(namespace: &str) -> String {
    let note = format!("{{namespace: {namespace}, name: vault, annotations: {{note: 'copy of {PLANTED}'}}}}");
    let nested =
        "[{apiVersion: v1, kind: Secret, metadata: {name: inner}, stringData: {any: nested-planted-value}}]";
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {note}\nstringData: {{password: {PLANTED}, quoted: \"it's \\\"{PLANTED}\\\"\"}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{namespace: {namespace}, name: config}}\ndata:\n  adminPassword: {PLANTED}\n  \
         app.properties: \"user=a\\npassword=other-planted-value\\n\"\n  kubeconfig: 'users: [{{name: a, user: {{token: third-planted-value}}}}]'\n---\n\
         apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {{name: nested-{namespace}}}\nspec:\n  schema: {{apiVersion: v1alpha1, kind: Nested, \
         group: nested.test.kro.run, spec: {{}}}}\n  resources: [{{id: s, template: {}}}]\n",
        nested.trim_matches(['[', ']'])
    )
}

#[track_caller]
fn holds_no_value(answer: &ToolAnswer, asked: &Value) {
    let shown = format!("{}\n{}", answer.text, answer.structure);
    for value in [PLANTED, "other-planted-value", "third-planted-value", "nested-planted-value"] {
        for form in [value.to_owned(), STANDARD.encode(value)] {
            assert!(!shown.contains(&form), "{asked} shows {form}:\n{shown}");
        }
    }
    assert!(!shown.contains("hunter2") && !shown.contains("last-applied"), "{asked}:\n{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_comes_in_every_form_without_its_values() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("vault");
    let ns: &str = &namespace;
    plane.apply(&vault(ns));
    let rig = Rig::local("viewer");
    let mcp = rig.mcp();
    let secrets = format!("/api/v1/namespaces/{ns}/secrets");
    let one = format!("{secrets}/vault");
    for arguments in [
        json!({"path": one}),
        json!({"path": one, "fields": ["data", "metadata.annotations"]}),
        json!({"path": one, "fields": ["data.password", "data['quoted']"]}),
        json!({"path": one, "fields": ["*"]}),
        json!({"path": one, "as": "table", "query": {"includeObject": "Object"}}),
        json!({"path": one, "query": {"pretty": "true"}}),
        json!({"path": secrets}),
        json!({"path": secrets, "fields": ["data"]}),
        json!({"path": secrets, "fields": ["metadata.annotations"]}),
        json!({"path": secrets, "as": "table"}),
        json!({"path": secrets, "as": "table", "query": {"includeObject": "Object"}}),
        json!({"path": "/api/v1/secrets", "query": {"fieldSelector": "metadata.name=vault"}}),
        json!({"path": one.replace("secrets", "%73ecrets")}),
        json!({"path": format!("/api/v1/namespaces/{ns}/configmaps/config")}),
        json!({"path": format!("/api/v1/namespaces/{ns}/configmaps"), "fields": ["data"]}),
        json!({"path": format!("/apis/kro.run/v1alpha1/resourcegraphdefinitions/nested-{ns}")}),
    ] {
        let answer = good(&mcp, arguments.clone()).await;
        holds_no_value(&answer, &arguments);
    }
    let whole = good(&mcp, json!({"path": one})).await;
    assert_eq!(whole.structure["object"]["data"]["password"], "<redacted:21 bytes>", "keys stay");
    let watched = read(&mcp, json!({"path": format!("/api/v1/watch/namespaces/{ns}/secrets")})).await;
    assert!(watched.is_error && watched.text.contains("a tool answers once"), "{}", watched.text);
    let said = rig.server.said();
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_secrets_of_one_namespace_reads_those_alone() {
    let plane = ControlPlane::shared();
    let (mine, theirs) = (plane.namespace("mine"), plane.namespace("theirs"));
    let label = |namespace: &Namespace| {
        let name: &str = namespace;
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{namespace: {name}, name: pin, labels: {{pins: '{}'}}}}\nstringData: {{password: value-of-{name}}}\n",
            &*mine
        )
    };
    plane.apply(&format!("{}---\n{}", label(&mine), label(&theirs)));
    let (mine, theirs): (&str, &str) = (&mine, &theirs);
    let rig = Rig::ruled(&format!(
        "[{{roles: [viewer]}}, {{when: {{groups: team-a}}, allow: [kubernetes.secrets.read], within: {{namespaces: [{mine}]}}}}]"
    ));
    let encoded = |namespace: &str| STANDARD.encode(format!("value-of-{namespace}"));
    let alice = rig.person("alice").await;
    let at = |namespace: &str| json!({"path": format!("/api/v1/namespaces/{namespace}/secrets/pin")});
    let own = good(&alice, at(mine)).await;
    assert_eq!(own.structure["object"]["data"]["password"], encoded(mine), "{}", own.text);
    let other = good(&alice, at(theirs)).await;
    assert_eq!(
        other.structure["object"]["data"]["password"],
        format!("<redacted:{} bytes>", encoded_length(theirs))
    );
    let both = json!({"path": "/api/v1/secrets", "query": {"labelSelector": format!("pins={mine}")}});
    let both = good(&alice, both).await;
    let shown = format!("{}{}", both.text, both.structure);
    assert_eq!(names(&both.structure["items"]).len(), 2, "{}", both.text);
    assert!(shown.contains(&encoded(mine)) && !shown.contains(&encoded(theirs)), "{shown}");
    let bob = good(&rig.person("bob").await, at(mine)).await;
    assert!(!format!("{}{}", bob.text, bob.structure).contains(&encoded(mine)), "{}", bob.text);
}

fn encoded_length(namespace: &str) -> usize {
    format!("value-of-{namespace}").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_one_namespace_reads_there_and_nowhere_else() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("scoped");
    let ns: &str = &namespace;
    plane.apply(&config_maps(ns, 1, "x"));
    let rig = Rig::ruled(&format!(
        "[{{when: {{groups: team-a}}, roles: [viewer], within: {{namespaces: [{ns}]}}}}, \
         {{when: {{groups: team-b}}, roles: [viewer]}}, {{when: {{groups: team-b}}, deny: [kubernetes.proxy], within: {{namespaces: [kube-system]}}}}]"
    ));
    let alice = rig.person("alice").await;
    let inside = json!({"path": format!("/api/v1/namespaces/{ns}/configmaps"), "as": "table"});
    assert!(good(&alice, inside).await.text.contains("c000"));
    assert!(
        good(&alice, json!({"path": "/api/v1"})).await.text.contains("configmaps"),
        "what there is, anyone may know"
    );
    let mark = plane.audit_mark();
    for (path, said) in [
        (
            "/api/v1/configmaps".to_owned(),
            "name a namespace in the path, as /api/v1/namespaces/NAMESPACE/configmaps",
        ),
        ("/apis/apps/v1/deployments".to_owned(), "/apis/apps/v1/namespaces/NAMESPACE/deployments"),
        ("/api/v1/namespaces".to_owned(), "kubernetes.proxy"),
        (format!("/api/v1/namespaces/{ns}"), "kubernetes.proxy"),
        ("/api/v1/nodes/none".to_owned(), "kubernetes.proxy"),
        ("/metrics".to_owned(), "kubernetes.proxy"),
        ("/API/v1/namespaces/default/configmaps".to_owned(), "kubernetes.proxy"),
        ("/api/v1/namespaces/default/configmaps".to_owned(), "kubernetes.proxy for"),
        ("/api/v1/namespaces/none-such/configmaps".to_owned(), "kubernetes.proxy for"),
    ] {
        let denied = read(&alice, json!({"path": path})).await;
        assert!(denied.is_error && denied.text.contains(said), "{path}: {}", denied.text);
        assert_eq!(denied.structure, Value::Null, "{path}");
    }
    let bob = read(&rig.person("bob").await, json!({"path": "/api/v1/configmaps"})).await;
    assert!(
        bob.is_error && bob.text.contains("all of"),
        "a part is taken away, so not the whole: {}",
        bob.text
    );
    let sent = plane.audit_since(mark, "platform-mcp/");
    let lines = rig.lines(12);
    let calls: BTreeSet<&str> = lines.iter().skip(2).filter_map(|line| line["call"].as_str()).collect();
    assert!(!sent.iter().any(|line| calls.iter().any(|call| line.user_agent.ends_with(call))), "{sent:#?}");
    assert!(lines.iter().skip(2).all(|line| line["decision"] == "deny"), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_audited_is_what_is_sent_byte_for_byte() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("bytes");
    let ns: &str = &namespace;
    let rig = Rig::local("viewer");
    let mcp = rig.mcp();
    let mark = plane.audit_mark();
    let paths = [
        format!("/api/v1/namespaces/{ns}/configmaps"),
        format!("/api/v1/namespaces/{ns}/config%6daps/kube-root-ca.crt"),
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode".to_owned(),
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node".to_owned(),
        format!("/api/v1/namespaces/{ns}/pods/a%20b~c"),
    ];
    for path in &paths {
        read(&mcp, json!({"path": path, "query": {"labelSelector": "a in (b,c)"}})).await;
    }
    let lines = rig.lines(paths.len());
    for (line, path) in lines.iter().zip(&paths) {
        assert_eq!(line["request"]["path"], json!(path), "{line}");
        let call = line["call"].as_str().unwrap_or_default();
        let seen = plane.audit_until(mark, "platform-mcp/", |seen| {
            seen.iter().any(|one| one.id.starts_with(&format!("{call}.")))
        });
        let theirs = seen.iter().find(|one| one.id.starts_with(&format!("{call}."))).expect("waited for");
        assert_eq!(theirs.uri.split('?').next(), Some(path.as_str()), "{theirs:?}");
        assert_eq!(line["request"]["status"], json!(theirs.code), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_cluster_is_its_own_words_and_stands_in_the_audit_line() {
    let plane = ControlPlane::shared();
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.server}],
    });
    let config = format!(
        "clusters: {clusters}\naudit: {{to: audit.log}}\nissuers: [{}]\n",
        Provider::shared().entry("[{roles: [admin]}]")
    );
    let rig = Rig { server: Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve() };
    let answer = read(&rig.person("alice").await, json!({"path": "/api/v1/namespaces/team-b/secrets"})).await;
    assert!(answer.is_error, "{}", answer.text);
    assert_eq!(
        (&answer.structure["status"], &answer.structure["reason"]),
        (&json!(403), &json!("Forbidden"))
    );
    for said in
        ["User \"oidc:alice\" cannot list resource \"secrets\"", "RBAC", "our own permissions allowed"]
    {
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
    }
    let line = rig.lines(1).remove(0);
    assert_eq!((&line["decision"], &line["refused_by"]), (&json!("allow"), &json!("cluster")), "{line}");
}

/// The sample platform's API, with faults, and the product over it.
struct Faults {
    upstream: Faulty,
    rig: Rig,
}

impl Faults {
    async fn start() -> Self {
        let upstream = Faulty::start().await;
        let clusters = format!("clusters: {{static: [{{name: lab, url: \"{}\"}}]}}\n", upstream.url);
        let config = format!("{clusters}audit: {{to: audit.log}}\n");
        let rig = Rig { server: Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve() };
        Self { upstream, rig }
    }

    async fn read(&self, fault: Fault, arguments: Value) -> ToolAnswer {
        self.upstream.reset();
        self.upstream.when("/x", fault);
        read(&self.rig.mcp(), arguments).await
    }
}

const AT: &str = "/api/v1/namespaces/shop/configmaps/x";

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_fails_is_told_as_it_fails() {
    let faults = Faults::start().await;
    for (status, body, reason, said, tries) in [
        (
            410,
            r#"{"kind":"Status","reason":"Expired","message":"too old","code":410}"#,
            "Expired",
            "newer version",
            1,
        ),
        (
            401,
            r#"{"kind":"Status","reason":"Unauthorized","message":"Unauthorized"}"#,
            "Unauthorized",
            "platform-mcp check",
            1,
        ),
        (503, "busy", "ServiceUnavailable", "Retryable", 3),
        (
            406,
            r#"{"kind":"Status","reason":"NotAcceptable","message":"only the following"}"#,
            "NotAcceptable",
            "as: json",
            1,
        ),
        (302, "<html><a href=\"http://elsewhere\">", "Found", "redirect is not followed", 1),
        (418, "", "I'mateapot", "an empty body", 1),
    ] {
        let answer = faults.read(Fault::Answer(status, body), json!({"path": AT})).await;
        assert!(answer.is_error, "{status}: {}", answer.text);
        assert_eq!(
            (&answer.structure["status"], &answer.structure["reason"]),
            (&json!(status), &json!(reason)),
            "{}",
            answer.text
        );
        assert!(answer.text.contains(said), "{status}: {}", answer.text);
        assert!(!answer.text.contains("elsewhere"), "{}", answer.text);
        assert_eq!(faults.upstream.seen().len(), tries, "{status}");
    }
    let slow = faults.read(Fault::Throttle(7), json!({"path": AT})).await;
    assert!(slow.is_error && slow.structure["status"] == 429, "{}", slow.text);
    assert!(slow.text.contains("TooManyRequests") && slow.text.contains("wait 7 s"), "{}", slow.text);
    for (fault, said) in [
        (Fault::Huge(50 << 20), "larger than 16 MiB"),
        (Fault::Truncate, "Retryable"),
        (Fault::Answer(200, "{\"kind\":"), "ends in the middle"),
    ] {
        let answer = faults.read(fault, json!({"path": AT})).await;
        assert!(answer.is_error && answer.text.contains(said), "{said}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_answer_about_secrets_shows_nothing_of_them() {
    let faults = Faults::start().await;
    // what is Opaque to us is so in any form: `planted-hunter2-value` in base64 and as it is
    let secrets = |rest: Value| {
        let mut asked = json!({"path": "/api/v1/namespaces/shop/secrets"});
        asked.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        asked
    };
    let bodies = [
        r#"{"items":[{"data":{"any":"planted-hunter2-value"}}]}"#,
        r#"{"kind":"ConfigMapList","items":[{"kind":"ConfigMap","data":{"any":"planted-hunter2-value"}}]}"#,
        r#"{"kind":"SecretList","apiVersion":"v1","items":[{"data":{"any":["planted-hunter2-value"]}}]}"#,
        r#"{"kind":"SecretList","apiVersion":"v1","items":[{"data":"planted-hunter2-value"}]}"#,
        r#"{"kind":"List","items":[{"kind":"List","items":[{"stringData":{"any":"planted-hunter2-value"}}]}]}"#,
        r#"{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Value"}],"rows":[{"cells":["a","planted-hunter2-value"]}]}"#,
        r#"{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Data"}],"rows":[{"cells":["a","planted-hunter2-value"],"object":{"kind":"Secret","data":{"a":"planted-hunter2-value"}}}]}"#,
        r#"{"type":"ADDED","object":{"kind":"Secret","data":{"any":"planted-hunter2-value"}}}"#,
        r#"["planted-hunter2-value"]"#,
        r#""planted-hunter2-value""#,
        r#"{"kind":"SecretList","items":[["planted-hunter2-value"],"planted-hunter2-value"]}"#,
        "any: planted-hunter2-value",
    ];
    for body in bodies {
        for rest in [
            json!({}),
            json!({"as": "table"}),
            json!({"fields": ["*", "data", "items[].data", "rows", "object"]}),
        ] {
            let asked = secrets(rest);
            faults.upstream.reset();
            faults.upstream.when("/secrets", Fault::Answer(200, body));
            let answer = read(&faults.rig.mcp(), asked.clone()).await;
            holds_no_value(&answer, &json!([asked, body]));
        }
    }
    // and of what calls itself one, wherever it comes from
    for body in [
        r#"{"kind":"Secret","apiVersion":"v1","data":{"any":"planted-hunter2-value"}}"#,
        r#"{"kind":"Secret","apiVersion":"vault.example/v1","data":{"any":"planted-hunter2-value"}}"#,
        r#"{"kind":"Bundle","spec":{"of":[{"kind":"Secret","apiVersion":"v1","data":{"any":"planted-hunter2-value"}}]}}"#,
        r#"{"kind":"Bundle","spec":{"of":{"kind":"SecretList","apiVersion":"v1","items":[{"data":{"any":"planted-hunter2-value"}}]}}}"#,
        r#"{"kind":"TokenRequest","status":{"token":"planted-hunter2-value"}}"#,
    ] {
        let answer = faults.read(Fault::Answer(200, body), json!({"path": AT})).await;
        assert!(!answer.is_error, "{}", answer.text);
        holds_no_value(&answer, &json!(body));
    }
    let logs = Fault::Answer(
        200,
        "users: [{user: {token: planted-hunter2-value}}]\npassword=planted-hunter2-value\n",
    );
    let answer = faults.read(logs, json!({"path": "/api/v1/namespaces/shop/pods/x/log"})).await;
    holds_no_value(&answer, &json!("log"));
}
