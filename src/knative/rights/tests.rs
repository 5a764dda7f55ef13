use serde_json::json;

use super::*;
use crate::knative::resource::{Reference, Unread};

fn kinds() -> Kinds {
    let groups = [
        ("", "v1", vec![("services", "Service"), ("secrets", "Secret"), ("configmaps", "ConfigMap")]),
        ("apps", "v1", vec![("deployments", "Deployment")]),
        ("eventing.knative.dev", "v1", vec![("brokers", "Broker"), ("triggers", "Trigger")]),
        ("serving.knative.dev", "v1", vec![("services", "Service")]),
        ("vault.example", "v1", vec![("credentials", "Credential")]),
        ("gateway.networking.k8s.io", "v1", vec![("gateways", "Gateway")]),
    ];
    let items: Vec<_> = groups
        .iter()
        .map(|(group, version, resources)| {
            let resources: Vec<_> = resources
                .iter()
                .map(|(plural, kind)| {
                    json!({"resource": plural, "responseKind": {"kind": kind, "group": group, "version": version},
                           "scope": "Namespaced", "singularResource": kind.to_lowercase(), "verbs": ["get", "list"]})
                })
                .collect();
            json!({"metadata": {"name": group}, "versions": [{"version": version, "resources": resources}]})
        })
        .collect();
    Kinds::from_aggregated([serde_json::from_value(json!({ "items": items })).expect("a discovery document")])
}

fn resources(targets: &[(&str, &str, Target)]) -> Resources {
    let targets = targets.iter().map(|(group, kind, target)| {
        let reference = Reference {
            group: (*group).to_owned(),
            kind: (*kind).to_owned(),
            namespace: "shop".to_owned(),
            name: "x".to_owned(),
        };
        (reference, target.clone())
    });
    Resources {
        targets: targets.collect(),
        whole: [("eventing.knative.dev".to_owned(), "Broker".to_owned())].into(),
        unread: vec![Unread {
            kind: "Trigger.eventing.knative.dev".to_owned(),
            why: "forbidden".to_owned(),
            fault: None,
        }],
        ..Resources::default()
    }
}

fn written(rights: &Rights) -> Vec<String> {
    let rules = rights.rules().iter();
    rules.map(|rule| format!("{:?} {}/{:?}", rule.verbs, rule.group, rule.resources)).collect()
}

#[test]
fn what_is_read_is_allowed_and_nothing_else() {
    let read = resources(&[
        ("", "Service", Target::Found(Box::default())),
        ("serving.knative.dev", "Service", Target::Missing),
        ("gone.example", "Thing", Target::NoKind),
    ]);
    let (used, unserved) = InUse::of(&read, &kinds(), &["services.serving.knative.dev".to_owned()].into());
    let with = |verb: &str| {
        [
            r#"["list"] apiextensions.k8s.io/{"customresourcedefinitions"}"#.to_owned(),
            r#"["list"] eventing.knative.dev/{"brokers", "triggers"}"#.to_owned(),
            format!(r#"["{verb}"] /{{"services"}}"#),
            format!(r#"["{verb}"] serving.knative.dev/{{"services"}}"#),
        ]
    };
    assert_eq!(written(&rights(&used, Reader::DropIn)), with("get"));
    assert_eq!(written(&rights(&used, Reader::Tool)), with("list"));
    assert_eq!(unserved, ["\"Thing.gone.example\"".to_owned()].into());
}

#[test]
fn whoever_writes_a_trigger_gives_no_rights_away() {
    let yaml = "X\"]\n  - apiGroups: [\"*\"]";
    let read = resources(&[
        ("", "Secret", Target::Found(Box::default())),
        ("", "ConfigMap", Target::NotAddressable),
        ("apps", "Deployment", Target::Unread),
        ("gateway.networking.k8s.io", "Gateway", Target::Unread),
        ("vault.example", "Credential", Target::Found(Box::default())),
        ("vault.example", yaml, Target::NotAddressable),
    ]);
    let addressable = ["secrets.", "gateways.gateway.networking.k8s.io", "deployments.apps"];
    let (used, _) = InUse::of(&read, &kinds(), &addressable.map(str::to_owned).into());
    assert!(used.targets.is_empty(), "{used:?}");
    let rights = rights(&used, Reader::DropIn);
    assert_eq!(rights.rules().len(), 2, "{rights:?}");
    assert_eq!(rights.left_out().len(), 6, "{rights:?}");
    assert!(rights.left_out().iter().all(|what| !what.contains('\n')), "{rights:?}");
}

#[test]
fn so_many_kinds_that_nobody_would_read_on_are_counted() {
    let many: Vec<String> = (0..200).map(|n| format!("K{n}")).collect();
    let targets: Vec<_> =
        many.iter().map(|kind| ("a.example", kind.as_str(), Target::NotAddressable)).collect();
    let (used, _) = InUse::of(&resources(&targets), &kinds(), &BTreeSet::new());
    let rights = rights(&used, Reader::Tool);
    assert_eq!(rights.left_out().len(), MOST + 1);
    assert!(rights.left_out().last().is_some_and(|what| what.starts_with("180 more kinds")), "{rights:?}");
}

#[test]
fn without_a_cluster_it_is_knative_as_it_comes_and_what_is_named() {
    let named = |names: &[(&str, &str)]| {
        InUse::named(names.iter().map(|(group, plural)| ((*group).to_owned(), (*plural).to_owned())))
    };
    let usual = named(&[("", "services")]);
    assert_eq!(usual.parts.len(), ALWAYS.len() + CHANNELS.len() + SOURCES.len());
    assert_eq!(usual.targets, [(String::new(), "services".to_owned())].into());
    let own =
        named(&[("messaging.knative.dev", "kafkachannels"), ("sources.vendor.example", "trainsources")]);
    assert_eq!(own.parts.len(), ALWAYS.len() + 2);
    assert!(own.targets.is_empty());
}

#[test]
fn kinds_with_too_many_subscribers_to_be_got_are_listed() {
    let of = |group: &str, plural: &str| (group.to_owned(), plural.to_owned());
    let counts = [(of("", "services"), 148), (of("a.example", "sinks"), 3), (of("b.example", "jobs"), 2)];
    assert_eq!(many(&counts.into()), [of("", "services")].into());
    assert!(many(&[(of("", "services"), 150)].into()).is_empty());
    let used =
        InUse { targets: [of("", "services")].into(), many: [of("", "services")].into(), ..InUse::default() };
    assert!(rights(&used, Reader::DropIn).allows(LIST, "", "services"));
}
