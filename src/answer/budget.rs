//! [`Budget`]: how large an answer may be. Text and structure keep it each on its own, since hosts
//! show the model only one of the two.

use serde_json::Value;

/// Rows and bytes of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Rows of a list, nodes of a graph.
    pub rows: usize,
    /// Bytes of the text, and of the structure as JSON.
    pub bytes: usize,
}

/// Nobody gets more, whatever is asked for: larger results are spilled or cut by the hosts.
pub const HARD_CAP: Budget = Budget { rows: 1_000, bytes: 100_000 };

impl Budget {
    /// This budget, with the rows that the caller asked for: fewer, or more up to the hard cap (the
    /// bytes then grow alike).
    #[must_use]
    pub fn asked(self, rows: Option<u32>) -> Self {
        let Some(rows) = rows.map(|rows| (rows as usize).clamp(1, HARD_CAP.rows)) else { return self };
        let bytes = if rows <= self.rows { self.bytes } else { self.bytes * rows / self.rows.max(1) };
        Self { rows, bytes: bytes.min(HARD_CAP.bytes) }
    }
}

/// Cuts `text` at a line's end so that it keeps `bytes`; says how many bytes were left out.
pub(crate) fn cut_text(text: &str, bytes: usize) -> (&str, usize) {
    if text.len() <= bytes {
        return (text, 0);
    }
    let at = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let head = text.get(..at).unwrap_or_default();
    let head = head.rfind('\n').map_or(head, |end| head.get(..end).unwrap_or_default());
    (head, text.len() - head.len())
}

/// Cuts after which a structure is given up as it is; each takes the heaviest part.
const MOST_CUTS: usize = 64;
/// A map with more members is data, not a structure with a schema.
const LARGE_MAP: usize = 40;

/// Shortens the longest arrays and strings of `structure` until it keeps `bytes`. The last resort
/// behind tools that page their own rows; returns what was dropped, in words.
pub(super) fn cut_structure(structure: &mut Value, bytes: usize) -> Vec<String> {
    let mut dropped = Vec::new();
    while size(structure) > bytes && dropped.len() < MOST_CUTS {
        let excess = size(structure) - bytes;
        let Some((path, _)) = heaviest(structure, String::new()) else { break };
        let Some(value) = structure.pointer_mut(&path) else { break };
        match value {
            Value::Array(items) => {
                let before = items.len();
                let mut saved = 0;
                while saved <= excess
                    && let Some(item) = items.pop()
                {
                    saved += size(&item) + 1;
                }
                dropped.push(format!("{} of {before} {}", before - items.len(), name(&path)));
            }
            Value::Object(members) => {
                let before = members.len();
                let mut saved = 0;
                while saved <= excess
                    && let Some((key, item)) =
                        members.iter().next_back().map(|(key, item)| (key.clone(), size(item)))
                {
                    saved += key.len() + item + 4;
                    members.shift_remove(&key);
                }
                dropped.push(format!("{} of {before} members of {}", before - members.len(), name(&path)));
            }
            Value::String(text) => {
                let (head, rest) = cut_text(text, text.len().saturating_sub(excess + 1));
                dropped.push(format!("{rest} bytes of {}", name(&path)));
                *text = head.to_owned();
            }
            _ => break,
        }
    }
    dropped
}

fn name(path: &str) -> &str {
    path.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or(path)
}

/// The JSON pointer of the array or string that takes most bytes.
fn heaviest(value: &Value, path: String) -> Option<(String, usize)> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) if map.len() > LARGE_MAP => return Some((path, size(value))),
        Value::Object(map) => map.iter().map(|(key, value)| (escape(key), value)).collect(),
        Value::Array(items) if items.len() == 1 => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        Value::Array(items) => return (!items.is_empty()).then(|| (path, size(value))),
        Value::String(text) => return (!text.is_empty()).then_some((path, text.len())),
        _ => return None,
    };
    children
        .into_iter()
        .filter_map(|(key, value)| heaviest(value, format!("{path}/{key}")))
        .max_by_key(|(_, size)| *size)
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Bytes of the value as JSON, counted without writing it anywhere.
pub(super) fn size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // a value that is JSON already is always written
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn asking_for_more_ends_at_the_hard_cap() {
        let budget = Budget { rows: 100, bytes: 20_000 };
        assert_eq!(budget.asked(None), budget);
        assert_eq!(budget.asked(Some(10)), Budget { rows: 10, bytes: 20_000 });
        assert_eq!(budget.asked(Some(200)), Budget { rows: 200, bytes: 40_000 });
        assert_eq!(budget.asked(Some(u32::MAX)), HARD_CAP);
    }

    #[test]
    fn what_is_cut_is_counted() {
        assert_eq!(cut_text("one\ntwo\nthree", 9), ("one\ntwo", 6));
        let mut structure = json!({"rows": vec!["0123456789"; 100], "kept": 1});
        let dropped = cut_structure(&mut structure, 600);
        assert!(size(&structure) <= 600);
        assert_eq!(dropped.len(), 1, "{dropped:?}");
        assert!(dropped[0].ends_with("of 100 rows"), "{dropped:?}");
        let members: serde_json::Map<String, Value> =
            (0..4_000).map(|n| (format!("k{n}"), "v".repeat(200).into())).collect();
        let mut map = json!({"manifest": {"data": members}});
        assert_eq!(cut_structure(&mut map, 10_000).len(), 1);
        assert!(size(&map) <= 10_000);
        let mut text = json!({"manifest": "line\n".repeat(1000)});
        assert!(!cut_structure(&mut text, 100).is_empty() && size(&text) <= 100);
    }
}
