use super::*;

fn grant(deny: bool, pattern: &str, namespaces: Option<&[&str]>) -> Grant {
    let namespaces = namespaces.map(|names| names.iter().map(|&name| name.to_owned()).collect());
    Grant {
        deny,
        permissions: Permissions::matching(pattern),
        within: Within { namespaces, ..Within::default() }.into(),
        rule: format!("{}{pattern}", if deny { "deny " } else { "" }),
    }
}

fn at(namespace: Extent) -> Scope {
    Scope::cluster(Extent::named("dev"), namespace)
}

const GRAPH: Requirement = Requirement::All(std::borrow::Cow::Borrowed(&[Permission::KroResourceGraphShow]));

#[test]
fn no_match_is_a_denial_that_hides() {
    let set = PermissionSet::new(vec![grant(false, "kubernetes.*", None)]);
    let decision = decide(&set, &GRAPH, &at(Extent::Anywhere));
    assert!(matches!(decision, Decision::Deny { hidden: true, .. }), "{decision:?}");
}

#[test]
fn a_narrowed_grant_covers_its_part_and_says_what_is_missing_elsewhere() {
    let set = PermissionSet::new(vec![grant(false, "kro.*", Some(&["team-*"]))]);
    assert!(decide(&set, &GRAPH, &at(Extent::named("team-a"))).is_allowed());
    assert!(decide(&set, &GRAPH, &at(Extent::Anywhere)).is_allowed(), "rows are filtered later");
    for elsewhere in [Extent::named("kube-system"), Extent::None] {
        let decision = decide(&set, &GRAPH, &at(elsewhere));
        assert_eq!(
            decision,
            Decision::Deny { missing: vec![Permission::KroResourceGraphShow], hidden: false, rule: None }
        );
    }
}

#[test]
fn deny_wins_over_allow_where_it_reaches() {
    let set = PermissionSet::new(vec![grant(false, "*", None), grant(true, "kro.*", Some(&["secret"]))]);
    assert!(decide(&set, &GRAPH, &at(Extent::named("open"))).is_allowed());
    assert!(decide(&set, &GRAPH, &at(Extent::Anywhere)).is_allowed());
    let denied = decide(&set, &GRAPH, &at(Extent::named("secret")));
    assert!(matches!(&denied, Decision::Deny { hidden: false, rule: Some(_), .. }), "{denied:?}");
    let same = PermissionSet::new(vec![
        grant(false, "*", Some(&["team-a"])),
        grant(true, "kro.*", Some(&["team-*"])),
    ]);
    assert!(!same.shows(&GRAPH), "denied wherever it is granted, so hidden");
    let everywhere = PermissionSet::new(vec![grant(false, "*", None), grant(true, "kro.*", None)]);
    assert!(!everywhere.shows(&GRAPH), "denied everywhere, so hidden");
}

fn on(deny: bool, pattern: &str, within: Within) -> Grant {
    Grant { within: within.into(), ..grant(deny, pattern, None) }
}

fn clusters(names: &[&str]) -> Within {
    Within { clusters: Some(names.iter().map(|&name| name.to_owned()).collect()), ..Within::default() }
}

#[test]
fn what_is_denied_in_one_cluster_is_not_seen_through_a_list_over_all() {
    let set = PermissionSet::new(vec![grant(false, "*", None), on(true, "*", clusters(&["prod"]))]);
    assert!(set.shows(&GRAPH));
    let in_cluster = |name: &str| Scope::cluster(Extent::named(name), Extent::Anywhere);
    assert!(decide(&set, &GRAPH, &in_cluster("dev")).is_allowed());
    assert!(!decide(&set, &GRAPH, &in_cluster("prod")).is_allowed(), "so neither row nor candidate");
    let by_both_names = Extent::Named(vec!["prod".to_owned(), "static/prod".to_owned()]);
    assert!(!decide(&set, &GRAPH, &Scope::cluster(by_both_names, Extent::Anywhere)).is_allowed());
    assert!(decide(&set, &GRAPH, &Scope::ANYWHERE).is_allowed());
    assert!(set.covers_cluster(Permission::KroInstancesList, &Extent::named("dev")));
    assert!(!set.covers_cluster(Permission::KroInstancesList, &Extent::named("prod")));
}

#[test]
fn an_open_scope_is_denied_where_nothing_of_it_is_left() {
    // team-a everywhere, ops in dev; and nothing of team-a anywhere
    let ops = Within { namespaces: Some(vec!["ops".to_owned()]), ..clusters(&["dev"]) };
    let set = PermissionSet::new(vec![
        grant(false, "kro.*", Some(&["team-a"])),
        on(false, "kro.*", ops),
        grant(true, "kro.*", Some(&["team-*"])),
    ]);
    let in_cluster = |name: &str| Scope::cluster(Extent::named(name), Extent::Anywhere);
    assert!(decide(&set, &GRAPH, &in_cluster("dev")).is_allowed());
    assert!(!decide(&set, &GRAPH, &in_cluster("prod")).is_allowed(), "prod is nobody's candidate");
    assert!(set.shows(&GRAPH));
}

