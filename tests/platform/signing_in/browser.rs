//! Signing in with a real browser: a headless Chromium, which `platform-mcp login` opens itself.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::{Value, json};

use super::{Home, config, text};
use crate::{parts, server::Product};

/// A browser at which somebody sits, opened by `login`; it ends with this.
pub(super) struct Chromium {
    folder: tempfile::TempDir,
}

impl Chromium {
    /// There is no page to fill in at the provider: `login_hint` says who sits there.
    pub(super) fn of(person: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, parts) = (folder.path().display(), parts::browser().display());
        let script = format!(
            "#!/bin/sh\necho $$ > {own}/pid\necho \"$1\" > {own}/opened\n\
             export LD_LIBRARY_PATH={parts}/lib FONTCONFIG_PATH={parts}\n\
             exec {parts}/chromium --headless --no-sandbox --disable-gpu --no-zygote --disable-dev-shm-usage \
             --ignore-certificate-errors --remote-debugging-port=0 --user-data-dir={own}/profile \
             \"$1&login_hint={person}\"\n"
        );
        std::fs::write(folder.path().join("browser"), script).expect("written");
        Command::new("chmod").arg("+x").arg(folder.path().join("browser")).status().expect("chmod");
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs in with what this `login` opens; the URL that it opened.
    pub(super) fn sign_in(&self, login: Product) -> String {
        let mut login = login.env("BROWSER", self.file("browser")).env("PATH", "/usr/bin:/bin").stdio();
        assert!(login.ended(Duration::from_secs(60)).success(), "{}", login.said_at_end());
        assert!(!login.said_at_end().contains("eyJ"), "nothing of a token is said");
        std::fs::read_to_string(self.file("opened")).expect("it was opened")
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // it stays open when whoever opened it has gone
        if let Ok(pid) = std::fs::read_to_string(self.file("pid")) {
            let _ = Command::new("kill").args(["-KILL", pid.trim()]).status();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_is_opened_comes_back_with_the_person() {
    let (home, config) = (Home::new(), config(&json!({})));
    let opened = Chromium::of("erin").sign_in(home.product(&["login"]).config(&config));
    assert!(opened.contains("code_challenge=") && !opened.contains("code_verifier"), "{opened}");
    let shell = home.product(&["whoami", "-o", "json"]).config(&config).output();
    let who: Value =
        serde_json::from_slice(&shell.stdout).unwrap_or_else(|_| panic!("{}", text(&shell.stderr)));
    assert_eq!(who["username"], "erin");
}
