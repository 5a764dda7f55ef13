//! Requests of a connection, counted until the last byte of their answer is on its way.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Bytes, HttpBody},
    response::Response,
};
use futures::future::BoxFuture;
use http::Request;
use hyper::body::{Frame, SizeHint};
use tower::Service;

use super::connection::{Beat, Peer, Pulse};

/// The service of one connection.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    service: S,
    peer: Peer,
    pulse: Arc<Pulse>,
}

impl<S> Counted<S> {
    pub(super) fn new(service: S, peer: SocketAddr, pulse: Arc<Pulse>) -> Self {
        Self { service, peer: Peer(peer), pulse }
    }
}

impl<S, B> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response<Held<axum::body::Body, Beat>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let beat = self.pulse.beat();
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(Arc::clone(&self.pulse));
        let answer = self.service.call(request);
        Box::pin(async move { Ok(answer.await?.map(|body| Held::new(body, beat))) })
    }
}

/// A body that holds something until it ends or is given up.
#[derive(Debug)]
pub(super) struct Held<B, T> {
    body: B,
    held: Option<T>,
}

impl<B, T> Held<B, T> {
    pub(super) fn new(body: B, held: T) -> Self {
        Self { body, held: Some(held) }
    }
}

impl<B, T> HttpBody for Held<B, T>
where
    B: HttpBody<Data = Bytes> + Unpin,
    T: Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = frame {
            this.held = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
