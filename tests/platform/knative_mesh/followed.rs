//! Events followed over hops, and drawn.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{good, over, rows, texts};
use crate::{
    knative::{self, StandardMesh},
    mcp::{Mcp, ToolAnswer},
};

/// Who gets it, each once: surely, and perhaps.
fn consumers(answer: &ToolAnswer) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut names = texts(&answer.structure["consumers"]);
    names.retain(|name| !name.starts_with("and "));
    let (maybe, sure): (BTreeSet<String>, _) = names.into_iter().partition(|name| name.starts_with("maybe "));
    let bare =
        |name: &String| name.trim_start_matches("maybe ").split(" [").next().unwrap_or_default().to_owned();
    (sure.iter().map(bare).collect(), maybe.iter().map(bare).collect())
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().copied().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_gets_to_whom_the_filters_let_it_and_to_nobody_else() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let (shop, bank) = (&*mesh.shop, &*mesh.bank);
    let server = over(plane, &plane.tokens.viewer);
    let mcp = Mcp::new(server.url("/mcp"));
    let ask = async |event_type: &str, namespace: &str| {
        let asked = json!({"namespace": namespace, "event_type": event_type, "direction": "consumers"});
        good(&mcp, asked).await
    };
    let service = |name: &str| format!("Service {shop}/{name}");
    let dead = [
        format!("Deployment {shop}/checkout (takes no events)"),
        format!("ConfigMap {shop}/settings (takes no events)"),
    ];

    // what takes no events gets none: a dead end is no consumer
    let unfiltered = [service("everything")];
    let gone = format!("{} (missing)", service("gone"));
    for (event_type, sure) in [
        (
            "shop.order.placed",
            vec![
                service("billing"),
                service("archive"),
                format!("Service {bank}/finance"),
                "http://legacy.platform.test/hook".to_owned(),
            ],
        ),
        (
            "shop.order.cancelled",
            vec![service("archive"), service("cancellations"), service("not-placed"), service("cancel-desk")],
        ),
        (
            "shop.refund.issued",
            vec![
                format!("JobSink {shop}/refund-job"),
                format!("Service {bank}/finance"),
                service("refund-desk"),
            ],
        ),
        ("shop.loop", vec![service("loop-exit")]),
    ] {
        let answer = ask(event_type, shop).await;
        let (surely, perhaps) = consumers(&answer);
        let expected: BTreeSet<String> = sure.into_iter().chain(unfiltered.clone()).collect();
        assert_eq!(surely, expected, "{event_type}: {}", answer.text);
        assert_eq!(
            perhaps,
            BTreeSet::from([service("big-orders")]),
            "CESQL is not evaluated: {}",
            answer.text
        );
        let ends = texts(&answer.structure["dead_ends"]);
        assert!(dead.iter().all(|end| ends.contains(end)), "{event_type}: {ends:?}");
        assert_eq!(ends.contains(&gone), event_type == "shop.order.placed", "{event_type}: {ends:?}");
        assert!(answer.text.contains("maybe"), "what is not sure is marked: {}", answer.text);
        let undelivered = texts(&answer.structure["undelivered"]);
        assert!(undelivered.iter().any(|name| name.contains("dead-letters")), "{undelivered:?}");
        let loops = answer.structure["loops"].as_array().map_or(0, Vec::len);
        assert_eq!(loops, usize::from(event_type == "shop.loop"), "{}", answer.text);
    }

    let lost = ask("shop.lost", shop).await;
    assert!(
        lost.text.contains("gets to nobody; ends at Broker") && lost.text.contains("(missing)"),
        "{}",
        lost.text
    );
    assert_eq!(lost.structure["consumers"], json!([]), "{}", lost.text);
    let asked = json!({"consumer": "billing", "namespace": shop});
    let of_billing = rows(&mcp, asked.clone(), "consumers").await;
    assert!(of_billing.iter().any(|row| row["via"] == "Trigger never"), "{of_billing:#?}");
    let text = good(&mcp, asked).await.text;
    assert!(text.contains("trigger-never-matches"), "what cannot pass may be what is asked about: {text}");

    let ping = ask("dev.knative.sources.ping", bank).await;
    let (surely, perhaps) = consumers(&ping);
    assert_eq!(surely, set(&[&format!("Service {bank}/enrich")]), "{}", ping.text);
    let then = set(&[&format!("Service {bank}/validate"), &format!("Service {bank}/report")]);
    assert_eq!(perhaps, then, "nobody says of what type an answer is: {}", ping.text);

    let added = ask("dev.knative.apiserver.resource.add", shop).await;
    let (surely, _) = consumers(&added);
    let names = ["audit-log", "audit-copy", "is-large", "small"].map(service);
    let mut expected = BTreeSet::from(names);
    expected.insert("https://siem.platform.test/events".to_owned());
    assert_eq!(surely, expected, "{}", added.text);
    let asked = json!({"event_type": "dev.knative.apiserver.resource.add", "direction": "consumers", "namespace": shop});
    let hops = rows(&mcp, asked, "hops").await;
    // the list of consumers names the first twenty
    for answered in ["large", "loop-exit", "billing", "everything"] {
        let to = format!("Service {answered}");
        let hop = hops.iter().find(|hop| hop["to"] == to.as_str());
        assert!(hop.is_some_and(|hop| hop["passes"] == "maybe"), "{answered}: {hops:#?}");
    }
    assert!(hops.iter().any(|hop| hop["via"] == "Trigger legacy"), "by what is answered: {hops:#?}");
    assert!(
        !hops.iter().any(|hop| hop["via"] == "Trigger never"),
        "no event passes it, whatever it is: {hops:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_event_comes_from_is_found_over_hops_and_across_namespaces() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let (shop, bank) = (&*mesh.shop, &*mesh.bank);
    let server = over(plane, &plane.tokens.viewer);
    let mcp = Mcp::new(server.url("/mcp"));
    let from = async |argument: &str, value: &str| {
        let answer = good(&mcp, json!({argument: value, "direction": "producers"})).await;
        (texts(&answer.structure["producers"]), answer)
    };
    let heartbeat = format!("PingSource {shop}/heartbeat");
    let watcher = format!("ApiServerSource {shop}/cluster-events");
    let orders = format!("ContainerSource {shop}/orders");

    let (producers, answer) = from("consumer", &format!("{bank}/enrich")).await;
    assert_eq!(producers, set(&[&heartbeat]), "{}", answer.text);
    let (producers, answer) = from("consumer", &format!("{bank}/report")).await;
    assert_eq!(producers, set(&[&format!("maybe {heartbeat}")]), "by an answer: {}", answer.text);
    let (producers, answer) = from("consumer", &format!("{shop}/audit-copy")).await;
    assert_eq!(producers, set(&[&watcher]), "{}", answer.text);
    let (producers, answer) = from("consumer", &format!("{shop}/archive")).await;
    assert!(producers.contains(&format!("maybe {orders}")), "it does not say what it sends: {}", answer.text);
    assert!(!producers.iter().any(|name| name.contains("PingSource")), "{}", answer.text);
    let (producers, answer) = from("consumer", "https://collector.platform.test/in").await;
    assert_eq!(producers.len(), 1, "{}", answer.text);
    assert!(
        producers.iter().any(|name| name.contains(&format!("RepositoryFeed {bank}/commits"))),
        "{producers:?}"
    );

    let path = json!({"event_type": "dev.knative.sources.ping", "namespace": bank, "direction": "path"});
    let hops = rows(&mcp, path.clone(), "hops").await;
    let told: Vec<(i64, String)> = hops
        .iter()
        .map(|hop| {
            let to = hop["to"].as_str().unwrap_or_default().replace(&format!("{bank}/"), "");
            (hop["distance"].as_i64().unwrap_or_default(), to)
        })
        .collect();
    let at = |distance: i64| -> BTreeSet<&str> {
        told.iter().filter(|(hop, _)| *hop == distance).map(|(_, to)| to.as_str()).collect()
    };
    assert_eq!(at(-1), BTreeSet::from(["Broker ledger"]), "{told:?}");
    assert_eq!(at(1), BTreeSet::from(["Sequence settle"]), "{told:?}");
    assert!(at(2).contains("Service enrich"), "{told:?}");
    assert!(told.iter().any(|(_, to)| to == "Service report"), "{told:?}");

    for format in ["mermaid", "dot"] {
        let mut drawn = path.clone();
        drawn["format"] = json!(format);
        let answer = good(&mcp, drawn).await;
        let picture = answer.structure["picture"].as_str().expect("a picture");
        let begins = if format == "mermaid" { "flowchart LR" } else { "digraph mesh {" };
        assert!(picture.starts_with(begins) && answer.text.contains(begins), "{}", answer.text);
        for node in [&heartbeat, &format!("Broker {bank}/ledger"), &format!("Service {bank}/report")] {
            assert!(picture.contains(node.as_str()), "{node}: {picture}");
        }
        assert!(!picture.contains("archive"), "only what was followed: {picture}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nothing_or_more_than_one_has_is_refused_with_those_that_are_there() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let shop = &*mesh.shop;
    let server = over(plane, &plane.tokens.viewer);
    let mcp = Mcp::new(server.url("/mcp"));
    for (asked, said) in [
        (json!({"broker": "defualt", "namespace": shop}), "default"),
        (json!({"consumer": "bilings", "namespace": shop}), "billing"),
        (json!({"direction": "producers"}), "event_type"),
        (json!({"event_type": " "}), "empty"),
        (json!({"namespace": "no-such-shop"}), "namespace"),
    ] {
        let answer = super::ask(&mcp, asked.clone()).await;
        assert!(answer.is_error && answer.text.contains(said), "{asked}: {}", answer.text);
    }
    for known in ["default", "audit", "route", "first"] {
        let asked = json!({"broker": format!("{shop}/{known}"), "direction": "consumers"});
        let answer = good(&mcp, asked).await;
        assert!(
            answer.structure["hops"].as_array().is_some_and(|hops| !hops.is_empty()),
            "{known}: {}",
            answer.text
        );
    }
    let by_id = good(&mcp, json!({"consumer": "billing-component", "namespace": shop})).await;
    let to: BTreeSet<&str> = by_id.structure["consumers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row: &Value| row["to"].as_str())
        .collect();
    assert!(to.contains("Service billing"), "by Backstage's id: {}", by_id.text);
}
