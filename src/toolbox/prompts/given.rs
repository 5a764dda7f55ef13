//! [`Given`]: what was filled in, and where it goes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Collect, Prompt};
use crate::{Error, answer::sanitise, nearest};

/// Bytes of one argument.
const LONGEST: usize = 2_000;

/// The arguments of a prompt, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(BTreeMap<String, String>);

impl Given {
    /// What was filled in. An empty text is a field that was left empty.
    ///
    /// # Errors
    /// Names the argument.
    pub fn check(prompt: &Prompt, written: Map<String, Value>) -> Result<Self, Error> {
        let mut given = BTreeMap::new();
        for (name, value) in written {
            if prompt.argument(&name).is_none() {
                return Err(unknown(prompt, &name));
            }
            let wrong = |must: &str| Error::invalid_input(format!("the argument {name:?} must be {must}"));
            let text = match &value {
                Value::Null => continue,
                Value::String(text) => text.trim(),
                _ => return Err(wrong("a text")),
            };
            if text.len() > LONGEST {
                return Err(wrong(&format!("at most {LONGEST} bytes long")));
            }
            if !sanitise::is_readable(text) {
                return Err(wrong("one line of what can be seen"));
            }
            if !text.is_empty() {
                given.insert(name, text.to_owned());
            }
        }
        let missing =
            prompt.front.arguments.iter().find(|one| one.required && !given.contains_key(&one.name));
        match missing {
            Some(one) => {
                let message = format!("the argument {:?} is missing: {}", one.name, one.description);
                Err(Error::invalid_input(message))
            }
            None => Ok(Self(given)),
        }
    }

    /// Whether a call is to be made.
    pub(super) fn calls(&self, call: &Collect) -> bool {
        call.with.iter().all(|name| self.0.contains_key(name))
    }

    /// The arguments of one call.
    pub(super) fn arguments(&self, call: &Collect) -> Map<String, Value> {
        let of = |value: &Value| match value.as_str().and_then(placeholder) {
            Some(name) => self.0.get(name).map(|value| value.as_str().into()),
            None => Some(value.clone()),
        };
        call.arguments.iter().filter_map(|(name, value)| Some((name.clone(), of(value)?))).collect()
    }

    /// The instruction. A line that speaks of what was not filled in is left out.
    pub(super) fn filled(&self, body: &str) -> String {
        body.lines().filter_map(|line| self.line(line)).collect::<Vec<_>>().join("\n")
    }

    fn line(&self, mut rest: &str) -> Option<String> {
        let mut line = String::new();
        while let Some((before, after)) = rest.split_once('{') {
            line.push_str(before);
            match after.split_once('}').filter(|(name, _)| is_name(name)) {
                Some((name, behind)) => {
                    line.push_str(self.0.get(name)?);
                    rest = behind;
                }
                None => {
                    line.push('{');
                    rest = after;
                }
            }
        }
        line.push_str(rest);
        Some(line)
    }
}

fn unknown(prompt: &Prompt, name: &str) -> Error {
    let known = || prompt.front.arguments.iter().map(|argument| argument.name.as_str());
    let name = sanitise::short(name, 60);
    let near =
        nearest::name(&name, known()).map_or(String::new(), |near| format!("; did you mean {near:?}?"));
    Error::invalid_input(format!("there is no argument {name:?}{near}")).candidates(known())
}

/// The argument that a whole value stands for.
pub(super) fn placeholder(value: &str) -> Option<&str> {
    value.strip_prefix('{')?.strip_suffix('}').filter(|name| is_name(name))
}

/// The arguments that a text names.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| is_name(name))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
