//! [`Clusters`]: the registry of all clusters that the sources found.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{cluster::Cluster, registry::State};

/// Every cluster that is known, by name.
#[derive(Debug, Default)]
pub struct Clusters {
    all: Vec<Arc<Cluster>>,
    claims: HashMap<String, usize>,
    /// How many may be called so in short.
    shorts: HashMap<String, usize>,
    default: Option<String>,
    sources: Vec<Arc<State>>,
    /// Why the configured default is none.
    no_default: Option<String>,
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
    pub fn new(found: Vec<Cluster>, default: Option<String>) -> Self {
        Self { default, ..Self::of(found.into_iter().map(Arc::new).collect()) }
    }

    /// Joins what is known of each source. `wanted` is the cluster that is meant where none is named, as it is
    /// configured: by `name` or `source/name`.
    pub(super) fn joined(sources: Vec<Arc<State>>, wanted: Option<&str>) -> Self {
        let all = sources.iter().flat_map(|state| state.clusters().iter().cloned()).collect();
        let mut joined = Self { sources, ..Self::of(all) };
        let own = || joined.sources.iter().find_map(|state| state.default().map(str::to_owned));
        match wanted.map(|wanted| joined.qualified(wanted)) {
            None => joined.default = own(),
            Some(Ok(name)) => joined.default = Some(name),
            Some(Err(problem)) => {
                // a source that was never read may have it
                let sure = joined.sources.iter().all(|state| !state.is_unread());
                joined.no_default = sure.then_some(problem);
            }
        }
        joined
    }

    fn of(mut found: Vec<Arc<Cluster>>) -> Self {
        found.sort_by(|a, b| a.name().cmp(b.name()).then(a.source().cmp(&b.source())));
        let (mut claims, mut shorts) = (HashMap::new(), HashMap::new());
        for cluster in &found {
            *claims.entry(cluster.name().to_owned()).or_insert(0) += 1;
            if let Some(short) = cluster.short() {
                *shorts.entry(short.to_owned()).or_insert(0) += 1;
            }
        }
        Self { all: found, claims, shorts, ..Self::default() }
    }

    /// What is known of each source.
    pub fn sources(&self) -> &[Arc<State>] {
        &self.sources
    }

