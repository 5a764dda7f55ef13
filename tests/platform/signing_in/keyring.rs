//! The keyring of the system: `secret-tool`, as a script that keeps what it is given in files and answers as it.

use std::{path::PathBuf, process::Command};

use serde_json::json;

use super::{Home, config, text, url};
use crate::{oidc::Provider, server::Product};

/// What `secret-tool` does, as far as it is used; a file `locked` beside it makes it fail.
const SCRIPT: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
if [ -e "$here/locked" ]; then echo "secret-tool: Cannot create an item in a locked collection" >&2; exit 1; fi
for last in "$@"; do :; done
case $1 in
  store) cat > "$here/key-$last" ;;
  lookup) [ -e "$here/key-$last" ] && cat "$here/key-$last" ;;
  clear) rm -f "$here/key-$last" ;;
esac
"#;

struct Keyring {
    folder: tempfile::TempDir,
}

impl Keyring {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("secret-tool");
        std::fs::write(&program, SCRIPT).expect("written");
        Command::new("chmod").arg("+x").arg(&program).status().expect("chmod");
        Self { folder }
    }

    fn with(&self, product: Product) -> Product {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        product.env("PATH", path).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keys(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("key-")).collect()
    }
}

async fn sign_in(home: &Home, keyring: &Keyring, config: &str) -> (bool, String) {
    let provider = Provider::shared();
    let product = keyring.with(home.product(&["login", "--no-browser"]).config(config));
    let mut login = product.stdio();
    let back = provider.browse(&url(&login, provider.issuer()), "alice").await;
    reqwest::get(&back).await.expect("it waits there");
    let status = login.ended(std::time::Duration::from_secs(30));
    (status.success(), login.said_at_end())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_keyring_the_file_is_worth_nothing_without_its_key() {
    let (home, keyring, config) = (Home::new(), Keyring::new(), config(&json!({})));
    let (done, said) = sign_in(&home, &keyring, &config).await;
    assert!(done && said.contains("sealed with a key in your keyring"), "{said}");
    let kept = home.kept();
    assert!(kept["tokens"].is_null() && kept["sealed"].is_string(), "{kept}");
    assert!(!kept.to_string().contains("alice") && !kept.to_string().contains("eyJ"));
    let [key]: [String; 1] = keyring.keys().try_into().expect("one key");
    let key = std::fs::read_to_string(keyring.file(&key)).expect("a key");
    let asked = std::fs::read_to_string(keyring.file("asked")).expect("it was asked");
    assert!(!asked.contains(key.trim()), "the key is in no argument: {asked}");

    let whoami = || keyring.with(home.product(&["whoami", "-o", "json"]).config(&config)).output();
    assert!(text(&whoami().stdout).contains("\"alice\""));
    let elsewhere = home.product(&["whoami"]).config(&config).output();
    let error = text(&elsewhere.stderr);
    assert!(error.contains("its key is in the system's keyring, and there is none here"), "{error}");
    // another sign-in in its place
    assert!(sign_in(&home, &keyring, &config).await.0 && keyring.keys().len() == 1);
    std::fs::write(keyring.file("locked"), "").expect("written");
    let error = text(&whoami().stderr);
    assert!(error.contains("keyring cannot be used") && error.contains("locked collection"), "{error}");
    std::fs::remove_file(keyring.file("locked")).expect("removed");
    let out = keyring.with(home.product(&["logout"]).config(&config)).output();
    assert!(out.status.success() && keyring.keys().is_empty(), "{}", text(&out.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_that_is_not_there_is_said_to_be_and_a_file_will_do_unless_it_may_not() {
    let keyring = Keyring::new();
    std::fs::write(keyring.file("locked"), "").expect("written");
    let (home, usual) = (Home::new(), config(&json!({})));
    let (done, said) = sign_in(&home, &keyring, &usual).await;
    assert!(done && said.contains("locked collection") && said.contains("you alone may read"), "{said}");
    assert!(home.kept()["tokens"].is_object());

    let wanted = config(&json!({"storage": "keyring"}));
    let none = Home::new();
    let locked = keyring.with(none.product(&["login", "--no-browser"]).config(&wanted)).output();
    assert!(text(&locked.stderr).contains("locked collection"), "{}", text(&locked.stderr));
    let absent = none.product(&["login", "--no-browser"]).config(&wanted).output();
    assert!(text(&absent.stderr).contains("there is no keyring here"), "{}", text(&absent.stderr));
    assert!(none.file().is_none(), "nothing is kept");

    std::fs::remove_file(keyring.file("locked")).expect("removed");
    let (home, file) = (Home::new(), config(&json!({"storage": "file"})));
    assert!(sign_in(&home, &keyring, &file).await.0 && keyring.keys().is_empty());
}
