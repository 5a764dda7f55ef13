//! [`FieldPath`]: where a field is in a manifest.

use serde_json::Value;

/// What members of a list are known by, in this order.
const KEYS: [&str; 4] = ["id", "name", "type", "key"];

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Member(String),
    /// The member of a list with this text under the key that tells them apart.
    Named(&'static str, String),
    /// The member of a list at this place.
    At(usize),
}

/// Where a field is, as `spec.containers[web].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(pub Vec<Step>);

impl FieldPath {
    /// One step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl std::fmt::Display for FieldPath {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if is_plain(name) && at == 0 => write!(out, "{name}")?,
                Step::Member(name) if is_plain(name) => write!(out, ".{name}")?,
                Step::Member(name) => write!(out, "[{name:?}]")?,
                Step::Named(_, name) => write!(out, "[{name}]")?,
                Step::At(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The parts of a value, each with the step that leads to it; nothing for a scalar.
pub fn parts(value: &Value) -> Vec<(Step, &Value)> {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (Step::Member(name.clone()), value)).collect()
        }
        Value::Array(items) => {
            let key = KEYS.into_iter().find(|key| items.iter().all(|item| named(item, key).is_some()));
            let step = |(at, item)| match key.and_then(|key| Some((key, named(item, key)?))) {
                Some((key, name)) => (Step::Named(key, name.to_owned()), item),
                None => (Step::At(at), item),
            };
            items.iter().enumerate().map(step).collect()
        }
        _ => Vec::new(),
    }
}

/// The part of a value that a step leads to.
pub fn part<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match step {
        Step::Member(name) => value.get(name),
        Step::Named(key, name) => {
            value.as_array()?.iter().find(|item| named(item, key) == Some(name.as_str()))
        }
        Step::At(index) => value.get(index),
    }
}

fn named<'v>(item: &'v Value, key: &str) -> Option<&'v str> {
    item.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_of_lists_are_found_by_name_where_all_have_one() {
        let value = json!({"a": [{"name": "x", "v": 1}, {"name": "y"}], "b.c": [7]});
        let (step, list) = parts(&value).into_iter().next().expect("a member");
        let (inner, _) = parts(list).into_iter().next().expect("an item");
        let path = FieldPath::default().then(step).then(inner.clone()).then(Step::Member("v".to_owned()));
        assert_eq!(path.to_string(), "a[x].v");
        let turned = json!([{"name": "y"}, {"name": "x", "v": 2}]);
        assert_eq!(part(&turned, &inner), Some(&json!({"name": "x", "v": 2})));
        let odd = FieldPath(vec![Step::Member("b.c".to_owned()), Step::At(0)]);
        assert_eq!(odd.to_string(), "[\"b.c\"][0]");
    }
}
