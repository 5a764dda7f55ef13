//! `backstage-cli actions` of somebody who is signed in lists and runs our tools through Backstage's gateway.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backstage::{Backstage, Options, PLUGIN};
use crate::backstage_bridge::serve;
use crate::faulty::Faulty;
use crate::mcp::Mcp;
use crate::parts::{node, support};

const VIEWERS: &str = "group:default/viewers";
const CHECKOUT: [&str; 6] = ["--kind", "WebService", "--namespace", "payments", "--name", "checkout"];

/// The CLI after `auth login`, on a machine without a keyring.
struct Cli(TempDir);

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Cli {
    fn signed_in(backstage: &Backstage, token: &str) -> Self {
        let home = tempfile::tempdir().expect("a home");
        let secrets = home.path().join("data/backstage-cli/auth-secrets/backstage-cli%3Aauth-instance%3Arig");
        let settings = home.path().join("config/backstage-cli");
        for folder in [&secrets, &settings] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        std::fs::write(secrets.join("accessToken.secret"), token).expect("a file");
        let instance = json!({
            "name": "rig", "baseUrl": backstage.direct(""), "clientId": "preseeded", "selected": true,
            "issuedAt": 0, "accessTokenExpiresAt": 4_102_444_800_000_u64,
            "metadata": {"pluginSources": [PLUGIN]},
        });
        // what is JSON is YAML
        let instances = json!({"instances": [instance]}).to_string();
        std::fs::write(settings.join("auth-instances.yaml"), instances).expect("a file");
        Self(home)
    }

    /// Runs a tool of ours.
    async fn execute(&self, tool: &str, arguments: &[&str]) -> Ended {
        let id = format!("{PLUGIN}:{tool}");
        self.actions(&[&["execute", id.as_str()], arguments].concat()).await
    }

    /// Runs `backstage-cli actions` with these arguments.
    async fn actions(&self, arguments: &[&str]) -> Ended {
        let home = self.0.path();
        let mut command = Command::new(node().join("bin/node"));
        command.arg(support("node/backstage_cli.mjs")).arg(node()).arg("actions").args(arguments);
        command.env_clear().env("NO_COLOR", "1").env("HOME", home).current_dir(home);
        command.env("XDG_CONFIG_HOME", home.join("config")).env("XDG_DATA_HOME", home.join("data"));
        command.stdin(std::process::Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.expect("no panic").expect("the CLI runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_of_backstage_lists_the_tools_of_whoever_is_signed_in_and_runs_them() {
    let backstage = Backstage::start(Options::default());
    let platform = Faulty::start().await;
    let server = serve(&backstage, &platform);
    let token = backstage.user_token("user:default/bob", &[VIEWERS]).await;
    let cli = Cli::signed_in(&backstage, &token);
    let direct = Mcp::with_token(server.url("/mcp"), &token);
    let (listed, graph, help) = tokio::join!(
        cli.actions(&["list"]),
        cli.execute("kro_graph", &CHECKOUT),
        cli.execute("kro_graph", &["--help"]),
    );

    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""), "{listed:?}");
    let ids = listed.stdout.lines().filter_map(|line| line.trim().split(' ').next());
    let names: Vec<&str> = ids.filter_map(|id| id.strip_prefix("platform-mcp:")).collect();
    let wanted = direct.list_tools().await;
    let wanted: Vec<&str> = wanted.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, wanted, "{listed:?}");
    assert!(names.contains(&"kro_graph") && !names.contains(&"kro_yaml"), "{names:?}");

    assert_eq!((graph.code, graph.stderr.as_str()), (Some(0), ""), "{graph:?}");
    let output: Value = serde_json::from_str(&graph.stdout).unwrap();
    let checkout = json!({"kind": "WebService", "namespace": "payments", "name": "checkout"});
    assert_eq!(output, direct.call("kro_graph", checkout).await.structure);

    assert_eq!(help.code, Some(0), "{help:?}");
    for flag in ["--cluster", "--kind", "--namespace", "--name"] {
        assert!(help.stdout.contains(&format!("{flag} <string>")), "{flag}: {help:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_of_backstage_says_why_a_tool_of_ours_did_not_run() {
    let backstage = Backstage::start(Options::default());
    let platform = Faulty::start().await;
    let _server = serve(&backstage, &platform);
    let bob = backstage.user_token("user:default/bob", &[VIEWERS]).await;
    let cli = Cli::signed_in(&backstage, &bob);
    let stranger = Cli::signed_in(&backstage, "no.token.at-all");
    let typo = ["--kind", "Web Service", "--name", "checkout"];
    let nowhere = ["--kind", "WebService", "--namespace", "payments", "--name", "nowhere"];
    let (hidden, wrong, missing, refused) = tokio::join!(
        cli.execute("kro_yaml", &CHECKOUT),
        cli.execute("kro_graph", &typo),
        cli.execute("kro_graph", &nowhere),
        stranger.actions(&["list"]),
    );
    for (ended, said) in [
        (hidden, "Action \"platform-mcp:kro_yaml\" not found"),
        (wrong, "the cluster serves no kind \"Web Service\". Nearest: WebService.platform.example.com"),
        (missing, "nowhere"),
        (refused, "token"),
    ] {
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.contains("Error: ") && ended.stderr.contains(said), "{said}: {ended:?}");
    }
}
