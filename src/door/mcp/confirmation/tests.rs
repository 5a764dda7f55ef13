//! A tool that plans, over the wire of stdio, in both eras.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use parking_lot::Mutex;
use rmcp::ServiceExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::shown;
use crate::{
    Error,
    answer::{Answer, Change, seal::Seal},
    audit::Audit,
    caller::{Callers, local, oidc::Issuers},
    door::{
        Terms, Who,
        mcp::Mcp,
        serving::{Served, Serving},
    },
    kubernetes::Identity,
    permission::{Roles, Within},
    telemetry::Spans,
    toolbox::{Call, Entry, Limits, Offer, Parts, Process, Reach, Step, Tool, Toolbox},
};

/// What each wall is like, and how often it was painted.
static WALLS: LazyLock<Mutex<HashMap<String, (u32, u32)>>> = LazyLock::new(Mutex::default);

struct Paint;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    wall: String,
    plan: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Output {
    painted: u32,
}

impl Tool for Paint {
    type Input = Input;
    type Output = Output;

    fn reach(_: &Input) -> Reach {
        Reach::Nowhere
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let mut walls = WALLS.lock();
        let (seen, painted) = walls.entry(input.wall.clone()).or_default();
        // one that never rests
        *seen += u32::from(input.wall.starts_with("restless"));
        let (change, summary) = match call.step(input.plan.as_deref(), &seen.to_string())? {
            Step::Offer(plan) => (Change::Planned(plan), "would paint"),
            Step::Changed { plan, .. } => (Change::Refused(plan), "NOTHING WAS DONE; would paint"),
            Step::Do => {
                *painted += 1;
                (Change::Made, "painted")
            }
        };
        Ok(Answer::new(format!("{summary} {}", input.wall), "", Output { painted: *painted }).change(change))
    }
}

const CONTRACT: &str = "---\ntitle: Paint a wall\npermission: none\neffect: write\nidempotent: false\n\
    open_world: false\nbudget: { rows: 5, bytes: 5000 }\nsensitive: none\n---\nPaint.\n";

/// One server for all: each of its clients could know what another was given.
static SERVING: LazyLock<Arc<Serving>> = LazyLock::new(serving);

fn serving() -> Arc<Serving> {
    let process = Process::new(Seal::random().expect("randomness"), Audit::off(), Spans::default());
    let parts = Parts {
        environments: Arc::default(),
        catalog: Default::default(),
        registry: Arc::default(),
        process: Arc::new(process),
        limits: Limits::default(),
        offer: Offer::default(),
    };
    let paint = Entry::new::<Paint>("platform/paint", CONTRACT).expect("a contract");
    let toolbox = Toolbox::with_entries(parts, vec![Arc::new(paint)]);
    let caller = local::caller(&Roles::default(), &["admin".to_owned()], &Within::default());
    let callers = Callers::new(
        Some(Arc::new(caller.expect("a role"))),
        Issuers::new(Vec::new(), None),
        Default::default(),
        Identity::Own,
    );
    Serving::new(Served::new(toolbox, callers, Terms::default()), &CancellationToken::new())
}

struct Client {
    write: WriteHalf<DuplexStream>,
    read: Lines<BufReader<ReadHalf<DuplexStream>>>,
    meta: Value,
}

impl Client {
    /// A client of 2026-07-28 with these capabilities.
    async fn modern(capabilities: Value) -> Self {
        let mut client = Self::connect();
        client.meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities});
        client
    }

    async fn legacy(capabilities: Value) -> Self {
        let mut client = Self::connect();
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities,
            "clientInfo": {"name": "t", "version": "0"}});
        client.send(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})).await;
        client.receive().await;
        client.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    fn connect() -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let handler = Mcp::new(Arc::clone(&SERVING), Who::Local, "stdio");
        tokio::spawn(async move {
            let (read, write) = tokio::io::split(theirs);
            handler.serve((read, write)).await.expect("a client").waiting().await
        });
        let (read, write) = tokio::io::split(ours);
        Self { write, read: BufReader::new(read).lines(), meta: Value::Null }
    }

    async fn send(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.expect("it reads");
    }

    async fn receive(&mut self) -> Value {
        let line = timeout(Duration::from_secs(5), self.read.next_line()).await.expect("a message in time");
        serde_json::from_str(&line.expect("a line").expect("a message")).expect("JSON")
    }

    async fn call(&mut self, wall: &str, more: Value) -> Value {
        let mut params = json!({"name": "paint", "arguments": {"wall": wall}});
        if !self.meta.is_null() {
            params["_meta"] = self.meta.clone();
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        self.send(json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})).await;
        self.receive().await
    }

    async fn say(&mut self, question: &Value, answer: Value) -> Value {
        assert_eq!(question["method"], "elicitation/create", "{question}");
        self.send(json!({"jsonrpc": "2.0", "id": question["id"], "result": answer})).await;
        self.receive().await
    }
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"confirm": true}})
}

fn again(question: &Value, answer: &Value) -> Value {
    json!({"requestState": question["result"]["requestState"], "inputResponses": {"confirm": answer}})
}

fn painted(wall: &str) -> u32 {
    WALLS.lock().get(wall).map_or(0, |(_, painted)| *painted)
}

