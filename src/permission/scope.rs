//! [`Scope`]: what a call touches. [`Within`]: what a grant is narrowed to.

/// The part of one dimension (clusters, namespaces, …) that a call touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Nothing in this dimension: a cluster-scoped object has no namespace.
    #[default]
    None,
    /// Wherever the caller may: a list over all namespaces, to be filtered row by row.
    Anywhere,
    /// This one, by any of these equivalent names.
    Named(Vec<String>),
}

impl Extent {
    /// One value with one name.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named(vec![name.into()])
    }

    /// A value where there is one, else nothing: `metadata.namespace` of an object.
    pub fn of(name: Option<&str>) -> Self {
        name.map_or(Self::None, Self::named)
    }

    fn shown(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Anywhere => Some("*"),
            Self::Named(names) => names.first().map(String::as_str),
        }
    }
}

/// What one call, or one row of an answer, touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Kubernetes cluster.
    pub cluster: Extent,
    /// Namespace in it.
    pub namespace: Extent,
    /// Palette environment.
    pub environment: Extent,
    /// Palette project.
    pub project: Extent,
}

impl Scope {
    /// A call that touches no upstream.
    pub fn nowhere() -> Self {
        Self::default()
    }

    /// Everything that is open to the caller: for tools about the caller themself.
    pub const ANYWHERE: Self = Self {
        cluster: Extent::Anywhere,
        namespace: Extent::Anywhere,
        environment: Extent::Anywhere,
        project: Extent::Anywhere,
    };

    /// A cluster, and a namespace in it or [`Extent::None`] for what is cluster-scoped.
    pub fn cluster(cluster: Extent, namespace: Extent) -> Self {
        Self { cluster, namespace, ..Self::default() }
    }

    fn dimensions(&self) -> [(&'static str, &Extent); 4] {
        [
            ("cluster", &self.cluster),
            ("namespace", &self.namespace),
            ("environment", &self.environment),
            ("project", &self.project),
        ]
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<String> = self
            .dimensions()
            .into_iter()
            .filter_map(|(name, extent)| Some(format!("{name} {}", extent.shown()?)))
            .collect();
        if shown.is_empty() { f.write_str("no scope") } else { f.write_str(&shown.join(", ")) }
    }
}

/// What a grant or a denial is narrowed to. An absent dimension is not narrowed; a named one is a
/// list of patterns in which `*` stands for any characters.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Within {
    /// Clusters, by `name` or `source/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Vec<String>>,
    /// Namespaces. What is cluster-scoped (an RGD, a Namespace) is in none, and so not covered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// Palette environments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
    /// Palette projects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<String>>,
}

/// `everywhere`, or as `clusters dev, prod and namespaces team-*`.
impl std::fmt::Display for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = ["clusters", "namespaces", "environments", "projects"];
        let narrowed = names.iter().zip(self.narrowed());
        let shown: Vec<String> = narrowed
            .filter_map(|(name, patterns)| Some(format!("{name} {}", patterns?.join(", "))))
            .collect();
        if shown.is_empty() { f.write_str("everywhere") } else { f.write_str(&shown.join(" and ")) }
    }
}

/// How much of a scope a [`Within`] covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cover {
    /// Nothing of it.
    Nothing,
    /// Some of what the scope leaves open.
    Part,
    /// All of it.
    Whole,
}

impl Within {
    pub(super) fn covers(&self, scope: &Scope) -> Cover {
        self.narrowed()
            .into_iter()
            .zip(scope.dimensions())
            .map(|(patterns, (_, extent))| match (patterns, extent) {
                (None, _) => Cover::Whole,
                (Some(_), Extent::None) => Cover::Nothing,
                (Some(patterns), Extent::Anywhere) if patterns.iter().any(|pattern| pattern == "*") => {
                    Cover::Whole
                }
                (Some([]), Extent::Anywhere) => Cover::Nothing,
                (Some(_), Extent::Anywhere) => Cover::Part,
                (Some(patterns), Extent::Named(names)) => {
                    let hit = names.iter().any(|name| patterns.iter().any(|pattern| matches(pattern, name)));
                    if hit { Cover::Whole } else { Cover::Nothing }
                }
            })
            .min()
            .unwrap_or(Cover::Whole)
    }

    /// Whether something of `scope` within this is outside of all `denials`.
    pub(super) fn is_left(&self, denials: &[&Self], scope: &Scope) -> bool {
        if denials.is_empty() {
            return true;
        }
        let denials: Vec<_> = denials.iter().map(|denial| denial.narrowed()).collect();
        let denials: Vec<_> = denials.iter().map(<[_; 4]>::as_slice).collect();
        left(&self.narrowed(), &scope.dimensions(), &denials)
    }

    fn narrowed(&self) -> [Narrowed<'_>; 4] {
        [&self.clusters, &self.namespaces, &self.environments, &self.projects].map(Option::as_deref)
    }

    /// Whether nothing narrows it.
    pub fn is_everywhere(&self) -> bool {
        *self == Self::default()
    }
}

/// The patterns of one dimension, where it is narrowed.
type Narrowed<'w> = Option<&'w [String]>;

/// Whether something of a scope that is given is not denied: dimension by dimension, the denials stay
/// that reach all of it. A list is looked at pattern by pattern, since several denials may share it.
fn left(given: &[Narrowed<'_>], scope: &[(&str, &Extent)], denials: &[&[Narrowed<'_>]]) -> bool {
    let (Some((given, given_below)), Some(((dimension, extent), scope_below)), false) =
        (given.split_first(), scope.split_first(), denials.is_empty())
    else {
        return denials.is_empty();
    };
    let below = |reaches: &dyn Fn(&[String]) -> bool| {
        let staying = denials.iter().filter_map(|denial| {
            let (narrowed, rest) = denial.split_first()?;
            narrowed.is_none_or(reaches).then_some(rest)
        });
        left(given_below, scope_below, &staying.collect::<Vec<_>>())
    };
    let reaches_one = |patterns: &[String], name: &str| patterns.iter().any(|pattern| matches(pattern, name));
    match (extent, given) {
        (Extent::None, _) => below(&|_| false),
        (Extent::Named(names), _) => below(&|patterns| names.iter().any(|name| reaches_one(patterns, name))),
        (Extent::Anywhere, Some(parts)) => {
            parts.iter().any(|part| below(&|patterns| reaches_one(patterns, part)))
        }
        // `*` is every name, and what is in no namespace (or project) has none
        (Extent::Anywhere, None) => {
            let always_named = matches!(*dimension, "cluster" | "environment");
            below(&|patterns| always_named && patterns.iter().any(|pattern| pattern == "*"))
        }
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters and nothing else is special.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_words() {
        let names = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        let within =
            Within { clusters: names(&["dev", "prod"]), namespaces: names(&["a-*"]), ..Within::default() };
        assert_eq!(within.to_string(), "clusters dev, prod and namespaces a-*");
        assert_eq!(Within::default().to_string(), "everywhere");
    }

    #[test]
    fn a_star_is_the_only_wildcard() {
        for (pattern, text) in [
            ("*", ""),
            ("a*", "a"),
            ("team-*", "team-a"),
            ("*-prod", "x-prod"),
            ("a*b*c", "a1b2c"),
            ("a**", "ab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a", "ab"), ("team-*", "team"), ("a*b", "ac"), ("ab*b", "ab"), ("a?", "ab"), ("", "a")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
