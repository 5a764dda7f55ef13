//! A Kubernetes API that misbehaves on demand: the demo platform's API, with faults by path.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use platform_mcp::demo;
use tokio::net::TcpListener;

/// What happens to a request whose path holds a given text.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status, with this body.
    Answer(u16, &'static str),
    /// 429 with `Retry-After` in seconds.
    Throttle(u64),
    /// No answer ever.
    Hang,
    /// Half of the true body, then the connection breaks.
    Truncate,
    /// A list whose items fill this many bytes.
    Huge(usize),
    /// A list of so many instances, each of some 3 KiB, in pages.
    Instances(usize),
}

/// A running misbehaving API. It ends with the runtime that it was started in.
pub(crate) struct Faulty {
    state: Arc<Shared>,
    /// Where it listens.
    pub(crate) url: String,
}

struct Shared {
    upstream: demo::Running,
    client: reqwest::Client,
    faults: Mutex<Vec<(String, Fault)>>,
    seen: Mutex<Vec<String>>,
    headers: Mutex<Vec<HeaderMap>>,
}

impl Faulty {
    /// Starts one without faults.
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Shared {
            upstream: demo::Api::start().await.expect("the demo API"),
            client: reqwest::Client::new(),
            faults: Mutex::default(),
            seen: Mutex::default(),
            headers: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { state, url }
    }

    /// From now on, requests whose path and query hold `path` meet `fault`; the first match counts.
    pub(crate) fn when(&self, path: &str, fault: Fault) -> &Self {
        self.state.faults.lock().expect("not poisoned").push((path.to_owned(), fault));
        self
    }

    /// No more faults, and nothing seen.
    pub(crate) fn reset(&self) {
        self.state.faults.lock().expect("not poisoned").clear();
        self.state.seen.lock().expect("not poisoned").clear();
        self.state.headers.lock().expect("not poisoned").clear();
    }

    /// The paths asked for so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.state.seen.lock().expect("not poisoned").clone()
    }

    /// The headers of each request so far.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.state.headers.lock().expect("not poisoned").clone()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().to_string();
    shared.seen.lock().expect("not poisoned").push(path.clone());
    shared.headers.lock().expect("not poisoned").push(request.headers().clone());
    let fault = {
        let faults = shared.faults.lock().expect("not poisoned");
        faults.iter().find(|(part, _)| path.contains(part)).map(|(_, fault)| fault.clone())
    };
    match fault {
        Some(Fault::Answer(status, body)) => respond(status, Body::from(body)),
        Some(Fault::Throttle(seconds)) => {
            let mut response = respond(429, Body::empty());
            response.headers_mut().insert("retry-after", seconds.into());
            response
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Huge(bytes)) => huge(bytes),
        Some(Fault::Instances(count)) => instances(count, request.uri().query().unwrap_or_default()),
        Some(Fault::Truncate) => {
            let whole = forward(&shared, request).await;
            let bytes = axum::body::to_bytes(whole.into_body(), usize::MAX).await.expect("a body");
            let half = bytes.slice(..bytes.len() / 2);
            let broken = futures::stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
            respond(200, Body::from_stream(broken))
        }
        None => forward(&shared, request).await,
    }
}

fn respond(status: u16, body: Body) -> Response {
    Response::builder().status(status).body(body).expect("a response")
}

async fn forward(shared: &Shared, request: Request) -> Response {
    let url = format!("{}{}", shared.upstream.url(), request.uri());
    let mut forwarded = shared.client.get(url);
    if let Some(accept) = request.headers().get("accept") {
        forwarded = forwarded.header("accept", accept);
    }
    let answer = forwarded.send().await.expect("the demo API answers");
    let status = answer.status().as_u16();
    respond(status, Body::from(answer.bytes().await.expect("a body")))
}

fn huge(bytes: usize) -> Response {
    let item = Bytes::from(format!(
        "{{\"metadata\":{{\"name\":\"x\",\"namespace\":\"shop\"}},\"data\":{{\"k\":\"{}\"}}}},",
        "y".repeat(100_000)
    ));
    let head = Bytes::from_static(b"{\"kind\":\"List\",\"metadata\":{},\"items\":[");
    let items = std::iter::repeat_n(item, bytes / 100_000);
    let tail = Bytes::from_static(b"{\"metadata\":{\"name\":\"last\"}}]}");
    let chunks = std::iter::once(head).chain(items).chain([tail]).map(Ok::<_, std::io::Error>);
    let mut response = respond(200, Body::from_stream(futures::stream::iter(chunks)));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

/// Every hundredth is failing. The tokens of the pages are how many came before.
fn instances(count: usize, query: &str) -> Response {
    let number = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.and_then(|value| value.parse::<usize>().ok())
    };
    let start = number("continue").unwrap_or_default();
    let end = count.min(start + number("limit").unwrap_or(count));
    let more = match count - end {
        0 => String::new(),
        left => format!(r#""continue":"{end}","remainingItemCount":{left}"#),
    };
    let items: Vec<String> = (start..end).map(instance).collect();
    let body = format!(r#"{{"kind":"List","metadata":{{{more}}},"items":[{}]}}"#, items.join(","));
    respond(200, Body::from(body))
}

fn instance(index: usize) -> String {
    let (state, ready) = if index % 100 == 7 { ("ERROR", "False") } else { ("ACTIVE", "True") };
    let fields = format!(r#""f:{}":{{}},"#, "x".repeat(20)).repeat(60);
    format!(
        r#"{{"metadata":{{"name":"app-{index:05}","namespace":"team-{}","uid":"u-{index}","generation":1,
        "creationTimestamp":"2026-01-01T00:00:00Z","labels":{{"tier":"t{}"}},
        "managedFields":[{{"manager":"kro","fieldsV1":{{{fields}"f:a":{{}}}}}}]}},"spec":{{"image":"nginx","text":"{}"}},
        "status":{{"state":"{state}","conditions":[{{"type":"Ready","status":"{ready}","reason":"R","message":"a quota",
        "observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"}}]}}}}"#,
        index % 40,
        index % 3,
        "y".repeat(800)
    )
}
