//! Ages: every recorded point in time is moved, so that the recording ended a few minutes ago.

use jiff::{SignedDuration, Timestamp};

/// How long ago the recording ended, for whoever looks at it.
const AGO: SignedDuration = SignedDuration::from_mins(3);

/// By how much a recording that ended at `recorded` is to be moved, in whole seconds.
pub(super) fn shift(recorded: Timestamp, now: Timestamp) -> SignedDuration {
    SignedDuration::from_secs((now.duration_since(recorded) - AGO).as_secs())
}

/// `text`, JSON, with every string that is nothing but an RFC 3339 time in UTC moved by `shift`.
///
/// Done on the text, since it is a good deal cheaper than on a tree of values. A time inside a longer string
/// (a message) stays.
pub(super) fn moved(text: &str, shift: SignedDuration) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\"20") {
        out.push_str(before);
        match after.split_once('"').and_then(|(time, tail)| Some((later(time, shift)?, tail))) {
            Some((time, tail)) => {
                out.push('"');
                out.push_str(&time);
                out.push('"');
                rest = tail;
            }
            None => {
                out.push_str("\"20");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `time` lacks its first two digits, which are `20`.
fn later(time: &str, shift: SignedDuration) -> Option<String> {
    let precision = match time.len() {
        18 => 0,
        // Event series and leases have microseconds.
        25 => 6,
        _ => return None,
    };
    let moved = format!("20{time}").parse::<Timestamp>().ok()?.checked_add(shift).ok()?;
    Some(format!("{moved:.precision$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_strings_move_and_nothing_else_does() {
        let text = r#"{"at":"2026-11-22T00:45:39Z","micro":"2026-11-22T00:45:39.123456Z","name":"20-a",
            "message":"since 2026-11-22T00:45:39Z","late":"2026-12-31T23:59:59Z","end":"20"#;
        assert_eq!(
            moved(text, SignedDuration::from_hours(48)),
            r#"{"at":"2026-11-24T00:45:39Z","micro":"2026-11-24T00:45:39.123456Z","name":"20-a",
            "message":"since 2026-11-22T00:45:39Z","late":"2027-01-02T23:59:59Z","end":"20"#
        );
    }

    #[test]
    fn the_recording_ended_three_minutes_ago() {
        let recorded: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let now: Timestamp = "2026-03-01T12:00:00.5Z".parse().unwrap();
        assert_eq!(recorded + shift(recorded, now), "2026-03-01T11:57:00Z".parse().unwrap());
    }
}
