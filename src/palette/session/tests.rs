//! Against a stub that counts what comes, and answers as it is told.

mod simulated;

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use parking_lot::Mutex;
use serde_json::Value;

use super::*;
use crate::{answer::redact::Learned, kubernetes::Meter, telemetry::CallSpan};

type Answer = Box<dyn Fn(usize, &Request) -> Response + Send + Sync>;

struct Stub {
    session: Arc<Session>,
    asked: Arc<AtomicUsize>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
}

#[derive(Clone)]
struct Shared {
    asked: Arc<AtomicUsize>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
    answer: Arc<Answer>,
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let number = shared.asked.fetch_add(1, Ordering::Relaxed);
    shared.headers.lock().push(request.headers().clone());
    sleep(Duration::from_millis(30)).await;
    (shared.answer)(number, &request)
}

impl Stub {
    /// Answers the how manieth request so.
    async fn new(answers: impl Fn(usize, &Request) -> Response + Send + Sync + 'static) -> Self {
        let (asked, headers) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<HeaderMap>>>::default());
        let shared = Shared {
            asked: Arc::clone(&asked),
            headers: Arc::clone(&headers),
            answer: Arc::new(Box::new(answers)),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/palette", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = Settings { url: Url::parse(&url).expect("a URL"), ..settings() };
        Self { session: Arc::new(Session::new(&settings, Arc::default())), asked, headers }
    }

