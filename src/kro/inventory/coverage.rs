//! How much of what was asked for could be read: the first line must not say "no instances" of what nobody
//! could look at.

/// What could be read of the instances of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All of them.
    Whole,
    /// Some of them.
    Part,
    /// None: the cluster's RBAC, or the credential, does not allow it.
    Forbidden,
    /// None, for another reason.
    Failed,
}

impl Seen {
    /// Whether there may be some that the caller would see at another time.
    pub fn may_hide(self) -> bool {
        matches!(self, Self::Part | Self::Failed)
    }
}

/// What could be read of all kinds that were asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coverage {
    kinds: usize,
    part: usize,
    forbidden: usize,
    failed: usize,
    /// Another namespace, or one at all, may be allowed.
    everywhere: bool,
    /// The list of RGDs itself was cut, so there may be more kinds.
    more_kinds: bool,
}

impl Coverage {
    /// Of these kinds; `everywhere` where no namespace was named.
    pub fn of(seen: impl IntoIterator<Item = Seen>, everywhere: bool, more_kinds: bool) -> Self {
        let mut coverage = Self { everywhere, more_kinds, ..Self::default() };
        for seen in seen {
            coverage.kinds += 1;
            match seen {
                Seen::Whole => {}
                Seen::Part => coverage.part += 1,
                Seen::Forbidden => coverage.forbidden += 1,
                Seen::Failed => coverage.failed += 1,
            }
        }
        coverage
    }

    /// How many kinds there are.
    pub fn kinds(&self) -> usize {
        self.kinds
    }

    /// Whether everything was read.
    pub fn is_whole(&self) -> bool {
        self.unread() == 0 && self.part == 0 && !self.more_kinds
    }

    /// What to say in place of a number where there are no rows.
    pub fn nothing(&self) -> String {
        match (self.unread(), self.kinds) {
            (unread, kinds) if unread > 0 && unread == kinds => {
                format!("could not look at {unread} of {}: {}", counted(kinds), self.why())
            }
            _ if self.is_whole() => "no instances".to_owned(),
            _ => "no instances in what could be read".to_owned(),
        }
    }

    /// What follows in the same line; empty where everything was read.
    pub fn rest(&self, has_rows: bool) -> String {
        let mut parts = Vec::new();
        let unread = self.unread();
        if unread > 0 && (has_rows || unread < self.kinds) {
            parts.push(format!("{unread} of {} could not be read ({})", counted(self.kinds), self.why()));
        }
        if self.part > 0 {
            parts.push(format!("{} of {} could be read in part only", self.part, counted(self.kinds)));
        }
        if self.more_kinds {
            parts.push("not all RGDs could be read".to_owned());
        }
        if self.forbidden > 0 && self.everywhere {
            parts.push("name a namespace".to_owned());
        }
        parts.iter().map(|part| format!("; {part}")).collect()
    }

    fn unread(&self) -> usize {
        self.forbidden + self.failed
    }

    fn why(&self) -> String {
        match (self.forbidden, self.failed) {
            (_, 0) => "forbidden".to_owned(),
            (0, _) => "failed".to_owned(),
            (forbidden, failed) => format!("{forbidden} forbidden, {failed} failed"),
        }
    }
}

fn counted(kinds: usize) -> String {
    format!("{kinds} kind{}", if kinds == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seen: &[Seen], everywhere: bool) -> String {
        let coverage = Coverage::of(seen.iter().copied(), everywhere, false);
        format!("{}{}", coverage.nothing(), coverage.rest(false))
    }

    #[test]
    fn nothing_is_said_to_be_there_of_what_could_not_be_looked_at() {
        use Seen::{Failed, Forbidden, Part, Whole};
        assert_eq!(line(&[], true), "no instances");
        assert_eq!(line(&[Whole, Whole], true), "no instances");
        assert_eq!(line(&[Forbidden], true), "could not look at 1 of 1 kind: forbidden; name a namespace");
        assert_eq!(
            line(&[Forbidden, Failed], false),
            "could not look at 2 of 2 kinds: 1 forbidden, 1 failed"
        );
        assert_eq!(
            line(&[Whole, Failed, Whole], true),
            "no instances in what could be read; 1 of 3 kinds could not be read (failed)"
        );
        assert_eq!(
            line(&[Whole, Part], true),
            "no instances in what could be read; 1 of 2 kinds could be read in part only"
        );
    }

    #[test]
    fn beside_rows_it_says_what_is_missing_and_how_to_come_by_it() {
        let some = Coverage::of([Seen::Whole, Seen::Forbidden], true, false);
        assert_eq!(some.rest(true), "; 1 of 2 kinds could not be read (forbidden); name a namespace");
        let cut = Coverage::of([Seen::Whole], true, true);
        assert_eq!(cut.nothing(), "no instances in what could be read");
        assert_eq!(cut.rest(true), "; not all RGDs could be read");
        assert!(Coverage::of([Seen::Whole], true, false).rest(true).is_empty());
    }
}
