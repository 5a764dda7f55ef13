//! [`Version`]: versions of profiles and packs, compared as numbers. Palette's are semantic versions for the most
//! part; packs add `1.27.x`, a `v` before it, and suffixes that are builds and no pre-releases (`1.27.5-rke2r1`).

use std::cmp::Ordering;

/// Suffixes that come before what they are of.
const BEFORE: [&str; 10] =
    ["alpha", "beta", "rc", "pre", "preview", "dev", "draft", "snapshot", "nightly", "canary"];
/// Numbers of a version that are read.
const MOST: usize = 8;

/// A version that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: Vec<u64>,
    /// Ends in `x` or `*`: what follows is open.
    open: bool,
    suffix: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Version {
    /// Of what people write; nothing where it has no number at its beginning (`latest`).
    pub fn parse(written: &str) -> Option<Self> {
        let written = written.trim();
        let written = written.strip_prefix(['v', 'V']).unwrap_or(written);
        // what follows a plus tells builds apart, and no order
        let written = written.split('+').next().unwrap_or_default();
        let (base, suffix) =
            match written.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'x' | 'X' | '*'))) {
                Some(end) => written.split_at_checked(end)?,
                None => (written, ""),
            };
        let (mut numbers, mut open) = (Vec::new(), false);
        for part in base.trim_end_matches('.').split('.').take(MOST) {
            match part {
                "x" | "X" | "*" => open = true,
                _ if open => return None,
                number => numbers.push(number.parse().ok()?),
            }
        }
        if numbers.is_empty() {
            return None;
        }
        let suffix = suffix.split(['-', '.', '_', ' ']).filter(|part| !part.is_empty()).flat_map(parts);
        Some(Self { numbers, open, suffix: suffix.take(MOST).collect() })
    }

    /// Whether it comes before the release of its number.
    pub fn is_pre_release(&self) -> bool {
        match self.suffix.first() {
            Some(Part::Word(word)) => BEFORE.contains(&word.as_str()),
            _ => false,
        }
    }

    /// Which is older. Nothing where `1.27.x` leaves it open.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let most = self.numbers.len().max(other.numbers.len());
        for place in 0..most {
            let of = |version: &Self| match version.numbers.get(place) {
                Some(number) => Some(*number),
                None if version.open => None,
                None => Some(0),
            };
            match (of(self), of(other)) {
                (Some(one), Some(two)) if one != two => return Some(one.cmp(&two)),
                (Some(_), Some(_)) => {}
                (None, None) => return Some(Ordering::Equal),
                _ => return None,
            }
        }
        if self.open != other.open {
            return None;
        }
        let rank = |version: &Self| match (version.suffix.is_empty(), version.is_pre_release()) {
            (_, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
        };
        Some(rank(self).cmp(&rank(other)).then_with(|| self.suffix.cmp(&other.suffix)))
    }

    /// Whether it is surely older.
    pub fn is_before(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Less)
    }
}

/// `rc10` as `rc` and 10, so that it comes after `rc9`.
fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
        let Some((part, after)) = rest.split_at_checked(end) else { break };
        parts.push(match part.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Word(part.to_lowercase()),
        });
        rest = after;
    }
    parts
}

/// The order of versions as they are written: by number where both have one, else by letters.
pub fn order(one: &str, other: &str) -> Ordering {
    match (Version::parse(one), Version::parse(other)) {
        (Some(a), Some(b)) => a.compare(&b).unwrap_or(Ordering::Equal).then_with(|| one.cmp(other)),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(one: &str, other: &str) -> Option<Ordering> {
        Version::parse(one)?.compare(&Version::parse(other)?)
    }

    #[test]
    fn versions_are_compared_as_numbers_and_pre_releases_come_before() {
        for (older, newer) in [
            ("1.9.0", "1.10.0"),
            ("1.27.5", "v1.28"),
            ("2.0.0-rc.1", "2.0.0"),
            ("2.0.0-rc9", "2.0.0-rc10"),
            ("2.0.0-alpha", "2.0.0-beta"),
            ("1.0.0-draft", "1.0.0"),
            ("1.9.9", "2.0.0-rc.1"),
            ("1.27.5", "1.27.5-rke2r1"),
            ("1.27.x", "1.28.0"),
        ] {
            assert_eq!(compare(older, newer), Some(Ordering::Less), "{older} {newer}");
            assert_eq!(compare(newer, older), Some(Ordering::Greater), "{newer} {older}");
        }
        for (one, other) in [("1.0", "1.0.0"), ("v1.2.3", "1.2.3"), ("1.2.3+build5", "1.2.3"), ("1.x", "1.x")]
        {
            assert_eq!(compare(one, other), Some(Ordering::Equal), "{one} {other}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        assert_eq!(compare("1.27.x", "1.27.5"), None);
        for word in ["latest", "", "stable", "x", "v"] {
            assert_eq!(Version::parse(word), None, "{word}");
        }
        assert_eq!(order("latest", "1.0.0"), Ordering::Less);
        assert_eq!(Version::parse("99999999999999999999999.1"), None, "a number that no version has");
    }
}
