//! [`Type`]: what is known of the type of an expression or a field, in the terms of CEL.

mod fit;
mod read;

use std::fmt;

pub(super) use fit::{agree, fits, join};
pub(super) use read::Miss;

use crate::kubernetes::openapi::Shape;

/// How deep types are read from schemas: lists of lists.
const DEEPEST: usize = 12;

/// The type of a value.
#[derive(Clone, Debug)]
pub(super) enum Type<'s> {
    /// It is not known here: everything is possible, nothing is complained about.
    Unknown,
    /// It is known to be known only at run time: kro's `dyn`.
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    /// A type of a library, such as `Quantity`.
    Named(&'static str),
    List(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Optional(Box<Self>),
    /// An object with fields of its own.
    Object(Shape<'s>),
}

impl<'s> Type<'s> {
    /// The type of what a schema describes (kro v0.9.4 `pkg/cel/schemas.go`).
    pub(super) fn of(shape: Shape<'s>) -> Self {
        Self::nested(shape, 0)
    }

    fn nested(shape: Shape<'s>, depth: usize) -> Self {
        if depth > DEEPEST {
            return Self::Unknown;
        }
        if shape.has("x-kubernetes-int-or-string") {
            return Self::Dyn;
        }
        match shape.kind() {
            "array" => {
                shape.items().map_or(Self::Unknown, |items| Self::list(Self::nested(items, depth + 1)))
            }
            "object" => match shape.additional() {
                Some(Some(values)) => Self::map(Self::nested(values, depth + 1)),
                Some(None) => Self::map(Self::Dyn),
                None => Self::Object(shape),
            },
            "string" => match shape.keyword("format").and_then(serde_json::Value::as_str) {
                Some("byte") => Self::Bytes,
                Some("duration") => Self::Duration,
                Some("date" | "date-time") => Self::Timestamp,
                _ => Self::String,
            },
            "boolean" => Self::Bool,
            "number" => Self::Double,
            "integer" => Self::Int,
            _ => Self::Unknown,
        }
    }

    pub(super) fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    /// A map with keys that are text.
    pub(super) fn map(of: Self) -> Self {
        Self::Map(Box::new(Self::String), Box::new(of))
    }

    /// An optional value; one of an optional value is the same.
    pub(super) fn optional(self) -> Self {
        match self {
            Self::Optional(_) => self,
            other => Self::Optional(Box::new(other)),
        }
    }

    /// Whether it can be of any type.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Unknown | Self::Dyn)
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Unknown | Self::Dyn => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Named(name) => name,
            Self::List(of) => return write!(out, "list({of})"),
            Self::Map(key, of) => return write!(out, "map({key}, {of})"),
            Self::Optional(of) => return write!(out, "optional({of})"),
            Self::Object(_) => "object",
        })
    }
}