    /// What the sources lack that hold one of these clusters, a line each.
    pub fn gaps<'c>(&self, clusters: impl IntoIterator<Item = &'c Cluster>) -> Vec<String> {
        let seen: HashSet<String> = clusters.into_iter().map(Cluster::qualified_name).collect();
        let holds = |state: &&Arc<State>| {
            state.clusters().iter().any(|cluster| seen.contains(&cluster.qualified_name()))
        };
        self.sources.iter().filter(holds).filter_map(|state| state.gap()).collect()
    }

    /// What the sources lack that were never read, a line each: they may have any cluster.
    pub fn unread(&self) -> Vec<String> {
        let unread = self.sources.iter().filter(|state| state.is_unread());
        let mut gaps: Vec<String> = unread.filter_map(|state| state.gap()).collect();
        gaps.dedup();
        gaps
    }

    /// What is broken, a line each, for whoever runs the server.
    pub(super) fn problems(&self) -> Vec<String> {
        let broken = |state: &Arc<State>| state.failure().into_iter().chain(state.left_out().to_vec());
        self.sources.iter().flat_map(broken).chain(self.no_default.clone()).collect()
    }

    /// Why the configured default is none.
    pub fn no_default(&self) -> Option<&str> {
        self.no_default.as_deref()
    }

    /// The qualified name of the cluster that is configured as the default.
    fn qualified(&self, wanted: &str) -> Result<String, String> {
        match self.lookup(wanted) {
            Lookup::One(cluster) => Ok(cluster.qualified_name()),
            Lookup::Several(names) => {
                Err(format!("clusters.default: {wanted:?} is ambiguous; write {}", names.join(" or ")))
            }
            Lookup::None => {
                let names = self.all.iter().map(|cluster| cluster.name());
                let near = crate::nearest::name(wanted, names)
                    .map_or(String::new(), |near| format!("; did you mean {near:?}?"));
                Err(format!("clusters.default: no source has a cluster {wanted:?}{near}"))
            }
        }
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.all.iter()
    }

    /// The cluster that is called `name` or, qualified, `source/name`. Names may hold slashes
    /// themselves (an EKS ARN does), so nothing is split. A short name is taken where it is nobody's name.
    pub fn lookup(&self, name: &str) -> Lookup {
        if let Some(cluster) = self.all.iter().find(|cluster| cluster.qualified_name() == name) {
            return Lookup::One(Arc::clone(cluster));
        }
        let claiming: Vec<&Arc<Cluster>> = self.all.iter().filter(|cluster| cluster.name() == name).collect();
        match claiming.as_slice() {
            [] => self.in_short(name),
            [one] => Lookup::One(Arc::clone(one)),
            several => Lookup::Several(several.iter().map(|cluster| cluster.qualified_name()).collect()),
        }
    }

    fn in_short(&self, name: &str) -> Lookup {
        let mut called = self.all.iter().filter(|cluster| cluster.short() == Some(name));
        match (called.next(), called.next()) {
            (None, _) => Lookup::None,
            (Some(one), None) => Lookup::One(Arc::clone(one)),
            (Some(one), Some(other)) => {
                Lookup::Several([one, other].into_iter().chain(called).map(|c| c.qualified_name()).collect())
            }
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
        match cluster.short() {
            Some(short) if self.shorts.get(short) == Some(&1) && !self.claims.contains_key(short) => {
                short.to_owned()
            }
            _ => self.own_name(cluster),
        }
    }

    /// The shortest of the names that permissions know.
    pub fn own_name(&self, cluster: &Cluster) -> String {
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

/// The one that is known already, with its connection and its discovery, where it would be made the same.
pub(super) fn kept(cluster: Cluster, known: &Clusters) -> Arc<Cluster> {
    let same = known.all.iter().find(|old| old.name() == cluster.name() && old.is_same(&cluster));
    same.map_or_else(|| Arc::new(cluster), Arc::clone)
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
    fn a_short_name_is_good_where_it_is_nobodys_and_of_one_alone() {
        let palette = |name: &str| {
            let short = name.rsplit('/').next().unwrap_or_default().to_owned();
            cluster(Source::Palette, name).in_short(short)
        };
        let clusters = Clusters::new(
            vec![
                palette("lab/shop/web"),
                palette("lab/shop/db"),
                palette("lab/bank/db"),
                palette("lab/-/dev"),
                cluster(Source::Static, "dev"),
            ],
            None,
        );
        let named = |name: &str| match clusters.lookup(name) {
            Lookup::One(cluster) => vec![cluster.qualified_name()],
            Lookup::Several(names) => names,
            Lookup::None => Vec::new(),
        };
        assert_eq!(named("web"), ["palette/lab/shop/web"]);
        assert_eq!(named("lab/shop/web"), ["palette/lab/shop/web"]);
        assert_eq!(named("db"), ["palette/lab/bank/db", "palette/lab/shop/db"]);
        assert_eq!(named("dev"), ["static/dev"], "it has that name, the other one only goes by it");
        let shown: Vec<String> = clusters.iter().map(|c| clusters.shown_name(c)).collect();
        assert_eq!(shown, ["dev", "lab/-/dev", "lab/bank/db", "lab/shop/db", "web"]);
        let names = clusters.iter().flat_map(|cluster| cluster.names());
        assert!(!names.into_iter().any(|name| name == "web"), "permissions do not know it");
    }

    #[test]
    fn what_is_configured_as_before_is_kept() {
        let made = |name: &str, of: u8| cluster(Source::Static, name).made_of(Some([of; 32]));
        let before = Clusters::new(vec![made("a", 1), made("b", 1), cluster(Source::Static, "c")], None);
        let shown = made("d", 1).with_identity(Some(super::super::Identity::Own));
        let found = vec![made("a", 1), made("b", 2), cluster(Source::Static, "c"), shown];
        let after = Clusters::of(found.into_iter().map(|cluster| kept(cluster, &before)).collect());
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
        let after = Clusters::of(vec![super::kept(shown, &owner)]);
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
