//! A row for each tool of Palette, over the sample tenant as the environments `demo` and `other`.
//!
//! Adding a tool: a call for what is in the project `shop-prod`, for what is in another or in none, in the
//! environment `other`, and in one that does not exist.

use serde_json::{Value, json};

use super::tools::{At, Call, Needs, Tool};

const INFO: Needs = Needs::All(&["spectrocloud.cluster.view-info"]);
const PROFILE: Needs = Needs::All(&["spectrocloud.profile.view-info"]);
const USERS: Needs = Needs::All(&["spectrocloud.profile.view-clusters"]);
const UPGRADES: Needs = Needs::All(&["spectrocloud.cluster.view-info", "spectrocloud.profile.view-info"]);
const VALUES: Needs = Needs::All(&["spectrocloud.cluster.view-pack-values"]);
const CONTENT: Needs =
    Needs::Any(&["spectrocloud.cluster.view-pack-values", "spectrocloud.cluster.view-pack-manifests"]);
const KUBECONFIG: Needs = Needs::All(&["spectrocloud.cluster.download-kubeconfig"]);

const UPDATE: Needs = Needs::All(&["spectrocloud.cluster.update"]);
const CREATE: Needs = Needs::All(&["spectrocloud.cluster.create"]);

/// A virtual cluster in the tenant's group.
fn new_cluster(environment: &str, project: &str) -> Value {
    json!({"environment": environment, "project": project, "name": "new", "cloud": "virtual", "group": "sandboxes"})
}

const SHOP: Option<&str> = Some("shop-prod");
const EDGE: Option<&str> = Some("edge");
/// What is in no project is in none that a set is kept to.
const TENANT: Option<&str> = Some("-");

/// A call in an environment, about something in a project; about all that the caller sees, without one.
const fn call(
    environment: Option<&'static str>,
    project: Option<&'static str>,
    needs: Needs,
    arguments: fn() -> Value,
) -> Call {
    Call { arguments, cluster: None, at: At::Palette { environment, project }, needs, exists: true }
}

const fn missing(needs: Needs, arguments: fn() -> Value) -> Call {
    Call { exists: false, ..call(Some("nowhere"), None, needs, arguments) }
}

/// What is listed in an environment, or with these arguments besides.
macro_rules! lists {
    ($name:literal, $needs:expr $(, $argument:literal: $value:literal)*) => {
        Tool {
            name: $name,
            needs: $needs,
            calls: &[
                call(None, None, $needs, || json!({$($argument: $value),*})),
                call(Some("demo"), None, $needs, || json!({"environment": "demo" $(, $argument: $value)*})),
                call(Some("other"), None, $needs, || json!({"environment": "other" $(, $argument: $value)*})),
                missing($needs, || json!({"environment": "nowhere" $(, $argument: $value)*})),
            ],
        }
    };
}

/// What is shown of one thing: of one in the project, of one elsewhere, and in the other environment.
macro_rules! shows {
    ($name:literal, $needs:expr, $argument:literal, $mine:literal in $project:expr, $elsewhere:literal in $place:expr
     $(, $more:literal: $value:literal)*) => {
        Tool {
            name: $name,
            needs: $needs,
            calls: &[
                call(Some("demo"), $project, $needs, || {
                    json!({"environment": "demo", $argument: $mine $(, $more: $value)*})
                }),
                call(Some("demo"), $place, $needs, || {
                    json!({"environment": "demo", $argument: $elsewhere $(, $more: $value)*})
                }),
                call(Some("other"), $project, $needs, || {
                    json!({"environment": "other", $argument: $mine $(, $more: $value)*})
                }),
                missing($needs, || json!({"environment": "nowhere", $argument: $mine $(, $more: $value)*})),
            ],
        }
    };
}

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "palette_acknowledge",
        needs: UPDATE,
        calls: &[
            // the one with a notification
            call(
                Some("demo"),
                SHOP,
                UPDATE,
                || json!({"environment": "demo", "cluster": "65f010000000000000000003"}),
            ),
            call(
                Some("other"),
                SHOP,
                UPDATE,
                || json!({"environment": "other", "cluster": "65f010000000000000000003"}),
            ),
            missing(UPDATE, || json!({"environment": "nowhere", "cluster": "65f010000000000000000003"})),
        ],
    },
    shows!("palette_apply_updates", UPDATE, "cluster", "payments" in SHOP, "store-018" in EDGE),
    lists!("palette_cloud_accounts", INFO),
    shows!("palette_cluster", INFO, "cluster", "checkout" in SHOP, "store-018" in EDGE),
    shows!("palette_cluster_events", INFO, "cluster", "checkout" in SHOP, "store-017" in EDGE),
    lists!("palette_cluster_groups", INFO),
    shows!("palette_cluster_health", INFO, "cluster", "checkout" in SHOP, "management" in TENANT),
    shows!("palette_cluster_profiles", INFO, "cluster", "checkout" in SHOP, "store-018" in EDGE),
    lists!("palette_clusters", INFO),
    Tool {
        name: "palette_create_cluster",
        needs: CREATE,
        calls: &[
            call(Some("demo"), SHOP, CREATE, || new_cluster("demo", "shop-prod")),
            call(Some("demo"), EDGE, CREATE, || new_cluster("demo", "edge")),
            call(Some("other"), SHOP, CREATE, || new_cluster("other", "shop-prod")),
            missing(CREATE, || new_cluster("nowhere", "shop-prod")),
        ],
    },
    shows!("palette_drift", VALUES, "cluster", "checkout" in SHOP, "store-018" in EDGE),
    lists!("palette_fleet", INFO),
    Tool {
        name: "palette_kubeconfig",
        needs: KUBECONFIG,
        calls: &[
            // the one with an OIDC client
            call(
                Some("demo"),
                SHOP,
                KUBECONFIG,
                || json!({"environment": "demo", "cluster": "65f010000000000000000003"}),
            ),
            call(
                Some("other"),
                SHOP,
                KUBECONFIG,
                || json!({"environment": "other", "cluster": "65f010000000000000000003"}),
            ),
            missing(KUBECONFIG, || json!({"environment": "nowhere", "cluster": "65f010000000000000000003"})),
        ],
    },
    lists!("palette_pack_exposure", INFO, "pack": "kubernetes"),
    shows!("palette_pack_manifest", CONTENT, "cluster", "checkout" in SHOP, "management" in TENANT, "pack": "kubernetes"),
    shows!("palette_profile_clusters", USERS, "profile", "edge-base" in TENANT, "vsphere-base" in None),
    shows!("palette_profile_diff", PROFILE, "profile", "vsphere-base" in TENANT, "edge-base" in TENANT),
    shows!("palette_profile_packs", PROFILE, "profile", "vsphere-base" in TENANT, "65f0d0000000000000000500" in EDGE),
    shows!("palette_profile_variables", PROFILE, "profile", "vsphere-base" in TENANT, "65f0d0000000000000000500" in EDGE),
    lists!("palette_profiles", PROFILE),
    lists!("palette_projects", INFO),
    shows!("palette_repave", UPDATE, "cluster", "checkout" in SHOP, "store-018" in EDGE, "decision": "refuse"),
    lists!("palette_upgrades", UPGRADES),
    lists!("palette_virtual_clusters", INFO),
];
