//! The OIDC rig does what the tests that stand on it take for granted.

use std::sync::Arc;

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::forge::{AUDIENCE, Forge, With, now, part};
use crate::keys::{Alg, Key};
use crate::oidc::{self, ALGS, Old, Provider};

async fn get(provider: &Provider, path: &str) -> Value {
    let answer = provider.http().get(format!("{}{path}", provider.issuer())).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

async fn kids(provider: &Provider) -> Vec<String> {
    let set = get(provider, "/jwks").await;
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_publishes_the_public_halves_of_the_keys_that_the_tests_hold() {
    let provider = Provider::shared();
    let discovery = get(provider, "/.well-known/openid-configuration").await;
    assert_eq!(discovery["issuer"], provider.issuer());
    assert_eq!(discovery["jwks_uri"], format!("{}/jwks", provider.issuer()));
    let set = get(provider, "/jwks").await;
    let forge = provider.forge();
    for alg in ALGS {
        let ours = forge.key(alg).jwk();
        let theirs = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == ours["kid"]);
        assert_eq!(theirs, Some(&ours), "{alg:?}");
    }
    assert_eq!(set["keys"].as_array().unwrap().len(), ALGS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_an_access_token_that_says_who_they_are_and_what_it_is_for() {
    let provider = Provider::shared();
    for (person, groups, alg) in [
        ("alice", json!(["team-a"]), Alg::Rs256),
        ("bob", json!(["team-b"]), Alg::Rs256),
        ("dave", Value::Null, Alg::Rs256),
        ("erin", json!(["team-a", "team-b"]), Alg::Es256),
        ("frank", json!(["team-a"]), Alg::Ps256),
        ("grace", json!(["team-b"]), Alg::EdDsa),
        ("mallory", json!(["team-a", "system:masters"]), Alg::Rs256),
        ("caller-64", json!(["callers"]), Alg::Rs256),
    ] {
        let token = provider.token(person).await;
        let header = json!({"alg": alg.name(), "typ": "at+jwt", "kid": provider.forge().key(alg).kid});
        assert_eq!(part(&token, 0), header, "{person}");
        let claims = part(&token, 1);
        assert_eq!(claims["sub"], person);
        assert_eq!(claims["iss"], provider.issuer());
        assert_eq!(claims["aud"], AUDIENCE);
        assert_eq!(claims["groups"], groups, "{person}");
        assert!(claims["exp"].as_u64().unwrap() > now() + 3_000, "{claims}");
        assert!(claims["jti"].is_string(), "{claims}");
    }
    let elsewhere = provider.token_for("alice", "https://elsewhere.test").await;
    assert_eq!(part(&elsewhere, 1)["aud"], "https://elsewhere.test");
    let scoped = provider.new_token("alice", AUDIENCE, Some("kro.rgds.list mcp")).await;
    assert_eq!(part(&scoped, 1)["scope"], "kro.rgds.list mcp");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_while_the_provider_runs() {
    let provider = Provider::start();
    assert_eq!(kids(&provider).await, ["rs256-1", "es256-1", "ps256-1", "eddsa-1"]);
    let before = provider.forge();
    let first = provider.token("alice").await;
    provider.rotate(Old::Kept);
    let second = provider.token("alice").await;
    assert_eq!(
        (part(&first, 0)["kid"].as_str(), part(&second, 0)["kid"].as_str()),
        (Some("rs256-1"), Some("rs256-2"))
    );
    let both = kids(&provider).await;
    assert_eq!(both.len(), 8, "{both:?}");
    provider.rotate(Old::Gone);
    assert_eq!(kids(&provider).await, ["rs256-3", "es256-3", "ps256-3", "eddsa-3"]);
    assert_eq!(before.key(Alg::Rs256).kid, "rs256-1");
    assert_eq!(provider.forge().key(Alg::Rs256).kid, "rs256-3");
}

fn verifies(token: &str, key: &Key, with: &'static dyn VerificationAlgorithm) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(with, key.public_der()).verify(message.as_bytes(), &signature).is_ok()
}

#[test]
fn forged_tokens_are_signed_as_asked_for() {
    let keys = ALGS.iter().map(|alg| Key::new(*alg, alg.name())).collect();
    let forge = Forge::new("https://issuer.test", Arc::new(keys));
    let (rs384, rs512) = (&signature::RSA_PKCS1_2048_8192_SHA384, &signature::RSA_PKCS1_2048_8192_SHA512);
    let kinds: [(Alg, Alg, &'static dyn VerificationAlgorithm); 6] = [
        (Alg::Rs256, Alg::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
        (Alg::Rs256, Alg::Rs384, rs384),
        (Alg::Rs256, Alg::Rs512, rs512),
        (Alg::Ps256, Alg::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
        (Alg::Es256, Alg::Es256, &signature::ECDSA_P256_SHA256_FIXED),
        (Alg::EdDsa, Alg::EdDsa, &signature::ED25519),
    ];
    for (owner, alg, theirs) in kinds {
        let (header, claims) = (forge.header(owner), forge.claims("alice"));
        let token = forge.sign(&header, &claims, With::Key(forge.key(owner), alg));
        assert!(verifies(&token, forge.key(owner), theirs), "{alg:?}");
        let wrong = Key::new(owner, "wrong");
        let token = forge.sign(&header, &claims, With::Key(&wrong, alg));
        assert!(!verifies(&token, forge.key(owner), theirs), "{alg:?}");
    }
    let odd = forge.sign(b"{\"alg\":\"none\",\"alg\":\"\xff\"}", "not JSON", With::Bytes(b""));
    assert!(odd.ends_with('.') && odd.matches('.').count() == 2, "{odd}");
}

#[test]
fn a_key_of_1024_bits_signs_what_others_verify() {
    let key = Key::rsa_1024("small");
    let public =
        UnparsedPublicKey::new(&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key.public_der());
    public.verify(b"message", &key.sign(Alg::Rs256, b"message")).unwrap();
    assert_eq!(key.jwk()["n"].as_str().unwrap().len(), 171, "128 bytes in base64");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_the_app_and_refreshes_what_they_got() {
    let provider = Provider::shared();
    let answer = provider.sign_in("erin").await;
    let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{name}: {answer}")).to_owned();
    let access = part(&text("access_token"), 1);
    assert_eq!(part(&text("access_token"), 0)["typ"], "at+jwt");
    assert_eq!((&access["sub"], &access["aud"]), (&json!("erin"), &json!(AUDIENCE)));
    assert_eq!((&access["client_id"], &access["scope"]), (&json!(oidc::APP), &json!("mcp")));
    assert_eq!(access["groups"], json!(["team-a", "team-b"]));
    let id = part(&text("id_token"), 1);
    assert_eq!((&id["sub"], &id["aud"]), (&json!("erin"), &json!(oidc::APP)));
    assert_eq!((&id["groups"], &id["nonce"]), (&json!(["team-a", "team-b"]), &json!("n")));
    let refresh = text("refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", oidc::APP),
        ("refresh_token", &refresh),
        ("resource", AUDIENCE),
    ];
    let again = provider.ask_for_tokens(None, &form).await;
    assert_eq!(part(again["access_token"].as_str().unwrap(), 1)["sub"], "erin", "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_exchanged_for_one_of_the_same_person_for_another_audience() {
    let provider = Provider::shared();
    let discovery = get(provider, "/.well-known/openid-configuration").await;
    let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    assert!(discovery["grant_types_supported"].as_array().unwrap().contains(&json!(grant)), "{discovery}");
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let audience = "https://rig.exchange.test";
    let form = |token: &str| -> String {
        let form = [
            ("grant_type", grant),
            ("subject_token", token),
            ("subject_token_type", kind),
            ("requested_token_type", kind),
            ("audience", audience),
        ];
        form.map(|(name, value)| format!("{name}={}", oidc::percent(value))).join("&")
    };
    let [client, secret] = oidc::EXCHANGER.map(oidc::percent);
    let ask = async |token: &str| -> Value {
        let request = provider.http().post(format!("{}/token", provider.issuer()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.basic_auth(&client, Some(&secret)).body(form(token)).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let answer = ask(&provider.token("alice").await).await;
    assert_eq!(
        (&answer["token_type"], &answer["issued_token_type"]),
        (&json!("Bearer"), &json!(kind)),
        "{answer}"
    );
    let claims = part(answer["access_token"].as_str().unwrap(), 1);
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("alice"), &json!(audience)));
    assert_eq!(claims["groups"], json!(["team-a"]));
    assert_eq!(provider.exchanged(audience), ["alice"]);
    let answer = ask("no.such.token").await;
    assert_eq!(answer["error"], "invalid_grant", "{answer}");
}
