//! Subscriptions to resources, in each era: told of each change, authorised each for themselves, one watch
//! for all who follow the same object, and an end when anything that they need has gone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    issuer::Issuer,
    kro_watch::{instance, latch, switch},
    kubectl::Namespace,
    listen::Listen,
    mcp::{LEGACY, Mcp, stateless},
    oidc::Provider,
    reload::reload,
    server::{Product, Server, StdioServer},
};

/// In which a message that does not come would have come.
const QUIET: Duration = Duration::from_millis(1_500);
/// In which one comes that does.
const SOON: Duration = Duration::from_secs(15);

/// An instance that is ready, of which kro rewrites nothing any more.
fn ready(prefix: &str) -> (&'static ControlPlane, Namespace) {
    let plane = latch();
    let namespace = plane.namespace(prefix);
    instance(plane, &namespace, "one");
    switch(plane, &namespace, "one", "yes");
    plane.kubectl(&["wait", "latch/one", "-n", &namespace, "--for=condition=Ready", "--timeout=90s"]);
    (plane, namespace)
}

fn touch(plane: &ControlPlane, namespace: &Namespace, object: &str) {
    static TOUCHED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = TOUCHED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let note = format!("test.example/touched={number}");
    plane.kubectl(&["annotate", "--overwrite", object, "-n", namespace, &note]);
}

const WIDE: &str = "limits: {requestsPerSecond: 1000000, burst: 1000000, concurrentCalls: 1000, subscriptionsPerCaller: 400}\naudit: {to: audit.log}\n";

fn serve(kubeconfig: &std::path::Path) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(WIDE).kubeconfig(kubeconfig).serve()
}

fn uri(namespace: &Namespace) -> String {
    format!("kro://test/{namespace}/Latch/one")
}

/// Subscribes, and takes the acknowledgement: which of them are followed.
async fn listen(client: &Mcp, id: &str, uris: &[&str]) -> (Listen, Vec<String>) {
    let mut stream = Listen::ask(client, id, &json!({"resourceSubscriptions": uris})).await;
    let first = stream.next(SOON).await.expect("an acknowledgement");
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
    let followed = first["params"]["notifications"]["resourceSubscriptions"].as_array().cloned();
    let followed =
        followed.unwrap_or_default().iter().filter_map(|uri| uri.as_str().map(str::to_owned)).collect();
    (stream, followed)
}

/// The resource that is told of next.
async fn updated(stream: &mut Listen, within: Duration) -> Option<String> {
    let message = stream.next(within).await?;
    assert_eq!(message["method"], "notifications/resources/updated", "{message}");
    assert!(message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].is_string(), "{message}");
    message["params"]["uri"].as_str().map(str::to_owned)
}

/// Our own audit lines of subscriptions that began, and of those that ended.
fn audited(server: &Server) -> (Vec<Value>, Vec<Value>) {
    let lines: Vec<Value> =
        server.read("audit.log").lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |what: &str| lines.iter().filter(|line| line["follows"] == what).cloned().collect();
    (of("begin"), of("end"))
}

