//! Messages of real controllers, taken apart.

use super::*;

fn one(message: &str) -> Complaint {
    let mut found = complaints(message);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn ready_when() {
    let complaint = one(
        "resource reconciliation failed: apply results contain errors: waiting for node \"deployment\": \
         node \"deployment\": failed to evaluate readyWhen expression: \"deployment.spec.replicas == \
         deployment.status.availableReplicas\" (waiting for readiness)",
    );
    assert_eq!(complaint.node.as_deref(), Some("deployment"));
    assert_eq!(
        complaint.trouble,
        Trouble::ReadyWhenPending("deployment.spec.replicas == deployment.status.availableReplicas".into())
    );
    let complaint = one(
        "awaiting resource readiness: waiting for node \"job\": readyWhen condition evaluated to false: \
         \"job.status.phase == \\\"Done\\\"\" (waiting for readiness)",
    );
    assert_eq!(complaint.to_string(), "job is not ready: job.status.phase == \"Done\" is false");
}

#[test]
fn waiting_and_missing() {
    let complaint = one(
        "resource reconciliation failed: waiting for unresolved resource: gvr \"/v1, Resource=services\": \
         node \"service\": dependent node \"deployment\" not ready: node \"deployment\": no observed state: \
         waiting for readiness (data pending)",
    );
    assert_eq!(complaint.node.as_deref(), Some("service"));
    assert_eq!(complaint.trouble, Trouble::DataPending(Some("deployment".into())));
    let complaint = one("awaiting resource readiness: waiting for external reference \"config\": not found");
    assert_eq!((complaint.node.as_deref(), complaint.trouble), (Some("config"), Trouble::ExternalMissing));
}

#[test]
fn errors_joined_by_newlines() {
    let found = complaints(
        "resource reconciliation failed: apply results contain errors: widgets.example.com \"w\" is forbidden: \
         User \"system:serviceaccount:kro:kro\" cannot patch resource \"widgets\"\n\
         resource belongs to a different ApplySet: default/x (applyset-a-v1), want applyset-b-v1\n\
         resource \"default/c\" for node \"conf\" is currently being deleted; waiting for deletion\n",
    );
    assert_eq!(
        found[0].trouble,
        Trouble::Forbidden { resource: "widgets.example.com".into(), name: "w".into() }
    );
    assert_eq!(found[1].trouble, Trouble::Conflict);
    assert_eq!((found[2].node.as_deref(), &found[2].trouble), (Some("conf"), &Trouble::Deleting));
    assert_eq!(found.len(), 3);
    assert!(complaints("awaiting resource readiness: <nil>").is_empty());
    assert_eq!(one("cluster mutated").trouble, Trouble::Mutated);
}

const IMMUTABLE: &str = "resource reconciliation failed: apply results contain errors: PersistentVolumeClaim \
    \"data\" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and \
    volumeAttributesClassName for bound claims\n  core.PersistentVolumeClaimSpec{\n  \t... // 2 identical fields\n  \
    \tVolumeName:       \"\",\n- \tStorageClassName: &\"slow\",\n+ \tStorageClassName: &\"fast\",\n  \
    \tVolumeMode:       &\"Filesystem\",\n  }\n\nService \"web\" is invalid: spec.ports: Required value\n\
    configmaps \"b\" is forbidden: exceeded quota: few";

#[test]
fn an_error_of_many_lines_is_one_complaint_and_its_diff_is_kept() {
    let found = complaints(IMMUTABLE);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].text.ends_with("for bound claims"), "{}", found[0].text);
    assert_eq!(found[0].diff, ["- StorageClassName: &\"slow\",", "+ StorageClassName: &\"fast\","]);
    assert_eq!(found[1].text, "Service \"web\" is invalid: spec.ports: Required value");
    let patch = one("failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): errors:\n  \
         .spec.replica: field not declared in schema\n  .spec.x: field not declared in schema\n");
    assert!(patch.text.ends_with(
        "errors: .spec.replica: field not declared in schema .spec.x: field not declared in schema"
    ));
    assert!(patch.diff.is_empty());
    assert_eq!(complaints(&"a \"b\" is bad\n  x\n".repeat(100)).len(), 1);
    assert_eq!(complaints(&"x\n".repeat(100_000)).len(), 1);
}

#[test]
fn a_conflict_is_told_without_the_hashes_of_applysets() {
    let conflict =
        one("resource belongs to a different ApplySet: shop/conf (/v1, Kind=ConfigMap) belongs to ApplySet \
         \"applyset-x-v1\", cannot reassign to \"applyset-y-v1\"");
    assert_eq!(conflict.to_string(), "ConfigMap shop/conf belongs to a different ApplySet");
}
