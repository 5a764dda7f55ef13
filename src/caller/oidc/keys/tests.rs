use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::FutureExt as _;
use jsonwebtoken::Algorithm;
use serde_json::json;

use super::{super::key_set::Fit, *};

/// What the issuer answers from now on.
#[derive(Clone)]
enum Now {
    Keys(KeySet),
    Fails,
    Hangs,
}

struct Rig {
    keys: Arc<Keys>,
    now: Arc<Mutex<Now>>,
    fetches: Arc<AtomicUsize>,
}

/// Times short enough to wait for, and long enough to tell apart on a busy machine.
fn pace() -> Pace {
    Pace {
        fresh: Duration::from_secs(600),
        stale: Duration::from_secs(600),
        spacing: Duration::from_secs(600),
        retry: (Duration::from_millis(20), Duration::from_millis(40)),
        patience: Duration::from_millis(400),
    }
}

fn rig(now: Now, pace: Pace) -> Rig {
    let now = Arc::new(Mutex::new(now));
    let fetches = Arc::new(AtomicUsize::new(0));
    let (asked, counted) = (Arc::clone(&now), Arc::clone(&fetches));
    let fetch = move || {
        counted.fetch_add(1, SeqCst);
        let now = asked.lock().clone();
        async move {
            sleep(Duration::from_millis(10)).await;
            match now {
                Now::Keys(keys) => Ok(keys),
                Now::Fails => Err("down".to_owned()),
                Now::Hangs => pending().await,
            }
        }
        .boxed()
    };
    Rig { keys: Keys::new("https://a.example", Box::new(fetch), pace), now, fetches }
}

impl Rig {
    fn becomes(&self, now: Now) {
        *self.now.lock() = now;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(SeqCst)
    }

