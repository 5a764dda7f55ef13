//! Tokens that an issuer signed, and tokens that it did not, through the whole verifier.

#[path = "../../../tests/support/keys.rs"]
pub(in crate::caller) mod signing;
#[path = "../../../tests/support/small_rsa.rs"]
mod small_rsa;
mod tables;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::FutureExt as _;
use parking_lot::Mutex;
use serde_json::json;
use signing::{Alg, Key};

use super::{
    discovery::Origin,
    key_set::KeySet,
    keys::{Keys, Pace},
    *,
};

pub(in crate::caller) const ISSUER: &str = "https://login.example.com";
const OURS: &str = "https://mcp.example.com/mcp";

pub(in crate::caller) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

pub(in crate::caller) fn at(offset: i64) -> i64 {
    now().as_second() + offset
}

pub(in crate::caller) fn settings() -> IssuerSettings {
    IssuerSettings {
        issuer: ISSUER.to_owned(),
        audiences: vec![OURS.to_owned(), "spare".to_owned()],
        id_tokens: false,
        types: vec![Some("at+jwt".to_owned()), Some("jwt".to_owned())],
        algorithms: algorithm::DEFAULT.to_vec(),
        ca_file: None,
        leeway: Duration::from_secs(30),
        username_claim: "sub".to_owned(),
        username_prefix: "oidc:".to_owned(),
        groups_claim: "groups".to_owned(),
        groups_prefix: "oidc:".to_owned(),
        extra: BTreeMap::new(),
        uid: true,
        exchange: None,
    }
}

/// The issuer's keys, by what they sign; made once, since RSA takes its time.
fn own(alg: Alg) -> &'static Key {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    let algs = [Alg::Rs256, Alg::Es256, Alg::EdDsa];
    let keys = KEYS.get_or_init(|| algs.iter().map(|alg| Key::new(*alg, alg.name())).collect());
    keys.iter().find(|key| key.alg == alg).expect("one of them")
}

fn issuers(settings: IssuerSettings, keys: &[Value]) -> Issuers {
    publishing(settings, Arc::new(Mutex::new(keys.to_vec())))
}

/// An issuer that publishes what stands there whenever it is asked.
pub(in crate::caller) fn publishing(settings: IssuerSettings, published: Arc<Mutex<Vec<Value>>>) -> Issuers {
    let fetch = move || {
        let set = json!({ "keys": &*published.lock() }).to_string();
        async move { KeySet::read(set.as_bytes()) }.boxed()
    };
    let origin = Origin { issuer: settings.issuer.clone(), ca_file: None };
    let pace = Pace { spacing: Duration::ZERO, ..Pace::default() };
    let keys = Keys::new(ISSUER, Box::new(fetch), pace);
    Issuers {
        issuers: vec![Issuer {
            name: settings.issuer.as_str().into(),
            settings,
            origin,
            keys,
            exchanger: None,
        }],
    }
}

pub(in crate::caller) fn published() -> Vec<Value> {
    [Alg::Rs256, Alg::Es256, Alg::EdDsa].iter().map(|alg| own(*alg).jwk()).collect()
}

pub(in crate::caller) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": OURS, "sub": "anna", "exp": at(300), "iat": at(-5), "jti": "t-1",
        "groups": ["shop", "payments"],
    })
}

pub(in crate::caller) fn header(alg: Alg) -> Value {
    json!({"alg": alg.name(), "typ": "at+jwt", "kid": alg.name()})
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed(header: &str, claims: &[u8], key: &Key, alg: Alg) -> String {
    let message = format!("{}.{}", encode(header.as_bytes()), encode(claims));
    let signature = encode(&key.sign(alg, message.as_bytes()));
    format!("{message}.{signature}")
}

pub(in crate::caller) fn token(header: &Value, claims: &Value) -> String {
    signed(&header.to_string(), claims.to_string().as_bytes(), own(Alg::EdDsa), Alg::EdDsa)
}

/// `claims()` with these, without those that are null.
pub(in crate::caller) fn with(changes: Value) -> Value {
    changed(claims(), changes)
}

fn changed(mut whole: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut whole, changes) else { panic!("objects") };
    for (name, value) in changes {
        match value.is_null() {
            true => members.shift_remove(&name),
            false => members.insert(name, value),
        };
    }
    whole
}

async fn refused(issuers: &Issuers, token: &str) -> &'static str {
    issuers.verify(token, now()).await.map(|_| ()).map_err(|refusal| refusal.reason()).expect_err("refused")
}

