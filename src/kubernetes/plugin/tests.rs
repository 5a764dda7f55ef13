use std::{collections::HashMap, path::Path};

use secrecy::ExposeSecret as _;

use super::*;

fn script(folder: &Path, text: &str) -> Plugin {
    let args = vec!["-c".to_owned(), text.to_owned()];
    let env = [("name", "FOLDER"), ("value", folder.to_str().expect("UTF-8"))];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Plugin(ExecConfig {
        api_version: Some("client.authentication.k8s.io/v1".to_owned()),
        command: Some("/bin/sh".to_owned()),
        args: Some(args),
        env: Some(vec![HashMap::from(env)]),
        ..serde_json::from_value(json!({})).expect("all of it may be absent")
    })
}

async fn why(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    match script(folder.path(), text).run().await {
        Err(Fault::Configuration(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it gave something"),
    }
}

#[tokio::test]
async fn a_plugin_is_told_what_it_is_for_and_gives_a_credential() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"echo "$KUBERNETES_EXEC_INFO" >$FOLDER/info; env >$FOLDER/env; cat >$FOLDER/stdin
        echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status":
        {"token": "planted ", "expirationTimestamp": "2030-01-01T00:00:00Z"}}'"#;
    let provided = script(folder.path(), text).run().await.expect("a credential");
    let token = provided.auth_info.token.as_ref().expect("a token");
    assert_eq!(token.expose_secret(), "planted");
    assert_eq!(provided.until, "2030-01-01T00:00:00Z".parse().ok());
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let info: serde_json::Value = serde_json::from_str(&read("info")).expect("JSON");
    let expected = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "spec": {"interactive": false}});
    assert_eq!(info, expected);
    assert_eq!(read("stdin"), "");
    assert!(read("env").contains("PATH="), "it has our environment");
}

#[tokio::test]
async fn a_certificate_is_a_credential_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "printf 'status:\\n  clientCertificateData: CERTIFICATE\\n  clientKeyData: KEY\\n'";
    let provided = script(folder.path(), text).run().await.expect("a credential").auth_info;
    assert_eq!(provided.client_certificate_data, Some(STANDARD.encode("CERTIFICATE")));
    let key = provided.client_key_data.expect("a key");
    assert_eq!(key.expose_secret(), STANDARD.encode("KEY"));
}

#[tokio::test]
async fn what_is_wrong_with_a_plugin_is_said_and_nothing_that_it_said() {
    for (text, said) in [
        (
            "echo planted; echo planted >&2; exit 3",
            "failed (exit status: 3); what it said is in this server's log",
        ),
        ("echo planted", "printed no ExecCredential"),
        ("true", "without a status"),
        ("yes planted | head -c 200000", "printed no ExecCredential"),
        ("echo '{}'", "without a status"),
        ("echo '{\"status\": {}}'", "neither a token nor a certificate"),
        (
            "echo '{\"status\": {\"clientCertificateData\": \"planted\"}}'",
            "neither a token nor a certificate",
        ),
        ("echo '{\"status\": {\"token\": \"plan\\u0000ted\"}}'", "holds control characters"),
        (
            "echo '{\"status\": {\"token\": \"planted\", \"expirationTimestamp\": \"soon\"}}'",
            "no ExecCredential",
        ),
        ("kill -9 $$", "failed (signal: 9"),
    ] {
        let why = why(text).await;
        assert!(why.starts_with("the credential plugin \"sh\" ") && why.contains(said), "{text}: {why}");
        assert!(!why.contains("planted"), "{text}: {why}");
    }
    let plugin = |command: Option<&str>, mode| {
        Plugin(ExecConfig {
            command: command.map(str::to_owned),
            interactive_mode: mode,
            ..serde_json::from_value(json!({})).expect("all of it may be absent")
        })
    };
    for (plugin, said) in [
        (plugin(Some("/nowhere/at/all"), None), "\"all\" cannot be started"),
        (plugin(None, None), "has no command"),
        (plugin(Some("true"), Some(ExecInteractiveMode::Always)), "wants a terminal"),
    ] {
        let why = plugin.run().await.err().expect("it gives nothing").to_string();
        assert!(why.contains(said), "{why}");
    }
}

#[tokio::test]
async fn a_plugin_that_nobody_waits_for_is_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "echo $$ >$FOLDER/new; mv $FOLDER/new $FOLDER/pid; exec sleep 600";
    let hanging = tokio::time::timeout(Duration::from_millis(300), script(folder.path(), text).run());
    assert!(hanging.await.is_err(), "it hangs");
    let pid = std::fs::read_to_string(folder.path().join("pid")).expect("it had started");
    let began = Instant::now();
    while Path::new("/proc").join(pid.trim()).exists() {
        assert!(began.elapsed() < Duration::from_secs(5), "{pid} runs on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn what_else_a_user_has_comes_before_a_plugin() {
    let exec = || ExecConfig {
        command: Some("true".to_owned()),
        ..serde_json::from_value(json!({})).expect("all of it may be absent")
    };
    let mut user = AuthInfo { exec: Some(exec()), ..AuthInfo::default() };
    assert!(Plugin::take(&mut user).is_some() && user.exec.is_none());
    let mut user = AuthInfo { exec: Some(exec()), token: Some("t".to_owned().into()), ..AuthInfo::default() };
    assert!(
        Plugin::take(&mut user).is_none() && user.exec.is_none(),
        "kube would run it, and take the token"
    );
    assert!(Plugin::take(&mut AuthInfo::default()).is_none());
}
