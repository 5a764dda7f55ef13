//! [`Observed`]: what a plan depends on, as digests.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

/// A thing that a plan depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The object that would change.
    Object,
    /// What the API server would make of it.
    Effect,
    /// What becomes of its nodes.
    Nodes,
    /// What is already where it would make objects.
    Targets,
    /// What goes with it.
    Gone,
    /// Whom it breaks.
    Broken,
    /// A cluster of Palette.
    Cluster,
    /// Profiles of Palette.
    Profiles,
    /// The cluster group or the account with a cloud.
    Ground,
    /// What Palette says that it comes to.
    Verdict,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Object,
        Self::Effect,
        Self::Nodes,
        Self::Targets,
        Self::Gone,
        Self::Broken,
        Self::Cluster,
        Self::Profiles,
        Self::Ground,
        Self::Verdict,
    ];

    /// In the sealed text, which the caller carries.
    fn letter(self) -> char {
        match self {
            Self::Object => 'o',
            Self::Effect => 'e',
            Self::Nodes => 'n',
            Self::Targets => 't',
            Self::Gone => 'g',
            Self::Broken => 'b',
            Self::Cluster => 'c',
            Self::Profiles => 'p',
            Self::Ground => 'r',
            Self::Verdict => 's',
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "the object",
            Self::Effect => "what the API server would make of it",
            Self::Nodes => "what becomes of its nodes",
            Self::Targets => "what is there already",
            Self::Gone => "what goes with it",
            Self::Broken => "whom it breaks",
            Self::Cluster => "the cluster",
            Self::Profiles => "a profile",
            Self::Ground => "the cluster group or the cloud account",
            Self::Verdict => "what Palette says that it comes to",
        }
    }
}

/// What a plan depends on: a digest of each part, and where in the effect a digest leaves out what is made up
/// anew each time. Nothing else leaves.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    parts: BTreeMap<Part, String>,
    varying: Vec<String>,
}

/// In the sealed text, before the pointer to what varies.
const VARIES: char = 'v';

impl Observed {
    /// With one part more.
    #[must_use]
    pub fn with(mut self, part: Part, value: &Value) -> Self {
        let mut text = String::new();
        canonical(value, &mut text);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        // half of it: nobody gains from a collision, which would have to be of the same caller's plan
        let half = hash.as_ref().get(..16).unwrap_or_default();
        self.parts.insert(part, URL_SAFE_NO_PAD.encode(half));
        self
    }

    /// With where (JSON pointers) the effect was not digested.
    #[must_use]
    pub fn but_for(mut self, varying: &[String]) -> Self {
        self.varying = varying.to_vec();
        self
    }

    /// Where the effect was not digested when `agreed` was observed.
    pub fn varying(agreed: &str) -> Vec<String> {
        let pointers = agreed.split(' ').filter_map(|entry| entry.strip_prefix(VARIES));
        pointers.map(|pointer| percent_decode_str(pointer).decode_utf8_lossy().into_owned()).collect()
    }

    /// As text, the same for the same things.
    pub fn text(&self) -> String {
        let parts = self.parts.iter().map(|(part, hash)| format!("{}{hash}", part.letter()));
        let varying = self.varying.iter().map(|pointer| {
            let pointer = utf8_percent_encode(pointer, NON_ALPHANUMERIC);
            format!("{VARIES}{pointer}")
        });
        parts.chain(varying).collect::<Vec<_>>().join(" ")
    }

    /// What is not as it was when `agreed` was observed.
    pub fn changed_since(&self, agreed: &str) -> Vec<&'static str> {
        let before = |part: Part| agreed.split(' ').find_map(|entry| entry.strip_prefix(part.letter()));
        let changed = |part: &Part| before(*part) != self.parts.get(part).map(String::as_str);
        Part::ALL.into_iter().filter(changed).map(Part::name).collect()
    }
}

/// JSON with the members of objects in order.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            text.push('{');
            for (name, value) in sorted {
                text.push_str(&json!(name).to_string());
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_told_with_the_digests_and_read_back() {
        let at = |varying: &[&str]| {
            let varying: Vec<String> = varying.iter().map(|&pointer| pointer.to_owned()).collect();
            Observed::default().with(Part::Effect, &json!({"a": 1})).but_for(&varying)
        };
        let agreed = at(&["/metadata/name", "/spec/a b~1c"]).text();
        assert_eq!(Observed::varying(&agreed), ["/metadata/name", "/spec/a b~1c"]);
        assert!(at(&[]).changed_since(&agreed).is_empty());
        assert!(Observed::varying(&at(&[]).text()).is_empty());
    }
}
