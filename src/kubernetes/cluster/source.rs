//! [`Source`]: where clusters are found.

/// Where a cluster was found. Sources add up; a name that two of them claim is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A context of a kubeconfig file.
    Kubeconfig,
    /// The service account of the Pod that we run in.
    InCluster,
    /// An entry of our own configuration.
    Static,
    /// An entity of a Backstage catalog.
    Backstage,
    /// A cluster of a Palette environment.
    Palette,
    /// The recorded platform of `demo`.
    Demo,
}

impl Source {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Kubeconfig, Self::InCluster, Self::Static, Self::Backstage, Self::Palette, Self::Demo];

    /// The name in `source/name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubeconfig => "kubeconfig",
            Self::InCluster => "in-cluster",
            Self::Static => "static",
            Self::Backstage => "backstage",
            Self::Palette => "palette",
            Self::Demo => "demo",
        }
    }
}
