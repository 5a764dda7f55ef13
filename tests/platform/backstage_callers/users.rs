//! Who is behind a good token, as they and the audit log are told.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ALICE, BOB, OPERATORS, Rig, VIEWERS};
use crate::backstage::{MACHINE_TOKEN, Options, PLUGIN, limited_of};
use crate::forge::part;
use crate::mcp::Mcp;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_the_same_caller_through_a_plugin_and_with_their_own_token() {
    let rig = Rig::start();
    let user = rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let acting = rig.acting(&limited_of(&user));
    let through = rig.invoke(&acting, "whoami", &json!({})).await;
    let direct = rig.invoke(&user, "whoami", &json!({})).await;
    assert_eq!((through.status, &through.body), (200, &direct.body));
    let said = &through.body["output"];
    assert_eq!((&said["username"], &said["subject"]), (&json!(ALICE), &json!(ALICE)));
    assert_eq!(said["issuer"], rig.backstage.issuer());
    assert_eq!(said["groups"], json!([VIEWERS]));
    let rules = said["rules"].as_array().unwrap();
    assert_eq!((rules.len(), &rules[0]["rule"]), (1, &json!("Backstage permission policy")), "{said}");
    assert_eq!(rules[0]["effect"], "allow");
    let given: Vec<&str> =
        rules[0]["permissions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(given.contains(&"kro.rgds.list") && !given.contains(&"kro.rgds.view-yaml"), "{given:?}");
    let ends = part(&user, 1)["exp"].as_i64().unwrap();
    let said_end: jiff::Timestamp = said["expires_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(said_end.as_second(), ends);
    // through MCP too
    let mcp = Mcp::with_token(rig.server.url("/mcp"), &user);
    assert_eq!(mcp.call("whoami", json!({})).await.structure, *said);

    let lines = rig.audited(3, |line| line["tool"] == "whoami");
    let via: Vec<&Value> = lines.iter().map(|line| &line["caller"]["via"]).collect();
    assert_eq!(via, [&json!("plugin:mcp-actions"), &Value::Null, &Value::Null], "{lines:#?}");
    for line in &lines {
        assert_eq!(
            (&line["caller"]["username"], &line["token"]),
            (&json!(ALICE), &lines[0]["token"]),
            "{line}"
        );
    }
    assert_eq!(rig.asked(), (1, 1), "the plugin's token and the user's own have the same user inside");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_entity_is_one_caller_however_a_sign_in_resolver_spells_it() {
    let rig = Rig::with(
        Options::default().group(VIEWERS, ["*"]),
        ", permissions: rules, rules: [{roles: [viewer], when: {groups: ['group:default/viewers']}}, {deny: ['kro.*'], when: {groups: ['group:default/suspended']}}]",
    );
    for (user, groups, sees) in [
        ("User:default/Alice", &["Group:default/Viewers"][..], true),
        ("user:alice", &["group:viewers"], true),
        ("user:default/alice", &["group:default/viewers", "GROUP:suspended"], false),
        ("user:default/alice", &[], false),
    ] {
        let limited = rig.limited(user, groups).await;
        let said = rig.invoke(&rig.acting(&limited), "whoami", &json!({})).await;
        assert_eq!(said.body["output"]["subject"], ALICE, "{user} {groups:?}: {said:?}");
        let listed = rig.list(&rig.acting(&limited)).await;
        assert_eq!(listed.tools().contains(&"kro_graph"), sees, "{user} {groups:?}");
    }
    // a reference that is none could be what a rule denies
    let limited = rig.limited(ALICE, &[VIEWERS, "group:default/a b"]).await;
    assert_eq!(rig.list(&rig.acting(&limited)).await.error(), (503, "ServiceUnavailableError"));
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_ask_for_nobody_may_do_nothing_unless_the_rules_for_services_say_so() {
    let nothing = Rig::start();
    let machine = nothing.backstage.mint().plugin("mcp-actions", PLUGIN).sign();
    let listed = nothing.list(&machine).await;
    assert!(!listed.tools().iter().any(|tool| tool.starts_with("kro_")), "{listed:?}");
    let hidden = nothing.invoke(&machine, "kro_overview", &json!({})).await;
    assert_eq!(hidden.error(), (404, "NotFoundError"));
    assert_eq!(nothing.asked(), (0, 0));

    let more = ", services: [{allow: [kro.overview.view], when: {plugin: mcp-actions}}]";
    let some = Rig::with(Options::default(), more);
    let machine = some.backstage.mint().plugin("mcp-actions", PLUGIN).sign();
    assert!(some.list(&machine).await.tools().contains(&"kro_overview"));
    let other = some.backstage.mint().plugin("permission", PLUGIN).sign();
    assert!(!some.list(&other).await.tools().contains(&"kro_overview"));
    // a machine of Backstage's, through its MCP server
    let listed = some.backstage.mcp(MACHINE_TOKEN).list_tools().await;
    assert!(listed.iter().any(|tool| tool["name"] == "platform-mcp.kro_overview"), "{listed:?}");
    let said = some.invoke(&machine, "whoami", &json!({})).await;
    assert_eq!(said.body["output"]["username"], "plugin:mcp-actions");
    let lines = some.audited(1, |line| line["tool"] == "whoami");
    assert_eq!(lines[0]["caller"]["username"], "plugin:mcp-actions");
    assert_eq!(lines[0]["caller"]["via"], Value::Null);
    // Backstage's permission plugin reads our permissions
    let url = some.server.url(&format!("/api/{PLUGIN}/.well-known/backstage/permissions/metadata"));
    let answer =
        some.send(some.http.get(url), &some.backstage.mint().plugin("permission", PLUGIN).sign()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body["permissions"].as_array().unwrap().iter().any(|one| one["name"] == "kro.rgds.list"));
}

#[tokio::test(flavor = "multi_thread")]
async fn backstages_own_mcp_server_brings_each_user_their_own_tools() {
    let rig = Rig::start();
    let alice = rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let bob = rig.backstage.user_token(BOB, &[OPERATORS]).await;
    let tools = async |token: &str| -> Vec<String> {
        let listed = rig.backstage.mcp(token).list_tools().await;
        listed
            .iter()
            .filter_map(|tool| tool["name"].as_str()?.strip_prefix("platform-mcp."))
            .map(str::to_owned)
            .collect()
    };
    let (hers, his) = (tools(&alice).await, tools(&bob).await);
    assert!(hers.contains(&"kro_graph".to_owned()) && !hers.contains(&"kro_yaml".to_owned()), "{hers:?}");
    assert!(his.contains(&"kro_yaml".to_owned()) && his.len() > hers.len(), "{his:?}");
    let said = rig.backstage.mcp(&alice).call("platform-mcp.whoami", json!({})).await;
    assert_eq!(said.structure["username"], ALICE);
    assert_eq!(rig.asked(), (2, 2), "once for each of them, whatever they did");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_token_ends_is_refused_from_then_on_while_the_plugins_token_lives() {
    let rig = Rig::start();
    // known to Backstage by a sign-in
    rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let short = rig.backstage.mint().limited(ALICE).times(-600, 3).sign();
    let acting = rig.acting(&short);
    assert!(rig.list(&acting).await.tools().contains(&"kro_graph"));
    // one that is over by less than clocks may differ is no outage
    let over = rig.backstage.mint().limited(ALICE).times(-600, -3).sign();
    assert_eq!(rig.list(&rig.acting(&over)).await.error(), (401, "AuthenticationError"));
    tokio::time::sleep(Duration::from_secs(13)).await;
    for token in [acting, rig.acting(&short)] {
        assert_eq!(rig.list(&token).await.error(), (401, "AuthenticationError"));
    }
    let reasons = rig.audited(3, |line| line.get("reason").is_some());
    assert!(reasons.iter().all(|line| line["reason"] == "expired"), "{reasons:#?}");
}
