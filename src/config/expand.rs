//! `${VARIABLE}` in string values. Done on the tree and not on the text, so that no value of a
//! variable can add a key or end a string.

use super::{
    node::{Node, Value},
    problem::Wrong,
};

/// Puts variables into every string below `node`. Keys are left alone.
pub(super) fn variables(node: &mut Node, variable: &dyn Fn(&str) -> Option<String>) -> Result<(), Wrong> {
    let line = node.line;
    match &mut node.value {
        Value::Text { text, expanded } if text.contains("${") => {
            *text = expand(text, variable).map_err(|wrong| wrong.on_line(line))?;
            *expanded = true;
            Ok(())
        }
        Value::List(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, item)| variables(item, variable).map_err(|wrong| wrong.in_item(index))),
        Value::Map(members) => members.iter_mut().try_for_each(|member| {
            variables(&mut member.value, variable).map_err(|wrong| wrong.below(&member.key))
        }),
        _ => Ok(()),
    }
}

/// `$${` is a literal `${`. A variable that is empty counts as unset, as in a shell's `:-`.
fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Wrong> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(literal) = before.strip_suffix('$') {
            expanded.push_str(literal);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let Some((inside, after)) = after.split_once('}') else {
            return Err(Wrong::new("a \"${\" is not closed (write \"$${\" for the two letters)"));
        };
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Wrong::new("between \"${\" and \"}\" stands no name of an environment variable"));
        }
        match (variable(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => expanded.push_str(&value),
            (None, Some(default)) => expanded.push_str(default),
            (None, None) => {
                return Err(Wrong::new(format!(
                    "the environment variable {name} is not set (or give a default: ${{{name}:-…}})"
                )));
            }
        }
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_defaults_and_literals() {
        let variable = |name: &str| match name {
            "HOST" => Some("a.example".to_owned()),
            "ODD" => Some("x\nroles: {} ${HOST} }".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("https://${HOST}:${PORT:-6443}/", "https://a.example:6443/"),
            ("${EMPTY:-none}", "none"),
            ("$HOST $$ 5$", "$HOST $$ 5$"),
            ("$${HOST}", "${HOST}"),
            ("${ODD}", "x\nroles: {} ${HOST} }"),
            ("${UNSET:-}", ""),
        ] {
            assert_eq!(expand(text, &variable).expect(text), expected, "{text}");
        }
        for (text, said) in
            [("a ${UNSET} b", "variable UNSET is not set"), ("${HOST", "not closed"), ("${a b}", "no name")]
        {
            let error = expand(text, &variable).expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
