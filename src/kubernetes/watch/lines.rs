//! [`Lines`]: the events of a watch as they come, one a line, bounded in length and in silence.

use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::time::{Instant, timeout};

use super::super::{access::Access, fault::Fault, raw};

/// Bytes of a line: the largest object that etcd holds, and what is around it.
const LONGEST: usize = raw::LARGEST + (64 << 10);
/// A stream on which nothing comes for longer is taken for dead: an API server sends a bookmark every minute
/// (kube-apiserver `pkg/storage/cacher`, `bookmarkFrequency`).
const SILENCE: Duration = Duration::from_secs(90);
/// What a server may be late with ending its own stream.
const LATE: Duration = Duration::from_secs(15);

/// The lines of a body that does not end soon.
pub(super) struct Lines<B = Body> {
    body: B,
    waiting: Vec<u8>,
    /// What of `waiting` was looked through for the end of a line.
    searched: usize,
    silence: Duration,
    end: Instant,
}

impl<B: HttpBody<Data = Bytes> + Unpin> Lines<B> {
    /// Of a stream that the server ends by itself after `time`.
    pub(super) fn new(body: B, time: Duration) -> Self {
        Self { body, waiting: Vec::new(), searched: 0, silence: SILENCE, end: Instant::now() + time + LATE }
    }

    /// The next line; nothing at the end of the stream. What was read stays where this is dropped.
    pub(super) async fn next(&mut self, access: &Access) -> Result<Option<Vec<u8>>, Fault> {
        loop {
            let unsearched = self.waiting.iter().skip(self.searched);
            if let Some(at) = unsearched.clone().position(|byte| *byte == b'\n') {
                let rest = self.waiting.split_off(self.searched + at + 1);
                let mut line = std::mem::replace(&mut self.waiting, rest);
                self.searched = 0;
                line.pop();
                if !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.waiting.len();
            let patience = self.silence.min(self.end.saturating_duration_since(Instant::now()));
            let frame = timeout(patience, self.body.frame()).await.map_err(|_| Fault::Timeout(patience))?;
            let Some(frame) = frame else { return Ok(None) };
            // a stream that breaks off is one that has ended: what came before it counts
            let Ok(frame) = frame else { return Ok(None) };
            let Some(data) = frame.data_ref() else { continue };
            access.received(data.len())?;
            if self.waiting.len() + data.len() > LONGEST {
                return Err(Fault::TooLarge(LONGEST));
            }
            self.waiting.extend_from_slice(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt as _, stream};
    use hyper::body::Frame;

    use super::*;
    use crate::kubernetes::access::tests::access;

    /// A body of these parts, which then ends or falls silent.
    fn lines(parts: Vec<Bytes>, silent: bool) -> Lines<impl HttpBody<Data = Bytes> + Unpin> {
        let parts = stream::iter(parts).map(|part| Ok::<_, std::io::Error>(Frame::data(part)));
        let rest = if silent { stream::pending().left_stream() } else { stream::empty().right_stream() };
        let body = http_body_util::StreamBody::new(parts.chain(rest));
        Lines { silence: Duration::from_millis(50), ..Lines::new(body, Duration::from_secs(300)) }
    }

    #[tokio::test]
    async fn lines_come_whole_however_they_are_cut() {
        let parts = ["{\"a\":", "1}\n\n{\"b\"", ":2}\n{\"c\"", ":"];
        let mut lines = lines(parts.map(Bytes::from).into(), false);
        let mut all = Vec::new();
        while let Some(line) = lines.next(&access("http://127.0.0.1:1")).await.expect("no fault") {
            all.push(String::from_utf8(line).expect("UTF-8"));
        }
        assert_eq!(all, ["{\"a\":1}", "{\"b\":2}"], "half a line at the end is none");
    }

    #[tokio::test]
    async fn a_silent_stream_is_given_up_and_a_line_without_end_is_not_kept() {
        let access = access("http://127.0.0.1:1");
        let mut silent = lines(vec![Bytes::from_static(b"{}\n")], true);
        assert_eq!(silent.next(&access).await, Ok(Some(b"{}".to_vec())));
        assert_eq!(silent.next(&access).await, Err(Fault::Timeout(Duration::from_millis(50))));
        let part = Bytes::from("x".repeat(1 << 20));
        let mut endless = lines(vec![part.clone(), part], true);
        assert_eq!(endless.next(&access).await, Err(Fault::TooLarge(LONGEST)));
    }
}
