//! Whether types go together, as cel-go and kro see it (kro v0.9.4 `pkg/cel/compatibility.go`). Each
//! says no only where both would.

use super::Type;

/// Whether one type can stand where the other does, in one expression.
pub(in crate::kro::check) fn agree(one: &Type<'_>, other: &Type<'_>) -> bool {
    use Type::{
        Bool, Bytes, Double, Duration, Int, List, Map, Named, Null, Object, Optional, String, Timestamp, Uint,
    };
    match (one, other) {
        (one, other) if one.is_open() || other.is_open() => true,
        (Null, Null | Object(_) | Timestamp | Duration | Named(_) | Optional(_)) => true,
        (Object(_) | Timestamp | Duration | Named(_) | Optional(_), Null) => true,
        (List(one), List(other)) | (Optional(one), Optional(other)) => agree(one, other),
        (Map(key, one), Map(other_key, other)) => agree(key, other_key) && agree(one, other),
        (Named(one), Named(other)) => one == other,
        (Bool, Bool)
        | (Int, Int)
        | (Uint, Uint)
        | (Double, Double)
        | (String, String)
        | (Bytes, Bytes)
        | (Timestamp, Timestamp)
        | (Duration, Duration)
        | (Object(_), Object(_)) => true,
        _ => false,
    }
}

/// The type of either of two that agree.
pub(in crate::kro::check) fn join<'s>(one: &Type<'s>, other: &Type<'s>) -> Type<'s> {
    match (one, other) {
        (Type::Unknown | Type::Null, other) => other.clone(),
        (one, Type::Unknown | Type::Null) => one.clone(),
        (Type::Dyn, _) | (_, Type::Dyn) => Type::Dyn,
        (Type::List(one), Type::List(other)) => Type::list(join(one, other)),
        (Type::Optional(one), Type::Optional(other)) => join(one, other).optional(),
        (Type::Map(key, one), Type::Map(_, other)) => Type::Map(key.clone(), Box::new(join(one, other))),
        (one, _) => one.clone(),
    }
}

/// Whether a value of the type `given` may be written into a field of the type `wanted`.
pub(in crate::kro::check) fn fits(given: &Type<'_>, wanted: &Type<'_>) -> bool {
    use Type::{List, Map, Object, Optional};
    match (given, wanted) {
        (given, wanted) if given.is_open() || wanted.is_open() => true,
        (Optional(given), wanted) => fits(given, wanted),
        // kro does not look into every pair of these
        (_, Object(_)) | (Object(_), Map(..)) | (Map(..), List(_)) => true,
        (List(given), List(wanted)) => fits(given, wanted),
        (Map(_, given), Map(_, wanted)) => fits(given, wanted),
        (given, wanted) => std::mem::discriminant(given) == std::mem::discriminant(wanted),
    }
}
