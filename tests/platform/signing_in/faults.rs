//! Answers to a sign-in that are not the right ones.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Home, config, sign_in, text, url};
use crate::{
    forge::{AUDIENCE, Forge},
    issuer::{Answer, Issuer},
    oidc::Provider,
    server::StdioServer,
};

/// The value of a parameter of a URL.
fn parameter(url: &str, name: &str) -> String {
    let url = reqwest::Url::parse(url).expect("a URL");
    let mut pairs = url.query_pairs();
    pairs.find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

/// A sign-in at an issuer that lies; and the nonce, state and redirect that it asked with.
struct Begun {
    login: StdioServer,
    nonce: String,
    back: String,
}

fn begin(home: &Home, issuer: &Issuer) -> Begun {
    let entry = issuer.entry(super::RULES);
    let entry = entry.strip_suffix('}').expect("an entry");
    let config = format!("issuers: [{entry}, tokens: [access, id], login: {{clientId: app}}}}]\n");
    let login = home.product(&["login", "--no-browser"]).config(&config).stdio();
    let url = url(&login, issuer.document()["authorization_endpoint"].as_str().expect("a URL"));
    assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    let back = format!("{}?state={}", parameter(&url, "redirect_uri"), parameter(&url, "state"));
    Begun { login, nonce: parameter(&url, "nonce"), back }
}

impl Begun {
    /// Brings a code back, and waits for the end, which is not a sign-in; what is said.
    async fn refused(mut self, home: &Home) -> String {
        let answer = reqwest::get(format!("{}&code=abc", self.back)).await.expect("it waits there");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let page = answer.text().await.expect("a page");
        assert!(page.contains("You are not signed in"), "{page}");
        let status = self.login.ended(Duration::from_secs(30));
        assert_eq!(status.code(), Some(1), "{}", self.login.said_at_end());
        assert!(home.file().is_none(), "nothing is kept");
        self.login.said_at_end()
    }
}

fn claims(forge: &Forge, nonce: &str) -> Value {
    let mut claims = forge.claims("alice");
    claims["aud"] = json!("app");
    claims["nonce"] = json!(nonce);
    claims
}

fn id_token(forge: &Forge, claims: &Value) -> String {
    use crate::{forge::With, keys::Alg};
    let mut header = forge.header(Alg::Rs256);
    header["typ"] = json!("JWT");
    forge.sign(&header, claims, With::Key(forge.key(Alg::Rs256), Alg::Rs256))
}

fn given(id_token: &str) -> Answer {
    Answer::Json(
        json!({"access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": id_token,
        "refresh_token": "planted-refresh"}),
    )
}

/// As Palette's session tokens: signed with a secret that nobody else has.
fn hs256(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(&json!({"alg": "HS256", "typ": "JWT"})),
        part(claims),
        URL_SAFE_NO_PAD.encode([7_u8; 32])
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_token_that_is_not_for_this_sign_in_signs_nobody_in() {
    // as Palette names the issuer of a tenant
    let issuer = Issuer::start_at("/v1/oidc/tenant/5f1f7b8e9c");
    let tenant = issuer.neighbour();
    let forge = issuer.forge();
    type Lie<'l> = Box<dyn Fn(&str) -> String + 'l>;
    let with = |name: &'static str, value: Value| -> Lie<'static> {
        let forge = issuer.forge();
        Box::new(move |nonce| {
            let mut claims = claims(&forge, nonce);
            claims[name] = value.clone();
            id_token(&forge, &claims)
        })
    };
    let foreign = |nonce: &str| id_token(&tenant.forge(), &claims(&tenant.forge(), nonce));
    let stolen = |nonce: &str| {
        let mut claims = claims(&tenant.forge(), nonce);
        claims["iss"] = json!(issuer.url());
        id_token(&tenant.forge(), &claims)
    };
    let session = |nonce: &str| hs256(&claims(&forge, nonce));
    let lies: Vec<(Lie<'_>, &str)> = vec![
        (with("nonce", json!("another")), "nonce"),
        (with("nonce", Value::Null), "nonce"),
        (with("aud", json!("another-app")), "audiences"),
        (with("azp", json!("another-app")), "azp"),
        (with("aud", json!(["app", "another-app"])), "azp"),
        (with("at_hash", json!("AAAA")), "at_hash"),
        (with("exp", json!(1_000_000)), "expired"),
        (with("iss", json!("https://login.example.com")), "no configured issuer"),
        (Box::new(foreign) as Lie<'_>, "no configured issuer"),
        (Box::new(stolen) as Lie<'_>, ""),
        (Box::new(session) as Lie<'_>, "signed with a secret (HS256)"),
    ];
    for (lie, said) in lies {
        let home = Home::new();
        let begun = begin(&home, &issuer);
        issuer.token(given(&lie(&begun.nonce)));
        let told = begun.refused(&home).await;
        assert!(told.contains("ID token") && told.contains(said), "{said}: {told}");
        assert!(!told.contains("eyJ") && !told.contains("planted"), "{told}");
    }
    let home = Home::new();
    let mut begun = begin(&home, &issuer);
    issuer.token(given(&id_token(&forge, &claims(&forge, &begun.nonce))));
    let answer = reqwest::get(format!("{}&code=abc", begun.back)).await.expect("it waits there");
    assert_eq!(answer.status(), StatusCode::OK, "the right one is taken: {}", begun.login.said());
    begun.login.ended(Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_answers_oddly_signs_nobody_in() {
    let issuer = Issuer::start();
    for (answer, said) in [
        (Answer::Json(json!({"access_token": "a", "token_type": "Bearer"})), "no ID token"),
        (Answer::Json(json!({"access_token": "planted\u{7}", "id_token": "a.b.c"})), "characters"),
        (Answer::Json(json!({"token_type": "Bearer"})), "access_token"),
        (Answer::Json(json!([])), "not an object"),
        (Answer::Json(json!({"access_token": "planted", "token_type": "DPoP"})), "token_type"),
        (Answer::Html, "HTML"),
        (Answer::Status(500), "no (500)"),
        (Answer::Status(400), "no (400)"),
        (Answer::Redirect("https://login.example.com/".to_owned()), "redirects"),
        (Answer::Bytes(vec![b' '; 300 << 10]), "more than"),
        (Answer::Cut, "cannot be"),
    ] {
        issuer.token(answer.clone());
        let home = Home::new();
        let told = begin(&home, &issuer).refused(&home).await;
        assert!(told.contains(said) && !told.contains("planted"), "{answer:?} {said}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_browser_brings_is_looked_at() {
    let issuer = Issuer::start();
    // of another request: it is not taken, and the right one still is
    let home = Home::new();
    let mut begun = begin(&home, &issuer);
    let (place, _) = begun.back.split_once('?').expect("a query");
    for foreign in [
        "",
        "?code=abc",
        "?code=abc&state=another",
        "?error=access_denied&state=",
        "?code=abc&state=a&state=b",
    ] {
        let answer = reqwest::get(format!("{place}{foreign}")).await.expect("it waits there");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{foreign}");
        assert!(answer.text().await.expect("a page").contains("another sign-in"), "{foreign}");
    }
    let told = begun.login.wait_for(|said| said.contains("its state is not ours").then(|| said.to_owned()));
    assert!(told.contains("waiting for yours"), "{told}");
    assert_eq!(issuer.count("/token"), 0, "no code of it is redeemed");
    issuer.token(given(&id_token(&issuer.forge(), &claims(&issuer.forge(), &begun.nonce))));
    let answer =
        reqwest::get(format!("{}&code=abc&iss={}", begun.back, issuer.url())).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{}", begun.login.said());
    begun.login.ended(Duration::from_secs(30));

    // of this request, and from somebody else: it ends
    let before = issuer.count("/token");
    for (brought, said) in [
        ("code=abc&iss=https%3A%2F%2Flogin.example.com", "it is of another issuer (iss, RFC 9207)"),
        ("code=abc&code=abd", "no code, or several"),
        ("code=", "no code, or several"),
        ("error=access_denied&error_description=not%1B%5B31m%20you", "access_denied: not"),
    ] {
        let home = Home::new();
        let mut begun = begin(&home, &issuer);
        let answer = reqwest::get(format!("{}&{brought}", begun.back)).await.expect("it waits there");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{brought}");
        assert_eq!(begun.login.ended(Duration::from_secs(30)).code(), Some(1));
        let told = begun.login.said_at_end();
        assert!(told.contains(said) && !told.contains('\u{1b}'), "{brought}: {told}");
    }
    assert_eq!(issuer.count("/token"), before, "no code of these is redeemed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_provider_says_who_it_is_and_an_answer_that_does_not_is_refused() {
    let provider = Provider::shared();
    let (home, config) = (Home::new(), config(&json!({})));
    let mut login = home.product(&["login", "--no-browser"]).config(&config).stdio();
    let back = provider.browse(&url(&login, provider.issuer()), "alice").await;
    let (without, _) = back.split_once("&iss=").expect("it says who it is, at the end");
    reqwest::get(without).await.expect("it waits there");
    assert_eq!(login.ended(Duration::from_secs(30)).code(), Some(1));
    assert!(login.said_at_end().contains("does not say who it is"), "{}", login.said_at_end());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_in_use_is_said_to_be() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let redirect = format!("http://{}/callback", taken.local_addr().expect("an address"));
    let home = Home::new();
    let config = config(&json!({"redirectUrl": redirect}));
    let output = home.product(&["login", "--no-browser"]).config(&config).output();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("is in use") && error.contains(&redirect) && error.contains("--device"),
        "{error}"
    );
    drop(taken);
    // the provider takes any port of the registered address, so this one too
    sign_in(&home, &config, "alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_this_server_does_not_take_is_said_to_be_none_at_once() {
    // without a resource, the provider's access token is not a JWT
    let home = Home::new();
    let config = config(&json!({"resource": format!("{AUDIENCE}/elsewhere")}));
    sign_in(&home, &config, "alice").await;
    let output = home.product(&["whoami"]).config(&config).output();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("login.resource") && error.contains("none of its audiences is ours"), "{error}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_enough_ends_it_whatever_it_waits_for() {
    let issuer = Issuer::start();
    let waiting = |started: &StdioServer| {
        started.wait_for(|said| said.contains("waiting for up to").then_some(()));
    };
    let redeeming = |started: &StdioServer| {
        let url = url(started, issuer.document()["authorization_endpoint"].as_str().expect("a URL"));
        let back = format!("{}?state={}&code=abc", parameter(&url, "redirect_uri"), parameter(&url, "state"));
        issuer.token(Answer::Hang);
        tokio::spawn(reqwest::get(back));
        let asked = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            issuer.count("/token") == 1
        });
        assert!(asked, "the code is being redeemed: {}", started.said());
    };
    let stages: [&dyn Fn(&StdioServer); 2] = [&waiting, &redeeming];
    for reached in stages {
        let home = Home::new();
        let mut begun = begin(&home, &issuer).login;
        reached(&begun);
        begun.terminate();
        let status = begun.ended(Duration::from_secs(4));
        let said = begun.said_at_end();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("interrupted: nobody was signed in") && home.file().is_none(), "{said}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_can_be_kept_nobody_has_to_sign_in_first() {
    let home = Home::new();
    std::fs::create_dir_all(home.folder().parent().expect("a folder")).expect("made");
    std::fs::write(home.folder(), "no folder").expect("written");
    let output = home.product(&["login", "--no-browser"]).config(&config(&json!({}))).output();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot be kept in") && !error.contains("code_challenge"), "{error}");
}
