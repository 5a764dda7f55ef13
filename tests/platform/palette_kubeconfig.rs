//! `palette_kubeconfig` through the doors: what is handed out, how, and what never is.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platform_mcp::demo::palette::{Cluster, Data, Kubeconfigs, Oidc, Project, Virtual};
use serde_json::{Value, json};

use crate::{
    mcp::{Mcp, ToolAnswer},
    palette::{Palette, Tenant},
    server::{Product, Server, StdioServer},
};

const ADMIN: &str = "local: {role: admin}\n";
const ALLOWED: &str = "http: {kubeconfigs: true}\n";
const TOKEN: &str = "planted-token-0123456789";
const CLIENT_SECRET: &str = "planted-client-secret-0123456789";

fn oidc() -> Oidc {
    Oidc {
        client_id: "kubernetes".into(),
        client_secret: CLIENT_SECRET.into(),
        issuer_url: "https://id.example.com/realms/shop".into(),
        scopes: vec!["groups".into()],
    }
}

fn upstream(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster: {{server: \"{server}\"}}\n\
         contexts:\n- name: c\n  context: {{cluster: k, user: u}}\nusers:\n- name: u\n  user: {user}\n"
    )
}

/// A cluster whose kubeconfigs hold a token, one with a login, a virtual one, and one in base64.
fn data() -> Data {
    let shop = Project::new("shop");
    let cluster = |name: &str| Cluster::new(name, Some(&shop.uid));
    let mut plain = cluster("plain");
    let text = upstream("https://plain.example.com:6443", &format!("{{token: {TOKEN}}}"));
    plain.kubeconfigs =
        Some(Kubeconfigs { user: Some(text.clone()), admin: Some(text), ..Kubeconfigs::default() });
    let mut login = cluster("login");
    login.oidc = Some(oidc());
    let mut encoded = login.clone();
    (encoded.name, encoded.uid, encoded.base64) = ("encoded".into(), cluster("encoded").uid, true);
    let mut nested = cluster("nested");
    nested.environment = "nested".into();
    nested.virtual_cluster = Some(Virtual::default());
    nested.oidc = Some(oidc());
    let clusters = vec![plain, login, encoded, nested];
    Data { projects: vec![shop], clusters, ..Data::default() }
}

fn hostile(text: String) -> Data {
    let mut data = data();
    data.clusters[0].kubeconfigs = Some(Kubeconfigs { user: Some(text), ..Kubeconfigs::default() });
    data
}

struct Rig {
    tenant: Tenant,
    server: Server,
    mcp: Mcp,
}

fn serve(data: Data, more: &str) -> Rig {
    let tenant = Palette::shared().tenant(data);
    let config = format!("{}{more}audit: {{to: audit.log}}\n", Palette::shared().config(&tenant));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    Rig { tenant, server, mcp }
}

impl Rig {
    async fn ask(&self, arguments: Value) -> ToolAnswer {
        self.mcp.call("palette_kubeconfig", arguments).await
    }

    async fn refused(&self, arguments: Value) -> String {
        let answer = self.ask(arguments).await;
        assert!(answer.is_error, "{}", answer.text);
        answer.text
    }

    /// What each of so many calls handed out, by the audit log, whose lines come after the answers.
    fn handed(&self, calls: usize) -> Vec<Value> {
        let lines = || -> Vec<Value> {
            let log = self.server.read("audit.log");
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines
                .filter(|line| line["tool"] == "palette_kubeconfig")
                .map(|line| line["handed"].clone())
                .collect()
        };
        for _ in 0..500 {
            if lines().len() >= calls {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let lines = lines();
        assert_eq!(lines.len(), calls, "a line for each call: {lines:?}");
        lines
    }
}

fn parsed(answer: &ToolAnswer) -> Value {
    assert!(!answer.is_error, "{}", answer.text);
    let text = answer.structure["kubeconfig"].as_str().expect("its content");
    assert!(answer.text.contains(text.trim_end()), "text and structure hold the same: {}", answer.text);
    serde_saphyr::from_str(text).expect("YAML")
}

#[tokio::test]
async fn the_default_form_holds_no_secret_and_says_how_to_log_in() {
    let rig = serve(data(), ADMIN);
    for (cluster, server) in
        [("login", "https://proxy-"), ("encoded", "https://proxy-"), ("nested", "https://proxy-")]
    {
        let answer = rig.ask(json!({"cluster": cluster})).await;
        let kubeconfig = parsed(&answer);
        assert_eq!(kubeconfig["current-context"], format!("demo-shop-{cluster}"));
        assert_eq!(kubeconfig["contexts"].as_array().map(Vec::len), Some(1));
        let at = &kubeconfig["clusters"][0]["cluster"];
        assert!(at["server"].as_str().expect("a server").starts_with(server), "{at}");
        let authority = STANDARD
            .decode(at["certificate-authority-data"].as_str().expect("an authority"))
            .expect("base64");
        assert!(authority.starts_with(b"-----BEGIN CERTIFICATE-----\n"));
        let exec = &kubeconfig["users"][0]["user"]["exec"];
        assert_eq!((&exec["command"], &exec["args"][0]), (&json!("platform-mcp"), &json!("token")));
        let arguments = exec["args"].to_string();
        assert!(arguments.contains("\"https://id.example.com/realms/shop\""), "{arguments}");
        assert!(arguments.contains("--scope=groups"), "{arguments}");
        let all = format!("{}{}", answer.text, answer.structure);
        assert!(!all.contains(CLIENT_SECRET) && all.contains("has a secret"), "{all}");
    }
    let direct = rig.ask(json!({"cluster": "login", "frp": false})).await;
    assert!(
        direct.structure["server"].as_str().is_some_and(|server| server.contains("login-")),
        "{}",
        direct.text
    );
    let handed = rig.handed(4);
    assert!(handed.iter().all(|handed| handed == "oidc, no secret"), "{handed:?}");
    assert!(!rig.server.said().contains("planted") && !rig.server.read("audit.log").contains("planted"));
}

#[tokio::test]
async fn over_http_a_credential_needs_the_operator_and_whoever_asks() {
    let rig = serve(data(), ADMIN);
    for arguments in [
        json!({"cluster": "plain", "form": "user"}),
        json!({"cluster": "plain", "form": "user", "content": true}),
    ] {
        let refused = rig.refused(arguments).await;
        assert!(refused.contains("http.kubeconfigs") && refused.contains("form oidc"), "{refused}");
    }
    assert_eq!(rig.tenant.count(), 0, "nothing is asked for what is not handed out");
    let rig = serve(data(), &format!("{ADMIN}{ALLOWED}"));
    let refused = rig.refused(json!({"cluster": "plain", "form": "user"})).await;
    assert!(refused.contains("content: true") && !refused.contains("planted"), "{refused}");
    let answer = rig.ask(json!({"cluster": "plain", "form": "user", "content": true})).await;
    let kubeconfig = parsed(&answer);
    assert_eq!(kubeconfig["users"][0]["user"], json!({"token": TOKEN}));
    assert_eq!(kubeconfig["clusters"][0]["cluster"], json!({"server": "https://plain.example.com:6443"}));
    assert!(answer.text.contains("no certificate authority"), "{}", answer.text);
    assert_eq!(rig.handed(2), [Value::Null, json!("user, in the answer")]);
    let log = format!("{}{}", rig.server.said(), rig.server.read("audit.log"));
    assert!(!log.contains("planted"), "{log}");
}

#[tokio::test]
async fn admin_needs_the_configuration_of_the_environment() {
    let rig = serve(data(), &format!("{ADMIN}{ALLOWED}"));
    let refused = rig.refused(json!({"cluster": "plain", "form": "admin", "content": true})).await;
    assert!(refused.contains("adminKubeconfig") && !refused.contains("planted"), "{refused}");
    assert_eq!(rig.tenant.count(), 0);
    let tenant = Palette::shared().tenant(data());
    let config = Palette::shared().config(&tenant);
    let config = format!("{config}      adminKubeconfig: true\n{ADMIN}{ALLOWED}");
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let answer =
        mcp.call("palette_kubeconfig", json!({"cluster": "plain", "form": "admin", "content": true})).await;
    assert_eq!(parsed(&answer)["users"][0]["user"]["token"], TOKEN);
    let odd = mcp
        .call(
            "palette_kubeconfig",
            json!({"cluster": "plain", "form": "admin", "content": true, "frp": true}),
        )
        .await;
    assert!(odd.is_error && odd.text.contains("\"frp\""), "{}", odd.text);
}

#[tokio::test]
async fn whoever_only_views_has_no_such_tool() {
    let rig = serve(data(), "");
    let tools = rig.mcp.list_tools().await;
    assert!(tools.iter().any(|tool| tool["name"] == "palette_cluster"), "the others are there");
    assert!(tools.iter().all(|tool| tool["name"] != "palette_kubeconfig"));
    let unknown = rig.mcp.try_call("palette_kubeconfig", json!({"cluster": "login"})).await;
    assert_eq!(unknown.expect_err("unknown").code, -32602);
    assert_eq!(rig.tenant.count(), 0);
}

fn stdio(tenant: &Tenant) -> (StdioServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!("{}{ADMIN}audit: {{to: stderr}}\n", Palette::shared().config(tenant));
    let server = Product::new(["serve"]).env("TMPDIR", folder.path()).config(&config).stdio();
    (server, folder)
}

#[cfg(unix)]
#[tokio::test]
async fn over_stdio_a_credential_is_a_private_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let tenant = Palette::shared().tenant(data());
    let (mut server, _folder) = stdio(&tenant);
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    server.request(1, "initialize", &hello);
    server.send_line(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
    let mut ask = |id: u32, arguments: Value| {
        let answer =
            server.request(id, "tools/call", &json!({"name": "palette_kubeconfig", "arguments": arguments}));
        answer["result"].clone()
    };
    let answer = ask(2, json!({"cluster": "plain", "form": "user"}));
    let told = &answer["structuredContent"];
    assert!(!answer.to_string().contains("planted"), "{answer}");
    let path = std::path::PathBuf::from(told["path"].as_str().unwrap_or_else(|| panic!("a path: {answer}")));
    let text = std::fs::read_to_string(&path).expect("the file");
    let kubeconfig: Value = serde_saphyr::from_str(&text).expect("YAML");
    assert_eq!(kubeconfig["users"][0]["user"]["token"], TOKEN);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    let refused = ask(3, json!({"cluster": "plain", "form": "user", "content": true}));
    assert!(refused["isError"] == true && !refused.to_string().contains("planted"), "{refused}");
    let said = server.wait_for(|said| said.contains("user, as a file").then(|| said.to_owned()));
    assert!(!said.contains("planted"), "{said}");
}

#[tokio::test]
async fn a_call_from_the_shell_writes_a_file_and_an_audit_line() {
    let tenant = Palette::shared().tenant(data());
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!("{}{ADMIN}", Palette::shared().config(&tenant));
    let product = Product::new(["call", "palette_kubeconfig", "cluster=plain", "form=user"])
        .env("TMPDIR", folder.path());
    let output =
        tokio::task::spawn_blocking(move || product.config(&config).output()).await.expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains(&*folder.path().to_string_lossy()) && !out.contains("planted"), "{out}");
    assert!(err.contains("user, as a file") && !err.contains("planted"), "{err}");
}

#[tokio::test]
async fn what_palette_sends_is_rebuilt_and_what_is_hostile_in_it_is_left_out_or_refused() {
    let bomb = {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let below = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
        }
        text
    };
    let user = format!(
        "{{token: {TOKEN}, exec: {{command: planted-program}}, tokenFile: /planted/file, as: planted-admin}}"
    );
    let cluster = upstream("https://plain.example.com", &user)
        .replace("{server:", "{proxy-url: \"http://planted-proxy\", insecure-skip-tls-verify: true, server:");
    let rig = serve(hostile(cluster), &format!("{ADMIN}{ALLOWED}"));
    let asked = json!({"cluster": "plain", "form": "user", "content": true});
    let answer = rig.ask(asked.clone()).await;
    assert_eq!(parsed(&answer)["users"][0]["user"], json!({"token": TOKEN}), "{}", answer.text);
    let left_out = answer.structure["left_out"].to_string();
    for part in
        ["cluster.proxy-url", "cluster.insecure-skip-tls-verify", "user.exec", "user.tokenFile", "user.as"]
    {
        assert!(left_out.contains(part), "{part} in {left_out}");
    }
    let said = format!("{}{}", answer.text, answer.structure).replace(TOKEN, "");
    assert!(!said.contains("planted"), "{said}");
    for (text, why) in [
        (upstream("https://plain.example.com", "{exec: {command: planted-program}}"), "no OIDC issuer"),
        (upstream("https://plain.example.com", "{client-key: /planted/key}"), "no credential"),
        (upstream("http://plain.example.com", "{token: planted}"), "https://"),
        (upstream("https://169.254.169.254", "{token: planted}"), "address"),
        (
            upstream("https://plain.example.com", "{token: planted}")
                .replace("current-context: c", "current-context: x"),
            "context",
        ),
        ("<html>planted</html>".to_owned(), "HTML"),
        ("x".repeat(500_000), "bytes"),
        (bomb, "not YAML"),
    ] {
        rig.tenant.change(|data| {
            data.clusters[0].kubeconfigs = Some(Kubeconfigs { user: Some(text), ..Kubeconfigs::default() });
        });
        let refused = rig.refused(asked.clone()).await;
        assert!(refused.contains(why) && !refused.contains("planted"), "{why}: {refused}");
    }
}

#[tokio::test]
async fn a_user_that_starts_a_program_becomes_a_login() {
    let rig = serve(data(), &format!("{ADMIN}{ALLOWED}"));
    let answer = rig.ask(json!({"cluster": "login", "form": "user", "content": true})).await;
    assert_eq!(answer.structure["form"], "oidc", "{}", answer.text);
    assert_eq!(parsed(&answer)["users"][0]["user"]["exec"]["command"], "platform-mcp");
    assert!(
        answer.text.contains("starts a program") && !answer.text.contains(CLIENT_SECRET),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn without_oidc_the_default_form_says_what_else_there_is() {
    let rig = serve(data(), ADMIN);
    let refused = rig.refused(json!({"cluster": "plain"})).await;
    assert!(refused.contains("OIDC") && refused.contains("form user"), "{refused}");
    let mut gone = data();
    gone.clusters[0].kubeconfigs = Some(Kubeconfigs::default());
    let rig = serve(gone, &format!("{ADMIN}{ALLOWED}"));
    let refused = rig.refused(json!({"cluster": "plain", "form": "user", "content": true})).await;
    assert!(refused.contains("no kubeconfig for its users") && refused.contains("form oidc"), "{refused}");
}

#[tokio::test]
async fn a_virtual_cluster_is_held_to_be_one() {
    let rig = serve(data(), ADMIN);
    let answer = rig.ask(json!({"cluster": "nested", "virtual": true})).await;
    assert_eq!(answer.structure["virtual"], true, "{}", answer.text);
    let refused = rig.refused(json!({"cluster": "login", "virtual": true})).await;
    assert!(refused.contains("not a virtual cluster"), "{refused}");
    let refused = rig.refused(json!({"cluster": "nested", "virtual": false})).await;
    assert!(refused.contains("is a virtual cluster"), "{refused}");
    let assets = |name: &str| rig.tenant.requests().get(name).copied().unwrap_or_default();
    assert_eq!(assets("GET /v1/spectroclusters/{uid}/assets/kubeconfig"), 1, "only of the one that is");
}
