//! [`Fields`]: what is kept of an object. Applied to what was redacted already.

use serde_json::{Map, Value};

use crate::Error;

/// Paths of one call.
const MOST: usize = 50;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    /// Every member of a list or an object.
    Each,
    Index(usize),
}

/// Paths, as they were written and taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, Vec<Step>)>);

impl Fields {
    /// # Errors
    /// The first that is none, with the forms there are.
    pub(super) fn parse(written: &[String]) -> Result<Self, Error> {
        if written.is_empty() || written.len() > MOST {
            return Err(Error::invalid_input(format!("the argument \"fields\" must have 1 to {MOST} paths")));
        }
        let several = |path: &&String| path.contains(',') && !path.contains(['"', '\'', '\\']);
        if let Some(path) = written.iter().find(several) {
            let list: Vec<&str> = path.split(',').map(str::trim).collect();
            let path = crate::answer::sanitise::short(path, 100);
            let error =
                Error::invalid_input(format!("{path:?} in \"fields\" is several paths, and a list is meant"));
            return Err(error.next(format!("give each apart: fields: {list:?}")));
        }
        let paths = written.iter().map(|path| {
            let steps = steps(path).ok_or_else(|| {
                let path = crate::answer::sanitise::short(path, 100);
                Error::invalid_input(format!("{path:?} in \"fields\" is no path")).candidates([
                    "metadata.name",
                    "spec.containers[].image",
                    "spec.containers[0].name",
                    "metadata.annotations[\"a.b/c\"]",
                    "status.*.phase",
                ])
            })?;
            Ok((path.clone(), steps))
        });
        paths.collect::<Result<_, Error>>().map(Self)
    }

    /// How a key with dots is written, where that may be why there is nothing.
    pub(super) fn hint(missing: &[&str]) -> &'static str {
        let dotted = missing.iter().any(|path| path.contains('/') && !path.contains(['[', '\\']));
        if dotted { " (a key with dots is written metadata.annotations[\"a.b/c\"])" } else { "" }
    }

    /// What of `value` the paths name, in the shape that it has; nothing where they name nothing.
    pub(super) fn of(&self, value: &Value) -> Value {
        let paths: Vec<&[Step]> = self.0.iter().map(|(_, steps)| steps.as_slice()).collect();
        kept(value, &paths).unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// The paths at which none of these has anything, as they were written.
    pub(super) fn missing<'f>(&'f self, values: &[Value]) -> Vec<&'f str> {
        let nowhere = |steps: &[Step]| values.iter().all(|value| kept(value, &[steps]).is_none());
        self.0.iter().filter(|(_, steps)| nowhere(steps)).map(|(path, _)| path.as_str()).collect()
    }
}