fn change(wall: &str) {
    if let Some((seen, _)) = WALLS.lock().get_mut(wall) {
        *seen += 1;
    }
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

#[tokio::test]
async fn the_person_is_asked_and_the_model_gets_no_plan() {
    let mut client = Client::modern(json!({"elicitation": {}})).await;
    let question = client.call("north", json!({})).await;
    let asked = &question["result"]["inputRequests"]["confirm"];
    assert_eq!(
        (&question["result"]["resultType"], &asked["method"]),
        (&json!("input_required"), &json!("elicitation/create"))
    );
    assert_eq!(asked["params"]["message"], "Paint a wall\n\nwould paint north");
    assert_eq!(asked["params"]["requestedSchema"]["required"], json!(["confirm"]));
    assert_eq!(painted("north"), 0);
    // an answer that is missing is asked for again
    let state = json!({"requestState": question["result"]["requestState"]});
    let question = client.call("north", state).await;
    assert_eq!(question["result"]["resultType"], "input_required", "{question}");
    let done = client.call("north", again(&question, &yes())).await;
    assert_eq!((text(&done), painted("north")), ("painted north", 1), "{done}");
    assert!(done["result"]["structuredContent"]["plan"].is_null(), "{done}");
}

#[tokio::test]
async fn a_no_changes_nothing() {
    for answer in [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"action": "accept", "content": {"confirm": false}}),
        json!({"action": "accept", "content": {}}),
    ] {
        let mut client = Client::modern(json!({"elicitation": {"form": {}}})).await;
        let question = client.call("east", json!({})).await;
        let done = client.call("east", again(&question, &answer)).await;
        assert_eq!(text(&done), "the person did not agree; nothing was changed");
        let mut client = Client::legacy(json!({"elicitation": {}})).await;
        let question = client.call("east", json!({})).await;
        let done = client.say(&question, answer).await;
        assert_eq!(text(&done), "the person did not agree; nothing was changed");
        assert_eq!((&done["result"]["isError"], painted("east")), (&json!(true), 0));
    }
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_asked_again() {
    let mut client = Client::modern(json!({"elicitation": {}})).await;
    let question = client.call("south", json!({})).await;
    change("south");
    let question = client.call("south", again(&question, &yes())).await;
    let message = &question["result"]["inputRequests"]["confirm"]["params"]["message"];
    assert!(message.as_str().is_some_and(|text| text.contains("NOTHING WAS DONE")), "{question}");
    let done = client.call("south", again(&question, &yes())).await;
    assert_eq!((text(&done), painted("south")), ("painted south", 1));
    // but not for ever
    let mut question = client.call("restless", json!({})).await;
    for _ in 0..4 {
        question = client.call("restless", again(&question, &yes())).await;
        assert_eq!(question["result"]["resultType"], "input_required", "{question}");
    }
    let done = client.call("restless", again(&question, &yes())).await;
    assert!(text(&done).contains("nothing was changed") && painted("restless") == 0, "{done}");
}

#[tokio::test]
async fn a_state_of_another_call_or_a_plan_of_the_model_is_no_yes() {
    let mut client = Client::modern(json!({"elicitation": {}})).await;
    let question = client.call("west", json!({})).await;
    let done = client.call("east-west", again(&question, &yes())).await;
    assert!(text(&done).contains("not of this call; nothing was changed"), "{done}");
    let mut altered = again(&question, &yes());
    altered["requestState"] =
        json!(format!("{}A", question["result"]["requestState"].as_str().expect("a state")));
    assert!(text(&client.call("west", altered).await).contains("nothing was changed"));
    let nonsense = json!({"requestState": "nonsense", "inputResponses": {"confirm": yes()}});
    assert_eq!(client.call("west", nonsense).await["error"]["code"], -32602);
    // a handle that was got without asking
    let mut silent = Client::modern(json!({})).await;
    let planned = silent.call("west", json!({})).await;
    let plan = &planned["result"]["structuredContent"]["plan"];
    assert!(plan.is_string(), "{planned}");
    let with_plan = json!({"arguments": {"wall": "west", "plan": plan}});
    let question = client.call("west", with_plan).await;
    assert_eq!((&question["result"]["resultType"], painted("west")), (&json!("input_required"), 0));
}

#[tokio::test]
async fn an_older_client_is_asked_on_its_connection() {
    let mut client = Client::legacy(json!({"elicitation": {}})).await;
    let question = client.call("roof", json!({})).await;
    assert_eq!(question["params"]["message"], "Paint a wall\n\nwould paint roof");
    change("roof");
    let question = client.say(&question, yes()).await;
    assert!(question["params"]["message"].as_str().is_some_and(|text| text.contains("NOTHING WAS DONE")));
    let done = client.say(&question, yes()).await;
    assert_eq!((text(&done), painted("roof")), ("painted roof", 1));
}

#[tokio::test]
async fn a_client_that_cannot_ask_hands_the_plan_to_the_model() {
    let clients = [
        Client::legacy(json!({})).await,
        Client::legacy(json!({"elicitation": {"url": {}}})).await,
        Client::modern(json!({})).await,
        Client::modern(json!({"elicitation": {"url": {}}})).await,
    ];
    for (index, mut client) in clients.into_iter().enumerate() {
        let wall = format!("door {index}");
        let planned = client.call(&wall, json!({})).await;
        assert!(text(&planned).contains("call again with the same arguments and this plan"), "{planned}");
        let plan = &planned["result"]["structuredContent"]["plan"];
        let done = client.call(&wall, json!({"arguments": {"wall": wall, "plan": plan}})).await;
        assert_eq!((text(&done), painted(&wall)), (format!("painted {wall}").as_str(), 1));
    }
}

#[test]
fn a_long_plan_is_cut_and_says_so() {
    let plan = "0123456789\n".repeat(1_000);
    let shown = shown(&plan);
    assert!(shown.len() < 4_200 && shown.ends_with("are not shown; they would be done too]"), "{shown}");
    let (_, last) = shown.rsplit_once("\n[").expect("a mark");
    let left: usize = last.split_once(' ').expect("a number").0.parse().expect("a number");
    assert_eq!(left, plan.len() - (shown.len() - last.len() - 2));
}
