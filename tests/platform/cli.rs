//! The command line: what people and scripts see of it.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    authority::Authority,
    server::{Product, Server},
};

/// A kubeconfig of which one context works (as far as the file goes) and one does not.
const HALF_BROKEN: &str = r#"
apiVersion: v1
kind: Config
current-context: gone
clusters:
  - {name: here, cluster: {server: "https://127.0.0.1:1"}}
users:
  - {name: me, user: {token: s3cr3t-token}}
contexts:
  - {name: works, context: {cluster: here, user: me}}
  - {name: lost, context: {cluster: nowhere, user: me}}
"#;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

fn run(arguments: &[&str]) -> Ran {
    Product::new(arguments).output().into()
}

#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
    ran.out
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeds(arguments)).expect("JSON")
}

#[test]
fn every_command_answers_over_the_sample_platform() {
    for (arguments, said) in [
        (&["call", "whoami", "--demo"][..], "You are local"),
        (&["call", "kubernetes_clusters", "--demo", "limit=5"], "1 cluster, "),
        (&["call", "kro_instances", "--demo", "kind=Shop"], "storefront"),
        (
            &["call", "kro_graph", "--demo", "kind=Shop", "namespace=shop", "name=storefront"],
            "api: WebService/storefront-api",
        ),
        (&["call", "kro_yaml", "--demo", "kind=Shop", "namespace=shop", "name=outlet"], "kind: Shop"),
        (&["call", "knative_event_mesh", "--demo"], "Knative Eventing is not installed in "),
        (&["call", "palette_projects", "--demo", "environment=demo"], "shop-prod"),
        (&["call", "palette_cluster_health", "--demo", "cluster=checkout"], "shop-prod/checkout: unhealthy"),
        (&["check", "--demo"], "nothing to mend"),
        (&["tools"], "kubernetes_clusters"),
        (&["tools", "--readme"], "| `whoami` |"),
        (&["--help"], "Exit codes:"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["completions", "bash"], "complete -F _platform__mcp"),
        (&["completions", "zsh"], "#compdef platform-mcp"),
        (&["completions", "fish"], "complete -c platform-mcp"),
    ] {
        let out = succeeds(arguments);
        assert!(out.contains(said), "{arguments:?}: {out}");
    }
}

