//! Clusters of Palette as clusters of ours: which are found, what they are called, and how callers with tokens of
//! their own reach them.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platform_mcp::demo::palette::{Cluster, Data, Failure, Fault, Kubeconfigs, Limits, Oidc, Project};
use serde_json::{Value, json};

use crate::{
    catalog_source::{names, row, within},
    control_plane::ControlPlane,
    exchange::{self, OURS, issuer, upstream},
    forge::AUDIENCE,
    mcp::Mcp,
    oidc::Provider,
    palette::{Palette, Tenant},
    server::{Product, Server},
    silent::Silent,
};

const NO_KUBECONFIG: &str = "clusters: {kubeconfig: {enabled: false}}\nlimits: {requestsPerSecond: 100000, burst: 100000, concurrentCalls: 200}\n";
const PROJECTS: &str = "GET /v1/dashboard/projects/metadata";
const PATIENCE: Duration = Duration::from_secs(20);

/// One environment with what its `clusterProvider` holds.
pub(crate) fn environment(name: &str, tenant: &Tenant, provider: &str) -> String {
    format!("{}      clusterProvider: {provider}\n", Palette::shared().environment(name, tenant))
}

pub(crate) fn config(environments: &[String]) -> String {
    format!(
        "{NO_KUBECONFIG}audit: {{to: audit.log}}\nspectrocloud:\n  environments:\n{}",
        environments.concat()
    )
}

pub(crate) fn serve(environments: &[String]) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(environments)).serve()
}

/// A kubeconfig of the control plane, whose user is this.
pub(crate) fn kubeconfig(plane: &ControlPlane, user: &str) -> String {
    let authority = STANDARD.encode(std::fs::read(&plane.ca_file).expect("the authority"));
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster:\n    server: {}\n    \
         certificate-authority-data: {authority}\ncontexts:\n- name: c\n  context: {{cluster: k, user: u}}\nusers:\n\
         - name: u\n  user: {user}\n",
        plane.server
    )
}

pub(crate) fn cluster(name: &str, project: Option<&Project>, state: &str) -> Cluster {
    Cluster { state: state.to_owned(), ..Cluster::new(name, project.map(|project| project.uid.as_str())) }
}

/// A cluster of the control plane, of which Palette says whose tokens it takes.
fn with_oidc(name: &str, project: &Project, kubeconfigs: Kubeconfigs) -> Cluster {
    let oidc = Oidc {
        issuer_url: Provider::shared().issuer().to_owned(),
        client_id: AUDIENCE.to_owned(),
        ..Oidc::default()
    };
    Cluster { kubeconfigs: Some(kubeconfigs), oidc: Some(oidc), ..cluster(name, Some(project), "Running") }
}

/// What Palette's users are handed.
fn for_users(plane: &ControlPlane) -> Kubeconfigs {
    let login = "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: kubelogin}}";
    Kubeconfigs { user: Some(kubeconfig(plane, login)), ..Kubeconfigs::default() }
}

fn lamp(cluster: &str, namespace: &str) -> Value {
    json!({"cluster": cluster, "kind": "Lamp", "namespace": namespace, "name": "desk"})
}

