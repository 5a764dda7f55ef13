//! Roles: named bundles of permissions, and the set that a bound role makes.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    name::{NoSuchPermission, Permissions},
    scope::Within,
    set::{Grant, PermissionSet},
};

/// A named bundle of permissions.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Role {
    /// Roles whose permissions it has too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Permission names, or patterns in which `*` stands for any characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// The same, taken away: wins over every allow, of other roles too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

/// What is wrong with a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleProblem {
    /// No role of that name.
    #[error("there is no role {name:?}; known roles: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A pattern that matches no permission.
    #[error("role {role:?}: {problem}")]
    NoMatch {
        /// Where it stands.
        role: String,
        /// The pattern, and what may have been meant.
        problem: NoSuchPermission,
    },
    /// A role that includes itself.
    #[error("role {0:?} includes itself")]
    Cycle(String),
}

/// All roles: the built-in ones and those of the configuration, which may replace them.
#[derive(Clone, Debug)]
pub struct Roles(BTreeMap<String, Role>);

impl Default for Roles {
    fn default() -> Self {
        Self::new(BTreeMap::new())
    }
}

impl Roles {
    /// The built-in roles and `configured` ones over them.
    ///
    /// `viewer` reads everything but what is or may hold a credential; `operator` also changes
    /// instances, and clusters in Palette; `admin` may everything.
    pub fn new(configured: BTreeMap<String, Role>) -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let viewer = Role {
            allow: names(&[
                "kro.*.list",
                "kro.*.view-yaml",
                "kro.*.show-events",
                "kro.resource-graph.show",
                "kro.overview.view",
                "spectrocloud.cluster.view-info",
                "spectrocloud.profile.*",
                "kubernetes.clusters.read",
                "kubernetes.resources.read",
                "kubernetes.proxy",
                "knative.event-mesh.view",
                "platform.entities.read",
            ]),
            ..Role::default()
        };
        let operator = Role {
            include: names(&["viewer"]),
            allow: names(&["kro.instances.*", "spectrocloud.cluster.update"]),
            ..Role::default()
        };
        let admin = Role { allow: names(&["*"]), ..Role::default() };
        let mut roles = BTreeMap::from([
            ("viewer".to_owned(), viewer),
            ("operator".to_owned(), operator),
            ("admin".to_owned(), admin),
        ]);
        roles.extend(configured);
        Self(roles)
    }

    /// The names there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The permissions of these roles, all narrowed to `within`.
    ///
    /// # Errors
    /// The first [`RoleProblem`].
    pub fn bind(&self, names: &[String], within: &Within, rule: &str) -> Result<PermissionSet, RoleProblem> {
        self.grants(names, &Arc::new(within.clone()), rule).map(PermissionSet::new)
    }

    /// What these roles give and take, all narrowed to `within`. Each part names `rule` and its role.
    ///
    /// # Errors
    /// The first [`RoleProblem`].
    pub(super) fn grants(
        &self,
        names: &[String],
        within: &Arc<Within>,
        rule: &str,
    ) -> Result<Vec<Grant>, RoleProblem> {
        let mut grants = Vec::new();
        for name in names {
            self.collect(name, within, rule, &mut Vec::new(), &mut grants)?;
        }
        Ok(grants)
    }

    fn collect<'r>(
        &'r self,
        name: &'r str,
        within: &Arc<Within>,
        rule: &str,
        path: &mut Vec<&'r str>,
        grants: &mut Vec<Grant>,
    ) -> Result<(), RoleProblem> {
        if path.contains(&name) {
            return Err(RoleProblem::Cycle(name.to_owned()));
        }
        let role = self.0.get(name).ok_or_else(|| RoleProblem::Unknown {
            name: name.to_owned(),
            known: self.names().collect::<Vec<_>>().join(", "),
        })?;
        path.push(name);
        for included in &role.include {
            self.collect(included, within, rule, path, grants)?;
        }
        path.pop();
        for (patterns, deny) in [(&role.allow, false), (&role.deny, true)] {
            if !patterns.is_empty() {
                grants.push(Grant {
                    deny,
                    permissions: Permissions::of(patterns)
                        .map_err(|problem| RoleProblem::NoMatch { role: name.to_owned(), problem })?,
                    within: Arc::clone(within),
                    rule: format!("{rule} → role {name}{}", if deny { " (deny)" } else { "" }),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{name::Permission, scope::Scope};
    use super::*;

    fn bind(roles: &Roles, name: &str) -> Result<PermissionSet, RoleProblem> {
        roles.bind(&[name.to_owned()], &Within::default(), "test")
    }

    #[test]
    fn viewer_reads_everything_but_credentials() {
        let viewer = bind(&Roles::default(), "viewer").expect("built in").somewhere();
        for permission in Permission::ALL {
            let withheld = matches!(
                permission,
                Permission::SpectrocloudClusterViewPackValues
                    | Permission::SpectrocloudClusterViewPackManifests
                    | Permission::SpectrocloudClusterDownloadKubeconfig
                    | Permission::KubernetesSecretsRead
            );
            let reads = permission.action() == super::super::Action::Read
                || *permission == Permission::KubernetesProxy;
            assert_eq!(viewer.contains(*permission), reads && !withheld, "{}", permission.name());
        }
    }

    #[test]
    fn configured_roles_include_deny_and_are_checked() {
        let role = |include: &[&str], allow: &[&str], deny: &[&str]| Role {
            include: include.iter().map(|&name| name.to_owned()).collect(),
            allow: allow.iter().map(|&name| name.to_owned()).collect(),
            deny: deny.iter().map(|&name| name.to_owned()).collect(),
        };
        let roles = Roles::new(BTreeMap::from([
            ("careful".to_owned(), role(&["viewer"], &[], &["kro.*.view-yaml"])),
            ("typo".to_owned(), role(&[], &["kro.resource-graph.shwo"], &[])),
            ("loop".to_owned(), role(&["loop"], &[], &[])),
        ]));
        let careful = bind(&roles, "careful").expect("valid");
        assert!(careful.allows(Permission::KroResourceGraphShow, &Scope::nowhere()));
        assert!(!careful.allows(Permission::KroRgdsViewYaml, &Scope::nowhere()));
        let typo = bind(&roles, "typo").expect_err("no such permission").to_string();
        assert!(typo.contains("did you mean \"kro.resource-graph.show\""), "{typo}");
        assert_eq!(bind(&roles, "loop"), Err(RoleProblem::Cycle("loop".to_owned())));
        assert!(bind(&roles, "root").expect_err("unknown").to_string().contains("viewer"));
    }
}
