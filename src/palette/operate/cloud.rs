//! [`Cloud`]: where a cluster is made, and what that asks of its account and its profiles.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A cloud, as `POST /v1/spectroclusters/{cloud}` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// Azure's managed Kubernetes.
    Aks,
    /// Machines of AWS.
    Aws,
    /// Machines of Azure.
    Azure,
    /// AWS's managed Kubernetes.
    Eks,
    /// Machines of Google Cloud.
    Gcp,
    /// Google Cloud's managed Kubernetes.
    Gke,
    /// Machines of Canonical MAAS.
    Maas,
    /// In a cluster group.
    Virtual,
    /// Machines of VMware vSphere.
    Vsphere,
}

impl JsonSchema for Cloud {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cloud".into()
    }

    // the names alone: what each is would be a line in every tool list
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Self::ALL.map(Self::name)})
    }
}

impl Cloud {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Aks,
        Self::Aws,
        Self::Azure,
        Self::Eks,
        Self::Gcp,
        Self::Gke,
        Self::Maas,
        Self::Virtual,
        Self::Vsphere,
    ];

    /// Its name in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aks => "aks",
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Eks => "eks",
            Self::Gcp => "gcp",
            Self::Gke => "gke",
            Self::Maas => "maas",
            Self::Virtual => "virtual",
            Self::Vsphere => "vsphere",
        }
    }

    /// As clusters and profiles have it: virtual ones are `nested`.
    pub fn cloud_type(self) -> &'static str {
        if self == Self::Virtual { "nested" } else { self.name() }
    }

    /// The kind of account it is made with: managed ones with that of their cloud. Nothing for virtual ones.
    pub fn account_kind(self) -> Option<&'static str> {
        Some(match self {
            Self::Virtual => return None,
            Self::Eks => "aws",
            Self::Aks => "azure",
            Self::Gke => "gcp",
            other => other.name(),
        })
    }

    /// Whether a profile of that cloud type and kind may be attached: virtual clusters get what is below from their
    /// group.
    pub fn takes(self, cloud_type: &str, kind: &str) -> bool {
        let add_on = kind.eq_ignore_ascii_case("add-on");
        match self {
            Self::Virtual => add_on,
            _ => add_on || cloud_type == "all" || cloud_type.eq_ignore_ascii_case(self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_fits_its_cloud_and_an_add_on_every_one() {
        for (cloud, cloud_type, kind, fits) in [
            (Cloud::Eks, "eks", "infra", true),
            (Cloud::Eks, "aws", "infra", false),
            (Cloud::Eks, "all", "add-on", true),
            (Cloud::Vsphere, "vsphere", "cluster", true),
            (Cloud::Virtual, "vsphere", "infra", false),
            (Cloud::Virtual, "all", "add-on", true),
        ] {
            assert_eq!(cloud.takes(cloud_type, kind), fits, "{cloud:?} {cloud_type} {kind}");
        }
        assert_eq!((Cloud::Aks.account_kind(), Cloud::Virtual.account_kind()), (Some("azure"), None));
    }
}
