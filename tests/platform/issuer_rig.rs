//! The misbehaving issuer misbehaves as it is told to, and only then.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::forge::part;
use crate::issuer::{Answer, Issuer};
use crate::keys::Alg;
use crate::odd_keys;
use crate::oidc::{Old, client};

async fn get(issuer: &Issuer, url: &str) -> Result<(u16, String), reqwest::Error> {
    let answer = client(&issuer.ca_file()).get(url).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

async fn json_at(issuer: &Issuer, url: &str) -> Value {
    let (status, text) = get(issuer, url).await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn the_issuer_serves_its_documents_and_counts_what_is_asked_for() {
    for issuer in [Issuer::start(), Issuer::start_at("/realms/test"), Issuer::start().plain_neighbour()] {
        let discovery = json_at(&issuer, &issuer.discovery_url()).await;
        assert_eq!((&discovery["issuer"], &discovery), (&json!(issuer.url()), &issuer.document()));
        let keys = json_at(&issuer, discovery["jwks_uri"].as_str().unwrap()).await;
        assert_eq!(keys["keys"][0], issuer.forge().key(Alg::Rs256).jwk());
        assert_eq!(part(&issuer.forge().good("alice"), 1)["iss"], issuer.url());
        assert_eq!((issuer.count("/jwks"), issuer.seen().len()), (1, 2));
    }
}

#[tokio::test]
async fn each_fault_is_what_it_is_called_and_ends_when_it_is_told_to() {
    let issuer = Issuer::start();
    let url = issuer.jwks_url();
    let good = get(&issuer, &url).await.unwrap();
    let under = issuer.jwks(Answer::Html);
    assert!(get(under, &url).await.unwrap().1.contains("<p>"));
    assert_eq!(get(issuer.jwks(Answer::Status(503)), &url).await.unwrap().0, 503);
    assert_eq!(get(issuer.jwks(Answer::Json(json!([1]))), &url).await.unwrap().1, "[1]");
    assert_eq!(get(issuer.jwks(Answer::Slow(Duration::from_millis(50))), &url).await.unwrap(), good);
    for silent in [Answer::Hang, Answer::Stall] {
        assert!(timeout(Duration::from_millis(300), get(issuer.jwks(silent), &url)).await.is_err());
    }
    get(issuer.jwks(Answer::Cut), &url).await.expect_err("it breaks off");
    let (_, huge) = get(issuer.jwks(Answer::Huge(4 << 20)), &url).await.unwrap();
    assert!(huge.len() > 4 << 20, "{}", huge.len());
    assert_eq!(serde_json::from_str::<Value>(&huge).unwrap()["keys"][0]["kid"], "rs256-1");
    let moved = issuer.moved_jwks_url();
    let answer = client(&issuer.ca_file()).get(&url);
    issuer.jwks(Answer::Redirect(moved.clone()));
    let answer = answer.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (302, &*moved));
    assert_eq!(get(&issuer, &moved).await.unwrap(), good);
    assert!(get(issuer.down(), &url).await.unwrap_err().is_connect());
    assert_eq!(get(issuer.jwks(Answer::Good).up(), &url).await.unwrap(), good);
    assert_eq!(get(&issuer, &issuer.discovery_url()).await.unwrap().0, 200, "faults are by document");
}

#[tokio::test]
async fn keys_rotate_and_odd_ones_stand_before_the_good_ones() {
    let issuer = Issuer::start();
    let kids = async || {
        let set = json_at(&issuer, &issuer.jwks_url()).await;
        let keys = set["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    issuer.rotate(Old::Kept);
    assert_eq!(kids().await, ["rs256-2", "es256-2", "rs256-1", "es256-1"]);
    issuer.rotate(Old::Gone);
    assert_eq!(kids().await, ["rs256-3", "es256-3"]);
    let unfit = odd_keys::Unfit::new();
    issuer.publish_before(unfit.entries());
    let expected = ["small", "encrypts", "operates", "large-curve", "other-alg", "oct", "rs256-3", "es256-3"];
    assert_eq!(kids().await, expected);
    issuer.publish_before(odd_keys::broken().into_iter().map(|(_, entry)| entry).collect());
    assert_eq!(kids().await.len(), odd_keys::broken().len() + 2);
    let neighbour = issuer.neighbour();
    let theirs = get(&issuer, &neighbour.jwks_url()).await.unwrap().1;
    assert!(!theirs.contains(issuer.forge().key(Alg::Rs256).jwk()["n"].as_str().unwrap()));
}
