//! A body that comes piece by piece, as kube's client takes it.

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes};
use kube::{Client, client::Body};
use parking_lot::Mutex;
use tower::{BoxError, service_fn};

use crate::kubernetes::Fault;

/// kube makes its body of bytes alone where we send something, and of anything where something is answered
/// (kube-client 5, `Body::wrap_body`, is its own): so this is what a client gets whose server is this body.
///
/// # Errors
/// None in practice.
pub async fn carried<B>(body: B) -> Result<Body, Fault>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return Ok(Body::empty());
    }
    let body = Mutex::new(Some(body.map_err(Into::<BoxError>::into).boxed_unsync()));
    let answer = service_fn(move |_: Request<Body>| {
        let body = body.lock().take();
        async move { body.map(Response::new).ok_or_else(|| BoxError::from("a body is sent once")) }
    });
    let answered = Client::new(answer, "default").send(Request::new(Body::empty())).await;
    answered.map(Response::into_body).map_err(|error| Fault::Unreachable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    #[tokio::test]
    async fn a_body_comes_out_as_it_went_in() {
        let frames = ["one", "two"].map(|text| Ok::<_, BoxError>(Frame::data(Bytes::from(text))));
        let body = carried(StreamBody::new(stream::iter(frames))).await.expect("a body");
        assert_eq!(body.collect_bytes().await.expect("whole"), Bytes::from("onetwo"));
        let whole = carried(http_body_util::Full::new(Bytes::from("abc"))).await.expect("a body");
        assert_eq!(whole.size_hint().exact(), Some(3), "its length is known, and sent");
    }
}
