//! Reaching into a value: what a selection on a type is.

use super::Type;

/// Why there is no such member.
pub(in crate::kro::check) enum Miss {
    /// The object has other fields: these.
    NoField(Vec<String>),
    /// It has no fields at all.
    NoFields,
}

impl<'s> Type<'s> {
    /// The type of the field `name`.
    pub(in crate::kro::check) fn field(&self, name: &str) -> Result<Self, Miss> {
        Ok(match self {
            Self::Unknown => Self::Unknown,
            Self::Dyn => Self::Dyn,
            Self::Object(shape) => match shape.field(name) {
                Some(field) => Self::of(field),
                None if shape.preserves_unknown() => Self::Dyn,
                // a name that CEL cannot write is escaped: `my__dash__name`
                None if name.contains("__") || shape.has("x-kubernetes-embedded-resource") => Self::Unknown,
                None => return Err(Miss::NoField(shape.fields().map(str::to_owned).collect())),
            },
            Self::Map(_, of) => of.as_ref().clone(),
            Self::Optional(of) => of.field(name)?.optional(),
            Self::Named("Condition") => match name {
                "type" | "status" | "reason" | "message" => Self::String,
                _ => {
                    let known = ["type", "status", "reason", "message"];
                    return Err(Miss::NoField(known.map(str::to_owned).to_vec()));
                }
            },
            Self::Null => Self::Unknown,
            _ => return Err(Miss::NoFields),
        })
    }

    /// What a comprehension over it binds: one variable, or two.
    pub(in crate::kro::check) fn range(&self) -> Option<(Self, (Self, Self))> {
        Some(match self {
            Self::Unknown => (Self::Unknown, (Self::Unknown, Self::Unknown)),
            Self::Dyn => (Self::Dyn, (Self::Dyn, Self::Dyn)),
            Self::List(of) => (of.as_ref().clone(), (Self::Int, of.as_ref().clone())),
            Self::Map(key, of) => (key.as_ref().clone(), (key.as_ref().clone(), of.as_ref().clone())),
            _ => return None,
        })
    }
}