#[tokio::test]
async fn a_good_token_says_who_its_owner_is() {
    let settings = IssuerSettings {
        extra: BTreeMap::from([
            ("team".to_owned(), "team".to_owned()),
            ("x".to_owned(), "absent".to_owned()),
        ]),
        ..settings()
    };
    let issuers = issuers(settings, &published());
    for alg in [Alg::Rs256, Alg::Es256, Alg::EdDsa] {
        let claims = with(json!({"team": "red"})).to_string();
        let token = signed(&header(alg).to_string(), claims.as_bytes(), own(alg), alg);
        let verified = issuers.verify(&token, now()).await.expect("good");
        assert_eq!((&**verified.issuer(), verified.subject(), verified.username()), (ISSUER, "anna", "anna"));
        assert_eq!(verified.groups(), ["shop", "payments"]);
        let impersonation = verified.impersonation();
        assert_eq!((impersonation.user.as_str(), impersonation.uid.as_deref()), ("oidc:anna", Some("anna")));
        assert_eq!(impersonation.groups, ["oidc:shop", "oidc:payments"]);
        assert_eq!(impersonation.extra, BTreeMap::from([("team".to_owned(), vec!["red".to_owned()])]));
        assert_eq!(verified.token().id.as_deref(), Some("t-1"));
        assert_eq!(verified.token().expires.as_second(), at(300));
        assert_eq!(verified.token().hash.len(), 16);
        assert_eq!(verified.claims().get("team"), Some(&json!("red")));
    }
}

