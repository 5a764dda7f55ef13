//! Names that are alike, too long, or written by somebody who means harm.

use std::collections::BTreeSet;

use platform_mcp::demo::palette::{Attached, Cluster, ClusterGroup, Data, Pack, Profile, Project, uid};
use serde_json::Value;

use super::{Rig, assert_whole, name, names};

/// `KubernetesValidatorFunctions.isValidObjectName` of Backstage, as far as we go.
fn is_valid(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends = |c: Option<char>| c.is_some_and(plain);
    (1..=63).contains(&name.len())
        && name.chars().all(|c| plain(c) || c == '-')
        && ends(name.chars().next())
        && ends(name.chars().last())
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => {
            members.iter().flat_map(|(key, value)| [vec![key.clone()], texts(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_alike_is_told_apart_and_the_oldest_keeps_the_name() {
    let (tenant, shop) = (Project::new("tenant"), Project::new("shop"));
    let old = |number: u32| format!("65aa0000000000000000{number:04x}");
    let with_uid = |uid: String, cluster: Cluster| Cluster { uid, ..cluster };
    let data = Data {
        clusters: vec![
            with_uid(old(3), Cluster::new("web", Some(&shop.uid))),
            with_uid(old(2), Cluster::new("web", Some(&shop.uid))),
            with_uid(old(4), Cluster::new("we_b", Some(&shop.uid))),
            with_uid(old(5), Cluster::new("WE.B", Some(&shop.uid))),
            // a project that is called as what is in none
            with_uid(old(6), Cluster::new("web", None)),
            with_uid(old(7), Cluster::new("web", Some(&tenant.uid))),
        ],
        projects: vec![tenant, shop],
        ..Data::default()
    };
    let rig = Rig::of(data);
    let found = rig.entities().await;
    assert_whole(&found);
    let named = |uid: &str| {
        let of =
            found.iter().find(|entity| entity["metadata"]["annotations"]["example.com/cluster-id"] == uid);
        name(of.expect("it is there"))
    };
    assert_eq!(named(&old(2)), "demo-shop-web");
    assert_eq!(named(&old(3)), "demo-shop-web-00000003");
    assert_eq!(named(&old(4)), "demo-shop-we-b");
    assert_eq!(named(&old(5)), "demo-shop-we-b-00000005");
    assert_eq!(named(&old(6)), "demo-tenant-web");
    assert_eq!(named(&old(7)), "demo-tenant-web-00000007");
    // in another order they are called the same
    rig.tenant.change(|data| data.clusters.reverse());
    let again = Rig::of((*rig.tenant.data()).clone());
    assert_eq!(names(&again.entities().await), names(&found));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_of_the_same_name_in_another_scope_is_not_what_a_cluster_stands_on() {
    let shop = Project::new("shop");
    let own = Profile::new("base", Some(&shop.uid)).with("1.0.0", vec![Pack::new("addon", "a", "1", "")]);
    let tenants = Profile::new("base", None).with("1.0.0", vec![Pack::new("addon", "a", "1", "")]);
    let on = |profile: &Profile| vec![Attached::new(&profile.versions[0].uid)];
    let group =
        |profiles| ClusterGroup { uid: uid("group"), name: "g".into(), profiles, ..ClusterGroup::default() };
    let data = Data {
        clusters: vec![
            Cluster { profiles: on(&own), ..Cluster::new("a", Some(&shop.uid)) },
            Cluster { profiles: on(&tenants), ..Cluster::new("b", Some(&shop.uid)) },
        ],
        groups: vec![group(vec![tenants.versions[0].uid.clone()])],
        profiles: vec![tenants, own],
        projects: vec![shop],
        ..Data::default()
    };
    let found = Rig::of(data.clone()).entities().await;
    let on = |entities: &[Value], wanted: &str| {
        let entity = entities.iter().find(|entity| name(entity) == wanted).expect("it is there");
        entity["spec"]["dependsOn"].clone()
    };
    assert_eq!(on(&found, "demo-shop-a"), serde_json::json!(["resource:default/demo-shop-base"]));
    assert_eq!(on(&found, "demo-shop-b"), serde_json::json!(["resource:default/demo-tenant-base"]));
    assert_eq!(on(&found, "demo-tenant-g"), serde_json::json!(["resource:default/demo-tenant-base"]));
    // where that one is not exported, nothing stands in for it
    let narrowed = Rig::with(data, "catalogProvider: {excludeTenantScopedResources: true}", "");
    let found = narrowed.entities().await;
    assert!(on(&found, "demo-shop-b").is_null(), "{found:?}");
    assert_whole(&found);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_names_of_their_own_and_break_no_document() {
    let long = "x".repeat(500);
    let odd = [
        "\u{202e}evil\u{200b}",
        "---\nkind: User",
        "a: b # c",
        "\"'\\{}[]&*!|>%@`",
        "日本",
        "../../etc/passwd",
        "null",
        "\u{1b}[31mred",
        &long,
        "-",
        "🚀",
        "${PLATFORM}",
        "{{template}}",
        "true",
        "0x1f",
    ];
    let projects: Vec<Project> = odd.iter().map(|name| Project::new(name)).collect();
    let first = projects[0].uid.clone();
    let clusters =
        odd.iter().map(|name| Cluster { environment: (*name).into(), ..Cluster::new(name, Some(&first)) });
    let profiles = odd.iter().map(|name| Profile::new(name, None).with(name, Vec::new()));
    let data =
        Data { clusters: clusters.collect(), profiles: profiles.collect(), projects, ..Data::default() };
    let rig = Rig::of(data);
    let found = rig.entities().await;
    assert_eq!(found.len(), 3 * odd.len());
    assert_whole(&found);
    for entity in &found {
        assert!(is_valid(&name(entity)), "{}", name(entity));
        let title = entity["metadata"]["title"].as_str().expect("a title");
        assert!(!title.is_empty() && title.chars().count() <= 201, "{title:?}");
        let tags = entity["metadata"]["tags"].as_array().expect("tags");
        assert!(
            tags.iter().all(|tag| tag.as_str().is_some_and(|tag| (1..=63).contains(&tag.len()))),
            "{tags:?}"
        );
        for text in texts(entity) {
            assert!(
                !text.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}')),
                "{text:?}"
            );
        }
    }
    // as YAML they are the same
    let text = rig.get().send().await.unwrap().text().await.unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    assert_eq!(documents, found);
    let kinds: BTreeSet<&str> = documents.iter().filter_map(|document| document["kind"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["Resource", "System"]));
}