/// Names in several projects, and states in which there is nothing to reach.
fn fleet() -> Data {
    let (shop, bank, lab) = (Project::new("shop"), Project::new("bank"), Project::new("lab"));
    let clusters = vec![
        cluster("web", Some(&shop), "Running"),
        cluster("web", Some(&bank), "Running"),
        cluster("db", Some(&shop), "Error"),
        cluster("soon", Some(&shop), "Provisioning"),
        cluster("gone", Some(&shop), "Deleting"),
        cluster("play", Some(&lab), "Running"),
        cluster("core", None, "Running"),
        cluster("odd/name", Some(&shop), "Running"),
    ];
    Data { projects: vec![shop, bank, lab], clusters, limits: Limits::default(), ..Data::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_are_found_in_the_index_and_stay_while_palette_is_away() {
    let (one, two) = (Palette::shared().tenant(fleet()), Palette::shared().tenant(fleet()));
    let oidc = "{authType: oidc, projectAuthTypes: {bank: serviceAccount}, refreshIntervalSeconds: 1, excludeProjects: [lab]}";
    let narrow = "{authType: oidc, includeProjects: [bank], excludeTenantScopedClusters: true, refreshIntervalSeconds: 1}";
    let server = serve(&[environment("prod", &one, oidc), environment("test", &two, narrow)]);
    let mcp = Mcp::new(server.url("/mcp"));
    // the first call waits for the first reading
    let answer = mcp.call("kubernetes_clusters", json!({})).await;
    let all = ["core", "db", "prod/bank/web", "prod/shop/web", "test/bank/web"];
    assert_eq!(names(&answer), all, "{}", answer.text);
    let db = row(&answer, "db");
    assert_eq!(
        (&db["source"], &db["identity"], &db["palette"]),
        (&json!("palette"), &json!("caller-header"), &json!("prod/shop/db")),
        "{db}"
    );
    assert_eq!(
        row(&answer, "prod/bank/web")["identity"],
        "own",
        "reached in another way than its neighbours"
    );
    server.wait_for(|said| said.contains("\"odd/name\" is left out").then_some(()));
    let asked = one.requests();
    let index = asked.get("GET /v1/dashboard/spectroclusters/meta").copied().unwrap_or_default();
    let rest: u64 = asked.values().sum::<u64>() - index;
    assert!(index >= 1 && rest <= index + 1, "one for the clusters and one for the projects: {asked:?}");

    for (failure, why) in [
        (Failure::Coded(503, "Down".into(), "planted-message".into()), "Palette answered 503"),
        (Failure::Html(502), "Palette answered 502"),
        (Failure::Truncated, "Palette's answer cannot be read"),
        (Failure::Coded(401, "InvalidKey".into(), "planted-message".into()), "refused the API key"),
    ] {
        one.heal();
        one.fail(Fault::everywhere(failure));
        let what = "palette (environment prod): not read for ".to_owned();
        let answer = within(PATIENCE, &mcp, why, |answer| answer.text.contains(why)).await;
        assert_eq!(names(&answer), all, "{}", answer.text);
        assert!(answer.text.contains(&what) && !answer.text.contains("planted"), "{}", answer.text);
        assert!(!answer.text.contains("environment test"), "{}", answer.text);
    }
    // a project that goes, and another name for one: what is read then is what there is
    one.change(|data| {
        data.projects[1].name = "vault".into();
        data.clusters.retain(|cluster| cluster.name != "db");
    });
    one.heal();
    let mended = ["core", "prod/shop/web", "prod/vault/web", "test/bank/web"];
    let answer = within(PATIENCE, &mcp, "it is back", |answer| names(answer) == mended).await;
    assert!(!answer.text.contains("not read for"), "{}", answer.text);
    let gone = mcp.call("kubernetes_clusters", json!({"cluster": "prod/bank/web"})).await;
    assert!(gone.is_error && gone.text.contains("prod/bank/web"), "{}", gone.text);
    let several = mcp.call("kubernetes_clusters", json!({"cluster": "web"})).await;
    assert!(several.is_error && several.text.contains("palette/prod/shop/web"), "{}", several.text);

    // names of projects that cannot be had: those that were known go on being known
    one.fail(Fault::at(PROJECTS, Failure::Coded(500, "Down".into(), "x".into())));
    let asked = || one.requests().get(PROJECTS).copied().unwrap_or_default();
    let before = asked();
    within(PATIENCE, &mcp, "it is read twice more", |_| asked() > before + 1).await;
    let answer = mcp.call("kubernetes_clusters", json!({})).await;
    assert_eq!(names(&answer), mended, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_cannot_be_judged_leaves_out() {
    let tenant = Palette::shared().tenant(fleet());
    let forbidden = Failure::Coded(403, "OperationForbidden".into(), "project.list".into());
    tenant.fail(Fault::at(PROJECTS, forbidden));
    let server = serve(&[environment("prod", &tenant, "{authType: oidc, excludeProjects: [lab]}")]);
    let mcp = Mcp::new(server.url("/mcp"));
    let answer = mcp.call("kubernetes_clusters", json!({})).await;
    assert_eq!(names(&answer), ["core"], "{}", answer.text);
    server.wait_for(|said| said.contains("excludeProjects cannot be judged").then_some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_a_caller_reaches_the_cluster_that_palette_tells_the_way_to() {
    crate::impersonation::lamps();
    let plane = ControlPlane::shared();
    let shop = Project::new("shop");
    let web = with_oidc("web", &shop, for_users(plane));
    let client = Kubeconfigs { client: for_users(plane).user, ..Kubeconfigs::default() };
    let admin = kubeconfig(plane, &format!("{{token: {}}}", plane.tokens.admin));
    let admin = Kubeconfigs { admin: Some(admin), ..Kubeconfigs::default() };
    let clusters = vec![
        web,
        with_oidc("client", &shop, client),
        with_oidc("last", &shop, admin),
        with_oidc("none", &shop, Kubeconfigs::default()),
    ];
    let data = Data { projects: vec![shop], clusters, ..Data::default() };
    let tenant = Palette::shared().tenant(data);
    let server = serve(&[environment("prod", &tenant, "{authType: oidc}")]);
    let bob = Provider::shared().token_for("bob", AUDIENCE).await;
    let header = "backstage-kubernetes-authorization-oidc-spectrocloud";
    let mcp = Mcp::new(server.url("/mcp")).header(header, &bob);
    let mark = plane.audit_mark();
    let mine = mcp.call("kro_graph", lamp("web", "team-b")).await;
    assert!(!mine.is_error, "{}", mine.text);
    let refused = mcp.call("kro_graph", lamp("web", "team-a")).await;
    assert!(refused.is_error && refused.text.contains("User \"oidc:bob\" cannot get"), "{}", refused.text);
    assert_eq!(tenant.requests().get("GET /v1/spectroclusters/{uid}/assets/adminKubeconfig"), None);
    let lines = upstream(&server, mark, 2);
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.user == "oidc:bob"), "{lines:#?}");

    // the way is asked for once
    let kubeconfigs = "GET /v1/spectroclusters/{uid}/assets/kubeconfig";
    assert_eq!(tenant.requests()[kubeconfigs], 1);
    let without = Mcp::new(server.url("/mcp")).call("kro_graph", lamp("web", "team-b")).await;
    let said = "came in the header Backstage-Kubernetes-Authorization-oidc-spectrocloud";
    assert!(without.is_error && without.text.contains(said), "{}", without.text);
    for other in ["client", "last"] {
        let answer = mcp.call("kro_graph", lamp(other, "team-b")).await;
        assert!(!answer.is_error, "{other}: {}", answer.text);
    }
    // nothing of an administrator's was shown to it
    let lines = upstream(&server, mark, 5);
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.user == "oidc:bob"), "{lines:#?}");
    let answer = mcp.call("kro_graph", lamp("none", "team-b")).await;
    assert!(answer.is_error && answer.text.contains("Palette has no kubeconfig of it"), "{}", answer.text);
    // what is connected to goes on without Palette
    tenant.fail(Fault::everywhere(Failure::Coded(503, "Down".into(), "x".into())));
    assert!(!mcp.call("kro_graph", lamp("web", "team-b")).await.is_error);
    let said = server.said();
    assert!(!said.contains(&bob) && !said.contains(&plane.tokens.admin), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_sent_to_no_cluster_that_does_not_take_it() {
    crate::impersonation::lamps();
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let shop = Project::new("shop");
    let made = |name: &str, change: fn(&mut Oidc)| {
        let mut cluster = with_oidc(name, &shop, for_users(plane));
        cluster.oidc.iter_mut().for_each(change);
        cluster
    };
    let mut unsaid = made("unsaid", |_| ());
    unsaid.oidc = None;
    let clusters = vec![
        made("web", |_| ()),
        made("elsewhere", |oidc| oidc.issuer_url = "https://other.example".to_owned()),
        made("another", |oidc| oidc.client_id = "another".to_owned()),
        made("odd", |oidc| oidc.issuer_url = "http://plain.example".to_owned()),
        unsaid,
    ];
    let data = Data { projects: vec![shop], clusters, ..Data::default() };
    let (headers, exchanges) = (Palette::shared().tenant(data.clone()), Palette::shared().tenant(data));
    let environments = [
        environment("header", &headers, "{authType: oidc}"),
        environment("exchange", &exchanges, "{authType: oidc, identity: exchange, clientIds: ['https://*']}"),
    ];
    let mut trusted = issuer(Some(exchange::exchange()));
    trusted["rules"][0]["allow"] = json!(["*"]);
    let config = format!("{}issuers: [{trusted}]\n", config(&environments));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    // nobody else has these names
    let shown = provider.token_for("caller-61", AUDIENCE).await;
    let header = "backstage-kubernetes-authorization-oidc-spectrocloud";
    let mcp = Mcp::with_token(server.url("/mcp"), &provider.token_for("caller-62", OURS).await);
    let mcp = mcp.header(header, &shown);
    let mark = plane.audit_mark();
    let other_client = "the cluster's OIDC client is none of clusterProvider.clientIds";
    for (cluster, said) in [
        ("header/shop/elsewhere", "of another issuer than the cluster's, https://other.example"),
        ("header/shop/another", "not for the cluster's client, \"another\""),
        ("header/shop/odd", "its OIDC configuration cannot be used"),
        ("header/shop/unsaid", "no OIDC issuer is configured for it"),
        ("exchange/shop/elsewhere", "of another issuer than the cluster's, https://other.example"),
        ("exchange/shop/another", other_client),
        ("exchange/shop/unsaid", "no OIDC issuer is configured for it"),
    ] {
        let answer = mcp.call("kro_graph", lamp(cluster, "team-b")).await;
        assert!(answer.is_error && answer.text.contains(said), "{cluster}: {}", answer.text);
    }
    for cluster in ["header/shop/web", "exchange/shop/web"] {
        let answer = mcp.call("kro_graph", lamp(cluster, "team-b")).await;
        assert!(!answer.is_error, "{cluster}: {}", answer.text);
    }
    let lines = plane
        .audit_until(mark, "platform-mcp/", |lines| lines.iter().any(|line| line.user == "oidc:caller-62"));
    let theirs = lines.iter().filter(|line| line.user == "oidc:caller-61" || line.user == "oidc:caller-62");
    let called: BTreeSet<&str> = theirs.map(|line| line.user_agent.as_str()).collect();
    assert_eq!(called.len(), 2, "only the calls to `web` reached it: {called:?}");
    let said = format!("{}{}", server.said(), server.read("audit.log"));
    assert!(!said.contains("eyJ"), "{said}");
}

/// 300 clusters, of which 40 hang: half of them where Palette is asked for the way, half at their API servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_that_hang_hold_nobody_up_who_asks_another() {
    let plane = ControlPlane::shared();
    let silent = Silent::start();
    let (shop, stuck) = (Project::new("shop"), Project::new("stuck"));
    let own = for_users(plane);
    let mute =
        own.user.iter().map(|own| own.replace(&plane.server, &silent.url().replace("http:", "https:")));
    let mute = Kubeconfigs { user: mute.last(), ..Kubeconfigs::default() };
    let made = |name: String, project: &Project, kubeconfigs: &Kubeconfigs| {
        with_oidc(&name, project, kubeconfigs.clone())
    };
    let clusters = (0..260)
        .map(|n| made(format!("well-{n}"), &shop, &own))
        .chain((0..20).map(|n| made(format!("mute-{n}"), &shop, &mute)))
        .chain((0..20).map(|n| made(format!("stuck-{n}"), &stuck, &own)));
    let data = Data { clusters: clusters.collect(), projects: vec![shop, stuck.clone()], ..Data::default() };
    let tenant = Palette::shared().tenant(data);
    let kubeconfigs = "GET /v1/spectroclusters/{uid}/assets/kubeconfig";
    tenant.fail(Fault::at(kubeconfigs, Failure::Hang).project(&stuck.uid));
    let server = serve(&[environment("prod", &tenant, "{authType: oidc, clusterTimeoutSeconds: 5}")]);
    let bob = Provider::shared().token_for("bob", AUDIENCE).await;
    let header = "backstage-kubernetes-authorization-oidc-spectrocloud";
    let mcp = Mcp::new(server.url("/mcp")).header(header, &bob);
    // all of them at once: their names are there, and nobody waits for the way to each
    let began = Instant::now();
    let all = mcp.call("kubernetes_clusters", json!({"limit": 1000})).await;
    assert_eq!(names(&all).len(), 300, "{}", all.text);
    assert!(all.text.starts_with("300 clusters, "), "{}", all.text);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    let unsought = row(&all, "stuck-9")["problem"].as_str().unwrap_or_default().to_owned();
    assert!(unsought.contains("not connected yet") || unsought.contains("Palette"), "{unsought}");
    let hanging = (0..20).flat_map(|n| [format!("mute-{n}"), format!("stuck-{n}")]);
    let hanging = hanging.map(|name| {
        let mcp = mcp.clone();
        async move { mcp.call("kubernetes_clusters", json!({"cluster": name})).await }
    });
    let hanging = tokio::spawn(futures::future::join_all(hanging.collect::<Vec<_>>()));
    let began = Instant::now();
    for n in 0..20 {
        let name = json!({"cluster": format!("well-{n}")});
        // Palette's limits make the first of them wait in line
        while mcp.call("kubernetes_clusters", name.clone()).await.structure["rows"][0]["reachable"] != true {
            assert!(began.elapsed() < PATIENCE * 2, "well-{n}");
        }
    }
    let answers = hanging.await.expect("they come to an end");
    for answer in answers {
        let row = &answer.structure["rows"][0];
        assert!(row["reachable"] != true && row["problem"].is_string(), "{}", answer.text);
    }
    let asked = tenant.requests();
    let index = asked["GET /v1/dashboard/spectroclusters/meta"] + asked[PROJECTS];
    assert_eq!(index, 2, "of 300 clusters: {asked:?}");
}
