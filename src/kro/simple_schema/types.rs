//! [`Type`]: the part of a field's text before its markers (kro v0.9.4 `pkg/simpleschema/parse.go`).

/// kro takes no type that nests deeper.
const DEEPEST: usize = 16;

/// A type in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// `string`, `integer`, `boolean`, `float`: the OpenAPI name.
    Atomic(&'static str),
    /// `object`: anything within.
    Object,
    /// `[]T`
    List(Box<Type>),
    /// `map[string]T`
    Map(Box<Type>),
    /// One of `spec.schema.types`.
    Custom(String),
}

impl Type {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("has no type before its markers".to_owned());
        }
        Self::nested(text, 0)
    }

    fn nested(text: &str, depth: usize) -> Result<Self, String> {
        if depth > DEEPEST {
            return Err(format!("nests its type deeper than {DEEPEST}"));
        }
        let text = text.trim();
        let atomic = match text {
            "string" => "string",
            "integer" => "integer",
            "boolean" => "boolean",
            "float" => "number",
            _ => "",
        };
        if !atomic.is_empty() {
            return Ok(Self::Atomic(atomic));
        }
        if text == "object" {
            return Ok(Self::Object);
        }
        if let Some(element) = text.strip_prefix("[]") {
            if element.is_empty() {
                return Err("is a list without a type of its items: write []string".to_owned());
            }
            return Ok(Self::List(Box::new(Self::nested(element, depth + 1)?)));
        }
        if text.starts_with("map[") {
            let value = text
                .strip_prefix("map[string]")
                .ok_or("is a map with keys that are not string: write map[string]T")?
                .trim();
            if value.is_empty() {
                return Err("is a map without a type of its values: write map[string]string".to_owned());
            }
            return Ok(Self::Map(Box::new(Self::nested(value, depth + 1)?)));
        }
        Ok(Self::Custom(text.to_owned()))
    }

    /// The custom type that it is made of.
    pub(super) fn custom(&self) -> Option<&str> {
        match self {
            Self::Atomic(_) | Self::Object => None,
            Self::List(inner) | Self::Map(inner) => inner.custom(),
            Self::Custom(name) => Some(name),
        }
    }
}
