//! The event mesh as a catalog takes it: decided and written down as a call is, and whole. Its bound is no budget of a
//! model.

use std::{
    io::{self, Write},
    sync::Arc,
};

use futures::{FutureExt as _, future::BoxFuture};
use serde_json::Value;

use super::{Call, Request, Toolbox, entry::Parsed, record::Record};
use crate::{Error, ErrorKind, answer, knative::published};

/// What answers it, for the gate.
const TOOL: &str = "knative_published";
/// Bytes of an answer; one that would be larger is none.
const LARGEST: usize = 32 << 20;

impl Toolbox {
    /// The event mesh of `cluster`, as JSON, as the caller of `request` may read it.
    ///
    /// # Errors
    /// As [`Self::call`]; [`ErrorKind::UnknownTool`] where tools of Knative are not offered.
    pub async fn event_mesh(self: &Arc<Self>, mut request: Request, cluster: &str) -> Result<Vec<u8>, Error> {
        request.tool = TOOL.to_owned();
        request.arguments = [("cluster".to_owned(), Value::from(cluster))].into_iter().collect();
        let entry = self.askable(&request.caller, TOOL);
        let mut record = Record::open(self, &request, entry.as_ref());
        let result = self.written(&mut record, entry, request, publish).await;
        if let Ok(answer) = &result {
            record.line.answered(answer.len());
        }
        record.close(result.as_ref().map(|_| None));
        result
    }
}

fn publish(_: Box<dyn Parsed>, call: Call) -> BoxFuture<'static, Result<Vec<u8>, Error>> {
    async move {
        let mesh = published::read(call.cluster()?).await?;
        let broken = |error| Error::new(ErrorKind::Internal, format!("the answer is not JSON: {error}"));
        let mut mesh = serde_json::to_value(mesh).map_err(broken)?;
        answer::clean(&mut mesh, call.learned());
        let mut bounded = Bounded { bytes: Vec::new(), most: LARGEST };
        serde_json::to_writer(&mut bounded, &mesh).map_err(|error| match error.is_io() {
            true => too_large(),
            false => broken(error),
        })?;
        Ok(bounded.bytes)
    }
    .boxed()
}

fn too_large() -> Error {
    let kind = ErrorKind::Upstream { status: None, retryable: false };
    Error::new(kind, format!("the event mesh is larger than {} MiB", LARGEST >> 20))
}

/// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.most.saturating_sub(self.bytes.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_size() {
        let mut bounded = Bounded { bytes: Vec::new(), most: 8 };
        assert!(serde_json::to_writer(&mut bounded, "abcdef").is_ok());
        let mut bounded = Bounded { bytes: Vec::new(), most: 8 };
        let error = serde_json::to_writer(&mut bounded, "abcdefg").expect_err("too large");
        assert!(error.is_io() && bounded.bytes.len() <= 8);
    }
}
