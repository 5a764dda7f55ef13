//! Passwords in URLs: `scheme://user:password@host`.

use std::borrow::Cow;

const MARK: &str = "://";

/// `text` without the passwords in its URLs. Looks at each byte a few times, whatever the text: a pattern that
/// seeks the last `@` from every `://` takes a minute for a line of some megabytes.
pub(super) fn scrub(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::new();
    let mut copied = 0;
    let mut at = 0;
    for token in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')) {
        if let Some((from, to)) = password(token) {
            clean.push_str(text.get(copied..at + from).unwrap_or_default());
            clean.push_str("<redacted>");
            copied = at + to;
        }
        at += token.len();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(clean)
}

/// Where the password of what has no blank in it stands. It goes up to the last `@`: passwords hold some too.
fn password(token: &str) -> Option<(usize, usize)> {
    let end = token.rfind('@')?;
    let mut from = 0;
    loop {
        let user = from + token.get(from..end)?.find(MARK)? + MARK.len();
        let rest = token.get(user..end)?;
        let length = rest.find(['/', ':', '@']).unwrap_or(rest.len());
        let password = user + length + 1;
        if rest.get(length..).is_some_and(|rest| rest.starts_with(':')) && password < end {
            let value = token.get(password..end)?;
            if !has_port(value) {
                return Some((password, end));
            }
        }
        from = user;
    }
}

/// `registry:5000/app@sha256:…` has a port there, not a password.
fn has_port(value: &str) -> bool {
    value.split_once('/').is_some_and(|(port, _)| port.len() <= 5 && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_url_loses_its_password_and_keeps_its_port() {
        for (text, clean) in [
            ("postgres://u:pa/ss@w@db/x", "postgres://u:<redacted>@db/x"),
            ("a redis://:pw@h, \"amqp://u:pw@h\"", "a redis://:<redacted>@h, \"amqp://u:<redacted>@h\""),
            ("docker://registry:5000/app@sha256:ab", "docker://registry:5000/app@sha256:ab"),
            ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/mcp"),
            ("http://h:80/?of=redis://u:pw@db", "http://h:80/?of=redis://u:<redacted>@db"),
            ("https://user@host/x:y", "https://user@host/x:y"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn a_line_of_many_urls_takes_no_longer_than_its_bytes() {
        let begun = Instant::now();
        for text in ["a://b:".repeat(500_000), "a://b@".repeat(500_000), "a://b:c@ ".repeat(300_000)] {
            scrub(&text);
        }
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }
}
