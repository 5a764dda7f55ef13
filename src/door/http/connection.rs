//! Connections: counted, without Nagle's delay, and closed where nothing comes of them.

use std::{
    future::{Future as _, Ready, ready},
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum_server::accept::Accept;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until},
};

use super::request::Counted;

/// From connecting to the whole head of the first request, TLS included: who is slower holds a place
/// that others could use.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what is written to it.
const STALLED: Duration = Duration::from_secs(30);

/// Takes connections, as many as there is room for.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    room: Arc<Semaphore>,
    idle: Duration,
    full: Arc<AtomicBool>,
}

impl Arrivals {
    /// At most `connections` at a time; one without a request for `idle` is closed.
    pub(super) fn new(connections: usize, idle: Duration) -> Self {
        Self { room: Arc::new(Semaphore::new(connections)), idle, full: Arc::default() }
    }

    fn take<S>(&self, stream: TcpStream, service: S) -> io::Result<(Stream, Counted<S>)> {
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
            // once for each time that it fills up
            if !self.full.swap(true, Ordering::Relaxed) {
                tracing::warn!("limits.connections is reached: more connections are closed at once");
            }
            return Err(io::Error::other("no room for another connection"));
        };
        self.full.store(false, Ordering::Relaxed);
        let peer = stream.peer_addr()?;
        // Without it, a streamed answer waits 40 ms for the peer's delayed acknowledgement.
        stream.set_nodelay(true)?;
        let pulse = Arc::new(Pulse::new(self.idle));
        let stream = Stream {
            stream,
            silence: Box::pin(sleep_until(pulse.due())),
            stall: None,
            pulse: Arc::clone(&pulse),
            _place: place,
        };
        Ok((stream, Counted::new(service, peer, pulse)))
    }
}

impl<S> Accept<TcpStream, S> for Arrivals {
    type Stream = Stream;
    type Service = Counted<S>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.take(stream, service))
    }
}

/// What a connection does. Bytes alone are no sign of life: only a request is.
#[derive(Debug)]
pub(super) struct Pulse {
    idle: Duration,
    running: AtomicUsize,
    /// When the next request must have come.
    due: Mutex<Instant>,
}

impl Pulse {
    fn new(idle: Duration) -> Self {
        let due = Mutex::new(Instant::now() + FIRST_REQUEST.min(idle));
        Self { idle, running: AtomicUsize::new(0), due }
    }

    /// A request has come, and runs until what is returned is dropped.
    pub(super) fn beat(self: &Arc<Self>) -> Beat {
        self.running.fetch_add(1, Ordering::AcqRel);
        Beat(Arc::clone(self))
    }

    fn due(&self) -> Instant {
        *self.due.lock()
    }
}

/// A request that runs.
#[derive(Debug)]
pub(super) struct Beat(Arc<Pulse>);

impl Drop for Beat {
    fn drop(&mut self) {
        *self.0.due.lock() = Instant::now() + self.0.idle;
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A TCP stream that ends where no request comes, or where its peer does not read.
#[derive(Debug)]
pub(super) struct Stream {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    silence: Pin<Box<Sleep>>,
    stall: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Stream {
    /// Whether the time for a request is over. Wakes the task when it may be.
    fn silent(&mut self, context: &mut Context<'_>) -> bool {
        while self.silence.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let running = self.pulse.running.load(Ordering::Acquire) > 0;
            let due = if running { now + self.pulse.idle } else { self.pulse.due() };
            if due <= now {
                return true;
            }
            self.silence.as_mut().reset(due);
        }
        false
    }

    fn written<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + STALLED)));
        match stall.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.silent(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut this.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.written(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// The address at the other end of the connection, in the extensions of its requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);
