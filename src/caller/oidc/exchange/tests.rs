use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    caller::oidc::{
        settings::{ClientSecret, Parameter, SubjectTokenType},
        tests::settings,
    },
    kubernetes::As,
};

const URN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// An issuer that answers each exchange with what `answer` makes of it.
struct Fake {
    url: String,
    exchanged: AtomicUsize,
    documents: AtomicUsize,
    methods: Mutex<&'static str>,
    answer: Mutex<Box<dyn Fn(usize) -> String + Send>>,
    heard: Mutex<Vec<String>>,
}

impl Fake {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let fake = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            exchanged: AtomicUsize::new(0),
            documents: AtomicUsize::new(0),
            methods: Mutex::new("\"client_secret_basic\""),
            answer: Mutex::new(Box::new(|number| token(&format!("token-{number}"), 100))),
            heard: Mutex::default(),
        });
        let (serves, keeps) = (Arc::clone(&fake), Arc::clone(&fake));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serves).serve(stream));
            }
        });
        keeps
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let (mut read, mut part) = (String::new(), [0; 4096]);
        loop {
            let Ok(more @ 1..) = stream.read(&mut part).await else { return };
            read.push_str(&String::from_utf8_lossy(&part[..more]));
            let Some((head, body)) = read.split_once("\r\n\r\n") else { continue };
            let length = head.to_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() < length.unwrap_or(0) {
                continue;
            }
            let answer = if head.starts_with("GET") {
                self.documents.fetch_add(1, Ordering::Relaxed);
                let (url, methods) = (&self.url, *self.methods.lock().expect("unpoisoned"));
                json(&format!(
                    r#"{{"issuer":"{url}","token_endpoint":"{url}/token","token_endpoint_auth_methods_supported":[{methods}]}}"#
                ))
            } else {
                self.heard.lock().expect("unpoisoned").push(read.clone());
                let number = self.exchanged.fetch_add(1, Ordering::Relaxed) + 1;
                (self.answer.lock().expect("unpoisoned"))(number)
            };
            read.clear();
            if answer == "slow" {
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }

    fn answers(&self, answer: impl Fn(usize) -> String + Send + 'static) {
        *self.answer.lock().expect("unpoisoned") = Box::new(answer);
    }

    fn exchanged(&self) -> usize {
        self.exchanged.load(Ordering::Relaxed)
    }

    fn settings(&self) -> IssuerSettings {
        let exchange = ExchangeSettings {
            client_id: "us & them".to_owned(),
            secret: ClientSecret::Given("s3:cret".to_owned().into()),
            token_endpoint: None,
            parameter: Parameter::Audience,
            scope: None,
            subject_token_type: SubjectTokenType::Access,
        };
        IssuerSettings { issuer: self.url.clone(), exchange: Some(exchange), ..settings() }
    }

    fn exchanger(&self, settings: &IssuerSettings) -> Arc<Exchanger> {
        let origin = Origin { issuer: self.url.clone(), ca_file: None };
        Exchanger::new(settings, &origin).expect("it is configured")
    }
}

fn json(body: &str) -> String {
    status("200 OK", "application/json", body)
}

