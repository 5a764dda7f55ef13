//! kubectl as the person who signed in, with a kubeconfig that `palette_kubeconfig` made; and the same kubeconfig
//! under the server.

use std::process::{Command, Output};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platform_mcp::demo::palette::{Cluster, Data, Kubeconfigs, Oidc, Project};
use serde_json::{Value, json};

use super::{Home, config, text};
use crate::{
    control_plane::ControlPlane,
    exchange,
    forge::{AUDIENCE, part},
    impersonation::lamps,
    oidc::{APP, EXCHANGER, Provider},
    palette::Palette,
    server::Product,
};

/// Signs somebody in, with a real browser where there is one for this machine.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
async fn browse(login: Product, person: &str) {
    super::browser::Chromium::of(person).sign_in(login);
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
async fn browse(login: Product, person: &str) {
    let provider = Provider::shared();
    let mut login = login.env("PATH", "").stdio();
    let back = provider.browse(&super::url(&login, provider.issuer()), person).await;
    reqwest::get(&back).await.expect("it waits there");
    assert!(login.ended(std::time::Duration::from_secs(30)).success(), "{}", login.said_at_end());
}

/// Signs somebody in as the client whose ID tokens the API server takes.
async fn sign_in(home: &Home, person: &str) {
    let provider = Provider::shared();
    let authority = STANDARD.encode(std::fs::read(provider.ca_file()).expect("an authority"));
    let arguments = [
        "login",
        provider.issuer(),
        "--client-id",
        AUDIENCE,
        "--scope",
        "groups",
        "--certificate-authority-data",
        &authority,
    ];
    browse(home.product(&arguments), person).await;
}

/// What `palette_kubeconfig` makes of a cluster in Palette that is the API server of the tests.
fn kubeconfig() -> String {
    let plane = ControlPlane::shared();
    let shop = Project::new("shop");
    let mut cluster = Cluster::new("login", Some(&shop.uid));
    let issuer_url = Provider::shared().issuer().to_owned();
    cluster.oidc = Some(Oidc {
        client_id: AUDIENCE.into(),
        client_secret: String::new(),
        issuer_url,
        scopes: vec!["groups".into()],
    });
    let authority = STANDARD.encode(std::fs::read(&plane.ca_file).expect("an authority"));
    let user = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster: {{server: \"{}\", \
         certificate-authority-data: {authority}}}\ncontexts:\n- name: c\n  context: {{cluster: k, user: u}}\n\
         users:\n- name: u\n  user: {{token: planted}}\n",
        plane.server
    );
    cluster.kubeconfigs = Some(Kubeconfigs { user: Some(user), ..Kubeconfigs::default() });
    let tenant =
        Palette::shared().tenant(Data { projects: vec![shop], clusters: vec![cluster], ..Data::default() });
    let config = format!("{}local: {{role: admin}}\n", Palette::shared().config(&tenant));
    let made =
        Product::new(["call", "palette_kubeconfig", "cluster=login", "-o", "json"]).config(&config).output();
    let made: Value =
        serde_json::from_slice(&made.stdout).unwrap_or_else(|_| panic!("{}", text(&made.stderr)));
    made["kubeconfig"].as_str().expect("its content").to_owned()
}

/// The configuration that knows the issuer.
fn known() -> String {
    config(&json!({}))
}

/// Where kubectl finds the plugin.
fn path() -> String {
    let product = std::path::Path::new(env!("CARGO_BIN_EXE_platform-mcp"));
    format!("{}:/usr/bin:/bin", product.parent().expect("a folder").display())
}

struct Kubectl<'h> {
    home: &'h Home,
    folder: tempfile::TempDir,
}

impl<'h> Kubectl<'h> {
    fn new(home: &'h Home) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig()).expect("written");
        std::fs::write(folder.path().join("platform-mcp.yaml"), known()).expect("written");
        Self { home, folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let plane = ControlPlane::shared();
        Command::new(plane.bin.join("kubectl"))
            .args(arguments)
            .env_clear()
            .env("PATH", path())
            .env("HOME", self.folder.path())
            .env("KUBERC", "off")
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("PLATFORM_MCP_CONFIG", self.folder.path().join("platform-mcp.yaml"))
            .env("XDG_STATE_HOME", self.home.folder().ancestors().nth(2).expect("the state"))
            .output()
            .expect("kubectl runs")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_reaches_a_cluster_of_palette_as_the_person_who_signed_in() {
    let home = Home::new();
    let kubectl = Kubectl::new(&home);
    let before = kubectl.run(&["get", "pods", "-n", "team-a"]);
    let error = text(&before.stderr);
    assert!(!before.status.success() && error.contains("you are not signed in"), "{error}");
    let next =
        format!("platform-mcp login {} --client-id {AUDIENCE} --scope groups", Provider::shared().issuer());
    assert!(error.contains(&next), "{error}");

    sign_in(&home, "alice").await;
    let who = kubectl.run(&["auth", "whoami", "-o", "json"]);
    assert!(who.status.success(), "{}", text(&who.stderr));
    let who: Value = serde_json::from_slice(&who.stdout).expect("JSON");
    let who = &who["status"]["userInfo"];
    assert_eq!(who["username"], "oidc:alice");
    assert_eq!(who["groups"], json!(["oidc:team-a", "system:authenticated"]));
    for (namespace, allowed) in [("team-a", true), ("team-b", false)] {
        let output = kubectl.run(&["get", "pods", "-n", namespace]);
        assert_eq!(output.status.success(), allowed, "{namespace}: {}", text(&output.stderr));
    }

    // the same kubeconfig under the server, which starts the same plugin, for the same person
    lamps();
    browse(home.product(&["login"]).config(&known()), "alice").await;
    let folder = kubectl.folder.path();
    let kubeconfig = folder.join("kubeconfig");
    let server = home.product(&["--kubeconfig", kubeconfig.to_str().expect("text")]).env("PATH", path());
    let mut server = server.env("PLATFORM_MCP_CONFIG", folder.join("platform-mcp.yaml")).stdio();
    assert_eq!(super::whoami(&mut server, 1)["structuredContent"]["username"], "alice");
    for (id, namespace, seen) in [(2, "team-a", true), (3, "team-b", false)] {
        let arguments = json!({"kind": "Lamp", "namespace": namespace, "name": "desk"});
        let params = json!({"name": "kro_graph", "arguments": arguments});
        let graph = server.request(id, "tools/call", &params)["result"].clone();
        assert_eq!(graph["isError"], json!(!seen), "{namespace}: {graph}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_takes_other_tokens_gets_one_in_exchange() {
    let plane = ControlPlane::shared();
    let home = Home::new();
    let login = json!({"clientId": APP, "scopes": ["groups"], "resource": exchange::OURS});
    let mut issuer = exchange::issuer(Some(json!({"clientId": EXCHANGER[0], "clientSecret": EXCHANGER[1]})));
    issuer["login"] = login;
    let cluster = exchange::cluster("prod", &json!({"identity": "exchange", "audience": AUDIENCE}));
    let whole = exchange::config(&[cluster], &issuer);
    super::sign_in(&home, &whole, "alice").await;
    let output = home.product(&["token", "--cluster", "prod"]).config(&whole).output();
    let credential: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!(credential["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(credential["kind"], "ExecCredential");
    let token = credential["status"]["token"].as_str().expect("a token");
    assert_eq!((&part(token, 1)["sub"], &part(token, 1)["aud"]), (&json!("alice"), &json!(AUDIENCE)));
    let ends: jiff::Timestamp =
        credential["status"]["expirationTimestamp"].as_str().expect("an end").parse().expect("a time");
    assert_eq!(json!(ends.as_second()), part(token, 1)["exp"]);
    let client = crate::oidc::client(&plane.ca_file);
    let pods = client.get(format!("{}/api/v1/namespaces/team-a/pods", plane.server)).bearer_auth(token);
    assert_eq!(pods.send().await.expect("an answer").status(), 200);

    // without an exchange, what would do is said
    let without = config(&json!({}));
    let home = Home::new();
    super::sign_in(&home, &without, "alice").await;
    let output =
        home.product(&["token", "--cluster", "prod", "--audience", "https://k8s"]).config(&without).output();
    let error = text(&output.stderr);
    assert!(
        error.contains("takes tokens for \"https://k8s\"") && error.contains("issuers[].exchange"),
        "{error}"
    );
    let own = home.product(&["token", "--cluster", "prod", "-o", "token"]).config(&without).output();
    assert_eq!(part(text(&own.stdout).trim(), 1)["aud"], APP, "{}", text(&own.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cluster_is_given_a_token_that_it_could_show_to_this_server() {
    let home = Home::new();
    let whole = |login: Value| {
        let mut issuer = exchange::issuer(None);
        issuer["audiences"] = json!([APP]);
        issuer["tokens"] = json!(["id"]);
        issuer["login"] = login;
        exchange::config(&[], &issuer)
    };
    let usual = whole(json!({"clientId": APP, "scopes": ["groups"]}));
    super::sign_in(&home, &usual, "alice").await;
    let who = home.product(&["whoami", "-o", "json"]).config(&usual).output();
    assert!(text(&who.stdout).contains("alice"), "its ID token is what it takes: {}", text(&who.stderr));
    let token = |config: &str| home.product(&["token", "--cluster", "prod"]).config(config).output();
    let refused = token(&usual);
    let error = text(&refused.stderr);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()), "{error}");
    for said in ["could call platform-mcp as you", "--client-id", "exchange", "shareWithClusters: true"] {
        assert!(error.contains(said), "{said}: {error}");
    }
    assert!(!error.contains("eyJ"), "{error}");
    let shared = token(&whole(json!({"clientId": APP, "scopes": ["groups"], "shareWithClusters": true})));
    let credential: Value =
        serde_json::from_slice(&shared.stdout).unwrap_or_else(|_| panic!("{}", text(&shared.stderr)));
    let token = credential["status"]["token"].as_str().expect("a token");
    assert_eq!(part(token, 1)["aud"], APP);
}
