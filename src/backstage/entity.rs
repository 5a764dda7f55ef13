//! [`EntityReference`]: whom Backstage means.

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

    /// Whether a character may be in a part of one.
    pub(super) fn may_have(character: char) -> bool {
        character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '-' | '_' | '.')
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
    !text.is_empty() && text.len() <= LONGEST && text.chars().all(EntityReference::may_have)
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
}
