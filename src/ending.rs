//! What is still to be done when the process ends, however it ends: tasks that go on hold what would
//! otherwise be written when it is dropped.

use std::thread;

use parking_lot::Mutex;

type Last = Box<dyn FnOnce() + Send>;

static LAST: Mutex<Vec<Last>> = Mutex::new(Vec::new());

/// Does this at the end of the process. It must bound its own time.
pub(crate) fn at_end(last: impl FnOnce() + Send + 'static) {
    LAST.lock().push(Box::new(last));
}

/// Does all of it, at once, and waits. For `main`, after everything else.
pub fn finish() {
    let last = std::mem::take(&mut *LAST.lock());
    let running: Vec<_> = last.into_iter().map(thread::spawn).collect();
    for one in running {
        let _ = one.join();
    }
}
