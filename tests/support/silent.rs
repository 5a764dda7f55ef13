//! An upstream that takes requests and never answers.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// Longer than any request takes to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listener on loopback.
pub(crate) struct Silent {
    url: String,
    taken: Mutex<mpsc::UnboundedReceiver<Connection>>,
}

/// A connection on which a request came.
pub(crate) struct Connection {
    stream: TcpStream,
}

impl Silent {
    /// Listens on a free port, on the test's own runtime.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let listener = TcpListener::from_std(listener).expect("a runtime");
        let (send, taken) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let send = send.clone();
                tokio::spawn(async move {
                    let mut buffer = [0; 1_024];
                    if let Ok(1..) = stream.read(&mut buffer).await {
                        let _ = send.send(Connection { stream });
                    }
                });
            }
        });
        Self { url, taken: Mutex::new(taken) }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A configuration whose only cluster this is.
    pub(crate) fn config(&self) -> String {
        format!("clusters: {{static: [{{name: silent, url: \"{}\"}}]}}\n", self.url)
    }

    /// The next connection with a request on it.
    ///
    /// # Panics
    /// Where none comes.
    pub(crate) async fn asked(&self) -> Connection {
        let mut taken = self.taken.lock().await;
        let next = timeout(PATIENCE, taken.recv()).await;
        next.ok().flatten().expect("a request comes")
    }
}

impl Connection {
    /// Whether the other side closes within this time.
    pub(crate) async fn closed(mut self, within: Duration) -> bool {
        let mut buffer = [0; 1_024];
        let end = async { while let Ok(1..) = self.stream.read(&mut buffer).await {} };
        timeout(within, end).await.is_ok()
    }
}
