//! [`Place`]: where a list goes on, as our cursor carries it.
//!
//! An answer may hold less than the page that was read for it. What is left is not skipped: the cursor then
//! holds how that page was had and how many of it were shown, and the next call reads the same page once more,
//! of the same version of the list.

use serde::{Deserialize, Serialize};

use crate::{Error, toolbox::Call};

/// Bytes of a token of an API server; its own have some two hundred.
pub(super) const LONGEST_TOKEN: usize = 4 << 10;

/// Where a list, or a text, goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The API server's own token, with which the page is had; none for the first.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// The version of the list.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// How many of the page were shown.
    #[serde(rename = "o", default)]
    pub(super) offset: usize,
    /// How many the page was asked to have.
    #[serde(rename = "p", default)]
    pub(super) page: usize,
    /// How many of the list came before it.
    #[serde(rename = "b", default)]
    pub(super) before: usize,
}

impl Place {
    /// What a cursor holds.
    pub(super) fn open(call: &Call, cursor: &str) -> Result<Self, Error> {
        let place = call.gone_on(cursor)?;
        serde_json::from_str(&place)
            .map_err(|_| Error::invalid_input("the argument \"cursor\" is of another version"))
    }

    /// The cursor that holds it.
    pub(super) fn cursor(&self, call: &Call) -> Option<String> {
        call.go_on(&serde_json::to_string(self).ok()?)
    }

    /// Whether it is not the beginning.
    pub(super) fn goes_on(&self) -> bool {
        self.token.is_some() || self.offset > 0
    }

    /// How many were shown by the answers before.
    pub(super) fn shown(&self) -> usize {
        self.before + self.offset
    }

    /// Where to go on after `taken` more of a page of `came`, behind which `next` leads to another.
    pub(super) fn after(&self, taken: usize, came: usize, page: usize, next: &Next) -> Option<Self> {
        let offset = self.offset + taken;
        if offset < came {
            let version = self.version.clone().or_else(|| next.version.clone());
            return Some(Self { token: self.token.clone(), version, offset, page, before: self.before });
        }
        let token = next.token.clone()?;
        Some(Self { token: Some(token), version: None, offset: 0, page: 0, before: self.before + came })
    }
}

/// What a page says of the rest of its list (apimachinery `metav1.ListMeta`).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(rename = "continue", default)]
    pub(super) token: Option<String>,
    #[serde(rename = "resourceVersion", default)]
    pub(super) version: Option<String>,
    #[serde(rename = "remainingItemCount", default)]
    pub(super) remaining: Option<u64>,
}

impl Next {
    /// Without what says nothing.
    pub(super) fn told(mut self) -> Self {
        self.token = self.token.filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN);
        self.version = self.version.filter(|version| !version.is_empty() && version.len() <= LONGEST_TOKEN);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_page_that_was_shown_in_part_is_had_again_and_nothing_is_passed_over() {
        let next = Next { token: some("t1"), version: some("7"), remaining: Some(3) }.told();
        let first = Place::default();
        let part = first.after(2, 5, 5, &next).expect("more of the page");
        assert_eq!(
            (part.token.clone(), part.version.clone(), part.offset, part.shown()),
            (None, some("7"), 2, 2)
        );
        let end = part.after(3, 5, part.page, &next).expect("another page");
        assert_eq!(
            (end.token.clone(), end.version.clone(), end.offset, end.shown()),
            (some("t1"), None, 0, 5)
        );
        let last = Next { token: some(""), ..Next::default() }.told();
        let rest = end.after(1, 3, 5, &last).expect("more of the page");
        assert_eq!((rest.token.clone(), rest.offset, rest.shown()), (some("t1"), 1, 6));
        assert_eq!(rest.after(2, 3, 5, &last), None);
        assert!(!first.goes_on() && part.goes_on() && end.goes_on());
    }
}
