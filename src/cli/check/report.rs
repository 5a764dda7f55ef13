//! [`Report`]: lines of `ok`, `warn` and `fail`.

use super::super::{Failure, out};

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    warned: usize,
    failed: usize,
}

impl Report {
    /// It works.
    pub(super) fn ok(&mut self, what: &str) -> Result<(), Failure> {
        Self::line("ok", what, "")
    }

    /// It works, but perhaps not as meant.
    pub(super) fn warn(&mut self, what: &str, mend: &str) -> Result<(), Failure> {
        self.warned += 1;
        Self::line("warn", what, mend)
    }

    /// It does not work.
    pub(super) fn fail(&mut self, what: &str, mend: &str) -> Result<(), Failure> {
        self.failed += 1;
        Self::line("fail", what, mend)
    }

    /// Neither good nor bad.
    pub(super) fn note(word: &str, what: &str) -> Result<(), Failure> {
        Self::line(word, what, "")
    }

    fn line(word: &str, what: &str, mend: &str) -> Result<(), Failure> {
        let what = crate::answer::sanitise::line(what);
        let arrow = if mend.is_empty() { "" } else { " → " };
        Ok(out::text(&format!("{word:<5} {what}{arrow}{mend}"))?)
    }

    /// The last line, and the exit code.
    pub(super) fn verdict(self) -> Result<(), Failure> {
        let Self { warned, failed } = self;
        let warned = if warned > 0 { format!(", {warned} to look at") } else { String::new() };
        if failed > 0 {
            out::text(&format!("{failed} to mend{warned}"))?;
            return Err(Failure::silent());
        }
        Ok(out::text(&format!("nothing to mend{warned}"))?)
    }
}
