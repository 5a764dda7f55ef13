//! A real Backstage reads them as `examples/backstage/entities.yaml` says: one backend, told one thing after another.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use platform_mcp::demo::palette::{Cluster, Failure, Fault};
use serde_json::{Value, json};

use super::{config, names, of_type, referred, sample};
use crate::{
    backstage::{Backstage, ENTITIES_TOKEN, MACHINE_TOKEN, Options},
    oidc::Provider,
    palette::{Palette, Tenant},
    server::{Product, Server},
};

const PATIENCE: Duration = Duration::from_secs(60);

fn server(tenant: &Tenant) -> Server {
    let issuer = Provider::shared().entry("[{roles: [viewer]}]");
    let more = format!("issuers: [{issuer}]\nentities: {{reader: {{tokenFile: token}}}}");
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config(tenant, "", &more));
    product.write("token", ENTITIES_TOKEN);
    product.serve()
}

async fn catalog(backstage: &Backstage, path: &str) -> Value {
    let request = reqwest::Client::new().get(backstage.direct(path)).bearer_auth(MACHINE_TOKEN);
    request.send().await.unwrap().json().await.unwrap()
}

/// What came of our location, with what Backstage made of it.
async fn ours(backstage: &Backstage) -> Vec<Value> {
    let all = catalog(backstage, "/api/catalog/entities").await;
    let all = all.as_array().expect("a list").iter();
    let ours = |entity: &&Value| {
        let from = entity["metadata"]["annotations"]["backstage.io/managed-by-location"].as_str();
        entity["kind"] != "Location" && from.is_some_and(|from| from.ends_with("/browse/entities.yaml"))
    };
    all.filter(ours).cloned().collect()
}

async fn until(backstage: &Backstage, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let found = ours(backstage).await;
        if holds(&found) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: {:?}\n{}", names(&found), backstage.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The other ends of relations of one kind, by entity.
fn related(entities: &[Value], relation: &str) -> BTreeMap<String, BTreeSet<String>> {
    let of = |entity: &Value| {
        let all = entity["relations"].as_array().cloned().unwrap_or_default();
        let wanted = all.into_iter().filter(|one| one["type"] == relation);
        wanted.filter_map(|one| Some(one["targetRef"].as_str()?.to_owned())).collect()
    };
    entities.iter().map(|entity| (super::reference(entity), of(entity))).collect()
}

/// Waits until the location was read so many times more, whatever came of it.
async fn read_again(backstage: &Backstage, server: &Server, times: usize) {
    let reads = || server.read("audit.log").matches("catalog_entities").count();
    let (before, began) = (reads(), Instant::now());
    while reads() < before + times {
        assert!(began.elapsed() < PATIENCE, "it is not read again\n{}", backstage.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_catalog_has_them_with_their_relations_and_keeps_them_through_an_outage() {
    let tenant = Palette::shared().tenant(sample()).lenient();
    let server = server(&tenant);
    // over the one of app-config.yaml, member by member
    let often = json!({"catalog": {"processingInterval": {"hours": 0, "seconds": 1}}});
    let backstage = Backstage::start(Options::default().entities().config(often));
    backstage.front().to(server.address());

    // five kinds, and both ends of each relation
    let stitched = |found: &[Value]| {
        found.len() == 6 && found.iter().filter(|entity| entity["relations"][0].is_object()).count() == 6
    };
    let found = until(&backstage, "six entities with relations", stitched).await;
    for kind in ["project", "cluster-profile", "cluster", "cluster-group", "virtual-cluster"] {
        assert!(!of_type(&found, &format!("spectrocloud-{kind}")).is_empty(), "{kind}: {:?}", names(&found));
    }
    let known: BTreeSet<String> = found.iter().map(super::reference).collect();
    assert!(referred(&found).is_subset(&known), "{:?}", referred(&found));
    for (one, other) in [("dependsOn", "dependencyOf"), ("partOf", "hasPart")] {
        let (forth, back) = (related(&found, one), related(&found, other));
        assert!(forth.values().any(|ends| !ends.is_empty()), "{one}: {forth:?}");
        for (from, ends) in forth {
            for to in ends {
                assert!(back.get(&to).is_some_and(|of| of.contains(&from)), "{from} {one} {to}: {back:?}");
            }
        }
    }
    let guest = "resource:default/demo-team-a-guest";
    let on = &related(&found, "dependsOn")[guest];
    let wanted = ["demo-team-a-prod-eu", "demo-team-a-web", "demo-tenant-sandboxes"];
    assert_eq!(on, &wanted.map(|name| format!("resource:default/{name}")).into());
    let log = backstage.log();
    let errors: Vec<&str> =
        log.lines().filter(|line| line.contains("demo-") && line.contains("rror")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for entity in &found {
        assert!(entity["status"]["items"].is_null(), "{entity}");
    }

    // what has not changed is not sent again: the location goes on as it was
    read_again(&backstage, &server, 2).await;
    assert_eq!(ours(&backstage).await.len(), 6);

    // Palette is down, more often than Backstage remembers what it read (five times)
    tenant.fail(Fault::everywhere(Failure::Coded(503, "Unavailable".into(), "out of service".into())));
    let failed = async |times: usize| {
        let began = Instant::now();
        while server.read("audit.log").matches("\"outcome\":\"upstream").count() < times {
            assert!(began.elapsed() < PATIENCE, "{}", server.read("audit.log"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    failed(1).await;
    // what is not tried again fails sooner
    tenant.heal();
    tenant.fail(Fault::everywhere(Failure::unauthorized()));
    failed(8).await;
    let kept = ours(&backstage).await;
    assert_eq!(names(&kept).len(), 6, "{:?}", names(&kept));
    let orphan = |entity: &Value| entity["metadata"]["annotations"]["backstage.io/orphan"] == "true";
    assert!(!kept.iter().any(orphan), "{kept:?}");
    let locations = catalog(&backstage, "/api/catalog/entities?filter=kind=location").await;
    let why = "/browse/entities.yaml could not be read as";
    assert!(locations.to_string().contains(why) && locations.to_string().contains(", 503 "), "{locations}");
    // so is this server
    backstage.front().to_nothing();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(ours(&backstage).await.len(), 6);

    // it is back, and what is gone in Palette goes, what is new comes
    tenant.heal();
    let team = tenant.data().projects[0].uid.clone();
    tenant.change(|data| {
        data.clusters.retain(|cluster| cluster.name != "guest");
        data.clusters.push(Cluster::new("late", Some(&team)));
    });
    backstage.front().to(server.address());
    let named = |entity: &&Value, name: &str| entity["metadata"]["name"] == name;
    let done = |found: &[Value]| {
        let guest = found.iter().find(|entity| named(entity, "demo-team-a-guest"));
        guest.is_none_or(orphan) && found.iter().any(|entity| named(&entity, "demo-team-a-late"))
    };
    let found = until(&backstage, "the guest is gone and the late one is there", done).await;
    let others = found.iter().filter(|entity| !named(entity, "demo-team-a-guest"));
    assert!(others.clone().count() == 6 && !others.clone().any(orphan), "{:?}", names(&found));
}
