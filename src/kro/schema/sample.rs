//! A value that keeps a schema, the plainest there is, and the same each time.

use regex_syntax::hir::{Class, ClassBytesRange, ClassUnicodeRange, Hir, HirKind};
use serde_json::{Map, Number, Value};

use super::{DEEPEST, is_set, list, properties, text, validate::compiled, values_of};

/// What a text is where nothing else is asked for.
const TEXT: &str = "example";
/// Characters of a text that is made for a pattern or a length.
const LONGEST: usize = 1_000;
/// Items of a list that are made.
const MOST_ITEMS: u64 = 20;

/// A value for a schema: required fields are given, what has a default is left out, lists and maps have
/// as many members as they must. `None` where none could be found.
pub(super) fn sample(schema: &Value) -> Option<Value> {
    of(schema, 0, 0)
}

/// `turn`: which of several different values.
fn of(schema: &Value, turn: usize, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let values = list(schema, "enum");
    if !values.is_empty() {
        return values.get(turn % values.len()).cloned();
    }
    if is_set(schema, "x-kubernetes-int-or-string") {
        return number(schema, turn, true);
    }
    match text(schema, "type") {
        "string" => string(schema, turn).map(Value::String),
        "integer" => number(schema, turn, true),
        "number" => number(schema, turn, false),
        "boolean" => Some(Value::Bool(true)),
        "array" => {
            let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
            let count = bound("minItems").unwrap_or(1).max(1).min(bound("maxItems").unwrap_or(u64::MAX));
            let items = schema.get("items").unwrap_or(&Value::Null);
            let made: Option<Vec<Value>> = (0..usize::try_from(count.min(MOST_ITEMS)).unwrap_or_default())
                .map(|turn| of(items, turn, depth + 1))
                .collect();
            made.map(Value::Array)
        }
        "object" => object(schema, depth),
        _ => Some(Value::String(TEXT.to_owned())),
    }
}

fn object(schema: &Value, depth: usize) -> Option<Value> {
    let mut members = Map::new();
    let known = properties(schema);
    let mut required: Vec<&str> = list(schema, "required").iter().filter_map(Value::as_str).collect();
    required.sort_unstable();
    for name in required {
        let inner = known.and_then(|known| known.get(name)).or(values_of(schema)).unwrap_or(&Value::Null);
        if inner.get("default").is_none() {
            members.insert(name.to_owned(), of(inner, 0, depth + 1)?);
        }
    }
    if let (None, Some(values)) = (known, values_of(schema)) {
        members.insert("key".to_owned(), of(values, 0, depth + 1)?);
    }
    Some(Value::Object(members))
}

fn number(schema: &Value, turn: usize, whole: bool) -> Option<Value> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let turn = f64::from(u32::try_from(turn).unwrap_or(u32::MAX));
    let mut value = (least.unwrap_or(1.0).max(1.0_f64.min(most.unwrap_or(1.0)))) + turn;
    if let Some(most) = most.filter(|most| *most < value) {
        value = most;
    }
    if !whole {
        return Number::from_f64(value).map(Value::Number);
    }
    let value = if most == Some(value) { value.floor() } else { value.ceil() };
    let value = value as i64;
    Some(Value::Number(value.into()))
}

fn string(schema: &Value, turn: usize) -> Option<String> {
    let bound =
        |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
    let (least, most) = (bound("minLength").unwrap_or(0), bound("maxLength").unwrap_or(usize::MAX));
    let fits = |text: &String| (least..=most).contains(&text.chars().count());
    let plain = match turn {
        0 => TEXT.to_owned(),
        turn => format!("{TEXT}-{turn}"),
    };
    let formatted = match text(schema, "format") {
        "date-time" => Some("2025-01-01T00:00:00Z".to_owned()),
        "date" => Some("2025-01-01".to_owned()),
        "ipv4" => Some("10.0.0.1".to_owned()),
        "cidr" => Some("10.0.0.0/16".to_owned()),
        "uri" => Some("https://example.com".to_owned()),
        "email" => Some("user@example.com".to_owned()),
        _ => None,
    };
    let sized: String = plain
        .chars()
        .chain(std::iter::repeat('x'))
        .take(least.max(plain.len()).min(most).min(LONGEST))
        .collect();
    let pattern = text(schema, "pattern");
    let matching = (!pattern.is_empty()).then(|| compiled(pattern));
    let keeps = |text: &String| match &matching {
        None => true,
        Some(None) => false,
        Some(Some(regex)) => regex.is_match(text),
    };
    let mut candidates = formatted.into_iter().chain([plain, sized]).chain(more_often(pattern));
    candidates.find(|text| fits(text) && keeps(text))
}

