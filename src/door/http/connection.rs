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
use futures::task::AtomicWaker;
use http::Extensions;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    hops::Hops,
    request::Counted,
    room::{Place, Room},
};

/// From connecting to the whole head of the first request, TLS included, and from then on between requests
/// until one was let in as a caller's: who is slower holds a place that others could use.
const STRANGER: Duration = Duration::from_secs(10);
/// A request of whom nobody knows yet: to verify a token, and to read the body.
const STRANGERS_REQUEST: Duration = Duration::from_secs(30);
/// How long a client may take nothing of what is written to it.
const STALLED: Duration = Duration::from_secs(30);
/// The same of what lasts, of which each caller has a few: a person may read what is followed, and take a while.
const PAUSED: Duration = Duration::from_secs(600);

/// Takes connections, as many as there is room for.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    room: Arc<Room>,
    idle: Duration,
    hops: Hops,
}

impl Arrivals {
    /// At most `connections` at a time; a caller's without a request for `idle` is closed. Loopback and
    /// `hops` bring many callers, and have no share.
    pub(super) fn new(connections: usize, idle: Duration, hops: Hops) -> Self {
        Self { room: Arc::new(Room::new(connections)), idle, hops }
    }

    fn take<S>(&self, stream: TcpStream, service: S) -> io::Result<(Stream, Counted<S>)> {
        let peer = stream.peer_addr()?;
        let address = peer.ip().to_canonical();
        let shared = address.is_loopback() || self.hops.trusts(address);
        let pulse = Arc::new(Pulse::new(self.idle));
        let Some(place) = self.room.enter(address, shared, &pulse) else {
            return Err(io::Error::other("no room for another connection"));
        };
        // Without it, a streamed answer waits 40 ms for the peer's delayed acknowledgement.
        stream.set_nodelay(true)?;
        let stream = Stream {
            stream,
            silence: Box::pin(sleep_until(Instant::now() + pulse.patience())),
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
    /// Of these, what lasts for as long as both ends like.
    lasting: AtomicUsize,
    /// A request was let in as a caller's.
    known: AtomicBool,
    /// A request was one of many callers'.
    many: AtomicBool,
    /// It has to give way.
    ended: AtomicBool,
    task: AtomicWaker,
    /// When the next request must have come, or that of a stranger have ended.
    due: Mutex<Instant>,
}

impl Pulse {
    /// Of a connection that has just come.
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            idle,
            running: AtomicUsize::new(0),
            lasting: AtomicUsize::new(0),
            known: AtomicBool::new(false),
            many: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            task: AtomicWaker::new(),
            due: Mutex::new(Instant::now() + STRANGER.min(idle)),
        }
    }

    /// A request has come, and runs until what is returned is dropped.
    pub(super) fn beat(self: &Arc<Self>) -> Beat {
        self.running.fetch_add(1, Ordering::AcqRel);
        *self.due.lock() = Instant::now() + STRANGERS_REQUEST;
        Beat(Arc::clone(self))
    }

    /// How long its client may take nothing.
    fn stall(&self) -> Duration {
        if self.lasting.load(Ordering::Acquire) > 0 { PAUSED } else { STALLED }
    }

    /// From now on it is a caller's.
    pub(super) fn let_in(&self) {
        self.known.store(true, Ordering::Release);
    }

    /// From now on it is one that brings many callers.
    pub(super) fn bring_many(&self) {
        self.many.store(true, Ordering::Release);
    }

    pub(super) fn brings_many(&self) -> bool {
        self.many.load(Ordering::Acquire)
    }

    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }

    /// Whether a request runs.
    pub(super) fn runs(&self) -> bool {
        self.running.load(Ordering::Acquire) > 0
    }

    /// When the next request must have come: the earlier, the longer ago the last one was.
    pub(super) fn due(&self) -> Instant {
        *self.due.lock()
    }

    /// Ends the connection: another one needs its place.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.task.wake();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether it has to give way. Wakes the task when it comes to that.
    fn gives_way(&self, context: &Context<'_>) -> bool {
        self.task.register(context.waker());
        self.has_ended()
    }

    /// How long it may be without a request.
    fn patience(&self) -> Duration {
        if self.is_known() { self.idle } else { STRANGER.min(self.idle) }
    }

    /// When to look again, or nothing where its time is over.
    fn next_look(&self) -> Option<Instant> {
        let (now, due) = (Instant::now(), *self.due.lock());
        let runs = self.runs();
        match self.is_known() {
            true if runs => Some(now + self.idle),
            false if runs && due > now => Some(due.min(now + self.patience())),
            _ => Some(due).filter(|due| *due > now),
        }
    }
}

/// The connection of a request is a caller's, and may wait for the next one as callers' do.
pub(super) fn let_in(extensions: &Extensions) {
    if let Some(pulse) = extensions.get::<Arc<Pulse>>() {
        pulse.let_in();
    }
}

/// The connection of a request brings many callers: whoever sent it said for whom, and was believed.
pub(super) fn brings_many(extensions: &Extensions) {
    if let Some(pulse) = extensions.get::<Arc<Pulse>>() {
        pulse.bring_many();
    }
}

/// Keeps the connection of a request for what lasts, and perhaps longer than its answer.
pub(super) fn lasting(extensions: &Extensions) -> Option<Lasting> {
    let pulse = extensions.get::<Arc<Pulse>>()?;
    pulse.lasting.fetch_add(1, Ordering::AcqRel);
    Some(Lasting(pulse.beat()))
}

/// Something that lasts.
#[derive(Debug)]
pub(super) struct Lasting(Beat);

impl Drop for Lasting {
    fn drop(&mut self) {
        self.0.0.lasting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request that runs.
#[derive(Debug)]
pub(super) struct Beat(Arc<Pulse>);

impl Drop for Beat {
    fn drop(&mut self) {
        let mut due = self.0.due.lock();
        // what runs beside it has its own time
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            *due = Instant::now() + self.0.patience();
        }
    }
}

/// A TCP stream that ends where no request comes, or where its peer does not read.
#[derive(Debug)]
pub(super) struct Stream {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    silence: Pin<Box<Sleep>>,
    stall: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl Stream {
    /// Whether the time for a request is over, or its place is needed. Wakes the task when it may be.
    fn over(&mut self, context: &mut Context<'_>) -> bool {
        if self.pulse.gives_way(context) {
            return true;
        }
        while self.silence.as_mut().poll(context).is_ready() {
            match self.pulse.next_look() {
                Some(look) => self.silence.as_mut().reset(look),
                None => return true,
            }
        }
        false
    }

    fn written<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        if self.pulse.gives_way(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let allowed = self.pulse.stall();
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + allowed)));
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
        if this.over(context) {
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
