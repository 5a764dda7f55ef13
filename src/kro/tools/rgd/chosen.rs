//! Which fields of a schema are told.

use crate::{
    Error,
    answer::{Cut, sanitise},
    kro::schema::{Field, Fields},
    nearest,
};

/// Paths that are named in place of one that is not there.
const CANDIDATES: usize = 8;

/// The fields that are told, and how many more match.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) fields: Vec<Field>,
    pub(super) hidden: usize,
}

impl Chosen {
    /// Those below a path, as many as the budget has rows.
    pub(super) fn of(all: Fields, below: Option<&str>, rows: usize) -> Result<Self, Error> {
        let mut fields = all.rows;
        if let Some(path) = below {
            let is_whole = path == "spec" || path.starts_with("spec.") || path.starts_with("spec[");
            let wanted = if is_whole { path.to_owned() } else { format!("spec.{path}") };
            let is_below = |field: &Field| {
                let rest = field.path.strip_prefix(&wanted);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
            };
            if !fields.iter().any(is_below) {
                let near =
                    nearest::names(&wanted, fields.iter().map(|field| field.path.as_str()), CANDIDATES);
                let written = sanitise::short(path, 80);
                let what = format!("the argument \"field\": the schema has no field {written:?}");
                return Err(Error::invalid_input(what).candidates(near));
            }
            fields.retain(is_below);
        }
        let hidden = fields.len().saturating_sub(rows) + all.left_out;
        fields.truncate(rows);
        Ok(Self { fields, hidden })
    }
}

/// What to say of those that are not told.
pub(super) fn cut(told: usize, hidden: usize) -> Option<Cut> {
    (hidden > 0).then(|| Cut {
        what: format!("fields 1 to {told} of {}", told + hidden),
        narrow: "name a path as field".to_owned(),
        next_cursor: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kro::schema::fields;
    use serde_json::json;

    #[test]
    fn fields_are_narrowed_to_a_path_and_to_the_budget() {
        let schema = json!({"properties": {"image": {"type": "string"}, "ports": {"type": "array", "items":
            {"type": "object", "properties": {"a": {}, "b": {}}}}, "portsX": {}}});
        let chosen = |below: Option<&str>, rows: usize| {
            let chosen = Chosen::of(fields("spec", &schema), below, rows).map_err(|error| error.text())?;
            Ok::<_, String>((
                chosen.fields.into_iter().map(|field| field.path).collect::<Vec<_>>(),
                chosen.hidden,
            ))
        };
        let told = |paths: &[&str], hidden| Ok((paths.iter().map(ToString::to_string).collect(), hidden));
        assert_eq!(chosen(Some("ports"), 9), told(&["spec.ports", "spec.ports[].a", "spec.ports[].b"], 0));
        assert_eq!(chosen(Some("spec.ports[].a"), 9), told(&["spec.ports[].a"], 0));
        assert_eq!(chosen(None, 2), told(&["spec.image", "spec.ports"], 3));
        assert!(chosen(Some("imge"), 9).expect_err("none").contains("Possible: spec.image"));
        assert_eq!(cut(2, 3).map(|cut| cut.what), Some("fields 1 to 2 of 5".to_owned()));
    }
}
