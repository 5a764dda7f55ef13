//! Forged and odd tokens: none is taken, all are refused alike, each has its line, and nothing of one is in a log.

use std::sync::Arc;

use aws_lc_rs::hmac::HMAC_SHA256;
use serde_json::{Value, json};

use super::{ALICE, BOB, OPERATORS, Rig, VIEWERS, named};
use crate::backstage::{Backstage, Mint, Options, PLUGIN, Token, limited_of};
use crate::forge::{With, part};
use crate::keys::{Alg, Key};

/// What it is, the token, and the reason in its audit line.
type Row = (&'static str, String, &'static str);

/// What is wrong with any of them, whatever its kind.
fn of_any_kind(good: &Token, own: &Key) -> Vec<Row> {
    let other = Arc::new(Key::new(Alg::Es256, "other"));
    let headed = |name: &str, value: Value| good.clone().header(name, value);
    let claiming = |name: &str, value: Value| good.clone().claim(name, value).sign();
    let pem = own.public_pem();
    let kind = part(&good.sign(), 0)["typ"].clone();
    let secret = With::Hmac(HMAC_SHA256, pem.as_bytes());
    vec![
        ("unsigned", headed("alg", json!("none")).sign_with(With::Bytes(b"")), "malformed"),
        ("alg none", headed("alg", json!("none")).sign_with(With::Bytes(b"x")), "algorithm"),
        ("signed with the public key", headed("alg", json!("HS256")).sign_with(secret), "algorithm"),
        ("alg RS256", headed("alg", json!("RS256")).sign(), "algorithm"),
        ("alg es256", headed("alg", json!("es256")).sign(), "algorithm"),
        ("no alg", good.clone().without_header("alg").sign(), "algorithm"),
        ("crit", headed("crit", json!(["exp"])).sign(), "malformed"),
        ("jku", headed("jku", json!("http://127.0.0.1:9/keys")).sign(), "malformed"),
        ("jwk", headed("jwk", other.jwk()).by(&other).sign(), "malformed"),
        ("x5u", headed("x5u", json!("http://127.0.0.1:9/")).sign(), "malformed"),
        ("no kid", good.clone().without_header("kid").sign(), "malformed"),
        ("a number as kid", headed("kid", json!(1)).sign(), "malformed"),
        ("a kid that leads elsewhere", headed("kid", json!(format!("../../{kind}"))).sign(), "key"),
        ("another key under the name", good.clone().by(&other).sign(), "signature"),
        ("no iat", good.clone().without("iat").sign(), "claim"),
        ("iat as text", claiming("iat", json!("1")), "claim"),
        ("no exp", good.clone().without("exp").sign(), "claim"),
        ("exp null", claiming("exp", Value::Null), "claim"),
        ("over", good.clone().times(-7_200, -3_600).sign(), "expired"),
        ("over for longer than clocks may differ", good.clone().times(-60, -11).sign(), "expired"),
        ("not yet", good.clone().times(60, 3_600).sign(), "not_yet_valid"),
        ("good for ages", good.clone().times(0, 40_000_000_000).sign(), "lifetime"),
        ("no sub", good.clone().without("sub").sign(), "claim"),
        ("an empty sub", claiming("sub", json!("")), "claim"),
        ("a list as sub", claiming("sub", json!([ALICE])), "claim"),
    ]
}

