//! Tokens of the service account of the server in clusters of Palette: renewed, revoked, and shown to an API server
//! that is known by another authority.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use platform_mcp::demo::palette::{Cluster, Data, Failure, Fault, Kubeconfigs, Project};
use serde_json::json;

use crate::{
    control_plane::ControlPlane,
    mcp::Mcp,
    palette::{Palette, Tenant},
    palette_clusters::{cluster, environment, kubeconfig, serve},
    palette_onboarding::{Names, done, palette},
    short_lived::ShortLived,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster whose tokens live so long, and the tenant that has it.
async fn short_lived(plane: &ControlPlane, life: SignedDuration) -> (ShortLived, Tenant) {
    let short = ShortLived::start(plane, life).await;
    let shop = Project::new("shop");
    let web = Cluster { kubeconfigs: administered(plane, &short), ..cluster("web", Some(&shop), "Running") };
    let data = Data { projects: vec![shop], clusters: vec![web], ..Data::default() };
    (short, Palette::shared().tenant(data))
}

/// As it is known now.
fn administered(plane: &ControlPlane, short: &ShortLived) -> Option<Kubeconfigs> {
    let authority = STANDARD.encode(std::fs::read(&plane.ca_file).expect("the authority"));
    let admin = kubeconfig(plane, &format!("{{token: {}}}", plane.tokens.admin));
    let admin = admin.replace(&plane.server, &short.url);
    let admin = admin.replace(&authority, &STANDARD.encode(short.authority()));
    Some(Kubeconfigs { admin: Some(admin), ..Kubeconfigs::default() })
}

/// What is said of the one cluster, where it does not work.
async fn problem(mcp: &Mcp) -> Option<String> {
    let answer = mcp.call("kubernetes_clusters", json!({"cluster": "web"})).await;
    let row = &answer.structure["rows"][0];
    assert!(row["name"] == "web", "{}", answer.text);
    row["problem"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_renewed_before_it_ends_and_goes_on_being_used_while_palette_is_away() {
    let (plane, names) = (ControlPlane::shared(), Names::new());
    let (short, tenant) = short_lived(plane, SignedDuration::from_secs(30)).await;
    let rbac = names.rbac("");
    done(&palette(&tenant, &rbac, &["onboard", "--cluster", "web", "--yes"]));
    let server = serve(&[environment("prod", &tenant, &format!("{{rbac: {rbac}}}"))]);
    let mcp = Mcp::new(server.url("/mcp"));
    assert_eq!(problem(&mcp).await, None);
    assert_eq!(short.given(), 1);
    let began = Instant::now();
    // at half of its life, and ten seconds that one call may take
    while short.given() < 2 {
        assert!(began.elapsed() < Duration::from_secs(20), "it was not renewed before it ended");
        assert_eq!(problem(&mcp).await, None);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let asked = tenant.count();
    tenant.fail(Fault::everywhere(Failure::Coded(503, "Down".into(), "x".into())));
    let began = Instant::now();
    while tenant.count() == asked || began.elapsed() < Duration::from_secs(7) {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody tried to renew it");
        assert_eq!(problem(&mcp).await, None);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tenant.heal();
    done(&palette(&tenant, &rbac, &["offboard", "--cluster", "web", "--yes"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_is_had_anew_once_and_a_new_authority_is_asked_for() {
    let (plane, names) = (ControlPlane::shared(), Names::new());
    let (short, tenant) = short_lived(plane, SignedDuration::from_hours(1)).await;
    let rbac = names.rbac("");
    done(&palette(&tenant, &rbac, &["onboard", "--cluster", "web", "--yes"]));
    let server = serve(&[environment("prod", &tenant, &format!("{{rbac: {rbac}}}"))]);
    let mcp = Mcp::new(server.url("/mcp"));
    assert_eq!(problem(&mcp).await, None);
    // what was had a moment ago is not had anew
    short.revoke();
    let refused = problem(&mcp).await;
    assert!(refused.as_deref().is_none_or(|why| why.contains("401")), "{refused:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(problem(&mcp).await, None, "the call that is refused shows another one");
    assert_eq!(short.given(), 2);

    short.rotate();
    let behind = problem(&mcp).await.expect("it is not known by its authority of old");
    assert!(behind.contains("certificate"), "{behind}");
    tenant.change(|data| data.clusters[0].kubeconfigs = administered(plane, &short));
    let began = Instant::now();
    while let Some(problem) = problem(&mcp).await {
        assert!(began.elapsed() < PATIENCE, "it is not known by its new authority: {problem}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // who refuses every token is told of as it is
    short.refuse();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let refused = problem(&mcp).await.expect("it refuses");
    assert!(refused.contains("401") || refused.contains("refused"), "{refused}");
    let given = short.given();
    for _ in 0..5 {
        assert!(problem(&mcp).await.is_some());
    }
    assert!(short.given() <= given + 1, "{given} and then {}", short.given());
    short.take();
    done(&palette(&tenant, &rbac, &["offboard", "--cluster", "web", "--yes"]));
}
