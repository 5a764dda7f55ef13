//! A token over stdio and in the shell: whoever starts the process is its owner, and nobody else when it is
//! no good any more.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    forge::now,
    issuer::Issuer,
    server::{Product, StdioServer},
};

const RULES: &str =
    "[{when: {groups: team-a}, roles: [viewer]}, {when: {groups: team-b}, allow: [kubernetes.*]}]";

fn config(issuer: &Issuer) -> String {
    // the local user could do everything, and must never be who calls
    format!("issuers: [{}]\nlocal: {{role: admin}}\n", issuer.entry(RULES))
}

fn expiring(issuer: &Issuer, name: &str, exp: u64) -> String {
    let mut claims = issuer.forge().claims(name);
    claims["exp"] = json!(exp);
    claims["iat"] = json!(exp - 600);
    issuer.forge().claiming(&claims)
}

fn whoami(server: &mut StdioServer, id: u32) -> Value {
    server.request(id, "tools/call", &json!({"name": "whoami", "arguments": {}}))["result"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_of_the_token_is_who_calls() {
    let issuer = Issuer::start();
    let token = issuer.forge().good("alice");
    for file in [false, true] {
        let product = if file { Product::new(["--token-file", "token"]) } else { Product::new([""; 0]) };
        let product = product.config(&config(&issuer));
        let product = if file {
            product.write("token", &format!("\n {token}\n"));
            product
        } else {
            product.env("PLATFORM_MCP_TOKEN", &token)
        };
        let mut server = product.stdio();
        let answer = whoami(&mut server, 1);
        let who = &answer["structuredContent"];
        assert_eq!((&who["username"], &who["issuer"]), (&json!("alice"), &json!(issuer.url())), "{answer}");
        assert_eq!(who["identity"], "own", "the process has credentials of its owner already: {answer}");
        let listed = server.request(2, "tools/list", &json!({}));
        assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), who["tools"].as_array().map(Vec::len));
        server.wait_for(|said| said.contains(r#""username":"alice""#).then_some(()));
        assert!(!server.said().contains(&token), "the token is in no log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_token_in_the_file_is_another_caller() {
    let issuer = Issuer::start();
    let product = Product::new(["--token-file", "token"]).config(&config(&issuer));
    product.write("token", &issuer.forge().good("alice"));
    let mut server = product.stdio();
    let tools = |answer: &Value| answer["structuredContent"]["tools"].to_string();
    assert!(tools(&whoami(&mut server, 1)).contains("kro_graph"));
    server.write("token", &issuer.forge().good("bob"));
    let bob = whoami(&mut server, 2);
    assert_eq!(bob["structuredContent"]["username"], "bob", "{bob}");
    assert!(!tools(&bob).contains("kro_graph"), "{bob}");
    let hidden = server.request(3, "tools/call", &json!({"name": "kro_graph", "arguments": {}}));
    assert_eq!(hidden["error"]["code"], -32602, "{hidden}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_no_good_is_a_clear_error_and_the_next_one_works() {
    let issuer = Issuer::start();
    let good = issuer.forge().good("alice");
    let product = Product::new(["--token-file", "token"]).config(&config(&issuer));
    product.write("token", &good);
    let mut server = product.stdio();
    let mut id = 10;
    assert_eq!(whoami(&mut server, 1)["isError"], json!(false));
    let (head, _) = good.rsplit_once('.').expect("a token");
    for (token, said) in [
        // when the good one before it ends is not said of it
        (expiring(&issuer, "alice", now() - 90), "your token has expired."),
        (good.replace('.', ","), "malformed"),
        (format!("{head}.AAAA"), "signature"),
        (good.clone().replacen("eyJ", "eyK", 1), "malformed"),
        ("   \n".to_owned(), "is empty"),
    ] {
        server.write("token", &token);
        id += 2;
        let answer = whoami(&mut server, id);
        assert_eq!(answer["isError"], true, "{said}: {answer}");
        let text = answer["content"][0]["text"].as_str().expect("text");
        assert!(
            text.contains(said) && text.contains("token") && text.contains("get a new token"),
            "{said}: {text}"
        );
        assert!(!text.contains("local"), "{text}");
        let listed = server.request(id + 1, "tools/list", &json!({}));
        assert_eq!(listed["error"]["code"], -32600, "{listed}");
        assert!(listed["error"]["message"].as_str().is_some_and(|why| why.contains(said)), "{listed}");
    }
    std::fs::remove_file(server.write("token", "x")).expect("removed");
    let answer = whoami(&mut server, 90);
    assert!(answer.to_string().contains("cannot be read"), "{answer}");
    server.write("token", &good);
    assert_eq!(whoami(&mut server, 91)["structuredContent"]["username"], "alice");
    // each is kept
    server.wait_for(|said| (said.matches(r#""outcome":"unauthenticated""#).count() == 11).then_some(()));
    let said = server.said();
    let refused: Vec<Value> = said
        .lines()
        .filter(|line| line.contains(r#""outcome":"unauthenticated""#))
        .map(|line| serde_json::from_str(line).expect("an audit line"))
        .collect();
    assert!(refused[0]["token"]["hash"].as_str().is_some_and(|hash| hash.len() == 16), "{}", refused[0]);
    assert_eq!((&refused[0]["door"], &refused[0]["reason"]), (&json!("stdio"), &json!("expired")));
    assert!(!said.contains(head), "the token is in no log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_token_of_its_kind_would_not_mend_is_said() {
    let (issuer, other) = (Issuer::start(), Issuer::start());
    let mut claims = issuer.forge().claims("alice");
    claims["aud"] = json!("https://somebody.else");
    let good = issuer.forge().good("alice");
    for (token, said) in [
        (issuer.forge().claiming(&claims), "`platform-mcp check --as "),
        (other.forge().good("alice"), "`platform-mcp check --as "),
        (format!("Bearer {good}"), "leave out Bearer"),
        (format!("bearer  {good}"), "leave out Bearer"),
    ] {
        for file in [true, false] {
            let product = if file {
                Product::new(["call", "whoami", "--token-file", "token"])
            } else {
                Product::new(["call", "whoami"])
            };
            product.write("token", &token);
            let product = if file { product } else { product.env("PLATFORM_MCP_TOKEN", &token) };
            let output = product.config(&config(&issuer)).output();
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{error}");
            assert!(error.contains(said) && !error.contains("get a new token"), "{error}");
            assert!(!error.contains("eyJ"), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_while_it_is_used() {
    let issuer = Issuer::start();
    let entry = issuer.entry(RULES).replacen("{url:", "{leewaySeconds: 0, url:", 1);
    let config = format!("issuers: [{entry}]\nlocal: {{role: admin}}\n");
    let token = expiring(&issuer, "alice", now() + 3);
    let mut server = Product::new([""; 0]).config(&config).env("PLATFORM_MCP_TOKEN", &token).stdio();
    let first = whoami(&mut server, 1);
    let ends = first["structuredContent"]["expires_at"].as_str().expect("its end").to_owned();
    let began = Instant::now();
    let mut answer = first;
    for id in 2.. {
        if answer["isError"] == true {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it is used for ever: {answer}");
        std::thread::sleep(Duration::from_millis(200));
        answer = whoami(&mut server, id);
    }
    let text = answer["content"][0]["text"].as_str().expect("text");
    assert!(text.contains(&format!("your token has expired at {ends}")), "{text}");
    assert!(text.contains("PLATFORM_MCP_TOKEN"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_is_away_is_said_to_be() {
    let issuer = Issuer::start();
    let token = issuer.forge().good("alice");
    issuer.down();
    let mut server = Product::new([""; 0]).config(&config(&issuer)).env("PLATFORM_MCP_TOKEN", &token).stdio();
    let answer = whoami(&mut server, 1);
    assert!(
        answer["isError"] == true && answer.to_string().contains("cannot be asked for its keys"),
        "{answer}"
    );
    issuer.up();
    let began = Instant::now();
    for id in 2.. {
        if whoami(&mut server, id)["structuredContent"]["username"] == "alice" {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{}", server.said());
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_meant_ends_at_once() {
    let issuer = Issuer::start();
    let token = issuer.forge().good("alice");
    let (with, without) = (config(&issuer), "local: {role: viewer}\n".to_owned());
    let closed = with.lines().next().expect("the issuers").to_owned();
    for (arguments, variable, config, said) in [
        (&["--token-file", "t"][..], true, &with, "both given"),
        (&["--token-file", "t"], false, &without, "no issuer is configured"),
        (&[], true, &without, "no issuer is configured"),
        (&["call", "whoami"], true, &without, "no issuer is configured"),
        (&["--role", "viewer"], true, &with, "--role is for the local user"),
        (&["serve", "--http", "127.0.0.1:0", "--token-file", "t"], false, &with, "--token-file is for stdio"),
        (&[], false, &closed, "PLATFORM_MCP_TOKEN or --token-file"),
        (&["call", "whoami"], false, &closed, "PLATFORM_MCP_TOKEN or --token-file"),
    ] {
        let product = Product::new(arguments).config(config);
        let product = if variable { product.env("PLATFORM_MCP_TOKEN", &token) } else { product };
        let output = product.output();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(said) && !error.contains(&token), "{arguments:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shell_takes_the_same_token() {
    let issuer = Issuer::start();
    let call = |token: &str| {
        let product = Product::new(["call", "whoami"]).config(&config(&issuer));
        product.env("PLATFORM_MCP_TOKEN", token).output()
    };
    let good = call(&issuer.forge().good("alice"));
    assert!(good.status.success() && String::from_utf8_lossy(&good.stdout).contains("alice"), "{good:?}");
    let expired = call(&expiring(&issuer, "alice", now() - 90));
    let error = String::from_utf8_lossy(&expired.stderr);
    assert_eq!(expired.status.code(), Some(1), "{error}");
    assert!(error.contains("your token has expired") && expired.stdout.is_empty(), "{error}");
    // the sample platform has no issuers, so a token that is around is nothing to it
    let demo = Product::new(["call", "--demo", "whoami"]).env("PLATFORM_MCP_TOKEN", "x").output();
    assert!(demo.status.success(), "{demo:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_gets_credentials_for_a_cluster_does_not_get_the_token() {
    let issuer = Issuer::start();
    let token = issuer.forge().good("alice");
    let product = Product::new(["--kubeconfig", "kubeconfig"]).config(&config(&issuer));
    let seen = product.write("seen", "");
    let script = format!("env > {}; exit 1", seen.display());
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", script],
        "interactiveMode": "Never"});
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "a", "user": {"exec": exec}}]});
    product.write("kubeconfig", &kubeconfig.to_string());
    let mut server = product.env("PLATFORM_MCP_TOKEN", &token).env("OTHER", "there").stdio();
    let answer = server.request(1, "tools/call", &json!({"name": "kro_instances", "arguments": {}}));
    let environment = std::fs::read_to_string(&seen).expect("the plugin ran");
    assert!(environment.contains("OTHER=there"), "{environment} {answer}");
    assert!(!environment.contains("PLATFORM_MCP_TOKEN") && !environment.contains(&token), "{environment}");
}
