//! What `check` says of a Backstage, and of its users.

use serde_json::{Value, json};

use super::{ALICE, Rig, VIEWERS, config};
use crate::backstage::{Fault, Options, PLUGIN, limited_of};
use crate::server::Product;

/// What it says, and whether nothing has to be mended.
fn check(rig: &Rig, arguments: &[&str], more: &str) -> (String, bool) {
    let arguments = ["check"].iter().chain(arguments);
    let config = config(&rig.backstage.url(), more).replace("audit.jsonl", "check.jsonl");
    let output = Product::new(arguments).config(&config).output();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_keys_backstage_has_and_what_it_must_be_told() {
    let rig = Rig::start();
    let (said, _) = tokio::task::block_in_place(|| check(&rig, &[], ", plugins: [mcp-actions, scaffolder]"));
    let url = rig.backstage.url();
    for line in [
        format!("ok    Backstage {url}: users: 1 usable keys"),
        format!("ok    Backstage {url}: plugin mcp-actions: 1 usable keys"),
        format!("ok    Backstage {url}: plugin scaffolder: it is not installed"),
        format!("ok    Backstage {url}: its permission policy decides"),
        format!("ok    Backstage {url}: Backstage takes the tokens of our plugin"),
    ] {
        assert!(said.contains(&line), "{line}\n{said}");
    }
    for told in
        ["backend.actions.pluginSources with \"platform-mcp\"", "discovery.endpoints", "/api/{{pluginId}}"]
    {
        assert!(said.contains(told), "{told}\n{said}");
    }
    let (said, good) = tokio::task::block_in_place(|| check(&rig, &[], ", algorithms: [RS256]"));
    assert!(
        !good && said.contains("none of its keys is usable") && said.contains("backstage.algorithms"),
        "{said}"
    );
    rig.backstage.between().when("/auth/v1/jwks.json", Fault::Html(200));
    rig.backstage.between().when(".well-known/jwks.json", Fault::Html(503));
    let (said, good) = tokio::task::block_in_place(|| check(&rig, &[], ", plugins: [mcp-actions]"));
    assert!(
        !good && said.contains("users: its key set answers 503 → its tokens are refused until then"),
        "{said}"
    );
    assert!(said.contains("plugin mcp-actions: its key set is a page (HTML) and not JSON"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_explains_what_a_user_of_backstage_may_do_and_why_a_token_would_be_refused() {
    let rig = Rig::with(Options::default(), "");
    let user = rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let explained = |token: &str, arguments: &[&str], more: &str| {
        let file = rig.server.path("token");
        std::fs::write(&file, token).unwrap();
        let mut all = vec!["--as", file.to_str().unwrap()];
        all.extend(arguments);
        tokio::task::block_in_place(|| check(&rig, &all, more))
    };
    for token in [user.clone(), rig.acting(&limited_of(&user))] {
        let (said, good) = explained(&token, &["--json"], "");
        assert!(good, "{said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["caller"]["username"], ALICE, "{said}");
        assert_eq!(said["rules"][0]["rule"], "Backstage permission policy", "{said}");
        let tools: Vec<&str> = said["tools"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(tools.contains(&"kro_graph") && !tools.contains(&"kro_yaml"), "{tools:?}");
    }
    let (said, good) = explained(&user, &[], "");
    assert!(good && said.contains("caller: user:default/alice, in group:default/viewers"), "{said}");
    assert!(said.contains("no tool kro_yaml: it needs"), "{said}");

    let mint = rig.backstage.mint();
    for (token, wanted) in [
        (limited_of(&user), "a limited user token, which is taken within a plugin's alone"),
        (mint.plugin("catalog", PLUGIN).sign(), "none of backstage.plugins (mcp-actions, permission)"),
        (
            mint.plugin("mcp-actions", "other").sign(),
            "a plugin's for \"platform-mcp\": see backstage.pluginId",
        ),
        (mint.user(ALICE).claim("iss", "https://a.test/api/auth").sign(), "/api/auth: see backstage.issuer"),
        (mint.user(ALICE).without("uip").sign(), "claim uip: absent"),
    ] {
        let (said, good) = explained(&token, &[], "");
        assert!(!good && said.contains(wanted) && said.contains("it would be refused"), "{wanted}: {said}");
        assert!(!said.contains(&token), "{said}");
    }
    // the keys of another seal key are not those that the server publishes
    let config = config(&rig.backstage.url(), "").replace("of-the-tests", "of-others");
    let file = rig.server.path("token");
    std::fs::write(&file, rig.backstage.user_token(ALICE, &[]).await).unwrap();
    let output = tokio::task::block_in_place(|| {
        Product::new(["check", "--as", file.to_str().unwrap()]).config(&config).output()
    });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("its permission decision answers 401, so it does not take our plugin's token"),
        "{said}"
    );
    assert!(said.contains("discovery.endpoints") && said.contains("same sealKey"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_whether_backstage_takes_the_tokens_of_our_plugin() {
    let rig = Rig::start();
    let check = |more: &str| tokio::task::block_in_place(|| check(&rig, &[], more));
    let other_seal = || {
        let config = config(&rig.backstage.url(), "").replace("of-the-tests", "of-others");
        let config = config.replace("audit.jsonl", "check.jsonl");
        let output = Product::new(["check"]).config(&config).output();
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
    };
    let (said, good) = check("");
    assert!(good && said.contains("Backstage takes the tokens of our plugin"), "{said}");

    let (said, good) = tokio::task::block_in_place(other_seal);
    let line = said.lines().find(|line| line.contains("the token of our plugin")).unwrap_or(&said);
    assert!(good && line.starts_with("warn "), "a server that never ran is no mistake: {said}");
    for part in ["does not take", "discovery.endpoints", "must be running", "same sealKey", "first start"] {
        assert!(line.contains(part), "{part}: {line}");
    }

    for (fault, wanted) in [
        (Fault::Json(404, json!({})), "its permission plugin is not installed"),
        (Fault::Html(403), "its permission plugin: answers 403, and not in the form of Backstage"),
        (Fault::Json(200, json!({"items": []})), "its permission plugin: answers 200"),
        (Fault::Html(503), "its permission plugin: answers 503"),
    ] {
        rig.backstage.between().heal();
        rig.backstage.between().when("/authorize", fault);
        let (said, good) = check("");
        let line = said.lines().find(|line| line.contains(wanted)).unwrap_or_default();
        assert!(!good && line.starts_with("fail "), "{wanted}: {said}");
        assert!(!said.contains("takes the tokens of our plugin"), "{wanted}: {said}");
    }
    let (said, good) = check(", permissions: rules, rules: [{allow: ['*']}]");
    assert!(good && !said.contains("our plugin") && !said.contains("permission plugin"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_explains_each_of_our_rules_for_a_user_of_backstage() {
    let rig = Rig::with(Options::default().group(VIEWERS, ["kro.overview.view", "kro.rgds.*"]), "");
    let user = rig.backstage.user_token(ALICE, &[VIEWERS, "component:default/shop"]).await;
    let rules = "rules: [{name: seen, when: {groups: 'group:default/viewers'}, allow: [kro.overview.view, \
                 kro.resource-graph.show]}, {name: shop, when: {ent: 'component:default/shop'}, \
                 allow: [kro.rgds.list]}, {name: ops, when: {groups: 'group:default/operators'}, roles: [admin]}]";
    let explained = |token: &str, arguments: &[&str], more: &str| {
        let file = rig.server.path("token");
        std::fs::write(&file, token).unwrap();
        let mut all = vec!["--as", file.to_str().unwrap()];
        all.extend(arguments);
        tokio::task::block_in_place(|| check(&rig, &all, more))
    };
    for token in [user.clone(), rig.acting(&limited_of(&user))] {
        let (said, good) = explained(&token, &[], &format!(", permissions: rules, {rules}"));
        assert!(good, "{said}");
        for part in [
            r#"yes   rule "seen" (backstage.rules[0]): groups has "group:default/viewers""#,
            r#"yes   rule "shop" (backstage.rules[1]): ent has "component:default/shop""#,
            r#"no    rule "ops" (backstage.rules[2]): groups: wanted "group:default/operators""#,
            r#"there is "group:default/viewers""#,
            "kro.resource-graph.show",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("rules: none") && !said.contains("permission policy"), "{said}");
    }
    let (said, _) = explained(&user, &["--json"], &format!(", permissions: both, {rules}"));
    let said: Value = serde_json::from_str(&said).unwrap();
    let names: Vec<&str> =
        said["rules"].as_array().unwrap().iter().filter_map(|one| one["rule"].as_str()).collect();
    assert_eq!(names, ["rule \"seen\"", "rule \"shop\"", "rule \"ops\"", "Backstage permission policy"]);
    let policy = &said["rules"][3];
    assert_eq!(
        policy["takes"]["permissions"],
        json!(["kro.resource-graph.show"]),
        "of what was given: {policy}"
    );
    assert_eq!(
        policy["why"][0].as_str().unwrap().split("; ").nth(1),
        Some("of 3 permissions that they give it allows 2")
    );
    assert_eq!(said["permissions"][0]["permissions"].as_array().unwrap().len(), 2, "{said}");

    let (none, good) = explained(&user, &[], ", permissions: rules");
    assert!(!good && none.contains("backstage.rules: must be there where they decide"), "{none}");
    let service = rig.backstage.mint().plugin("mcp-actions", PLUGIN).sign();
    let (said, _) =
        explained(&service, &[], ", services: [{when: {plugin: mcp-actions}, allow: [kro.rgds.list]}]");
    assert!(said.contains("yes   backstage.services[0]: plugin has \"mcp-actions\""), "{said}");
    let (said, _) = explained(&service, &[], "");
    assert!(said.contains("backstage.services: none, so no plugin that asks for nobody"), "{said}");
}

#[test]
fn check_holds_written_claims_against_the_rules_for_users_of_backstage() {
    let explained = |claims: &str, more: &str| {
        let config = config("http://127.0.0.1:9", more);
        let output = Product::new(["check", "--claims", claims]).config(&config).output();
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&said).into_owned(), output.status.success())
    };
    let rules = "rules: [{name: seen, when: {groups: 'group:default/viewers'}, allow: [kro.overview.view]}]";
    let claims = r#"{"sub": "user:default/alice", "groups": ["group:default/viewers"]}"#;
    let (said, good) = explained(claims, &format!(", permissions: rules, {rules}"));
    assert!(good && said.contains("caller: user:default/alice, in group:default/viewers"), "{said}");
    assert!(said.contains(r#"yes   rule "seen" (backstage.rules[0])"#), "{said}");
    assert!(said.contains("permissions everywhere: kro.overview.view"), "{said}");
    let (said, good) = explained(r#"{"sub": "user:default/bob"}"#, &format!(", permissions: both, {rules}"));
    assert!(good && said.contains(r#"no    rule "seen""#) && said.contains("permissions: none"), "{said}");
    assert!(
        said.contains("?     Backstage permission policy: it must allow what the rules give, too"),
        "{said}"
    );
    let (said, good) = explained(claims, "");
    assert!(
        !good && said.contains("backstage.permissions is rules or both") && said.contains("use --as"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_where_users_of_backstage_are_shown_to_no_cluster() {
    let rig = Rig::start();
    let check = |more: &str| {
        let block = format!("{{url: '{}'{more}}}", rig.backstage.url());
        let cluster = "{name: a, url: 'http://127.0.0.1:9', token: a-token}";
        let config = format!(
            "clusters: {{kubeconfig: {{enabled: false}}, static: [{cluster}]}}\nbackstage: {block}\naudit: {{to: off}}\n"
        );
        let output = Product::new(["check"]).config(&config).output();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    tokio::task::block_in_place(|| {
        let said = check("");
        assert!(said.contains("identity impersonate: callers with a token"), "{said}");
        assert!(said.contains("users of Backstage have no names there"), "{said}");
        let said = check(", impersonate: {username: '{name}@example.com'}");
        assert!(!said.contains("have no names there") && !said.contains("identity own"), "{said}");
    });
}
