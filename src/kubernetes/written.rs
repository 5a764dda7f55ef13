//! Manifests that a caller writes, read without trust: one document, small, an object of Kubernetes.

use serde_json::Value;

use super::{
    field_path::{FieldPath, parts},
    object::Object,
};
use crate::{Error, answer::sanitise, stack::deep};

/// Bytes of a manifest; etcd takes 1.5 MiB, people write a few KiB.
pub const LARGEST: usize = 256 << 10;
/// Values of a manifest.
const MOST_VALUES: usize = 50_000;
/// What anchors may repeat: each repetition costs far more than what is written, before any other bound
/// is met.
const MOST_ALIASES: usize = 100;
const MOST_REPEATED: usize = 5_000;
/// How deep a value is looked into; the reader allows less.
const DEEPEST: usize = 128;
/// Redacted values that are told at once.
const MOST_REDACTED: usize = 12;

/// A manifest in the argument `argument`: YAML or JSON.
///
/// # Errors
/// It is too large, no YAML, several documents, or no object with `apiVersion`, `kind` and
/// `metadata.name`; the error names the argument and the place.
pub fn manifest(argument: &str, text: &str) -> Result<Object, Error> {
    let wrong = |what: String| Error::invalid_input(format!("the argument {argument:?} {what}"));
    let Some(object) = Object::from_value(document(argument, text)?) else {
        return Err(wrong("is no object: it must have apiVersion, kind, metadata and spec".to_owned()));
    };
    let missing = [
        ("apiVersion", object.api_version().is_empty()),
        ("kind", object.kind().is_empty()),
        ("metadata.name", object.name().is_empty()),
    ];
    if let Some((field, _)) = missing.iter().find(|(_, missing)| *missing) {
        return Err(wrong(format!("has no {field}")));
    }
    let named =
        [("apiVersion", object.api_version()), ("kind", object.kind()), ("metadata.name", object.name())];
    match named.iter().find(|(_, text)| text.len() > 253 || !text.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        Some((field, text)) => {
            Err(wrong(format!("has {field} {:?}, which cannot be one", sanitise::short(text, 60))))
        }
        None => Ok(object),
    }
}

/// Any one value in the argument `argument`: YAML or JSON.
///
/// # Errors
/// It is too large, no YAML, or several documents; the error names the argument and the place.
pub fn document(argument: &str, text: &str) -> Result<Value, Error> {
    let wrong = |what: String| Error::invalid_input(format!("the argument {argument:?} {what}"));
    if text.len() > LARGEST {
        let size = text.len();
        return Err(wrong(format!("has {size} bytes; at most {LARGEST} are taken")));
    }
    // how deep the parser goes is the writer's choice
    let read = deep(|| documents(text)).map_err(|_| wrong("could not be read".to_owned()))?;
    let mut documents: Vec<Value> = read.map_err(|error| {
        let place = error.location().map_or(String::new(), |place| format!(" (line {})", place.line()));
        wrong(format!("is not valid YAML: {}{place}", sanitise::short(&error.to_string(), 300)))
    })?;
    match (documents.pop(), documents.len()) {
        (None, _) => Err(wrong("is empty".to_owned())),
        (Some(document), 0) => Ok(document),
        (_, more) => {
            let count = more + 1;
            Err(wrong(format!("holds {count} documents; give one, and call once for each")))
        }
    }
}

/// The documents of a text that somebody else wrote, YAML or JSON; nothing where it is neither, or more than is
/// read.
pub fn foreign(text: &str) -> Option<Vec<Value>> {
    if text.len() > LARGEST {
        return None;
    }
    deep(|| documents(text)).ok()?.ok()
}

/// Where in a value our answers' `<redacted…>` stands in place of what was there, base64 of it too: written
/// back, it would be the value.
pub fn redacted(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    find_redacted(value, &FieldPath::default(), 0, &mut found);
    found
}

fn find_redacted(value: &Value, path: &FieldPath, depth: usize, found: &mut Vec<String>) {
    if depth > DEEPEST || found.len() >= MOST_REDACTED {
        return;
    }
    let marked = |text: &str| text.contains("<redacted") || text.starts_with("PHJlZGFjdGVk");
    if value.as_str().is_some_and(marked) {
        found.push(path.to_string());
    }
    for (step, part) in parts(value) {
        find_redacted(part, &path.then(step), depth + 1, found);
    }
}