fn of_plugins(mint: &Mint, foreign: &Mint, limited: &str) -> Vec<Row> {
    let good = mint.plugin("mcp-actions", PLUGIN).obo(limited);
    let typed = |kind: &str| good.clone().header("typ", kind).sign();
    let claiming = |name: &str, value: Value| good.clone().claim(name, value).sign();
    let users = mint.user_key();
    let by_users = good.clone().header("kid", users.kid.as_str());
    let whole = good.sign();
    let (head, rest) = whole.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let others = mint.plugin("mcp-actions", PLUGIN).obo(&mint.limited(BOB).sign()).sign();
    let claims = others.split('.').nth(1).unwrap();
    let mut rows = of_any_kind(&good, mint.plugin_key());
    rows.extend([
        ("typ in capitals", typed("VND.Backstage.Plugin"), "type"),
        ("typ with application/", typed("application/vnd.backstage.plugin"), "type"),
        ("called a user's", typed("vnd.backstage.user"), "issuer"),
        ("called a limited user's", typed("vnd.backstage.limited-user"), "kind"),
        ("called a JWT", typed("JWT"), "issuer"),
        ("called nothing", good.clone().without_header("typ").sign(), "issuer"),
        ("for another plugin", claiming("aud", json!("catalog")), "audience"),
        ("for Backstage", claiming("aud", json!("backstage")), "audience"),
        ("for a list of plugins", claiming("aud", json!([PLUGIN])), "audience"),
        ("for us in capitals", claiming("aud", json!(PLUGIN.to_uppercase())), "audience"),
        ("for nobody", good.clone().without("aud").sign(), "audience"),
        ("of a plugin that is not taken", mint.plugin("catalog", PLUGIN).obo(limited).sign(), "plugin"),
        ("of ourselves", mint.plugin(PLUGIN, PLUGIN).obo(limited).sign(), "plugin"),
        ("of a plugin elsewhere", mint.plugin("../../x", PLUGIN).obo(limited).sign(), "plugin"),
        ("of a principal", mint.plugin("plugin:mcp-actions", PLUGIN).obo(limited).sign(), "plugin"),
        ("by users' key", by_users.clone().sign_with(With::Key(users, Alg::Es256)), "key"),
        ("by users' key as the plugin's", good.sign_with(With::Key(users, Alg::Es256)), "signature"),
        ("of another Backstage", foreign.plugin("mcp-actions", PLUGIN).obo(limited).sign(), "signature"),
        ("with another user grafted on", format!("{head}.{claims}.{signature}"), "signature"),
        ("a part too many", format!("{whole}.{signature}"), "malformed"),
        ("a part too few", format!("{head}.{claims}"), "malformed"),
    ]);
    rows
}

/// What stands in `obo` of a token that is good itself.
fn within_plugins(mint: &Mint, foreign: &Mint, user: &str) -> Vec<Row> {
    let good = mint.limited(ALICE);
    let acting = |obo: Value| mint.plugin("mcp-actions", PLUGIN).claim("obo", obo).sign();
    let of = |subject: &str| acting(json!(mint.limited(subject).sign()));
    let plugins = mint.plugin_key();
    let by_plugin = good.clone().header("kid", plugins.kid.as_str());
    let by_plugin = by_plugin.sign_with(With::Key(plugins, Alg::Es256));
    let typed = |kind: &str| acting(json!(good.clone().header("typ", kind).sign()));
    let mut rows = of_any_kind(&good, mint.user_key());
    for (_, token, _) in &mut rows {
        *token = acting(json!(&*token));
    }
    rows.extend([
        ("obo empty", acting(json!("")), "malformed"),
        ("obo null", acting(Value::Null), "claim"),
        ("obo a number", acting(json!(7)), "claim"),
        ("obo a list", acting(json!([good.sign()])), "claim"),
        ("obo no token", acting(json!("a.b.c")), "malformed"),
        ("obo a user's whole token", acting(json!(user)), "claim"),
        ("obo a plugin's token", acting(json!(mint.plugin("mcp-actions", PLUGIN).sign())), "claim"),
        ("obo in capitals", typed("vnd.Backstage.limited-user"), "type"),
        ("obo with application/", typed("application/vnd.backstage.limited-user"), "type"),
        ("obo called a JWT", typed("JWT"), "claim"),
        ("obo with an audience", acting(json!(good.clone().claim("aud", "backstage").sign())), "audience"),
        ("obo by a plugin's key", acting(json!(by_plugin)), "key"),
        ("obo of another Backstage", acting(json!(foreign.limited(ALICE).sign())), "signature"),
        ("obo of a group", of("group:default/team-a"), "claim"),
        ("obo of a bare name", of("alice"), "claim"),
        ("obo of a path", of("user:default/../alice"), "claim"),
        ("obo of two lines", of("user:default/alice\nuser:default/bob"), "claim"),
        ("obo of another alphabet", of("user:default/аlice"), "claim"),
        ("obo of a name of 40 kB", of(&format!("user:default/{}", "a".repeat(20_000))), "claim"),
    ]);
    rows
}

