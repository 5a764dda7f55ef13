//! What rules let an account do, in words for whoever has to agree to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Resources that are named; of more, how many.
const NAMED: usize = 4;
/// Verbs by which the content of a Secret is had.
const READS: [&str; 4] = ["get", "list", "watch", "*"];

/// `get, list, watch of 61 resources; no Secrets`
pub(super) fn granted(rules: &Value) -> String {
    let mut by_verbs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut secrets = false;
    for rule in rules.as_array().into_iter().flatten() {
        let texts = |name: &str| -> Vec<&str> {
            rule.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let (groups, resources, verbs) = (texts("apiGroups"), texts("resources"), texts("verbs"));
        secrets |= groups.iter().any(|group| ["", "*"].contains(group))
            && resources.iter().any(|resource| ["secrets", "*"].contains(resource))
            && verbs.iter().any(|verb| READS.contains(verb));
        let named = by_verbs.entry(verbs.join(", ")).or_default();
        for group in groups {
            named.extend(resources.iter().map(|resource| match (group, *resource) {
                ("*", "*") => "everything".to_owned(),
                ("", resource) => resource.to_owned(),
                (group, resource) => format!("{resource}.{group}"),
            }));
        }
    }
    let told = by_verbs.into_iter().map(|(verbs, named)| match named.len() {
        many if many > NAMED => format!("{verbs} of {many} resources"),
        _ => format!("{verbs} of {}", named.into_iter().collect::<Vec<_>>().join(", ")),
    });
    let told = told.collect::<Vec<_>>().join("; ");
    format!("{told}; {}", if secrets { "SECRETS TOO" } else { "no Secrets" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_agrees_is_told_of_secrets() {
        let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
        let read = ["get", "list"];
        assert_eq!(granted(&json!([rule("", &["pods"], &["get"])])), "get of pods; no Secrets");
        assert_eq!(granted(&json!([rule("*", &["*"], &read)])), "get, list of everything; SECRETS TOO");
        assert_eq!(granted(&json!([rule("", &["secrets"], &["*"])])), "* of secrets; SECRETS TOO");
        assert_eq!(granted(&json!([rule("", &["secrets"], &["create"])])), "create of secrets; no Secrets");
        assert_eq!(
            granted(&json!([rule("", &["a", "b", "c", "d"], &read), rule("apps", &["e"], &read)])),
            "get, list of 5 resources; no Secrets"
        );
        assert_eq!(
            granted(&json!([rule("vault.io", &["secrets"], &read)])),
            "get, list of secrets.vault.io; no Secrets"
        );
    }
}
