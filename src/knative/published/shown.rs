//! What of an object's own words may be published, in a form that a catalog takes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::answer::redact;

/// What stands for a label's value that is not told. Backstage takes no entity with a label that Kubernetes would not
/// take, and the usual words for it are none.
const UNTOLD: &str = "redacted";
/// Schemes whose links run as programs of the page that they stand in.
const PROGRAMS: [&str; 3] = ["javascript:", "vbscript:", "data:"];

/// A text without what is a credential in it.
pub(super) fn text(text: &str) -> String {
    redact::text(text).into_owned()
}

/// Annotations as they are told; `None` where there are none.
pub(super) fn annotations(all: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    redacted(all, |_, told| told.to_owned())
}

/// Labels as they are told; `None` where there are none.
pub(super) fn labels(all: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    let whole = |value: &str, told: &str| told == value && redact::text(value) == value;
    redacted(all, |value, told| if whole(value, told) { value } else { UNTOLD }.to_owned())
}

/// `tell` makes of a value, and of what is left of it, what is told.
fn redacted(
    all: &BTreeMap<String, String>,
    tell: impl Fn(&str, &str) -> String,
) -> Option<BTreeMap<String, String>> {
    if all.is_empty() {
        return None;
    }
    let values: Map<String, Value> =
        all.iter().map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect();
    let left = redact::values(Value::Object(values));
    let told = all.iter().map(|(key, value)| {
        let left = left.get(key).and_then(Value::as_str).unwrap_or_default();
        (key.clone(), tell(value, left))
    });
    Some(told.collect())
}

/// Whether a page may show it as a link.
pub(super) fn is_link(url: &str) -> bool {
    // browsers pass over these wherever they stand before the colon (WHATWG URL, section 4.4)
    let bare: String = url.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(16).collect();
    let bare = bare.to_ascii_lowercase();
    !bare.is_empty() && !PROGRAMS.iter().any(|scheme| bare.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_looks_secret_is_not_told_and_the_rest_is() {
        let told = annotations(&map(&[
            ("example.com/api-token", "planted-0123456789"),
            ("note", "password=planted-0123456789"),
            ("backstage.io/owner", "team-a"),
        ]))
        .expect("some");
        assert!(!format!("{told:?}").contains("planted"), "{told:?}");
        assert_eq!(told["backstage.io/owner"], "team-a");
        assert_eq!(annotations(&map(&[])), None);
    }

    #[test]
    fn a_label_that_is_not_told_is_still_one() {
        let told = labels(&map(&[
            ("api-token", "planted"),
            ("app", "web"),
            ("x", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
        ]));
        let expected = map(&[("api-token", "redacted"), ("app", "web"), ("x", "redacted")]);
        assert_eq!(told, Some(expected));
    }

    #[test]
    fn a_link_runs_nothing() {
        for link in ["https://schemas.example.com/a.json", "http://a", "urn:a:b", "/schemas/a.json"] {
            assert!(is_link(link), "{link}");
        }
        for program in
            ["", "javascript:alert(1)", " JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x"]
        {
            assert!(!is_link(program), "{program}");
        }
    }
}