fn of_users(mint: &Mint, foreign: &Mint) -> Vec<Row> {
    let good = mint.user(ALICE);
    let claiming = |name: &str, value: Value| good.clone().claim(name, value).sign();
    let bobs = part(&mint.user(BOB).sign(), 1)["uip"].clone();
    let issuer = part(&good.sign(), 1)["iss"].as_str().unwrap().to_owned();
    let mut rows = of_any_kind(&good, mint.user_key());
    rows.extend([
        ("no iss", good.clone().without("iss").sign(), "issuer"),
        ("iss with a slash more", claiming("iss", json!(format!("{issuer}/"))), "issuer"),
        ("iss of another", claiming("iss", json!("https://elsewhere.test/api/auth")), "issuer"),
        ("of another Backstage", foreign.user(ALICE).sign(), "issuer"),
        ("of another that says it is this", foreign.user(ALICE).claim("iss", issuer).sign(), "signature"),
        ("for a plugin", claiming("aud", json!(PLUGIN)), "audience"),
        ("for a list", claiming("aud", json!(["backstage"])), "audience"),
        ("typ in capitals", good.clone().header("typ", "vnd.backstage.USER").sign(), "type"),
        ("without a limited form", good.clone().without("uip").sign(), "claim"),
        ("with the limited form of another", claiming("uip", bobs), "claim"),
        ("with a limited form that nobody signed", claiming("uip", json!("AAAA")), "claim"),
        ("with an empty limited form", claiming("uip", json!("")), "malformed"),
        ("with more than a limited form", claiming("uip", json!("AAAA.AAAA")), "malformed"),
        ("with a number for it", claiming("uip", json!(7)), "claim"),
        ("of another than its limited form", claiming("sub", json!(BOB)), "claim"),
        ("for longer than its limited form", good.clone().times(0, 7_200).sign(), "claim"),
    ]);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_or_odd_token_is_taken_and_each_leaves_a_line_that_says_why() {
    let rig = Rig::start();
    // with keys of the same names
    let elsewhere = Backstage::start(Options::default());
    let (mint, foreign) = (rig.backstage.mint(), elsewhere.mint());
    assert_eq!(mint.user_key().kid, foreign.user_key().kid);
    let user = rig.backstage.user_token(ALICE, &[VIEWERS]).await;
    let limited = limited_of(&user);
    // what is known of the user makes no forgery of theirs a good one
    assert!(rig.list(&rig.acting(&limited)).await.tools().contains(&"kro_graph"));
    assert!(rig.list(&user).await.tools().contains(&"kro_graph"));
    let asked = rig.asked();

    let mut rows = of_plugins(&mint, &foreign, &limited);
    rows.extend(within_plugins(&mint, &foreign, &user));
    rows.extend(of_users(&mint, &foreign));
    rows.push(("a limited token alone, of a user who is known", limited.clone(), "kind"));
    rows.push(("a limited token alone", mint.limited(BOB).sign(), "kind"));
    rows.push(("a token with a letter more", format!("{user}A"), "signature"));
    let mut wrong = Vec::new();
    for (what, token, _) in &rows {
        let answer = rig.list(token).await;
        if answer.error() != (401, "AuthenticationError") {
            wrong.push(format!("{what}: {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let lines = rig.audited(rows.len(), |line| line.get("reason").is_some());
    for ((what, token, reason), line) in rows.iter().zip(&lines) {
        assert_eq!(
            (line["reason"].as_str(), line["decision"].as_str()),
            (Some(*reason), Some("deny")),
            "{what}: {line}"
        );
        assert_eq!(line["token"]["hash"], json!(named(token)), "{what}");
    }
    assert_eq!(lines.len(), rows.len());
    assert_eq!(rig.asked(), asked, "no forgery makes us ask");
    let logs = format!("{}{}", rig.server.said(), rig.server.read("audit.jsonl"));
    for token in rows.iter().map(|(_, token, _)| token).chain([&user, &limited]) {
        let parts = token.split('.').filter(|part| part.len() > 20);
        for part in parts {
            assert!(!logs.contains(part), "a part of a token is in a log: {part}");
        }
    }
    // and what is good is good still
    assert!(rig.list(&rig.acting(&limited)).await.tools().contains(&"kro_graph"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_too_long_is_turned_away() {
    let rig = Rig::start();
    let limited = rig.limited(ALICE, &[OPERATORS]).await;
    let good = rig.backstage.mint().plugin("mcp-actions", PLUGIN).obo(&limited);
    assert!(!rig.list(&good.clone().claim("padding", "a".repeat(8_000)).sign()).await.tools().is_empty());
    let long = rig.list(&good.claim("padding", "a".repeat(100_000)).sign()).await;
    assert!((400..500).contains(&long.status), "{long:?}");
}
