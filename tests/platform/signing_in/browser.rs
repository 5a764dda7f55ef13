//! Signing in with a real browser: a headless Chromium, which `platform-mcp login` opens itself.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use super::{Home, config, text};
use crate::parts;

/// Ends a browser that it has not started itself.
struct Ended(std::path::PathBuf);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(&self.0) {
            let _ = Command::new("kill").args(["-KILL", pid.trim()]).status();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_is_opened_comes_back_with_the_person() {
    let home = Home::new();
    // there is no page to fill in at the provider; this says who sits there
    let config = config(&json!({"parameters": {"login_hint": "alice"}}));
    let login = home.product(&["login"]).config(&config);
    let folder = parts::browser().display();
    let pid = login.write("pid", "");
    let own = login.write("opened", "");
    let profile = pid.with_file_name("profile");
    let script = format!(
        "#!/bin/sh\necho $$ > {}\necho \"$1\" > {}\nexport LD_LIBRARY_PATH={folder}/lib FONTCONFIG_PATH={folder}\n\
         exec {folder}/chromium --headless --no-sandbox --disable-gpu --no-zygote --disable-dev-shm-usage \
         --ignore-certificate-errors --remote-debugging-port=0 --user-data-dir={} \"$1\"\n",
        pid.display(),
        own.display(),
        profile.display()
    );
    let browser = login.write("browser", &script);
    Command::new("chmod").arg("+x").arg(&browser).status().expect("chmod");
    let _ended = Ended(pid);
    let mut login = login.env("BROWSER", &browser).env("PATH", "/usr/bin:/bin").stdio();
    assert!(login.ended(Duration::from_secs(60)).success(), "{}", login.said_at_end());
    let opened = std::fs::read_to_string(&own).expect("it was opened");
    assert!(opened.contains("code_challenge=") && !opened.contains("code_verifier"), "{opened}");
    let shell = home.product(&["whoami", "-o", "json"]).config(&config).output();
    let who: Value =
        serde_json::from_slice(&shell.stdout).unwrap_or_else(|_| panic!("{}", text(&shell.stderr)));
    assert_eq!(who["username"], "alice");
}
