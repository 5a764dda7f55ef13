//! The variables of cluster profiles.

use serde::Deserialize;

use super::{lenient, lenient_list, lenient_rows};

/// `v1Variables`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Variables {
    /// In the order of the profile.
    #[serde(deserialize_with = "lenient_rows")]
    pub variables: Vec<Variable>,
}

/// `v1Variable`. Its `Debug` does not tell the value.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Variable {
    /// As `{{ .spectro.var.NAME }}` has it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// What people read.
    #[serde(deserialize_with = "lenient")]
    pub display_name: String,
    /// What it is for.
    #[serde(deserialize_with = "lenient")]
    pub description: String,
    /// Not to be shown where [`Self::is_sensitive`].
    #[serde(deserialize_with = "lenient")]
    pub default_value: Option<String>,
    /// `string`, `number`, `boolean`, `ipv4`, …
    #[serde(deserialize_with = "lenient")]
    pub format: String,
    /// `text`, `dropdown`, `multiline`
    #[serde(deserialize_with = "lenient")]
    pub input_type: String,
    /// What it may be.
    #[serde(deserialize_with = "lenient_list")]
    pub options: Vec<VariableOption>,
    /// What it has to look like.
    #[serde(deserialize_with = "lenient")]
    pub regex: String,
    /// Whether a cluster has to give it.
    #[serde(deserialize_with = "lenient")]
    pub required: bool,
    /// Whether it stays what it was at first.
    #[serde(deserialize_with = "lenient")]
    pub immutable: bool,
    /// Whether forms leave it out.
    #[serde(deserialize_with = "lenient")]
    pub hidden: bool,
    /// Whether its value is a secret. What is told as something else than a boolean counts as one.
    #[serde(deserialize_with = "sensitive")]
    pub is_sensitive: bool,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Variable").field(&self.name).finish()
    }
}

/// `v1VariableOption`
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct VariableOption {
    /// What is set.
    #[serde(deserialize_with = "lenient")]
    pub value: String,
    /// What people read.
    #[serde(deserialize_with = "lenient")]
    pub label: String,
}

fn sensitive<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let told = serde_json::Value::deserialize(deserializer)?;
    Ok(!matches!(told, serde_json::Value::Null | serde_json::Value::Bool(false)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_variable_that_may_be_sensitive_counts_as_one() {
        for (told, sensitive) in
            [(json!(null), false), (json!(false), false), (json!(true), true), (json!("yes"), true)]
        {
            let variable: Variable =
                serde_json::from_value(json!({"name": "a", "isSensitive": told})).expect("read");
            assert_eq!(variable.is_sensitive, sensitive);
        }
        let shown = format!(
            "{:?}",
            serde_json::from_value::<Variable>(json!({"name": "a", "defaultValue": "planted"}))
                .expect("read")
        );
        assert!(!shown.contains("planted"));
    }
}
