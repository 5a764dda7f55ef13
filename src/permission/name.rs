//! The permissions there are: names, actions, and what each opens.

/// What a permission lets happen, in Backstage's words (`attributes.action`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Looks.
    Read,
    /// Makes something new.
    Create,
    /// Changes something.
    Update,
    /// Removes something.
    Delete,
    /// Backstage declares none (`kubernetes.proxy`).
    Unspecified,
}

impl Action {
    /// The word in metadata and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Unspecified => "–",
        }
    }
}

macro_rules! permissions {
    ($($variant:ident $name:literal $action:ident $opens:literal)+) => {
        /// One permission. The names are those that Backstage's plugins already use, so that existing
        /// policies carry over; ours are added only where none exists (design section 5).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Permission {
            $(
                #[doc = concat!("`", $name, "`: ", $opens)]
                $variant,
            )+
        }

        impl Permission {
            /// Every permission, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in policies, contracts and denials.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The action attribute.
            pub fn action(self) -> Action {
                match self { $(Self::$variant => Action::$action),+ }
            }

            /// What it opens, in a few words.
            pub fn opens(self) -> &'static str {
                match self { $(Self::$variant => $opens),+ }
            }
        }
    };
}

permissions! {
    KroRgdsList "kro.rgds.list" Read "RGDs and their revisions"
    KroRgdsViewYaml "kro.rgds.view-yaml" Read "manifests of RGDs and revisions"
    KroRgdsShowEvents "kro.rgds.show-events" Read "events of RGDs"
    KroInstancesList "kro.instances.list" Read "instances"
    KroInstancesViewYaml "kro.instances.view-yaml" Read "manifests of instances"
    KroInstancesShowEvents "kro.instances.show-events" Read "events of instances"
    KroResourcesList "kro.resources.list" Read "children and external references"
    KroResourcesViewYaml "kro.resources.view-yaml" Read "manifests of children and external references"
    KroResourcesShowEvents "kro.resources.show-events" Read "events of children"
    KroResourceGraphShow "kro.resource-graph.show" Read "the graph of an instance"
    KroOverviewView "kro.overview.view" Read "counts and what is broken"
    KroInstancesApply "kro.instances.apply" Update "create or change an instance"
    KroInstancesReconcile "kro.instances.reconcile" Update "suspend, resume, reconcile now"
    KroInstancesDelete "kro.instances.delete" Delete "delete an instance"
    KroRgdsApply "kro.rgds.apply" Update "create, change or roll back an RGD"
    SpectrocloudClusterViewInfo "spectrocloud.cluster.view-info" Read "Palette clusters"
    SpectrocloudClusterViewPackValues "spectrocloud.cluster.view-pack-values" Read "pack values of a cluster"
    SpectrocloudClusterViewPackManifests "spectrocloud.cluster.view-pack-manifests" Read "pack manifests of a cluster"
    SpectrocloudClusterDownloadKubeconfig "spectrocloud.cluster.download-kubeconfig" Read "kubeconfigs"
    SpectrocloudClusterCreate "spectrocloud.cluster.create" Create "create a cluster or virtual cluster"
    SpectrocloudClusterUpdate "spectrocloud.cluster.update" Update "apply profile updates, decide on repaves, acknowledge notifications"
    SpectrocloudProfileViewInfo "spectrocloud.profile.view-info" Read "cluster profiles"
    SpectrocloudProfileViewClusters "spectrocloud.profile.view-clusters" Read "which clusters use a profile"
    KubernetesClustersRead "kubernetes.clusters.read" Read "the list of clusters"
    KubernetesResourcesRead "kubernetes.resources.read" Read "typed reads and events"
    KubernetesProxy "kubernetes.proxy" Unspecified "proxy calls that read"
    KubernetesProxyWrite "kubernetes.proxy.write" Update "proxy calls that change something"
    KubernetesSecretsRead "kubernetes.secrets.read" Read "Secret values unredacted, anywhere"
    KnativeEventMeshView "knative.event-mesh.view" Read "the event mesh"
    PlatformEntitiesRead "platform.entities.read" Read "the exported catalog entities"
}

impl Permission {
    /// The permission of that exact name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.name() == name)
    }

    pub(super) fn bit(self) -> u64 {
        1 << (self as u32)
    }
}

/// A set of permissions as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u64);

const _: () = assert!(Permission::ALL.len() <= 64, "Permissions holds one bit each");

impl Permissions {
    /// Every permission there is.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Those whose name matches `pattern`, in which `*` stands for any characters.
    pub fn matching(pattern: &str) -> Self {
        Permission::ALL.iter().copied().filter(|p| super::scope::matches(pattern, p.name())).collect()
    }

    /// Those that these names or patterns stand for.
    ///
    /// # Errors
    /// The first that stands for none.
    pub fn of(patterns: &[String]) -> Result<Self, NoSuchPermission> {
        patterns.iter().try_fold(Self::default(), |all, pattern| match Self::matching(pattern) {
            none if none.is_empty() => Err(NoSuchPermission::new(pattern)),
            some => Ok(all.union(some)),
        })
    }

    /// Whether it is in the set.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// This set without the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members, in the order of the documentation.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

/// A name or pattern that stands for no permission: a typing mistake would otherwise give or take nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} matches no permission{nearest}")]
pub struct NoSuchPermission {
    pattern: String,
    /// ` (did you mean …?)`, or nothing.
    nearest: String,
}

impl NoSuchPermission {
    fn new(pattern: &str) -> Self {
        let names = Permission::ALL.iter().map(|permission| permission.name());
        let nearest = crate::nearest::name(pattern, names);
        Self {
            pattern: pattern.to_owned(),
            nearest: nearest.map_or_else(String::new, |nearest| format!(" (did you mean {nearest:?}?)")),
        }
    }
}