async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn watches<'l>(lines: &'l [AuditLine], namespace: &Namespace) -> Vec<&'l AuditLine> {
    let of = |line: &&AuditLine| {
        line.verb == "watch" && line.uri.contains(&**namespace) && line.uri.contains("latches")
    };
    lines.iter().filter(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_what_is_followed_is_told_and_nothing_else() {
    let (plane, namespace) = ready("followed");
    let server = serve(&plane.kubeconfig);
    let mcp = Mcp::new(server.url("/mcp"));
    let (manifest, none) = (uri(&namespace), format!("kro://test/{namespace}/Latch/none"));
    let (graph, events) = (format!("{manifest}/graph"), format!("{manifest}/events"));
    let rgd = "kro://test/rgds/latch";
    let wanted =
        [&*manifest, &*graph, &*events, &*none, rgd, "kro://elsewhere/a/Latch/b", "file:///etc/passwd"];
    let (mut stream, followed) = listen(&mcp, "s", &wanted).await;
    assert_eq!(followed, [&*manifest, &*events, &*graph, rgd], "what there is");
    assert_eq!(updated(&mut stream, QUIET).await, None, "nothing has changed");
    // the instance: its manifest and its graph
    touch(plane, &namespace, "latch/one");
    let mut told = [updated(&mut stream, SOON).await, updated(&mut stream, SOON).await];
    told.sort();
    assert_eq!(told, [Some(manifest.clone()), Some(graph.clone())]);
    assert_eq!(updated(&mut stream, QUIET).await, None);
    // an event of this very object
    let uid = plane.kubectl(&["get", "latch/one", "-n", &namespace, "-o", "jsonpath={.metadata.uid}"]);
    for (name, uid) in [("other", "11111111-1111-1111-1111-111111111111"), ("one", uid.trim())] {
        plane.apply(&json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": &*namespace},
            "involvedObject": {"apiVersion": "watch.test.kro.run/v1alpha1", "kind": "Latch", "name": "one", "namespace": &*namespace, "uid": uid},
            "reason": "Tested", "message": name, "type": "Normal"}).to_string());
    }
    assert_eq!(updated(&mut stream, SOON).await.as_ref(), Some(&events));
    assert_eq!(updated(&mut stream, QUIET).await, None);
    // a child: the graph alone; a swarm of changes is told by two at most
    for _ in 0..5 {
        touch(plane, &namespace, "configmap/one-first");
    }
    assert_eq!(updated(&mut stream, SOON).await.as_ref(), Some(&graph));
    let mut more = 0;
    while let Some(uri) = updated(&mut stream, QUIET).await {
        assert_eq!(uri, graph);
        more += 1;
    }
    assert!(more <= 2, "{more} more");
    // a child that comes later is followed as well
    plane.kubectl(&["delete", "service", "one-first-second", "-n", &namespace]);
    assert_eq!(updated(&mut stream, SOON).await.as_ref(), Some(&graph));
    while updated(&mut stream, QUIET).await.is_some() {}
    // what is gone has changed
    plane.kubectl(&["delete", "latch", "one", "-n", &namespace]);
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 2 {
        told.insert(updated(&mut stream, SOON).await.expect("it is told"));
    }
    assert!(told.contains(&manifest) && told.contains(&graph), "{told:?}");
    drop(stream);
    let (begun, ended) =
        until("four ends", || Some(audited(&server)).filter(|(_, ended)| ended.len() >= 4)).await;
    // what does not exist for them has its line too, as a call that found nothing
    let outcomes: Vec<_> = begun.iter().map(|line| line["outcome"].as_str().unwrap_or_default()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "ok").count(), 4, "{begun:#?}");
    assert!(ended.iter().all(|line| begun.iter().any(|other| other["call"] == line["call"])), "{ended:#?}");
    assert!(
        ended.iter().all(|line| line["outcome"] == "ok" && line["ms"].as_f64() > Some(1_000.0)),
        "{ended:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_subscriptions_cost_one_watch_which_ends_with_the_last() {
    let (plane, namespace) = ready("many");
    let server = serve(&plane.kubeconfig);
    let mcp = Mcp::new(server.url("/mcp"));
    let mark = plane.audit_mark();
    let uri = uri(&namespace);
    let streams = (0..200).map(|number| {
        let (mcp, uri) = (mcp.clone(), uri.clone());
        async move { listen(&mcp, &number.to_string(), &[&uri]).await }
    });
    let before = under_way(plane);
    let mut streams: Vec<(Listen, Vec<String>)> = futures::future::join_all(streams).await;
    assert!(streams.iter().all(|(_, followed)| followed.len() == 1));
    // other tests begin and end watches of theirs meanwhile; the audit log counts ours below
    assert!(under_way(plane) < before + 20, "two hundred subscriptions are not two hundred watches");
    touch(plane, &namespace, "latch/one");
    for (stream, _) in &mut streams {
        assert_eq!(updated(stream, SOON).await.as_ref(), Some(&uri));
    }
    let lines = plane.audit_since(mark, "platform-mcp/");
    assert!(watches(&lines, &namespace).is_empty(), "a watch that goes on has no line yet");
    let last = streams.pop();
    drop(streams);
    until("199 ends", || Some(audited(&server).1).filter(|ended| ended.len() >= 199)).await;
    let (mut stream, _) = last.expect("one is left");
    touch(plane, &namespace, "latch/one");
    assert_eq!(updated(&mut stream, SOON).await.as_ref(), Some(&uri), "the last is still told");
    drop(stream);
    let ended = |lines: &[AuditLine]| !watches(lines, &namespace).is_empty();
    plane.audit_until(mark, "platform-mcp/", ended);
    tokio::time::sleep(QUIET).await;
    let lines = plane.audit_since(mark, "platform-mcp/");
    let watched = watches(&lines, &namespace);
    // handed over where the one that it ran as left, and to no more than were left then
    assert!(watched.len() <= 10, "{watched:#?}");
    let agents: std::collections::BTreeSet<&str> = watched.iter().map(|line| &*line.user_agent).collect();
    assert_eq!(agents.len(), 1, "one watch, taken up as another: {agents:?}");
}

