//! [`VariableChange`]: what differs between the variables of two profiles.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::{
    super::{api::variable::Variable, packs::change::Kind},
    change_row::mark,
};
use crate::{
    answer::redact::is_secret_key,
    kubernetes::difference::{Difference, differences},
};

/// What follows the name of a field whose values are secret, so that they are only said to differ.
const SECRET: &str = "_secret";

/// A variable that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct VariableChange {
    name: String,
    change: Kind,
    /// After.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    /// By field; values of sensitive ones are only said to differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Difference>,
}

impl VariableChange {
    /// As lines.
    pub(super) fn text(&self) -> String {
        let required = if self.required { " (required)" } else { "" };
        let mut text = format!("  {} {}{required}", mark(self.change), self.name);
        for difference in &self.differences {
            let _ = write!(text, "\n    {difference}");
        }
        text
    }
}

/// Those that differ, by name. Only values of sensitive ones are kept back: what a cluster has to give is told.
pub(super) fn compare(before: Vec<Variable>, after: Vec<Variable>) -> Vec<VariableChange> {
    let named = |variables: Vec<Variable>| -> BTreeMap<String, Variable> {
        variables.into_iter().map(|variable| (variable.name.clone(), variable)).collect()
    };
    let (old, new) = (named(before), named(after));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let one = |name: &String| {
        let (old, new) = (old.get(name), new.get(name));
        let sensitive = old.into_iter().chain(new).any(|variable| variable.is_sensitive);
        let secret = sensitive || is_secret_key(name);
        let told = |variable: Option<&Variable>| {
            variable.map_or_else(|| json!({}), |variable| fields(variable, secret))
        };
        let mut differences = differences(&told(old), &told(new));
        for difference in &mut differences {
            difference.path = difference.path.replacen(SECRET, "", 1);
        }
        let change = match (old, new) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ if differences.is_empty() => return None,
            _ => Kind::Changed,
        };
        let required = new.is_some_and(|variable| variable.required);
        Some(VariableChange { name: name.clone(), change, required, differences })
    };
    names.into_iter().filter_map(one).collect()
}

fn fields(variable: &Variable, secret: bool) -> Value {
    let mut fields = Map::new();
    for (flag, set) in [
        ("required", variable.required),
        ("immutable", variable.immutable),
        ("hidden", variable.hidden),
        ("sensitive", variable.is_sensitive),
    ] {
        fields.extend(set.then(|| (flag.to_owned(), true.into())));
    }
    for (name, text) in
        [("format", &variable.format), ("input", &variable.input_type), ("regex", &variable.regex)]
    {
        fields.extend((!text.is_empty()).then(|| (name.to_owned(), text.clone().into())));
    }
    let value = |name: &str| if secret { format!("{name}{SECRET}") } else { name.to_owned() };
    let default = variable.default_value.as_ref().filter(|default| !default.is_empty());
    fields.extend(default.map(|default| (value("default"), default.clone().into())));
    let options: Vec<Value> = variable.options.iter().map(|option| json!(option.value)).collect();
    fields.extend((!options.is_empty()).then(|| (value("options"), options.into())));
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::api::variable::Variables;

    fn read(value: &Value) -> Vec<Variable> {
        serde_json::from_value::<Variables>(json!({"variables": value})).expect("read").variables
    }

    #[test]
    fn of_a_sensitive_variable_only_the_values_are_kept_back() {
        let before = read(&json!([
            {"name": "a", "defaultValue": "planted-1", "isSensitive": true},
            {"name": "size", "defaultValue": "1"},
            {"name": "same", "defaultValue": "1"},
        ]));
        let after = read(&json!([
            {"name": "a", "defaultValue": "planted-2", "isSensitive": true},
            {"name": "size", "defaultValue": "2", "required": true},
            {"name": "same", "defaultValue": "1"},
            {"name": "databasePassword", "defaultValue": "planted-3", "required": true, "isSensitive": true,
             "format": "string", "inputType": "text", "options": [{"value": "planted-4"}]},
        ]));
        let changes = compare(before, after);
        let told: Vec<String> = changes.iter().map(VariableChange::text).collect();
        assert_eq!(
            told,
            [
                "  ~ a\n    ~ default: <redacted> → <redacted>",
                "  + databasePassword (required)\n    + default: <redacted>\n    + format: string\n    + input: text\n    \
                 + options: <redacted>\n    + required: true\n    + sensitive: true",
                "  ~ size (required)\n    ~ default: 1 → 2\n    + required: true",
            ]
        );
        assert!(!serde_json::to_string(&changes).expect("JSON").contains("planted"));
    }

    #[test]
    fn what_becomes_sensitive_is_not_told_as_it_was() {
        let of = |sensitive: bool| {
            read(&json!([{"name": "a", "defaultValue": "planted", "isSensitive": sensitive}]))
        };
        let told: Vec<String> = compare(of(false), of(true)).iter().map(VariableChange::text).collect();
        assert_eq!(told, ["  ~ a\n    + sensitive: true"]);
    }

    #[test]
    fn a_variable_with_nothing_but_a_name_is_added_all_the_same() {
        let told: Vec<String> =
            compare(Vec::new(), read(&json!([{"name": "a"}]))).iter().map(VariableChange::text).collect();
        assert_eq!(told, ["  + a"]);
    }
}
