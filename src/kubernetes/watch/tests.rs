use std::collections::VecDeque;

use axum::{Router, body::Body, extract::Request, response::Response};
use futures::{StreamExt as _, stream};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::kubernetes::access::tests::access;

/// What an API server does with a LIST or a watch.
#[derive(Clone)]
pub(super) enum Does {
    Lists(&'static str, Vec<Value>),
    Refuses(u16),
    /// Sends these events, and ends.
    Ends(Vec<Value>),
    /// Sends these events, and nothing after them.
    Stays(Vec<Value>),
}

/// An API server that does one thing after the other, and the last one for ever.
pub(super) struct Scripted {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(super) async fn start(script: impl IntoIterator<Item = Does>) -> Self {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let keep = Arc::clone(&seen);
        let app = Router::new().fallback(move |request: Request| {
            keep.lock().push(request.uri().query().unwrap_or_default().to_owned());
            let mut script = script.lock();
            let does = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
            async move { answer(does.expect("a script")) }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    /// `list`, or the version that a watch began at.
    pub(super) fn seen(&self) -> Vec<String> {
        let of = |query: &String| {
            let version = query.split('&').find_map(|part| part.strip_prefix("resourceVersion="));
            if query.contains("watch=1") { version.unwrap_or("nowhere") } else { "list" }.to_owned()
        };
        self.seen.lock().iter().map(of).collect()
    }
}

fn answer(does: Does) -> Response {
    let lines =
        |events: Vec<Value>| stream::iter(events).map(|event| Ok::<_, std::io::Error>(format!("{event}\n")));
    let (status, body) = match does {
        Does::Lists(version, items) => {
            let list = json!({"metadata": {"resourceVersion": version}, "items": items});
            (200, Body::from(list.to_string()))
        }
        Does::Refuses(status) => (status, Body::empty()),
        Does::Ends(events) => (200, Body::from_stream(lines(events))),
        Does::Stays(events) => (200, Body::from_stream(lines(events).chain(stream::pending()))),
    };
    Response::builder().status(status).body(body).expect("a response")
}

pub(super) fn app(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version}})
}

pub(super) fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

pub(super) fn apps() -> Selection {
    let kind = Kind {
        group: "kro.run".to_owned(),
        version: "v1alpha1".to_owned(),
        kind: "App".to_owned(),
        plural: "apps".to_owned(),
        singular: String::new(),
        short_names: Vec::new(),
        namespaced: true,
        listable: true,
    };
    Selection::one(&kind, Some("shop"), "a")
}

/// The first news, as words.
async fn news(server: &Scripted, count: usize) -> Vec<String> {
    let watch = Watch::new(access(&server.url), apps(), Detail::Whole);
    let of = |object: &Object| {
        format!("{}@{}", object.name(), object.text(&["metadata", "resourceVersion"]).unwrap_or(""))
    };
    let said = watch.news().take(count).map(|news| match news {
        Ok(News::All(objects)) => format!("all {}", objects.iter().map(of).collect::<Vec<_>>().join(" ")),
        Ok(News::Is(object)) => {
            assert_eq!((object.kind(), object.api_version()), ("App", "kro.run/v1alpha1"));
            format!("is {}", of(&object))
        }
        Ok(News::Gone(object)) => format!("gone {}", of(&object)),
        Ok(News::Lost(fault)) => format!("lost: {fault}"),
        Err(fault) => format!("ended: {fault}"),
    });
    timeout(Duration::from_secs(10), said.collect()).await.expect("news in time")
}

#[tokio::test]
async fn a_stream_is_taken_up_where_it_ended() {
    let bookmark = json!({"metadata": {"resourceVersion": "9"}});
    let server = Scripted::start([
        Does::Lists("5", vec![app("a", "3")]),
        Does::Ends(vec![event("MODIFIED", &app("a", "7")), event("BOOKMARK", &bookmark)]),
        Does::Stays(vec![event("DELETED", &app("a", "11")), event("ADDED", &app("a", "12"))]),
    ])
    .await;
    assert_eq!(news(&server, 4).await, ["all a@3", "is a@7", "gone a@11", "is a@12"]);
    assert_eq!(server.seen(), ["list", "5", "9"]);
}

#[tokio::test]
async fn where_the_version_is_too_old_everything_is_listed_again() {
    let expired = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"});
    let server = Scripted::start([
        Does::Lists("5", vec![]),
        Does::Refuses(410),
        Does::Lists("20", vec![app("a", "19")]),
        Does::Ends(vec![event("ERROR", &expired)]),
        Does::Lists("30", vec![]),
        Does::Stays(vec![]),
    ])
    .await;
    assert_eq!(news(&server, 3).await, ["all ", "all a@19", "all "]);
    assert_eq!(server.seen(), ["list", "5", "list", "20", "list"]);
}

#[tokio::test]
async fn a_refusal_is_final_at_first_and_waited_out_later() {
    let refused = Scripted::start([Does::Refuses(403)]).await;
    let said = "ended: forbidden by the cluster: an empty body";
    assert_eq!(news(&refused, 2).await, [said]);
    let listed = Scripted::start([Does::Lists("5", vec![]), Does::Refuses(403)]).await;
    assert_eq!(news(&listed, 3).await, ["all ", said], "who may list need not be one who may watch");
    let server = Scripted::start([
        Does::Lists("5", vec![]),
        Does::Ends(vec![event("BOOKMARK", &json!({"metadata": {"resourceVersion": "5"}}))]),
        Does::Refuses(403),
        Does::Refuses(404),
        Does::Refuses(503),
        Does::Refuses(401),
        Does::Lists("6", vec![app("a", "6")]),
        Does::Stays(vec![]),
    ])
    .await;
    let heard = news(&server, 3).await;
    assert_eq!((&*heard[0], &*heard[2]), ("all ", "all a@6"), "{heard:?}");
    assert!(heard[1].starts_with("lost: "), "{heard:?}");
}

#[tokio::test]
async fn nonsense_is_no_news() {
    let other = json!({"type": "MODIFIED", "object": 7});
    let server = Scripted::start([
        Does::Lists("5", vec![]),
        Does::Ends(vec![other]),
        Does::Ends(vec![json!("x")]),
        Does::Stays(vec![event("SURPRISE", &app("a", "8")), event("MODIFIED", &app("a", "9"))]),
    ])
    .await;
    assert_eq!(news(&server, 2).await, ["all ", "is a@9"]);
}
