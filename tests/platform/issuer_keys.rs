//! The keys of an issuer: odd ones among them, new ones, gone ones, and tokens that name none of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::forge::{Forge, With};
use crate::issuer::Issuer;
use crate::issuer_faults::{serve, status, taken_at_last};
use crate::keys::{Alg, Key};
use crate::mcp::Mcp;
use crate::odd_keys::{self, Unfit};
use crate::oidc::{Old, Provider};
use crate::server::Product;
use crate::trust;

/// A good token but for its key, which the issuer does not have.
fn of_unknown_key(forge: &Forge, kid: &str) -> String {
    let mut header = forge.header(Alg::Rs256);
    header["kid"] = json!(kid);
    forge.sign(&header, &forge.claims("alice"), With::Own(Alg::Rs256))
}

#[tokio::test]
async fn odd_keys_spoil_no_good_one_and_sign_nothing() {
    let issuer = Issuer::start();
    let unfit = Unfit::new();
    let mut entries = unfit.entries();
    entries.extend(odd_keys::broken().into_iter().map(|(_, jwk)| jwk));
    issuer.publish_before(entries);
    let server = serve(&issuer);
    let forge = issuer.forge();
    for person in ["alice", "bob"] {
        assert_eq!(status(&server, &forge.good(person)).await, 200, "{}", server.said());
    }
    let signed = |key: &Key, alg: Alg| {
        let header = json!({"alg": alg.name(), "typ": "at+jwt", "kid": key.kid});
        forge.sign(&header, &forge.claims("alice"), With::Key(key, alg))
    };
    for (key, alg) in [
        (&unfit.small, Alg::Rs256),
        (&unfit.encrypts, Alg::Rs256),
        (&unfit.operates, Alg::Rs256),
        (&unfit.large_curve, Alg::Es512),
        (&unfit.other_alg, Alg::Rs256),
        (&unfit.other_alg, Alg::Rs512),
    ] {
        assert_eq!(status(&server, &signed(key, alg)).await, 401, "{key:?}");
    }
}

#[tokio::test]
async fn of_two_keys_with_one_name_either_may_have_signed() {
    let issuer = Issuer::start();
    let twin = odd_keys::twin_of(issuer.forge().key(Alg::Rs256));
    issuer.publish_before(vec![twin.jwk()]);
    let server = serve(&issuer);
    assert_eq!(status(&server, &issuer.forge().good("alice")).await, 200);
}

#[tokio::test]
async fn new_keys_are_found_at_once_and_gone_ones_sign_no_more() {
    let issuer = Issuer::start();
    let server = serve(&issuer);
    taken_at_last(&server, &issuer).await;
    let first = issuer.forge();
    let cached = first.good("alice");
    assert_eq!(status(&server, &cached).await, 200);
    for old in [Old::Kept, Old::Kept, Old::Gone] {
        issuer.rotate(old);
        let forge = issuer.forge();
        let (server, forge) = (&server, &forge);
        let all = join_all((0..16).map(async |_| status(server, &forge.good("alice")).await)).await;
        assert!(all.iter().all(|status| *status == 200), "{old:?}: {all:?}\n{}", server.said());
    }
    assert_eq!(status(&server, &first.good("alice")).await, 401, "its key is gone");
    assert_eq!(status(&server, &cached).await, 401, "and it was verified before");
}

#[tokio::test]
async fn a_storm_of_unknown_keys_costs_the_issuer_nothing() {
    let issuer = Issuer::start();
    let server = serve(&issuer);
    taken_at_last(&server, &issuer).await;
    let before = issuer.count("/jwks");
    let forge = issuer.forge();
    let good = forge.good("alice");
    let begun = Instant::now();
    for round in 0..4 {
        let storm = (0..50).map(|each| of_unknown_key(&forge, &format!("nobody-{round}-{each}")));
        let storm = join_all(storm.map(async |token| status(&server, &token).await)).await;
        assert!(storm.iter().all(|status| matches!(status, 401 | 429)), "{storm:?}");
        assert_eq!(status(&server, &good).await, 200);
    }
    let allowed = 4 + 2 * (begun.elapsed().as_secs() as usize / 5);
    let asked = issuer.count("/jwks") - before;
    assert!(asked <= allowed, "{asked} fetches, and {allowed} are allowed");
}

/// Each of them as the issuer signs now; none of another's key, whatever else goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_rotate_under_load_and_no_good_token_fails() {
    let provider = Provider::start();
    let entry = trust::entry(provider.issuer(), &provider.ca_file(), "[{roles: [viewer]}]");
    let config = format!(
        "issuers: [{entry}]\nclusters: {{kubeconfig: {{enabled: false}}}}\n\
         limits: {{requestsPerSecond: 10000, burst: 10000, concurrentCalls: 1000}}\n"
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let real = provider.token("alice").await;
    assert_eq!(status(&server, &real).await, 200, "a token of the token endpoint: {}", server.said());
    let ended = AtomicBool::new(false);
    let stranger = provider.forge();
    let stranger = Forge::new(provider.issuer(), Arc::new(vec![odd_keys::twin_of(stranger.key(Alg::Rs256))]));
    let (provider, server, stranger, ended) = (&provider, &server, &stranger, &ended);
    let http = reqwest::Client::new();
    let status = async |token: &str| {
        let client = Mcp::with_token(server.url("/mcp"), token).over(http.clone());
        client.request("tools/list", json!({})).await.status
    };
    let good = async |_: u32| {
        let mut calls = 0;
        while !ended.load(SeqCst) {
            let status = status(&provider.forge().good("bob")).await;
            assert_eq!(status, 200, "{}", server.said());
            calls += 1;
        }
        calls
    };
    let bad = async |each: u32| {
        let mut refused = 0;
        while !ended.load(SeqCst) {
            let token = match each {
                0 => of_unknown_key(stranger, "nobody"),
                _ => stranger.good("bob"),
            };
            let status = status(&token).await;
            assert!(matches!(status, 401 | 429), "{status}");
            refused += 1;
            sleep(Duration::from_millis(20)).await;
        }
        refused
    };
    let rotate = async {
        for _ in 0..8 {
            sleep(Duration::from_millis(600)).await;
            tokio::task::block_in_place(|| provider.rotate(Old::Kept));
        }
        ended.store(true, SeqCst);
    };
    let (calls, refused, ()) = futures::join!(join_all((0..16).map(good)), join_all((0..2).map(bad)), rotate);
    assert!(calls.iter().all(|calls| *calls > 2) && refused.iter().all(|refused| *refused > 0));
}
