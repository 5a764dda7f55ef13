//! What users may do: by Backstage's policy, by our rules, or by both; and nothing while nobody can say it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ALICE, BOB, OPERATORS, Rig, VIEWERS};
use crate::backstage::{Fault, Options};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_denies_is_as_unknown_as_what_does_not_exist() {
    let rig = Rig::start();
    let acting = rig.acting(&rig.limited(ALICE, &[VIEWERS]).await);
    let listed = rig.list(&acting).await;
    assert!(listed.tools().contains(&"kro_graph") && !listed.tools().contains(&"kro_yaml"));
    let hidden = rig.invoke(&acting, "kro_yaml", &json!({"kind": "ConfigMap", "name": "a"})).await;
    let unknown = rig.invoke(&acting, "kro_yxml", &json!({"kind": "ConfigMap", "name": "a"})).await;
    assert_eq!(hidden.error(), (404, "NotFoundError"));
    let same = unknown.body.to_string().replace("kro_yxml", "kro_yaml");
    assert_eq!(hidden.body.to_string(), same);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_must_allow_it_and_each_can_deny_it() {
    let options =
        || Options::default().group(VIEWERS, ["kro.rgds.list", "kro.overview.view", "kro.rgds.view-yaml"]);
    let rules = ", permissions: both, rules: [{allow: [kro.overview.view, kro.resource-graph.show]}, \
                 {allow: ['kro.rgds.*'], within: {clusters: [lab]}}, {deny: [kro.rgds.view-yaml]}]";
    let rig = Rig::with(options(), rules);
    let acting = rig.acting(&rig.limited(ALICE, &[VIEWERS]).await);
    let listed = rig.list(&acting).await;
    let tools = listed.tools();
    for (tool, there, why) in [
        ("kro_overview", true, "both allow it"),
        ("kro_rgds", true, "the rule does so within a cluster"),
        ("kro_graph", false, "the policy does not allow it"),
        ("kro_events", false, "neither does"),
    ] {
        assert_eq!(tools.contains(&tool), there, "{tool}: {why}: {tools:?}");
    }
    let said = rig.invoke(&acting, "whoami", &json!({})).await.body["output"]["rules"].clone();
    let of =
        |rule: &str| said.as_array().unwrap().iter().find(|one| one["rule"].as_str().unwrap().contains(rule));
    let policy = of("Backstage permission policy").unwrap();
    assert_eq!(policy["effect"], "deny");
    assert!(policy["permissions"].as_array().unwrap().contains(&json!("kro.resource-graph.show")), "{said}");
    let within = said.as_array().unwrap().iter().find(|one| one.get("within").is_some()).unwrap();
    assert_eq!(within["within"]["clusters"], json!(["lab"]), "{said}");
    let other = rig.acting(&rig.limited(BOB, &[]).await);
    assert!(!rig.list(&other).await.tools().contains(&"kro_overview"), "the policy knows no group of his");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_see_who_somebody_is_and_what_they_own_and_need_no_permission_backend() {
    let rules = ", permissions: rules, rules: [\
        {allow: [kro.overview.view], when: {groups: 'group:default/viewers'}}, \
        {allow: [kro.rgds.list], when: {ent: 'component:default/shop'}}, \
        {allow: [kro.resource-graph.show], when: {sub: 'user:default/alice'}}, \
        {allow: [kro.instances.list], when: {namespace: guests}}]";
    let rig = Rig::with(Options::default(), rules);
    rig.backstage.between().when("/api/permission", Fault::Hang);
    for (user, ownership, wanted) in [
        (ALICE, &[][..], &["kro_graph"][..]),
        (BOB, &[VIEWERS, "component:default/shop"], &["kro_overview", "kro_rgds"]),
        ("user:guests/alice", &[OPERATORS], &["kro_instances"]),
        ("user:default/carol", &["group:other/viewers", "component:other/shop"], &[]),
    ] {
        let listed = rig.list(&rig.acting(&rig.limited(user, ownership).await)).await;
        for tool in ["kro_graph", "kro_overview", "kro_rgds", "kro_instances"] {
            assert_eq!(listed.tools().contains(&tool), wanted.contains(&tool), "{user} {ownership:?} {tool}");
        }
    }
    assert_eq!(rig.asked().0, 0);
}

/// The answer of the permission backend, changed.
fn items(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Fault {
    Fault::replace(move |mut answer| {
        change(answer["items"].as_array_mut().expect("items"));
        answer
    })
}

/// A token of the same user each time, about whom nothing is known yet.
fn fresh(rig: &Rig, number: usize) -> String {
    let begun = -1_000 - i64::try_from(number).unwrap();
    rig.backstage.mint().limited(ALICE).times(begun, 3_000).sign()
}

async fn nobody_may_do_anything(rig: &Rig, limited: &str, what: &str) {
    let began = Instant::now();
    let answer = rig.list(&rig.acting(limited)).await;
    assert_eq!(answer.error(), (503, "ServiceUnavailableError"), "{what}: {answer:?}");
    assert!(began.elapsed() < Duration::from_secs(8), "{what}");
    let call = rig.invoke(&rig.acting(limited), "kro_overview", &json!({})).await;
    assert_eq!(call.error(), (503, "ServiceUnavailableError"), "{what}: {call:?}");
    let said = "Backstage cannot say right now what the user may do; try again";
    assert_eq!(answer.body["error"]["message"], said, "{what}");
    assert!(!answer.body.to_string().contains("127.0.0.1:"), "{what}: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_what_to_mend_where_backstage_does_not_take_our_tokens_and_callers_are_not_told() {
    let rig = Rig::start();
    let limited = rig.limited(ALICE, &[OPERATORS]).await;
    // nobody is where Backstage was told that we are
    rig.backstage.front().to("127.0.0.1:9".parse().unwrap());
    nobody_may_do_anything(&rig, &limited, "our keys are not there").await;
    let answer = rig.list(&rig.acting(&limited)).await.body.to_string();
    assert!(!answer.contains("sealKey") && !answer.contains("401"), "{answer}");
    let began = Instant::now();
    loop {
        let said = rig.server.said();
        let line = said.lines().find(|line| line.contains("cannot say what one of its users may do"));
        if line.is_some_and(|line| {
            ["401", "discovery.endpoints", "sealKey"].iter().all(|part| line.contains(part))
        }) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{said}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn silent(path: &str) {
    let rig = Rig::start();
    rig.backstage.user_token(ALICE, &[OPERATORS]).await;
    rig.backstage.between().when(path, Fault::Hang);
    nobody_may_do_anything(&rig, &fresh(&rig, 1), path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_backstage_does_not_decide_nobody_may_do_anything_and_then_it_works_again() {
    tokio::join!(silent("/authorize"), silent("/userinfo"), failing());
}

async fn failing() {
    let rig = Rig::start();
    rig.backstage.user_token(ALICE, &[OPERATORS]).await;
    let between = rig.backstage.between();
    let redirect =
        Fault::Answer(302, vec![("location", format!("{}/elsewhere", between.url()))], String::new());
    let faults = [
        ("500", "/authorize", Fault::Json(500, json!({"error": {"name": "Error"}}))),
        ("HTML", "/authorize", Fault::Html(200)),
        ("401", "/authorize", Fault::Json(401, json!({}))),
        ("a redirect", "/authorize", redirect),
        ("a shorter list", "/authorize", items(|items| drop(items.pop()))),
        ("a longer list", "/authorize", items(|items| items.push(json!({"id": "x", "result": "ALLOW"})))),
        ("one twice", "/authorize", items(|items| items[1] = items[0].clone())),
        ("no items", "/authorize", Fault::Json(200, json!({}))),
        ("items null", "/authorize", Fault::Json(200, json!({"items": null}))),
        ("an endless answer", "/authorize", Fault::Huge(3 << 20)),
        ("half an answer", "/authorize", Fault::Truncate),
        ("no user", "/userinfo", Fault::Json(404, json!({}))),
        ("another user", "/userinfo", Fault::Json(200, json!({"claims": {"sub": BOB, "ent": [OPERATORS]}}))),
        ("ownership null", "/userinfo", Fault::Json(200, json!({"claims": {"sub": ALICE, "ent": null}}))),
        ("HTML of the user", "/userinfo", Fault::Html(200)),
    ];
    for (number, (what, path, fault)) in faults.into_iter().enumerate() {
        between.heal();
        between.when(path, fault);
        nobody_may_do_anything(&rig, &fresh(&rig, number), what).await;
    }
    let lines = rig.audited(1, |line| line["reason"] == "undecided");
    assert!(lines.iter().all(|line| line["decision"] == "deny"), "{lines:#?}");
    between.heal();
    between.down();
    let limited = fresh(&rig, 100);
    nobody_may_do_anything(&rig, &limited, "nothing listens").await;
    between.heal();
    let healed = Instant::now();
    while rig.list(&rig.acting(&limited)).await.status != 200 {
        assert!(healed.elapsed() < Duration::from_secs(5), "{}", rig.server.said());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditional_and_whatever_else_is_not_allow_is_a_denial() {
    let rig = Rig::with(Options::default().group(OPERATORS, ["*"]), "");
    let change = |result: Value| {
        items(move |items| {
            for item in items.iter_mut().filter(|item| item["id"] == "kro.overview.view") {
                item["result"] = result.clone();
            }
        })
    };
    for (number, result) in [
        json!("CONDITIONAL"),
        json!(["ALLOW"]),
        json!("allow"),
        json!(true),
        json!({"result": "ALLOW"}),
        Value::Null,
    ]
    .into_iter()
    .enumerate()
    {
        rig.backstage.user_token(ALICE, &[OPERATORS]).await;
        let limited =
            rig.backstage.mint().limited(ALICE).times(-1_000 - i64::try_from(number).unwrap(), 3_000);
        rig.backstage.between().heal();
        rig.backstage.between().when("/authorize", change(result.clone()));
        let listed = rig.list(&rig.acting(&limited.sign())).await;
        let tools = listed.tools();
        assert!(!tools.contains(&"kro_overview") && tools.contains(&"kro_graph"), "{result}: {tools:?}");
    }
    // from the real one it is a 500 for the whole batch
    let options = Options::default().group(OPERATORS, ["*"]).conditional("kro.rgds.list");
    let rig = Rig::with(options, "");
    let limited = rig.limited(ALICE, &[OPERATORS]).await;
    assert_eq!(rig.list(&rig.acting(&limited)).await.error(), (503, "ServiceUnavailableError"));
}