fn status(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn token(token: &str, seconds: i64) -> String {
    json(&format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","issued_token_type":"{URN}","expires_in":{seconds}}}"#
    ))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn subject(exchanger: &Arc<Exchanger>, token: &str) -> Subject {
    let hash = super::super::hash(token.as_bytes());
    Subject::new(exchanger, token, hash, Timestamp::now() + SignedDuration::from_hours(1))
}

async fn got(subject: &Subject, audience: &str) -> Result<String, Fault> {
    let As::Bearer(bearer) = subject.acting(audience) else { panic!("a bearer") };
    assert!(!format!("{bearer:?}").contains("planted"), "{bearer:?}");
    bearer.token(soon()).await.map(|token| token.expose_secret().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_exchanged_once_for_each_audience_and_all_who_wait_for_it() {
    let fake = Fake::start().await;
    let exchanger = fake.exchanger(&fake.settings());
    let alice = subject(&exchanger, "planted-alice");
    let all = futures::future::join_all((0..50).map(|_| got(&alice, "one"))).await;
    assert!(all.iter().all(|got| got.as_deref() == Ok("token-1")), "{all:?}");
    assert_eq!((fake.exchanged(), fake.documents.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(got(&alice, "two").await.as_deref(), Ok("token-2"));
    assert_eq!(got(&subject(&exchanger, "planted-bob"), "one").await.as_deref(), Ok("token-3"));
    assert_eq!(got(&alice, "one").await.as_deref(), Ok("token-1"));
    assert_eq!((fake.exchanged(), fake.documents.load(Ordering::Relaxed)), (3, 1));
    let heard = fake.heard.lock().expect("unpoisoned").first().cloned().expect("a request");
    for said in [
        "POST /token HTTP/1.1",
        // base64 of us%20%26%20them:s3%3Acret
        "authorization: Basic dXMlMjAlMjYlMjB0aGVtOnMzJTNBY3JldA==",
        "content-type: application/x-www-form-urlencoded",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=planted-alice&",
        "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&",
        "&audience=one",
    ] {
        assert!(heard.contains(said), "{said}: {heard}");
    }
    assert!(!heard.contains("client_secret"), "{heard}");
    assert!(!format!("{exchanger:?} {alice:?}").contains("planted"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_used_until_a_little_before_its_end() {
    let fake = Fake::start().await;
    fake.answers(|number| token(&format!("token-{number}"), 1));
    let exchanger = fake.exchanger(&fake.settings());
    let alice = subject(&exchanger, "alice");
    assert_eq!(got(&alice, "one").await.as_deref(), Ok("token-1"));
    assert_eq!(got(&alice, "one").await.as_deref(), Ok("token-1"));
    tokio::time::sleep(Duration::from_millis(950)).await;
    assert_eq!(got(&alice, "one").await.as_deref(), Ok("token-2"));
    assert_eq!(exchanger.held.len(), 1);
    exchanger.forget(Timestamp::now() + SignedDuration::from_secs(2));
    assert_eq!(exchanger.held.len(), 0);

    let now = Timestamp::now();
    let ends = |life: Option<i64>, subject: i64| {
        let given = Given { token: "t".to_owned().into(), life: life.map(SignedDuration::from_secs) };
        until(&given, now + SignedDuration::from_secs(subject), now).duration_since(now).as_secs_f64()
    };
    assert_eq!(ends(Some(3_600), 7_200), 3_590.0);
    assert_eq!(ends(Some(3_600), 1_000), 990.0, "not longer than the token it was got for");
    assert_eq!(ends(Some(50), 1_000), 45.0);
    assert_eq!(ends(None, 1_000), 54.0);
    assert!(ends(Some(50), -5) <= 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_answered_for_a_second_and_then_asked_again() {
    let fake = Fake::start().await;
    let refused = r#"{"error":"invalid_target","error_description":"planted-alice is not for one"}"#;
    fake.answers(|_| status("400 Bad Request", "application/json", refused));
    let exchanger = fake.exchanger(&fake.settings());
    let alice = subject(&exchanger, "planted-alice");
    for _ in 0..5 {
        let fault = got(&alice, "one").await.expect_err("refused");
        assert_eq!(
            fault,
            Fault::NotExchanged { message: "invalid_target (400)".to_owned(), retryable: false },
            "the description quotes the token"
        );
    }
    assert_eq!(fake.exchanged(), 1);
    fake.answers(|_| token("good", 60));
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(got(&alice, "one").await.as_deref(), Ok("good"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_an_issuer_answers_is_a_fault_that_says_it() {
    let fake = Fake::start().await;
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(70 << 10));
    let cases: Vec<(String, &str, bool)> = vec![
        (token("planted-subject", 60), "your own token back", false),
        (status("502 Bad Gateway", "text/html", "<html>planted"), "it answers 502", true),
        (status("200 OK", "text/html; charset=utf-8", "<html>planted"), "a page (HTML)", true),
        (json(&huge), "more than 64 KiB", true),
        (json("planted"), "not valid JSON", false),
        (json("[]"), "not an object", false),
        (
            "HTTP/1.1 307 T\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "redirects (307)",
            false,
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"acc".to_owned(), "cannot be reached", true),
        ("nonsense\r\n\r\n".to_owned(), "cannot be reached", true),
    ];
    for (index, (answer, why, again)) in cases.into_iter().enumerate() {
        let cut = answer.contains("length: 100") || answer.starts_with("nonsense");
        let said = answer.clone();
        fake.answers(move |_| said.clone());
        let exchanger = fake.exchanger(&fake.settings());
        let alice = subject(&exchanger, "planted-subject");
        let fault = match cut {
            // the connection stays open: the bound of time ends it
            true => {
                let As::Bearer(bearer) = alice.acting("one") else { panic!("a bearer") };
                let soon = Instant::now() + Duration::from_millis(300);
                bearer.token(soon).await.map(drop)
            }
            false => got(&alice, "one").await.map(drop),
        };
        match fault.expect_err(why) {
            Fault::NotExchanged { message, retryable } => {
                assert!(message.contains(why) && retryable == again, "{index}: {message} {retryable}");
                assert!(!message.contains("planted"), "{index}: {message}");
            }
            Fault::Timeout(_) if cut => {}
            other => panic!("{index}: {other:?}"),
        }
    }
    fake.answers(|_| "slow".to_owned());
    let exchanger = fake.exchanger(&fake.settings());
    let As::Bearer(bearer) = subject(&exchanger, "a").acting("one") else { panic!("a bearer") };
    let began = Instant::now();
    let slow = bearer.token(began + Duration::from_millis(200)).await.expect_err("it never answers");
    assert!(matches!(slow, Fault::Timeout(_)) && began.elapsed() < Duration::from_secs(2), "{slow:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_goes_where_the_issuer_takes_it_and_the_token_to_its_own_origin() {
    let fake = Fake::start().await;
    *fake.methods.lock().expect("unpoisoned") = "\"private_key_jwt\", \"client_secret_post\"";
    let mut settings = fake.settings();
    if let Some(exchange) = &mut settings.exchange {
        exchange.parameter = Parameter::Resource;
        exchange.scope = Some("a b".to_owned());
    }
    got(&subject(&fake.exchanger(&settings), "t"), "https://one").await.expect("a token");
    let heard = fake.heard.lock().expect("unpoisoned").last().cloned().expect("a request");
    for said in
        ["&client_id=us%20%26%20them&client_secret=s3%3Acret", "&resource=https%3A%2F%2Fone&", "&scope=a%20b"]
    {
        assert!(heard.contains(said), "{said}: {heard}");
    }
    assert!(!heard.contains("authorization: Basic") && !heard.contains("audience"), "{heard}");

    *fake.methods.lock().expect("unpoisoned") = "\"none\"";
    let fault = got(&subject(&fake.exchanger(&settings), "t"), "one").await.expect_err("no way");
    assert!(fault.to_string().contains("takes no client secret"), "{fault}");

    let elsewhere = Fake::start().await;
    *fake.methods.lock().expect("unpoisoned") = Box::leak(
        format!("\"client_secret_basic\"],\"token_endpoint\":[\"{}", elsewhere.url).into_boxed_str(),
    );
    // a member twice is read as nothing at all
    let fault = got(&subject(&fake.exchanger(&settings), "t"), "one").await.expect_err("not there");
    assert!(fault.to_string().contains("discovery document"), "{fault}");

    // where it is configured it may be anywhere
    if let Some(exchange) = &mut settings.exchange {
        exchange.token_endpoint = Some(format!("{}/elsewhere", elsewhere.url));
    }
    got(&subject(&fake.exchanger(&settings), "t"), "one").await.expect("a token");
    assert_eq!(elsewhere.exchanged(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_kept_while_the_settings_stay() {
    let fake = Fake::start().await;
    let (settings, origin) = (fake.settings(), Origin { issuer: fake.url.clone(), ca_file: None });
    let exchanger = fake.exchanger(&settings);
    assert!(exchanger.is_of(&settings, &origin));
    let mut changed = settings.clone();
    if let Some(exchange) = &mut changed.exchange {
        exchange.secret = ClientSecret::Given("another".to_owned().into());
    }
    assert!(!exchanger.is_of(&changed, &origin));
    let none = IssuerSettings { exchange: None, ..settings.clone() };
    assert!(!exchanger.is_of(&none, &origin) && Exchanger::new(&none, &origin).is_none());
    let ours = IssuerSettings { audiences: vec!["another".to_owned()], ..settings };
    assert!(!exchanger.is_of(&ours, &origin));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_a_cluster_refuses_is_got_anew_but_not_at_once() {
    let fake = Fake::start().await;
    let exchanger = fake.exchanger(&fake.settings());
    let alice = subject(&exchanger, "alice");
    let As::Bearer(bearer) = alice.acting("one") else { panic!("a bearer") };
    bearer.token(soon()).await.expect("a token");
    bearer.refused();
    bearer.token(soon()).await.expect("a token");
    assert_eq!(fake.exchanged(), 1, "it was just got");
    let key = (*alice.hash(), Arc::from("one"));
    let held = exchanger.held.get(&key).expect("it is held");
    exchanger.held.insert(key, Held { since: held.since - SETTLED, ..held });
    bearer.refused();
    bearer.token(soon()).await.expect("a token");
    assert_eq!(fake.exchanged(), 2);
}
