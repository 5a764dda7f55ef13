//! [`Redirect`]: the loopback address that a browser is sent back to (RFC 8252 section 7.3).

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use reqwest::Url;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Answers that wait to be looked at; more are turned away.
const MOST: usize = 4;
/// How long a browser may take to be told how it went.
const PARTING: Duration = Duration::from_secs(2);

/// An address that waits for a browser.
pub(super) struct Redirect {
    url: String,
    answers: mpsc::Receiver<(String, Reply)>,
    ending: CancellationToken,
    served: tokio::task::JoinSet<()>,
}

/// What a browser is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Page {
    Done,
    Failed,
    Foreign,
}

/// Where it waits for that.
pub(super) struct Reply(oneshot::Sender<Page>);

impl Reply {
    pub(super) fn send(self, page: Page) {
        // a browser that is gone is told nothing
        let _ = self.0.send(page);
    }
}

impl Redirect {
    /// Listens where this URL points; at any free port where it has none.
    pub(super) async fn listen(redirect: &str) -> Result<Self, String> {
        let mut url = Url::parse(redirect).map_err(|error| error.to_string())?;
        let port = url.port().filter(|port| *port != 0);
        let host = match url.host_str().unwrap_or_default() {
            "localhost" => "127.0.0.1",
            host => host.trim_start_matches('[').trim_end_matches(']'),
        };
        let host = host.parse().map_err(|_| format!("{redirect} has no loopback address"))?;
        let address = SocketAddr::new(host, port.unwrap_or_default());
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => format!(
                "the port of the redirect {redirect} is in use: end what uses it, or register a redirect without a \
                 port (login.redirectUrl), or sign in with --device, which needs none"
            ),
            _ => format!("the redirect {redirect} cannot be listened at: {error}"),
        })?;
        let bound = listener.local_addr().map_err(|error| error.to_string())?;
        let path = url.path().to_owned();
        let written = match port {
            // as it is registered, to the letter
            Some(_) => redirect.to_owned(),
            None => {
                url.set_port(Some(bound.port())).map_err(|()| format!("{redirect} can have no port"))?;
                let bare = path == "/" && !redirect.ends_with('/');
                url.as_str().strip_suffix('/').filter(|_| bare).unwrap_or(url.as_str()).to_owned()
            }
        };
        let (send, answers) = mpsc::channel(MOST);
        let ending = CancellationToken::new();
        let ended = ending.clone();
        let router = Router::new().route(&path, get(move |query: RawQuery| brought(query, send.clone())));
        let mut served = tokio::task::JoinSet::new();
        served.spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(ended.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::warn!("the redirect is not served any more: {error}");
            }
        });
        Ok(Self { url: written, answers, ending, served })
    }

    /// Where the browser has to be sent, to the letter.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The query that a browser brings next.
    pub(super) async fn next(&mut self) -> Result<(String, Reply), String> {
        self.answers.recv().await.ok_or_else(|| "the redirect is not served any more".to_owned())
    }

    /// Ends once the browser has seen how it went.
    pub(super) async fn end(mut self) {
        self.ending.cancel();
        let _ = timeout(PARTING, self.served.join_next()).await;
    }
}

async fn brought(RawQuery(query): RawQuery, send: mpsc::Sender<(String, Reply)>) -> Response {
    let (reply, page) = oneshot::channel();
    let sent = send.try_send((query.unwrap_or_default(), Reply(reply)));
    drop(send);
    if sent.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    // dropped where nobody waits any more
    shown(page.await.unwrap_or(Page::Foreign))
}

fn shown(page: Page) -> Response {
    let (status, head, text) = match page {
        Page::Done => (StatusCode::OK, "You are signed in", "You can close this window."),
        Page::Failed => (
            StatusCode::BAD_REQUEST,
            "You are not signed in",
            "The terminal says why. You can close this window.",
        ),
        Page::Foreign => (
            StatusCode::BAD_REQUEST,
            "This is the answer to another sign-in",
            "It was not taken. Use the window that opened last.",
        ),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{head}</title><h1>{head}</h1><p>{text}</p>"
    );
    let mut answer = (status, Html(page)).into_response();
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
