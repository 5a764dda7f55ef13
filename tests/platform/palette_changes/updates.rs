//! `palette_apply_updates`, `palette_repave` and `palette_acknowledge`.

use platform_mcp::demo::palette::{Failure, Fault, Notification, Repave};

use super::*;

const APPLY: &str = "palette_apply_updates";
const REPAVE: &str = "palette_repave";
const ACKNOWLEDGE: &str = "palette_acknowledge";
const PATCH: &str = "PATCH /v1/spectroclusters/{uid}/profiles";

fn version(data: &Data, profile: usize, version: usize) -> String {
    data.profiles[profile].versions[version].uid.clone()
}

fn running(data: &mut Data) -> &mut Cluster {
    data.clusters.iter_mut().find(|cluster| cluster.name == "running").expect("there")
}

fn to(profile: &str) -> Value {
    json!({"cluster": "running", "profile": profile})
}

/// With the infrastructure's update done, whose repave waits.
async fn repaving() -> Rig {
    let rig = able(data());
    rig.done(APPLY, &to("base@1.1.0")).await;
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn an_add_on_goes_to_another_version_without_a_repave_and_is_followed() {
    let rig = able(data());
    let plan = rig.plan(APPLY, &to("plain")).await;
    for part in [
        "1 profile of demo/shop/running would be changed; no machine would be replaced",
        "profile plain: 1.0.0 → 1.1.0",
        "pack fluent: 2.0.0 → 2.1.0",
    ] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    assert_eq!((&plan.structure["repave"], rig.changes().len()), (&json!(false), 0));
    let answer = rig.confirm(APPLY, &to("plain"), &plan).await;
    assert_eq!(
        (&answer.structure["change"], &answer.structure["ended"]),
        (&json!("made"), &json!("reached"))
    );
    let cluster = rig.cluster("running").expect("there");
    assert_eq!(cluster.profiles[2].version, version(&rig.tenant.data(), 3, 1));
    assert_eq!(cluster.profiles.len(), 3, "what else is attached stays");
    let again = rig.mcp.call(APPLY, to("plain@1.1.0")).await;
    assert_eq!(again.structure["change"], "unneeded", "{}", again.text);
    let back = rig.plan(APPLY, &to("plain@1.0.0")).await;
    assert!(back.text.contains("1.1.0 → 1.0.0, which is OLDER"), "{}", back.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_applied_edits_of_the_same_version_too() {
    let mut data = data();
    let (plain, edited) = (version(&data, 3, 1), version(&data, 1, 0));
    let of = running(&mut data);
    of.profiles.push(Attached::new(&edited));
    of.updates = vec![plain, edited];
    of.notifications = vec![Notification { message: "plain has 1.1.0".into(), ..Notification::default() }];
    let rig = able(data);
    let all = json!({"cluster": "running"});
    let plan = rig.plan(APPLY, &all).await;
    for part in ["profile plain: 1.0.0 → 1.1.0", "profile vsphere-base 1.0.0: what was edited in it"] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    let answer = rig.confirm(APPLY, &all, &plan).await;
    assert_eq!(answer.structure["ended"], "reached", "{}", answer.text);
    let changed = rig.cluster("running").expect("there");
    assert!(changed.updates.is_empty() && changed.notifications[0].done);
    let none = rig.mcp.call(APPLY, all).await;
    assert!(none.text.contains("no update is pending: nothing to change"), "{}", none.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_the_repave_and_it_waits_until_it_is_approved() {
    let rig = able(data());
    let plan = rig.plan(APPLY, &to("base@1.1.0")).await;
    for part in [
        "machines would be replaced",
        "MACHINES WOULD BE REPLACED (3 of the control plane and 3 workers; Palette does not tell which of them)",
        "because kubernetes changes from 1.30.6 to 1.31.4",
    ] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    let answer = rig.confirm(APPLY, &to("base@1.1.0"), &plan).await;
    assert_eq!(answer.structure["repave_pending"], true, "{}", answer.text);
    assert!(
        answer.text.contains("A REPAVE WAITS") && answer.text.contains("palette_repave"),
        "{}",
        answer.text
    );

    let approve = json!({"cluster": "running", "decision": "approve"});
    let plan = rig.plan(REPAVE, &approve).await;
    for part in [
        "the repave would be approved: MACHINES ARE REPLACED",
        "kubernetes changes from 1.30.6 to 1.31.4 (pack kubernetes: 1.30.6 → 1.31.4)",
        "3 of the control plane",
    ] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    let answer = rig.confirm(REPAVE, &approve, &plan).await;
    assert_eq!(
        (&answer.structure["change"], &answer.structure["state"]),
        (&json!("made"), &json!("Approved"))
    );
    let again = rig.mcp.call(REPAVE, approve).await;
    assert_eq!(again.structure["change"], "unneeded", "{}", again.text);
    let late = rig.mcp.call(REPAVE, json!({"cluster": "running", "decision": "refuse"})).await;
    assert!(late.is_error && late.text.contains("its repave is approved"), "{}", late.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repave_is_refused_by_putting_the_profile_back_or_it_is_said_that_it_cannot_be() {
    let rig = repaving().await;
    let refuse = json!({"cluster": "running", "decision": "refuse"});
    let plan = rig.plan(REPAVE, &refuse).await;
    for part in ["profile base: 1.1.0 → 1.0.0, which is OLDER", "Palette's API cannot refuse a repave"] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    // what waits is another one now
    rig.tenant.change(|data| running(data).repave.as_mut().expect("one waits").since = 9);
    let stale = rig.confirm(REPAVE, &refuse, &plan).await;
    assert!(stale.is_error && stale.text.contains("NOTHING WAS DONE"), "{}", stale.text);
    let answer = rig.done(REPAVE, &refuse).await;
    assert!(!answer.is_error, "{}", answer.text);
    let cluster = rig.cluster("running").expect("there");
    assert_eq!(cluster.profiles[0].version, version(&rig.tenant.data(), 0, 0));

    let mut data = data();
    running(&mut data).repave = Some(Repave { state: "Pending".into(), ..Repave::default() });
    let rig = able(data);
    let answer = rig.mcp.call(REPAVE, refuse).await;
    let says = "cannot be refused from here: Palette's API has no request for it";
    assert!(answer.is_error && answer.text.contains(says), "{}", answer.text);
    assert!(rig.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_of_the_new_version_are_checked_and_hidden() {
    let rig = able(data());
    let with =
        |variables: Value| json!({"cluster": "running", "profile": "app@1.1.0", "variables": variables});
    for (variables, says) in [
        (json!({"zone": "b"}), "zone cannot be changed: it is immutable"),
        (json!({"replicas": "x"}), "replicas must be of format number"),
        (json!({"pin": "NO"}), "pin must be of the profile's pattern"),
        (json!({"other": "x"}), "other is no variable of these profiles"),
    ] {
        let answer = rig.mcp.call(APPLY, with(variables.clone())).await;
        assert!(answer.is_error && answer.text.contains(says), "{variables}: {}", answer.text);
    }
    // what the cluster has it keeps, required or not
    rig.plan(APPLY, &with(json!({}))).await;
    let arguments = with(json!({"pin": SECRET}));
    let plan = rig.plan(APPLY, &arguments).await;
    assert!(plan.text.contains("variable of app: pin = (set, hidden)"), "{}", plan.text);
    rig.tenant
        .fail(Fault::at(PATCH, Failure::Coded(422, "Bad".into(), format!("'{SECRET}' is bad"))).times(1));
    let refused = rig.confirm(APPLY, &arguments, &plan).await;
    let done = rig.done(APPLY, &arguments).await;
    let changed = rig.cluster("running").expect("there").profiles[1].variables.clone();
    assert_eq!((changed["pin"].as_str(), changed["zone"].as_str()), (SECRET, "a"));
    for answer in [&plan, &refused, &done] {
        assert!(!format!("{} {}", answer.text, answer.structure).contains(SECRET), "{}", answer.text);
    }
    rig.audit(6);
    for log in [rig.server.said(), rig.server.read("audit.log")] {
        assert!(!log.contains(SECRET), "a log tells it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_stale_unknown_or_not_allowed_changes_nothing() {
    let rig = able(data());
    for (arguments, says) in [
        (to("vsphere-base@1.0.0"), "the profile \"vsphere-base@1.0.0\" is not attached to demo/shop/running"),
        (to("app@2.0.0"), "app@2.0.0 is a draft"),
        (to("plain@9.0.0"), "has no version \"9.0.0\""),
        (json!({"cluster": "runing"}), "Nearest: running"),
    ] {
        let answer = rig.mcp.call(APPLY, arguments.clone()).await;
        assert!(answer.is_error && answer.text.contains(says), "{arguments}: {}", answer.text);
    }
    let plan = rig.plan(APPLY, &to("plain@1.1.0")).await;
    rig.tenant.change(|data| data.profiles[3].versions[1].packs[0].tag = "2.2.0".into());
    let changed = rig.confirm(APPLY, &to("plain@1.1.0"), &plan).await;
    assert!(changed.is_error && changed.text.contains("NOTHING WAS DONE: a profile"), "{}", changed.text);
    let plan = rig.plan(APPLY, &to("plain@1.1.0")).await;
    rig.tenant.change(|data| drop(running(data).profiles.remove(1)));
    let changed = rig.confirm(APPLY, &to("plain@1.1.0"), &plan).await;
    assert!(changed.is_error && changed.text.contains("NOTHING WAS DONE: the cluster"), "{}", changed.text);
    assert!(rig.changes().is_empty());

    let unable = serve(data(), "spectrocloud.cluster.create");
    for tool in [APPLY, REPAVE, ACKNOWLEDGE] {
        let error = unable.mcp.try_call(tool, json!({"cluster": "running"})).await.expect_err("hidden");
        assert!(error.message.contains("there is no tool"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_an_update_that_is_lost_is_looked_up_and_not_sent_again() {
    for (failure, applied, says) in [
        (Failure::Done(502), true, "it was most likely applied by this call"),
        (Failure::Html(503), false, "Palette lists 0 of 1 new versions"),
    ] {
        let rig = able(data());
        let plan = rig.plan(APPLY, &to("plain@1.1.0")).await;
        rig.tenant.fail(Fault::at(PATCH, failure));
        let answer = rig.confirm(APPLY, &to("plain@1.1.0"), &plan).await;
        assert!(answer.is_error && answer.text.contains(says), "{}", answer.text);
        assert_eq!(rig.changes().len(), 1);
        let now = &rig.cluster("running").expect("there").profiles[2].version;
        assert_eq!(*now == version(&rig.tenant.data(), 3, 1), applied);
    }
    // a dry run that fails is no plan
    let rig = able(data());
    rig.tenant.fail(Fault::at("POST /v1/spectroclusters/{uid}/validate/repave", Failure::Html(503)));
    let answer = rig.mcp.call(APPLY, to("plain@1.1.0")).await;
    assert!(answer.is_error && answer.structure["plan"].is_null(), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_acknowledged_and_one_of_several_is_named() {
    let mut data = data();
    let note = |message: &str| Notification { message: message.into(), ..Notification::default() };
    running(&mut data).notifications = vec![note("first"), note("second")];
    let rig = able(data);
    let arguments = json!({"cluster": "running"});
    let several = rig.mcp.call(ACKNOWLEDGE, arguments.clone()).await;
    assert!(
        several.is_error && several.text.contains("(first)") && several.text.contains("(second)"),
        "{}",
        several.text
    );
    let first = json!({"cluster": "running", "notification": uid("running.first.0")});
    rig.done(ACKNOWLEDGE, &first).await;
    let seen = rig.cluster("running").expect("there").notifications;
    assert_eq!([seen[0].ack, seen[0].done, seen[1].ack], [true, false, false]);
    assert_eq!(rig.mcp.call(ACKNOWLEDGE, first).await.structure["change"], "unneeded");
    // the other one is the only one left
    rig.done(
        ACKNOWLEDGE,
        &json!({"cluster": "running", "done": true, "notification": uid("running.second.0")}),
    )
    .await;
    assert!(rig.cluster("running").expect("there").notifications[1].done);
    let none = rig.mcp.call(ACKNOWLEDGE, json!({"cluster": "running", "notification": "none"})).await;
    assert!(none.is_error && none.text.contains("has no notification \"none\""), "{}", none.text);
    assert_eq!(rig.changes().len(), 2);
}
