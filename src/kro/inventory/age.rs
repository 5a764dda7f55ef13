//! How old something is, as people say it.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::Error;

/// `3d`, `5h`, `12m`, as kubectl rounds it; empty where it is not known.
pub fn age(created: Option<Timestamp>, now: Timestamp) -> String {
    match created.map(|created| now.duration_since(created).as_secs().max(0)) {
        None => String::new(),
        Some(seconds @ 0..60) => format!("{seconds}s"),
        Some(seconds @ 60..3600) => format!("{}m", seconds / 60),
        Some(seconds @ 3600..86400) => format!("{}h", seconds / 3600),
        Some(seconds) => format!("{}d", seconds / 86400),
    }
}

/// The ages asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ages {
    older: Option<SignedDuration>,
    newer: Option<SignedDuration>,
}

impl Ages {
    /// Older than the one and newer than the other, each such as `2h` or `3d`.
    ///
    /// # Errors
    /// What is no such time, by the name of its argument.
    pub fn parse(older: Option<&str>, newer: Option<&str>) -> Result<Self, Error> {
        let read = |argument: &str, written: Option<&str>| {
            written.map(|written| duration(written).ok_or_else(|| odd(argument, written))).transpose()
        };
        Ok(Self { older: read("older", older)?, newer: read("newer", newer)? })
    }

    /// Whether something is of that age. What does not say when it was created is of none.
    pub fn fit(&self, created: Option<Timestamp>, now: Timestamp) -> bool {
        let age = created.map(|created| now.duration_since(created));
        self.older.is_none_or(|bound| age.is_some_and(|age| age > bound))
            && self.newer.is_none_or(|bound| age.is_some_and(|age| age < bound))
    }
}

fn duration(written: &str) -> Option<SignedDuration> {
    let span: Span = written.trim().parse().ok()?;
    // a day is 24 hours; months and years are of no fixed length, and refused
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!duration.is_negative()).then_some(duration)
}

fn odd(argument: &str, written: &str) -> Error {
    let written = crate::answer::sanitise::short(written, 40);
    Error::invalid_input(format!("the argument {argument:?}: {written:?} is not a time such as those"))
        .candidates(["30s", "15m", "2h", "3d", "1w"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn ages_are_said_as_kubectl_says_them() {
        let said = [0, 59, 60, 7_199, 7_200, 86_400, 10 * 86_400].map(|ago| age(Some(at(0)), at(ago)));
        assert_eq!(said, ["0s", "59s", "1m", "1h", "2h", "1d", "10d"]);
        assert_eq!(age(Some(at(10)), at(0)), "0s", "clocks differ");
        assert_eq!(age(None, at(0)), "");
    }

    #[test]
    fn ages_are_asked_for_as_they_are_said() {
        let fits = |older, newer, age| {
            Ages::parse(older, newer).map(|ages| ages.fit(Some(at(0)), at(age))).map_err(|error| error.text())
        };
        assert_eq!(fits(Some("2h"), None, 7_201), Ok(true));
        assert_eq!(fits(Some("2h"), None, 7_200), Ok(false));
        assert_eq!(fits(Some("1d12h"), Some("1w"), 2 * 86_400), Ok(true));
        assert_eq!(fits(None, Some("15m"), 901), Ok(false));
        assert!(!Ages::parse(None, Some("1h")).expect("a time").fit(None, at(0)));
        for odd in ["", "soon", "-2h", "1mo", "2", "99999999999999999999h"] {
            let error = fits(None, Some(odd), 0).expect_err(odd);
            assert!(error.starts_with("the argument \"newer\": ") && error.contains("2h"), "{error}");
        }
    }
}
