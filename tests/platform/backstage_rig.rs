//! The Backstage of the tests does what the tests that stand on it take for granted.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use axum::{Json, Router, routing::get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::backstage::{Backstage, Fault, MACHINE_TOKEN, Options, PLUGIN, limited_of};
use crate::forge::{now, part};
use crate::keys::{Alg, Key};
use crate::mcp::Mcp;
use crate::recorder::Recorder;

const CLUSTERS: &str = "kind=resource,spec.type=kubernetes-cluster";

/// Whether this key signed it.
fn verifies(token: &str, key: &Key) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_der());
    public.verify(message.as_bytes(), &signature).is_ok()
}

/// The published key of this name.
async fn published(url: &str, kid: &str) -> Value {
    let set: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let keys = set["keys"].as_array().unwrap();
    keys.iter().find(|key| key["kid"] == kid).unwrap_or_else(|| panic!("{kid} is not in {set}")).clone()
}

/// What the permission backend answers about these names.
async fn authorize(url: &str, token: &str, names: &[&str]) -> (u16, Value) {
    let items: Vec<Value> = names
        .iter()
        .map(|name| {
            let permission = json!({"type": "basic", "name": name, "attributes": {"action": "read"}});
            json!({"id": name, "permission": permission})
        })
        .collect();
    let request = reqwest::Client::new().post(format!("{url}/api/permission/authorize")).bearer_auth(token);
    let answer = request.json(&json!({"items": items})).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn decisions(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["result"].as_str().unwrap()).collect()
}

