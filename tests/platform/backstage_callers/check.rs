//! What `check` says of a Backstage, and of its users.

use serde_json::Value;

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
        (
            mint.plugin("catalog", PLUGIN).sign(),
            "none of backstage.plugins (mcp-actions, scaffolder, permission)",
        ),
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
        said.contains("its permission decision answers 401; what it is asked is signed by us: sealKey"),
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
