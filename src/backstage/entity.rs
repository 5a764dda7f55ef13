//! [`EntityReference`]: whom Backstage means, and [`Template`]: how others know them.

/// Characters of a name, of a namespace and of a kind (`KubernetesValidatorFunctions`).
const LONGEST: usize = 63;

/// `KIND:NAMESPACE/NAME`, in lower case, as tokens and ownership have it (`@backstage/catalog-model`,
/// `stringifyEntityRef`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityReference {
    /// `user` or `group`, among others.
    pub kind: String,
    /// Otherwise `default`.
    pub namespace: String,
    /// Unique within kind and namespace.
    pub name: String,
}

impl EntityReference {
    /// Of a whole reference; nothing is filled in, and nothing is mended.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (namespace, name) = rest.split_once('/')?;
        let all = [kind, namespace, name];
        all.into_iter().all(is_name).then(|| {
            let [kind, namespace, name] = all.map(str::to_owned);
            Self { kind, namespace, name }
        })
    }
}

impl EntityReference {
    /// As Backstage reads references that people write: in any case, of the namespace `default` where none is named
    /// (`parseEntityRef`, `stringifyEntityRef`). A sign-in resolver may issue tokens with such.
    pub fn canonical(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (kind, rest) = text.split_once(':')?;
        match rest.contains('/') {
            true => Self::parse(&text),
            false => Self::parse(&format!("{kind}:default/{rest}")),
        }
    }
}

impl std::fmt::Display for EntityReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

fn is_name(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits)
}

/// A name with `{name}`, and perhaps `{namespace}`, in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// As it is configured.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name of an entity; nothing for those of a namespace that is not told apart from `default`.
    pub fn name(&self, entity: &EntityReference) -> Option<String> {
        let told = self.0.contains("{namespace}");
        (told || entity.namespace == "default")
            .then(|| self.0.replace("{namespace}", &entity.namespace).replace("{name}", &entity.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entity_has_several_spellings() {
        for written in ["user:default/alice", "User:default/Alice", "user:alice", "USER:DEFAULT/ALICE"] {
            let read = EntityReference::canonical(written).map(|entity| entity.to_string());
            assert_eq!(read.as_deref(), Some("user:default/alice"), "{written}");
        }
        for odd in
            ["", "alice", "default/alice", "user:", "user:/alice", "user:a:b", "user:a/b/c", "user:\u{130}"]
        {
            assert_eq!(EntityReference::canonical(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_reference_is_whole_or_none() {
        let alice = EntityReference::parse("user:default/alice").expect("a reference");
        assert_eq!((alice.kind.as_str(), alice.to_string().as_str()), ("user", "user:default/alice"));
        for odd in [
            "",
            "alice",
            "user:alice",
            "default/alice",
            "user:default/",
            "user:/alice",
            ":default/alice",
            "user:default/a/b",
            "user:default/Alice",
            "User:default/alice",
            "user:default/a b",
            "user:default/a\nb",
            "user:default/ä",
            "user:default/{namespace}",
        ] {
            assert_eq!(EntityReference::parse(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn names_of_two_namespaces_are_not_taken_for_one() {
        let of = |template: &str, reference: &str| {
            Template::new(template).name(&EntityReference::parse(reference).expect("a reference"))
        };
        assert_eq!(of("{name}@example.com", "user:default/alice").as_deref(), Some("alice@example.com"));
        assert_eq!(of("{name}@example.com", "user:other/alice"), None);
        assert_eq!(of("{namespace}/{name}", "user:other/alice").as_deref(), Some("other/alice"));
    }
}
