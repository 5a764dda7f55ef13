//! SimpleSchema: kro's short form of a schema, as the OpenAPI v3 schema that kro makes of it
//! (kro v0.9.4 `pkg/simpleschema`).

use serde_json::Value;

/// A SimpleSchema, translated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translated {
    /// The OpenAPI v3 schema (`JSONSchemaProps`) of an instance's `spec`.
    pub schema: Value,
    /// What kro would not take: the path of the field, and why.
    pub problems: Vec<(String, String)>,
}

/// Translates `spec.schema.spec` of an RGD, which may use the custom `types` of `spec.schema.types`.
pub fn translate(_spec: &Value, _types: &Value) -> Translated {
    Translated::default()
}