#[test]
fn several_denials_together_hide_what_they_leave_nothing_of() {
    let both = PermissionSet::new(vec![
        grant(false, "kro.*", Some(&["a", "b"])),
        grant(true, "kro.*", Some(&["a"])),
        grant(true, "kro.*", Some(&["b"])),
    ]);
    assert!(!both.shows(&GRAPH));
    let cross = PermissionSet::new(vec![
        on(
            false,
            "kro.*",
            Within { namespaces: Some(vec!["a".into(), "b".into()]), ..clusters(&["x", "y"]) },
        ),
        on(true, "kro.*", clusters(&["x"])),
        grant(true, "kro.*", Some(&["a"])),
    ]);
    assert!(cross.shows(&GRAPH), "b in y is left");
    let scope =
        |cluster: &str, namespace: &str| Scope::cluster(Extent::named(cluster), Extent::named(namespace));
    assert!(decide(&cross, &GRAPH, &scope("y", "b")).is_allowed());
    for (cluster, namespace) in [("x", "a"), ("x", "b"), ("y", "a")] {
        assert!(!decide(&cross, &GRAPH, &scope(cluster, namespace)).is_allowed(), "{cluster} {namespace}");
    }
}

#[test]
fn every_namespace_is_not_what_is_in_none() {
    let set = PermissionSet::new(vec![grant(false, "kro.*", None), grant(true, "kro.*", Some(&["*"]))]);
    assert!(set.shows(&GRAPH), "a cluster-scoped instance is left");
    assert!(decide(&set, &GRAPH, &at(Extent::None)).is_allowed());
    assert!(decide(&set, &GRAPH, &at(Extent::Anywhere)).is_allowed());
    assert!(!decide(&set, &GRAPH, &at(Extent::named("a"))).is_allowed());
    let everywhere =
        PermissionSet::new(vec![grant(false, "kro.*", None), on(true, "kro.*", clusters(&["*"]))]);
    assert!(!everywhere.shows(&GRAPH), "there is no graph outside of clusters");
}

#[test]
fn what_can_never_be_in_a_grants_place_is_not_given() {
    let given = |within: Within| PermissionSet::new(vec![on(false, "*", within)]).somewhere();
    let namespaced = given(Within { namespaces: Some(vec!["*".to_owned()]), ..Within::default() });
    assert!(namespaced.contains(Permission::KroInstancesList));
    assert!(!namespaced.contains(Permission::KroRgdsList), "an RGD is in no namespace");
    assert!(!namespaced.contains(Permission::SpectrocloudProfileViewInfo), "nor is what Palette has");
    let palette = given(Within { environments: Some(vec!["prod".to_owned()]), ..Within::default() });
    assert!(palette.contains(Permission::SpectrocloudClusterViewInfo));
    assert!(!palette.contains(Permission::KroInstancesList), "no Kubernetes object is in an environment");
    let denied = PermissionSet::new(vec![
        grant(false, "*", None),
        on(true, "*", Within { environments: Some(vec!["*".to_owned()]), ..Within::default() }),
    ]);
    assert!(denied.somewhere().contains(Permission::KroInstancesList), "the denial is about Palette");
    assert!(!denied.somewhere().contains(Permission::SpectrocloudClusterViewInfo));
}

#[test]
fn a_cluster_is_covered_by_what_nothing_narrows() {
    let covers = |grants: Vec<Grant>| {
        PermissionSet::new(grants).covers_cluster(Permission::KroInstancesList, &Extent::named("dev"))
    };
    assert!(covers(vec![grant(false, "kro.*", None)]));
    assert!(covers(vec![grant(false, "kro.*", Some(&["a"])), grant(false, "*", None)]));
    assert!(!covers(vec![grant(false, "kro.*", Some(&["*"]))]), "not what is in no namespace");
    assert!(!covers(vec![grant(false, "*", None), grant(true, "kro.*", Some(&["secret"]))]));
    assert!(covers(vec![grant(false, "*", None), grant(true, "palette.*", None)]));
}

#[test]
fn who_is_kept_to_clusters_or_namespaces_has_nothing_of_palette() {
    let palette = Requirement::one(Permission::SpectrocloudClusterViewInfo);
    let names = |name: &str| Some(vec![name.to_owned()]);
    for within in [clusters(&["dev"]), Within { namespaces: names("shop"), ..Within::default() }] {
        let set = PermissionSet::new(vec![on(false, "*", within)]);
        assert!(set.shows(&GRAPH) && !set.shows(&palette), "hidden, as it could be used nowhere");
    }
    for within in [
        Within { environments: names("acme"), ..Within::default() },
        Within { projects: names("alpha"), ..Within::default() },
    ] {
        let set = PermissionSet::new(vec![on(false, "*", within)]);
        assert!(set.shows(&palette) && !set.shows(&GRAPH));
    }
}
