//! [`Held`]: how much of answers about Secrets is held at a time, by all callers together.
//!
//! An answer that is read whole is held for as long as its cluster takes to send it.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Error, ErrorKind};

/// KiB that answers may hold beyond what is [`FREE`].
static SPACE: Semaphore = Semaphore::const_new(64 << 10);
/// Bytes of each answer that are not counted, so that a Secret can be read whatever others do.
const FREE: usize = 256 << 10;

/// What one answer holds, until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    of: &'static Semaphore,
    space: Option<SemaphorePermit<'static>>,
}

impl Held {
    pub(super) fn nothing() -> Self {
        Self { of: &SPACE, space: None }
    }

    /// Takes what is missing to `bytes`.
    ///
    /// # Errors
    /// There is no more: waiting for it, answers that are half there would wait for each other.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        let has = self.space.as_ref().map_or(0, SemaphorePermit::num_permits);
        let missing = bytes.saturating_sub(FREE).div_ceil(1 << 10).saturating_sub(has);
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| full())?;
        let more = self.of.try_acquire_many(missing).map_err(|_| full())?;
        match &mut self.space {
            Some(space) => space.merge(more),
            None => self.space = Some(more),
        }
        Ok(())
    }
}

fn full() -> Error {
    Error::new(
        ErrorKind::RateLimited { retry_after: None },
        "too many large answers about Secrets are read at a time",
    )
    .next("try again in a moment, or ask for fewer at a time with limit")
}

#[cfg(test)]
mod tests {
    use super::*;

    static SMALL: Semaphore = Semaphore::const_new(10);

    fn held() -> Held {
        Held { of: &SMALL, ..Held::nothing() }
    }

    #[test]
    fn all_answers_together_hold_so_much_and_a_secret_can_always_be_read() {
        let (mut one, mut other) = (held(), held());
        for bytes in [0, FREE, FREE + 1, FREE + 1_024, FREE + (6 << 10)] {
            assert!(one.grow(bytes).is_ok(), "{bytes}");
        }
        assert!(other.grow(FREE + (4 << 10)).is_ok());
        let full = other.grow(FREE + (4 << 10) + 1).expect_err("there is no more");
        assert!(matches!(full.kind, ErrorKind::RateLimited { .. }), "{full:?}");
        assert!(held().grow(FREE).is_ok() && held().grow(FREE + 1).is_err());
        drop(one);
        assert!(other.grow(FREE + (10 << 10)).is_ok());
        drop(other);
        assert_eq!(SMALL.available_permits(), 10);
    }
}
