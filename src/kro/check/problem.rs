//! [`Problem`]: one thing that is wrong with an RGD.

use schemars::JsonSchema;
use serde::Serialize;

/// Which rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The form of the kind, group, version or scope that it generates.
    Schema,
    /// SimpleSchema that kro cannot read.
    SchemaSyntax,
    /// An id that is no lowerCamelCase name, or there twice.
    Id,
    /// An id or iterator that is a reserved word.
    ReservedWord,
    /// Neither or both of `template` and `externalRef`, or what does not go with one.
    Resource,
    /// A template that is no object of Kubernetes.
    Template,
    /// What an external reference may say.
    ExternalRef,
    /// What `forEach` may say.
    ForEach,
    /// What `includeWhen` may say.
    IncludeWhen,
    /// What `readyWhen` may say.
    ReadyWhen,
    /// What the instance's `status` may say.
    Status,
    /// `${…}` that does not end, nests, or is not CEL.
    Expression,
    /// A name in an expression that there is not.
    UnknownReference,
    /// A field in an expression that there is not.
    UnknownField,
    /// A field in a template that its kind has not.
    TemplateField,
    /// A value that is not of its field's type.
    Type,
    /// Nodes that wait for each other.
    Cycle,
    /// A kind that the cluster does not serve.
    UnknownKind,
    /// A namespace that is missing or must not be there.
    Namespace,
    /// A label or annotation under kro's own prefixes.
    ReservedPrefix,
}

impl Rule {
    /// Its name, as it is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::SchemaSyntax => "schema-syntax",
            Self::Id => "id",
            Self::ReservedWord => "reserved-word",
            Self::Resource => "resource",
            Self::Template => "template",
            Self::ExternalRef => "external-ref",
            Self::ForEach => "for-each",
            Self::IncludeWhen => "include-when",
            Self::ReadyWhen => "ready-when",
            Self::Status => "status",
            Self::Expression => "expression",
            Self::UnknownReference => "unknown-reference",
            Self::UnknownField => "unknown-field",
            Self::TemplateField => "template-field",
            Self::Type => "type",
            Self::Cycle => "cycle",
            Self::UnknownKind => "unknown-kind",
            Self::Namespace => "namespace",
            Self::ReservedPrefix => "reserved-prefix",
        }
    }
}

/// One thing that is wrong with an RGD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The rule that is broken.
    pub rule: Rule,
    /// The id of the node, unless it is the RGD as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Where: a path from the RGD's `spec`, or from the node's entry.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Whether kro will refuse it for this; else it may become right by itself, or fail later.
    pub certain: bool,
}

impl std::fmt::Display for Problem {
    /// One line: `deployment template.spec.x (template-field): …`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let node = self.node.as_deref().map_or(String::new(), |node| format!("{node} "));
        let doubt = if self.certain { "" } else { ", perhaps" };
        write!(out, "{node}{} ({}{doubt}): {}", self.field, self.rule.name(), self.message)
    }
}
