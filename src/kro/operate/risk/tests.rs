use super::*;
use serde_json::json;

fn definition() -> Definition {
    let template = |name: &str, data: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": data}});
    let rgd = json!({"metadata": {"name": "r"}, "spec": {"resources": [
        {"id": "ref", "externalRef": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "${schema.spec.secret}"}}},
        {"id": "extra", "includeWhen": ["${schema.spec.extra}"], "template": template("${schema.metadata.name}-e", "y")},
        {"id": "after", "template": template("a", "${extra.data.x}")},
        {"id": "named", "template": template("${schema.spec.host}", "y")},
        {"id": "zone", "forEach": [{"z": "${schema.spec.zones}"}], "template": template("${z}", "y")},
        {"id": "reads", "template": template("r", "${schema.spec.colour + schema.spec.secret}")},
        {"id": "late", "template": template("l", "${reads.data.x}")},
        {"id": "still", "template": template("s", "${schema.metadata.name}")},
    ]}});
    Definition::read_within(&Object::from_value(rgd).expect("an object"), &[], &Work::default())
}

fn instance(spec: &Value) -> Object {
    Object::from_value(json!({"metadata": {"name": "i"}, "spec": spec})).expect("an object")
}

fn told(before: Option<&Value>, after: &Value, changed: &[&str]) -> Vec<String> {
    let changed: Vec<String> = changed.iter().map(|path| (*path).to_owned()).collect();
    let before = before.map(instance);
    let fates = fates(&definition(), before.as_ref(), &instance(after), &changed, &Work::default());
    fates.nodes.iter().map(Fate::told).collect()
}

#[test]
fn what_is_lost_comes_first_and_what_does_not_read_the_fields_does_not_come() {
    let before = json!({"extra": true, "host": "a", "zones": ["x", "y"], "colour": "red", "secret": "s"});
    let after = json!({"extra": false, "host": "b", "zones": ["x"], "colour": "blue", "secret": "s"});
    let told = told(Some(&before), &after, &["spec.extra", "spec.host", "spec.zones[1]", "spec.colour"]);
    let starts = [
        "extra (ConfigMap) is deleted",
        "after (ConfigMap) is deleted",
        "named (ConfigMap) gets another name",
        "zone (ConfigMap) goes from 2 to 1 members: y is deleted",
        "reads (ConfigMap) changes",
        "late (ConfigMap) may change with reads",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    assert!(told.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{told:#?}");
    let mut other = before.clone();
    other["secret"] = json!("t");
    let told = self::told(Some(&before), &other, &["spec.secret"]);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].starts_with("ref (Secret) refers to another object"), "{told:#?}");
}

#[test]
fn a_new_instance_makes_its_nodes() {
    let told = told(None, &json!({"extra": false, "host": "a", "zones": []}), &[]);
    let made = ["named", "zone", "reads", "late", "still", "after"];
    assert!(made.iter().all(|node| told.iter().any(|line| line.starts_with(node))), "{told:#?}");
    assert!(!told.iter().any(|line| line.starts_with("extra") || line.starts_with("ref")), "{told:#?}");
}

fn fates_of(resources: &Value, before: Option<&Value>, after: &Value, changed: &[&str]) -> Fates {
    let rgd = json!({"metadata": {"name": "r"}, "spec": {"resources": resources}});
    let definition =
        Definition::read_within(&Object::from_value(rgd).expect("an object"), &[], &Work::default());
    let changed: Vec<String> = changed.iter().map(|path| (*path).to_owned()).collect();
    fates(&definition, before.map(instance).as_ref(), &instance(after), &changed, &Work::default())
}

#[test]
fn what_is_named_after_a_renamed_node_gets_another_name_too() {
    let node = |id: &str, name: &str| json!({"id": id, "template": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}}});
    let resources = json!([
        node("deploy", "${schema.spec.host}"),
        node("svc", "${deploy.metadata.name}-svc"),
        node("ingress", "${svc.metadata.name + '-in'}"),
        node("late", "${deploy.status.id}"),
        node("still", "x"),
    ]);
    let (before, after) = (json!({"host": "a"}), json!({"host": "b"}));
    let fates = fates_of(&resources, Some(&before), &after, &["spec.host"]);
    let turn = |id: &str| fates.nodes.iter().find(|fate| fate.node == id).map(|fate| fate.turn.clone());
    for id in ["deploy", "svc", "ingress"] {
        assert_eq!(turn(id), Some(Turn::Replaced), "{id}");
    }
    assert_eq!((turn("late"), turn("still")), (Some(Turn::Unclear), None));
    let made: Vec<&str> = fates.made.iter().map(|made| made.name.as_str()).collect();
    assert_eq!(made, ["b", "b-svc", "b-svc-in"]);
    assert_eq!(fates.nameless, ["late"]);
    let fresh = fates_of(&resources, None, &after, &[]);
    let made: Vec<&str> = fresh.made.iter().map(|made| made.name.as_str()).collect();
    assert_eq!(made, ["b", "b-svc", "b-svc-in", "x"]);
}

#[test]
fn members_that_go_and_come_are_named_unless_their_names_are_private() {
    let node = |id: &str, field: &str| {
        json!({"id": id, "forEach": [{"z": format!("${{schema.spec.{field}}}")}],
        "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pg-${z}"}}})
    };
    let resources = json!([node("pools", "zones")]);
    let (before, after) = (json!({"zones": ["eu", "us"]}), json!({"zones": ["us", "ap"]}));
    let fates = fates_of(&resources, Some(&before), &after, &["spec.zones[0]", "spec.zones[1]"]);
    let told: Vec<String> = fates.nodes.iter().map(Fate::told).collect();
    assert_eq!(told, ["pools (ConfigMap) goes from 2 to 2 members: pg-eu is deleted, pg-ap is made"]);
    assert_eq!(fates.made.len(), 1, "{:?}", fates.made);
    let (before, after) = (json!({"passwords": ["a"]}), json!({"passwords": ["b"]}));
    let resources = json!([node("keys", "passwords")]);
    let fates = fates_of(&resources, Some(&before), &after, &["spec.passwords[0]"]);
    let told: Vec<String> = fates.nodes.iter().map(Fate::told).collect();
    assert_eq!(told, ["keys (ConfigMap) goes from 1 to 1 members; those that go are deleted"]);
    assert!(!fates.made[0].tellable);
}