#[tokio::test]
async fn a_signature_of_anyone_else_is_none() {
    let issuers = issuers(settings(), &published());
    let (header, claims) = (header(Alg::EdDsa).to_string(), claims().to_string());
    let good = signed(&header, claims.as_bytes(), own(Alg::EdDsa), Alg::EdDsa);
    assert!(issuers.verify(&good, now()).await.is_ok());

    let other = Key::new(Alg::EdDsa, "EdDSA");
    let forged = signed(&header, claims.as_bytes(), &other, Alg::EdDsa);
    assert_eq!(refused(&issuers, &forged).await, "signature");

    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let altered = with(json!({"sub": "root"})).to_string();
    let altered = format!("{}.{}.{signature}", encode(header.as_bytes()), encode(altered.as_bytes()));
    assert_eq!(refused(&issuers, &altered).await, "signature");
    assert_eq!(refused(&issuers, &format!("{message}.{}", encode(&[0; 64]))).await, "signature");
    assert_eq!(refused(&issuers, &format!("{message}.AA")).await, "signature");
    assert_eq!(refused(&issuers, &format!("{message}.")).await, "malformed");

    // the public key as the secret of an HMAC, whatever the configuration says
    let pem = own(Alg::Rs256).public_pem();
    let lying = format!(
        "{}.{}",
        encode(br#"{"alg":"HS256","typ":"at+jwt","kid":"RS256"}"#),
        encode(claims.as_bytes())
    );
    let secret = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
    let lying = format!("{lying}.{}", encode(hmac::sign(&secret, lying.as_bytes()).as_ref()));
    assert_eq!(refused(&issuers, &lying).await, "algorithm");
}

#[tokio::test]
async fn what_two_readers_would_read_differently_is_refused() {
    let issuers = issuers(settings(), &published());
    let claims = claims().to_string();
    let sign = |header: &str, claims: &[u8]| signed(header, claims, own(Alg::EdDsa), Alg::EdDsa);
    let good = header(Alg::EdDsa).to_string();
    let twice = claims.replacen('{', r#"{"sub":"root","#, 1);
    let deep = claims.replacen('{', &format!(r#"{{"a":{}1{},"#, "[".repeat(40), "]".repeat(40)), 1);
    let mut bytes = claims.clone().into_bytes();
    let place = claims.find("anna").expect("the subject");
    bytes[place] = 0xff;
    let double = format!("{claims}{claims}");
    for odd in [twice.as_bytes(), deep.as_bytes(), &bytes, double.as_bytes(), b"[]", b"\"x\"", b""] {
        assert_eq!(
            refused(&issuers, &sign(&good, odd)).await,
            "malformed",
            "{}",
            String::from_utf8_lossy(odd)
        );
    }
    let twice = r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"EdDSA"}"#;
    assert_eq!(refused(&issuers, &sign(twice, claims.as_bytes())).await, "malformed");
    let long = with(json!({"sub": "a".repeat(1 << 20)})).to_string();
    assert_eq!(refused(&issuers, &sign(&good, long.as_bytes())).await, "malformed");
}

#[tokio::test]
async fn id_tokens_are_taken_only_where_they_are_configured() {
    let id = with(json!({"nonce": "n", "at_hash": "AAAA", "typ": "ID"}));
    let header = json!({"alg": "EdDSA", "kid": "EdDSA", "typ": "JWT"});
    let access = issuers(settings(), &published());
    assert_eq!(refused(&access, &token(&header, &id)).await, "kind");
    let both = issuers(IssuerSettings { id_tokens: true, ..settings() }, &published());
    assert!(both.verify(&token(&header, &id), now()).await.is_ok());
    let bound = changed(id.clone(), json!({"cnf": {}}));
    assert_eq!(refused(&both, &token(&header, &bound)).await, "bound");
    let logout = changed(id, json!({"events": {}}));
    assert_eq!(refused(&both, &token(&header, &logout)).await, "kind");
}

#[tokio::test]
async fn an_email_is_a_name_only_once_it_is_verified() {
    let by_mail = IssuerSettings { username_claim: "email".to_owned(), ..settings() };
    let issuers = issuers(by_mail, &published());
    let said = async |changes: Value| {
        let verified = issuers.verify(&token(&header(Alg::EdDsa), &with(changes)), now()).await;
        verified.map(|verified| verified.username().to_owned()).map_err(|refusal| refusal.reason())
    };
    assert_eq!(said(json!({"email": "a@b"})).await, Ok("a@b".to_owned()));
    assert_eq!(said(json!({"email": "a@b", "email_verified": true})).await, Ok("a@b".to_owned()));
    for odd in [json!(false), json!("true"), json!(1)] {
        assert_eq!(said(json!({"email": "a@b", "email_verified": odd})).await, Err("claim"));
    }
    assert_eq!(said(json!({})).await, Err("claim"), "no fallback to the subject");
}

#[tokio::test]
async fn no_name_holds_what_nobody_sees() {
    let settings = IssuerSettings {
        username_claim: "email".to_owned(),
        extra: BTreeMap::from([("team".to_owned(), "team".to_owned())]),
        ..settings()
    };
    let issuers = issuers(settings, &published());
    let verify = async |changes: Value| {
        let whole = changed(with(json!({"email": "anna@b"})), changes);
        issuers.verify(&token(&header(Alg::EdDsa), &whole), now()).await
    };
    for odd in ["an\u{202e}na", "an\u{200b}na", "an\u{2028}na", "\u{feff}anna", "anna\u{e000}", "an\u{378}na"]
    {
        for changes in [
            json!({ "sub": odd }),
            json!({ "email": odd }),
            json!({ "groups": ["shop", odd] }),
            json!({ "team": odd }),
            json!({ "team": ["a", odd] }),
        ] {
            let refusal = verify(changes.clone()).await.map(|_| ()).map_err(|refusal| refusal.reason());
            assert_eq!(refusal, Err("claim"), "{changes}");
        }
    }
    let far =
        verify(json!({"sub": "山田 太郎", "email": "jürgen@b", "groups": ["ops 🚀"]})).await.expect("good");
    assert_eq!((far.subject(), far.username()), ("山田 太郎", "jürgen@b"));
    // the name of a token names nobody
    let id = async |id: &str| verify(json!({ "jti": id })).await.expect("good").token().id.clone();
    assert_eq!(id("t\u{202e}-\u{2028}1\u{feff}").await.as_deref(), Some("t-1"));
    assert_eq!(id("\u{200b}").await, None);
}

#[tokio::test]
async fn groups_may_lie_deeper() {
    let deep = IssuerSettings { groups_claim: "realm_access.roles".to_owned(), ..settings() };
    let issuers = issuers(deep, &published());
    let said = async |changes: Value| {
        let verified = issuers.verify(&token(&header(Alg::EdDsa), &with(changes)), now()).await;
        verified.map(|verified| verified.groups().to_vec()).map_err(|refusal| refusal.reason())
    };
    assert_eq!(said(json!({"realm_access": {"roles": ["dev"]}})).await, Ok(vec!["dev".to_owned()]));
    assert_eq!(said(json!({"realm_access.roles": ["dev"]})).await, Ok(vec!["dev".to_owned()]));
    assert_eq!(said(json!({})).await, Ok(Vec::new()));
    assert_eq!(said(json!({"realm_access": {"roles": ["system:masters"]}})).await, Err("system_name"));
    assert_eq!(said(json!({"realm_access": {"roles": "dev"}})).await, Err("claim"));
    assert_eq!(said(json!({"realm_access": ["dev"]})).await, Err("claim"));
}

#[tokio::test]
async fn a_prefix_does_not_make_a_system_name() {
    let without = IssuerSettings { groups_prefix: "sys".to_owned(), ..settings() };
    let issuers = issuers(without, &published());
    let token = token(&header(Alg::EdDsa), &with(json!({"groups": ["tem:masters"]})));
    assert_eq!(refused(&issuers, &token).await, "system_name");
}

#[tokio::test]
async fn a_short_rsa_key_verifies_nothing() {
    let small = Key::rsa_1024("small");
    let issuers = issuers(settings(), &[small.jwk()]);
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": "small"}).to_string();
    let token = signed(&header, claims().to_string().as_bytes(), &small, Alg::Rs256);
    assert_eq!(refused(&issuers, &token).await, "key");
}

#[tokio::test]
async fn a_token_that_names_no_key_has_only_one_to_mean() {
    let nameless = |alg: Alg| json!({"alg": alg.name(), "typ": "at+jwt"}).to_string();
    let claims = claims().to_string();
    let one = signed(&nameless(Alg::EdDsa), claims.as_bytes(), own(Alg::EdDsa), Alg::EdDsa);
    assert!(issuers(settings(), &published()).verify(&one, now()).await.is_ok());
    let mut several = published();
    several.push(Key::new(Alg::EdDsa, "second").jwk());
    assert_eq!(refused(&issuers(settings(), &several), &one).await, "key");
}

#[tokio::test]
async fn a_refusal_never_holds_the_token() {
    let issuers = issuers(settings(), &published());
    let planted = with(json!({"sub": "planted\u{1}", "aud": OURS}));
    let refusal = issuers.verify(&token(&header(Alg::EdDsa), &planted), now()).await.expect_err("refused");
    assert!(!format!("{refusal} {refusal:?}").contains("planted"));
}
