//! An issuer that is down, slow, silent or lying: callers whose keys are known go on, and nothing is taken
//! that was not verified.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::forge::Forge;
use crate::issuer::{Answer, Issuer};
use crate::mcp::Mcp;
use crate::odd_keys::Unfit;
use crate::oidc::Old;
use crate::server::{Product, Server};

/// Longer than the issuer is left alone after it failed, and than a fetch takes.
const RECOVERY: Duration = Duration::from_secs(40);

fn config(issuer: &Issuer) -> String {
    let entry = issuer.entry("[{roles: [viewer]}]");
    format!("issuers: [{entry}]\nclusters: {{kubeconfig: {{enabled: false}}}}\n")
}

pub(crate) fn serve(issuer: &Issuer) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(issuer)).serve()
}

/// The HTTP status that a caller with this token gets.
pub(crate) async fn status(server: &Server, token: &str) -> u16 {
    Mcp::with_token(server.url("/mcp"), token).request("tools/list", json!({})).await.status
}

/// Tries tokens of this issuer, a new one each time, until one is taken.
pub(crate) async fn taken_at_last(server: &Server, issuer: &Issuer) {
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
