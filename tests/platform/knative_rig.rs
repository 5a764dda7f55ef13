//! The rig of the event mesh itself: what the tests of the tool and of the endpoint stand on.

use crate::knative::{self, KINDS, PLANTED, StandardMesh};

#[test]
fn the_mesh_of_the_tests_stands_with_its_status_its_owners_and_kubectls_copies() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    // one kubectl for all: it fails where one of them is not served
    plane.kubectl(&["get", "-A", &KINDS.map(|kind| kind.name()).join(",")]);
    let trigger = plane.get(&mesh.shop, "trigger/legacy").expect("it is there");
    assert_eq!(trigger["status"]["conditions"][0]["status"], "True", "{trigger}");
    assert_eq!(trigger["spec"]["filter"]["attributes"]["type"], "shop.order.placed");
    let behind = plane.get(&mesh.shop, "inmemorychannel/audit").expect("it is there");
    let channel = plane.get(&mesh.shop, "channel/audit").expect("it is there");
    assert_eq!(behind["metadata"]["ownerReferences"][0]["uid"], channel["metadata"]["uid"], "{behind}");
    let source = plane.get(&mesh.shop, "containersource/orders").expect("it is there");
    let copy = &source["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    assert!(copy.as_str().is_some_and(|copy| copy.contains(PLANTED)), "{source}");
}
