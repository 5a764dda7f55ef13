//! What the gate's pure part costs: deciding one call for a caller with many rules.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use platform_mcp::permission::{
    Extent, Grant, Permission, PermissionSet, Permissions, Requirement, Scope, Within, decide,
};

fn many_rules() -> PermissionSet {
    let grants = (0..50).map(|team| Grant {
        deny: team % 10 == 9,
        permissions: Permissions::matching("kro.*"),
        within: Within {
            clusters: Some(vec!["prod-*".to_owned(), "dev".to_owned()]),
            namespaces: Some(vec![format!("team-{team}-*")]),
            ..Within::default()
        },
        rule: format!("rule {team}"),
    });
    PermissionSet::new(grants.collect())
}

fn decision(criterion: &mut Criterion) {
    let set = many_rules();
    let requirement = Requirement::one(Permission::KroResourceGraphShow);
    let scope = |namespace: &str| {
        Scope::cluster(
            Extent::Named(vec!["prod-eu".to_owned(), "kubeconfig/prod-eu".to_owned()]),
            Extent::named(namespace),
        )
    };
    let (last, none) = (scope("team-48-shop"), scope("kube-system"));
    criterion.bench_function("decide, 50 rules, the last one grants", |bench| {
        bench.iter(|| decide(black_box(&set), black_box(&requirement), black_box(&last)));
    });
    criterion.bench_function("decide, 50 rules, none grants", |bench| {
        bench.iter(|| decide(black_box(&set), black_box(&requirement), black_box(&none)));
    });
}

criterion_group!(benches, decision);
criterion_main!(benches);