fn documents(text: &str) -> Result<Vec<Value>, serde_saphyr::Error> {
    // a snippet in an error could show a secret to a log
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: MOST_VALUES,
            max_events: 4 * MOST_VALUES,
            max_documents: 16,
            max_total_scalar_bytes: 4 * LARGEST,
            max_aliases: MOST_ALIASES,
            max_recorded_anchor_events: MOST_REPEATED,
            max_recorded_anchor_bytes: LARGEST,
        },
        // a chain of them goes deep and costs the square of its length
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MOST_REPEATED,
            max_replay_stack_depth: 8,
            max_alias_expansions_per_anchor: MOST_ALIASES,
        },
    };
    serde_saphyr::from_multiple_with_options(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        manifest("manifest", text).expect_err(text).text()
    }

    #[test]
    fn one_object_in_yaml_or_json_is_taken() {
        let yaml = "apiVersion: a/v1\nkind: B\nmetadata: {name: c}\nspec: {x: 1}\n";
        let json = r#"{"apiVersion":"a/v1","kind":"B","metadata":{"name":"c"},"spec":{"x":1}}"#;
        let read = |text: &str| manifest("manifest", text).expect("an object");
        assert_eq!(read(yaml), read(json));
        assert_eq!(read(&format!("---\n{yaml}")).name(), "c");
    }

    #[test]
    fn anything_else_is_refused_with_the_argument_and_the_reason() {
        for (text, because) in [
            ("", "is empty"),
            ("a: [1", "is not valid YAML"),
            ("just words", "is no object"),
            ("- 1", "is no object"),
            ("kind: A\nmetadata: {name: a}", "has no apiVersion"),
            ("apiVersion: v1\nmetadata: {name: a}", "has no kind"),
            ("apiVersion: v1\nkind: A", "has no metadata.name"),
            ("apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\nkind: B", "holds 2 documents"),
            ("a: 1\na: 2", "is not valid YAML"),
            ("apiVersion: v1\nkind: \"A\\nplan: x\"\nmetadata: {name: a}", "has kind"),
        ] {
            let text = refused(text);
            assert!(text.contains("\"manifest\"") && text.contains(because), "{text}");
        }
        assert!(refused(&"x".repeat(LARGEST + 1)).contains("bytes"));
    }

    #[test]
    fn anchors_that_explode_are_refused_at_once() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let below = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
        }
        let started = std::time::Instant::now();
        assert!(refused(&text).contains("is not valid YAML"));
        assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
    }

    /// Each of these kept a processor busy for seconds, or went through the stack of its thread.
    #[test]
    fn chains_of_anchors_and_merges_are_refused_at_once() {
        let chain = |link: &dyn Fn(usize) -> String, length: usize| -> String {
            let links: String = (1..length).map(link).collect();
            format!(
                "x0: &x0 {{a: 1}}\n{links}apiVersion: a/v1\nkind: B\nmetadata: {{name: c}}\nspec: *x{}\n",
                length - 1
            )
        };
        let merges = chain(&|n| format!("x{n}: &x{n} {{<<: *x{}}}\n", n - 1), 3_000);
        let thrice = chain(&|n| format!("x{n}: &x{n} {{<<: [*x{0}, *x{0}, *x{0}]}}\n", n - 1), 30);
        let nested = chain(&|n| format!("x{n}: &x{n} {{b: *x{0}, c: *x{0}}}\n", n - 1), 60);
        let deep = format!(
            "apiVersion: a/v1\nkind: B\nmetadata: {{name: c}}\nspec: {}1{}\n",
            "[".repeat(2_000),
            "]".repeat(2_000)
        );
        for text in [merges, thrice, nested, deep] {
            let started = std::time::Instant::now();
            assert!(refused(&text).contains("is not valid YAML"));
            assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
        }
    }

    #[test]
    fn an_anchor_that_people_write_is_taken() {
        let text =
            "apiVersion: a/v1\nkind: B\nmetadata: {name: c, labels: &l {app: x}}\nspec: {selector: *l}\n";
        assert!(manifest("manifest", text).is_ok());
    }
}
