//! How what was asked for comes about: with each look at the summary of the cluster, and not by the clock.

use serde::Deserialize;

use super::{Cluster, Condition, Data, Health, HealthCondition};

/// How clusters that are made come up, and changes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Pace {
    /// Looks that each stage lasts.
    pub looks: u32,
    /// Whether a cluster that is made ends in an error.
    pub fails: bool,
}

/// What is on its way with a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Making {
    /// Looks until the next stage.
    pub left: u32,
    /// Whether it ends in an error.
    pub fails: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { looks: 1, fails: false }
    }
}

impl Data {
    /// Somebody looked at that cluster: what is on its way goes on.
    pub(in crate::demo::palette) fn looked(&mut self, uid: &str) {
        let looks = self.pace.looks;
        let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.uid == uid) else { return };
        let Some(making) = cluster.making else { return };
        cluster.making = match making.left {
            0 => cluster.next_stage(making, looks),
            left => Some(Making { left: left - 1, ..making }),
        };
    }
}

impl Cluster {
    fn next_stage(&mut self, making: Making, looks: u32) -> Option<Making> {
        match (self.state.as_str(), making.fails) {
            ("Pending", _) => {
                self.state = "Provisioning".into();
                self.conditions = vec![Condition { since: 0, ..Condition::met("CloudInfrastructureReady") }];
                Some(Making { left: looks, ..making })
            }
            ("Provisioning", true) => {
                self.state = "Error".into();
                let message = "the account has no room for another machine";
                self.conditions.push(Condition::failed(
                    "ControlPlaneNodeAdditionDone",
                    "QuotaExceeded",
                    message,
                ));
                self.health = Health {
                    state: "UnHealthy".into(),
                    conditions: vec![HealthCondition {
                        kind: "NodeHealth".into(),
                        message: message.into(),
                        about: None,
                    }],
                    ..Health::default()
                };
                None
            }
            ("Provisioning", false) => {
                let made = Self::new(&self.name, self.project.as_deref());
                self.state = "Running".into();
                (self.conditions, self.health, self.endpoints) =
                    (made.conditions, made.health, made.endpoints);
                self.pools.iter_mut().for_each(|pool| pool.healthy = pool.size);
                None
            }
            _ => {
                self.pack_conditions.clear();
                None
            }
        }
    }
}
