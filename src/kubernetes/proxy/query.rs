//! [`Query`]: the query of a proxied request, sent as it was written.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::target::{BadPath, escapes_are_whole};

/// Bytes of a query: selectors and the commands of exec are the longest.
const LONGEST: usize = 16 << 10;

/// A query, without its question mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// Takes a query as it was written.
    ///
    /// # Errors
    /// What is wrong with it: what API servers read in different ways.
    pub fn parse(written: &str) -> Result<Self, BadPath> {
        if written.len() > LONGEST {
            return Err(BadPath("the query is over 16 KiB"));
        }
        // Go drops a pair with a raw semicolon, others end the pair there
        if !written.bytes().all(|byte| byte.is_ascii_graphic() && !b"#;\\\"<>".contains(&byte)) {
            return Err(BadPath("the query has a character that must be encoded"));
        }
        if !escapes_are_whole(written) {
            return Err(BadPath("the query has a % that no two hexadecimal digits follow"));
        }
        Ok(Self(written.to_owned()))
    }

    /// Of these names and values, encoded.
    pub fn of<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let mut query = Self::default();
        pairs.into_iter().for_each(|(name, value)| query.add(name, value));
        query
    }

    /// Adds a name and its value.
    pub fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a name, decoded.
    pub fn values<'q>(&'q self, name: &'q str) -> impl Iterator<Item = Cow<'q, str>> {
        self.pairs().filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    /// Names and values, decoded.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let pairs = self.0.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
    }

    /// Whether the answer may be a stream: `watch` or `follow` with whatever value, since API servers of
    /// different age read values differently.
    pub fn streams(&self) -> bool {
        self.pairs().any(|(name, _)| matches!(name.as_ref(), "watch" | "follow"))
    }

    /// The same without this name; as it was written where it is not there.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        if self.values(name).next().is_none() {
            return self;
        }
        let is_kept = |pair: &&str| decoded(pair.split('=').next().unwrap_or_default()) != name;
        Self(self.0.split('&').filter(is_kept).collect::<Vec<_>>().join("&"))
    }

    /// Path and query.
    pub fn behind(&self, path: &str) -> String {
        if self.is_empty() { path.to_owned() } else { format!("{path}?{}", self.0) }
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaces = text.replace('+', " ");
        return percent_decode_str(&spaces).decode_utf8_lossy().into_owned().into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_kept_as_written_and_read_as_the_server_reads_it() {
        let query = Query::parse("labelSelector=a%20in%20(b%2Cc)&x=1+2&watch&x=").expect("a query");
        assert_eq!(query.behind("/api"), "/api?labelSelector=a%20in%20(b%2Cc)&x=1+2&watch&x=");
        assert_eq!(query.values("labelSelector").collect::<Vec<_>>(), ["a in (b,c)"]);
        assert_eq!(query.values("x").collect::<Vec<_>>(), ["1 2", ""]);
        assert!(query.streams() && !Query::default().streams());
        assert_eq!(query.clone().without("x").as_str(), "labelSelector=a%20in%20(b%2Cc)&watch");
        assert_eq!(query.clone().without("y"), query);
        assert_eq!(Query::of([("a b", "c&d"), ("e", "f")]).as_str(), "a%20b=c%26d&e=f");
    }

    #[test]
    fn what_is_read_in_two_ways_is_none() {
        for odd in ["a;b", "a#b", "a\\b", "a b", "a\r\nb", "a\u{e4}", "a=%", "a=%g1", "a=\"b\""] {
            assert!(Query::parse(odd).is_err(), "{odd:?}");
        }
    }
}
