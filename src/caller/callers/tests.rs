use serde_json::{Value, json};

use super::{
    super::oidc::tests::{
        ISSUER, at, claims, header, now, published, publishing, settings,
        signing::{Alg, Key},
        token, with,
    },
    *,
};
use crate::caller::oidc::IssuerSettings;

/// Callers of an issuer that publishes what stands there.
fn callers(keys: &Arc<Mutex<Vec<Value>>>) -> Callers {
    let issuers = publishing(settings(), Arc::clone(keys));
    Callers::new(None, issuers, BTreeMap::new(), Identity::Impersonate)
}

fn good() -> String {
    token(&header(Alg::EdDsa), &claims())
}

#[tokio::test]
async fn a_token_is_verified_once() {
    let callers = callers(&Arc::new(Mutex::new(published())));
    let first = callers.token_at(&good(), now()).await.expect("good");
    let again = callers.token_at(&good(), now()).await.expect("good");
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!((first.issuer(), first.subject(), first.username()), (Some(ISSUER), "anna", "anna"));
    assert_eq!(first.groups(), ["shop", "payments"]);
    assert_eq!(first.token().map(|token| token.expires.as_second()), Some(at(300)));
    let other = token(&header(Alg::EdDsa), &with(json!({"sub": "ben"})));
    assert_eq!(callers.token_at(&other, now()).await.expect("good").subject(), "ben");
}

#[tokio::test]
async fn a_token_that_was_good_ends_at_its_end() {
    let callers = callers(&Arc::new(Mutex::new(published())));
    let later = |seconds| now() + jiff::SignedDuration::from_secs(seconds);
    assert!(callers.token_at(&good(), now()).await.is_ok());
    assert!(callers.token_at(&good(), later(329)).await.is_ok(), "within the leeway");
    assert_eq!(callers.token_at(&good(), later(330)).await.err(), Some(Refusal::Expired));
    assert_eq!(callers.token_at(&good(), later(3 * 86_400)).await.err(), Some(Refusal::Expired));
}

#[tokio::test]
async fn a_token_whose_key_is_gone_is_good_no_more() {
    let keys = Arc::new(Mutex::new(published()));
    let callers = callers(&keys);
    assert!(callers.token_at(&good(), now()).await.is_ok());
    keys.lock().retain(|key| key["kid"] != "EdDSA");
    // somebody comes with a new key, so the set is read again
    let new = Key::new(Alg::EdDsa, "new");
    let unknown = token(&json!({"alg": "EdDSA", "typ": "at+jwt", "kid": new.kid}), &claims());
    assert_eq!(callers.token_at(&unknown, now()).await.err(), Some(Refusal::Key));
    assert_eq!(callers.token_at(&good(), now()).await.err(), Some(Refusal::Key));
}

#[tokio::test]
async fn one_bit_makes_another_token() {
    let callers = callers(&Arc::new(Mutex::new(published())));
    let good = good();
    assert!(callers.token_at(&good, now()).await.is_ok());
    for index in [10, good.len() / 2, good.len() - 3] {
        let mut odd = good.clone().into_bytes();
        odd[index] = if odd[index] == b'A' { b'B' } else { b'A' };
        let odd = String::from_utf8(odd).expect("ASCII");
        assert!(callers.token_at(&odd, now()).await.is_err(), "{index}");
    }
}

#[tokio::test]
async fn callers_who_may_do_the_same_share_it() {
    let callers = callers(&Arc::new(Mutex::new(published())));
    let of = async |name: &str| {
        let token = token(&header(Alg::EdDsa), &with(json!({"sub": name})));
        callers.token_at(&token, now()).await.expect("good")
    };
    let (anna, ben) = (of("anna").await, of("ben").await);
    assert!(Arc::ptr_eq(&anna.permissions, &ben.permissions));
}

#[tokio::test]
async fn issuers_that_are_asked_at_the_same_place_keep_their_keys() {
    let before = publishing(settings(), Arc::new(Mutex::new(published())));
    assert!(before.verify(&good(), now()).await.is_ok());
    let changed = IssuerSettings { audiences: vec!["https://mcp.example.com/mcp".to_owned()], ..settings() };
    let after = Issuers::new(vec![changed], Some(&before));
    assert!(after.verify(&good(), now()).await.is_ok(), "nothing had to be asked of login.example.com");
}

/// A token of another person with `scopes` scopes, in `groups` groups.
fn fat(number: usize, scopes: usize, groups: usize) -> String {
    let scope: Vec<String> = (0..scopes).map(|scope| format!("s{scope:04}")).collect();
    let groups: Vec<String> = (0..groups).map(|group| format!("{group:036}")).collect();
    let subject = format!("anna-{number}");
    let claims = with(json!({"sub": subject, "scope": scope.join(" "), "groups": groups}));
    token(&header(Alg::EdDsa), &claims)
}

#[tokio::test]
async fn fat_tokens_do_not_fill_the_memory_and_are_forgotten_when_they_ended() {
    let issuers = publishing(settings(), Arc::new(Mutex::new(published())));
    let policies = BTreeMap::from([(ISSUER.to_owned(), Policy::default())]);
    let callers = Callers::new(None, issuers, policies, Identity::Impersonate);
    for number in 0..800 {
        callers.token_at(&fat(number, 100, 800), now()).await.expect("good");
    }
    assert!(callers.remembered.weight() <= 64 << 20, "{}", callers.remembered.weight());
    assert!((250..800).contains(&callers.remembered.len()), "{}", callers.remembered.len());
    callers.forget_at(now());
    assert!(!callers.remembered.is_empty());
    callers.forget_at(now() + jiff::SignedDuration::from_secs(330));
    assert_eq!((callers.remembered.len(), callers.remembered.weight()), (0, 0));
}

#[tokio::test]
async fn of_thousands_of_scopes_nearly_none_weigh_anything() {
    let issuers = publishing(settings(), Arc::new(Mutex::new(published())));
    let policies = BTreeMap::from([(ISSUER.to_owned(), Policy::default())]);
    let callers = Callers::new(None, issuers, policies, Identity::Impersonate);
    callers.token_at(&fat(1, 7_000, 1), now()).await.expect("good");
    assert!((1..8 << 10).contains(&callers.remembered.weight()), "{}", callers.remembered.weight());
}

#[tokio::test]
async fn an_ordinary_caller_leaves_room_for_sixteen_thousand_others_and_no_more() {
    let callers = callers(&Arc::new(Mutex::new(published())));
    callers.token_at(&good(), now()).await.expect("good");
    assert_eq!(callers.remembered.weight(), (64 << 20) / 16_384);
}

#[tokio::test]
async fn who_weighs_too_much_is_verified_each_time() {
    let extra = ["a", "b", "c", "d"].map(|key| (key.to_owned(), "groups".to_owned()));
    let heavy = IssuerSettings { extra: extra.into(), ..settings() };
    let issuers = publishing(heavy, Arc::new(Mutex::new(published())));
    let callers = Callers::new(None, issuers, BTreeMap::new(), Identity::Impersonate);
    let token = fat(1, 0, 1_000);
    let first = callers.token_at(&token, now()).await.expect("good");
    let again = callers.token_at(&token, now()).await.expect("good");
    assert!(!Arc::ptr_eq(&first, &again) && callers.remembered.is_empty());
}
