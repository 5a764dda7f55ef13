//! [`Template`]: as whom others know the users and groups of Backstage. [`Names`]: which clusters by which.

use super::EntityReference;

const NAME: &str = "{name}";
const NAMESPACE: &str = "{namespace}";
/// The namespace of entities that name none (`@backstage/catalog-model`, `DEFAULT_NAMESPACE`).
const DEFAULT: &str = "default";
/// What the names of Kubernetes's own begin with; no template does.
const KUBERNETES: &str = "system:";

/// A text with `{name}` in it once, and perhaps `{namespace}`.
///
/// No two entities of a kind have one name by it. What stands before, between and after the two is fixed; and
/// between them is a character that no part of a reference has, so where the one ends and the other begins can be
/// told. Without `{namespace}`, entities of the namespace `default` alone have a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    namespaces: bool,
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    /// All would have one name.
    #[error("must have {{name}} in it, or all would be one: as \"{{name}}@example.com\"")]
    Nameless,
    /// There is no such placeholder.
    #[error("has another placeholder than {{name}} and {{namespace}}, each at most once")]
    Placeholder,
    /// Two entities could have one name.
    #[error(
        "must have a character between {{namespace}} and {{name}} that neither can have, as / : @ or +, or two \
         would be one"
    )]
    Ambiguous,
    /// It would be a name of Kubernetes's own.
    #[error("must not begin with \"system:\", which is Kubernetes's own")]
    System,
    /// No header carries it unchanged.
    #[error("must have no control characters, and no space around it")]
    Space,
}

/// What some clusters know users and groups as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Patterns of the names of those clusters; `None`: all.
    pub clusters: Option<Vec<String>>,
    /// Of a user.
    pub username: Template,
    /// Of each of their groups, where they are shown.
    pub groups: Option<Template>,
}

impl Template {
    /// Reads what is configured.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, TemplateProblem> {
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err(TemplateProblem::Space);
        }
        if text.starts_with(KUBERNETES) {
            return Err(TemplateProblem::System);
        }
        let Some((before, after)) = text.split_once(NAME) else { return Err(TemplateProblem::Nameless) };
        let told =
            |part: &str| part.split_once(NAMESPACE).map(|(near, far)| (near.to_owned(), far.to_owned()));
        let (between, rest) = match (told(before), told(after)) {
            (Some((start, between)), None) => (Some(between), [start, after.to_owned()]),
            (None, Some((between, end))) => (Some(between), [before.to_owned(), end]),
            (None, None) => (None, [before.to_owned(), after.to_owned()]),
            (Some(_), Some(_)) => return Err(TemplateProblem::Placeholder),
        };
        if between.iter().chain(&rest).any(|text| text.contains(['{', '}'])) {
            return Err(TemplateProblem::Placeholder);
        }
        if between.as_ref().is_some_and(|text| text.chars().all(EntityReference::may_have)) {
            return Err(TemplateProblem::Ambiguous);
        }
        Ok(Self { text: text.to_owned(), namespaces: between.is_some() })
    }

    /// The name of an entity; nothing for those of a namespace that is not told apart from `default`.
    pub fn name(&self, entity: &EntityReference) -> Option<String> {
        let told = self.namespaces || entity.namespace == DEFAULT;
        // no part of a reference has braces
        told.then(|| self.text.replacen(NAMESPACE, &entity.namespace, 1).replacen(NAME, &entity.name, 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_template_names_no_two_as_one_and_nobody_of_kubernetes() {
        for (text, problem) in [
            ("", TemplateProblem::Nameless),
            ("alice@example.com", TemplateProblem::Nameless),
            ("{namespace}", TemplateProblem::Nameless),
            ("{Name}", TemplateProblem::Nameless),
            ("{name}{kind}", TemplateProblem::Placeholder),
            ("{name}{name}", TemplateProblem::Placeholder),
            ("{{name}}", TemplateProblem::Placeholder),
            ("{namespace}/{name}/{namespace}", TemplateProblem::Placeholder),
            ("{namespace}:{namespace}/{name}", TemplateProblem::Placeholder),
            ("{name}}", TemplateProblem::Placeholder),
            ("{namespace}{name}", TemplateProblem::Ambiguous),
            ("{namespace}-{name}", TemplateProblem::Ambiguous),
            ("{name}.of_1-a.{namespace}@example.com", TemplateProblem::Ambiguous),
            ("system:{name}", TemplateProblem::System),
            (" {name}", TemplateProblem::Space),
            ("{name}\n", TemplateProblem::Space),
            ("a\u{0}{name}", TemplateProblem::Space),
        ] {
            assert_eq!(Template::parse(text), Err(problem), "{text:?}");
        }
    }

    #[test]
    fn no_two_entities_have_one_name() {
        // every reference of up to three characters out of these, which are all that could be taken for another
        let letters = ["a", "-", "_", ".", "0"];
        let words: Vec<String> = letters
            .iter()
            .flat_map(|one| letters.iter().map(move |two| format!("{one}{two}")))
            .chain(letters.iter().map(|one| (*one).to_owned()))
            .chain(["default", "name", "namespace", "system"].map(str::to_owned))
            .collect();
        for text in [
            "{name}",
            "{name}@example.com",
            "a{name}a",
            "{namespace}/{name}",
            "{name}@{namespace}.example.com",
            "a{namespace}-:-{name}a",
            "{name}+{namespace}",
        ] {
            let template = Template::parse(text).expect(text);
            let mut named: HashMap<String, String> = HashMap::new();
            for namespace in &words {
                for name in &words {
                    let reference = format!("user:{namespace}/{name}");
                    let entity = EntityReference::parse(&reference).expect("a reference");
                    let Some(shown) = template.name(&entity) else {
                        assert!(
                            namespace != "default" && !text.contains("{namespace}"),
                            "{text}: {reference}"
                        );
                        continue;
                    };
                    let other = named.insert(shown.clone(), reference.clone());
                    assert_eq!(other, None, "{text}: {shown} is {reference} too");
                }
            }
        }
    }

    #[test]
    fn users_of_another_namespace_are_nobody_where_namespaces_are_not_told() {
        let of = |template: &str, reference: &str| {
            let template = Template::parse(template).expect("a template");
            template.name(&EntityReference::parse(reference).expect("a reference"))
        };
        assert_eq!(of("{name}@example.com", "user:default/alice").as_deref(), Some("alice@example.com"));
        assert_eq!(of("{name}@example.com", "user:other/alice"), None);
        assert_eq!(of("{namespace}/{name}", "user:other/alice").as_deref(), Some("other/alice"));
        assert_eq!(of("{name}@{namespace}", "group:name/namespace").as_deref(), Some("namespace@name"));
    }
}