#[test]
fn arguments_mean_the_same_however_they_are_given() {
    let pairs = json(&["call", "kubernetes_clusters", "--demo", "-o", "json", "cluster=sample", "limit=5"]);
    let arguments = json!({"cluster": "sample", "limit": 5}).to_string();
    let object = json(&["call", "kubernetes_clusters", "--demo", "-o", "json", "--json", &arguments]);
    let mut piped = Command::new(env!("CARGO_BIN_EXE_platform-mcp"))
        .args(["call", "kubernetes_clusters", "--demo", "-o", "json", "--json", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    piped.stdin.take().expect("a stdin").write_all(arguments.as_bytes()).expect("it reads");
    let piped = piped.wait_with_output().expect("it ends");
    let piped: Value = serde_json::from_slice(&piped.stdout).expect("JSON");
    for answer in [&pairs, &object, &piped] {
        assert_eq!((&answer["total"], &answer["rows"][0]["name"]), (&json!(1), &json!("sample")), "{answer}");
    }
}

#[test]
fn what_is_misspelt_is_answered_with_what_was_meant() {
    for (arguments, code, said) in [
        (&["chek"][..], 2, "'check'"),
        (&["tools", "--jsn"], 2, "'--json'"),
        (&["call", "whoami", "--dmo"], 2, "'--demo'"),
        (&["call", "kubernetes_clustres", "--demo"], 1, "did you mean \"kubernetes_clusters\"?"),
        (&["call", "zzz", "--demo"], 1, "tools: knative_event_mesh, kro_diagnose, "),
        (&["call", "palette_kubeconfig", "--demo", "--role", "viewer"], 1, "\"palette_kubeconfig\"; tools: "),
        (&["call", "palette_clusters", "--demo", "cursor=of-another"], 1, "or set sealKey"),
        (&["call", "kubernetes_clusters", "--demo", "clustr=a"], 1, "did you mean \"cluster\"?"),
        (&["call", "kubernetes_clusters", "--demo", "cluster=sampel"], 1, "Nearest: sample"),
        (&["call", "palette_projects", "--demo", "environment=dmeo"], 1, "Nearest: demo"),
        (&["call", "kubernetes_clusters", "--demo", "limit=many"], 1, "\"limit\" must be an integer"),
        (&["call", "kubernetes_clusters", "--demo", "limit"], 2, "KEY=VALUE"),
        (&["call", "kubernetes_clusters", "--demo", "cluster=a", "cluster=b"], 2, "given twice"),
        (&["call", "whoami", "--demo", "--json", "[1]"], 2, "must be a JSON object"),
        (&["call", "whoami", "--demo", "--json", "{"], 2, "not valid JSON"),
        (&["call", "whoami", "--demo", "a=1", "--json", "{}"], 2, "cannot be used with"),
        (&["call", "whoami", "--demo", "--role", "viewr"], 2, "known roles: admin, operator, viewer"),
        (&["tools", "--config", "/nonexistent.yaml"], 2, "/nonexistent.yaml: cannot be read"),
        (&["serve", "--http", "here"], 2, "127.0.0.1:8080"),
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn who_may_only_delete_does_not_learn_what_else_there_is() {
    let config = "roles: {remover: {allow: [kro.instances.delete]}, both: {allow: [kro.instances.delete, \
                  kro.instances.list]}}\n";
    let tried = |role: &str| {
        let misspelt = ["kro_delete_instance", "kind=Shop", "namespace=shop", "name=outlett"];
        let ran = Product::new(["call", "--demo", "--role", role].into_iter().chain(misspelt)).config(config);
        String::from_utf8(ran.output().stderr).expect("UTF-8")
    };
    let (alone, both) = (tried("remover"), tried("both"));
    assert!(alone.contains("there is no Shop \"outlett\"") && !alone.contains("Nearest"), "{alone}");
    assert!(both.contains("Nearest: shop/outlet"), "{both}");
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place() {
    let yaml = "clusters:\n  static:\n    - name: a\n      url: https://a\n      tokn: s3cr3t\n";
    let place = "line 5: clusters.static[0].tokn: there is no such key; did you mean \"token\"?";
    let ran: Ran = Product::new(["tools"]).config(yaml).output().into();
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains(place) && !ran.err.contains("s3cr3t"), "{}", ran.err);
    let ran: Ran = Product::new(["check"]).config(yaml).output().into();
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("fail ") && ran.out.contains(place), "{}", ran.out);
}

#[test]
fn the_environment_names_the_file_unless_the_flag_does() {
    let tools = |file: &str, flag: Option<&str>| -> Ran {
        let product = Product::new(["tools"]).env("PLATFORM_MCP_CONFIG", file);
        product.write("wrong.yaml", "rolls: {}");
        let product = if let Some(yaml) = flag { product.config(yaml) } else { product };
        product.output().into()
    };
    let ran = tools("wrong.yaml", None);
    assert!(ran.code == 2 && ran.err.contains("wrong.yaml: line 1: rolls: "), "{}", ran.err);
    assert_eq!(tools("wrong.yaml", Some("roles: {}")).code, 0, "the flag is meant");
    assert_eq!(tools("", None).code, 0, "an empty variable names no file");
}

#[test]
fn a_role_sees_its_own_tools() {
    let yaml = "roles: {nobody: {allow: [kro.overview.view]}}\nlocal: {role: nobody}\n";
    let ran: Ran = Product::new(["tools", "--role", "nobody"]).config(yaml).output().into();
    assert!(ran.out.contains("whoami") && !ran.out.contains("kubernetes_clusters"), "{}", ran.out);
    let ran: Ran = Product::new(["tools"]).config(yaml).output().into();
    assert!(ran.out.contains("kubernetes_clusters"), "without --role, all: {}", ran.out);
    let ran: Ran = Product::new(["call", "kubernetes_clusters", "--demo"]).config(yaml).output().into();
    assert_eq!(ran.code, 1, "hidden is unknown");
    assert!(ran.err.contains("there is no tool") && !ran.err.contains("did you mean"), "{}", ran.err);
    let arguments = ["call", "kubernetes_clusters", "--demo", "--role", "viewer"];
    let ran: Ran = Product::new(arguments).config(yaml).output().into();
    assert_eq!(ran.code, 0, "the flag is meant instead of the file: {}", ran.err);
}

#[test]
fn the_contract_says_everything() {
    let tools = json(&["tools", "--json"]);
    for tool in tools.as_array().expect("an array") {
        for key in ["name", "title", "description", "toolset", "effect"] {
            assert!(tool[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {tool}");
        }
        assert!(!tool["permission"].is_null());
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{tool}");
        }
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{hint} of {tool}");
        }
    }
    assert_eq!(json(&["check", "--schema"])["additionalProperties"], false);
}

#[test]
fn a_broken_kubeconfig_is_said_and_the_rest_is_served() {
    let product = Product::new(["serve", "--http", "127.0.0.1:0", "--kubeconfig", "broken.yaml"]);
    product.write("broken.yaml", HALF_BROKEN);
    let mut server = product.serve();
    for said in ["context \"lost\" names cluster \"nowhere\"", "current-context \"gone\""] {
        server.wait_for(|text| text.contains(said).then_some(()));
    }
    assert!(!server.said().contains("s3cr3t"), "{}", server.said());
    server.terminate();
    assert!(server.ended(Duration::from_secs(5)).success(), "{}", server.said());

    let product = Product::new(["check"]);
    let file = product.write("broken.yaml", HALF_BROKEN);
    let ran: Ran = product.kubeconfig(file).output().into();
    assert_eq!(ran.code, 1);
    for line in [
        "fail  kubeconfig: context \"lost\" names cluster \"nowhere\", which clusters does not have → ",
        "fail  kubeconfig: current-context \"gone\" is not one of its contexts → ",
        "fail  cluster works: ",
        "ok    identity own: ",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
    assert!(!ran.out.contains("s3cr3t"), "{}", ran.out);
}

#[test]
fn a_kubeconfig_that_is_no_yaml_stops_nothing() {
    let product = Product::new(["call", "whoami", "--kubeconfig", "no.yaml"]);
    product.write("no.yaml", "clusters: [\n  {name: s3cr3t");
    let ran: Ran = product.output().into();
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("You are local"), "{}", ran.out);
    assert!(ran.err.starts_with("warning: kubeconfig ") && ran.err.contains("no.yaml: "), "{}", ran.err);
    assert!(ran.err.contains("line 2"), "the part that is wrong: {}", ran.err);
    assert!(!ran.err.contains("s3cr3t"), "{}", ran.err);
}

#[test]
fn http_without_an_issuer_stays_on_loopback() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let ran = run(&["serve", "--http", address]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{address}");
        assert!(
            ran.err.contains("is not a loopback address") && ran.err.contains("127.0.0.1"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn the_tour_shows_what_an_agent_gets_and_then_serves() {
    let mut server = Server::demo();
    let connect = format!("claude mcp add --transport http platform-demo {}", server.url("/mcp"));
    server.wait_for(|text| text.contains(&connect).then_some(()));
    let said = server.said();
    assert!(said.contains("→ tools/call whoami {}\n\nYou are local"), "{said}");
    assert!(said.contains("→ tools/call kro_instances {}\n\n29 instances of "), "{said}");
    assert!(said.contains("Shop/storefront in shop (sample): NOT healthy"), "{said}");
    assert!(said.contains("→ tools/call palette_fleet {}\n\n11 clusters (2 virtual)"), "{said}");
    assert!(said.contains("→ tools/call palette_cluster_health {\"cluster\":\"checkout\"}\n\ndemo/shop-prod/checkout: unhealthy"), "{said}");
    let hint = "platform-mcp call palette_cluster_health --demo cluster=checkout\n";
    server.wait_for(|text| text.contains(hint).then_some(()));
    server.terminate();
    assert!(server.ended(Duration::from_secs(5)).success());
}

#[test]
fn the_demo_for_hosts_has_nothing_but_mcp_on_stdout() {
    let mut server = Product::new(["demo", "--stdio"]).stdio();
    let params = json!({"name": "kubernetes_clusters", "arguments": {}});
    let answer = server.request(1, "tools/call", &params);
    assert_eq!(answer["result"]["structuredContent"]["rows"][0]["name"], "sample", "{answer}");
    server.end_input();
    assert!(server.ended(Duration::from_secs(5)).success());
    assert_eq!(server.said(), "", "a newcomer's host log stays clean");
}

#[test]
fn the_example_configuration_runs() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/platform-mcp.yaml");
    let Ran { code, out, err } = run(&["call", "whoami", "--demo", "--config", example]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("role shop-team") && out.contains("payments-*"), "{out}");
    assert!(err.contains("\"tool\":\"whoami\""), "its audit log goes to stderr: {err}");
}

#[tokio::test]
async fn check_says_whether_the_certificate_can_be_served() {
    let authority = Authority::new();
    let (one, other) = (authority.loopback(), authority.loopback());
    for (certificate, key, code, said) in [
        (Some(&one.certificate), &one.key, 0, &["ok    TLS certificate: ", "tls.crt"][..]),
        (None, &one.key, 1, &["fail  http.tls: ", "tls.crt: No such file", " → put the file there"]),
        (Some(&one.certificate), &other.key, 1, &["fail  http.tls: ", " → keyFile must be the key"]),
        (Some(&one.key), &one.key, 1, &["holds no certificate in PEM → certFile holds"]),
    ] {
        let product = Product::new(["check"]);
        if let Some(certificate) = certificate {
            product.write("tls.crt", certificate);
        }
        product.write("tls.key", key);
        let ran: Ran = product.config("http: {tls: {certFile: tls.crt, keyFile: tls.key}}\n").output().into();
        assert_eq!(ran.code, code, "{}", ran.out);
        for part in said {
            assert!(ran.out.contains(part), "{part}\n{}", ran.out);
        }
        assert!(!ran.out.contains("PRIVATE"), "{}", ran.out);
    }
    assert!(!run(&["check"]).out.contains("TLS"), "where none is configured, none is spoken of");
}

#[test]
fn over_the_sample_platform_it_is_said_which_callers_are_left_out() {
    let issuers = "issuers: [{url: 'https://issuer.example', audiences: [a], rules: [{roles: [viewer]}]}]\n";
    let line = "the sample platform is served to the local user; left out: ";
    for arguments in [&["call", "whoami", "--demo"][..], &["check", "--demo"]] {
        let ran: Ran = Product::new(arguments).config(issuers).env("PLATFORM_MCP_TOKEN", "x").output().into();
        let both = format!("{line}the issuers of the configuration, the token in PLATFORM_MCP_TOKEN\n");
        assert_eq!((ran.code, ran.err.as_str()), (0, both.as_str()), "{arguments:?} {}", ran.out);
    }
    let mut server = Product::new(["demo", "--stdio"]).config(issuers).stdio();
    server.wait_for(|said| said.contains(line).then_some(()));
    server.end_input();
    for arguments in [
        &["call", "whoami", "--demo", "--token-file", "t"][..],
        &["demo", "--token-file", "t"],
        &["check", "--demo", "--token-file", "t"],
    ] {
        let ran: Ran = Product::new(arguments).config(issuers).output().into();
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(
            ran.err.contains("--token-file is of no use here") && ran.err.contains("local user"),
            "{}",
            ran.err
        );
    }
}
