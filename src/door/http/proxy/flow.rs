//! [`Flow`]: the body of an answer on its way from a cluster to a client: a piece is asked for when the one before
//! it is on its way, and nothing is kept.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use kube::client::Body;
use tokio::time::{Instant, Sleep, sleep};

use super::lease::Over;
use crate::toolbox::Passing;

/// How long a cluster may be silent within an answer that is to have an end.
const SILENT: Duration = Duration::from_secs(60);

/// A body that comes as the cluster sends it. An end that is none breaks the answer off, so that nobody takes the
/// part for the whole.
pub(super) struct Flow<H> {
    body: Body,
    over: Over,
    silence: Option<Pin<Box<Sleep>>>,
    /// Given back with the last byte.
    held: Option<(Passing, H)>,
}

/// Why an answer ends before its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The cluster broke it off.
    #[error("the cluster broke off")]
    Upstream,
    /// It sends nothing any more.
    #[error("the cluster is silent")]
    Silent,
    /// It may not go on.
    #[error("it may not go on")]
    Over,
}

impl<H> Flow<H> {
    pub(super) fn new(body: Body, passing: Passing, over: Over, held: H) -> Self {
        let silence = (!passing.lasts()).then(|| Box::pin(sleep(SILENT)));
        Self { body, over, silence, held: Some((passing, held)) }
    }

    fn broken(&mut self, why: Broken) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        tracing::debug!("an answer was broken off: {why}");
        self.end();
        Poll::Ready(Some(Err(why)))
    }

    fn end(&mut self) {
        self.held = None;
        // the connection to the cluster goes with it
        self.body = Body::empty();
    }
}

impl<H: Unpin> HttpBody for Flow<H> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if this.held.is_none() {
            return Poll::Ready(None);
        }
        if this.over.as_mut().poll(context).is_ready() {
            return this.broken(Broken::Over);
        }
        loop {
            return match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    // trailers are the cluster's
                    let Ok(data) = frame.into_data() else { continue };
                    if let Some(silence) = &mut this.silence {
                        silence.as_mut().reset(Instant::now() + SILENT);
                    }
                    if let Some((passing, _)) = &this.held {
                        passing.brought(data.len());
                    }
                    Poll::Ready(Some(Ok(Frame::data(data))))
                }
                Poll::Ready(Some(Err(_))) => this.broken(Broken::Upstream),
                Poll::Ready(None) => {
                    this.end();
                    Poll::Ready(None)
                }
                Poll::Pending => {
                    let silence = this.silence.as_mut().map(|silence| silence.as_mut().poll(context));
                    if silence.is_some_and(|over| over.is_ready()) {
                        return this.broken(Broken::Silent);
                    }
                    Poll::Pending
                }
            };
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
