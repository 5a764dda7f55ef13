//! [`Fence`]: what keeps data apart from instructions. What a cluster wrote may hold any text; the mark of
//! a fence is drawn when the data is there already, so nothing can close it.

use crate::{Error, ErrorKind};

/// Random bytes of a mark.
const MARK: usize = 8;

/// A mark that none of the data holds.
#[derive(Debug)]
pub(super) struct Fence(String);

impl Fence {
    /// Around these parts.
    pub(super) fn around(parts: &[&str]) -> Result<Self, Error> {
        // none of the data holds eight bytes drawn after it was read, but to look costs little
        for _ in 0..8 {
            let mut bytes = [0; MARK];
            getrandom::fill(&mut bytes)
                .map_err(|_| Error::new(ErrorKind::Internal, "the system gives no randomness"))?;
            let mark: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            if !parts.iter().any(|part| part.contains(&mark)) {
                return Ok(Self(mark));
            }
        }
        Err(Error::new(ErrorKind::Internal, "the data cannot be told from the instructions"))
    }

    /// The mark, for the instruction to name.
    pub(super) fn mark(&self) -> &str {
        &self.0
    }

    /// A part with its lines around it.
    pub(super) fn part(&self, title: &str, text: &str) -> String {
        let Self(mark) = self;
        format!("----- {mark} {title} -----\n{}\n----- {mark} end -----\n", text.trim_end())
    }
}
