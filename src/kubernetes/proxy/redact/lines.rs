//! A body that comes line by line, each of which becomes another.

use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as HttpBody, Bytes, Frame};
use tower::BoxError;

use crate::kubernetes::Fault;

/// Bytes of a line: the largest object that etcd holds, and as much around it.
const LONGEST: usize = 3 << 20;

struct Lines<B, F> {
    body: B,
    each: F,
    waiting: Vec<u8>,
    /// What of `waiting` was taken: it is let go with the frame that it came in, not line by line.
    taken: usize,
    /// What of `waiting` was looked through for the end of a line.
    searched: usize,
}

/// The lines of `body` as `each` makes them, each as soon as it has come, and no more are read than are
/// taken. Where one cannot be made, or the body breaks off, it breaks off too.
pub(super) fn each<B, F>(body: B, each: F) -> impl HttpBody<Data = Bytes, Error = BoxError> + Send + 'static
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
    F: Fn(&[u8]) -> Result<Vec<u8>, Fault> + Send + 'static,
{
    let lines = Lines { body, each, waiting: Vec::new(), taken: 0, searched: 0 };
    StreamBody::new(stream::try_unfold(lines, |mut lines| async move {
        let line = lines.next().await?;
        Ok(line.map(|line| (Frame::data(Bytes::from(line)), lines)))
    }))
}

impl<B, F> Lines<B, F>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
    F: Fn(&[u8]) -> Result<Vec<u8>, Fault>,
{
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        loop {
            let unsearched = self.waiting.get(self.searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|byte| *byte == b'\n') {
                let end = self.searched + at + 1;
                let made = self.made(self.waiting.get(self.taken..end).unwrap_or_default())?;
                (self.taken, self.searched) = (end, end);
                if made.is_some() {
                    return Ok(made);
                }
                continue;
            }
            if self.taken > 0 {
                self.waiting = self.waiting.split_off(self.taken);
                self.taken = 0;
            }
            self.searched = self.waiting.len();
            match self.body.frame().await {
                // no line is left open by who has said all
                None => {
                    let last = std::mem::take(&mut self.waiting);
                    return self.made(&last);
                }
                Some(frame) => {
                    let frame = frame.map_err(Into::into)?;
                    let Some(data) = frame.data_ref() else { continue };
                    if self.waiting.len() + data.len() > LONGEST {
                        return Err(Fault::TooLarge(LONGEST).into());
                    }
                    self.waiting.extend_from_slice(data);
                }
            }
        }
    }

    fn made(&self, line: &[u8]) -> Result<Option<Vec<u8>>, BoxError> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(None);
        }
        let mut made = (self.each)(line)?;
        made.push(b'\n');
        Ok(Some(made))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn heard(parts: &[&str], breaks: bool) -> (String, bool) {
        let broken = breaks.then(|| Err(BoxError::from("broken off")));
        let frames = parts.iter().map(|part| Ok(Frame::data(Bytes::from((*part).to_owned()))));
        let frames: Vec<Result<Frame<Bytes>, BoxError>> = frames.chain(broken).collect();
        let shout = |line: &[u8]| match line {
            b"bad" => Err(Fault::Gone),
            line => Ok(line.to_ascii_uppercase()),
        };
        let mut body = Box::pin(each(StreamBody::new(stream::iter(frames)), shout));
        let mut heard = String::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return (heard, true) };
            heard.push_str(&String::from_utf8_lossy(frame.data_ref().expect("data")));
        }
        (heard, false)
    }

    #[tokio::test]
    async fn a_frame_of_many_lines_is_not_copied_for_each_of_them() {
        let frame = "\n".repeat(LONGEST - 8) + "one\ntwo\n";
        let began = Instant::now();
        assert_eq!(heard(&[&frame, "thr", "ee"], false).await, ("ONE\nTWO\nTHREE\n".to_owned(), false));
        // copied for each, it takes minutes
        assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn lines_come_as_they_end_and_nothing_comes_after_what_cannot_be_read() {
        assert_eq!(
            heard(&["on", "e\ntw", "o\n\n", "three"], false).await,
            ("ONE\nTWO\nTHREE\n".to_owned(), false)
        );
        assert_eq!(heard(&["one\nbad\ntwo\n"], false).await, ("ONE\n".to_owned(), true));
        assert_eq!(heard(&["one\ntw"], true).await, ("ONE\n".to_owned(), true), "half a line is none");
        let long = "x".repeat(LONGEST);
        assert_eq!(heard(&["one\n", &long, "x\n"], false).await, ("ONE\n".to_owned(), true));
    }
}
