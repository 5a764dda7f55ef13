//! A sign-in goes on for as long as the issuer renews it.

use serde_json::json;

use super::{Home, config, sign_in, text, whoami};
use crate::{
    issuer::{Answer, Issuer},
    oidc::Provider,
};

/// As if the time of the tokens were over.
fn over(home: &Home) {
    home.change(|tokens| {
        tokens["access_ends"] = json!("2020-01-01T00:00:00Z");
        tokens["id_ends"] = json!("2020-01-01T00:00:00Z");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_is_renewed_and_the_new_refresh_token_kept() {
    let (home, config) = (Home::new(), config(&json!({})));
    sign_in(&home, &config, "alice").await;
    let mut server = home.product(&[]).config(&config).stdio();
    assert_eq!(whoami(&mut server, 1)["structuredContent"]["username"], "alice");
    for id in 2..4 {
        let before = home.kept();
        over(&home);
        assert_eq!(whoami(&mut server, id)["structuredContent"]["username"], "alice", "{}", server.said());
        let after = home.kept();
        for name in ["refresh_token", "access_token", "access_ends"] {
            assert!(after["tokens"][name].is_string(), "{name}");
            assert_ne!(before["tokens"][name], after["tokens"][name], "{name} is another one");
        }
        // within a second, an ID token is the same to the letter
        let id_ends = after["tokens"]["id_ends"].as_str().expect("an end");
        assert!(id_ends > "2021", "{id_ends}");
    }
    assert!(!server.said().contains("eyJ"), "nothing of a token is in a log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_renew_at_once_do_it_once() {
    let (home, config) = (Home::new(), config(&json!({})));
    sign_in(&home, &config, "alice").await;
    over(&home);
    // the provider takes a refresh token once, and takes all of them back where one comes twice
    let started: Vec<_> = (0..4)
        .map(|_| {
            let product = home.product(&["whoami", "-o", "json"]).config(&config);
            std::thread::spawn(move || product.output())
        })
        .collect();
    for one in started {
        let output = one.join().expect("it ran");
        assert!(text(&output.stdout).contains("\"alice\""), "{}", text(&output.stderr));
    }
    over(&home);
    let output = home.product(&["whoami", "-o", "json"]).config(&config).output();
    assert!(text(&output.stdout).contains("\"alice\""), "it goes on: {}", text(&output.stderr));
    let files = std::fs::read_dir(home.folder()).expect("a folder").count();
    assert_eq!(files, 2, "the sign-in and its lock, and nothing unfinished");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_cannot_be_renewed_has_ended_and_takes_nobody_elses_place() {
    let home = Home::new();
    let config = format!("{}local: {{role: admin}}\n", config(&json!({})));
    sign_in(&home, &config, "alice").await;
    over(&home);
    home.change(|tokens| tokens["refresh_token"] = json!("planted-and-unknown"));
    let output = home.product(&["whoami"]).config(&config).output();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("has ended: invalid_grant"), "{error}");
    let next = format!("platform-mcp login {}", Provider::shared().issuer());
    assert!(error.contains(&format!("sign in again with `{next}`")) && !error.contains("planted"), "{error}");
    let mut server = home.product(&[]).config(&config).stdio();
    let answer = whoami(&mut server, 1);
    let told = answer["content"][0]["text"].as_str().expect("text");
    assert_eq!(answer["isError"], true, "{answer}");
    assert!(told.contains("has ended") && told.contains(&format!("sign in again with `{next}`")), "{told}");
    assert!(!text(&output.stdout).contains("local"), "it is not the local user who calls then");
    home.change(|tokens| drop(tokens.as_object_mut().expect("tokens").remove("refresh_token")));
    let output = home.product(&["whoami"]).config(&config).output();
    assert!(text(&output.stderr).contains("no refresh token"), "{}", text(&output.stderr));
    // signing in again mends it
    sign_in(&home, &config, "erin").await;
    let output = home.product(&["whoami", "-o", "json"]).config(&config).output();
    assert!(text(&output.stdout).contains("\"erin\""), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_while_it_is_renewed_takes_nothing_away() {
    let issuer = Issuer::start();
    let home = Home::new();
    let entry = issuer.entry(super::RULES);
    let entry = entry.strip_suffix('}').expect("an entry");
    let config = format!("issuers: [{entry}, login: {{clientId: app}}}}]\n");
    // as if somebody had signed in there
    let sample = super::config(&json!({}));
    sign_in(&home, &sample, "alice").await;
    let text_of = |home: &Home| std::fs::read_to_string(home.file().expect("a sign-in")).expect("text");
    let mut kept = home.kept();
    kept["issuer"] = json!(issuer.url());
    kept["client_id"] = json!("app");
    std::fs::remove_file(home.file().expect("a sign-in")).expect("removed");
    let hash =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{}\napp", issuer.url()).as_bytes());
    let name: String = hash.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let file = home.folder().join(format!("{name}.json"));
    std::fs::write(&file, kept.to_string()).expect("written");
    std::process::Command::new("chmod").arg("600").arg(&file).status().expect("chmod");
    over(&home);
    let before = text_of(&home);
    for answer in [Answer::Status(503), Answer::Html, Answer::Cut, Answer::Json(json!({}))] {
        issuer.token(answer.clone());
        let output = home.product(&["whoami"]).config(&config).output();
        assert_eq!(output.status.code(), Some(1), "{answer:?}: {}", text(&output.stderr));
        assert_eq!(text_of(&home), before, "{answer:?}");
    }
    issuer.down();
    let output = home.product(&["whoami"]).config(&config).output();
    let error = text(&output.stderr);
    assert!(error.contains("cannot be asked") && error.contains("your sign-in is kept"), "{error}");
    issuer.up();
    let good = issuer.forge().good("alice");
    issuer.token(Answer::Json(json!({"access_token": good, "token_type": "Bearer", "expires_in": "600"})));
    let output = home.product(&["whoami", "-o", "json"]).config(&config).output();
    assert!(text(&output.stdout).contains("\"alice\""), "{}", text(&output.stderr));
    let after = home.kept();
    assert_eq!(after["tokens"]["access_token"], good);
    let refresh = |text: &str| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(text).expect("JSON")["tokens"]["refresh_token"].clone()
    };
    assert_eq!(after["tokens"]["refresh_token"], refresh(&before), "one that is not replaced goes on");
}
