//! A stack deep enough for parsers of untrusted text.
//!
//! The `cel` parser (ANTLR) takes about 70 KiB of stack for each nesting level of its grammar in a
//! debug build: 29 parentheses overflow a worker thread's 2 MiB, which ends the process and cannot
//! be caught. Within [`bounds`](crate::kro::expression) 8 MiB were enough for the worst input found.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

const STACK: usize = 32 << 20;

thread_local! {
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// The work panicked, or no thread could be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveUp;

/// Runs `work` on a deep stack, a thread's of its own unless this is one.
///
/// # Errors
/// A panic there is an answer like any other.
pub fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, GaveUp> {
    if DEEP.get() {
        return catch_unwind(AssertUnwindSafe(work)).map_err(|_| GaveUp);
    }
    let marked = || {
        DEEP.set(true);
        work()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, marked);
        thread.ok().and_then(|thread| thread.join().ok())
    })
    .ok_or(GaveUp)
}