/// Watches of the kind that the API server serves now, as it counts them itself.
fn under_way(plane: &ControlPlane) -> u64 {
    let metrics = plane.kubectl(&["get", "--raw", "/metrics"]);
    let of_kind = |line: &&str| {
        line.starts_with("apiserver_longrunning_requests{")
            && line.contains("resource=\"latches\"")
            && line.contains("verb=\"WATCH\"")
    };
    let counts =
        metrics.lines().filter(of_kind).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    counts.sum::<f64>() as u64
}

fn hello(server: &mut StdioServer) -> Value {
    let client =
        json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client});
    server.send_line(hello.to_string());
    let answer = server.answer_to(&json!(1));
    server.send_line(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
    answer
}

fn ask(server: &mut StdioServer, id: u32, method: &str, uri: &str) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"uri": uri}});
    server.send_line(request.to_string());
    server.answer_to(&json!(id))
}

#[tokio::test(flavor = "multi_thread")]
async fn over_stdio_each_era_has_its_own_way() {
    let (plane, namespace) = ready("stdio");
    let uri = uri(&namespace);
    let mut older = Product::new([""; 0]).kubeconfig(&plane.kubeconfig).stdio();
    let answer = hello(&mut older);
    assert_eq!(answer["result"]["capabilities"]["resources"], json!({"subscribe": true}), "{answer}");
    let subscribed = ask(&mut older, 2, "resources/subscribe", &uri);
    assert_eq!(subscribed["result"], json!({}), "{subscribed}");
    // what is not there: the words of reading it
    let none = format!("kro://test/{namespace}/Latch/none");
    let (read, refused) =
        (ask(&mut older, 3, "resources/read", &none), ask(&mut older, 4, "resources/subscribe", &none));
    assert_eq!(refused["error"], read["error"], "{refused}");
    assert_eq!(refused["error"]["code"], -32002, "{refused}");

    let mut newer = Product::new([""; 0]).kubeconfig(&plane.kubeconfig).stdio();
    let filter = json!({"notifications": {"resourceSubscriptions": [uri, none]}});
    newer.send_line(stateless(&json!("n"), "subscriptions/listen", &filter).to_string());
    let first = newer.receive(SOON).expect("an acknowledgement");
    assert_eq!(first["params"]["notifications"], json!({"resourceSubscriptions": [uri]}), "{first}");

    touch(plane, &namespace, "latch/one");
    for (server, id) in [(&older, Value::Null), (&newer, json!("n"))] {
        let told = server.receive(SOON).expect("a notification");
        assert_eq!(
            (&told["method"], &told["params"]["uri"]),
            (&json!("notifications/resources/updated"), &json!(uri)),
            "{told}"
        );
        assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id, "{told}");
    }
    let ended = ask(&mut older, 5, "resources/unsubscribe", &uri);
    assert_eq!(ended["result"], json!({}), "{ended}");
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "n"}});
    newer.send_line(cancel.to_string());
    tokio::time::sleep(Duration::from_millis(300)).await;
    touch(plane, &namespace, "latch/one");
    assert_eq!(older.receive(QUIET), None);
    assert!(newer.receive(QUIET).is_none_or(|message| message["method"].is_null()));
    // a host that goes away is not waited for
    ask(&mut older, 6, "resources/subscribe", &uri);
    for mut server in [older, newer] {
        server.end_input();
        assert!(server.ended(Duration::from_secs(3)).success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_the_older_era_is_offered_none() {
    let server = Server::demo();
    let mcp = Mcp::legacy(server.url("/mcp"));
    let client =
        json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
    let hello = mcp.result("initialize", client).await.expect("an answer");
    assert_eq!(hello["capabilities"]["resources"], json!({}), "{hello}");
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let uri = json!({"uri": "kro://sample/shop/Shop/outlet"});
        let error = mcp.result(method, uri).await.expect_err("no stream to tell on");
        assert_eq!(error.code, -32601, "{error:?}");
    }
    let offered = Mcp::new(server.url("/mcp")).result("server/discover", json!({})).await.expect("an answer");
    assert_eq!(offered["capabilities"]["resources"], json!({"subscribe": true}), "{offered}");
}

/// A way to the API server that can be closed.
struct Gate {
    port: u16,
    open: watch::Sender<bool>,
}

impl Gate {
    async fn before(plane: &ControlPlane) -> Self {
        let target = plane.server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (open, is_open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (target, mut is_open) = (target.clone(), is_open.clone());
                tokio::spawn(async move {
                    if !*is_open.borrow() {
                        return;
                    }
                    let Ok(mut server) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = is_open.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { port, open }
    }

    fn kubeconfig(&self, plane: &ControlPlane) -> std::path::PathBuf {
        let port = plane.server.rsplit(':').next().expect("a port");
        let file = plane.kubeconfig_for(&plane.tokens.admin);
        let text = std::fs::read_to_string(&file).expect("a kubeconfig");
        std::fs::write(&file, text.replace(&format!(":{port}\""), &format!(":{}\"", self.port)))
            .expect("written");
        file
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_away_loses_no_change() {
    let (plane, namespace) = ready("away");
    let gate = Gate::before(plane).await;
    let server = serve(&gate.kubeconfig(plane));
    let mcp = Mcp::new(server.url("/mcp"));
    let uri = uri(&namespace);
    let (mut stream, followed) = listen(&mcp, "s", &[&uri]).await;
    assert_eq!(followed.len(), 1);
    let waits =
        json!({"kind": "Latch", "namespace": &*namespace, "name": "one", "until": "changed", "seconds": 60});
    let (client, arguments) = (mcp.clone(), waits);
    let waiting = tokio::spawn(async move { client.call("kro_watch", arguments).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    for round in 0..2 {
        gate.open.send_replace(false);
        tokio::time::sleep(Duration::from_millis(500)).await;
        touch(plane, &namespace, "latch/one");
        if round == 1 {
            plane.kubectl(&["annotate", "latch/one", "-n", &namespace, "kro.run/reconcile=suspended"]);
        }
        assert_eq!(updated(&mut stream, Duration::from_secs(2)).await, None, "nobody can know");
        gate.open.send_replace(true);
        assert_eq!(updated(&mut stream, Duration::from_secs(30)).await.as_ref(), Some(&uri));
        while updated(&mut stream, QUIET).await.is_some() {}
    }
    let waited = waiting.await.expect("no panic");
    assert_eq!(
        (&waited.structure["ended"], &waited.structure["state"]),
        (&json!("reached"), &json!("suspended")),
        "{}",
        waited.text
    );
}

/// Rules by which alice may read everything, or what `deny` leaves.
fn rules(issuer: &Issuer, deny: &str) -> String {
    let rules = "[{when: {groups: team-a}, roles: [reader]}]";
    let role = format!("roles: {{reader: {{allow: ['kro.*'], deny: [{deny}]}}}}\n");
    let clusters = "clusters: {kubeconfig: {identity: own}}";
    format!("issuers: [{}]\n{clusters}\n{role}{}", issuer.entry(rules), WIDE.replace("400", "2"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_ends_with_the_permission_and_is_counted() {
    let (plane, namespace) = ready("rules");
    let issuer = Issuer::start();
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config(&rules(&issuer, ""))
        .kubeconfig(&plane.kubeconfig)
        .serve();
    let alice = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let (manifest, graph) = (uri(&namespace), format!("{}/graph", uri(&namespace)));
    let (mut first, followed) = listen(&alice, "1", &[&manifest]).await;
    assert_eq!(followed, [&*manifest]);
    let (mut second, _) = listen(&alice, "2", &[&graph]).await;
    // each URI is one
    let (mut third, followed) = listen(&alice, "3", &["kro://test/rgds/latch"]).await;
    assert!(followed.is_empty());
    let error = third.next(SOON).await.expect("an error");
    assert!(
        error["error"]["message"].as_str().is_some_and(|said| said.contains("you have 2 subscriptions")),
        "{error}"
    );
    // somebody without any permission has nothing to follow
    let bob = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("bob"));
    let (mut of_bob, followed) = listen(&bob, "b", &[&manifest]).await;
    assert!(followed.is_empty());
    of_bob.ended(SOON).await;
    // manifests may be read no more, and graphs may
    reload(&server, &rules(&issuer, "'kro.instances.view-yaml', 'kro.resources.view-yaml'"));
    first.ended(SOON).await;
    touch(plane, &namespace, "latch/one");
    assert_eq!(updated(&mut second, SOON).await.as_ref(), Some(&graph));
    let (_, ended) = audited(&server);
    assert!(ended.iter().any(|line| line["tool"] == "kro_yaml" && line["outcome"] != "ok"), "{ended:#?}");
    server.terminate();
    second.ended(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_ends_with_the_right_in_the_cluster() {
    let (plane, namespace) = ready("rights");
    let provider = Provider::shared();
    let may = json!({"apiGroups": ["*"], "resources": ["latches", "resourcegraphdefinitions", "customresourcedefinitions"], "verbs": ["get", "list", "watch"]});
    let api = "rbac.authorization.k8s.io";
    let bound = |person: &str| {
        json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": format!("{}-{person}", &*namespace)},
               "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": &*namespace},
               "subjects": [{"apiGroup": api, "kind": "User", "name": format!("oidc:{person}")}]})
    };
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": &*namespace}, "rules": [may]},
        bound("caller-41"), bound("caller-42")]}).to_string());
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "test", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.server}],
    });
    let config =
        format!("clusters: {clusters}\nissuers: [{}]\n{WIDE}", provider.entry("[{roles: [viewer]}]"));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let uri = uri(&namespace);
    let client = async |name: &str| Mcp::with_token(server.url("/mcp"), &provider.token(name).await);
    let (one, other, nobody) =
        (client("caller-41").await, client("caller-42").await, client("caller-43").await);
    let mark = plane.audit_mark();
    let (mut first, followed) = listen(&one, "1", &[&uri]).await;
    assert_eq!(followed, [&*uri]);
    let (mut second, _) = listen(&other, "2", &[&uri]).await;
    let (mut third, followed) = listen(&nobody, "3", &[&uri]).await;
    assert!(followed.is_empty(), "who may not read it has nothing to follow");
    third.ended(SOON).await;
    // the one as whom it is watched loses the right: the other goes on
    plane.kubectl(&["delete", "clusterrolebinding", &format!("{}-caller-41", &*namespace)]);
    tokio::time::sleep(Duration::from_secs(11)).await;
    touch(plane, &namespace, "latch/one");
    assert_eq!(updated(&mut second, SOON).await.as_ref(), Some(&uri));
    first.ended(Duration::from_secs(30)).await;
    touch(plane, &namespace, "latch/one");
    assert_eq!(updated(&mut second, SOON).await.as_ref(), Some(&uri));
    drop(second);
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| watches(lines, &namespace).len() >= 2);
    let users: Vec<_> =
        watches(&lines, &namespace).iter().filter_map(|line| line.impersonated_user.clone()).collect();
    assert_eq!(users, ["oidc:caller-41", "oidc:caller-42"], "handed over, as themselves");
}
