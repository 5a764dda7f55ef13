//! What there is for a caller as far as it is known without asking a cluster: for doors that list and
//! complete.

use std::sync::Arc;

use super::{Toolbox, resources::Template, schema::Schema};
use crate::{
    caller::Caller,
    kubernetes::{Cluster, clusters::Lookup},
    permission::{Extent, Permission, Requirement, Scope, decide},
};

impl Toolbox {
    /// Whether a tool exists for the caller.
    pub fn exists(&self, caller: &Caller, tool: &str) -> bool {
        self.find(caller, tool).is_some()
    }

    /// Whether a tool that exists for the caller plans before it does anything.
    pub fn plans(&self, caller: &Caller, tool: &str) -> bool {
        let takes = |schema: &Schema| schema.get("properties").is_some_and(|all| all.get("plan").is_some());
        self.find(caller, tool).is_some_and(|entry| takes(&entry.input_schema))
    }

    /// What people call a tool that exists for the caller.
    pub fn title(&self, caller: &Caller, tool: &str) -> Option<String> {
        Some(self.find(caller, tool)?.contract.front.title.clone())
    }

    /// Whether the caller can read any resource of this form.
    pub fn offers(&self, caller: &Caller, template: &Template) -> bool {
        let somewhere = caller.permissions().somewhere();
        self.exists(caller, template.tool) && template.needs.iter().any(|one| somewhere.contains(*one))
    }

    /// The cluster that is meant where the caller names none.
    pub fn default_cluster(&self, caller: &Caller, needs: &[Permission]) -> Option<Arc<Cluster>> {
        match self.clusters().default_for(&|cluster: &Cluster| any(caller, needs, cluster, &Extent::Anywhere))
        {
            Lookup::One(cluster) => Some(cluster),
            Lookup::Several(_) | Lookup::None => None,
        }
    }

    /// The names of the clusters in which the caller has one of these permissions.
    pub fn cluster_names(&self, caller: &Caller, needs: &Requirement) -> Vec<String> {
        let clusters = self.clusters();
        let visible = clusters.iter().filter(|cluster| match needs {
            Requirement::Nothing => true,
            Requirement::Any(needs) => any(caller, needs, cluster, &Extent::Anywhere),
            Requirement::All(needs) => {
                needs.iter().all(|one| any(caller, &[*one], cluster, &Extent::Anywhere))
            }
        });
        visible.map(|cluster| clusters.shown_name(cluster)).collect()
    }

    /// The names of the Palette environments of which the caller may see something.
    pub fn environment_names(&self, caller: &Caller, needs: &Requirement) -> Vec<&str> {
        let permissions = caller.permissions();
        let sees = |name: &str| {
            let scope =
                Scope { environment: Extent::named(name), project: Extent::Anywhere, ..Scope::default() };
            decide(permissions, needs, &scope).is_allowed()
        };
        self.environments().iter().map(|environment| environment.name()).filter(|name| sees(name)).collect()
    }

    /// Whether the caller has this permission for a namespace (`None`: what is in none) of a cluster.
    pub fn allows(
        &self,
        caller: &Caller,
        permission: Permission,
        cluster: &Cluster,
        namespace: Option<&str>,
    ) -> bool {
        any(caller, &[permission], cluster, &Extent::of(namespace))
    }
}

fn any(caller: &Caller, needs: &[Permission], cluster: &Cluster, namespace: &Extent) -> bool {
    let scope = Scope::cluster(Extent::Named(cluster.names()), namespace.clone());
    needs.iter().any(|permission| caller.permissions().allows(*permission, &scope))
}
