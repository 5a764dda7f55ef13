//! What a token has where a rule looks: texts that can be compared, or something that cannot be judged.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::scope::matches;

/// Claims whose text is a list with spaces between, by RFC 8693 section 4.2 and by habit (`scp`).
pub(super) const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

/// What a token has in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen<'c> {
    /// The texts, sorted. Numbers and truth values by their JSON text.
    values: Vec<Cow<'c, str>>,
    /// Whether something else is there too: an object, a list in a list, or no object on the way.
    pub(super) odd: bool,
    /// Whether there is anything at all.
    pub(super) present: bool,
}

impl<'c> Seen<'c> {
    /// What is at `name`: the claim of that very name, else what a path with dots leads to.
    pub(super) fn at(claims: &'c Map<String, Value>, name: &str) -> Self {
        let value = match find(claims, name) {
            Found::Value(value) => value,
            Found::Blocked => return Self { odd: true, present: true, ..Self::default() },
            Found::Nothing => return Self::default(),
        };
        Self::of(value, SCOPE_CLAIMS.contains(&name))
    }

    /// A list, or a text with spaces between its items.
    pub(super) fn list(claims: &'c Map<String, Value>, name: &str) -> Self {
        match find(claims, name) {
            Found::Value(value) => Self::of(value, true),
            _ => Self::default(),
        }
    }

    fn of(value: &'c Value, is_spaced: bool) -> Self {
        let mut seen = Self { present: true, ..Self::default() };
        match value {
            // an absent claim, spelt out
            Value::Null => seen.present = false,
            Value::String(text) if is_spaced => {
                seen.values.extend(text.split_ascii_whitespace().map(Cow::Borrowed));
            }
            Value::Array(items) => items.iter().for_each(|item| seen.take(item)),
            one => seen.take(one),
        }
        seen.values.sort_unstable();
        seen
    }

    fn take(&mut self, value: &'c Value) {
        match value {
            Value::String(text) => self.values.push(Cow::Borrowed(text)),
            Value::Bool(_) | Value::Number(_) => self.values.push(Cow::Owned(value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => self.odd = true,
        }
    }

    /// The texts, sorted.
    pub(super) fn values(&self) -> &[Cow<'c, str>] {
        &self.values
    }

    /// The first text that `pattern` matches.
    pub(super) fn first(&self, pattern: &str) -> Option<&str> {
        if pattern.contains('*') {
            return self.values.iter().map(|value| &**value).find(|value| matches(pattern, value));
        }
        let at = self.values.binary_search_by(|value| (**value).cmp(pattern)).ok()?;
        self.values.get(at).map(|value| &**value)
    }
}

/// What is at a name.
pub(crate) enum Found<'c> {
    /// This.
    Value(&'c Value),
    /// Something that cannot be read: on the way there is something that has no members, or the token says
    /// that the claim is somewhere else.
    Blocked,
    /// Nothing.
    Nothing,
}

/// What is at `name`: the claim of that very name, else what a path with dots leads to. Where an issuer
/// says only where a claim can be had (OpenID Connect Core section 5.6.2; Entra ID, of many groups), it is
/// not nothing: what is denied to one of its values must not be had by having too many.
pub(crate) fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Found<'c> {
    match within(claims, name) {
        Found::Nothing if claims.get("_claim_names").is_some_and(|names| names.get(name).is_some()) => {
            Found::Blocked
        }
        Found::Nothing if name == "groups" && claims.contains_key("hasgroups") => Found::Blocked,
        found => found,
    }
}

/// Names with dots are common (`https://example.com/roles`): the whole name first, then each place to cut it.
fn within<'c>(claims: &'c Map<String, Value>, name: &str) -> Found<'c> {
    if let Some(value) = claims.get(name) {
        return Found::Value(value);
    }
    let mut found = Found::Nothing;
    for (dot, _) in name.match_indices('.') {
        let (head, tail) = name.split_at(dot);
        match claims.get(head) {
            Some(Value::Object(inner)) => match within(inner, tail.trim_start_matches('.')) {
                Found::Nothing => {}
                deeper => return deeper,
            },
            None | Some(Value::Null) => {}
            Some(_) => found = Found::Blocked,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(claims: &Value, name: &str) -> (Vec<String>, bool, bool) {
        let seen = Seen::at(claims.as_object().expect("an object"), name);
        (seen.values.iter().map(ToString::to_string).collect(), seen.odd, seen.present)
    }

    #[test]
    fn texts_numbers_and_truth_values_are_compared_and_the_rest_is_odd() {
        let claims = json!({
            "one": "a b", "many": ["b", "a", 7, true], "scope": "x y", "scp": ["s t"], "level": 3,
            "nothing": null, "object": {"a": 1}, "mixed": ["a", ["b"], {}], "empty": [],
        });
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (name, values, odd, present) in [
            ("one", &["a b"][..], false, true),
            ("many", &["7", "a", "b", "true"], false, true),
            ("scope", &["x", "y"], false, true),
            ("scp", &["s t"], false, true),
            ("level", &["3"], false, true),
            ("nothing", &[], false, false),
            ("missing", &[], false, false),
            ("object", &[], true, true),
            ("mixed", &["a"], true, true),
            ("empty", &[], false, true),
        ] {
            assert_eq!(seen(&claims, name), (texts(values), odd, present), "{name}");
        }
    }

    #[test]
    fn a_claim_is_found_by_its_name_first_and_then_by_its_path() {
        let claims = json!({
            "realm_access": {"roles": ["dev"]}, "a.b": "whole", "a": {"b": "path", "c": {"d": "deep"}},
            "https://example.com/claims": {"team": "x"}, "text": "no object", "resource.access": {"x.y": "z"},
        });
        for (name, value) in [
            ("realm_access.roles", "dev"),
            ("a.b", "whole"),
            ("a.c.d", "deep"),
            ("https://example.com/claims.team", "x"),
            ("resource.access.x.y", "z"),
        ] {
            assert_eq!(seen(&claims, name).0, [value], "{name}");
        }
        assert_eq!(seen(&claims, "a.x"), (vec![], false, false));
        assert_eq!(seen(&claims, "text.roles"), (vec![], true, true), "a path through a text");
        for odd in ["", ".", "a.", "..a"] {
            assert!(seen(&claims, odd).0.is_empty(), "{odd:?}");
        }
    }
}
