//! [`Selector`]: what narrows a list, always encoded by the same code.

use super::fault::Fault;

/// Label and field selectors of one LIST. Values are data: they are encoded, never spliced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<String>,
    fields: Vec<String>,
    refused: Option<String>,
}

impl Selector {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Objects whose label `key` has exactly this value. A value that no label can have (and that
    /// could add requirements of its own) makes the list fail before anything is sent.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        if is_label_value(value) {
            self.labels.push(format!("{key}={value}"));
        } else {
            self.refused = Some(value.chars().take(80).collect());
        }
        self
    }

    /// A label requirement in the API's own syntax, from a trusted place (never from an argument).
    pub fn label_requirement(mut self, requirement: impl Into<String>) -> Self {
        self.labels.push(requirement.into());
        self
    }

    /// Objects whose field `key` has exactly this value. `,` `=` and `\` in it are escaped as
    /// apimachinery's `fields.EscapeValue` does.
    pub fn field(mut self, key: &str, value: &str) -> Self {
        let escaped = value.replace('\\', r"\\").replace(',', r"\,").replace('=', r"\=");
        self.fields.push(format!("{key}={escaped}"));
        self
    }

    /// The query parameters that say this.
    pub(super) fn query(&self) -> Result<Vec<(&'static str, String)>, Fault> {
        if let Some(value) = &self.refused {
            return Err(Fault::InvalidName {
                what: "label value",
                value: value.clone(),
                why: "labels are at most 63 letters, digits, - _ and .",
            });
        }
        let mut query = Vec::new();
        if !self.labels.is_empty() {
            query.push(("labelSelector", self.labels.join(",")));
        }
        if !self.fields.is_empty() {
            query.push(("fieldSelector", self.fields.join(",")));
        }
        Ok(query)
    }
}

/// Whether `value` is a label value by the API's rule; others cannot match anything.
pub fn is_label_value(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= 63 && value.chars().all(inner) && edge(value.chars().next()) && edge(value.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_a_requirement() {
        assert!(Selector::all().label("a", "x,b!=c").query().is_err());
        let fields = Selector::all().field("metadata.name", "x,metadata.namespace=kube-system");
        let query = fields.query().expect("escaped");
        assert_eq!(
            query,
            [("fieldSelector", r"metadata.name=x\,metadata.namespace\=kube-system".to_owned())]
        );
    }
}
