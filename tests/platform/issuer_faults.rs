//! An issuer that is down, slow, silent or lying: callers whose keys are known go on, and nothing is taken
//! that was not verified.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::forge::{Forge, With};
use crate::issuer::{Answer, Issuer};
use crate::keys::{Alg, Key};
use crate::mcp::Mcp;
use crate::odd_keys::{self, Unfit};
use crate::oidc::{Old, Provider};
use crate::server::{Product, Server};
use crate::trust;

/// Longer than the issuer is left alone after it failed, and than a fetch takes.
const RECOVERY: Duration = Duration::from_secs(40);

fn config(issuer: &Issuer) -> String {
    let entry = issuer.entry("[{roles: [viewer]}]");
    format!("issuers: [{entry}]\nclusters: {{kubeconfig: {{enabled: false}}}}\n")
}

fn serve(issuer: &Issuer) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(issuer)).serve()
}

/// The HTTP status that a caller with this token gets.
async fn status(server: &Server, token: &str) -> u16 {
    Mcp::with_token(server.url("/mcp"), token).request("tools/list", json!({})).await.status
}

/// Tries tokens of this issuer, a new one each time, until one is taken.
async fn taken_at_last(server: &Server, issuer: &Issuer) {
    let begun = Instant::now();
    loop {
        let status = status(server, &issuer.forge().good("alice")).await;
        if status == 200 {
            return;
        }
        assert!(begun.elapsed() < RECOVERY, "still {status}:\n{}", server.said());
        sleep(Duration::from_millis(200)).await;
    }
}

/// A good token but for its key, which the issuer does not have.
fn of_unknown_key(forge: &Forge, kid: &str) -> String {
    let mut header = forge.header(Alg::Rs256);
    header["kid"] = json!(kid);
    forge.sign(&header, &forge.claims("alice"), With::Own(Alg::Rs256))
}

/// A token that another issuer signed in this one's name.
fn in_the_name_of(issuer: &Issuer, signer: &Forge) -> String {
    let mut claims = signer.claims("alice");
    claims["iss"] = json!(issuer.url());
    signer.claiming(&claims)
}

fn check(issuer: &Issuer) -> String {
    let output = Product::new(["check"]).config(&config(issuer)).output();
    let said = String::from_utf8(output.stdout).expect("text");
    let line = said.lines().find(|line| line.contains(issuer.url()));
    line.unwrap_or_else(|| panic!("no line for the issuer:\n{said}")).to_owned()
}

#[test]
fn check_says_what_an_issuer_answers() {
    let issuer = Issuer::start_at("/realms/test");
    let neighbour = issuer.neighbour();
    let line = check(&issuer);
    assert!(line.starts_with("ok ") && line.contains("2 usable keys"), "{line}");
    issuer.publish_before(Unfit::new().entries());
    let line = check(&issuer);
    assert!(line.starts_with("ok ") && line.contains("key \"small\": RSA of fewer than 2048 bits"), "{line}");
    issuer.publish(vec![json!({"kty": "oct", "k": "AQ"})]);
    let line = check(&issuer);
    assert!(line.starts_with("fail") && line.contains("none of its keys can be used"), "{line}");

    let changed = |name: &str, value: Value| {
        let mut document = issuer.document();
        document[name] = value;
        Answer::Json(document)
    };
    for (discovery, said) in [
        (Answer::Html, "HTML"),
        (Answer::Status(404), "answers 404"),
        (Answer::Bytes(b"{".to_vec()), "not valid JSON"),
        (Answer::Huge(64 << 20), "more than 256 KiB"),
        (Answer::Redirect(neighbour.discovery_url()), "redirects (302)"),
        (changed("issuer", json!(format!("{}/", issuer.url()))), "names another issuer"),
        (changed("issuer", json!(neighbour.url())), "names another issuer"),
        (changed("issuer", Value::Null), "names no issuer"),
        (changed("jwks_uri", json!(neighbour.jwks_url())), "not on its own origin"),
        (changed("jwks_uri", json!(issuer.jwks_url().replace("https", "http"))), "not on its own origin"),
        (changed("jwks_uri", Value::Null), "no jwks_uri"),
        (Answer::Hang, "did not answer in"),
    ] {
        let case = format!("{discovery:?}").chars().take(60).collect::<String>();
        issuer.discovery(discovery);
        let line = check(&issuer);
        assert!(line.starts_with("fail") && line.contains(said), "{case}: {line}");
    }
    issuer.discovery(Answer::Good).down();
    let line = check(&issuer);
    assert!(line.starts_with("fail") && line.contains("cannot be reached"), "{line}");
}

#[tokio::test]
async fn an_issuer_that_is_down_at_the_start_is_taken_up_when_it_is_there() {
    let issuer = Issuer::start();
    issuer.down();
    let server = serve(&issuer);
    assert_eq!(reqwest::get(server.url("/healthz")).await.unwrap().status(), 200);
    let refused = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"))
        .request("tools/list", json!({}))
        .await;
    assert_eq!(refused.status, 503, "an outage, which a client can wait out: {}", refused.text);
    assert!(!refused.header("retry-after").is_empty());
    issuer.up();
    taken_at_last(&server, &issuer).await;
}

