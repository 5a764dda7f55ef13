//! What the gate costs: deciding one call for a caller with many rules, a whole call, and knowing its caller.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Duration};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::routing::get;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use platform_mcp::permission::{
    Extent, Grant, Permission, PermissionSet, Permissions, Requirement, Scope, Within, decide,
};
use platform_mcp::{
    answer::seal::Seal,
    audit::Audit,
    caller::{
        Callers, local,
        oidc::{IssuerSettings, Issuers},
    },
    kubernetes::Identity,
    permission::{OneOrMore, Policy, Roles, Rule},
    telemetry::Spans,
    toolbox::{Limits, Offer, Parts, Process, Request, Toolbox},
};
use serde_json::json;
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

/// What a caller costs who was not known before, beside verification: 100 rules, of which three are about them.
fn binding(criterion: &mut Criterion) {
    let rules: Vec<Rule> = (0..100)
        .map(|team| Rule {
            name: Some(format!("team {team}")),
            when: [("groups".to_owned(), OneOrMore::One(format!("team-{team}")))].into(),
            roles: vec!["operator".to_owned()],
            within: Within { namespaces: Some(vec![format!("team-{team}-*")]), ..Within::default() },
            ..Rule::default()
        })
        .collect();
    let policy = Policy::new("https://login.example.com", &Roles::default(), &rules, None, &BTreeMap::new());
    let policy = policy.expect("rules that make sense");
    let groups = ["team-3", "team-50", "team-99", "people", "everyone"];
    let claims = json!({"sub": "anna", "groups": groups});
    let claims = claims.as_object().expect("an object");
    criterion.bench_function("bind a caller to 100 rules, 3 match", |bench| {
        bench.iter(|| policy.bind(black_box(claims)));
    });
}

/// A whole call without an upstream and without a door, the audit log in a file.
fn gated_call(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let caller = local::caller(&Roles::default(), &["viewer".to_owned()], &Within::default());
    let caller = Arc::new(caller.expect("a built-in role"));
    let parts = Parts {
        catalog: Default::default(),
        environments: Default::default(),
        registry: Arc::default(),
        process: Arc::new(Process::new(
            Seal::random().expect("randomness"),
            Audit::file(&folder.path().join("audit.log")).expect("a file"),
            Spans::default(),
        )),
        limits: Limits::default(),
        offer: Offer::default(),
    };
    let toolbox = Toolbox::new(parts).expect("the contracts");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    criterion.bench_function("gated call of whoami", |bench| {
        bench.iter(|| {
            let request = Request {
                progress: platform_mcp::toolbox::Progress::default(),
                patience: None,
                handing: Default::default(),
                presented: Arc::default(),
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

/// Where a caller's token is verified for the first time, and where it was verified before.
fn verification(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let key = Ed25519KeyPair::generate().expect("a key");
    let issuer = runtime.block_on(issuer(&key));
    let token = token(&key, &issuer);
    let settings = || IssuerSettings {
        issuer: issuer.clone(),
        audiences: vec![AUDIENCE.to_owned()],
        id_tokens: false,
        types: vec![Some("at+jwt".to_owned())],
        algorithms: vec![Algorithm::EdDSA],
        ca_file: None,
        leeway: Duration::from_secs(30),
        username_claim: "sub".to_owned(),
        username_prefix: "oidc:".to_owned(),
        groups_claim: "groups".to_owned(),
        groups_prefix: "oidc:".to_owned(),
        extra: BTreeMap::new(),
        uid: false,
        exchange: None,
    };
    let issuers = Issuers::new(vec![settings()], None);
    criterion.bench_function("verification of an EdDSA token, 20 groups", |bench| {
        bench.iter(|| runtime.block_on(issuers.verify(black_box(&token), Timestamp::now())).expect("good"));
    });
    let issuers = Issuers::new(vec![settings()], None);
    let callers = Callers::new(None, issuers, BTreeMap::new(), Identity::Impersonate);
    criterion.bench_function("cached verification", |bench| {
        bench.iter(|| runtime.block_on(callers.token(black_box(&token))).expect("good"));
    });
}

const AUDIENCE: &str = "https://mcp.example.com/mcp";

/// Serves the two documents of an issuer on loopback; answers its name.
async fn issuer(key: &Ed25519KeyPair) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let about = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")});
    let x = URL_SAFE_NO_PAD.encode(key.public_key());
    let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": x}]});
    let routes = axum::Router::new()
        .route("/.well-known/openid-configuration", get(async move || axum::Json(about)))
        .route("/jwks", get(async move || axum::Json(keys)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    issuer
}

fn token(key: &Ed25519KeyPair, issuer: &str) -> String {
    let ends = Timestamp::now().as_second() + 86_400;
    let groups: Vec<String> = (0..20).map(|team| format!("team-{team}")).collect();
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "1"});
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "sub": "anna", "exp": ends, "groups": groups});
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(format!("{header}.{claims}").as_bytes()));
    format!("{header}.{claims}.{signature}")
}

criterion_group!(benches, decision, binding, gated_call, verification);
criterion_main!(benches);
