//! Clusters that a Backstage catalog describes, from a stub of its contract: they come in pages, stay while the
//! catalog is away, and get nothing of the server's own.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::authority::Authority;
use crate::catalog::{Catalog, Mood, TOKEN, entity};
use crate::faulty::Faulty;
use crate::issuer::Issuer;
use crate::mcp::{Mcp, ToolAnswer};
use crate::server::{Product, Server};

const HEADER: &str = "backstage-kubernetes-authorization";

fn clusters(catalog: &Catalog, more: &str) -> String {
    format!(
        "clusters: {{kubeconfig: {{enabled: false}}, backstage: {{url: '{}', token: {TOKEN}, hosts: [127.0.0.1]{more}}}}}\n",
        catalog.url
    )
}

fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

pub(crate) fn names(answer: &ToolAnswer) -> Vec<String> {
    let rows = answer.structure["rows"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    let mut names: Vec<String> = rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

pub(crate) fn row<'a>(answer: &'a ToolAnswer, name: &str) -> &'a Value {
    let rows = answer.structure["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {answer:?}"))
}

async fn until(client: &Mcp, what: &str, holds: impl Fn(&ToolAnswer) -> bool) -> ToolAnswer {
    within(Duration::from_secs(20), client, what, holds).await
}

/// What `kubernetes_clusters` answers once it answers this, which must be in `time`.
pub(crate) async fn within(
    time: Duration,
    client: &Mcp,
    what: &str,
    holds: impl Fn(&ToolAnswer) -> bool,
) -> ToolAnswer {
    let began = Instant::now();
    loop {
        let answer = client.call("kubernetes_clusters", json!({})).await;
        if holds(&answer) {
            return answer;
        }
        assert!(began.elapsed() < time, "in vain: {what}: {}", answer.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_of_a_catalog_come_in_pages_and_stay_while_it_is_away() {
    let (upstream, authority) = (Faulty::start().await, Authority::new().pem());
    let cluster = |name: &str| entity(name, &upstream.url, &authority);
    let mut elsewhere = cluster("deep");
    elsewhere["metadata"]["namespace"] = "team-a".into();
    let mut foreign = cluster("foreign");
    foreign["metadata"]["annotations"]["kubernetes.io/api-server"] = "https://cluster.evil.example".into();
    let mut half = cluster("half");
    half["metadata"]["annotations"]["kubernetes.io/api-server-certificate-authority"] = Value::Null;
    let all =
        vec![cluster("one"), foreign, cluster("two"), half, elsewhere, cluster("twice"), cluster("twice")];
    let catalog = Catalog::start(all.clone()).await;
    let server =
        serve(&format!("{}metrics: {{address: '127.0.0.1:0'}}\n", clusters(&catalog, ", refreshSeconds: 1")));
    let client = Mcp::new(server.url("/mcp")).header(HEADER, "Bearer my-own-cluster-token");

    // the first call waits for the first reading
    let answer = client.call("kubernetes_clusters", json!({})).await;
    assert_eq!(names(&answer), ["one", "team-a/deep", "two"], "{}", answer.text);
    let one = row(&answer, "one");
    assert_eq!((&one["source"], &one["identity"]), (&json!("backstage"), &json!("caller-header")));
    assert_eq!((&one["reachable"], one["version"].is_string()), (&json!(true), true), "{one}");
    assert!(!answer.text.contains("foreign") && !answer.text.contains("source backstage"), "{}", answer.text);
    server.wait_for(|said| said.contains("\"resource:default/foreign\": the host of its").then_some(()));
    server.wait_for(|said| said.contains("\"resource:default/half\": it lacks the annotation").then_some(()));
    server.wait_for(|said| said.contains("the cluster \"twice\" is there more than once").then_some(()));
    let queries = catalog.queries();
    assert!(queries.len() >= 4, "four pages: {queries:?}");
    assert!(queries.iter().all(|query| query.iter().any(|(key, _)| key == "fields")), "{queries:?}");

    // without a token for it, nothing is sent there
    let sent = upstream.seen().len();
    let bare = Mcp::new(server.url("/mcp")).call("kubernetes_clusters", json!({"cluster": "one"})).await;
    assert!(bare.text.contains("Backstage-Kubernetes-Authorization"), "{}", bare.text);
    assert_eq!(
        (&row(&bare, "one")["reachable"], upstream.seen().len()),
        (&Value::Null, sent),
        "{}",
        bare.text
    );

    for (mood, why) in
        [(Mood::Answers(503), "503"), (Mood::Answers(302), "redirects"), (Mood::Answers(401), "token")]
    {
        catalog.is(mood);
        let answer = until(&client, why, |answer| answer.text.contains(why)).await;
        assert_eq!(names(&answer), ["one", "team-a/deep", "two"], "{}", answer.text);
        assert_eq!(answer.structure["partial"], true, "{}", answer.structure);
        assert!(answer.text.contains("source backstage: not read for "), "{}", answer.text);
        assert!(!answer.text.contains("planted"), "{}", answer.text);
    }
    let metrics = reqwest::get(server.metrics_url()).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("mcp_server_cluster_source_failing{source=\"backstage\"} 1"), "{metrics}");
    assert!(metrics.contains("mcp_server_clusters 3"), "{metrics}");
    let named = client.call("kubernetes_clusters", json!({"cluster": "two"})).await;
    assert!(!named.is_error && named.text.contains("not read for"), "{}", named.text);

    catalog.is(Mood::Hangs);
    let began = Instant::now();
    let answer = client.call("kubernetes_clusters", json!({})).await;
    assert_eq!(names(&answer).len(), 3, "nobody waits for a catalog whose clusters are known");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());

    catalog.holds(all.into_iter().take(1).chain([cluster("three")]).collect());
    catalog.is(Mood::Well);
    let answer = until(&client, "it is back", |answer| names(answer) == ["one", "three"]).await;
    assert!(!answer.text.contains("source backstage"), "{}", answer.text);
    let said = server.said();
    assert_eq!(said.matches("it cannot be read: ").count(), 1, "{said}");
    assert_eq!(said.matches("it is read again").count(), 1, "{said}");
    assert!(!said.contains(TOKEN) && !said.contains("my-own-cluster-token"), "{said}");

    // each token goes where it belongs
    for headers in upstream.headers() {
        assert_eq!(headers["authorization"], "Bearer my-own-cluster-token", "{headers:?}");
        assert!(headers.keys().all(|name| !name.as_str().starts_with("backstage-")), "{headers:?}");
    }
    for headers in catalog.headers() {
        assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalog_that_does_not_answer_at_first_holds_nobody_up_for_long() {
    let (upstream, authority) = (Faulty::start().await, Authority::new().pem());
    let catalog = Catalog::start(vec![entity("late", &upstream.url, &authority)]).await;
    catalog.is(Mood::Hangs);
    let lab = format!("static: [{{name: lab, url: '{}'}}]", upstream.url);
    let config =
        clusters(&catalog, ", refreshSeconds: 1").replace("kubeconfig:", &format!("{lab}, kubeconfig:"));
    let server = serve(&config);
    let client = Mcp::new(server.url("/mcp")).header(HEADER, "a-token");
    let began = Instant::now();
    let whoami = client.call("whoami", json!({})).await;
    assert!(!whoami.is_error && began.elapsed() < Duration::from_secs(2), "it is about no cluster");
    let (all, named) = tokio::join!(
        client.call("kubernetes_clusters", json!({})),
        client.call("kro_instances", json!({"cluster": "late"}))
    );
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(names(&all), ["lab"], "{}", all.text);
    assert!(all.text.contains("source backstage: not read yet"), "{}", all.text);
    assert!(named.is_error && named.text.contains("no cluster \"late\" is known so far"), "{}", named.text);
    assert!(named.text.contains("Retryable"), "{}", named.text);
    let again = Instant::now();
    client.call("kubernetes_clusters", json!({})).await;
    assert!(again.elapsed() < Duration::from_secs(2), "it was waited for once");
    assert_eq!(catalog.asked(), 1, "once for all of them");
    catalog.is(Mood::Well);
    until(&client, "it is well", |answer| names(answer) == ["lab", "late"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_see_no_cluster_of_a_source_hears_nothing_of_it() {
    let (upstream, authority, issuer) = (Faulty::start().await, Authority::new().pem(), Issuer::start());
    let catalog = Catalog::start(vec![entity("prod", &upstream.url, &authority)]).await;
    let rules = "[{when: {groups: team-a}, roles: [viewer], within: {clusters: [prod]}}, \
                 {when: {groups: team-b}, roles: [viewer], within: {clusters: [lab]}}]";
    let lab = format!("static: [{{name: lab, url: '{}', identity: own}}]", upstream.url);
    let clusters =
        clusters(&catalog, ", refreshSeconds: 1").replace("kubeconfig:", &format!("{lab}, kubeconfig:"));
    let server = serve(&format!("{clusters}issuers: [{}]\n", issuer.entry(rules)));
    let person = |name: &str| Mcp::with_token(server.url("/mcp"), &issuer.forge().good(name));
    let (alice, bob) = (person("alice"), person("bob"));
    assert_eq!(names(&alice.call("kubernetes_clusters", json!({})).await), ["prod"]);
    catalog.is(Mood::Answers(503));
    until(&alice, "it is away", |answer| answer.text.contains("source backstage: not read for")).await;
    let answer = bob.call("kubernetes_clusters", json!({})).await;
    assert_eq!(names(&answer), ["lab"]);
    assert!(!answer.text.contains("backstage") && answer.structure["partial"].is_null(), "{}", answer.text);
    let hidden = bob.call("kubernetes_clusters", json!({"cluster": "prod"})).await;
    let absent = bob.call("kubernetes_clusters", json!({"cluster": "prox"})).await;
    assert_eq!(hidden.text, absent.text.replace("prox", "prod"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_end_at_once_read_the_catalog_too() {
    let (upstream, authority) = (Faulty::start().await, Authority::new().pem());
    let entities = ["one", "two"].map(|name| entity(name, &upstream.url, &authority));
    let catalog = Catalog::start(entities.to_vec()).await;
    let run = async |arguments: &[&'static str]| {
        let product = Product::new(arguments).config(&clusters(&catalog, ""));
        let ran = tokio::task::spawn_blocking(move || product.output()).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ran.status.success(), text(&ran.stdout), text(&ran.stderr))
    };
    let (_, out, err) = run(&["call", "kubernetes_clusters"]).await;
    assert!(out.starts_with("2 clusters") && out.contains("caller-header"), "{out}{err}");
    let (good, out, _) = run(&["check"]).await;
    let place = catalog.url.as_str();
    assert!(out.contains(&format!("source backstage (Backstage catalog {place}): 2 clusters")), "{out}");
    assert!(out.contains("identity caller-header"), "{out}");
    assert!(good && out.contains("cluster one: ") && out.contains("is asked as each caller"), "{out}");
    for (mood, said) in [
        (Mood::Answers(500), "the catalog answers 500"),
        (Mood::Answers(403), "does not take the token (403)"),
        (Mood::Endless, "do not come to an end"),
    ] {
        catalog.is(mood);
        let (good, out, _) = run(&["check"]).await;
        assert!(!good && out.contains(said) && out.contains("clusters.backstage"), "{out}");
        let (good, _, err) = run(&["call", "kro_instances", "cluster=one"]).await;
        assert!(!good && err.contains("no cluster \"one\" is known so far") && err.contains(said), "{err}");
    }
}
