//! What Backstage is asked, and how often.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{ALICE, BOB, OPERATORS, Rig, VIEWERS, config};
use crate::backstage::{Fault, Options, limited_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_asked_about_once_for_the_life_of_their_token() {
    let rig = Rig::start();
    let limited = rig.limited(ALICE, &[VIEWERS]).await;
    // fifty at once, each with a token of its own
    let tokens: Vec<String> = (0..50).map(|_| rig.acting(&limited)).collect();
    let listed = futures::future::join_all(tokens.iter().map(|token| rig.list(token))).await;
    assert!(listed.iter().all(|answer| answer.tools().contains(&"kro_graph")));
    for _ in 0..25 {
        assert_eq!(rig.list(&rig.acting(&limited)).await.status, 200);
        assert_eq!(rig.invoke(&rig.acting(&limited), "whoami", &json!({})).await.status, 200);
    }
    assert_eq!(rig.asked(), (1, 1));
    let batch = rig.backstage.between().seen();
    let batch = batch.iter().find(|seen| seen.path == "/api/permission/authorize").unwrap().json();
    assert!(batch["items"].as_array().unwrap().len() > 20, "all permissions in one: {batch}");
    let other = rig.limited(BOB, &[OPERATORS]).await;
    assert_eq!(rig.list(&rig.acting(&other)).await.status, 200);
    assert_eq!(rig.asked(), (2, 2));
    // signed in again: what they may do may be something else now
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let again = rig.limited(ALICE, &[OPERATORS]).await;
    assert!(rig.list(&rig.acting(&again)).await.tools().contains(&"kro_yaml"));
    assert_eq!(rig.asked(), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_while_backstage_is_asked_leaves_those_who_wait_with_an_answer() {
    let rig = Rig::start();
    let user = rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let limited = limited_of(&user);
    // keys are there before
    assert_eq!(rig.list(&rig.acting(&rig.limited(BOB, &[]).await)).await.status, 200);
    rig.backstage.between().when("/authorize", Fault::Delay(Duration::from_millis(600)));
    let token = rig.acting(&limited);
    let leaves = tokio::time::timeout(Duration::from_millis(200), rig.list(&token));
    let first = rig.acting(&limited);
    let (left, stays, own) = tokio::join!(leaves, rig.list(&first), rig.list(&user));
    assert!(left.is_err(), "it was answered before it could leave");
    assert!(stays.tools().contains(&"kro_graph") && own.tools().contains(&"kro_graph"));
    assert!(rig.asked().0 <= 3, "{:?}", rig.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_what_is_known_of_users_unless_what_they_may_do_could_change() {
    let rules = |roles: &str| format!(", permissions: rules, rules: [{{roles: [{roles}]}}]");
    let rig = Rig::with(Options::default(), &rules("viewer"));
    let limited = rig.limited(ALICE, &[VIEWERS]).await;
    assert!(rig.list(&rig.acting(&limited)).await.tools().contains(&"kro_graph"));
    let before = rig.asked().1;
    let url = rig.backstage.url();
    let changes = [
        (rules("viewer"), "instructions", true, before),
        (format!("{}, services: [{{deny: ['*']}}]", rules("viewer")), "", true, before + 1),
        (
            ", permissions: rules, rules: [{roles: [viewer]}, {deny: ['kro.*'], when: {sub: 'user:default/alice'}}]"
                .to_owned(),
            "",
            false,
            before + 2,
        ),
    ];
    for (reads, (more, extra, sees, asked)) in (1..).zip(changes) {
        let timeout = if extra.is_empty() { "" } else { "http: {allowedHosts: [elsewhere.test]}\n" };
        rig.server.reconfigure(&format!("{}{timeout}", config(&url, &more)));
        rig.server.hang_up();
        rig.server.wait_for(|said| (said.matches("it holds from now on").count() >= reads).then_some(()));
        let listed = rig.list(&rig.acting(&limited)).await;
        assert_eq!(listed.tools().contains(&"kro_graph"), sees, "{more}: {listed:?}");
        assert_eq!(rig.asked().1, asked, "{more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_remembered_for_a_moment_alone() {
    let rig = Rig::start();
    let limited = rig.limited(ALICE, &[VIEWERS]).await;
    rig.backstage.between().when("/authorize", Fault::Html(502));
    for _ in 0..20 {
        let answer = rig.list(&rig.acting(&limited)).await;
        assert_eq!(answer.error(), (503, "ServiceUnavailableError"), "{answer:?}");
    }
    assert!(
        rig.asked().0 <= 3,
        "{:?}: a client that tries again at once costs Backstage nothing",
        rig.asked()
    );
    rig.backstage.between().heal();
    let healed = Instant::now();
    while rig.list(&rig.acting(&limited)).await.status != 200 {
        assert!(healed.elapsed() < Duration::from_secs(4), "{}", rig.server.said());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