    async fn ask(&self, acting: &Acting, ask: &Ask, seconds: u64) -> Result<Value, Fault> {
        let spent = spent(seconds);
        let by =
            By { acting, place: &Place::Tenant, spent: &spent, parallel: &Semaphore::new(8), since: None };
        Ok(self.session.json(by, ask).await?.0)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn spent(seconds: u64) -> Budgeted {
    Budgeted {
        meter: Arc::new(Meter::default()),
        learned: Arc::new(Learned::default()),
        deadline: Instant::now() + Duration::from_secs(seconds),
        call_id: "1".into(),
        span: CallSpan::default(),
    }
}

fn said(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).body(body.into()).expect("a response")
}

fn key() -> Acting {
    Acting::Key("planted-key".to_owned().into())
}

fn caller(owner: u8) -> Acting {
    Acting::Caller(Shown { token: "planted.token".to_owned().into(), owner: [owner; 32] })
}

#[tokio::test]
async fn a_request_says_who_asks_and_where_and_nothing_else_of_us() {
    let stub = Stub::new(|_, request| said(200, format!("{:?}", request.uri().to_string()))).await;
    let spent = spent(5);
    let place = Place::Project { uid: "p1".to_owned(), name: None };
    let parallel = Semaphore::new(1);
    let (key, token) = (key(), caller(1));
    for acting in [&key, &token] {
        let by = By { acting, place: &place, spent: &spent, parallel: &parallel, since: None };
        let ask = Ask::get(&["clusters", "a/b"]).with("fields", "x y");
        let (uri, _): (String, _) = stub.session.json(by, &ask).await.expect("an answer");
        assert_eq!(uri, "/palette/v1/clusters/a%2Fb?fields=x+y");
    }
    let headers = stub.headers.lock();
    assert_eq!(
        (&headers[0]["apikey"], headers[0].get("authorization")),
        (&"planted-key".parse().unwrap(), None)
    );
    assert_eq!(
        (&headers[1]["authorization"], headers[1].get("apikey")),
        (&"planted.token".parse().unwrap(), None)
    );
    assert!(headers.iter().all(|headers| headers["projectuid"] == "p1"));
    assert!(headers[0]["user-agent"].to_str().is_ok_and(|agent| agent.ends_with(" call/1")));
}

#[tokio::test]
async fn who_asks_the_same_at_once_or_soon_costs_one_request_and_another_caller_one_more() {
    let stub = Stub::new(|number, _| said(200, number.to_string())).await;
    let ask = Ask::get(&["dashboard", "x"]);
    let (key, one, other) = (key(), caller(1), caller(2));
    let eight = futures::future::join_all((0..8).map(|_| stub.ask(&key, &ask, 5))).await;
    assert!(eight.iter().all(|answer| answer == &Ok(0.into())), "{eight:?}");
    assert_eq!(stub.ask(&one, &ask, 5).await, Ok(1.into()));
    assert_eq!(stub.ask(&other, &ask, 5).await, Ok(2.into()));
    assert_eq!(stub.ask(&one, &ask, 5).await, Ok(1.into()));
    assert_eq!(stub.ask(&key, &ask.clone().with("a", "b"), 5).await, Ok(3.into()));
    let unkept = ask.kept(Duration::ZERO);
    assert_eq!(stub.ask(&key, &unkept, 5).await, Ok(4.into()));
    assert_eq!(stub.ask(&key, &unkept, 5).await, Ok(5.into()));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let flaky =
        |status: u16| Stub::new(move |number, _| if number == 0 { said(status, "") } else { said(200, "7") });
    for (status, tries) in [(429, 2), (500, 2), (503, 2), (404, 1), (403, 1), (401, 1), (422, 1), (302, 1)] {
        let stub = flaky(status).await;
        let answer = stub.ask(&key(), &Ask::get(&["dashboard", "x"]), 10).await;
        assert_eq!((answer.is_ok(), stub.asked()), (tries == 2, tries), "{status}: {answer:?}");
    }
    let down = Stub::new(|_, _| said(503, "down")).await;
    let ask = Ask::search(&["dashboard", "x"], serde_json::json!({}));
    let answer = down.ask(&key(), &ask, 10).await;
    assert_eq!(answer, Err(Fault::Status { status: 503, message: "down".to_owned() }));
    assert_eq!(down.asked(), 3);
}

#[tokio::test]
async fn a_storm_of_429_ends_with_the_deadline() {
    let stub = Stub::new(|_, _| said(429, r#"{"code":"TooManyRequests","message":"slow down"}"#)).await;
    let began = Instant::now();
    let answer = stub.ask(&key(), &Ask::get(&["dashboard", "x"]), 1).await;
    assert_eq!(answer, Err(Fault::Throttled { retry_after: None }));
    assert!(began.elapsed() <= Duration::from_millis(1_300), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_no_answer_of_palettes_is_said_so_without_quoting_it() {
    let cut = || {
        let parts = [Ok("[1,"), Err(std::io::Error::other("cut"))];
        Body::from_stream(futures::stream::iter(parts))
    };
    let stub = Stub::new(move |_, request| match request.uri().path() {
        "/palette/v1/page" => said(200, "<html>planted</html>"),
        "/palette/v1/broken" => said(200, r#"{"a": planted}"#),
        "/palette/v1/half" => said(200, r#"{"a": "planted"#),
        "/palette/v1/deep" => said(200, "[".repeat(10_000)),
        "/palette/v1/blown" => said(200, format!("[{}[0]]", "[0],".repeat(4 << 20))),
        "/palette/v1/large" => said(200, vec![b' '; received::LARGEST + 1]),
        _ => said(200, cut()),
    })
    .await;
    for (path, words) in [
        ("page", "a page (HTML)"),
        ("broken", "no JSON at line 1"),
        ("half", "ends in the middle, after 14 bytes"),
        ("deep", "no JSON at line 1"),
        ("blown", "more memory"),
        ("large", "more than 32 MiB"),
        ("cut", "cannot be reached"),
    ] {
        let answer = stub.ask(&key(), &Ask::get(&[path]), 10).await.expect_err(path).to_string();
        assert!(answer.contains(words) && !answer.contains("planted"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn no_name_leads_to_another_path() {
    let stub = Stub::new(|_, _| said(200, "1")).await;
    for name in ["..", "."] {
        let answer = stub.ask(&key(), &Ask::get(&["spectroclusters", name]), 5).await;
        assert!(answer.as_ref().is_err_and(Fault::is_not_found), "{name}: {answer:?}");
    }
    assert_eq!(stub.asked(), 0);
}

#[tokio::test]
async fn nothing_is_sent_where_there_is_no_credential_and_a_deadline_holds() {
    let stub = Stub::new(|_, _| said(200, "1")).await;
    let nobody = Acting::Nobody("none came".to_owned());
    let answer = stub.ask(&nobody, &Ask::get(&["x"]), 5).await;
    assert_eq!(answer, Err(Fault::Unfit("none came".to_owned())));
    assert_eq!(stub.asked(), 0);
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let settings = Settings { url: Url::parse(&url).expect("a URL"), ..settings() };
    let silent_one = Stub { session: Arc::new(Session::new(&settings, Arc::default())), ..stub };
    let began = Instant::now();
    let answer = silent_one.ask(&key(), &Ask::get(&["x"]), 1).await;
    assert!(matches!(answer, Err(Fault::Timeout(_))), "{answer:?}");
    assert!(began.elapsed() <= Duration::from_millis(1_500), "{:?}", began.elapsed());
}

fn settings() -> Settings {
    Settings {
        name: "stub".to_owned(),
        url: Url::parse("http://127.0.0.1:9").expect("a URL"),
        tenant: None,
        api_token: None,
        ca_file: None,
        admin_kubeconfig: false,
    }
}
