//! What a name alone stands for.

use serde_json::{Value, json};

use super::*;
use crate::{
    catalog::entity::named,
    palette::{api::group::GroupSummary, profiles::grouped},
};

fn holdings(templates: &Value) -> Holdings {
    let profile = |uid: &str, scope: &str, project: &str| {
        json!({"metadata": {"name": "base", "uid": uid, "annotations": {"scope": scope, "projectUid": project}},
               "specSummary": {"version": "1.0.0", "published": {"type": "add-on", "cloudType": "all"}}})
    };
    let rows = json!([
        profile("65aa00000000000000000001", "tenant", ""),
        profile("65aa00000000000000000002", "project", "p1"),
        profile("65aa00000000000000000003", "project", "p2"),
    ]);
    let place = |uid: &str| Place::Project { uid: uid.to_owned(), name: Some(uid.to_owned()) };
    let with_name = |place_of: Place| match place_of {
        Place::Project { uid, .. } => place(&uid),
        other => other,
    };
    let summary: GroupSummary = serde_json::from_value(json!({
        "metadata": {"name": "g", "uid": "65aa00000000000000000009"},
        "spec": {"clusterProfileTemplates": templates},
    }))
    .expect("a group");
    let group = Group { place: place("p1"), summary, hosts: Vec::new(), all_hosts: true };
    let profiles = grouped(serde_json::from_value(rows).expect("rows"), with_name);
    Holdings::new(Vec::new(), Vec::new(), profiles, vec![group])
}

fn stands_on(templates: &Value) -> Value {
    let provider = Provider {
        instance: None,
        url: "https://a.example".to_owned(),
        owner: "group:default/a".to_owned(),
        include: Vec::new(),
        exclude: Vec::new(),
        without_tenant: false,
        classes: vec![Class::ClusterProfile, Class::ClusterGroup],
    };
    let settings = Settings { prefix: "x.example".to_owned(), ..Settings::default() };
    let made = drafts("a", &holdings(templates), (&settings, &provider), &|text| text.to_owned());
    let entities = serde_json::to_value(named(made)).expect("JSON");
    let group = entities.as_array().expect("a list").iter().find(|one| one["metadata"]["name"] == "p1-g");
    group.expect("the group")["spec"]["dependsOn"].clone()
}

#[test]
fn a_name_stands_for_a_profile_of_its_own_scope_and_for_none_beyond_it() {
    let template = |uid: &str, scope: &str| json!([{"name": "base", "uid": uid, "scope": scope}]);
    for (templates, wanted) in [
        (template("", "tenant"), json!(["resource:default/tenant-base"])),
        (template("", "project"), json!(["resource:default/p1-base"])),
        (template("", "system"), Value::Null),
        (template("", ""), Value::Null),
        (template("65aa00000000000000000003", "tenant"), json!(["resource:default/p2-base"])),
        (template("65aa0000000000000000000f", "tenant"), Value::Null),
    ] {
        assert_eq!(stands_on(&templates), wanted, "{templates}");
    }
}
