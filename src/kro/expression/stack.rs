//! A stack deep enough for the parser.
//!
//! The `cel` parser (ANTLR) takes about 70 KiB of stack for each nesting level of its grammar in a
//! debug build: 29 parentheses overflow a worker thread's 2 MiB, which ends the process and cannot
//! be caught. Within [`bounds`](super::bounds) 8 MiB were enough for the worst input found.

use super::Unresolved;

const STACK: usize = 32 << 20;

/// Runs `work` on a thread of its own with a deep stack; a panic there is an answer like any other.
pub(super) fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Unresolved> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.ok().and_then(|thread| thread.join().ok())
    })
    .ok_or_else(|| Unresolved::Unsupported("the CEL library gave up".into()))
}
