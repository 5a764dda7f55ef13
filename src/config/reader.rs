//! Reading a [`Node`] as a typed value: every mistake knows its path and line.

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor},
    forward_to_deserialize_any,
};

use super::{
    node::{Member, Node, Value},
    problem::Wrong,
};

/// A text that came from a variable may stand for what is wanted.
macro_rules! from_variable {
    ($($method:ident $visit:ident)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
                match &self.value {
                    Value::Text { text, expanded: true } => match text.trim().parse() {
                        Ok(value) => visitor.$visit(value),
                        Err(_) => Err(Wrong::invalid_type(Unexpected::Str(text), &visitor)),
                    },
                    _ => self.deserialize_any(visitor),
                }
                .map_err(|wrong| wrong.on_line(self.line))
            }
        )+
    };
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Empty => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Value::Number(value) => visitor.visit_f64(*value),
            Value::Text { text, .. } => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Map(members) => visitor.visit_map(Members { rest: members.iter(), current: None }),
        }
        .map_err(|wrong| wrong.on_line(self.line))
    }

    from_variable! {
        deserialize_bool visit_bool
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Empty => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A key with nothing below it, as when all of it is commented out, is an empty list.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Empty => visitor.visit_seq(Items { items: [].iter().enumerate() }),
            _ => self.deserialize_any(visitor),
        }
    }

    /// The same for a map.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Empty => visitor.visit_map(Members { rest: [].iter(), current: None }),
            _ => self.deserialize_any(visitor),
        }
        .map_err(|wrong| wrong.on_line(self.line))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.value {
            // serde would take the items for the fields in their order
            Value::List(_) => Err(Wrong::invalid_type(Unexpected::Seq, &visitor).on_line(self.line)),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Text { text, .. } => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => self.deserialize_any(visitor),
        }
        .map_err(|wrong| wrong.on_line(self.line))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

struct Items<'n> {
    items: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some((index, item)) = self.items.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|wrong| wrong.on_line(item.line).in_item(index))
    }
}

struct Members<'n> {
    rest: std::slice::Iter<'n, Member>,
    current: Option<&'n Member>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.current = self.rest.next();
        let Some(member) = self.current else { return Ok(None) };
        let key: serde::de::value::StrDeserializer<'_, Wrong> = member.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|wrong| wrong.on_line(member.line).below(&member.key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some(member) = self.current.take() else { return Err(Wrong::new("a key without a value")) };
        seed.deserialize(&member.value).map_err(|wrong| wrong.on_line(member.value.line).below(&member.key))
    }
}
