//! What the gate's pure part costs: deciding one call for a caller with many rules.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use platform_mcp::permission::{
    Extent, Grant, Permission, PermissionSet, Permissions, Requirement, Scope, Within, decide,
};
use platform_mcp::{
    answer::seal::Seal,
    audit::Audit,
    caller::local,
    kubernetes::Clusters,
    permission::Roles,
    toolbox::{Limits, Offer, Parts, Process, Request, Toolbox},
};
use tokio_util::sync::CancellationToken;

fn many_rules() -> PermissionSet {
    let grants = (0..50).map(|team| Grant {
        deny: team % 10 == 9,
        permissions: Permissions::matching("kro.*"),
        within: Within {
            clusters: Some(vec!["prod-*".to_owned(), "dev".to_owned()]),
            namespaces: Some(vec![format!("team-{team}-*")]),
            ..Within::default()
        }
        .into(),
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

/// A whole call without an upstream and without a door, the audit log in a file.
fn gated_call(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let caller = local::caller(&Roles::default(), &["viewer".to_owned()], &Within::default());
    let caller = Arc::new(caller.expect("a built-in role"));
    let parts = Parts {
        clusters: Arc::new(Clusters::default()),
        process: Arc::new(Process::new(
            Seal::random().expect("randomness"),
            Audit::file(&folder.path().join("audit.log")).expect("a file"),
        )),
        limits: Limits::default(),
        offer: Offer::default(),
    };
    let toolbox = Toolbox::new(parts).expect("the contracts");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    criterion.bench_function("gated call of whoami", |bench| {
        bench.iter(|| {
            let request = Request {
                door: "bench",
                caller: Arc::clone(&caller),
                tool: "whoami".to_owned(),
                arguments: serde_json::Map::new(),
                cancel: CancellationToken::new(),
                client: None,
                trace: None,
            };
            runtime.block_on(toolbox.call(request)).expect("an answer")
        });
    });
}

criterion_group!(benches, decision, gated_call);
criterion_main!(benches);