fn kept(value: &Value, paths: &[&[Step]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let rest = |matches: &dyn Fn(&Step) -> bool| -> Vec<&[Step]> {
        let split = paths.iter().filter_map(|path| path.split_first());
        split.filter(|(first, _)| matches(first)).map(|(_, rest)| rest).collect()
    };
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(key, member)| {
                    let paths = rest(&|step| matches!(step, Step::Each) || *step == Step::Key(key.clone()));
                    Some((key.clone(), kept(member, &paths)?))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(members) => {
            let each: Vec<&[Step]> = paths
                .iter()
                .filter_map(|path| match path.split_first()? {
                    (Step::Each, rest) => Some(rest),
                    // the members of a list are meant where it is named alone, as in containers.image
                    (Step::Key(_), _) => Some(*path),
                    (Step::Index(_), _) => None,
                })
                .collect();
            let kept: Vec<Value> = members
                .iter()
                .enumerate()
                .filter_map(|(index, member)| {
                    let mut paths = each.clone();
                    paths.extend(rest(&|step| *step == Step::Index(index)));
                    kept(member, &paths)
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

/// `a.b`, `a[]`, `a[*]`, `a.*`, `a[0]`, `a["b.c"]`, `a['b.c']`, `a\.b`, with a dot before the first or not.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.strip_prefix('.').unwrap_or(path);
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[') {
            let (step, after) = bracketed(bracket)?;
            steps.push(step);
            rest = after;
        } else {
            let (key, after) = plain(rest)?;
            steps.push(if key == "*" { Step::Each } else { Step::Key(key) });
            rest = after;
        }
        rest = match rest.strip_prefix('.') {
            Some("") => return None,
            Some(after) if !after.starts_with('[') => after,
            None if rest.is_empty() || rest.starts_with('[') => rest,
            _ => return None,
        };
    }
    (!steps.is_empty()).then_some(steps)
}

fn bracketed(text: &str) -> Option<(Step, &str)> {
    if let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let (key, after) = text.get(1..)?.split_once(quote)?;
        return Some((Step::Key(key.to_owned()), after.strip_prefix(']')?));
    }
    let (inner, after) = text.split_once(']')?;
    let step = match inner {
        "" | "*" => Step::Each,
        index => Step::Index(index.parse().ok()?),
    };
    Some((step, after))
}

fn plain(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '.' | '[' => return (!key.is_empty()).then(|| (key, text.get(at..).unwrap_or_default())),
            '\\' => key.push(characters.next()?.1),
            ']' | '"' | '\'' | '{' | '}' | '$' | '@' | '?' => return None,
            character => key.push(character),
        }
    }
    Some((key, ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(paths: &[&str]) -> Fields {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        Fields::parse(&paths).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_the_paths_name_is_kept_in_its_shape() {
        let pod = json!({"metadata": {"name": "p", "labels": {"app.kubernetes.io/name": "web", "x": "y"}},
            "spec": {"containers": [{"name": "a", "image": "one"}, {"name": "b", "image": "two"}]},
            "status": {"phase": "Running", "a": {"phase": "x"}}});
        let images = json!({"spec": {"containers": [{"image": "one"}, {"image": "two"}]}});
        for (paths, kept) in [
            (
                &["metadata.name", "status.phase"][..],
                json!({"metadata": {"name": "p"}, "status": {"phase": "Running"}}),
            ),
            (&["spec.containers[].image"], images.clone()),
            (&["spec.containers[*].image"], images.clone()),
            (&[".spec.containers.*.image"], images.clone()),
            (&["spec.containers.image"], images),
            (&["spec.containers[1].name"], json!({"spec": {"containers": [{"name": "b"}]}})),
            (
                &["metadata.labels[\"app.kubernetes.io/name\"]"],
                json!({"metadata": {"labels": {"app.kubernetes.io/name": "web"}}}),
            ),
            (
                &["metadata.labels['app.kubernetes.io/name']"],
                json!({"metadata": {"labels": {"app.kubernetes.io/name": "web"}}}),
            ),
            (
                &["metadata.labels.app\\.kubernetes\\.io/name"],
                json!({"metadata": {"labels": {"app.kubernetes.io/name": "web"}}}),
            ),
            (&["status.*.phase"], json!({"status": {"a": {"phase": "x"}}})),
            (&["metadata", "metadata.name"], json!({"metadata": pod["metadata"]})),
            (&["no.such"], json!({})),
        ] {
            assert_eq!(fields(paths).of(&pod), kept, "{paths:?}");
        }
        let both = fields(&["metadata.name", "spec.nodeName"]);
        assert_eq!(both.missing(&[pod.clone(), json!({})]), ["spec.nodeName"]);
    }

    #[test]
    fn what_is_no_path_is_told_with_those_that_are() {
        for odd in ["a..b", "a.", "[", "a[", "a[x]", "a[\"b]", "{.a}", "$.a", "a[?(@.b)]", "a[0]b", "a\\"] {
            let error = Fields::parse(&[odd.to_owned()]).expect_err(odd);
            assert!(error.text().contains("spec.containers[].image"), "{odd}: {error}");
        }
        assert!(Fields::parse(&[]).is_err());
        let several = Fields::parse(&["data.a,metadata.name".to_owned()]).expect_err("two").text();
        assert!(
            several.contains("is several paths") && several.contains(r#"["data.a", "metadata.name"]"#),
            "{several}"
        );
        assert!(Fields::parse(&["data[\"a,b\"]".to_owned()]).is_ok());
        assert!(Fields::hint(&["metadata.annotations.a.b/c"]).contains("[\"a.b/c\"]"));
    }
}