async fn tools(client: &Mcp) -> Vec<String> {
    client.list_tools().await.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_and_their_token_is_signed_by_the_key_that_backstage_publishes() {
    let backstage = Backstage::shared();
    let token = backstage.user_token("user:default/alice", &["group:default/team-a"]).await;
    let (header, claims, mint) = (part(&token, 0), part(&token, 1), backstage.mint());
    let kid = &mint.user_key().kid;
    assert_eq!(header, json!({"typ": "vnd.backstage.user", "alg": "ES256", "kid": kid}));
    assert_eq!(claims["iss"], backstage.issuer());
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("user:default/alice"), &json!("backstage")));
    assert!(verifies(&token, mint.user_key()) && verifies(&limited_of(&token), mint.user_key()));
    let jwk = published(&format!("{}/.well-known/jwks.json", backstage.issuer()), kid).await;
    assert_eq!(jwk["x"], mint.user_key().jwk()["x"]);
    let plugins = backstage.direct("/api/mcp-actions/.backstage/auth/v1/jwks.json");
    let jwk = published(&plugins, &mint.plugin_key().kid).await;
    assert_eq!(jwk["x"], mint.plugin_key().jwk()["x"]);
    assert_ne!(mint.plugin_key().jwk()["x"], mint.user_key().jwk()["x"]);

    let userinfo = format!("{}/v1/userinfo", backstage.issuer());
    let limited = limited_of(&token);
    let answer = reqwest::Client::new().get(userinfo).bearer_auth(limited).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["claims"]["ent"], json!(["user:default/alice", "group:default/team-a"]), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_minted_looks_and_counts_as_what_backstage_itself_sends() {
    let backstage = Backstage::start(Options::default());
    let recorder = Recorder::start().await;
    let address = recorder.url.strip_prefix("http://").unwrap().parse().unwrap();
    backstage.front().to(address);
    let user = "user:default/alice";
    let token = backstage.user_token(user, &[]).await;
    // the recorder's answer is no list, which is why there is an error
    let _ = backstage.mcp(&token).request("tools/list", json!({})).await;
    let (arrived, _) = recorder.take();
    let list = format!("GET /api/{PLUGIN}/.backstage/actions/v1/actions HTTP/1.1");
    let real = arrived.iter().find(|arrived| arrived.line == list).unwrap();
    let real = real.all("authorization")[0].strip_prefix("Bearer ").unwrap();
    let minted = backstage.mint().plugin("mcp-actions", PLUGIN).obo(&limited_of(&token)).sign();
    assert_eq!(part(real, 0), part(&minted, 0));
    let claims = |token: &str| {
        let claims = part(token, 1);
        json!([claims["sub"], claims["aud"], claims["obo"], claims.as_object().unwrap().len()])
    };
    assert_eq!(claims(real), claims(&minted));
    assert!(verifies(real, backstage.mint().plugin_key()));

    // for the catalog, which tells good from bad as every plugin does
    let mint = backstage.mint();
    let good = || mint.plugin("mcp-actions", "catalog").obo(&limited_of(&token));
    let other = Arc::new(Key::new(Alg::Es256, "other"));
    let over = mint.limited(user).times(-7200, -3600).sign();
    for (what, token, wanted) in [
        ("a good one", good().sign(), 200),
        ("one without a user", good().without("obo").sign(), 200),
        ("a limited token that is minted", good().obo(&mint.limited(user).sign()).sign(), 200),
        ("a user's token that is minted", mint.user(user).sign(), 200),
        ("the limited form of that", good().obo(&limited_of(&mint.user(user).sign())).sign(), 200),
        ("one for another plugin", good().claim("aud", "permission").sign(), 401),
        ("one that is over", good().times(-7200, -3600).sign(), 401),
        ("one with a user's token that is over", good().obo(&over).sign(), 401),
        ("one by another key", good().by(&other).sign(), 401),
        ("a limited token alone", limited_of(&token), 401),
        ("one that is called a user's", good().header("typ", "vnd.backstage.user").sign(), 401),
        ("one without a subject", good().without("sub").sign(), 401),
    ] {
        let url = backstage.direct("/api/catalog/entities?limit=1");
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), wanted, "{what}: {:?}", answer.text().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backstages_own_action_is_called_through_mcp_whether_ours_is_there_or_not() {
    let backstage = Backstage::start(Options::default());
    let token = backstage.user_token("user:default/alice", &[]).await;
    let client = backstage.mcp(&token);
    backstage.front().to_nothing();
    let names = tools(&client).await;
    for wanted in ["auth.who-am-i", "catalog.get-catalog-entity", "other-plugin.echo"] {
        assert!(names.iter().any(|name| name == wanted), "{names:?}");
    }
    let answer = client.call("other-plugin.echo", json!({"text": "hello"})).await;
    assert_eq!((answer.structure, answer.is_error), (json!({"text": "hello"}), false));
    let answer = backstage.mcp(MACHINE_TOKEN).call("other-plugin.echo", json!({"text": "machine"})).await;
    assert_eq!(answer.structure, json!({"text": "machine"}));
    // Backstage itself waits for ever for a source that is silent
    backstage.front().to_silence();
    let asked = client.request("tools/list", json!({}));
    assert!(tokio::time::timeout(Duration::from_millis(500), asked).await.is_err());
    backstage.front().to_nothing();
    assert!(tools(&client).await.contains(&"other-plugin.echo".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_example_decides_by_group_for_a_token_that_a_stranger_signed() {
    let names = ["kro.rgds.list", "kro.rgds.view-yaml", "kubernetes.proxy", "catalog.entity.read", "kro."];
    let options = Options::default()
        .group("group:default/viewers", ["kro.*.list"])
        .group("group:default/all", ["kro.*"]);
    let backstage = Backstage::start(options);
    // the server under test in small: its public key, where Backstage looks for it
    let own = Arc::new(Key::new(Alg::Es256, "ours"));
    let keys = json!({"keys": [own.jwk()]});
    let path = format!("/api/{PLUGIN}/.backstage/auth/v1/jwks.json");
    let app = Router::new().route(&path, get(|| async { Json(keys) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    backstage.front().to(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    for (user, group, wanted) in [
        ("user:default/alice", "group:default/viewers", ["ALLOW", "DENY", "DENY", "ALLOW", "DENY"]),
        ("user:default/bob", "group:default/all", ["ALLOW", "ALLOW", "DENY", "ALLOW", "ALLOW"]),
        ("user:default/carol", "group:default/none", ["DENY", "DENY", "DENY", "ALLOW", "DENY"]),
    ] {
        let limited = limited_of(&backstage.user_token(user, &[group]).await);
        let ours = backstage.mint().plugin(PLUGIN, "permission").header("kid", "ours").by(&own).obo(&limited);
        let (status, answer) = authorize(&backstage.url(), &ours.sign(), &names).await;
        assert_eq!(status, 200, "{answer}\n{}", backstage.log());
        assert_eq!(decisions(&answer), wanted, "{user}");
        // nobody may ask as a service
        let (status, answer) = authorize(&backstage.url(), &ours.without("obo").sign(), &names).await;
        assert_eq!((status, &answer["error"]["name"]), (403, &json!("NotAllowedError")), "{answer}");
    }
    assert_eq!(backstage.between().count("/api/permission/authorize"), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conditional_answer_about_a_basic_permission_fails_the_whole_batch() {
    let options = Options::default().group("group:default/all", ["*"]).conditional("kro.rgds.list");
    let backstage = Backstage::start(options);
    let limited = limited_of(&backstage.user_token("user:default/alice", &["group:default/all"]).await);
    let token = backstage.mint().plugin("mcp-actions", "permission").obo(&limited).sign();
    let (status, answer) = authorize(&backstage.url(), &token, &["kro.overview.view"]).await;
    assert_eq!((status, decisions(&answer)), (200, vec!["ALLOW"]));
    let (status, answer) = authorize(&backstage.url(), &token, &["kro.overview.view", "kro.rgds.list"]).await;
    assert_eq!(status, 500, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_gives_clusters_page_by_page_to_a_plugin_without_a_user() {
    let backstage = Backstage::shared();
    backstage.wait_for_entities(CLUSTERS, 4).await;
    let token = backstage.mint().plugin("mcp-actions", "catalog").sign();
    let mut names = Vec::new();
    let mut query = format!("filter={CLUSTERS}&limit=3");
    loop {
        let url = format!("{}/api/catalog/entities/by-query?{query}", backstage.url());
        let answer = reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap();
        let page: Value = answer.json().await.unwrap();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        names.extend(items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()));
        match page["pageInfo"]["nextCursor"].as_str() {
            Some(cursor) => query = format!("cursor={cursor}"),
            None => break,
        }
    }
    names.sort();
    assert_eq!(names, ["lab", "prod-eu", "prod-us", "staging"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_before_backstage_counts_and_misbehaves_by_path() {
    let backstage = Backstage::start(Options::default().group("group:default/all", ["*"]));
    let between = backstage.between();
    let limited = limited_of(&backstage.user_token("user:default/alice", &["group:default/all"]).await);
    let token = backstage.mint().plugin("mcp-actions", "permission").obo(&limited).sign();
    let ask = async |names: &[&str]| authorize(&backstage.url(), &token, names).await;

    between.when("/authorize", Fault::Json(500, json!({"error": {"name": "Error"}})));
    assert_eq!(ask(&["kro.rgds.list"]).await, (500, json!({"error": {"name": "Error"}})));
    between.heal();
    between.when(
        "/authorize",
        Fault::replace(|mut answer| {
            answer["items"].as_array_mut().unwrap().pop();
            answer
        }),
    );
    let (status, answer) = ask(&["kro.rgds.list", "kro.overview.view"]).await;
    assert_eq!((status, decisions(&answer)), (200, vec!["ALLOW"]));
    between.heal();
    between.when("/authorize", Fault::Hang);
    let arrived = async {
        while between.count("/authorize") < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    tokio::select! {
        answer = ask(&["kro.rgds.list"]) => panic!("{answer:?}"),
        () = arrived => {}
    }
    between.heal();
    assert_eq!(decisions(&ask(&["kro.rgds.list"]).await.1), ["ALLOW"]);
    between.down();
    assert!(reqwest::get(backstage.url()).await.is_err());
    between.heal();

    let seen = between.take();
    assert_eq!((seen.len(), between.count("/authorize")), (4, 0), "{seen:?}");
    assert_eq!((seen[1].bearer(), seen[1].method.as_str()), (token.as_str(), "POST"));
    assert_eq!(seen[1].json()["items"][1]["permission"]["name"], "kro.overview.view");
}

#[tokio::test(flavor = "multi_thread")]
async fn backstage_goes_away_and_comes_back_with_new_keys() {
    let backstage = Backstage::start(Options::default());
    let user = "user:default/alice";
    let before = backstage.user_token(user, &[]).await;
    let url = backstage.direct("/api/catalog/entities?limit=1");
    let asked = async |token: &str| {
        let asked = reqwest::Client::new().get(&url).bearer_auth(token).send().await;
        asked.map(|answer| answer.status().as_u16()).ok()
    };
    assert_eq!(asked(&before).await, Some(200));
    backstage.stop();
    assert_eq!(asked(&before).await, None);
    backstage.start_again(true);
    assert_eq!(asked(&before).await, Some(401));
    let after = backstage.user_token(user, &[]).await;
    assert_eq!(asked(&after).await, Some(200));
    assert_eq!(part(&after, 0)["kid"], "user-2");
    assert!(part(&after, 1)["exp"].as_u64().unwrap() > now());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_with_nothing_but_the_two_keys_of_the_example_asks_us_for_our_actions() {
    let backstage = Backstage::start(Options::default().example_only().keys_of_its_own());
    let recorder = Recorder::start().await;
    backstage.front().to(recorder.url.strip_prefix("http://").unwrap().parse().unwrap());
    let token = backstage.user_token("user:default/alice", &[]).await;
    let _ = backstage.mcp(&token).request("tools/list", json!({})).await;
    let (arrived, _) = recorder.take();
    let lines: Vec<&str> = arrived.iter().map(|arrived| arrived.line.as_str()).collect();
    let list = "GET /api/platform-mcp/.backstage/actions/v1/actions HTTP/1.1";
    assert!(lines.contains(&list), "{lines:?}");
    backstage.front().to_nothing();
    let names = tools(&backstage.mcp(&token)).await;
    assert!(names.iter().any(|name| name == "auth.who-am-i"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("other-plugin.")), "{names:?}");
}
