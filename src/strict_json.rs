//! JSON as tokens and what others send us must have it: exact names, no member twice at any depth, valid UTF-8,
//! bounded depth.
//!
//! Readers that differ in what they make of `{"sub":"a","sub":"b"}` can be played against each other
//! (RFC 8725 section 2.4), so we read it as nothing at all.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Values nested deeper than this are in no token that anyone means.
const DEEPEST: usize = 16;

/// The object that these bytes are, as tokens have them.
///
/// # Errors
/// What is wrong with it.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, &'static str> {
    match value(bytes, DEEPEST)? {
        Value::Object(members) => Ok(members),
        _ => Err("its JSON is not an object"),
    }
}

/// The value that these bytes are, with no more than `deepest` lists and objects within each other.
///
/// # Errors
/// What is wrong with it.
pub fn value(bytes: &[u8], deepest: usize) -> Result<Value, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not valid UTF-8")?;
    let why = Cell::new("it is not valid JSON");
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { left: deepest, why: &why }.deserialize(&mut reader).map_err(|_| why.get())?;
    reader.end().map_err(|_| "something follows its JSON")?;
    Ok(value)
}

/// Reads one value, and remembers why it could not.
#[derive(Clone, Copy)]
struct Strict<'w> {
    left: usize,
    why: &'w Cell<&'static str>,
}

impl Strict<'_> {
    fn refuse<T, E: serde::de::Error>(&self, why: &'static str) -> Result<T, E> {
        self.why.set(why);
        Err(E::custom(why))
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            None => self.refuse("its JSON is nested too deep"),
            Some(left) => Ok(Self { left, ..self }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return self.refuse("its JSON has a member twice");
            }
            let value = members.next_value_seed(below)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_nests_as_deep_as_it_may() {
        assert!(value(b"[[1]]", 2).is_ok());
        assert_eq!(value(b"[[[1]]]", 2), Err("its JSON is nested too deep"));
    }

    #[test]
    fn what_readers_could_read_differently_is_read_as_nothing() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
        let deeper = format!("{}{}", r#"{"a":["#.repeat(5_000), "1");
        for (bytes, why) in [
            (&br#"{"a":1,"a":1}"#[..], "twice"),
            (br#"{"a":1,"\u0061":2}"#, "twice"),
            (br#"{"a":{"b":[{"c":1,"c":2}]}}"#, "twice"),
            (b"{\"a\":\"\xff\"}", "UTF-8"),
            (b"{\"a\":\"\xc0\xaf\"}", "UTF-8"),
            (br#"{"a":"\ud800"}"#, "not valid JSON"),
            (br#"{"a":1}{"a":2}"#, "follows"),
            (br#"{"a":1} x"#, "follows"),
            (br#"{"a":1,}"#, "not valid JSON"),
            (br#"{'a':1}"#, "not valid JSON"),
            (br#"{"a":1e999}"#, "not valid JSON"),
            (br#"{"a":NaN}"#, "not valid JSON"),
            (b"{\"a\":\"\x01\"}", "not valid JSON"),
            (b"\xef\xbb\xbf{}", "not valid JSON"),
            (br#"[{"a":1}]"#, "not an object"),
            (b"null", "not an object"),
            (b"", "not valid JSON"),
            (deep.as_bytes(), "deep"),
            (deeper.as_bytes(), "deep"),
        ] {
            let said = object(bytes).expect_err("not read");
            assert!(said.contains(why), "{:?}: {said}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn everything_else_is_read_as_it_is() {
        let text = r#"{"iss":"https://a","Iss":"b","n":[1,-2,2.5,true,null],"o":{"x":{"y":"z \u00e9 \ud83d\ude00"}}}"#;
        assert_eq!(
            Value::Object(object(text.as_bytes()).expect("read")),
            serde_json::from_str::<Value>(text).expect("JSON")
        );
    }
}
