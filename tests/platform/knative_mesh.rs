//! `knative_event_mesh` over the mesh of `tests/support/eventing/mesh.mjs`: each consumer right, each dead end named.

mod callers;
mod faults;
mod followed;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    knative::{self, PLANTED, StandardMesh},
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const TOOL: &str = "knative_event_mesh";

/// A server of one cluster, which it asks with this token.
fn over(plane: &ControlPlane, token: &str) -> Server {
    let clusters = json!({"kubeconfig": {"enabled": false}, "static": [
        {"name": "mesh", "url": plane.server, "caFile": plane.ca_file, "token": token}]});
    let config = format!(
        "clusters: {clusters}\naudit: {{to: audit.log}}\nlimits: {{requestsPerSecond: 100000, burst: 100000}}\n"
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

/// What the tool answers; nothing that is nobody's business is in it.
async fn ask(mcp: &Mcp, arguments: Value) -> ToolAnswer {
    let said = arguments.to_string();
    let answer = mcp.call(TOOL, arguments).await;
    for never in [PLANTED, "last-applied-configuration"] {
        assert!(!answer.text.contains(never), "{never} in the text of {said}: {}", answer.text);
        assert!(!answer.structure.to_string().contains(never), "{never} in the structure of {said}");
    }
    answer
}

/// An answer that is none of an error.
async fn good(mcp: &Mcp, arguments: Value) -> ToolAnswer {
    let said = arguments.to_string();
    let answer = ask(mcp, arguments).await;
    assert!(!answer.is_error, "{said}: {}", answer.text);
    answer
}

/// The rows of all pages, of `consumers` or `hops`.
async fn rows(mcp: &Mcp, mut arguments: Value, member: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let answer = good(mcp, arguments.clone()).await;
        rows.extend(answer.structure[member].as_array().cloned().unwrap_or_default());
        let cursor = answer.structure["next_cursor"].clone();
        if cursor.is_null() {
            return rows;
        }
        arguments["cursor"] = cursor;
    }
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn gaps(answer: &ToolAnswer) -> String {
    texts(&answer.structure["gaps"]).into_iter().collect::<Vec<_>>().join("\n")
}

/// `VIA | FILTER | TO [ID] | READY | DEAD LETTER | REPLY`, what is not there left out.
fn line(row: &Value) -> String {
    let cell = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let id = row["id"].as_str().map(|id| format!(" [{id}]")).unwrap_or_default();
    // why is asserted by itself
    let ready = cell("ready");
    let ready = ready.split(':').next().unwrap_or_default();
    let cells =
        [cell("via"), cell("filter"), cell("to") + &id, ready.to_owned(), cell("dead_letter"), cell("reply")];
    cells.join(" | ").trim_end_matches(" |").trim_end_matches(['|', ' ']).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trigger_and_subscription_is_told_with_its_filter_its_state_and_where_it_leads() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let (shop, bank) = (&*mesh.shop, &*mesh.bank);
    let server = over(plane, &plane.tokens.viewer);
    let mcp = Mcp::new(server.url("/mcp"));

    let all = rows(&mcp, json!({"namespace": shop, "limit": 1000}), "consumers").await;
    let by = |from: &str| -> BTreeSet<String> {
        all.iter().filter(|row| row["from"] == from && row["namespace"] == shop).map(line).collect()
    };
    let placed = "type = shop.order.placed";
    let cancelled = "type = shop.order.cancelled";
    let refund = "type = shop.refund.issued";
    let dead = "Service dead-letters";
    let triggers = [
        format!(
            "Trigger legacy | {placed} | Service billing [billing-component] |  | Service billing-failures"
        ),
        format!(
            "Trigger legacy-source | {placed}, source = /elsewhere | Service elsewhere [elsewhere] |  | {dead}"
        ),
        format!("Trigger exact | {refund} | JobSink refund-job |  | {dead}"),
        format!("Trigger prefix | type begins with shop.order. | Service archive [archive] |  | {dead}"),
        format!(
            "Trigger suffix | type ends with .cancelled | Service cancellations [cancellations] |  | {dead}"
        ),
        format!("Trigger any | any of ({placed}; {refund}) | Service {bank}/finance [finance] |  | {dead}"),
        format!(
            "Trigger all-and-not | type begins with shop.order., not (type ends with .placed) | Service not-placed \
             [not-placed] |  | {dead}"
        ),
        format!(
            "Trigger cesql | CESQL: type LIKE 'shop.%' AND amount > 100 (not evaluated) | Service big-orders \
             [big-orders] |  | {dead}"
        ),
        format!("Trigger none |  | Service everything |  | {dead}"),
        format!("Trigger both | {refund} | Service refund-desk [refund-desk] |  | {dead}"),
        format!("Trigger empty-list | {cancelled} | Service cancel-desk [cancel-desk] |  | {dead}"),
        format!("Trigger never | type = a, type = b | Service billing [billing-component] |  | {dead}"),
        format!("Trigger by-uri | {placed} | http://legacy.platform.test/hook |  | {dead}"),
        format!("Trigger to-missing | {placed} | Service gone (missing) | no | {dead}"),
        format!("Trigger to-deployment |  | Deployment checkout (takes no events) | no | {dead}"),
        format!("Trigger to-settings |  | ConfigMap settings (takes no events) | no | {dead}"),
        format!("Trigger into-loop | type = shop.loop | InMemoryChannel first |  | {dead}"),
    ];
    assert_eq!(by("Broker default"), BTreeSet::from(triggers));
    assert_eq!(
        by("Broker nowhere (missing)"),
        BTreeSet::from(["Trigger without-broker |  | Service billing [billing-component] | no".to_owned()])
    );
    assert_eq!(
        by("Channel audit"),
        BTreeSet::from([
            "Subscription audit-log |  | Service audit-log [audit-log] |  |  | Broker default".to_owned(),
            "Subscription audit-copy |  | Service audit-copy [audit-copy] |  | Service dead-letters"
                .to_owned(),
            "Subscription audit-remote |  | https://siem.platform.test/events".to_owned(),
            "Subscription audit-route |  | Parallel route".to_owned(),
        ]),
        "what the Channel and the Parallel made for themselves is no row of its own"
    );
    assert_eq!(
        by("Channel nowhere (missing)"),
        BTreeSet::from(["Subscription astray |  | Service billing [billing-component] | no".to_owned()])
    );
    assert_eq!(
        by("Parallel route"),
        BTreeSet::from([
            " |  | Service is-large [is-large]".to_owned(),
            " |  | Service large [large]".to_owned(),
            " |  | Service small [small] |  |  | InMemoryChannel first".to_owned(),
        ])
    );
    let hidden = |row: &&Value| row.to_string().contains("-kn-");
    assert_eq!(all.iter().find(hidden), None, "parts of others are not shown");
    let abnormal: Vec<bool> = all.iter().map(|row| row.get("ready").is_some()).collect();
    assert!(abnormal[0], "the worst first: {all:#?}");
    for (via, why) in [
        ("Trigger to-missing", "services \"gone\" not found"),
        ("Trigger without-broker", "BrokerDoesNotExist"),
        ("Subscription astray", "ChannelNotFound"),
    ] {
        let row = all.iter().find(|row| row["via"] == via).expect("it is there");
        assert!(row["ready"].as_str().is_some_and(|ready| ready.contains(why)), "{row}");
    }

    let all = rows(&mcp, json!({"namespace": bank, "limit": 1000}), "consumers").await;
    let row =
        |via: &str| all.iter().find(|row| row["via"] == via).unwrap_or_else(|| panic!("{via}: {all:#?}"));
    assert_eq!(
        line(row("Trigger pings")),
        "Trigger pings | type = dev.knative.sources.ping | Sequence settle"
    );
    assert_eq!(line(row("Subscription report")), "Subscription report |  | Service report [report]");
    let direct = all.iter().find(|row| row["from"] == "RepositoryFeed commits").map(line);
    assert_eq!(
        direct.as_deref(),
        Some(" |  | https://collector.platform.test/in"),
        "a source needs no trigger"
    );
    assert!(server.said().find(PLANTED).is_none(), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_counts_what_there_is_and_names_every_dead_end() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let (shop, bank) = (&*mesh.shop, &*mesh.bank);
    let server = over(plane, &plane.tokens.viewer);
    let mcp = Mcp::new(server.url("/mcp"));

    let answer = good(&mcp, json!({"namespace": shop, "limit": 1000})).await;
    assert!(answer.structure.get("partial").is_none(), "{}", gaps(&answer));
    let counts = &answer.structure["counts"];
    assert_eq!((&counts["event_types"], &counts["flows"]), (&json!(6), &json!(1)), "{}", answer.text);
    let first = answer.text.lines().next().unwrap_or_default();
    assert!(first.starts_with(&format!("Event mesh of mesh, namespace {shop}: ")), "{first}");

    let found: BTreeSet<(String, String)> = {
        let rows = answer.structure["findings"].as_array().expect("findings").iter();
        let cell = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        rows.map(|row| (cell(row, "code"), cell(row, "about"))).collect()
    };
    let about = |name: &str| found.iter().any(|(_, about)| about == name);
    for dead in [
        format!("Trigger {shop}/to-missing"),
        format!("Trigger {shop}/to-deployment"),
        format!("Trigger {shop}/to-settings"),
        format!("Trigger {shop}/without-broker"),
        format!("Trigger {shop}/never"),
        format!("Subscription {shop}/astray"),
        format!("SinkBinding {shop}/checkout"),
        format!("EventType {shop}/lost"),
    ] {
        assert!(about(&dead), "{dead}: {found:#?}\n{}", answer.text);
    }
    for sound in ["legacy", "prefix", "suffix", "any", "all-and-not", "cesql", "none", "both", "empty-list"] {
        assert!(!about(&format!("Trigger {shop}/{sound}")), "{sound}: {found:#?}");
    }
    let loops = found.iter().any(|(code, _)| code.contains("loop"));
    assert!(loops, "{found:#?}");

    let sources = answer.structure["sources"].as_array().expect("sources").clone();
    let source = |name: &str| {
        let is = |row: &&Value| row["name"] == name;
        sources.iter().find(is).unwrap_or_else(|| panic!("{name}: {sources:#?}")).clone()
    };
    let heartbeat = source(&format!("PingSource {shop}/heartbeat"));
    assert_eq!(heartbeat["sends"], json!(["dev.knative.sources.ping"]));
    assert_eq!(heartbeat["sink"], format!("Broker {bank}/ledger"), "across namespaces");
    let watcher = source(&format!("ApiServerSource {shop}/cluster-events"));
    assert_eq!(watcher["sends"].as_array().map(Vec::len), Some(3), "what it says that it sends: {watcher}");
    let binding = source(&format!("SinkBinding {shop}/checkout"));
    assert_eq!(binding["sink"], "Broker missing-broker (missing)");
    assert!(binding["ready"].as_str().is_some_and(|ready| ready.starts_with("no: ")), "{binding}");

    let payments = good(&mcp, json!({"namespace": bank, "limit": 1000})).await;
    let types = payments.structure["event_types"].as_array().expect("event types").clone();
    let ping = types.iter().find(|row| row["type"] == "dev.knative.sources.ping").expect("the old shape");
    assert_eq!(ping["sources"], json!([format!("PingSource {shop}/heartbeat")]), "{ping}");
    assert_eq!(ping["offered_by"], format!("Broker {bank}/ledger"));
    let unsent = payments.structure["findings"].as_array().into_iter().flatten();
    let mut unsent = unsent.filter(|row| row["about"] == format!("EventType {bank}/payment"));
    assert!(unsent.next().is_some(), "no source sends it: {}", payments.text);
}
