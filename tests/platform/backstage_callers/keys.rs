//! The keys of Backstage, and ours.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ALICE, Answer, Rig, VIEWERS, config};
use crate::backstage::{Backstage, Fault, Options, PLUGIN};
use crate::server::Product;

async fn until_ok(rig: &Rig, token: impl Fn() -> String, within: Duration) -> Answer {
    let began = Instant::now();
    loop {
        let answer = rig.list(&token()).await;
        if answer.status == 200 {
            return answer;
        }
        assert!(began.elapsed() < within, "{answer:?}\n{}", rig.server.said());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backstage_comes_back_with_new_keys_and_the_old_ones_count_no_more() {
    let rig = Rig::start();
    let user = rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let old = crate::backstage::limited_of(&user);
    let before = rig.acting(&old);
    assert_eq!((rig.list(&before).await.status, rig.list(&user).await.status), (200, 200));
    rig.backstage.stop();
    // who is known is known while it is away
    assert_eq!((rig.list(&before).await.status, rig.list(&user).await.status), (200, 200));
    rig.backstage.start_again(true);
    let new = rig.limited(ALICE, &[VIEWERS]).await;
    let began = Instant::now();
    let answer = rig.list(&rig.acting(&new)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    // none of the keys that are known now signed these
    for (what, token) in [
        ("the old token", before),
        ("the user's old token", user),
        ("the old user in a new token", rig.acting(&old)),
    ] {
        let answer = rig.list(&token).await;
        let lines = || {
            std::thread::sleep(Duration::from_millis(300));
            rig.server.read("audit.jsonl")
        };
        assert_eq!(
            answer.error(),
            (401, "AuthenticationError"),
            "{what}: {}\n{}",
            lines(),
            rig.server.said()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_come_and_stay_cost_no_question_about_users() {
    let rig = Rig::start();
    let limited = rig.limited(ALICE, &[VIEWERS]).await;
    assert_eq!(rig.list(&rig.acting(&limited)).await.status, 200);
    let more = crate::keys::Key::new(crate::keys::Alg::Es256, "one-more").jwk();
    let add = Fault::replace(move |mut set: Value| {
        set["keys"].as_array_mut().expect("keys").push(more.clone());
        set
    });
    rig.backstage.between().when("jwks.json", add);
    // somebody names a key that is not known, so both sets are read again
    let mint = rig.backstage.mint();
    for unknown in [
        mint.plugin("mcp-actions", PLUGIN).header("kid", "nobody's").sign(),
        rig.acting(&mint.limited(ALICE).header("kid", "nobody's").sign()),
    ] {
        assert_eq!(rig.list(&unknown).await.status, 401);
    }
    assert_eq!(rig.list(&rig.acting(&limited)).await.status, 200);
    assert_eq!(rig.asked(), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn backstage_that_is_away_at_our_start_is_an_outage_until_it_is_there() {
    let backstage = Backstage::start(Options::default());
    backstage.between().down();
    let rig = Rig::before(backstage, "");
    let mint = rig.backstage.mint();
    rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let limited = mint.limited(ALICE).sign();
    let answer = rig.list(&rig.acting(&limited)).await;
    assert_eq!(answer.error(), (503, "ServiceUnavailableError"), "{answer:?}");
    assert_eq!(rig.audited(1, |line| line.get("reason").is_some())[0]["reason"], "unavailable");
    rig.backstage.between().heal();
    until_ok(&rig, || rig.acting(&limited), Duration::from_secs(8)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_has_not_signed_yet_has_no_keys_and_gets_them_with_its_first_token() {
    let backstage = Backstage::start(Options::default().keys_of_its_own());
    let none = backstage.direct("/api/mcp-actions/.backstage/auth/v1/jwks.json");
    let keys: Value = reqwest::get(none).await.unwrap().json().await.unwrap();
    assert_eq!(keys, json!({"keys": []}));
    let rig = Rig::before(backstage, "");
    // our server has read the empty set by now
    let began = Instant::now();
    while rig.backstage.between().count("mcp-actions/.backstage/auth") == 0 {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let user = rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let listed = rig.backstage.mcp(&user).list_tools().await;
    assert!(listed.iter().any(|tool| tool["name"] == "platform-mcp.kro_graph"), "{}", rig.server.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_with_one_seal_key_are_one_plugin_to_backstage() {
    let rig = Rig::start();
    let other =
        Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(&rig.backstage.url(), "")).serve();
    let path = format!("/api/{PLUGIN}/.backstage/auth/v1/jwks.json");
    let read = async |url: String| -> Value { reqwest::get(url).await.unwrap().json().await.unwrap() };
    let (ours, theirs) = (read(rig.server.url(&path)).await, read(other.url(&path)).await);
    assert_eq!(ours, theirs);
    let key = &ours["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("EC"), &json!("P-256"), &json!("ES256")));
    assert!(key.get("d").is_none());
    // Backstage knows the keys of one of them, and takes what the other signs
    let limited = rig.limited(ALICE, &[VIEWERS]).await;
    let url = other.url(&format!("/api/{PLUGIN}/.backstage/actions/v1/actions"));
    let listed = rig.send(rig.http.get(url), &rig.acting(&limited)).await;
    assert!(listed.tools().contains(&"kro_graph"));
}
