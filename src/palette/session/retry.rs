//! When a request is sent once more.

use std::time::Duration;

use super::super::fault::Fault;

/// Tries of one request.
const MOST: u32 = 3;
/// Before the second try.
const FIRST: Duration = Duration::from_millis(250);
/// The same where Palette asks to slow down; it promises no `Retry-After`.
const SLOWER: Duration = Duration::from_millis(500);

/// How long to wait after that many tries; nothing where another one would not help. Whoever asks sees to the
/// deadline.
pub(super) fn wait(fault: &Fault, tries: u32) -> Option<Duration> {
    if tries >= MOST {
        return None;
    }
    let backoff = |first: Duration| jittered(first * 2_u32.saturating_pow(tries.saturating_sub(1)));
    match fault {
        Fault::Throttled { retry_after: Some(wait) } => Some(wait.saturating_add(jittered(FIRST / 2))),
        Fault::Throttled { retry_after: None } => Some(backoff(SLOWER)),
        Fault::Unreachable(_) => Some(backoff(FIRST)),
        // 501 says that it never will
        Fault::Status { status, .. } if *status >= 500 && *status != 501 => Some(backoff(FIRST)),
        _ => None,
    }
}

/// From half of it to one and a half, so that those who were refused together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let part = getrandom::u32().unwrap_or(u32::MAX / 2);
    wait / 2 + wait.mul_f64(f64::from(part) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_three_times_at_longer_intervals() {
        let status = |status| Fault::Status { status, message: String::new() };
        for fault in [status(500), status(503), Fault::Unreachable(String::new())] {
            let waits = [wait(&fault, 1), wait(&fault, 2)].map(|wait| wait.expect("another try").as_millis());
            assert!((125..=375).contains(&waits[0]) && (250..=750).contains(&waits[1]), "{waits:?}");
            assert_eq!(wait(&fault, 3), None, "{fault}");
        }
        let asked = Fault::Throttled { retry_after: Some(Duration::from_secs(7)) };
        assert!(wait(&asked, 1).is_some_and(|wait| wait >= Duration::from_secs(7)));
        let never = Fault::Throttled { retry_after: Some(Duration::MAX) };
        assert_eq!(wait(&never, 1), Some(Duration::MAX));
        for fault in [
            status(409),
            status(422),
            status(501),
            Fault::NotFound(String::new()),
            Fault::Forbidden(String::new()),
            Fault::Unauthorized(String::new()),
            Fault::Malformed(String::new()),
            Fault::Timeout(FIRST),
        ] {
            assert_eq!(wait(&fault, 1), None, "{fault}");
        }
    }
}
