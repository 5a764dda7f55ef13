//! How much text one call reads and redacts: what judges each line of it keeps a processor busy.

use std::cell::Cell;

/// Bytes of values and manifests that one call reads.
pub const MOST: usize = 4 << 20;

thread_local! {
    /// Bytes left to the work on this thread; nothing where it is not bounded.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Does `work` on this thread, in which no more than so many bytes are read.
pub fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    struct Before(Option<usize>);
    impl Drop for Before {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let _before = Before(LEFT.replace(Some(bytes)));
    work()
}

/// Whether a text of so many bytes may still be read; it counts from then on.
pub(super) fn take(bytes: usize) -> bool {
    let Some(left) = LEFT.get() else { return true };
    let rest = left.checked_sub(bytes);
    LEFT.set(Some(rest.unwrap_or(left)));
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use super::super::Written;
    use super::*;

    #[test]
    fn what_is_beyond_the_allowance_is_told_by_its_size() {
        let (first, second) = within(20, || (Written::read("a: kept-in-bounds"), Written::read("b: beyond")));
        assert!(first.text().contains("kept-in-bounds"), "{}", first.text());
        assert_eq!(second.text(), "<redacted:9 bytes>");
        assert!(second.note().expect("a note").contains("one call"));
        assert!(Written::read("b: beyond").text().contains("beyond"), "the next call has its own");
    }
}
