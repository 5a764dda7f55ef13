//! `since` as people write it: a length of time, or a moment.

use jiff::{Span, SpanRelativeTo, Timestamp};

use crate::{Error, answer::sanitise};

/// The moment that `written` means: `30m`, `2h`, `1d` before `now`, or RFC 3339.
///
/// # Errors
/// It is neither, or is not in the past.
pub fn since(written: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let refused = |why: &str| {
        let shown = sanitise::short(written, 80);
        Error::invalid_input(format!("the argument \"since\": {shown:?} {why}")).candidates([
            "30m",
            "2h",
            "1d",
            "2026-01-31T12:00:00Z",
        ])
    };
    let written = written.trim();
    let before = |span: Span| {
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        now.checked_sub(length).ok()
    };
    let moment = match (written.parse::<Timestamp>(), written.parse::<Span>()) {
        (Ok(moment), _) => Some(moment),
        (_, Ok(span)) => before(span),
        _ => None,
    };
    match moment {
        Some(moment) if moment <= now => Ok(moment),
        Some(_) => Err(refused("is in the future")),
        None => Err(refused("is neither a length of time nor an RFC 3339 time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> Result<String, String> {
        let now = "2026-11-22T12:00:00Z".parse().expect("a time");
        since(written, now).map(|moment| moment.to_string()).map_err(|error| error.text())
    }

    #[test]
    fn lengths_and_moments() {
        for (written, moment) in [
            ("30m", "2026-11-22T11:30:00Z"),
            ("2h", "2026-11-22T10:00:00Z"),
            (" 1h30m ", "2026-11-22T10:30:00Z"),
            ("1d", "2026-11-21T12:00:00Z"),
            ("1w", "2026-11-15T12:00:00Z"),
            ("PT45S", "2026-11-22T11:59:15Z"),
            ("2026-11-22T03:00:00+02:00", "2026-11-22T01:00:00Z"),
        ] {
            assert_eq!(read(written).as_deref(), Ok(moment), "{written}");
        }
    }

    #[test]
    fn what_is_neither_is_named_with_what_would_do() {
        for (written, why) in [
            ("yesterday", "neither"),
            ("", "neither"),
            ("30", "neither"),
            ("2026-11-22", "neither"),
            ("-30m", "future"),
            ("2027-01-01T00:00:00Z", "future"),
            ("99999999999999h", "neither"),
            ("9999y", "neither"),
        ] {
            let error = read(written).expect_err(written);
            assert!(
                error.contains(why) && error.contains("\"since\"") && error.contains("30m, 2h"),
                "{written}: {error}"
            );
        }
    }
}
