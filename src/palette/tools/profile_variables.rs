//! `palette_profile_variables`: what a profile wants to be told by each cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Ask,
        api::variable::{Variable, Variables},
        profiles::find::{self, Within},
    },
    reach,
};
use crate::{
    Error,
    answer::{
        Answer, Row,
        redact::{self, is_secret_text, redacted},
    },
    toolbox::{Call, Reach, Tool},
};

/// Shorter values of a sensitive variable would match ordinary words of its description.
const SHORTEST_QUOTED: usize = 4;

/// The handler.
#[derive(Debug)]
pub struct ListProfileVariables;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// name, name@version or uid
    profile: String,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    profile: String,
    version: String,
    uid: String,
    total: usize,
    rows: Vec<VariableRow>,
}

/// One variable.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct VariableRow {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    format: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    input: String,
    /// Redacted where it is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    /// What it may be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    regex: String,
    /// required, immutable, hidden, sensitive
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
    #[serde(skip)]
    at: usize,
}

impl Row for VariableRow {
    const COLUMNS: &'static [&'static str] =
        &["name", "format", "default", "flags", "options", "regex", "description"];

    fn cells(&self) -> Vec<String> {
        let description = [&self.display_name, &self.description].map(String::as_str);
        let description: Vec<&str> = description.into_iter().filter(|text| !text.is_empty()).collect();
        vec![
            self.name.clone(),
            self.format.clone(),
            self.default.clone().unwrap_or_default(),
            self.flags.join(","),
            self.options.join(" | "),
            self.regex.clone(),
            description.join(": "),
        ]
    }

    fn key(&self) -> String {
        format!("{:06}", self.at)
    }
}

impl Tool for ListProfileVariables {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let found = find::profile(&call, &input.profile, input.project.as_deref(), Within::Seen).await?;
        let asked = Ask::get(&["clusterprofiles", &found.version.uid, "variables"]);
        let told: Variables = found.access.ask(&found.profile.place, asked).await?;
        let rows: Vec<VariableRow> =
            told.variables.into_iter().enumerate().map(|(at, variable)| row(at, variable)).collect();
        let of = |flag: &str| rows.iter().filter(|row| row.flags.contains(&flag)).count();
        let summary = format!(
            "{} has {} variables: {} required, {} sensitive, {} hidden",
            found.label(),
            rows.len(),
            of("required"),
            of("sensitive"),
            of("hidden")
        );
        let (page, cut) = call.page(rows, input.cursor.as_deref(), "nothing narrows it")?;
        let output = Output {
            profile: found.profile.name,
            version: found.version.version,
            uid: found.version.uid,
            total: page.rows.total,
            rows: page.rows.rows,
        };
        Ok(Answer::new(summary, page.table, output).gaps(found.gaps).cut(cut))
    }
}

/// What may be told of a variable: of a sensitive one neither the default nor the choice, also where other texts
/// of it quote them.
pub(super) fn row(at: usize, variable: Variable) -> VariableRow {
    let sensitive = variable.is_sensitive || is_secret_text(&variable.name);
    let mut values: Vec<String> = variable.options.iter().map(|option| option.value.clone()).collect();
    values.extend(variable.default_value.clone());
    values.retain(|value| sensitive && value.len() >= SHORTEST_QUOTED);
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let told = |text: &str| {
        let quoted = values.iter().fold(text.to_owned(), |text, value| text.replace(value, "<redacted>"));
        redact::text(&quoted).into_owned()
    };
    let shown = |value: String| if sensitive { redacted(value.len()) } else { told(&value) };
    let options = variable.options.into_iter().map(|option| match (sensitive, option.label.is_empty()) {
        (false, false) if option.label != option.value => {
            format!("{} ({})", told(&option.value), told(&option.label))
        }
        _ => shown(option.value),
    });
    // a pattern without any choice in it is the value
    let literal = sensitive
        && !variable.regex.is_empty()
        && !variable.regex.contains(['[', '(', '*', '+', '?', '{', '\\', '|']);
    let regex = if literal { redacted(variable.regex.len()) } else { told(&variable.regex) };
    let flags = [
        (variable.required, "required"),
        (variable.immutable, "immutable"),
        (variable.hidden, "hidden"),
        (sensitive, "sensitive"),
    ];
    VariableRow {
        options: options.collect(),
        default: variable.default_value.filter(|value| !value.is_empty()).map(shown),
        name: variable.name,
        display_name: told(&variable.display_name),
        description: told(&variable.description),
        format: variable.format,
        input: variable.input_type,
        regex,
        flags: flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect(),
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(variable: serde_json::Value) -> String {
        let row = row(0, serde_json::from_value(variable).expect("a variable"));
        format!("{} {}", serde_json::to_string(&row).expect("JSON"), row.cells().join("\t"))
    }

    #[test]
    fn neither_default_nor_choice_of_a_secret_is_told() {
        for variable in [
            json!({"name": "a", "isSensitive": true, "defaultValue": "planted", "options": [{"value": "planted", "label": "x"}]}),
            json!({"name": "db_password", "defaultValue": "planted", "options": [{"value": "planted"}]}),
            json!({"name": "a", "isSensitive": true, "defaultValue": "planted", "description": "it is planted by default"}),
            json!({"name": "a", "isSensitive": true, "displayName": "password: planted", "regex": "^planted$"}),
            json!({"name": "api_key", "description": "such as api_key=planted", "options": [{"value": "x", "label": "planted"}]}),
            json!({"name": "b", "description": "such as --token planted", "options": [{"value": "x", "label": "token=planted"}]}),
            json!({"name": "url", "defaultValue": "postgres://a:planted@db/x"}),
        ] {
            let told = told(variable);
            assert!(!told.contains("planted") && told.contains("redacted"), "{told}");
        }
    }

    #[test]
    fn what_a_cluster_has_to_give_is_told() {
        let told = told(
            json!({"name": "size", "format": "number", "required": true, "immutable": true, "hidden": true,
            "regex": "^[0-9]+$", "defaultValue": "3", "options": [{"value": "3", "label": "small"}, {"value": "5"}]}),
        );
        for part in [
            "\"flags\":[\"required\",\"immutable\",\"hidden\"]",
            "3 (small)",
            "^[0-9]+$",
            "\"default\":\"3\"",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
