//! [`Clusters`]: the registry of all clusters that the sources found.

use std::{collections::HashMap, sync::Arc};

use super::cluster::Cluster;

/// Every cluster that is known, by name.
#[derive(Debug, Default)]
pub struct Clusters {
    all: Vec<Arc<Cluster>>,
    claims: HashMap<String, usize>,
    default: Option<String>,
}

/// What a cluster's name stands for.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// This one.
    One(Arc<Cluster>),
    /// Several sources have it: the qualified names.
    Several(Vec<String>),
    /// None.
    None,
}

impl Clusters {
    /// Joins what the sources found. `default` is the qualified name of the cluster that is meant
    /// where none is named.
    pub fn new(mut found: Vec<Cluster>, default: Option<String>) -> Self {
        found.sort_by(|a, b| a.name().cmp(b.name()).then(a.source().cmp(&b.source())));
        let mut claims = HashMap::new();
        for cluster in &found {
            *claims.entry(cluster.name().to_owned()).or_insert(0) += 1;
        }
        Self { all: found.into_iter().map(Arc::new).collect(), claims, default }
    }

    /// The same, with the connections and the discovery of those that were known before.
    #[must_use]
    pub fn keeping(mut self, before: &Self) -> Self {
        for cluster in &mut self.all {
            if let Some(same) = before.all.iter().find(|old| old.is_same(cluster)) {
                *cluster = Arc::clone(same);
            }
        }
        self
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.all.iter()
    }

    /// The cluster that is called `name` or, qualified, `source/name`. Names may hold slashes
    /// themselves (an EKS ARN does), so nothing is split.
    pub fn lookup(&self, name: &str) -> Lookup {
        if let Some(cluster) = self.all.iter().find(|cluster| cluster.qualified_name() == name) {
            return Lookup::One(Arc::clone(cluster));
        }
        let claiming: Vec<&Arc<Cluster>> = self.all.iter().filter(|cluster| cluster.name() == name).collect();
        match claiming.as_slice() {
            [] => Lookup::None,
            [one] => Lookup::One(Arc::clone(one)),
            several => Lookup::Several(several.iter().map(|cluster| cluster.qualified_name()).collect()),
        }
    }

    /// The cluster meant where none is named: the configured default if `sees` it, else the only
    /// one that it sees.
    pub fn default_for(&self, sees: &impl Fn(&Cluster) -> bool) -> Lookup {
        let mut visible = self.all.iter().filter(|cluster| sees(cluster));
        let named = self.default.as_deref();
        if let Some(cluster) = self.all.iter().find(|c| Some(c.qualified_name().as_str()) == named)
            && sees(cluster)
        {
            return Lookup::One(Arc::clone(cluster));
        }
        match (visible.next(), visible.next()) {
            (Some(only), None) => Lookup::One(Arc::clone(only)),
            _ => Lookup::None,
        }
    }

    /// The shortest name that is not ambiguous.
    pub fn shown_name(&self, cluster: &Cluster) -> String {
        if self.claims.get(cluster.name()).copied().unwrap_or_default() > 1 {
            cluster.qualified_name()
        } else {
            cluster.name().to_owned()
        }
    }

    /// Whether it is the one meant where none is named.
    pub fn is_default(&self, cluster: &Cluster) -> bool {
        self.default.as_deref() == Some(cluster.qualified_name().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cluster::Source, fault::Fault};
    use super::*;

    fn cluster(source: Source, name: &str) -> Cluster {
        Cluster::new(name, source, "default", || async { Err(Fault::Gone) })
    }

    #[test]
    fn a_name_that_two_sources_claim_must_be_qualified() {
        let arn = "arn:aws:eks:eu:1:cluster/x";
        let clusters = Clusters::new(
            vec![
                cluster(Source::Static, "dev"),
                cluster(Source::Kubeconfig, "dev"),
                cluster(Source::Kubeconfig, arn),
            ],
            Some("kubeconfig/dev".to_owned()),
        );
        assert!(
            matches!(clusters.lookup("dev"), Lookup::Several(names) if names == ["kubeconfig/dev", "static/dev"])
        );
        assert!(matches!(clusters.lookup("static/dev"), Lookup::One(c) if c.source() == Source::Static));
        assert!(matches!(clusters.lookup(arn), Lookup::One(_)));
        assert!(matches!(clusters.lookup("prod"), Lookup::None));
        let shown: Vec<String> = clusters.iter().map(|c| clusters.shown_name(c)).collect();
        assert_eq!(shown, [arn, "kubeconfig/dev", "static/dev"]);
    }

    #[test]
    fn what_is_configured_as_before_is_kept() {
        let made = |name: &str, of: u8| cluster(Source::Static, name).made_of(Some([of; 32]));
        let before = Clusters::new(vec![made("a", 1), made("b", 1), cluster(Source::Static, "c")], None);
        let shown = made("d", 1).with_identity(Some(super::super::Identity::Own));
        let found = vec![made("a", 1), made("b", 2), cluster(Source::Static, "c"), shown];
        let after = Clusters::new(found, None).keeping(&before);
        let kept = |name: &str| match (before.lookup(name), after.lookup(name)) {
            (Lookup::One(old), Lookup::One(new)) => Some(Arc::ptr_eq(&old, &new)),
            _ => None,
        };
        assert_eq!(
            [kept("a"), kept("b"), kept("c"), kept("d")],
            [Some(true), Some(false), Some(false), None]
        );
        let owner = Clusters::new(vec![made("d", 1)], None);
        let shown = made("d", 1).with_identity(Some(super::super::Identity::Impersonate));
        let after = Clusters::new(vec![shown], None).keeping(&owner);
        let identity = after.iter().next().and_then(|cluster| cluster.identity());
        assert_eq!(
            identity,
            Some(super::super::Identity::Impersonate),
            "another identity is another cluster"
        );
    }

    #[test]
    fn the_default_must_be_visible_and_a_single_one_is_meant() {
        let clusters = Clusters::new(
            vec![cluster(Source::Static, "a"), cluster(Source::Static, "b")],
            Some("static/a".into()),
        );
        assert!(matches!(clusters.default_for(&|_| true), Lookup::One(c) if c.name() == "a"));
        assert!(matches!(clusters.default_for(&|c| c.name() == "b"), Lookup::One(c) if c.name() == "b"));
        assert!(matches!(clusters.default_for(&|_| false), Lookup::None));
    }
}