/// Texts for a pattern: what may be repeated is taken as few times as it may be, then more often, so
/// that a least length can be reached.
fn more_often(pattern: &str) -> impl Iterator<Item = String> + use<> {
    let parsed = (!pattern.is_empty() && pattern.len() <= LONGEST).then(|| regex_syntax::parse(pattern).ok());
    let syntax = parsed.flatten();
    [0, 1, 2, 4, 8, 16, 32].into_iter().filter_map(move |extra| {
        let mut text = String::new();
        write(syntax.as_ref()?, extra, &mut text).then_some(text)
    })
}

/// The first text of a pattern; `false` where it becomes too long.
fn write(syntax: &Hir, extra: u32, text: &mut String) -> bool {
    match syntax.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            text.push_str(&String::from_utf8_lossy(&literal.0));
            text.len() <= LONGEST
        }
        HirKind::Class(class) => {
            text.push(first_of(class));
            text.len() <= LONGEST
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let times = repetition.min.saturating_add(extra).min(most);
            (0..times).all(|_| write(&repetition.sub, extra, text))
        }
        HirKind::Capture(capture) => write(&capture.sub, extra, text),
        HirKind::Concat(parts) => parts.iter().all(|part| write(part, extra, text)),
        HirKind::Alternation(parts) => parts.first().is_some_and(|part| write(part, extra, text)),
    }
}

/// A letter where the class has one, else a digit, else its first character.
fn first_of(class: &Class) -> char {
    let has = |wanted: char| match class {
        Class::Unicode(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&wanted))
        }
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&(wanted as u8)))
        }
    };
    let first = match class {
        Class::Unicode(class) => class.ranges().first().map(ClassUnicodeRange::start),
        Class::Bytes(class) => class.ranges().first().map(ClassBytesRange::start).map(char::from),
    };
    ('a'..='z').chain('A'..='Z').chain('1'..='9').find(|wanted| has(*wanted)).or(first).unwrap_or('a')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kro::schema::Validator;
    use serde_json::json;

    #[test]
    fn a_sample_keeps_its_schema() {
        for (schema, wanted) in [
            (json!({"type": "string"}), json!("example")),
            (json!({"type": "string", "minLength": 9}), json!("examplexx")),
            (json!({"type": "string", "maxLength": 3}), json!("exa")),
            (json!({"type": "string", "pattern": "^[0-9]{3}-[a-z]+$"}), json!("111-a")),
            (json!({"type": "string", "pattern": "^(us|eu)-(east|west)-[0-9]$"}), json!("us-east-1")),
            (json!({"type": "string", "pattern": "^[a-z]-[a-z]+$", "minLength": 10}), json!("a-aaaaaaaaa")),
            (json!({"type": "string", "pattern": r"^v\d+\.\d+$"}), json!("v1.1")),
            (json!({"type": "integer", "minimum": 3}), json!(3)),
            (json!({"type": "integer", "maximum": -2}), json!(-2)),
            (json!({"type": "integer", "minimum": 0, "maximum": 10}), json!(1)),
            (json!({"type": "number", "minimum": 0.5, "maximum": 0.7}), json!(0.7)),
            (
                json!({"type": "array", "items": {"type": "string"}, "minItems": 2}),
                json!(["example", "example-1"]),
            ),
            (json!({"type": "object", "additionalProperties": {"type": "integer"}}), json!({"key": 1})),
            (
                json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "boolean"},
                       "b": {"type": "string", "default": "x"}, "c": {"type": "string"}}}),
                json!({"a": true}),
            ),
        ] {
            let made = sample(&schema).unwrap_or_else(|| panic!("nothing for {schema}"));
            assert_eq!(made, wanted, "{schema}");
            assert!(Validator::new(&schema).violations("spec", &made).is_empty(), "{schema}: {made}");
        }
    }

    #[test]
    fn what_nothing_can_be_is_not_made_up() {
        for schema in [
            json!({"type": "string", "pattern": "(?!x)"}),
            json!({"type": "string", "pattern": "^a{900}{900}$"}),
            json!({"type": "string", "pattern": "^abc$", "maxLength": 2}),
            json!({"type": "string", "minLength": 5_000}),
        ] {
            assert_eq!(sample(&schema), None, "{schema}");
        }
        let deep = (0..100).fold(
            json!({"type": "string"}),
            |inner, _| json!({"type": "object", "required": ["n"], "properties": {"n": inner}}),
        );
        assert_eq!(sample(&deep), None);
    }
}