    async fn eventually(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..500 {
            if holds(self) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("{what}: {:?} after {} fetches", self.keys, self.fetches());
    }
}

fn set(ids: &[&str]) -> KeySet {
    let jwk = |id: &&str| {
        let x = URL_SAFE_NO_PAD.encode(Ed25519KeyPair::generate().expect("a key").public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": x})
    };
    let keys: Vec<_> = ids.iter().map(jwk).collect();
    KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).expect("a set")
}

fn has(current: &Current, id: &str) -> bool {
    matches!(current.keys.fit(Some(id), Algorithm::EdDSA), Fit::Keys(_))
}

#[tokio::test]
async fn many_first_tokens_cost_one_fetch() {
    let rig = rig(Now::Keys(set(&["a"])), pace());
    assert_eq!(rig.fetches(), 0, "nothing is fetched before there is need");
    let all = futures::future::join_all((0..50).map(|_| rig.keys.current())).await;
    for one in all {
        let (current, waited) = one.expect("keys");
        assert!(has(&current, "a") && waited);
    }
    assert!(!rig.keys.current().await.expect("keys").1, "who comes later does not wait");
    assert_eq!(rig.fetches(), 1);
}

#[tokio::test]
async fn a_storm_of_unknown_keys_costs_few_fetches() {
    let rig = rig(Now::Keys(set(&["a"])), pace());
    rig.keys.current().await.expect("keys");
    for _ in 0..5 {
        let search = async |each: u32| {
            let key = each.to_string();
            let found = rig.keys.newer(Cause::Unknown(&key)).await.expect("no outage");
            rig.keys.searched(Cause::Unknown(&key), false);
            found
        };
        let storm = futures::future::join_all((0..200).map(search)).await;
        assert!(storm.into_iter().flatten().all(|(current, _)| has(&current, "a")));
    }
    assert_eq!(rig.fetches(), 5, "the first, and four for the storm");
    assert!(rig.keys.newer(Cause::Unknown("b")).await.expect("no outage").is_none());
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_again_where_the_search_was_useful() {
    let rig = rig(Now::Keys(set(&["1"])), pace());
    let before = rig.keys.current().await.expect("keys").0.generation;
    for id in ["2", "3", "4"] {
        rig.becomes(Now::Keys(set(&[id])));
        let found = futures::future::join_all((0..16).map(|_| rig.keys.newer(Cause::Unknown(id)))).await;
        assert!(found.into_iter().all(|one| has(&one.expect("no outage").expect("searched").0, id)), "{id}");
        rig.keys.searched(Cause::Unknown(id), true);
    }
    assert_eq!(rig.fetches(), 4);
    assert_eq!(rig.keys.generation(), before + 3);
}

#[tokio::test]
async fn a_key_that_appears_while_the_issuer_answers_is_asked_for_again() {
    let rig = rig(Now::Keys(set(&["1"])), pace());
    rig.keys.current().await.expect("keys");
    let early = tokio::spawn({
        let keys = Arc::clone(&rig.keys);
        async move { keys.newer(Cause::Unknown("nobody")).await }
    });
    rig.eventually("the search has begun", |rig| rig.fetches() == 2).await;
    rig.becomes(Now::Keys(set(&["2"])));
    let (found, since) = rig.keys.newer(Cause::Unknown("2")).await.expect("no outage").expect("searched");
    assert!(has(&found, "2") && since);
    assert!(!has(&early.await.expect("no panic").expect("no outage").expect("searched").0, "2"));
    assert_eq!(rig.fetches(), 3);
}

#[tokio::test]
async fn a_new_key_waits_for_its_turn_where_others_have_used_up_the_searches() {
    let spaced = Pace { spacing: Duration::from_millis(200), ..pace() };
    let rig = rig(Now::Keys(set(&["1"])), spaced);
    rig.keys.current().await.expect("keys");
    // "2" too: whoever guesses the name of the next key must not keep it from being found
    for name in ["a", "b", "2", "c"] {
        rig.keys.newer(Cause::Unknown(name)).await.expect("no outage");
        rig.keys.searched(Cause::Unknown(name), false);
    }
    assert_eq!(rig.fetches(), 5);
    rig.becomes(Now::Keys(set(&["2", "3"])));
    let found = futures::future::join_all(["2", "3", "2", "3"].map(async |name| {
        let found = rig.keys.newer(Cause::Unknown(name)).await.expect("no outage").expect("searched");
        has(&found.0, name) && found.1
    }));
    assert_eq!(found.await, [true; 4]);
    assert!(rig.fetches() <= 7, "{}", rig.fetches());
}

#[tokio::test]
async fn an_issuer_that_is_down_at_first_is_asked_again_without_a_token() {
    let rig = rig(Now::Fails, pace());
    assert_eq!(rig.keys.current().await.expect_err("down"), "down");
    rig.becomes(Now::Keys(set(&["a"])));
    rig.eventually("it is asked again", |rig| rig.keys.generation() > 0).await;
    assert!(rig.keys.current().await.is_ok());
}

#[tokio::test]
async fn while_it_rests_after_a_failure_tokens_cost_nothing() {
    let slow = Pace { retry: (Duration::from_secs(600), Duration::from_secs(600)), ..pace() };
    let rig = rig(Now::Fails, slow);
    for _ in 0..100 {
        assert!(rig.keys.current().await.is_err());
        assert!(rig.keys.newer(Cause::Unsigned).await.is_err());
    }
    assert_eq!(rig.fetches(), 1);
}

#[tokio::test]
async fn a_fetch_that_hangs_delays_nobody_whose_key_is_known() {
    let often = Pace { fresh: Duration::from_millis(20), ..pace() };
    let rig = rig(Now::Keys(set(&["a"])), often);
    rig.keys.current().await.expect("keys");
    rig.becomes(Now::Hangs);
    rig.eventually("it is asked again", |rig| rig.fetches() > 1).await;
    let asked = Instant::now();
    let (current, waited) = rig.keys.current().await.expect("keys");
    assert!(has(&current, "a") && !waited && asked.elapsed() < Duration::from_millis(100));
    assert!(rig.keys.newer(Cause::Unsigned).await.is_err(), "and who waits gives up in time");
    assert!(asked.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn known_keys_hold_while_the_issuer_is_down_but_not_for_ever() {
    let short = Pace { fresh: Duration::from_millis(20), stale: Duration::from_millis(500), ..pace() };
    let rig = rig(Now::Keys(set(&["a"])), short);
    let before = rig.keys.current().await.expect("keys").0.generation;
    rig.becomes(Now::Fails);
    rig.eventually("it fails", |rig| rig.keys.state.borrow().failing.is_some()).await;
    assert!(has(&rig.keys.current().await.expect("still there").0, "a"));
    assert_eq!(rig.keys.generation(), before, "what was verified still is");
    rig.eventually("it is no longer believed", |rig| rig.keys.generation() > before).await;
    assert!(rig.keys.current().await.is_err());
}

#[tokio::test]
async fn the_same_keys_again_are_no_change() {
    let often = Pace { fresh: Duration::from_millis(5), ..pace() };
    let rig = rig(Now::Keys(set(&["a"])), often);
    let before = rig.keys.current().await.expect("keys").0.generation;
    rig.eventually("it is asked again", |rig| rig.fetches() > 3).await;
    assert_eq!(rig.keys.generation(), before);
    rig.becomes(Now::Keys(set(&["a"])));
    rig.eventually("another key of the same name is one", |rig| rig.keys.generation() > before).await;
}

#[tokio::test]
async fn nobody_asks_any_more_once_nobody_holds_the_keys() {
    let often = Pace { fresh: Duration::from_millis(5), ..pace() };
    let Rig { keys, fetches, .. } = rig(Now::Keys(set(&["a"])), often);
    keys.current().await.expect("keys");
    drop(keys);
    sleep(Duration::from_millis(50)).await;
    let after = fetches.load(SeqCst);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(fetches.load(SeqCst), after);
}

#[test]
fn rests_grow_up_to_a_bound_and_differ() {
    let pace = Pace { retry: (Duration::from_secs(1), Duration::from_secs(30)), ..pace() };
    let keys = Keys::new("https://a.example", Box::new(|| pending().boxed()), pace);
    for (failures, least, most) in [(0, 0.75, 1.25), (3, 6.0, 10.0), (9, 22.5, 37.5), (u32::MAX, 22.5, 37.5)]
    {
        let rest = keys.rest(failures).as_secs_f64();
        assert!((least..=most).contains(&rest), "{failures}: {rest}");
    }
    assert_ne!(keys.rest(9), keys.rest(9));
}