#[tokio::test]
async fn whoever_has_a_known_key_does_not_notice_that_the_issuer_is_gone() {
    let cases = ["gone", "a page", "an error", "64 MB", "no usable key", "another name"];
    // starting a process blocks, and must not hold up the others' calls
    let rigs = cases.map(|case| {
        let issuer = Issuer::start();
        let server = serve(&issuer);
        (case, issuer, server)
    });
    join_all(rigs.into_iter().map(async |(case, issuer, server)| {
        taken_at_last(&server, &issuer).await;
        match case {
            "gone" => issuer.down(),
            "a page" => issuer.jwks(Answer::Html),
            "an error" => issuer.jwks(Answer::Status(500)),
            "64 MB" => issuer.jwks(Answer::Huge(64 << 20)),
            "no usable key" => issuer.jwks(Answer::Json(json!({"keys": [{"kty": "RSA", "kid": "rs256-1"}]}))),
            _ => issuer.discovery(Answer::Json(json!({"issuer": "https://a.example"}))),
        };
        // a false signature makes the server ask
        let forged = in_the_name_of(&issuer, &issuer.neighbour().forge());
        assert_eq!(status(&server, &forged).await, 401, "{case}");
        server.wait_for(|text| text.contains("cannot be fetched").then_some(()));
        for _ in 0..3 {
            assert_eq!(
                status(&server, &issuer.forge().good("alice")).await,
                200,
                "{case}: {}",
                server.said()
            );
        }
        assert_eq!(status(&server, &forged).await, 401, "{case}");
    }))
    .await;
}

#[tokio::test]
async fn a_fetch_that_hangs_delays_nobody_whose_key_is_known() {
    let issuer = Issuer::start();
    let server = serve(&issuer);
    taken_at_last(&server, &issuer).await;
    issuer.jwks(Answer::Hang);
    let old = issuer.forge();
    issuer.rotate(Old::Kept);
    let new = issuer.forge();
    let url = server.url("/mcp");
    // its key makes the server ask, and the question hangs
    let hanging = tokio::spawn(async move {
        Mcp::with_token(url, &new.good("alice")).request("tools/list", json!({})).await.status
    });
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(status(&server, &old.good("bob")).await, 200);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        sleep(Duration::from_millis(50)).await;
    }
    issuer.jwks(Answer::Good);
    assert_eq!(hanging.await.unwrap(), 503);
    let begun = Instant::now();
    taken_at_last(&server, &issuer).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "a hung fetch ends by itself: {:?}", begun.elapsed());
}

#[tokio::test]
async fn nothing_is_believed_that_an_issuer_should_not_say() {
    let cases = [
        "html",
        "huge",
        "status",
        "stall",
        "cut",
        "other name",
        "other origin",
        "redirect",
        "redirect to http",
        "not json",
        "empty",
    ];
    let rigs = cases.map(|case| {
        let issuer = Issuer::start();
        let (neighbour, plain) = (issuer.neighbour(), issuer.plain_neighbour());
        let mut document = issuer.document();
        match case {
            "html" => issuer.jwks(Answer::Html),
            "huge" => issuer.jwks(Answer::Huge(64 << 20)),
            "status" => issuer.jwks(Answer::Status(500)),
            "stall" => issuer.jwks(Answer::Stall),
            "cut" => issuer.jwks(Answer::Cut),
            "other name" => {
                document["issuer"] = json!(neighbour.url());
                issuer.discovery(Answer::Json(document))
            }
            "other origin" => {
                document["jwks_uri"] = json!(neighbour.jwks_url());
                issuer.discovery(Answer::Json(document))
            }
            "redirect" => issuer.jwks(Answer::Redirect(neighbour.jwks_url())),
            "redirect to http" => issuer.jwks(Answer::Redirect(plain.jwks_url())),
            "not json" => issuer.jwks(Answer::Bytes(vec![0xff; 100])),
            _ => issuer.jwks(Answer::Bytes(Vec::new())),
        };
        let server = serve(&issuer);
        (case, [issuer, neighbour, plain], server)
    });
    join_all(rigs.into_iter().map(async |(case, [issuer, neighbour, plain], server)| {
        assert_eq!(status(&server, &issuer.forge().good("alice")).await, 503, "{case}");
        for signer in [neighbour.forge(), plain.forge()] {
            assert_eq!(status(&server, &in_the_name_of(&issuer, &signer)).await, 503, "{case}");
        }
        assert_eq!((neighbour.seen().len(), plain.seen().len()), (0, 0), "{case}: nobody else is asked");
        issuer.jwks(Answer::Good).discovery(Answer::Good);
        taken_at_last(&server, &issuer).await;
    }))
    .await;
}

#[tokio::test]
async fn an_issuer_that_is_slow_is_waited_for() {
    let issuer = Issuer::start();
    issuer.jwks(Answer::Slow(Duration::from_secs(2)));
    let server = serve(&issuer);
    assert_eq!(status(&server, &issuer.forge().good("alice")).await, 200);
    assert_eq!(issuer.count("/jwks"), 1);
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
    let allowed = 4 + begun.elapsed().as_secs() as usize / 10;
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
